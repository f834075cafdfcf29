package auth_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
)

var operations = map[string]operation{
	"verify session":  verifySession,
	"verify by key":   verifySessionByKey,
	"verify key":      verifyKey,
	"login":           login,
	"login with pair": loginWithRefresh,
	"key login":       keyLogin,
	"renew":           renew,
	"rotate":          rotate,
	"rotate again":    func(w *world, ctx context.Context) error { return rotate(w, ctx) },
	"rotate key":      rotateKey,
	"create key":      createKey,
	"lookup key":      lookupKey,
	"disable key":     disableKey,
	"enable key":      enableKey,
	"revoke key":      revokeKey,
	"sign out":        signOut,
	"end other":       endOther,
	"revoke all":      revokeAll,
	"revoke others":   revokeOthers,
	"end family":      endFamily,
	"list sessions":   listSessions,
	"list keys":       listKeys,
}

// prepared brings a world to where the operation starts.
func prepared(t *testing.T, name string) *world {
	w := newWorld(t)
	switch name {
	case "login": // one too many, so that another has to go
		must(w.sessions.Issue(t.Context(), w.who, nil))
		must(w.sessions.Issue(t.Context(), w.who, nil))
	case "rotate again":
		must(exchange(w.refresh, w.pair.RefreshToken, nil))
	case "enable key":
		require.NoError(t, w.keys.Disable(t.Context(), w.keyID()))
	}
	w.store.count()
	return w
}

// faults are the ways in which one call to the store goes wrong.
var faults = map[string]func(w *world, at int) (ctx context.Context, want error){
	"no answer": func(w *world, at int) (context.Context, error) {
		w.store.before = nth(at, func() error { return errOutage })
		return w.Context(), errOutage
	},
	"lost answer": func(w *world, at int) (context.Context, error) {
		w.store.lost = nth(at, func() error { return errOutage })
		return w.Context(), errOutage
	},
	"caller gone": func(w *world, at int) (context.Context, error) {
		ctx, cancel := context.WithCancel(w.Context())
		w.store.before = nth(at, func() error { cancel(); return nil })
		return ctx, context.Canceled
	},
}

// nth returns a hook that fails at the call with that number, from zero.
func nth(at int, fail func() error) func(string) error {
	n := -1
	return func(string) error {
		if n++; n == at {
			return fail()
		}
		return nil
	}
}

// Every call to the store that an operation makes goes wrong once, in each way.
// What is not known is told as an outage and never as a refusal; nothing is
// handed out, nobody is logged out, nothing is left behind; and the operation
// works when it is tried again.
func TestFaults(t *testing.T) {
	for name, op := range operations {
		for fault, inject := range faults {
			t.Run(name+", "+fault, func(t *testing.T) {
				calls := 0
				authtest.At(t, begin, func(t *testing.T) {
					w := prepared(t, name)
					require.NoError(t, op(w, t.Context()))
					calls = w.store.count()
					require.NotZero(t, calls)
				})
				for i := range calls {
					authtest.At(t, begin, func(t *testing.T) {
						w := prepared(t, name)
						before := w.store.dump()
						ctx, want := inject(w, i)
						err := op(w, ctx)
						w.store.before, w.store.lost = nil, nil

						requireOutage(t, err)
						require.ErrorIs(t, err, want)
						require.Empty(t, w.given, "handed out, answer unknown")
						failed := w.store.calls[i]
						requireNothingNew(t, before, w.store.dump(), failed, fault)
						requireStillIn(w, name, failed, fault)
						requireRetry(w, name, op, failed, fault)
					})
				}
			})
		}
	}
}

// requireNothingNew requires that what a failed operation has inserted is gone
// again, unless it was the answer to the insertion that was lost: what it left
// nobody has the text of.
func requireNothingNew(t *testing.T, before, after map[auth.Digest]auth.Record, failed, fault string) {
	t.Helper()
	if failed == "Insert" && fault == "lost answer" {
		return
	}
	spent := false // a refresh token whose successor must stay
	for d, r := range after {
		spent = spent || r.Kind == auth.KindRefresh && len(r.Data) > len(before[d].Data)
	}
	for d, r := range after {
		_, old := before[d]
		if r.Kind == auth.KindMark || r.Kind == auth.KindRefresh && (spent || failed == "Replace") {
			continue
		}
		require.True(t, old, "a %s is left behind by a failed %s", r.Kind, failed)
	}
}

