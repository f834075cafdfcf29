package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/seed-077cad0b/auth"
)

// maxLine bounds what is read of standard input as one secret.
const maxLine = 64 << 10

// terminal returns the descriptor of standard input where somebody sits there.
func (a *app) terminal() (fd int, ok bool) {
	f, ok := a.stdin.(*os.File)
	if !ok {
		return 0, false
	}
	fd = int(f.Fd())
	return fd, term.IsTerminal(fd)
}

// readSecret reads a line of standard input, without an echo at a terminal. What
// it is goes into the prompt.
func (a *app) readSecret(what string) (string, error) {
	fd, ok := a.terminal()
	if !ok {
		return a.readLine(what)
	}
	text, err := a.ask(fd, what+": ", (*term.Terminal).ReadPassword)
	switch {
	case err == nil && text == "":
		return "", usagef("no %s", what)
	case len(text) >= maxTyped:
		return "", usagef("the %s is too long for a terminal; send it from a file", what)
	}
	return text, err
}

// ask prints a prompt and reads what somebody at the terminal enters.
func (a *app) ask(fd int, prompt string, read func(*term.Terminal, string) (string, error)) (string, error) {
	// The echo ends before the prompt: some type, or paste, at once.
	state, err := term.MakeRaw(fd)
	if err != nil {
		return "", err
	}
	defer func() { _ = term.Restore(fd, state) }()
	if a.person == nil {
		a.person = term.NewTerminal(struct {
			io.Reader
			io.Writer
		}{a.stdin, a.stderr}, "")
	}
	text, err := read(a.person, prompt)
	if errors.Is(err, io.EOF) {
		err = errors.New("interrupted; nothing was done")
	}
	return text, err
}

// readEchoed reads a line that may be seen.
func readEchoed(t *term.Terminal, prompt string) (string, error) {
	t.SetPrompt(prompt)
	return t.ReadLine()
}

// maxTyped is where a terminal cuts a line.
const maxTyped = 4096

func (a *app) readLine(what string) (string, error) {
	if a.lines == nil {
		a.lines = bufio.NewReaderSize(io.LimitReader(a.stdin, maxLine), 4<<10)
	}
	text, err := a.lines.ReadString('\n')
	text = strings.TrimSuffix(strings.TrimSuffix(text, "\n"), "\r")
	switch {
	case len(text) >= maxLine-2:
		return "", usagef("the %s on standard input is longer than %d bytes", what, maxLine)
	case err != nil && !errors.Is(err, io.EOF):
		return "", err
	case text == "":
		return "", usagef("no %s on standard input", what)
	}
	return text, nil
}

// readPassword returns $AUTH_PASSWORD or reads a new password, twice at a
// terminal.
func (a *app) readPassword() (string, error) {
	if p := a.env("AUTH_PASSWORD"); p != "" {
		return p, nil
	}
	p, err := a.readSecret("password")
	if err != nil {
		return "", err
	}
	if _, ok := a.terminal(); ok {
		again, err := a.readSecret("password again")
		if err != nil {
			return "", err
		}
		if again != p {
			return "", usagef("the passwords differ")
		}
	}
	return p, nil
}

// printSecret prints a secret that was made, this once, and for JSON as the
// member name beside those of v.
func (a *app) printSecret(s auth.Secret, v any) error {
	if a.json {
		return newEncoder(a.stdout).Encode(v)
	}
	_, err := fmt.Fprintln(a.stdout, s.Reveal())
	return err
}

// confirm asks before what cannot be undone.
func (a *app) confirm(format string, args ...any) error {
	if a.yes {
		return nil
	}
	question := fmt.Sprintf(format, args...)
	fd, ok := a.terminal()
	if !ok {
		return usagef("%s: this cannot be undone; say --yes", question)
	}
	answer, err := a.ask(fd, clean(question)+"? This cannot be undone. Type yes: ", readEchoed)
	if err == nil && answer != "yes" {
		err = errors.New("nothing was done")
	}
	return err
}

// leastHidden is how long a password is that is hidden wherever it occurs. A
// shorter one would make holes in words, and give itself away by them.
const leastHidden = 6

// hide takes the URL of the store, and the password in it, out of a text that a
// driver may have written.
func (a *app) hide(text string) string {
	store := a.storeURL()
	scheme, rest, _ := strings.Cut(store, ":")
	if scheme == "sqlite" {
		return text
	}
	rest = strings.TrimPrefix(rest, "//")
	secrets := []string{store}
	var passwords []string
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		name, password, _ := strings.Cut(rest[:at], ":")
		plain, _ := url.PathUnescape(password)
		secrets = append(secrets, rest, rest[:at+1], name+":"+plain+"@")
		passwords = append(passwords, password, plain)
	}
	if u, err := url.Parse(store); err == nil {
		password := u.Query().Get("password")
		secrets = append(secrets, "password="+password, "password="+url.QueryEscape(password))
		passwords = append(passwords, password)
	}
	for _, p := range passwords {
		if len(p) >= leastHidden {
			secrets = append(secrets, p)
		}
	}
	for _, s := range secrets {
		if s != "" && s != "@" && s != "password=" {
			text = strings.ReplaceAll(text, s, "[redacted]")
		}
	}
	return text
}
