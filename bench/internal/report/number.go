package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// amount writes a value in its unit, with three digits that count.
func amount(v float64, unit string) string {
	switch kind, _, _ := strings.Cut(unit, "/"); kind {
	case "ns":
		return scaled(v, 1000, "ns", "µs", "ms", "s")
	case "µs":
		return amount(v*1e3, "ns")
	case "ms":
		return amount(v*1e6, "ns")
	case "s":
		return amount(v*1e9, "ns")
	case "B":
		return scaled(v, 1024, "B", "KiB", "MiB", "GiB")
	case "MiB":
		return amount(v*(1<<20), "B")
	default:
		return count(v) + " " + unit
	}
}

func scaled(v, step float64, units ...string) string {
	for _, unit := range units[:len(units)-1] {
		if math.Abs(v) < 0.9995*step {
			return significant(v) + " " + unit
		}
		v /= step
	}
	return significant(v) + " " + units[len(units)-1]
}

// significant writes three digits that count, but none behind the point of what
// is above 100.
func significant(v float64) string {
	switch a := math.Abs(v); {
	case v == math.Trunc(v) && a < 1000:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case a >= 99.95:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case a >= 9.995:
		return strconv.FormatFloat(v, 'f', 1, 64)
	default:
		return strconv.FormatFloat(v, 'f', 2, 64)
	}
}

// count writes a number with commas between thousands.
func count(v float64) string {
	if math.Abs(v) < 1000 {
		return significant(v)
	}
	digits := strconv.FormatFloat(math.Round(v), 'f', 0, 64)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// each writes what an operation takes of something, on average: allocations.
func each(v float64) string {
	if v < 0.05 {
		return "0"
	}
	return strings.TrimSuffix(strconv.FormatFloat(v, 'f', 1, 64), ".0")
}

// short writes a number on an axis: 1k, 10M.
func short(v float64) string {
	for _, u := range []struct {
		of   float64
		name string
	}{{1e6, "M"}, {1e3, "k"}} {
		if v >= u.of {
			return strconv.FormatFloat(v/u.of, 'f', -1, 64) + u.name
		}
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

// times writes a ratio.
func times(ratio float64) string {
	switch {
	case ratio < 2:
		return fmt.Sprintf("×%.2f", ratio)
	case ratio < 9.95:
		return fmt.Sprintf("×%.1f", ratio)
	default:
		return "×" + count(math.Round(ratio))
	}
}

// wanted writes what a ratio is meant to be: how many times as good, or, below 1,
// how much more ours may take.
func wanted(w float64) string {
	if w >= 1 {
		return "≥ ×" + strconv.FormatFloat(w, 'f', -1, 64)
	}
	return "≤ " + strconv.FormatFloat(math.Round(1000/w)/1000, 'f', -1, 64) + " of it"
}

// holds writes whether a ratio is what is wanted, in the same words.
func holds(ratio, w float64) string {
	mark := "✓ "
	if ratio < w {
		mark = "✗ "
	}
	if w >= 1 {
		return mark + times(ratio)
	}
	return mark + fmt.Sprintf("%.2f of it", 1/ratio)
}
