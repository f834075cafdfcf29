package report

import (
	"fmt"
	"math"
	"strings"
)

// A bar is a case in a chart: how many times as good ours is as the nearest, and
// as the furthest. Zero is for nobody.
type bar struct {
	label             string
	nearest, furthest float64
	bare              float64
	what              string // beside the figure
	bad               bool
}

// bars returns a bar for each case that somebody else came to the end of.
func (s *section) bars() (bars []bar) {
	for _, m := range s.races() {
		if m.Outcomes[0].Failure != "" || len(m.Outcomes) < 2 {
			continue
		}
		if s.name == Attacks {
			if m.Outcomes[1].Failure == "" {
				cost := 1 / m.Ratio(1)
				bars = append(bars, bar{label: caseName(&m), nearest: cost, furthest: cost, what: m.Outcomes[1].Name, bad: m.Missed(1)})
			}
			continue
		}
		f := fieldOf(&m)
		b := bar{label: caseName(&m)}
		if f.bare >= 0 {
			b.bare = m.Ratio(f.bare)
			b.what = m.Outcomes[f.bare].Name
		}
		if f.nearest >= 0 {
			b.nearest, b.furthest = m.Ratio(f.nearest), m.Ratio(f.furthest)
			b.what = m.Outcomes[f.nearest].Name
			b.bad = b.nearest < 1
		}
		if b.nearest > 0 || b.bare > 0 {
			bars = append(bars, b)
		}
	}
	return bars
}

// words returns the title and the subtitle of a section's bars.
func (s *section) words() (title, subtitle string) {
	if s.name == Attacks {
		return "Attacks", "What each request of an attack costs, beside another. Further left is better."
	}
	return s.name + ": how many times as good", "The nearest library (solid) and the furthest (outlined); ◇ is a yardstick that is no library."
}

const (
	rowHeight = 27.0
	barRight  = 486.0
	mostLabel = 250.0
)

// labelWidth is how much room the names of the cases need.
func labelWidth(bars []bar) (width float64) {
	for _, b := range bars {
		width = math.Max(width, extent(b.label, 13))
	}
	return math.Min(math.Max(width, 100), mostLabel)
}

// drawBars draws a row for each bar, on a logarithmic axis around 1, which is ours.
func drawBars(t theme, title, subtitle string, bars []bar) string {
	c := &canvas{theme: t}
	low, high := span(bars)
	barLeft := margin + labelWidth(bars) + 16
	x := func(v float64) float64 {
		return barLeft + (barRight-barLeft)*math.Log(v/low)/math.Log(high/low)
	}
	top := head + 24
	bottom := top + rowHeight*float64(len(bars))
	c.ticks(low, high, x, top, bottom)
	one := x(1)
	for i, b := range bars {
		c.bar(b, x, top+rowHeight*(float64(i)+0.5))
	}
	c.line(one, top-4, one, bottom, 2, c.ours)
	return c.page(bottom+margin, title, subtitle, describe(bars))
}

// ticks draws the axis: a line at each of 1, 2, 5, 10 and so on, as far as they
// have room.
func (c *canvas) ticks(low, high float64, x func(float64) float64, top, bottom float64) {
	const room = 34.0
	last := math.Inf(-1)
	draw := func(v float64) {
		colour := c.faint
		if v == 1 {
			colour = c.ours
		}
		c.line(x(v), top, x(v), bottom, 1, c.grid)
		c.text(x(v), top-9, "×"+short(v), face{size: 12, colour: colour, bold: v == 1, anchor: "middle"})
	}
	ladder := []float64{1, 10, 100, 1000, 10_000}
	if x(10)-x(1) > 3.2*room {
		ladder = []float64{0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100}
	} else if 0.1 >= low {
		ladder = append([]float64{0.001, 0.01, 0.1}, ladder...)
	}
	for _, v := range ladder {
		if v < low*0.999 || v > high*1.001 || x(v)-last < room && v != 1 || v < 1 && x(1)-x(v) < room {
			continue
		}
		draw(v)
		last = x(v)
	}
}

func (c *canvas) bar(b bar, x func(float64) float64, y float64) {
	const thick = 12.0
	c.text(margin, y+4.5, fit(b.label, 13, mostLabel), face{size: 13, colour: c.ink})
	colour := c.ours
	if b.bad {
		colour = c.behind
	}
	if b.furthest > 0 {
		from, to := math.Min(x(1), x(b.nearest)), math.Max(x(1), x(b.nearest))
		if b.furthest > math.Max(1, b.nearest) {
			fmt.Fprintf(&c.b, `<rect x="%s" y="%s" width="%s" height="%g" rx="2" fill="%s" fill-opacity="0.16" stroke="%[5]s"/>`+"\n",
				at(x(1)), at(y-thick/2+0.5), at(x(b.furthest)-x(1)), thick-1, c.ours)
		}
		fmt.Fprintf(&c.b, `<rect x="%s" y="%s" width="%s" height="%g" rx="2" fill="%s"/>`+"\n",
			at(from), at(y-thick/2), at(math.Max(2, to-from)), thick, colour)
	}
	if b.bare > 0 {
		at0, r := x(b.bare), 5.0
		fmt.Fprintf(&c.b, `<path d="M%s %sl%g %gl%g %gl%g %gz" fill="%s" stroke="%s" stroke-width="1.5"/>`+"\n",
			at(at0-r), at(y), r, -r, r, r, -r, r, c.paper, c.ink)
	}
	figure := b.nearest
	if figure == 0 {
		figure = b.bare
	}
	left := barRight + 16
	c.text(left, y+4.5, times(figure), face{size: 13, colour: colour, bold: true})
	left += math.Max(50, 1.08*extent(times(figure), 13)+8)
	c.text(left, y+4.5, fit(b.what, 12, chartWidth-8-left), face{size: 12, colour: c.faint})
}

// span returns the ends of an axis on which all bars have room.
func span(bars []bar) (low, high float64) {
	low, high = 1, 2
	for _, b := range bars {
		for _, v := range []float64{b.nearest, b.furthest, b.bare} {
			if v > 0 {
				low, high = math.Min(low, v), math.Max(high, v)
			}
		}
	}
	return low * 0.85, high * 1.1
}

// describe says in words what bars show.
func describe(bars []bar) string {
	parts := make([]string, len(bars))
	for i, b := range bars {
		figure := b.nearest
		if figure == 0 {
			figure = b.bare
		}
		parts[i] = fmt.Sprintf("%s: %s %s", b.label, times(figure), b.what)
	}
	return strings.Join(parts, "; ") + "."
}
