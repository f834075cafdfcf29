package demotest

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A step is a command of a README and what it says is printed.
type step struct {
	line    int
	command string
	output  string
}

// steps returns the commands in the console blocks of a README: lines that
// begin with a dollar sign, continued by lines that begin with ">".
func steps(markdown string) []step {
	var all []step
	inside := false
	for i, line := range strings.Split(markdown, "\n") {
		command, isCommand := strings.CutPrefix(line, "$ ")
		more, isMore := strings.CutPrefix(line, "> ")
		switch {
		case !inside:
			inside = line == "```console"
		case line == "```":
			inside = false
		case isCommand:
			all = append(all, step{line: i + 1, command: command})
		case len(all) == 0: // output of no command
		case isMore && all[len(all)-1].output == "":
			all[len(all)-1].command += "\n" + more
		default:
			all[len(all)-1].output += line + "\n"
		}
	}
	return all
}

// separator ends the output of a command, followed by its exit status.
const separator = "--- the command above ended with"

// RunREADME runs the commands in the console blocks of the README.md beside the
// test, one after the other in one shell, which knows what the program printed,
// and requires that they print what it says; see [Matches].
func (p *Program) RunREADME(t testing.TB) {
	t.Helper()
	requireCurl(t)
	markdown, err := os.ReadFile("README.md")
	require.NoError(t, err)
	all := steps(string(markdown))
	require.NotEmpty(t, all, "no commands")
	if strings.Contains(string(markdown), "openssl ") {
		_, err := exec.LookPath("openssl")
		require.NoError(t, err, "the README's commands need openssl; this installs it: apt-get install openssl")
	}

	var script strings.Builder
	for _, s := range all {
		fmt.Fprintf(&script, "%s\nprintf '\\n%s %%d\\n' $?\n", s.command, separator)
	}
	ctx, cancel := context.WithTimeout(t.Context(), Patience)
	defer cancel()
	home := t.TempDir()
	cmd := exec.CommandContext(ctx, "bash", "-s")
	cmd.Dir = home
	cmd.Env = p.environ(home)
	cmd.Stdin = strings.NewReader(script.String())
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, stderr.String())

	rest := strings.ReplaceAll(string(out), "\r\n", "\n") // of HTTP header fields
	for _, s := range all {
		got, after, _ := strings.Cut(rest, "\n"+separator+" ")
		status, after, _ := strings.Cut(after, "\n")
		rest = after
		require.Equal(t, "0", status, "README.md:%d: $ %s\n%s\n%s", s.line, s.command, got, stderr.String())
		require.True(t, Matches(s.output, got), "README.md:%d: $ %s\nwants:\n%s\ngot:\n%s", s.line, s.command, s.output, got)
	}
	require.Empty(t, strings.TrimSpace(rest))
}

// requireCurl fails the test where curl is missing or does not know --json.
func requireCurl(t testing.TB) {
	t.Helper()
	const install = "the README's commands need curl 7.82 or later; this installs it: apt-get install curl"
	help, err := exec.Command("curl", "--help", "all").Output()
	require.NoError(t, err, install)
	require.Contains(t, string(help), "--json", install)
}
