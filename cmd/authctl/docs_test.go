//go:build linux

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
)

// Every command in docs/authctl.md runs, in the order of the page.
func TestDocs(t *testing.T) {
	page, err := os.ReadFile("../../docs/authctl.md")
	require.NoError(t, err)
	var blocks []string
	for _, m := range regexp.MustCompile("(?ms)^```sh\n(.*?)^```$").FindAllStringSubmatch(string(page), -1) {
		blocks = append(blocks, m[1])
	}
	require.GreaterOrEqual(t, len(blocks), 10)

	c := newCLI(t, "sqlite:auth.db")
	c.set("AUTH_ISSUER", "https://api.example.com")
	prepare(c)
	program, err := os.Executable()
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(c.folder, "authctl"), []byte("#!/bin/sh\nexec env "+asAuthctl+"=1 '"+program+"' \"$@\"\n"), 0o700))

	var script strings.Builder
	script.WriteString("set -eu\n")
	for _, b := range blocks {
		script.WriteString(b)
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-c", script.String())
	cmd.Dir = c.folder
	cmd.Env = append(append(os.Environ(), c.env...), "PATH="+c.folder+":"+os.Getenv("PATH"),
		"OLD_KEY_ID="+c.all("platform", "keys", "list", "acme")[0]["kid"].(string))
	said, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", said)

	// What the page promises.
	require.Equal(t, exitNotFound, c.run(c.read("other-leaked-key"), "key", "show", "-").code)
	c.fed(c.read("another-key"), "token", "inspect")
	require.Equal(t, exitNotFound, c.run(c.read("leaked-key"), "key", "show", "-").code)
	c.fed(c.read("next-key"), "token", "inspect")
	require.Equal(t, "disabled", c.one("user", "show", "ann@example.com")["state"])
	require.Empty(t, c.all("session", "list"))
	require.Equal(t, "active", c.one("platform", "show", "acme")["state"])
	require.Len(t, c.all("platform", "keys", "list", "acme"), 2)
	store := c.openAt("sqlite:" + filepath.Join(c.folder, "auth.db"))
	client := c.entryOf(store, "web-app")
	require.False(t, client.Disabled)
	require.Len(t, client.Secrets, 1)
	require.True(t, proves(client, strings.TrimSpace(c.read("web-app-secret"))))
	client = c.entryOf(store, "mail-app")
	require.True(t, proves(client, strings.TrimSpace(c.read("mail-app-secret"))))
	require.True(t, proves(client, strings.TrimSpace(c.read("mail-app-next-secret"))))
	require.Len(t, c.all("client", "list"), 4)
	require.False(t, c.entryOf(store, "worker").Disabled)
	before, after := lines(c.read("auth.jsonl")), lines(c.ok("export", "--store", "sqlite:new.db"))
	require.Equal(t, before, after)
}

// prepare makes what the page speaks of.
func prepare(c *cli) {
	c.Helper()
	id := strings.TrimSpace(c.fed("a long enough password", "user", "add", "ann@example.com"))
	c.write("other-leaked-key", c.secret("", "key", "create", "--prefix", "acme_live", "--login", "ann@example.com"))
	c.write("leaked-key", c.secret("", "key", "create", "--prefix", "acme_live", "--login", "ann@example.com"))
	signIn(c.T, c.openAt("sqlite:"+filepath.Join(c.folder, "auth.db")), &auth.Principal{Issuer: "https://api.example.com", Subject: id})
	for _, name := range []string{"acme", "acme-next", "acme-later", "worker-next"} {
		c.ok("keygen", "--alg", "RS512", "--bits", "2048", "--out", name+".pem", "--public", name+".pub.pem")
	}
	c.ok("platform", "add", "acme", "--key", "acme.pub.pem")
	c.ok("client", "add", "web-app")
	c.ok("client", "add", "worker", "--grant", "credentials", "--key", "acme.pub.pem")
	s := newSmith(c.T, c)
	c.write("token", s.sign(good, claims(map[string]any{"iss": "https://api.example.com", "aud": "https://api.example.com"})))
}
