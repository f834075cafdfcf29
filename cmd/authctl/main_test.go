//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth/internal/servertest"
)

// asAuthctl in the environment makes the test binary be authctl: the program is
// tested as a process, with its arguments, streams and exit code, and with the
// race detector where the tests have it.
const asAuthctl = "AUTHCTL_TEST_AS_AUTHCTL"

// quickExit spares each call the second for which the race detector waits.
const quickExit = "GORACE=atexit_sleep_ms=0"

var update = flag.Bool("update", false, "write the golden files")

func TestMain(m *testing.M) {
	if os.Getenv(asAuthctl) != "" {
		main()
		return
	}
	servertest.Main(m)
}

// A cli calls authctl on one store. What it learns to be secret it looks for in
// whatever authctl writes from then on.
type cli struct {
	*testing.T
	env     []string
	folder  string // where authctl runs
	secrets []string
}

// newCLI returns one on a store, migrated.
func newCLI(t *testing.T, store string) *cli {
	c := &cli{T: t, folder: t.TempDir()}
	if store != "" {
		c.set("AUTH_STORE", store)
		c.ok("migrate")
	}
	return c
}

// onSQLite returns one on a new file.
func onSQLite(t *testing.T) *cli {
	return newCLI(t, "sqlite:"+filepath.Join(t.TempDir(), "auth.db"))
}

func (c *cli) set(name, value string) { c.env = append(c.env, name+"="+value) }

// An answer is what authctl wrote, and how it ended.
type answered struct {
	out, err string
	code     int
}

// run calls authctl with a text as its standard input.
func (c *cli) run(stdin string, args ...string) answered {
	c.Helper()
	program, err := os.Executable()
	require.NoError(c, err)
	cmd := exec.CommandContext(c.Context(), program, args...)
	cmd.Dir = c.folder
	cmd.Env = append(append([]string{asAuthctl + "=1", quickExit}, os.Environ()...), c.env...)
	cmd.Stdin = strings.NewReader(stdin)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		require.IsType(c, (*exec.ExitError)(nil), err)
	}
	a := answered{out.String(), errs.String(), cmd.ProcessState.ExitCode()}
	for _, secret := range c.secrets {
		require.NotContains(c, a.out, secret)
		require.NotContains(c, a.err, secret)
	}
	require.NotContains(c, a.err, "goroutine ", "no stack traces")
	return a
}

// ok calls authctl, which has to succeed, and returns what it printed.
func (c *cli) ok(args ...string) string {
	c.Helper()
	return c.fed("", args...)
}

// fed is ok with a standard input.
func (c *cli) fed(stdin string, args ...string) string {
	c.Helper()
	a := c.run(stdin, args...)
	require.Zero(c, a.code, "authctl %v: %s%s", args, a.out, a.err)
	return a.out
}

// secret is fed for a command that prints a secret, once and to nobody else.
func (c *cli) secret(stdin string, args ...string) string {
	c.Helper()
	a := c.run(stdin, args...)
	require.Zero(c, a.code, "authctl %v: %s", args, a.err)
	secret, rest, ok := strings.Cut(a.out, "\n")
	require.True(c, ok && secret != "" && rest == "", "a secret alone, on a line: %q", a.out)
	require.NotContains(c, a.err, secret)
	c.secrets = append(c.secrets, secret)
	return secret
}

// refused calls authctl, which has to end with that code, and returns what it
// said.
func (c *cli) refused(code int, stdin string, args ...string) string {
	c.Helper()
	a := c.run(stdin, args...)
	require.Equal(c, code, a.code, "authctl %v: %s%s", args, a.out, a.err)
	return a.err
}

// all returns the objects that a command prints as JSON.
func (c *cli) all(args ...string) (objects []map[string]any) {
	c.Helper()
	d := json.NewDecoder(strings.NewReader(c.ok(append(args, "--json")...)))
	for d.More() {
		var o map[string]any
		require.NoError(c, d.Decode(&o))
		objects = append(objects, o)
	}
	return objects
}

// one returns the one object that a command prints as JSON.
func (c *cli) one(args ...string) map[string]any {
	c.Helper()
	objects := c.all(args...)
	require.Len(c, objects, 1)
	return objects[0]
}

// open opens the store in this process, as an API does.
func (c *cli) open() *backend {
	c.Helper()
	return c.openAt(c.storeURL())
}

func (c *cli) storeURL() string {
	c.Helper()
	for _, v := range c.env {
		if store, ok := strings.CutPrefix(v, "AUTH_STORE="); ok {
			return store
		}
	}
	require.Fail(c, "no store")
	return ""
}

func (c *cli) openAt(store string) *backend {
	c.Helper()
	s, err := (&app{store: store}).open(context.Background())
	require.NoError(c, err)
	c.Cleanup(s.close)
	return s
}

// write writes a file where authctl runs.
func (c *cli) write(name, text string) {
	c.Helper()
	require.NoError(c, os.WriteFile(filepath.Join(c.folder, name), []byte(text), 0o600))
}

func (c *cli) read(name string) string {
	c.Helper()
	data, err := os.ReadFile(filepath.Join(c.folder, name))
	require.NoError(c, err)
	return string(data)
}
