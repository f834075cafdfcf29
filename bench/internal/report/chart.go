package report

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unicode"
)

// A chart is drawn in each theme.
type chart struct {
	name, title string
	draw        func(theme) string
}

// picture is the chart in a page, in the theme of who reads it.
func (c *chart) picture(folder string) string {
	return fmt.Sprintf(`<picture>
  <source media="(prefers-color-scheme: dark)" srcset="%[1]s/%[2]s-dark.svg">
  <img alt="%[3]s" src="%[1]s/%[2]s-light.svg" width="720">
</picture>
`, folder, c.name, entities(c.title))
}

// chartsOf returns the charts of a section: one of its races, and one for each axis
// of its curves.
func (s *section) chartsOf() (all []chart) {
	names, curves := axes(s.results)
	for _, axis := range names {
		title := "What it costs, by " + axis
		all = append(all, chart{slug(s.name + " " + axis), title,
			func(t theme) string { return drawCurves(t, title, axis, curves[axis]) }})
	}
	if bars := s.bars(); len(bars) > 0 {
		title, subtitle := s.words()
		all = append(all, chart{slug(s.name), title,
			func(t theme) string { return drawBars(t, title, subtitle, bars) }})
	}
	return all
}

func slug(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return '-'
	}, name)
}

// WriteCharts writes the charts into a folder, each for light and dark pages, and
// takes out those that are no more.
func (r *Report) WriteCharts(folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	old, err := filepath.Glob(filepath.Join(folder, "*.svg"))
	if err != nil {
		return err
	}
	for _, path := range old {
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	for name, svg := range r.Charts() {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(svg), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// Charts returns the charts by the names of their files.
func (r *Report) Charts() map[string]string {
	all := map[string]string{}
	names, of := r.tables()
	for _, name := range names {
		s := section{name: name, results: of[name]}
		for _, c := range s.chartsOf() {
			for _, t := range []theme{light, dark} {
				all[c.name+"-"+t.name+".svg"] = c.draw(t)
			}
		}
	}
	return all
}
