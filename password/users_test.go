package password_test

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
	"github.com/seed-077cad0b/auth/password"
)

func TestPrincipal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(o *password.Options) { o.Issuer = "https://api.example" })
		template := password.User{
			Login: " Ada@Example.com", Tenant: "acme", Tier: "premium",
			Scopes: []string{"data:read"}, Claims: json.RawMessage(`{"name":"Ada"}`),
		}
		user, err := w.Register(t.Context(), template, good)
		require.NoError(t, err)
		require.Equal(t, login, user.Login)
		require.Regexp(t, `^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`, user.ID)
		require.Equal(t, user, w.stored(t))
		require.Equal(t, []password.EventKind{password.EventRegistered}, w.events.kinds())

		authtest.Advance(time.Hour + time.Nanosecond)
		p, err := w.Verify(t.Context(), "ADA@example.com", good)
		require.NoError(t, err)
		require.Equal(t, &auth.Principal{
			Issuer: "https://api.example", Tenant: "acme", Subject: user.ID, Tier: "premium",
			Scopes: []string{"data:read"}, Claims: json.RawMessage(`{"name":"Ada"}`),
			Origin:     auth.Origin{Kind: auth.KindPassword, ID: user.ID, Time: user.Created.Add(time.Hour)},
			Credential: auth.Credential{Kind: auth.KindPassword, ID: user.ID, Created: user.Created},
		}, p)
		require.Equal(t, time.UTC, p.Origin.Time.Location())

		key := w.Principal(user)
		require.Equal(t, p.Owner(), key.Owner(), "what they hold by other means is listed with their sessions")
		require.Equal(t, p.Scopes, key.Scopes)
		require.Zero(t, key.Origin, "nothing has been proved")
	})
}

// The time of proof is that before the look-up: what is revoked in between
// stays revoked.
func TestProvedBeforeTheLookUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.register(t)
		slow := &slowUsers{UserStore: w.users}
		users, err := password.NewUsers(slow, &password.Options{Hasher: w.hasher.Hasher})
		require.NoError(t, err)
		start := time.Now()
		p, err := users.Verify(t.Context(), login, good)
		require.NoError(t, err)
		require.Equal(t, time.Second, time.Since(start))
		require.Equal(t, start.UTC().Truncate(time.Microsecond), p.Origin.Time)
	})
}

type slowUsers struct{ password.UserStore }

func (s *slowUsers) UserByLogin(ctx context.Context, login string) (password.User, error) {
	authtest.Advance(time.Second)
	return s.UserStore.UserByLogin(ctx, login)
}

// Row 58: an unknown login and a wrong password are the same error after the
// same work. Row 22: so are those of a disabled user.
func TestUnknownAndWrongAreOne(t *testing.T) {
	w := newWorld(t, nil)
	user := w.register(t)
	_, err := w.Import(t.Context(), password.User{Login: "nopassword@example.com"})
	require.NoError(t, err)
	_, err = w.Register(t.Context(), password.User{Login: "disabled@example.com", Disabled: true}, good)
	require.NoError(t, err)

	for _, c := range []struct{ name, login, password string }{
		{"wrong", login, other},
		{"unknown", "nobody@example.com", other},
		{"unknown, a user's password", "nobody@example.com", good},
		{"without a password", "nopassword@example.com", other},
		{"disabled, wrong", "disabled@example.com", other},
	} {
		before := w.hasher.turns.Load()
		p, err := w.Verify(t.Context(), c.login, c.password)
		require.Nil(t, p, c.name)
		require.Equal(t, auth.ErrInvalid, err, c.name)
		require.Equal(t, before+1, w.hasher.turns.Load(), c.name)
	}
	for _, c := range []struct{ name, login, password string }{
		{"no password", login, ""},
		{"no login", "", good},
		{"no text", login, "\xff" + good},
		{"no login that could be", "a\x00b", good},
	} {
		_, err := w.Verify(t.Context(), c.login, c.password)
		require.Equal(t, auth.ErrInvalid, err, c.name)
	}
	_, err = w.Verify(t.Context(), "disabled@example.com", good)
	require.Equal(t, auth.ErrDisabled, err, "only who has the password is told")
	p, err := w.Verify(t.Context(), login, good)
	require.NoError(t, err)
	require.Equal(t, user.ID, p.Subject)
}

