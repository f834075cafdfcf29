package auth_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
)

// An operator knows neither which prefixes there are nor, of a key that has
// leaked, more than its text.
func TestKeysOfAnyPrefixAreFound(t *testing.T) {
	store := newStore(t)
	owner := authtest.Principal("42")
	for _, prefix := range []string{"a", "acme_live", "acme_", "a_____________", strings.Repeat("x", 20)} {
		keys := must(auth.NewAPIKeys(store, prefix, nil))
		t.Cleanup(func() { require.NoError(t, keys.Close()) })
		g := must(keys.Create(t.Context(), owner, &auth.KeyOptions{Name: "CI"}))
		id := g.Principal.Credential.ID
		require.NoError(t, keys.Disable(t.Context(), id))
		require.Equal(t, id, must(auth.APIKeyID(g.Token.Reveal())))

		d := must(auth.ParseDigest(id))
		key := must(auth.Entry{Digest: d, Record: must(store.Lookup(t.Context(), d))}.APIKey())
		require.Equal(t, must(keys.Lookup(t.Context(), id)), key)
		require.Equal(t, prefix, key.Prefix())
		require.True(t, key.Disabled)
	}
}

func TestWhatIsNoKeyIsNotFoundAsOne(t *testing.T) {
	store := newStore(t)
	sessions := must(auth.NewSessions(store, nil))
	t.Cleanup(func() { require.NoError(t, sessions.Close()) })
	session := must(sessions.Issue(t.Context(), alice(), nil)).Principal.Credential.ID
	d := must(auth.ParseDigest(session))
	_, err := auth.Entry{Digest: d, Record: must(store.Lookup(t.Context(), d))}.APIKey()
	require.ErrorIs(t, err, auth.ErrNotFound)
	_, err = auth.Entry{Record: auth.Record{Kind: auth.KindAPIKey, Data: []byte(`{"hint":"x_Abcd"}`)}}.APIKey()
	require.ErrorIs(t, err, auth.ErrNotFound, "without a principal")

	good := auth.Record{Kind: auth.KindAPIKey, Principal: alice()}
	for data, want := range map[string]bool{
		``:                         false,
		`{"hint":""}`:              false,
		`{"hint":"Abcd"}`:          false,
		`{"hint":"_Abcd"}`:         false,
		`{"hint":"1x_Abcd"}`:       false,
		`{"hint":"x_Abcd"}`:        true,
		`{"hint":"acme_live_Abc"}`: false,
	} {
		r := good
		r.Data = []byte(data)
		_, err := auth.Entry{Record: r}.APIKey()
		require.Equal(t, want, err == nil, data)
	}
	good.Data = []byte(`{"hint":`)
	_, err = auth.Entry{Record: good}.APIKey()
	require.Error(t, err)
	require.NotErrorIs(t, err, auth.ErrNotFound)
}

func TestTextsThatAreNoKeyHaveNoID(t *testing.T) {
	keys := newKeys(t, newStore(t), nil)
	key := must(keys.Create(t.Context(), alice(), nil)).Token.Reveal()
	for _, text := range []string{
		"", "_", key[1:4], key[:len(key)-1], key + "0", "1" + key, "_" + key, strings.Repeat("x", 20) + key,
		strings.TrimPrefix(key, "acme_live_"), strings.TrimPrefix(key, "acme_live"), strings.Replace(key, "_", "-", 1),
		key[:len(key)-1] + "-", strings.Repeat("0", 1<<20), auth.TokenForm("").New(), auth.UUIDForm().New(),
	} {
		_, err := auth.APIKeyID(text)
		require.Equal(t, auth.ErrNotMine, err, "%.80q", text)
	}
	for _, typo := range []string{"b" + key[1:], key[:len(key)-1] + flip(key[len(key)-1])} {
		_, err := auth.APIKeyID(typo)
		require.Equal(t, auth.ErrInvalid, err, typo)
	}
}