// requireStillIn requires that who could come in still can, but for what the
// operation was to end.
func requireStillIn(w *world, name, failed, fault string) {
	w.Helper()
	ends := map[string][]*auth.Grant{
		"sign out":      {w.session},
		"end other":     {w.other},
		"revoke all":    {w.session, w.other, w.pair},
		"revoke others": {w.other, w.pair},
		"end family":    {w.pair},
		"disable key":   {w.key},
		"revoke key":    {w.key},
		"enable key":    {w.key},
	}[name]
	if failed == "Take" && fault == "lost answer" {
		switch name {
		case "renew":
			ends = append(ends, w.session) // whether it went is not known; the new one was not seen
		case "login":
			ends = append(ends, w.session, w.other, w.pair) // the oldest is one of these
		}
	}
	for _, g := range []*auth.Grant{w.session, w.other, w.key} {
		if !slices.Contains(ends, g) {
			require.Len(w, w.live(g), 1, "an outage logs nobody out")
		}
	}
	if !slices.Contains(ends, w.pair) {
		must(exchange(w.refresh, w.pair.RefreshToken, nil))
	}
}

// requireRetry requires that the operation does its work in the end.
func requireRetry(w *world, name string, op operation, failed, fault string) {
	w.Helper()
	err := op(w, w.Context())
	done := failed == "Take" && fault == "lost answer" // the first time
	switch {
	case done && (name == "revoke key" || name == "end other"):
		require.ErrorIs(w, err, auth.ErrNotFound)
	case done && name == "renew":
		require.ErrorIs(w, err, auth.ErrRevoked)
	default:
		require.NoError(w, err)
	}
	switch name {
	case "sign out":
		require.Empty(w, w.live(w.session))
	case "end other":
		require.Empty(w, w.live(w.other))
	case "revoke all":
		require.Empty(w, w.live(w.session, w.other, w.pair))
	case "revoke others":
		require.Empty(w, w.live(w.other, w.pair))
		require.Len(w, w.live(w.session), 1)
	case "end family":
		require.Empty(w, w.live(w.pair))
	case "disable key", "revoke key":
		require.Empty(w, w.live(w.key))
	case "enable key":
		require.Len(w, w.live(w.key), 1)
	}
}

// A key that is revoked while the store fails is off from the first call that
// worked, and what it opened ends when the operator tries again.
func TestFaultyRevocationOfAKeyFailsClosed(t *testing.T) {
	for i := range 5 {
		authtest.At(t, begin, func(t *testing.T) {
			w := newWorld(t)
			require.NoError(t, keyLogin(w, t.Context()))
			w.store.before = nth(i, func() error { return errOutage })
			err := revokeKey(w, t.Context())
			w.store.before = nil
			require.ErrorIs(t, err, errOutage)
			if i > 1 { // switched off
				require.Equal(t, auth.ErrDisabled, verify(w.keys, w.key))
			}
			require.NoError(t, revokeKey(w, t.Context()))
			require.Empty(t, w.live(w.given...))
		})
	}
}

