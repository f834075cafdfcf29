//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/seed-077cad0b/auth"
)

// A terminal is the side of a pseudo-terminal on which a person sits.
type terminal struct {
	*testing.T
	*os.File
	seen strings.Builder
}

// atTerminal calls authctl as somebody at a terminal does.
func (c *cli) atTerminal(args ...string) (*terminal, *exec.Cmd) {
	c.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	require.NoError(c, err)
	c.Cleanup(func() { _ = master.Close() })
	require.NoError(c, unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0))
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	require.NoError(c, err)
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|syscall.O_NOCTTY, 0)
	require.NoError(c, err)
	defer slave.Close()

	program, err := os.Executable()
	require.NoError(c, err)
	cmd := exec.CommandContext(c.Context(), program, args...)
	cmd.Dir = c.folder
	cmd.Env = append(append(os.Environ(), c.env...), asAuthctl+"=1", quickExit)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	require.NoError(c, cmd.Start())
	return &terminal{T: c.T, File: master}, cmd
}

// see reads until it has seen that text, or the end where it is empty.
func (t *terminal) see(text string) {
	t.Helper()
	b := make([]byte, 1<<10)
	for text == "" || !strings.Contains(t.seen.String(), text) {
		n, err := t.Read(b)
		t.seen.Write(b[:n])
		if err != nil { // EIO: nobody is on the other side
			require.Empty(t, text, "seen: %s", t.seen.String())
			return
		}
	}
}

func (t *terminal) enter(text string) {
	t.Helper()
	_, err := t.WriteString(text + "\n")
	require.NoError(t, err)
}

func TestPasswordIsNotSeenAtATerminal(t *testing.T) {
	c := onSQLite(t)
	term, cmd := c.atTerminal("user", "add", "ann")
	term.see("password: ")
	term.enter("correct horse battery")
	term.see("password again: ")
	term.enter("correct horse battery")
	term.see("")
	require.NoError(t, cmd.Wait())
	require.NotContains(t, term.seen.String(), "correct")
	_, err := logIn(c, c.open(), "ann", "correct horse battery")
	require.NoError(t, err)

	term, cmd = c.atTerminal("user", "passwd", "ann")
	term.see("password: ")
	term.enter("correct horse battery")
	term.see("password again: ")
	term.enter("correct horse bakery")
	term.see("the passwords differ")
	term.see("")
	require.Error(t, cmd.Wait())
	require.Equal(t, exitUsage, cmd.ProcessState.ExitCode())
}

func TestWhatCannotBeUndoneIsAskedFor(t *testing.T) {
	c := onSQLite(t)
	sessions, token, _ := signIn(t, c.open(), &auth.Principal{Subject: "alice"})
	for _, answer := range []string{"no", "y", "", "yes\x03"} {
		term, cmd := c.atTerminal("session", "revoke", "--subject", "alice")
		term.see("end 1 session of \"alice\"? This cannot be undone. Type yes: ")
		term.enter(answer)
		term.see("nothing was done")
		term.see("")
		require.Error(t, cmd.Wait())
		_, err := sessions.Verify(t.Context(), token)
		require.NoError(t, err, answer)
	}
	term, cmd := c.atTerminal("session", "revoke", "--subject", "alice")
	term.see("Type yes: ")
	term.enter("yes")
	term.see("ended 1 session")
	term.see("")
	require.NoError(t, cmd.Wait())
	_, err := sessions.Verify(t.Context(), token)
	require.Error(t, err)
}

// Whoever revokes a key sees first which one it is.
func TestKeyIsRevokedAfterALook(t *testing.T) {
	c := onSQLite(t)
	key := c.secret("", "key", "create", "--prefix", "acme", "--subject", "42")
	id := c.one("key", "list")["id"].(string)
	for _, args := range [][]string{{id}, {"-"}} {
		term, cmd := c.atTerminal("key", "revoke", args[0])
		if args[0] == "-" {
			term.see("key: ")
			term.enter(key)
		}
		term.see("revoke the key " + key[:len("acme_1234")] + "… of \"42\"? This")
		term.see("Type yes: ")
		term.enter("no")
		term.see("nothing was done")
		term.see("")
		require.Error(t, cmd.Wait())
		require.Len(t, c.all("key", "list"), 1)
	}
	term, cmd := c.atTerminal("key", "revoke", id)
	term.see("Type yes: ")
	term.enter("yes")
	term.see("revoked")
	term.see("")
	require.NoError(t, cmd.Wait())
	require.Empty(t, c.all("key", "list"))
}

// A bar is for people: they see it, and it leaves nothing behind in a file.
func TestProgressIsShownAtATerminalAlone(t *testing.T) {
	c := onSQLite(t)
	c.secret("", "key", "create", "--prefix", "acme", "--subject", "42")
	require.NotContains(t, c.run("", "export").err, "exporting")
	term, cmd := c.atTerminal("export", "--out", "auth.jsonl")
	term.see("")
	require.NoError(t, cmd.Wait())
	require.Contains(t, term.seen.String(), "exporting")
	require.NotContains(t, c.read("auth.jsonl"), "exporting")
}

func TestNothingIsDoneWhereSomebodyLeaves(t *testing.T) {
	c := onSQLite(t)
	for keys, said := range map[string]string{
		"\x03":                           "interrupted; nothing was done",
		"half a pass\x04\x03":            "interrupted; nothing was done",
		"\r":                             "no password",
		strings.Repeat("x", 5000) + "\r": "too long for a terminal",
	} {
		term, cmd := c.atTerminal("user", "add", "ann")
		term.see("password: ")
		_, err := term.WriteString(keys)
		require.NoError(t, err)
		term.see(said)
		term.see("")
		require.Error(t, cmd.Wait())
		require.Empty(t, c.all("user", "list"))
	}
}
