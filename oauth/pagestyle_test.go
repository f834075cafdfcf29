package oauth_test

import (
	"fmt"
	"math"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// WCAG 2.2, success criteria 1.4.3 and 1.4.11, in both themes: text stands out from
// what is behind it by 4.5 to 1, and the edge of a field by 3 to 1.
func TestPagesCanBeRead(t *testing.T) {
	style := string(must(os.ReadFile("pages/style.css")))
	light, dark, ok := strings.Cut(style, "@media (prefers-color-scheme: dark)")
	require.True(t, ok)
	dark, _, _ = strings.Cut(dark, "\n}\n")
	for theme, text := range map[string]string{"light": light, "dark": dark} {
		colour := map[string]float64{}
		for _, found := range regexp.MustCompile(`--(\w+): #(\w+);`).FindAllStringSubmatch(text, -1) {
			colour[found[1]] = luminance(t, found[2])
		}
		require.Len(t, colour, 11, theme)
		for _, c := range []struct {
			front, back string
			least       float64
		}{
			{"text", "card", 4.5}, {"text", "page", 4.5}, {"soft", "card", 4.5}, {"accent", "card", 4.5},
			{"on", "accent", 4.5}, {"on", "press", 4.5}, {"warn", "pale", 4.5}, {"line", "card", 3},
		} {
			a, b := colour[c.front]+0.05, colour[c.back]+0.05
			require.GreaterOrEqual(t, max(a, b)/min(a, b), c.least, "%s: %s on %s", theme, c.front, c.back)
		}
	}
	for _, part := range []string{"font: 16px/1.5 system-ui", "min-height: 48px", ":focus-visible"} {
		require.Contains(t, style, part)
	}
	for _, part := range []string{"url(", "@import", "outline: none"} {
		require.NotContains(t, style, part)
	}
}

// luminance is the relative luminance of a colour, "rrggbb" or "rgb".
func luminance(t *testing.T, hex string) float64 {
	if len(hex) == 3 {
		hex = fmt.Sprintf("%c%[1]c%c%[2]c%c%[3]c", hex[0], hex[1], hex[2])
	}
	var rgb [3]uint8
	_, err := fmt.Sscanf(hex, "%02x%02x%02x", &rgb[0], &rgb[1], &rgb[2])
	require.NoError(t, err, hex)
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		c := float64(rgb[i]) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}
