package demotest

import (
	"regexp"
	"strings"
)

// Matches reports whether got is want, in which each … stands for any text
// within a line, and a line of nothing but … for any number of lines. Blanks at
// the end of either do not count.
func Matches(want, got string) bool {
	var pattern strings.Builder
	pattern.WriteString(`\A`)
	lines := strings.Split(strings.TrimRight(want, "\n "), "\n")
	for i, line := range lines {
		if line == "…" {
			pattern.WriteString(`(?:.*(?:\n|\z))*?`)
			continue
		}
		parts := strings.Split(line, "…")
		for j := range parts {
			parts[j] = regexp.QuoteMeta(parts[j])
		}
		pattern.WriteString(strings.Join(parts, `.*`))
		if i < len(lines)-1 {
			pattern.WriteString(`(?:\n|\z)`)
		}
	}
	pattern.WriteString(`\z`)
	return regexp.MustCompile(pattern.String()).MatchString(strings.TrimRight(got, "\n "))
}
