package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/seed-077cad0b/auth/bench/internal/measure"
)

// A curve is what something costs at some places of an axis.
type curve struct {
	name, unit string
	x, y       []float64
}

// curveOf returns the curve of a case. Who failed is left out.
func curveOf(m *measure.Result) curve {
	c := curve{name: strings.TrimSuffix(m.Name, ", by "+m.Axis), unit: m.Unit}
	for _, o := range m.Outcomes {
		if o.Failure == "" {
			c.x, c.y = append(c.x, o.X), append(c.y, o.Median().Value)
		}
	}
	return c
}

// at returns the value at x.
func (c *curve) at(x float64) (float64, bool) {
	i := slices.Index(c.x, x)
	if i < 0 {
		return 0, false
	}
	return c.y[i], true
}

// A step is what lies between two neighbours of a curve.
type step struct {
	from, to  float64
	perDecade float64 // what is added where x is ten times as much
	exponent  float64 // of x, by which the cost grows
}

// steepest returns the step at which most is added.
func (c *curve) steepest() (steepest step, ok bool) {
	for i := 1; i < len(c.x); i++ {
		decades := math.Log10(c.x[i] / c.x[i-1])
		s := step{c.x[i-1], c.x[i], (c.y[i] - c.y[i-1]) / decades, math.Log10(c.y[i]/c.y[i-1]) / decades}
		if !ok || s.perDecade > steepest.perDecade {
			steepest, ok = s, true
		}
	}
	return steepest, ok
}

func (s step) String() string {
	where := fmt.Sprintf("n^%.2f, %s to %s", s.exponent, short(s.from), short(s.to))
	if s.perDecade <= 0 {
		return "falls, " + where
	}
	return fmt.Sprintf("+%s a decade, %s", amount(s.perDecade, "ns"), where)
}

// axes returns the curves among results by their axis, in order.
func axes(results []measure.Result) (names []string, of map[string][]curve) {
	of = map[string][]curve{}
	for _, m := range results {
		if m.Axis == "" {
			continue
		}
		c := curveOf(&m)
		if len(c.x) == 0 {
			continue
		}
		if _, ok := of[m.Axis]; !ok {
			names = append(names, m.Axis)
		}
		of[m.Axis] = append(of[m.Axis], c)
	}
	return names, of
}

// places returns all x of the curves, sorted.
func places(curves []curve) (all []float64) {
	for _, c := range curves {
		all = append(all, c.x...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}
