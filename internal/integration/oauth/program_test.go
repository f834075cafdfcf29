//go:build linux

package oauth_test

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth/internal/servertest"
)

// A program is a process that has printed name=value lines, the last of which is
// ready=1, as our examples do.
type program struct {
	tb     testing.TB
	cmd    *exec.Cmd
	values map[string]string
	stderr bytes.Buffer // to be read when the program has ended
	done   chan error
}

// start starts a program and waits until it is ready. It does not outlive the
// test, nor the test binary.
func start(tb testing.TB, cmd *exec.Cmd) *program {
	tb.Helper()
	p := &program{tb: tb, cmd: cmd, values: map[string]string{}, done: make(chan error, 1)}
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	cmd.Env = append(cmd.Env, "GORACE=atexit_sleep_ms=0") // else it waits a second at the end for more races
	cmd.Stderr = &p.stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	stdout := must(cmd.StdoutPipe())
	require.NoError(tb, cmd.Start())
	tb.Cleanup(p.kill)

	lines := bufio.NewScanner(stdout)
	for p.values["ready"] == "" && lines.Scan() {
		if name, value, ok := strings.Cut(lines.Text(), "="); ok {
			p.values[name] = value
		}
	}
	go func() {
		for lines.Scan() { // nothing may block it
		}
		p.done <- cmd.Wait()
	}()
	if p.values["ready"] == "" {
		p.kill()
		require.FailNow(tb, "the program ended without being ready", p.stderr.String())
	}
	return p
}

// environ returns what it has printed as an environment.
func (p *program) environ() []string {
	var all []string
	for name, value := range p.values {
		all = append(all, name+"="+value)
	}
	return all
}

// kill ends the program at once, if it is running.
func (p *program) kill() {
	_ = p.cmd.Process.Kill()
	p.done <- <-p.done
	if strings.Contains(p.stderr.String(), "DATA RACE") {
		p.tb.Error("a race in what was started")
	}
	if p.tb.Failed() && p.stderr.Len() > 0 {
		p.tb.Logf("%s said:\n%.4096s", filepath.Base(p.cmd.Path), p.stderr.String())
		p.stderr.Reset()
	}
}

// example starts an example as its users do.
func example(tb testing.TB, name string, args ...string) *program {
	tb.Helper()
	dir, err := examples()
	require.NoError(tb, err)
	return start(tb, exec.Command(filepath.Join(dir, name), append([]string{"-addr", "127.0.0.1:0"}, args...)...))
}

// examples builds those that are started here, once, and returns their folder.
var examples = sync.OnceValues(func() (string, error) {
	dir, err := servertest.Folder()
	if err != nil {
		return "", err
	}
	args := append([]string{"-C", "../../../examples", "build", "-o", dir}, buildFlags...)
	out, err := exec.Command("go", append(args, "./spatialweb", "./mcp")...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("building the examples: %w\n%s", err, out)
	}
	return dir, nil
})
