package report

import (
	"strings"
	"unicode/utf8"
)

// A grid is a Markdown table that can be read as it is, too.
type grid struct {
	head  []string // those that begin with > are aligned to the right
	cells [][]string
}

func (g *grid) add(cells ...string) { g.cells = append(g.cells, cells) }

func (g *grid) String() string {
	widths := make([]int, len(g.head))
	for i, h := range g.head {
		widths[i] = max(3, utf8.RuneCountInString(strings.TrimPrefix(h, ">")))
		for _, row := range g.cells {
			widths[i] = max(widths[i], utf8.RuneCountInString(escape(row[i])))
		}
	}
	var b strings.Builder
	head, rule := make([]string, len(g.head)), make([]string, len(g.head))
	for i, h := range g.head {
		name, right := strings.CutPrefix(h, ">")
		head[i] = name
		rule[i] = strings.Repeat("-", widths[i])
		if right {
			rule[i] = rule[i][1:] + ":"
		}
	}
	g.line(&b, widths, head)
	g.line(&b, widths, rule)
	for _, row := range g.cells {
		g.line(&b, widths, row)
	}
	return b.String()
}

func (g *grid) line(b *strings.Builder, widths []int, cells []string) {
	for i, c := range cells {
		c = escape(c)
		gap := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(c))
		if strings.HasPrefix(g.head[i], ">") {
			c = gap + c
		} else {
			c += gap
		}
		b.WriteString("| " + c + " ")
	}
	b.WriteString("|\n")
}

// escape keeps a text within its cell.
func escape(s string) string {
	return strings.NewReplacer("|", "/", "\n", " ", "<", "&lt;").Replace(s)
}
