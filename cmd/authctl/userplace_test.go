//go:build linux

package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth/password"
)

// An API with a SQL store may keep its users by password.NewUserRecords: authctl
// finds them there if it is told, and else says so.
func TestUsersInRecordsOfASQLStore(t *testing.T) {
	c := onSQLite(t)
	kept, err := password.NewUserRecords(c.open())
	require.NoError(t, err)
	users, err := password.NewUsers(kept, &password.Options{InsecureNoThrottle: true})
	require.NoError(t, err)
	ann, err := users.Register(t.Context(), password.User{Login: "ann"}, "a long enough password")
	require.NoError(t, err)

	for _, args := range [][]string{
		{"export"}, {"export", "--out", "auth.jsonl"}, {"user", "list"}, {"user", "show", "ann"}, {"user", "show", "--id", ann.ID},
		{"user", "disable", "ann"}, {"user", "add", "bob", "--no-password"}, {"session", "revoke", "--yes", "--login", "ann"},
	} {
		require.Contains(t, c.refused(exitFailed, "", args...), "say --users records", args)
	}
	require.NoFileExists(t, c.folder+"/auth.jsonl")
	c.refused(exitNotFound, "", "user", "show", "nobody")
	c.refused(exitNotFound, "", "user", "show", "--id", "nobody")

	require.Equal(t, ann.ID, c.one("user", "list", "--users", "records")["id"])
	c.ok("user", "disable", "ann", "--users", "records")
	_, err = users.Verify(t.Context(), "ann", "a long enough password")
	require.Error(t, err)
	c.ok("user", "enable", "ann", "--users", "records")
	exported := c.ok("export", "--users", "records")
	require.Contains(t, exported, `"user":`)

	// They are moved to where the next store has its own.
	table, records := onSQLite(t), onSQLite(t)
	table.fed(exported, "import")
	_, err = logIn(table, table.open(), "ann", "a long enough password")
	require.NoError(t, err)
	records.fed(exported, "import", "--users", "records")
	require.Equal(t, lines(exported), lines(records.ok("export", "--users", "records")))

	require.Contains(t, records.refused(exitFailed, exported, "import"), "say --users records")

	// Who says where they are is asked no more.
	require.Empty(t, c.all("user", "list", "--users", "table"))
	require.NotContains(t, c.ok("export", "--users", "table"), `"user":`)
	c.ok("user", "add", "bob", "--no-password", "--users", "table")
	c.ok("user", "add", "eve", "--no-password")
	require.Contains(t, c.refused(exitFailed, "", "user", "list"), "say --users")

	c.refused(exitUsage, "", "user", "list", "--users", "nowhere")
	c.refused(exitUsage, "", "user", "list", "--users", "table", "--store", "redis://127.0.0.1:1")
}
