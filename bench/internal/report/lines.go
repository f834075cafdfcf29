package report

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

const (
	plotLeft   = 76.0
	plotRight  = 500.0
	plotHeight = 280.0
)

// drawCurves draws what things cost, both axes logarithmic.
func drawCurves(t theme, title, axis string, curves []curve) string {
	c := &canvas{theme: t}
	all := places(curves)
	top := head + 12
	bottom := top + plotHeight
	low, high := decades(curves)
	x := func(v float64) float64 {
		first, last := all[0], all[len(all)-1]
		if first == last {
			return plotLeft
		}
		return plotLeft + (plotRight-plotLeft)*math.Log(v/first)/math.Log(last/first)
	}
	y := func(v float64) float64 { return bottom - plotHeight*math.Log(v/low)/math.Log(high/low) }
	for _, v := range rungs(low, high) {
		c.line(plotLeft, y(v), plotRight, y(v), 1, c.grid)
		c.text(plotLeft-10, y(v)+4, amount(v, "ns"), face{size: 12, colour: c.faint, anchor: "end"})
	}
	for _, v := range all {
		c.line(x(v), top, x(v), bottom, 1, c.grid)
		c.text(x(v), bottom+20, short(v), face{size: 12, colour: c.faint, anchor: "middle"})
	}
	c.text((plotLeft+plotRight)/2, bottom+42, axis, face{size: 13, colour: c.ink, anchor: "middle"})
	for i, k := range curves {
		c.curve(i, k, x, y)
	}
	c.labels(curves, y, top, bottom)
	return c.page(bottom+60, title, "Time of one operation; both axes are logarithmic.", describeCurves(axis, curves))
}

// rungs returns where the axis has lines: at powers of ten, and between them where
// those are few.
func rungs(low, high float64) (all []float64) {
	steps := []float64{1}
	if high/low < 1001 {
		steps = []float64{1, 2, 5}
	}
	for v := low; v <= high*1.001; v *= 10 {
		for _, s := range steps {
			if v*s <= high*1.001 {
				all = append(all, v*s)
			}
		}
	}
	return all
}

// decades returns the powers of ten around all values.
func decades(curves []curve) (low, high float64) {
	low, high = math.Inf(1), 0
	for _, c := range curves {
		low, high = math.Min(low, slices.Min(c.y)), math.Max(high, slices.Max(c.y))
	}
	low, high = math.Pow(10, math.Floor(math.Log10(low))), math.Pow(10, math.Ceil(math.Log10(high)))
	if high < low*10 {
		high = low * 10
	}
	return low, high
}

func (c *canvas) curve(i int, k curve, x, y func(float64) float64) {
	colour := c.lines[i%len(c.lines)]
	var path strings.Builder
	for j := range k.x {
		command := "L"
		if j == 0 {
			command = "M"
		}
		path.WriteString(command + at(x(k.x[j])) + " " + at(y(k.y[j])))
	}
	fmt.Fprintf(&c.b, `<path d="%s" fill="none" stroke="%s" stroke-width="2.25" stroke-linejoin="round"/>`+"\n", &path, colour)
	for j := range k.x {
		c.mark(i, x(k.x[j]), y(k.y[j]), colour)
	}
}

// mark draws the mark of the curve at i: curves can be told apart without their
// colours.
func (c *canvas) mark(i int, x, y float64, colour string) {
	style := fmt.Sprintf(`fill="%s" stroke="%s" stroke-width="1.5"`, colour, c.paper)
	switch i % 4 {
	case 0:
		fmt.Fprintf(&c.b, `<circle cx="%s" cy="%s" r="4.5" %s/>`+"\n", at(x), at(y), style)
	case 1:
		fmt.Fprintf(&c.b, `<rect x="%s" y="%s" width="8" height="8" %s/>`+"\n", at(x-4), at(y-4), style)
	case 2:
		fmt.Fprintf(&c.b, `<path d="M%s %sl5 9h-10z" %s/>`+"\n", at(x), at(y-5.5), style)
	default:
		fmt.Fprintf(&c.b, `<path d="M%s %sl5 5l-5 5l-5 -5z" %s/>`+"\n", at(x), at(y-5), style)
	}
}

// labels names the curves at their ends, none over another.
func (c *canvas) labels(curves []curve, y func(float64) float64, top, bottom float64) {
	const apart = 34.0
	order := make([]int, len(curves))
	for i := range order {
		order[i] = i
	}
	end := func(i int) float64 { return y(curves[i].y[len(curves[i].y)-1]) }
	slices.SortStableFunc(order, func(a, b int) int { return int(math.Copysign(1, end(a)-end(b))) })
	heights := make([]float64, len(order))
	for i, k := range order {
		heights[i] = math.Max(top+8, end(k))
		if i > 0 {
			heights[i] = math.Max(heights[i], heights[i-1]+apart)
		}
	}
	// What ran out at the bottom is moved up again.
	for i := len(heights) - 1; i >= 0; i-- {
		limit := bottom - 12
		if i < len(heights)-1 {
			limit = heights[i+1] - apart
		}
		heights[i] = math.Min(heights[i], limit)
	}
	for i, k := range order {
		const left = plotRight + 44
		colour := c.lines[k%len(c.lines)]
		fmt.Fprintf(&c.b, `<path d="M%s %sL%s %s" stroke="%s" stroke-width="1" stroke-dasharray="2 3"/>`+"\n",
			at(plotRight+7), at(end(k)), at(left-16), at(heights[i]), colour)
		c.mark(k, left-8, heights[i], colour)
		c.text(left+4, heights[i]+4.5, fit(curves[k].name, 14, chartWidth-12-left), face{size: 13, colour: colour, bold: true})
		last := curves[k].y
		c.text(left+4, heights[i]+19, amount(last[0], "ns")+" → "+amount(last[len(last)-1], "ns"), face{size: 12, colour: c.faint})
	}
}

// describeCurves says in words what curves show.
func describeCurves(axis string, curves []curve) string {
	parts := make([]string, len(curves))
	for i, k := range curves {
		n := len(k.x) - 1
		parts[i] = fmt.Sprintf("%s: %s at %s, %s at %s", k.name, amount(k.y[0], "ns"), short(k.x[0]), amount(k.y[n], "ns"), short(k.x[n]))
	}
	return "By " + axis + ". " + strings.Join(parts, "; ") + "."
}
