//go:build linux

package integration_test

import (
	"bytes"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
	"github.com/seed-077cad0b/auth/password"
	"github.com/seed-077cad0b/auth/store/sqlstore"
)

// hostile are texts that mean something to a database, a driver or a collation.
var hostile = []string{
	"'; DROP TABLE auth_records; --", `"; DELETE FROM auth_users; --`, "' OR '1'='1", `\'; DROP TABLE auth_users; -- `,
	`\`, `\\`, "`", "$1", "?", ":1", "@p1", "%", "_", "{}", "/*", "--", ";", "NULL", "0x00", "x'00'", "E'\\\\000'", `\x00`,
	"", " ", "ada", "ADA", "Ada", "ada ", " ada", "ada\x00", "ada\x00'", "\x00", "å", "a\u030a", "ß", "ss", "İ", "i\u0307",
	"\U0001F980", "\uFFFD", "\u202E", strings.Repeat("a", 5000), strings.Repeat("\U0001F980", 60),
}

// invalid are no UTF-8, which strangers may send all the same.
var invalid = []string{"\xff", "\xc0\x80", "ada\xff", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xbf'; DROP TABLE auth_users; --", "\xa5'\x5c"}

// Row 97: what is a text stays a text, in every place where there is one.
func TestSQLHostileTexts(t *testing.T) {
	for _, c := range []struct {
		engine
		params  string
		options sqlstore.Options
	}{
		{engine: sqlite},
		{engine: postgres},
		{engine: postgres, params: "default_query_exec_mode=simple_protocol", options: sqlstore.Options{Unprepared: true, Notify: true}},
		{engine: mariadb},
		{engine: mariadb, params: "interpolateParams=true", options: sqlstore.Options{Unprepared: true}},
	} {
		t.Run(c.name+" "+c.params, func(t *testing.T) {
			name := c.migrated(t)
			if c.params != "" {
				name = withParams(name, c.params)
			}
			s := c.store(t, c.connect(t, name), c.options)
			hostileRecords(t, s)
			hostileUsers(t, s)
		})
	}
}

func hostileRecords(t *testing.T, s *sqlstore.Store) {
	ctx := t.Context()
	for _, text := range append(hostile, invalid...) {
		kind := auth.Kind(text[:min(len(text), 255)])
		d := auth.DigestOf(kind, text)
		r := session(0)
		r.Kind, r.Data = kind, []byte(text)
		r.Owner = auth.DigestOf("owner", text)
		r.Principal.Subject, r.Principal.Tenant, r.Principal.Issuer, r.Principal.Tier = text, text, text, text
		r.Principal.Scopes = []string{text}
		r.Principal.Credential.Name = text
		if text == "" {
			r.Data = nil
		}
		require.NoError(t, s.Insert(ctx, d, r), "%q", text)
		r.Revision++
		require.NoError(t, s.Replace(ctx, d, r), "%q", text)
		require.Equal(t, r, must(s.Lookup(ctx, d)), "%q", text)

		records := make([]auth.Record, 1)
		require.NoError(t, s.LookupAll(ctx, kind, []auth.Digest{d}, records))
		require.Equal(t, r, records[0], "%q", text)
		listed := 0
		for e, err := range s.List(ctx, r.Owner, kind) {
			require.NoError(t, err)
			require.Equal(t, auth.Entry{Digest: d, Record: r}, e, "%q", text)
			listed++
		}
		require.Equal(t, 1, listed, "%q", text)
		if kind != "" {
			for e, err := range s.Walk(ctx, kind) {
				require.NoError(t, err)
				require.Equal(t, kind, e.Record.Kind)
			}
		}
	}
	walked := 0
	for _, err := range s.Walk(ctx, "") {
		require.NoError(t, err)
		walked++
	}
	require.Equal(t, len(hostile)+len(invalid), walked)
	long := session(0)
	long.Kind = auth.Kind(strings.Repeat("k", 256))
	require.ErrorContains(t, s.Insert(ctx, anyDigest(), long), "too long")
}

func hostileUsers(t *testing.T, s *sqlstore.Store) {
	ctx := t.Context()
	for i, text := range hostile {
		u := password.User{
			ID: "id " + text, Login: text, Hash: text, Tenant: text, Tier: text, Scopes: []string{text},
			Created: time.Unix(int64(i), 0).UTC(), Changed: time.Unix(int64(i), 0).UTC(), Revision: auth.NewRevision(),
		}
		require.NoError(t, s.InsertUser(ctx, u), "%q", text)
		require.ErrorIs(t, s.InsertUser(ctx, u), auth.ErrExists, "%q", text)
		require.Equal(t, u, must(s.UserByLogin(ctx, text)), "%q", text)
		require.Equal(t, u, must(s.UserByID(ctx, u.ID)), "%q", text)
		u.Revision++
		require.NoError(t, s.ReplaceUser(ctx, u), "%q", text)
	}
	for _, text := range invalid {
		_, err := s.UserByLogin(ctx, text)
		require.ErrorIs(t, err, auth.ErrNotFound, "%q", text)
		_, err = s.UserByID(ctx, text)
		require.ErrorIs(t, err, auth.ErrNotFound, "%q", text)
	}
	logins := map[string]bool{}
	for u, err := range s.Users(ctx) {
		require.NoError(t, err)
		logins[u.Login] = true
	}
	require.Len(t, logins, len(hostile))
}

// Row 13: a copy of the database opens nothing.
func TestSQLDumpTellsNoSecret(t *testing.T) {
	eachEngine(t, func(t *testing.T, e engine) {
		name := e.migrated(t)
		db := e.connect(t, name)
		store := e.store(t, db, sqlstore.Options{})
		sessions := must(auth.NewSessions(store, nil))
		refresh := must(auth.NewRefresh(store, sessions, nil))
		keys := must(auth.NewAPIKeys(store, "acme_live", nil))
		users := must(password.NewUsers(store, nil))

		p := authtest.Principal("ada", "read")
		const secret = "a word that only ada knows"
		must(users.Register(t.Context(), password.User{Login: "ada"}, secret))
		pair := must(refresh.Issue(t.Context(), p, nil))
		key := must(keys.Create(t.Context(), p, nil))
		require.NoError(t, sessions.RevokeAll(t.Context(), authtest.Principal("bob"))) // a mark

		shown := []string{secret}
		for _, credential := range []auth.Secret{
			must(sessions.Issue(t.Context(), p, nil)).Token, pair.Token, pair.RefreshToken, key.Token,
		} {
			text := strings.TrimPrefix(strings.TrimPrefix(credential.Reveal(), "rt_"), "acme_live_")
			shown = append(shown, text, text[len(text)-12:]) // keys show how they begin
		}
		dump := tables(t, db)
		require.Contains(t, string(dump), "ada")
		if e.dialect == sqlstore.SQLite {
			dir := filepath.Dir(strings.TrimPrefix(name[:strings.IndexByte(name, '?')], "file:"))
			for _, file := range must(os.ReadDir(dir)) {
				dump = append(dump, must(os.ReadFile(filepath.Join(dir, file.Name())))...)
			}
		}
		for _, text := range shown {
			raw, _ := base64.RawURLEncoding.DecodeString(text)
			for _, form := range [][]byte{[]byte(text), []byte(hex.EncodeToString([]byte(text))), raw} {
				require.False(t, len(form) > 0 && bytes.Contains(dump, form), text)
			}
		}
	})
}

// tables returns all that is in the tables of a store.
func tables(t *testing.T, db *sql.DB) (dump []byte) {
	for _, table := range []string{"auth_records", "auth_users", "auth_migrations"} {
		rows, err := db.Query("SELECT * FROM " + table)
		require.NoError(t, err)
		columns := must(rows.Columns())
		values := make([]any, len(columns))
		for i := range values {
			values[i] = new(sql.RawBytes)
		}
		for rows.Next() {
			require.NoError(t, rows.Scan(values...))
			for _, v := range values {
				dump = append(append(dump, *v.(*sql.RawBytes)...), '\n')
			}
		}
		require.NoError(t, rows.Err())
		require.NoError(t, rows.Close())
	}
	return dump
}
