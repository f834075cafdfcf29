package report

import (
	"fmt"
	"strings"
)

// A theme is the colours of a chart. Each can be read on paper: texts at 4.5 to 1,
// lines that matter at 3 to 1 (WCAG 2.2, 1.4.3 and 1.4.11).
type theme struct {
	name                    string
	paper, ink, faint, grid string // grid only helps the eye
	ours, behind            string
	lines                   []string
}

var (
	light = theme{"light", "#ffffff", "#1f2328", "#59636e", "#e4e8ec", "#0969da", "#bc4c00",
		[]string{"#0550ae", "#953800", "#116329", "#6639ba", "#a40e26", "#4d5560"}}
	dark = theme{"dark", "#0d1117", "#f0f6fc", "#9198a1", "#262c34", "#4493f8", "#f0883e",
		[]string{"#79c0ff", "#ffa657", "#7ee787", "#d2a8ff", "#ff7b72", "#b1bac4"}}
)

const (
	chartWidth = 720.0
	margin     = 24.0
	fonts      = "ui-sans-serif, system-ui, -apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif"
)

// A canvas is a chart that is being drawn.
type canvas struct {
	theme
	b strings.Builder
}

// page returns a whole picture of that height, with a title and what it shows in
// words for who does not see it.
func (c *canvas) page(height float64, title, subtitle, description string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%g" height="%g" viewBox="0 0 %[1]g %[2]g" role="img" aria-labelledby="t d" font-family="%s">`+"\n",
		chartWidth, height, fonts)
	fmt.Fprintf(&b, "<title id=\"t\">%s</title>\n<desc id=\"d\">%s</desc>\n", entities(title), entities(description))
	fmt.Fprintf(&b, `<rect width="%g" height="%g" rx="8" fill="%s"/>`+"\n", chartWidth, height, c.paper)
	fmt.Fprintf(&b, `<text x="%g" y="38" font-size="18" font-weight="600" fill="%s">%s</text>`+"\n", margin, c.ink, entities(title))
	fmt.Fprintf(&b, `<text x="%g" y="60" font-size="13" fill="%s">%s</text>`+"\n", margin, c.faint, entities(subtitle))
	b.WriteString(c.b.String())
	b.WriteString("</svg>\n")
	return b.String()
}

// head is the height that title and subtitle take.
const head = 76.0

// A face is how a text looks.
type face struct {
	size   float64
	colour string
	bold   bool
	anchor string // start if empty
}

func (c *canvas) text(x, y float64, s string, f face) {
	extra := ""
	if f.bold {
		extra += ` font-weight="600"`
	}
	if f.anchor != "" {
		extra += fmt.Sprintf(` text-anchor="%s"`, f.anchor)
	}
	fmt.Fprintf(&c.b, `<text x="%s" y="%s" font-size="%g" fill="%s"%s>%s</text>`+"\n", at(x), at(y), f.size, f.colour, extra, entities(s))
}

func (c *canvas) line(x1, y1, x2, y2, width float64, colour string) {
	fmt.Fprintf(&c.b, `<path d="M%s %sL%s %s" stroke="%s" stroke-width="%g"/>`+"\n", at(x1), at(y1), at(x2), at(y2), colour, width)
}

// at writes a coordinate, to a tenth.
func at(v float64) string { return strings.TrimSuffix(fmt.Sprintf("%.1f", v), ".0") }

func entities(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;").Replace(s)
}

// extent is about how wide a text is, rather more than less.
func extent(s string, size float64) float64 {
	em := 0.0
	for _, r := range s {
		switch {
		case strings.ContainsRune("iljtfI.,:;'|!()[] ", r):
			em += 0.34
		case strings.ContainsRune("mwMW@%", r):
			em += 0.92
		case r >= 'A' && r <= 'Z':
			em += 0.72
		default:
			em += 0.58
		}
	}
	return em * size
}

// fit cuts a text to a width.
func fit(s string, size, width float64) string {
	if extent(s, size) <= width {
		return s
	}
	runes := []rune(s)
	for len(runes) > 1 && extent(string(runes)+"…", size) > width {
		runes = runes[:len(runes)-1]
	}
	return strings.TrimRight(string(runes), " ,") + "…"
}
