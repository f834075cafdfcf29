//go:build linux

package oauth_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// modules is where the scripts are, and what others wrote that they import.
const modules = "testdata/npm"

const installModules = "the tests run clients that others wrote. This installs them:\n\n" +
	"\tapt-get install -y nodejs npm && npm ci --ignore-scripts --prefix internal/integration/oauth/" + modules

// node returns a command that runs a script, with name=value pairs in its
// environment.
func node(tb testing.TB, script string, environ ...string) *exec.Cmd {
	tb.Helper()
	path, err := installed()
	require.NoError(tb, err, installModules)
	cmd := exec.Command(path, "--no-warnings", filepath.Join(modules, script))
	cmd.Env = append(os.Environ(), environ...)
	return cmd
}

// installed returns the path of node, and an error where it, or a module in the
// version that package.json names, is missing.
var installed = sync.OnceValues(func() (string, error) {
	path, err := exec.LookPath("node")
	if err != nil {
		return "", err
	}
	version, err := exec.Command(path, "--version").Output()
	if major, _, _ := strings.Cut(strings.TrimPrefix(string(version), "v"), "."); err != nil || len(major) < 2 || major < "20" {
		return "", fmt.Errorf("Node.js is older than 20: %s", version)
	}
	var listed struct{ Dependencies map[string]string }
	if err := readJSON(filepath.Join(modules, "package.json"), &listed); err != nil {
		return "", err
	}
	for name, version := range listed.Dependencies {
		var module struct{ Version string }
		if err := readJSON(filepath.Join(modules, "node_modules", name, "package.json"), &module); err != nil {
			return "", err
		}
		if module.Version != version {
			return "", errors.New(name + " is not of version " + version)
		}
	}
	return path, nil
})

func readJSON(path string, to any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, to)
}

// runScript runs a script to its end, which tells of each step by a line of JSON
// and, if it has come through, of how many there were. See kit.mjs.
func runScript(t *testing.T, script string, environ ...string) {
	t.Helper()
	cmd := node(t, script, environ...)
	late := time.AfterFunc(2*time.Minute, func() { _ = cmd.Process.Kill() })
	defer late.Stop()
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	stdout := must(cmd.StdoutPipe())
	require.NoError(t, cmd.Start())
	steps, told := 0, -1
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		var line struct {
			Step, Error string
			Steps       *int
		}
		require.NoError(t, json.Unmarshal(lines.Bytes(), &line), lines.Text())
		if line.Steps != nil {
			told = *line.Steps
			continue
		}
		steps++
		t.Run(line.Step, func(t *testing.T) { require.Empty(t, line.Error) })
	}
	require.NoError(t, cmd.Wait())
	require.Positive(t, steps)
	require.Equal(t, told, steps, "the script ended early")
}
