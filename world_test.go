package auth_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
)

// A world is one of each, on one store: what the tests of races and of faults
// let happen at the same time, or go wrong half way. It lives in a bubble, a
// minute after everything in it was made.
type world struct {
	*testing.T
	store    *tap
	sessions *auth.Sessions
	keys     *auth.APIKeys
	refresh  *auth.Refresh

	who     *auth.Principal // the owner of all
	session *auth.Grant
	other   *auth.Grant // another session of theirs
	pair    *auth.Grant
	key     *auth.Grant
	byKey   *auth.Grant // a session that the key opened

	given []*auth.Grant // what operations handed out
}

func newWorld(t *testing.T) *world {
	w := &world{T: t, store: newTap(t), who: authtest.Principal("42", "read")}
	w.sessions = must(auth.NewSessions(w.store, &auth.SessionOptions{Limit: 6}))
	w.keys = must(auth.NewAPIKeys(w.store, "acme", nil))
	w.refresh = must(auth.NewRefresh(w.store, w.sessions, nil))
	ctx := context.Background()
	require.NoError(t, w.sessions.RevokeAll(ctx, w.who)) // long ago
	authtest.Advance(time.Minute)
	w.who = w.who.ProvedAt(time.Now())
	w.session = must(w.sessions.Issue(ctx, w.who, nil))
	w.other = must(w.sessions.Issue(ctx, w.who, nil))
	w.pair = must(w.refresh.Issue(ctx, w.who, nil))
	w.key = must(w.keys.Create(ctx, w.who, nil))
	w.byKey = must(w.sessions.Issue(ctx, w.key.Principal.ProvedAt(time.Now()), nil))
	authtest.Advance(time.Minute)
	w.store.count()
	return w
}

// An operation is one thing that somebody asks for.
type operation func(w *world, ctx context.Context) error

func (w *world) give(g *auth.Grant, err error) error {
	if g != nil {
		w.given = append(w.given, g)
	}
	return err
}

func (w *world) keyID() string { return w.key.Principal.Credential.ID }

func verifySession(w *world, ctx context.Context) error {
	_, err := w.sessions.Verify(ctx, w.session.Token.Reveal())
	return err
}

func verifySessionByKey(w *world, ctx context.Context) error {
	_, err := w.sessions.Verify(ctx, w.byKey.Token.Reveal())
	return err
}

func verifyKey(w *world, ctx context.Context) error {
	_, err := w.keys.Verify(ctx, w.key.Token.Reveal())
	return err
}

// login is one that was proved a minute ago, and slow.
func login(w *world, ctx context.Context) error { return w.give(w.sessions.Issue(ctx, w.who, nil)) }

func loginWithRefresh(w *world, ctx context.Context) error {
	return w.give(w.refresh.Issue(ctx, w.who, nil))
}

// keyLogin exchanges the key for a session, as [auth.Guard.Exchange] does.
func keyLogin(w *world, ctx context.Context) error {
	start := time.Now()
	p, err := w.keys.Verify(ctx, w.key.Token.Reveal())
	if err != nil {
		return err
	}
	return w.give(w.sessions.Issue(ctx, p.ProvedAt(start), nil))
}

func renew(w *world, ctx context.Context) error {
	return w.give(w.sessions.Renew(ctx, w.session.Principal))
}

// rotate exchanges the refresh token.
func rotate(w *world, ctx context.Context) error {
	p, err := w.refresh.Verify(ctx, w.pair.RefreshToken.Reveal())
	if err != nil {
		return err
	}
	return w.give(w.refresh.Issue(ctx, p, nil))
}

func rotateKey(w *world, ctx context.Context) error {
	return w.give(w.keys.Rotate(ctx, w.keyID()))
}

func createKey(w *world, ctx context.Context) error {
	return w.give(w.keys.Create(ctx, w.who, nil))
}

func disableKey(w *world, ctx context.Context) error { return w.keys.Disable(ctx, w.keyID()) }
func revokeKey(w *world, ctx context.Context) error  { return w.keys.Revoke(ctx, w.keyID()) }
func enableKey(w *world, ctx context.Context) error  { return w.keys.Enable(ctx, w.keyID()) }

func lookupKey(w *world, ctx context.Context) error {
	_, err := w.keys.Lookup(ctx, w.keyID())
	return err
}

func signOut(w *world, ctx context.Context) error { return w.sessions.Revoke(ctx, w.session.Principal) }

func endOther(w *world, ctx context.Context) error {
	return w.sessions.End(ctx, w.who, w.other.Principal.Credential.ID)
}

func revokeAll(w *world, ctx context.Context) error { return w.sessions.RevokeAll(ctx, w.who) }

func revokeOthers(w *world, ctx context.Context) error {
	return w.sessions.RevokeOthers(ctx, w.session.Principal)
}

func otherRevokesOthers(w *world, ctx context.Context) error {
	return w.sessions.RevokeOthers(ctx, w.other.Principal)
}

func endFamily(w *world, ctx context.Context) error { return w.refresh.Revoke(ctx, w.pair.Principal) }

func listSessions(w *world, ctx context.Context) error {
	for _, err := range w.sessions.List(ctx, w.who) {
		if err != nil {
			return err
		}
	}
	return nil
}

func listKeys(w *world, ctx context.Context) error {
	for _, err := range w.keys.List(ctx, w.who) {
		if err != nil {
			return err
		}
	}
	return nil
}

// live returns those of the grants that still open something, be it by a later
// exchange.
func (w *world) live(grants ...*auth.Grant) []*auth.Grant {
	var live []*auth.Grant
	for _, g := range grants {
		token := g.Token.Reveal()
		_, bySession := w.sessions.Verify(context.Background(), token)
		_, byKey := w.keys.Verify(context.Background(), token)
		byRefresh := auth.ErrNotMine
		if !g.RefreshToken.IsZero() {
			_, byRefresh = exchange(w.refresh, g.RefreshToken, nil)
		}
		if bySession == nil || byKey == nil || byRefresh == nil {
			live = append(live, g)
		}
	}
	return live
}

// requireDead requires that the grants, and all that was handed out since, open
// nothing, and that no session is left that nobody knows of.
func (w *world) requireDead(grants ...*auth.Grant) {
	w.Helper()
	require.Empty(w, w.live(append(w.given, grants...)...))
	known := map[string]bool{}
	for _, g := range []*auth.Grant{w.session, w.other, w.pair, w.byKey} {
		known[g.Principal.Credential.ID] = true
	}
	for _, v := range listed(w, w.sessions, w.who) {
		require.True(w, known[v.ID], "a session that nobody asked for")
	}
}
