package report

import (
	"math"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAmount(t *testing.T) {
	for _, c := range []struct {
		value float64
		unit  string
		want  string
	}{
		{0, "ns/op", "0 ns"},
		{7.25, "ns/op", "7.25 ns"},
		{99.96, "ns/op", "100 ns"},
		{999.4, "ns/op", "999 ns"},
		{999.6, "ns/op", "1.00 µs"},
		{12_345, "ns/op", "12.3 µs"},
		{1_500_000, "ns/op", "1.50 ms"},
		{5e9, "ns/op", "5 s"},
		{4.2, "ms", "4.20 ms"},
		{182.4, "B/entry", "182 B"},
		{64 * 1024, "B", "64 KiB"},
		{1.5, "MiB", "1.50 MiB"},
		{1_234_567, "requests/s", "1,234,567 requests/s"},
		{12.5, "logins/s", "12.5 logins/s"},
	} {
		require.Equal(t, c.want, amount(c.value, c.unit))
	}
}

func TestWords(t *testing.T) {
	require.Equal(t, "≥ ×5", wanted(5))
	require.Equal(t, "≤ 1.05 of it", wanted(1/1.05))
	require.Equal(t, "✓ ×5.0", holds(5, 5))
	require.Equal(t, "✗ ×4.9", holds(4.9, 5))
	require.Equal(t, "✓ 1.04 of it", holds(1/1.04, 1/1.05))
	require.Equal(t, "✗ 1.20 of it", holds(1/1.2, 1/1.05))
	require.Equal(t, "×0.48", times(0.478))
	require.Equal(t, "×10", times(9.97))
	require.Equal(t, "×1,204", times(1204))
	require.Equal(t, "10M", short(1e7))
	require.Equal(t, "1k", short(1000))
	require.Equal(t, "64", short(64))
	require.Equal(t, "0", each(0.02))
	require.Equal(t, "2", each(2.01))
}

func TestSteepest(t *testing.T) {
	c := curve{x: []float64{1, 10, 1000}, y: []float64{100, 130, 330}}
	s, ok := c.steepest()
	require.True(t, ok)
	require.Equal(t, 10.0, s.from)
	require.InDelta(t, 100, s.perDecade, 1e-9)
	require.InDelta(t, math.Log10(330.0/130)/2, s.exponent, 1e-9)

	_, ok = (&curve{x: []float64{1}, y: []float64{5}}).steepest()
	require.False(t, ok)
}

func TestFit(t *testing.T) {
	require.Equal(t, "short", fit("short", 12, 100))
	cut := fit("a name that is a good deal longer than there is room", 12, 100)
	require.LessOrEqual(t, extent(cut, 12), 100.0)
	require.Regexp(t, `^a name.*…$`, cut)
}

// Texts have a contrast of 4.5 to 1, and lines that matter of 3 to 1 (WCAG 2.2).
func TestContrast(t *testing.T) {
	for _, c := range []theme{light, dark} {
		texts := append([]string{c.ink, c.faint, c.ours, c.behind}, c.lines...)
		for _, colour := range texts {
			require.GreaterOrEqual(t, contrast(t, colour, c.paper), 4.5, "%s on %s", colour, c.paper)
		}
	}
}

func contrast(t *testing.T, a, b string) float64 {
	l, m := luminance(t, a), luminance(t, b)
	return (math.Max(l, m) + 0.05) / (math.Min(l, m) + 0.05)
}

func luminance(t *testing.T, colour string) float64 {
	n, err := strconv.ParseUint(colour[1:], 16, 32)
	require.NoError(t, err)
	channel := func(shift int) float64 {
		v := float64(n>>shift&0xff) / 255
		if v <= 0.04045 {
			return v / 12.92
		}
		return math.Pow((v+0.055)/1.055, 2.4)
	}
	return 0.2126*channel(16) + 0.7152*channel(8) + 0.0722*channel(0)
}