// What clients see of an outage is 503 with Retry-After, at every door.
func TestOutageIsAnswered503(t *testing.T) {
	store := newTap(t)
	s, keys := newSessions(t, store, nil), newKeys(t, store, nil)
	f := newRefresh(t, store, s, nil)
	p := authtest.Principal("42")
	session := must(s.Issue(t.Context(), p, nil)).Token.Reveal()
	key := must(keys.Create(t.Context(), p, nil)).Token.Reveal()
	pair := must(f.Issue(t.Context(), p, nil))

	guard := auth.NewGuard(auth.First(auth.Bearer(s), auth.Header("X-API-Key", keys)), nil)
	exchangeRefresh := auth.NewGuard(auth.JSONField("refresh_token", f), nil).Exchange(f)
	doors := map[string]func() *http.Request{
		"session": func() *http.Request { return from("POST", "/", "Authorization", "Bearer "+session) },
		"key":     func() *http.Request { return from("POST", "/", "X-API-Key", key) },
		"refresh": func() *http.Request {
			return sending("POST", "/", `{"refresh_token":"`+pair.RefreshToken.Reveal()+`"}`, "Content-Type", "application/json")
		},
	}
	for name, request := range doors {
		for part, h := range map[string]http.Handler{
			"wrap": guard.WrapFunc(hello), "status": guard.Status(), "exchange": guard.Exchange(s), "sign-out": guard.SignOut(s), "refresh": exchangeRefresh,
		} {
			if (name == "refresh") != (part == "refresh") || name == "key" && part == "sign-out" {
				continue
			}
			store.count()
			serve(h, request())
			calls := store.count()
			require.NotZero(t, calls)
			for i := range calls {
				// The door may have closed behind the first request.
				session = must(s.Issue(t.Context(), p, nil)).Token.Reveal()
				pair = must(f.Issue(t.Context(), p, nil))
				store.before = nth(i, func() error { return errOutage })
				w := serve(h, request())
				store.before = nil
				require.Equal(t, http.StatusServiceUnavailable, w.Code, "%s, %s, call %d: %s", name, part, i, w.Body)
				require.Equal(t, "5", w.Header().Get("Retry-After"))
				require.Empty(t, w.Header().Get("WWW-Authenticate"))
				require.NotContains(t, w.Body.String(), errOutage.Error())
			}
		}
	}
}

// Data that no version of this package wrote is no reason to let anybody in, nor
// to say that they are unknown.
func TestDamagedRecordsAreOutages(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		w := newWorld(t)
		for d, r := range w.store.dump(auth.KindSession, auth.KindAPIKey, auth.KindRefresh) {
			r.Data, r.Revision = []byte(`{"`), r.Revision+1
			require.NoError(t, w.store.Store.Replace(t.Context(), d, r))
		}
		for name, op := range map[string]operation{
			"list sessions": listSessions, "list keys": listKeys, "lookup key": lookupKey, "renew": renew, "rotate key": rotateKey,
		} {
			err := op(w, t.Context())
			requireOutage(t, err)
			require.False(t, errors.Is(err, auth.ErrNotFound), name)
		}
		// A key under whose digest a mark is, or a key without a principal.
		d := must(auth.ParseDigest(w.key.Principal.Credential.ID))
		for _, damage := range []func(*auth.Record){
			func(r *auth.Record) { r.Kind = auth.KindMark },
			func(r *auth.Record) { r.Kind, r.Principal = auth.KindAPIKey, nil },
		} {
			r := must(w.store.Store.Lookup(t.Context(), d))
			damage(&r)
			r.Revision++
			require.NoError(t, w.store.Store.Replace(t.Context(), d, r))
			require.Equal(t, auth.ErrInvalid, verify(w.keys, w.key))
			require.ErrorIs(t, disableKey(w, t.Context()), auth.ErrNotFound)
		}
		// The same with sessions and refresh tokens.
		for _, r := range []auth.Record{{Kind: auth.KindMark, Principal: w.who}, {Kind: auth.KindSession}} {
			r.Expires = begin.Add(time.Hour)
			text := w.sessions.Form().New()
			require.NoError(t, w.store.Insert(t.Context(), auth.DigestOf(auth.KindSession, text), r))
			require.Equal(t, auth.ErrInvalid, verify(w.sessions, token(text)))
			text = w.refresh.Form().New()
			r.Kind = map[auth.Kind]auth.Kind{auth.KindMark: auth.KindMark, auth.KindSession: auth.KindRefresh}[r.Kind]
			require.NoError(t, w.store.Insert(t.Context(), auth.DigestOf(auth.KindRefresh, text), r))
			require.Equal(t, auth.ErrInvalid, verify(w.refresh, token(text)))
		}
	})
}
