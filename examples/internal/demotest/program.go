// Package demotest runs the example programs as their visitors do: it builds
// the program, starts it, believes what it prints, talks HTTP to it, and ends it
// with a signal.
package demotest

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Patience bounds how long a program may take to start and for all it does. It
// is there to end a test that would hang.
const Patience = 4 * time.Minute

// EndWithin is how long a program may take to end after a signal.
const EndWithin = 5 * time.Second

// binary is the program of the package under test.
var binary string

// Main builds the program in the working directory, which is the package under
// test, and runs the tests. It is for a TestMain.
func Main(m *testing.M) (code int) {
	dir, err := os.MkdirTemp("", "demotest")
	if err == nil {
		defer func() { _ = os.RemoveAll(dir) }()
		binary = filepath.Join(dir, "program")
		err = build(binary)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "demotest:", err)
		return 1
	}
	return m.Run()
}

func build(binary string) error {
	args := append([]string{"build", "-o", binary}, buildFlags...)
	out, err := exec.Command("go", append(args, ".")...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("building the program: %w\n%s", err, out)
	}
	return nil
}

// A Program is running.
type Program struct {
	BaseURL string
	Names   []string          // of the lines that it printed, in order
	Values  map[string]string // by name

	t      testing.TB
	cmd    *exec.Cmd
	stdout *bufio.Scanner
	stderr bytes.Buffer // to be read once the program has ended
	ended  bool
}

// Start starts the program on a free port and waits until it is ready. At the
// end of the test it is ended with SIGTERM, unless Stop has.
func Start(t testing.TB, args ...string) *Program {
	t.Helper()
	p := &Program{t: t, Values: map[string]string{}}
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	t.Cleanup(cancel)
	p.cmd = exec.CommandContext(ctx, binary, append([]string{"-addr", "127.0.0.1:0"}, args...)...)
	// The race detector would wait a second at the end for more races.
	p.cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0")
	p.cmd.Stderr = &p.stderr
	stdout, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, p.cmd.Start())
	t.Cleanup(func() {
		if !p.ended {
			p.Stop(syscall.SIGTERM)
		}
	})

	p.stdout = bufio.NewScanner(stdout)
	for p.Values["ready"] == "" && p.stdout.Scan() {
		name, value, ok := strings.Cut(p.stdout.Text(), "=")
		require.True(t, ok, "a line is not name=value: %q", p.stdout.Text())
		require.NotContains(t, p.Values, name, "a line is printed twice")
		p.Names = append(p.Names, name)
		p.Values[name] = value
	}
	if p.Values["ready"] == "" {
		_ = p.cmd.Wait()
		p.ended = true
		require.FailNow(t, "the program ended without being ready", p.stderr.String())
	}
	p.BaseURL = p.Values["base_url"]
	return p
}

// RequireFailure requires that the program does not start with these arguments,
// and returns what it says.
func RequireFailure(t testing.TB, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), Patience)
	defer cancel()
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, binary, append([]string{"-addr", "127.0.0.1:0"}, args...)...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.Error(t, err)
	require.Equal(t, 1, cmd.ProcessState.ExitCode())
	require.Empty(t, out)
	return stderr.String()
}

// Addr returns where the program listens.
func (p *Program) Addr() string { return strings.TrimPrefix(p.BaseURL, "http://") }

// Stop sends the program a signal and requires that it ends in time, with exit
// status 0, without having printed more or logged a secret.
func (p *Program) Stop(signal os.Signal) {
	p.t.Helper()
	p.ended = true
	late := time.AfterFunc(EndWithin, func() { _ = p.cmd.Process.Kill() })
	defer late.Stop()
	require.NoError(p.t, p.cmd.Process.Signal(signal))
	var more strings.Builder
	for p.stdout.Scan() {
		more.WriteString(p.stdout.Text())
	}
	err := p.cmd.Wait()
	log := p.stderr.String()
	require.NoError(p.t, err, "after %v; the program logged:\n%s", signal, log)
	require.Empty(p.t, more.String(), "printed after ready=1")
	for name, value := range p.Values {
		switch name {
		case "base_url", "email", "platform", "suspended_platform", "mcp_url", "redirect_uri", "web_redirect_uri", "public_redirect_uri",
			"client_id", "web_client_id", "public_client_id", "ready": // no secret
		default:
			require.NotContains(p.t, log, value, "the log has the value of %s", name)
		}
	}
}

// environ is the environment of a README's commands: what the program printed,
// and nothing that makes a tool behave differently elsewhere.
func (p *Program) environ(home string) []string {
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "LC_ALL=C.UTF-8"}
	for name, value := range p.Values {
		env = append(env, name+"="+value)
	}
	return env
}

// RequireLines requires of the lines what they promise to whoever reads them.
func (p *Program) RequireLines(t testing.TB) {
	t.Helper()
	require.Equal(t, "base_url", p.Names[0])
	require.Regexp(t, `^http://127\.0\.0\.1:[1-9][0-9]*$`, p.BaseURL)
	require.Equal(t, "ready", p.Names[len(p.Names)-1])
	require.Equal(t, "1", p.Values["ready"])
	for name, value := range p.Values {
		require.Regexp(t, `^[a-z_]+$`, name)
		require.NotEmpty(t, value, name)
		require.NotRegexp(t, "[\\s\"'`\\\\]", value, name)
	}
}
