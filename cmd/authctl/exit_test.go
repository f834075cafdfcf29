//go:build linux

package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth/internal/servertest"
)

func unmarshal(text string, v any) error { return json.Unmarshal([]byte(text), v) }

// Every help text, as people see it.
func TestHelp(t *testing.T) {
	c := newCLI(t, "")
	var all strings.Builder
	var walk func(command *cobra.Command, path ...string)
	walk = func(command *cobra.Command, path ...string) {
		if command.Name() == "help" || command.Name() == "completion" {
			return
		}
		all.WriteString("$ authctl " + strings.Join(append(path, "--help"), " ") + "\n" + c.ok(append(path, "--help")...) + "\n")
		for _, sub := range command.Commands() {
			walk(sub, append(path[:len(path):len(path)], sub.Name())...)
		}
	}
	walk((&app{env: os.Getenv}).command())
	for i, text := range strings.Split(all.String(), "\n") {
		require.LessOrEqual(t, len(text), 130, "line %d: %s", i+1, text)
	}
	const golden = "testdata/help.txt"
	if *update {
		require.NoError(t, os.WriteFile(golden, []byte(all.String()), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), all.String(), "go test -run TestHelp -update writes %s", golden)
}

func TestUsage(t *testing.T) {
	c := newCLI(t, "")
	for want, args := range map[string]string{
		"authctl: which command?":                        "",
		"authctl key: which command?":                    "key",
		`has no command "kye"; did you mean key?`:        "kye list",
		`authctl key has no command "lst"; did you mean`: "key lst",
		"unknown flag: --nonsense":                       "key list --nonsense",
		`required flag(s) "prefix"`:                      "key create --subject 42",
		"usage: authctl key show ID":                     "key show",
		"no store: set AUTH_STORE":                       "key list",
		"begins with none of":                            "key list --store bolt:x",
		"is malformed":                                   "key list --store postgres://%zz",
		"sqlite: without a file":                         "key list --store sqlite:",
		`"x" is not like 100/1m`:                         "key create --prefix a --quota x",
		"invalid syntax":                                 "key create --prefix a --expires xd",
	} {
		require.Contains(t, c.refused(exitUsage, "", strings.Fields(args)...), want, args)
	}
	c.refused(exitNotFound, "", "key", "list", "--store", "sqlite:none.db")
	require.NoFileExists(t, filepath.Join(c.folder, "none.db"), "a name that is mistyped makes no file")
	c.ok("completion", "bash")
	require.Contains(t, c.ok("version"), runtime.Version())
	c.ok("version", "--json")
}

// A store that is down is told from one in which there is nothing, and what
// drivers say of it shows no password.
func TestStoreThatDoesNotAnswer(t *testing.T) {
	for name, start := range map[string]func(testing.TB) *servertest.Server{
		"PostgreSQL": servertest.StartPostgreSQL, "MariaDB": servertest.StartMariaDB, "Redis": servertest.StartRedis,
	} {
		t.Run(name, func(t *testing.T) {
			server := start(t)
			store := server.URL()
			if name == "MariaDB" {
				store = "mysql:" + store
			}
			c := newCLI(t, store)
			c.refused(exitNotFound, "", "key", "disable", strings.Repeat("A", 43))
			server.Stop()
			for _, args := range []string{"key list", "user list", "platform list", "session list", "migrate", "export", "sweep"} {
				if name == "Redis" && args == "migrate" {
					continue
				}
				said := c.refused(exitUnavailable, "", strings.Fields(args)...)
				require.Contains(t, said, "does not answer", args)
			}
		})
	}
	c := newCLI(t, "")
	for _, store := range []string{
		"postgres://auth:hun%20ter2@127.0.0.1:1/auth", "mysql://auth:hun%20ter2@127.0.0.1:1/auth", "mysql:auth:hun ter2@tcp(127.0.0.1:1)/auth",
		"redis://auth:hun%20ter2@127.0.0.1:1/0", "postgres://auth:hun%20ter2@127.0.0.1:xx/auth", "redis://auth:hun%20ter2@127.0.0.1:1/xx",
		"mysql://auth:hun%20ter2@127.0.0.1:1/auth?x=%zz", "postgres://127.0.0.1:1/auth?user=auth&password=hun%20ter2", "nonsense://auth:hun%20ter2@x",
	} {
		a := c.run("", "key", "list", "--store", store)
		require.NotZero(t, a.code)
		require.NotContains(t, a.out+a.err, "ter2", store)
	}
}

// Whose password is short has messages without holes.
func TestHide(t *testing.T) {
	for _, test := range []struct{ store, text, want string }{
		{"postgres://auth:p@db:1/auth", "dial tcp: no postgres://auth:p@db:1/auth", "dial tcp: no [redacted]"},
		{"postgres://auth:p@db:1/auth", "parse auth:p@db:1/auth", "parse [redacted]"},
		{"postgres://auth:p%20@db:1/auth", "at auth:p%20@other, auth:p @other", "at [redacted]other, [redacted]other"},
		{"postgres://db:1/auth?password=p", "password=p, then tcp", "[redacted], then tcp"},
		{"redis://:secret@db:1/0", "secret", "[redacted]"},
		{"mysql:auth:sec%72et@tcp(db)/auth", "secret sec%72et", "[redacted] [redacted]"},
		{"redis://db:1/0", "dial @ password= redis", "dial @ password= redis"},
		{"sqlite:auth.db", "no file auth.db", "no file auth.db"},
	} {
		require.Equal(t, test.want, (&app{store: test.store}).hide(test.text), test.store)
	}
	require.Equal(t, "a b\n\ufffd", clean("a\tb\n\x1b"))
}

// Tables that a later authctl has made are not what migrate helps with.
func TestNewerStoreSaysSo(t *testing.T) {
	c := onSQLite(t)
	db, _, err := openSQL(c.storeURL(), false)
	require.NoError(t, err)
	_, err = db.Exec("INSERT INTO auth_migrations (version, checksum, applied) SELECT max(version)+1, 'x', 0 FROM auth_migrations")
	require.NoError(t, errors.Join(err, db.Close()))
	for _, args := range []string{"key list", "migrate"} {
		said := c.refused(exitFailed, "", strings.Fields(args)...)
		require.Contains(t, said, "use a newer authctl")
		require.NotContains(t, said, "authctl migrate")
		require.NotContains(t, said, "does not answer")
	}
}

func TestUnmigratedStoreSaysSo(t *testing.T) {
	for _, store := range []string{servertest.PostgreSQL(t), "mysql:" + servertest.MariaDB(t)} {
		c := newCLI(t, "")
		c.set("AUTH_STORE", store)
		require.Contains(t, c.refused(exitFailed, "", "key", "list"), "authctl migrate")
		c.ok("migrate")
		c.ok("migrate")
		c.ok("key", "list")
	}
}

func TestFileOfTheStoreIsItsOwnersAlone(t *testing.T) {
	c := onSQLite(t)
	_, file, _ := strings.Cut(strings.TrimPrefix(c.env[0], "AUTH_STORE="), ":")
	for _, name := range []string{file, file + "-wal", file + "-shm"} {
		if info, err := os.Stat(name); err == nil {
			require.Equal(t, os.FileMode(0o600), info.Mode(), name)
		}
	}
}

// One id in 64 begins with a hyphen, and is no flag.
func TestIDsThatLookLikeFlags(t *testing.T) {
	id := "-hXrSCbtfRlpcN3wbCygExQKs28AaKBUT1eErB889ig"
	root := (&app{env: os.Getenv}).command()
	for _, test := range []struct{ args, want string }{
		{"key disable ID", "key disable -- ID"},
		{"key disable ID --json", "key disable --json -- ID"},
		{"key disable --json ID x ID", "key disable --json x -- ID ID"},
		{"key list --subject ID", "key list --subject ID"},
		{"key list --issuer ID", "key list --issuer ID"},
		{"key show -hXrSCbt --yes", "key show --yes -- -hXrSCbt"},
		{"key list --subject=42 -y", "key list --subject=42 -y"},
		{"platform keys remove acme ID", "platform keys remove acme -- ID"},
		{"key show ID -- x", "key show -- ID x"},
		{"key show -- ID", "key show -- ID"},
		{"nonsense ID", "nonsense -- ID"},
	} {
		words := func(s string) []string { return strings.Fields(strings.ReplaceAll(s, "ID", id)) }
		require.Equal(t, words(test.want), idsLast(root, words(test.args)), test.args)
	}
	require.Contains(t, onSQLite(t).refused(exitNotFound, "", "key", "disable", id), "there is no key")
}
