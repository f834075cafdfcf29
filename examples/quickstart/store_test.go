package main

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth/examples/internal/demotest"
)

// With a store in a file, whoever was signed in is so after the program has been
// started anew, by whichever credential; and whoever was signed out is not.
func TestSignedInAfterARestart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a store?#%.db")
	p := demotest.Start(t, "-store", file)
	login := credentials(p.Values["email"], p.Values["password"])
	token := func() string {
		var v struct {
			Token string `json:"access_token"`
		}
		require.NoError(t, json.Unmarshal([]byte(p.Do(t, "POST", "/login", login).Body), &v))
		return "Authorization: Bearer " + v.Token
	}
	in := map[string]string{"session": cookie(t, p), "token": token(), "key": "X-API-Key: " + p.Values["api_key"]}
	out := map[string]string{"session": cookie(t, p), "token": token()}
	for name, field := range out {
		require.Equal(t, http.StatusNoContent, p.Do(t, "POST", "/sign-out", "", field).Status, name)
	}
	for _, f := range []string{file, file + ".key"} {
		info, err := os.Stat(f)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), "its owner's alone")
	}
	addr := p.Addr()
	p.Stop(syscall.SIGTERM)

	p = demotest.Start(t, "-store", file, "-addr", addr)
	require.Equal(t, []string{"base_url", "email", "ready"}, p.Names, "the password is not known any more")
	for name, field := range in {
		require.Equal(t, http.StatusOK, p.Do(t, "GET", "/reports", "", field).Status, name)
	}
	for name, field := range out {
		require.Equal(t, http.StatusUnauthorized, p.Do(t, "GET", "/reports", "", field).Status, name)
	}
	require.Equal(t, http.StatusOK, p.Do(t, "POST", "/login", login).Status)
	require.Equal(t, http.StatusOK, p.Do(t, "POST", "/keys/rotate", "", in["key"]).Status)
}

func TestStoresThatCannotBeOpened(t *testing.T) {
	dir := t.TempDir()
	broken := filepath.Join(dir, "broken.db")
	require.NoError(t, os.WriteFile(broken, []byte("this is not a database, however long it may be"), 0o600))
	keyless := filepath.Join(dir, "keyless.db")
	require.NoError(t, os.WriteFile(keyless+".key", []byte("this is not a key"), 0o600))
	for _, file := range []string{broken, keyless, filepath.Join(dir, "no such directory", "x.db")} {
		demotest.RequireFailure(t, "-store", file)
	}
}