// Row 58: what an unknown user's password is compared with is a hash of the same cost
// as those that are stored now; turns, which TestUnknownAndWrongAreOne counts,
// would not tell a cheap one. BenchmarkLogin shows the times.
func TestUnknownAndWrongTakeTheSameWork(t *testing.T) {
	for _, params := range []password.Params{
		{},
		{Memory: 32 << 10, Time: 3, Threads: 2},
		{Memory: 1 << 10, Time: 1, Threads: 1},
	} {
		h, err := password.NewHasher(&password.HashOptions{Params: params, InsecureParams: true})
		require.NoError(t, err)
		stored, err := h.Hash(t.Context(), good)
		require.NoError(t, err)
		require.Equal(t, cost.FindString(stored), cost.FindString(h.Dummy()))
		require.Equal(t, len(stored), len(h.Dummy()), "salt and key are as long")
	}
}

var cost = regexp.MustCompile(`^\$argon2id\$v=19\$m=\d+,t=\d+,p=\d+`)

func BenchmarkLogin(b *testing.B) {
	w := newWorld(b, func(o *password.Options) { o.Hasher = nil })
	_, err := w.Register(b.Context(), password.User{Login: login}, good)
	require.NoError(b, err)
	for name, who := range map[string]string{"wrong": login, "unknown": "nobody@example.com"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := w.Verify(b.Context(), who, other); err != auth.ErrInvalid {
					b.Fatal(err)
				}
			}
		})
	}
}

// A store that folds case must not let one user be another.
func TestLooksTwice(t *testing.T) {
	w := newWorld(t, func(o *password.Options) {
		o.NormalizeLogin = func(s string) (string, error) { return s, nil }
	})
	w.register(t)
	users, err := password.NewUsers(folding{w.users}, &password.Options{
		Hasher:         w.hasher.Hasher,
		NormalizeLogin: func(s string) (string, error) { return s, nil },
	})
	require.NoError(t, err)
	_, err = users.Verify(t.Context(), login, good)
	require.NoError(t, err)
	_, err = users.Verify(t.Context(), "ADA@EXAMPLE.COM", good)
	require.Equal(t, auth.ErrInvalid, err)
}

type folding struct{ password.UserStore }

func (f folding) UserByLogin(ctx context.Context, _ string) (password.User, error) {
	return f.UserStore.UserByLogin(ctx, login)
}

// An outage, a corrupt hash, and a lack of processors log nobody out.
func TestOutagesAreNoRefusals(t *testing.T) {
	w := newWorld(t, nil)
	user := w.register(t)
	source := w.JSON("email", "password")

	w.users.readErr = errDown
	_, err := w.Verify(t.Context(), login, good)
	require.ErrorIs(t, err, errDown)
	var reason auth.Reason
	require.False(t, errors.As(err, &reason))
	_, err = source.Authenticate(jsonRequest(`{"email":"ada@example.com","password":"x"}`))
	require.ErrorIs(t, err, auth.ErrUnavailable)
	w.users.readErr = nil

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = w.Verify(ctx, login, good)
	require.NotErrorIs(t, err, auth.ErrInvalid)
	require.ErrorIs(t, err, context.Canceled)

	user.Hash = "$2a$31$corrupt"
	user.Revision++
	require.NoError(t, w.users.ReplaceUser(t.Context(), user))
	_, err = w.Verify(t.Context(), login, good)
	require.ErrorIs(t, err, password.ErrUnusable)
	require.False(t, errors.As(err, &reason))
}

