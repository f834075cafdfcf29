//go:build !race

package main

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What is counted is a program of its own, so this need not run twice.

// No hot path has become slower than the golden file says, by more than 5 % of its
// instructions; nor quicker, as the file would then hide what comes next.
func TestInstructions(t *testing.T) {
	golden, err := readGolden(goldenFile)
	require.NoError(t, err)
	now, err := measure(t.Context(), operations)
	require.NoError(t, err)
	t.Log(table(golden, now))
	require.NoError(t, golden.compare(now))
}

// What is counted does what its name says: each operation, once more, in this process.
func TestOperations(t *testing.T) {
	for _, o := range operations {
		require.NoError(t, o.perform(), o.name)
	}
	require.ErrorContains(t, perform("nothing of the kind"), "no operation")
}

func TestCompare(t *testing.T) {
	const head = "go: go1\nvalgrind: v1\nprocessor: p1\n\n"
	golden, err := parseGolden(head + "a, b   1000 500\nc 1000 1000\n")
	require.NoError(t, err)
	for name, c := range map[string]struct {
		now  string
		says []string // none: nothing is wrong
	}{
		"the same":           {head + "a, b 1000 500\nc 1000 1000", nil},
		"within the slack":   {head + "a, b 1049 524\nc 951 951", nil},
		"other machine":      {"go: go2\nvalgrind: v2\nprocessor: p2\na, b 1000 500\nc 1000 1000", nil},
		"slower":             {head + "a, b 1000 500\nc 1051 1051", []string{"c: slower by 5.1 %", "If it has to be: " + update}},
		"slower of its own":  {head + "a, b 1026 526\nc 1000 1000", []string{"a, b: slower by 5.2 %: 1026 (526 of its own) in place of 1000 (500 of its own)"}},
		"one more hash":      {head + "a, b 1051 500\nc 1000 1000", []string{"a, b: slower by 5.1 %"}},
		"quicker":            {head + "a, b 1000 500\nc 949 949", []string{"c: quicker by 5.1 %", "stale: " + update}},
		"slower and quicker": {head + "a, b 500 300\nc 2000 2000", []string{"a, b: quicker by 50.0 %", "c: slower by 100.0 %", "If it has to be"}},
		"new":                {head + "a, b 1000 500\nc 1000 1000\nd 1 1", []string{"d: not in the golden file"}},
		"gone":               {head + "a, b 1000 500", []string{"c: in the golden file, and not counted"}},
		"slower elsewhere": {"go: go2\nvalgrind: v1\nprocessor: p2\na, b 1000 500\nc 2000 2000",
			[]string{"written with go1, and this is go2", "written with p1, and this is p2"}},
	} {
		t.Run(name, func(t *testing.T) {
			now, err := parseGolden(c.now)
			require.NoError(t, err)
			err = golden.compare(now)
			if c.says == nil {
				require.NoError(t, err)
				return
			}
			for _, says := range c.says {
				require.ErrorContains(t, err, says)
			}
		})
	}
}

// The golden file is read as it was written, and no other is.
func TestGoldenFile(t *testing.T) {
	golden, err := readGolden(goldenFile)
	require.NoError(t, err)
	text, err := os.ReadFile(goldenFile)
	require.NoError(t, err)
	require.Equal(t, string(text), golden.String())
	require.Len(t, golden.names, len(operations))
	for _, wrong := range []string{"a 1", "a 1 x", "a x 1", "a 0 0", "a -1 -1", "a 1 2", "1", "a"} {
		_, err := parseGolden(wrong + "\n")
		require.ErrorContains(t, err, "no counts in", wrong)
	}
	_, err = readGolden("testdata/none.txt")
	require.ErrorContains(t, err, update+" writes testdata/none.txt")
}

func TestProfile(t *testing.T) {
	const profile = `positions: line
events: Ir

fl=???
fn=main.serve
10 100
11 20
cfn=crypto/internal/fips140/sha256.blockGeneric
calls=2 0
12 5000
13 7

fn=crypto/internal/fips140/sha256.blockGeneric
0 5000

fn=runtime.typeAssert
0 300

totals: 5427
`
	c, err := parseProfile(strings.NewReader(profile))
	require.NoError(t, err)
	require.Equal(t, cost{all: 5127, own: 127}, c)

	_, err = parseProfile(strings.NewReader(strings.Replace(profile, "5427", "5428", 1)))
	require.ErrorContains(t, err, "5427 of 5428")
	_, err = parseProfile(strings.NewReader(""))
	require.Error(t, err)
}

func TestNoValgrind(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := measure(context.Background(), operations)
	require.ErrorContains(t, err, "apt-get install -y --no-install-recommends valgrind")
}
