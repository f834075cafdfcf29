//go:build !race

package auth_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
)

// Contract 6: a record is not copied to the heap, nor its principal, and a look
// at a mark takes its buffers from a pool. The race detector drops pooled
// buffers at random, so this runs without.
func TestOpaqueAllocations(t *testing.T) {
	store := newStore(t)
	s, keys := newSessions(t, store, &auth.SessionOptions{Idle: time.Hour}), newKeys(t, store, nil)
	uuids := newSessions(t, store, &auth.SessionOptions{Form: auth.UUIDForm()})
	p := authtest.Principal("42", "read")
	key := must(keys.Create(t.Context(), p, nil))
	byKey := key.Principal.ProvedAt(time.Now())
	typo := key.Token.Reveal()[:58] + "!"

	// The origins of these sessions answer to marks, and there is one.
	require.NoError(t, s.RevokeAll(t.Context(), authtest.Principal("43")))
	for name, c := range map[string]struct {
		v     auth.Verifier
		token auth.Secret
		want  error
	}{
		"API key":            {keys, key.Token, nil},
		"mistyped API key":   {keys, auth.NewSecret(typo), auth.ErrNotMine},
		"session":            {s, must(s.Issue(t.Context(), p, nil)).Token, nil},
		"session by key":     {s, must(s.Issue(t.Context(), byKey, nil)).Token, nil},
		"session, UUID":      {uuids, must(uuids.Issue(t.Context(), p, nil)).Token, nil},
		"unknown session":    {s, auth.NewSecret(s.Form().New()), auth.ErrInvalid},
		"another's form":     {s, key.Token, auth.ErrNotMine},
		"unknown UUID token": {uuids, auth.NewSecret(uuids.Form().New()), auth.ErrInvalid},
	} {
		text := c.token.Reveal()
		ctx := t.Context()
		require.Zero(t, testing.AllocsPerRun(1000, func() {
			if _, err := c.v.Verify(ctx, text); err != c.want {
				t.Fatal(name, err)
			}
		}), name)
	}
}
