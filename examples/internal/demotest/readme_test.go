package demotest

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		want, got string
		matches   bool
	}{
		{"", "", true},
		{"", "\n", true},
		{"", "x", false},
		{"x", "", false},
		{"a.b", "a.b\n", true},
		{"a.b", "axb", false},
		{"a…b", "ab", true},
		{"a…b", "a, then b", true},
		{"a…b", "a\nb", false},
		{"a…", "a and more", true},
		{"…a", "a and more", false},
		{`{"x":"…"}`, `{"x":"1"}`, true},
		{`{"x":"…"}`, `{"x":1}`, false},
		{"a\n…\nb", "a\nb", true},
		{"a\n…\nb", "a\n1\n\n2\nb", true},
		{"a\n…\nb", "a\n1\n2", false},
		{"a\n…\nb", "a b", false},
		{"a\n…", "a\n1\n2", true},
		{"a\n…", "a", true},
		{"a\n…", "ab", false},
		{"…\nb", "1\n2\nb", true},
		{"…\nb", "1b", false},
		{"…", "", true},
		{"…", "a\nb", true},
		{"a\nb", "a\nb", true},
		{"a\nb", "a\n\nb", false},
	} {
		require.Equal(t, c.matches, Matches(c.want, c.got), "%q %q", c.want, c.got)
	}
}

func TestSteps(t *testing.T) {
	require.Equal(t, []step{
		{line: 6, command: "one", output: "1\n> 2\n"},
		{line: 9, command: "two |\n  three"},
		{line: 15, command: "four", output: "\n4\n"},
	}, steps("# Title\n$ no command\n```sh\n$ no command\n```console\n"+"$ one\n1\n> 2\n$ two |\n>   three\n```\n$ no command\n\n```console\n$ four\n\n4\n```\n"))
}