// Row 60: a login replaces a hash that is foreign or of another cost, once, and
// whatever comes of that, the login goes on.
func TestRehash(t *testing.T) {
	bcrypted, err := bcrypt.GenerateFromPassword([]byte(good), bcrypt.MinCost)
	require.NoError(t, err)
	dearer := newCheapHasher(t, password.HashOptions{Params: password.Params{Memory: 128, Time: 1, Threads: 1}})
	otherCost, err := dearer.Hash(t.Context(), good)
	require.NoError(t, err)

	for name, stored := range map[string]string{"bcrypt": string(bcrypted), "another cost": otherCost} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			imported, err := w.Import(t.Context(), password.User{Login: login, Hash: stored})
			require.NoError(t, err)

			_, err = w.Verify(t.Context(), login, other)
			require.Equal(t, auth.ErrInvalid, err)
			require.Equal(t, imported, w.stored(t), "a failure changes nothing")

			w.users.writeErr = errDown
			_, err = w.Verify(t.Context(), login, good)
			require.NoError(t, err, "the store takes no writes")
			require.Equal(t, imported, w.stored(t))
			require.Contains(t, w.events.kinds(), password.EventRehashFailed)
			w.users.writeErr = nil

			_, err = w.Verify(t.Context(), login, good)
			require.NoError(t, err)
			renewed := w.stored(t)
			require.Contains(t, renewed.Hash, "$argon2id$v=19$m=64,t=1,p=1$")
			require.Equal(t, imported.Revision+1, renewed.Revision)
			require.Equal(t, imported.Changed, renewed.Changed, "the password has not changed")
			require.Contains(t, w.events.kinds(), password.EventRehashed)

			_, err = w.Verify(t.Context(), login, good)
			require.NoError(t, err)
			require.Equal(t, renewed, w.stored(t), "once")
		})
	}

	t.Run("overtaken by a change", func(t *testing.T) {
		w := newWorld(t, nil)
		imported, err := w.Import(t.Context(), password.User{Login: login, Hash: string(bcrypted)})
		require.NoError(t, err)
		w.users.beforeReplace = func() { require.NoError(t, w.SetPassword(t.Context(), imported.ID, other)) }
		_, err = w.Verify(t.Context(), login, good)
		require.NoError(t, err)
		_, err = w.Verify(t.Context(), login, good)
		require.Equal(t, auth.ErrInvalid, err, "a late rehash does not bring the old password back")
		_, err = w.Verify(t.Context(), login, other)
		require.NoError(t, err)
	})

	t.Run("not for the disabled", func(t *testing.T) {
		w := newWorld(t, nil)
		imported, err := w.Import(t.Context(), password.User{Login: login, Hash: string(bcrypted), Disabled: true})
		require.NoError(t, err)
		_, err = w.Verify(t.Context(), login, good)
		require.Equal(t, auth.ErrDisabled, err)
		require.Equal(t, imported, w.stored(t))
	})
}

func TestRegister(t *testing.T) {
	w := newWorld(t, nil)
	user, err := w.Register(t.Context(), password.User{Login: login, ID: "7"}, good)
	require.NoError(t, err)
	require.Equal(t, "7", user.ID)

	_, err = w.Register(t.Context(), password.User{Login: "ADA@example.com"}, other)
	require.ErrorIs(t, err, auth.ErrExists, "the login is taken")
	_, err = w.Register(t.Context(), password.User{Login: "new@example.com", ID: "7"}, other)
	require.ErrorIs(t, err, auth.ErrExists, "the ID is taken")
	require.Equal(t, user, w.stored(t))

	_, err = w.Register(t.Context(), password.User{Login: "a\x00b"}, good)
	require.ErrorIs(t, err, password.ErrLogin)
	for _, template := range []password.User{
		{Login: "x", Hash: "x"}, {Login: "x", Revision: 1}, {Login: "x", Created: time.Now()}, {Login: "x", Changed: time.Now()},
		{Login: "x", Claims: json.RawMessage(`[]`)}, {Login: "x", Claims: json.RawMessage(`{"a":1,"a":2}`)},
	} {
		_, err = w.Register(t.Context(), template, good)
		require.Error(t, err)
	}
	_, err = w.Import(t.Context(), password.User{Login: "x", Hash: "md5"})
	require.ErrorIs(t, err, password.ErrUnusable)

	strict, err := password.NewUsers(w.users, &password.Options{
		Hasher:         w.hasher.Hasher,
		NormalizeLogin: func(string) (string, error) { return "", errors.New("no such address") },
	})
	require.NoError(t, err)
	_, err = strict.Register(t.Context(), password.User{Login: "x"}, good)
	require.ErrorIs(t, err, password.ErrLogin)
	require.ErrorContains(t, err, "no such address")
}
