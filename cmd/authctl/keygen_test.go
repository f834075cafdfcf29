//go:build linux

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
)

func TestKeysSignAndVerify(t *testing.T) {
	c := newCLI(t, "")
	for _, alg := range algorithms {
		for _, form := range []string{"pem", "jwk"} {
			symmetric := strings.HasPrefix(string(alg), "HS")
			if symmetric && form == "pem" {
				continue
			}
			name := string(alg) + "." + form
			args := []string{"keygen", "--alg", string(alg), "--form", form, "--out", name}
			if !symmetric {
				args = append(args, "--public", name+".pub", "--bits", "2048")
			}
			a := c.run("", args...)
			require.Zero(t, a.code, "%s: %s", name, a.err)
			require.Empty(t, a.out)

			private, err := parseKeys([]byte(c.read(name)), alg)
			require.NoError(t, err)
			require.Contains(t, a.err, private[0].ID())
			require.Equal(t, alg, private[0].Algorithm())
			signer := issuerOf(t, private[0])
			g, err := signer.Issue(t.Context(), &auth.Principal{Subject: "42"}, nil)
			require.NoError(t, err)
			public := private
			if !symmetric {
				public, err = parseKeys([]byte(c.read(name+".pub")), alg)
				require.NoError(t, err)
				require.False(t, public[0].CanSign(), "%s: the public key has no private part", name)
				require.Equal(t, private[0].ID(), public[0].ID())
			}
			_, err = issuerOf(t, public[0]).Verify(t.Context(), g.Token.Reveal())
			require.NoError(t, err, name)
		}
	}
}

// issuerOf returns what issues and verifies by a key.
func issuerOf(t *testing.T, k *auth.Key) *auth.JWT {
	signing := k
	if !k.CanSign() {
		signing = nil
	}
	var others []*auth.Key
	if signing == nil {
		others = append(others, k)
	}
	keys, err := auth.NewKeys(signing, others...)
	require.NoError(t, err)
	j, err := auth.NewJWT("https://id.example.com", "api", keys, nil)
	require.NoError(t, err)
	return j
}

func TestPrivateKeysAreTheirOwnersAlone(t *testing.T) {
	c := newCLI(t, "")
	c.ok("keygen", "--out", "k.pem", "--public", "k.pub.pem")
	info, err := os.Stat(filepath.Join(c.folder, "k.pem"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode())

	before := c.read("k.pem")
	require.Contains(t, c.refused(exitConflict, "", "keygen", "--out", "k.pem"), "not overwritten")
	require.Contains(t, c.refused(exitConflict, "", "keygen", "--out", "new.pem", "--public", "k.pub.pem"), "not overwritten")
	require.NoFileExists(t, filepath.Join(c.folder, "new.pem"), "both or none")
	c.refused(exitConflict, "", "keygen", "--out", "k.pem", "--public", "new.pub.pem")
	require.NoFileExists(t, filepath.Join(c.folder, "new.pub.pem"), "both or none")
	require.Equal(t, before, c.read("k.pem"))
	require.NoError(t, os.Symlink("elsewhere", filepath.Join(c.folder, "link")))
	c.refused(exitConflict, "", "keygen", "--out", "link")

	a := c.run("", "keygen", "--form", "jwk", "--kid", "2026-11")
	require.Zero(t, a.code)
	k, err := auth.ParseJWK([]byte(a.out))
	require.NoError(t, err)
	require.Equal(t, "2026-11", k.ID())
	require.True(t, k.CanSign())
	require.NotContains(t, a.err, `"d"`)
}

func TestKeysThatCannotBeMade(t *testing.T) {
	c := newCLI(t, "")
	for _, args := range [][]string{
		{"--alg", "none"}, {"--alg", "HS256"}, {"--form", "der"}, {"--kid", "x"},
		{"--alg", "RS256", "--bits", "1024"}, {"--alg", "RS256", "--bits", "9000"},
		{"--alg", "HS256", "--form", "jwk", "--public", "x"}, {"stray"},
	} {
		a := c.run("", append([]string{"keygen"}, args...)...)
		require.Equal(t, exitUsage, a.code, "%v", args)
		require.Empty(t, a.out)
	}
	require.NoFileExists(t, filepath.Join(c.folder, "x"))
}
