package report_test

import (
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth/bench/internal/measure"
	"github.com/seed-077cad0b/auth/bench/internal/report"
)

var update = flag.Bool("update", false, "write the golden files")

func load(t *testing.T) *report.Report {
	t.Helper()
	r, err := report.Load("testdata/results.json")
	require.NoError(t, err)
	return r
}

// golden holds a text against the file that is kept.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), got, "run the test with -update if it is meant to change")
}

func TestTables(t *testing.T) {
	golden(t, "terminal.md", load(t).Markdown(""))
	golden(t, "page.md", load(t).Markdown("charts"))
}

func TestCharts(t *testing.T) {
	charts := load(t).Charts()
	names := []string{}
	for name, svg := range charts {
		names = append(names, name)
		golden(t, name, svg)
	}
	slices.Sort(names)
	require.Equal(t, []string{
		"attacks-dark.svg", "attacks-light.svg",
		"curves-cores-dark.svg", "curves-cores-light.svg",
		"curves-entries-dark.svg", "curves-entries-light.svg",
		"servers-dark.svg", "servers-light.svg",
		"tokens-dark.svg", "tokens-light.svg",
	}, names)
}

// A chart is well-formed, and tells who does not see it what it shows.
func TestChartsAreAccessible(t *testing.T) {
	for name, svg := range load(t).Charts() {
		elements := map[string]string{}
		d := xml.NewDecoder(strings.NewReader(svg))
		var current string
		for {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err, name)
			switch e := token.(type) {
			case xml.StartElement:
				current = e.Name.Local
			case xml.CharData:
				elements[current] += string(e)
			}
		}
		require.NotEmpty(t, elements["title"], name)
		require.Contains(t, elements["desc"], ":", name)
	}
}

func TestPage(t *testing.T) {
	t.Chdir(t.TempDir())
	const before, after = "# A page\n\n<!-- tables: written by the command -->\n", "<!-- end of tables -->\n\nMore.\n"
	require.NoError(t, os.WriteFile("page.md", []byte(before+"old tables\n"+after), 0o644))
	r := &report.Report{Rounds: 5}
	for range 2 { // a second time, too
		require.NoError(t, r.WritePage("page.md", "charts"))
		text, err := os.ReadFile("page.md")
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(string(text), before), string(text))
		require.True(t, strings.HasSuffix(string(text), after), string(text))
		require.Contains(t, string(text), "medians of 5 rounds")
		require.NotContains(t, string(text), "old tables")
		require.Equal(t, 1, strings.Count(string(text), "medians of"))
	}

	require.NoError(t, os.WriteFile("page.md", []byte("# A page\n"), 0o644))
	require.ErrorContains(t, r.WritePage("page.md", "charts"), "no place for tables")
}

func TestChartsThatAreNoMore(t *testing.T) {
	r, folder := load(t), t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "old-light.svg"), nil, 0o644))
	require.NoError(t, r.WriteCharts(folder))
	written, err := filepath.Glob(filepath.Join(folder, "*"))
	require.NoError(t, err)
	require.Len(t, written, len(r.Charts()))
	require.NoFileExists(t, filepath.Join(folder, "old-light.svg"))
}

func TestSaved(t *testing.T) {
	r, path := load(t), filepath.Join(t.TempDir(), "results.json")
	require.NoError(t, r.Save(path))
	again, err := report.Load(path)
	require.NoError(t, err)
	require.Equal(t, r, again)
}

func TestOver(t *testing.T) {
	result := func(table, name string, value float64) measure.Result {
		return measure.Result{Table: table, Name: name, Outcomes: []measure.Outcome{{Samples: []measure.Sample{{Value: value}}}}}
	}
	old := &report.Report{Rounds: 5, Machine: report.Machine{CPU: "one", Date: "2026-01-01"}}
	old.Add(result("A", "a", 1), time.Second)
	old.Add(result("A", "b", 2), time.Second)
	fresh := &report.Report{Rounds: 7, Machine: report.Machine{CPU: "one", Date: "2026-01-02"}}
	fresh.Add(result("A", "b", 3), 5*time.Second)
	fresh.Add(result("B", "c", 4), 6*time.Second)

	both, err := fresh.Over(old)
	require.NoError(t, err)
	require.Equal(t, []measure.Result{result("A", "a", 1), result("A", "b", 3), result("B", "c", 4)}, both.Results)
	require.Equal(t, "2026-01-02", both.Machine.Date)
	require.Equal(t, 5, both.Rounds)
	require.Equal(t, []report.Took{{Table: "A", Seconds: 5}, {Table: "B", Seconds: 6}}, both.Took)
	require.Len(t, old.Results, 2)

	fresh.Machine.CPU = "another"
	_, err = fresh.Over(old)
	require.ErrorContains(t, err, "another machine")
}

// Only ours that do not run are a failure: who does not win is none.
func TestFailed(t *testing.T) {
	r := load(t)
	require.Empty(t, r.Failed())
	r.Results[0].Outcomes[0].Failure = "no such key"
	require.Equal(t, []string{"Tokens/cold: auth: no such key"}, r.Failed())
	require.Contains(t, r.Markdown(""), "## Failed\n\n- Tokens/cold: auth: no such key\n")
	require.Len(t, load(t).Charts(), len(r.Charts()), "the other cases are still drawn")
}

// A machine is told without what names it.
func TestThisMachine(t *testing.T) {
	m := report.ThisMachine()
	require.NotEmpty(t, m.CPU)
	require.Positive(t, m.Cores)
	require.Contains(t, m.OS, "/")
	require.Contains(t, m.Go, "go1.")
	require.Regexp(t, `^\d{4}-\d\d-\d\d$`, m.Date)
	if host, err := os.Hostname(); err == nil && len(host) > 6 {
		require.NotContains(t, m.String(), host)
	}
}
