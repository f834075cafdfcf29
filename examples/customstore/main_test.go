package main

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	bolt "go.etcd.io/bbolt"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/examples/internal/demotest"
	"github.com/seed-077cad0b/auth/password"
	"github.com/seed-077cad0b/auth/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(demotest.Main(m)) }

func TestREADME(t *testing.T) {
	demotest.Start(t, "-store", filepath.Join(t.TempDir(), "store.db")).RunREADME(t)
}

func openStore(t testing.TB) *Store {
	t.Helper()
	s, err := Open(filepath.Join(t.TempDir(), "store.db"))
	require.NoError(t, err)
	s.db.NoSync = true // the kit asks for answers, not for what a loss of power leaves
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func TestStore(t *testing.T) {
	s := openStore(t)
	storetest.Run(t, func(testing.TB) auth.Store { return s })
}

func TestUsers(t *testing.T) {
	s := openStore(t)
	storetest.RunUsers(t, func(tb testing.TB) password.UserStore {
		users, err := password.NewUserRecords(s)
		require.NoError(tb, err)
		return users
	})
}

func TestPlatforms(t *testing.T) {
	s := openStore(t)
	storetest.RunPlatforms(t, func(tb testing.TB, platforms ...*auth.Platform) auth.PlatformRegistry {
		records, err := auth.NewPlatformRecords(s)
		require.NoError(tb, err)
		for _, p := range platforms {
			require.NoError(tb, records.Insert(context.Background(), p))
		}
		return records
	})
}

// A store that cannot answer says so, and not that a record is not there.
func TestAClosedFileIsAnOutage(t *testing.T) {
	s, err := Open(filepath.Join(t.TempDir(), "store.db"))
	require.NoError(t, err)
	require.NoError(t, s.Close())
	_, err = s.Lookup(t.Context(), auth.Digest{1})
	require.Error(t, err)
	require.NotErrorIs(t, err, auth.ErrNotFound)
}

// The indexes hold what the records say, and nothing of what has gone.
func TestIndexesFollowTheRecords(t *testing.T) {
	s, ctx := openStore(t), t.Context()
	d := auth.Digest{1}
	r := auth.Record{Kind: "k", Owner: auth.Digest{2}, Revision: 1}
	require.NoError(t, s.Insert(ctx, d, r))
	r.Owner, r.Revision = auth.Digest{3}, 2
	require.NoError(t, s.Replace(ctx, d, r))
	_, err := s.Take(ctx, d)
	require.NoError(t, err)
	require.NoError(t, s.db.View(func(tx *bolt.Tx) error {
		for _, name := range [][]byte{records, owned, due} {
			require.Zero(t, tx.Bucket(name).Stats().KeyN, "%s", name)
		}
		return nil
	}))
}

// Who has logged in stays so, and still has her password, when the program is
// started anew.
func TestSessionsAndUsersSurvive(t *testing.T) {
	file := filepath.Join(t.TempDir(), "store.db")
	p := demotest.Start(t, "-store", file)
	require.Equal(t, []string{"base_url", "email", "password", "ready"}, p.Names)
	login, _ := json.Marshal(map[string]string{"email": p.Values["email"], "password": p.Values["password"]})
	a := p.Do(t, "POST", "/login", string(login))
	a.RequireSecret(t)
	var grant struct {
		Token string `json:"access_token"`
	}
	require.NoError(t, json.Unmarshal([]byte(a.Body), &grant))
	field := "Authorization: Bearer " + grant.Token
	p.Stop(syscall.SIGTERM)

	p = demotest.Start(t, "-store", file)
	require.Equal(t, []string{"base_url", "email", "ready"}, p.Names)
	require.Equal(t, http.StatusOK, p.Do(t, "GET", "/whoami", "", field).Status)
	p.Do(t, "POST", "/login", string(login)).RequireSecret(t)
	require.Equal(t, http.StatusNoContent, p.Do(t, "POST", "/sign-out", "", field).Status)
	p.Stop(syscall.SIGINT)

	p = demotest.Start(t, "-store", file)
	require.Equal(t, http.StatusUnauthorized, p.Do(t, "GET", "/whoami", "", field).Status)
}

// The guide shows this store, and nothing that does not compile.
func TestTheGuideShowsThisStore(t *testing.T) {
	guide, err := os.ReadFile("../../docs/custom-store.md")
	require.NoError(t, err)
	var source strings.Builder
	for _, name := range []string{"store.go", "main.go", "main_test.go"} {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		source.Write(text)
	}
	blocks := strings.Split(string(guide), "```go\n")[1:]
	require.NotEmpty(t, blocks)
	for _, block := range blocks {
		code, _, ok := strings.Cut(block, "```\n")
		require.True(t, ok)
		require.Contains(t, source.String(), code)
	}
	require.LessOrEqual(t, strings.Count(string(guide), "\n"), 120, "the guide is a page")
}
