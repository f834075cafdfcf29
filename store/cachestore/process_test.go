package cachestore_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
	"github.com/seed-077cad0b/auth/store/cachestore"
)

// A site is one of several processes of an API, which has a cache of its own.
type site struct {
	cache    *cachestore.Store
	sessions *auth.Sessions
	keys     *auth.APIKeys
	refresh  *auth.Refresh
	tokens   *auth.JWT
	guard    *auth.Guard
}

const idle = 4 * time.Second

// sites returns two processes in front of b, which watch w unless that is nil.
func sites(t *testing.T, b *backend, w auth.Watcher) (here, there *site) {
	key, err := auth.GenerateKey(auth.ES256)
	require.NoError(t, err)
	open := func() *site {
		signing, err := auth.NewKeys(key)
		require.NoError(t, err)
		s := &site{cache: newCache(t, b, w)}
		s.sessions, err = auth.NewSessions(s.cache, &auth.SessionOptions{Idle: idle})
		require.NoError(t, err)
		s.keys, err = auth.NewAPIKeys(s.cache, "acme", nil)
		require.NoError(t, err)
		s.tokens, err = auth.NewJWT("https://issuer.example", "api", signing, &auth.JWTOptions{Revocation: s.cache})
		require.NoError(t, err)
		unrevocable, err := auth.NewJWT("https://issuer.example", "api", signing, nil)
		require.NoError(t, err)
		s.refresh, err = auth.NewRefresh(s.cache, unrevocable, nil)
		require.NoError(t, err)
		s.guard = auth.NewGuard(auth.First(auth.Bearer(s.tokens, s.sessions), auth.Header("X-API-Key", s.keys)),
			&auth.GuardOptions{InsecureHTTP: true})
		t.Cleanup(func() {
			require.NoError(t, s.sessions.Close())
			require.NoError(t, s.keys.Close())
		})
		return s
	}
	return open(), open()
}

// alice is who signs in, proved just now.
func alice() *auth.Principal { return authtest.Principal("alice", "read") }

// request presents a credential.
func request(method, header, credential string) *http.Request {
	r := httptest.NewRequest(method, "/", nil)
	if header == "Authorization" {
		credential = "Bearer " + credential
	}
	r.Header.Set(header, credential)
	return r
}

// status is what h answers r with.
func status(h http.Handler, r *http.Request) int {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code
}

// open counts alice's sessions.
func (s *site) open(t *testing.T) (n int) {
	t.Helper()
	for _, err := range s.sessions.List(t.Context(), alice()) {
		require.NoError(t, err)
		n++
	}
	return n
}

// What is ended in one process is refused by another within the lag, and until
// then as a rule is not.
func TestWhatIsEndedHereIsRefusedThereWithinTheLag(t *testing.T) {
	for name, c := range map[string]struct {
		header string
		issue  func(t *testing.T, s *site) *auth.Grant
		end    func(t *testing.T, s *site, p *auth.Principal) error
	}{
		"a session": {"Authorization", openSession, func(t *testing.T, s *site, p *auth.Principal) error {
			return s.sessions.Revoke(t.Context(), p)
		}},
		"all sessions": {"Authorization", openSession, func(t *testing.T, s *site, p *auth.Principal) error {
			return s.sessions.RevokeAll(t.Context(), p)
		}},
		"a token": {"Authorization", issueToken, func(t *testing.T, s *site, p *auth.Principal) error {
			return s.tokens.Revoke(t.Context(), p)
		}},
		"all tokens": {"Authorization", issueToken, func(t *testing.T, s *site, p *auth.Principal) error {
			return s.tokens.RevokeAll(t.Context(), p)
		}},
		"a key": {"X-API-Key", createKey, func(t *testing.T, s *site, p *auth.Principal) error {
			return s.keys.Disable(t.Context(), p.Credential.ID)
		}},
		"what a key has opened": {"Authorization", func(t *testing.T, s *site) *auth.Grant {
			return issued(t, s.sessions, createKey(t, s).Principal.ProvedAt(time.Now()))
		}, func(t *testing.T, s *site, p *auth.Principal) error {
			return s.keys.Disable(t.Context(), p.Origin.ID)
		}},
	} {
		for watched, late := range map[string]time.Duration{"watched": beat, "not watched": lag} {
			t.Run(name+", "+watched, func(t *testing.T) {
				authtest.At(t, begin, func(t *testing.T) {
					b := newBackend()
					var w auth.Watcher
					if late == beat {
						w = b.wire
					}
					here, there := sites(t, b, w)
					g := c.issue(t, here)
					authtest.Advance(beat)
					protected := func(s *site) int {
						return status(s.guard.WrapFunc(func(http.ResponseWriter, *http.Request) {}), request("GET", c.header, g.Token.Reveal()))
					}
					require.Equal(t, 200, protected(here))
					require.Equal(t, 200, protected(there))
					b.asked()
					require.Equal(t, 200, protected(there))
					require.Zero(t, b.asked(), "no round trip")
					require.NoError(t, c.end(t, here, g.Principal))
					require.Equal(t, 401, protected(here), "at once")
					require.Equal(t, 200, protected(there), "the cache is of use")
					authtest.Advance(late)
					if late == lag {
						require.Equal(t, 200, protected(there))
						authtest.Advance(1)
					}
					require.Equal(t, 401, protected(there))
				})
			})
		}
	}
}

// issued returns what i issues to p.
func issued(t *testing.T, i auth.Issuer, p *auth.Principal) *auth.Grant {
	t.Helper()
	g, err := i.Issue(t.Context(), p, nil)
	require.NoError(t, err)
	return g
}

func openSession(t *testing.T, s *site) *auth.Grant {
	t.Helper()
	return issued(t, s.sessions, alice())
}

func issueToken(t *testing.T, s *site) *auth.Grant {
	t.Helper()
	return issued(t, s.tokens, alice())
}

func createKey(t *testing.T, s *site) *auth.Grant {
	t.Helper()
	g, err := s.keys.Create(t.Context(), alice(), nil)
	require.NoError(t, err)
	return g
}

// A key that was disabled elsewhere is admitted until the lag is over. What it
// would open is open for longer: it opens nothing, from the beginning.
func TestNothingIsIssuedByWhatIsRemembered(t *testing.T) {
	for name, handler := range map[string]func(s *site) http.Handler{
		"sessions": func(s *site) http.Handler { return s.guard.Exchange(s.sessions) },
		"tokens":   func(s *site) http.Handler { return s.guard.Exchange(s.tokens) },
		"families": func(s *site) http.Handler { return s.guard.Exchange(s.refresh) },
		"behind a guard of the same origin": func(s *site) http.Handler {
			return s.guard.Wrap(s.guard.With(auth.Scope("read")).Exchange(s.sessions))
		},
	} {
		t.Run(name, func(t *testing.T) {
			authtest.At(t, begin, func(t *testing.T) {
				b := newBackend()
				here, there := sites(t, b, nil)
				key := createKey(t, here)
				post := func() int { return status(handler(there), request("POST", "X-API-Key", key.Token.Reveal())) }
				admitted := func() error {
					_, err := there.guard.Check(request("GET", "X-API-Key", key.Token.Reveal()))
					return err
				}
				require.NoError(t, admitted())
				require.Equal(t, 200, post())
				before := there.open(t)
				require.NoError(t, admitted())
				require.NoError(t, here.keys.Disable(t.Context(), key.Principal.Credential.ID))
				require.NoError(t, admitted(), "within the lag")
				require.Equal(t, 401, post())
				require.Error(t, admitted(), "now it is known")
				require.LessOrEqual(t, there.open(t), before)
			})
		})
	}
}

// Who ends all raises a mark first and lists afterwards, and who opens one looks
// at marks afterwards: at those that there are, not at those remembered.
func TestAMarkIsNotOverlookedWhenSomethingIsIssued(t *testing.T) {
	login := func(_ *testing.T, _ *site, p *auth.Principal) *auth.Principal { return p }
	for name, c := range map[string]struct {
		issuer func(s *site) auth.Issuer
		who    func(t *testing.T, s *site, p *auth.Principal) *auth.Principal
	}{
		"a session":             {func(s *site) auth.Issuer { return s.sessions }, login},
		"a token":               {func(s *site) auth.Issuer { return s.tokens }, login},
		"a family":              {func(s *site) auth.Issuer { return s.refresh }, login},
		"the next of a family":  {func(s *site) auth.Issuer { return s.refresh }, family},
		"the next, a 2nd time":  {func(s *site) auth.Issuer { return s.refresh }, spentFamily},
		"a session of a family": {func(s *site) auth.Issuer { return s.sessions }, family},
	} {
		t.Run(name, func(t *testing.T) {
			authtest.At(t, begin, func(t *testing.T) {
				b := newBackend()
				here, there := sites(t, b, nil)
				p := alice()
				who := c.who(t, there, p)
				require.NoError(t, second(there.tokens.Verify(t.Context(), issueToken(t, there).Token.Reveal())))
				authtest.Advance(time.Millisecond)
				require.NoError(t, here.sessions.RevokeAll(t.Context(), p))
				require.ErrorIs(t, second(c.issuer(there).Issue(t.Context(), who, nil)), auth.ErrRevoked)
				require.Zero(t, there.open(t))
			})
		})
	}
}

// family returns who comes by the first refresh token of a new family.
func family(t *testing.T, s *site, p *auth.Principal) *auth.Principal {
	t.Helper()
	q, err := s.refresh.Verify(t.Context(), issued(t, s.refresh, p).RefreshToken.Reveal())
	require.NoError(t, err)
	return q
}

// spentFamily is family of a token that has just been spent.
func spentFamily(t *testing.T, s *site, p *auth.Principal) *auth.Principal {
	t.Helper()
	q := family(t, s, p)
	issued(t, s.refresh, q)
	return q
}

// A refresh token that was spent elsewhere is spent, whatever is remembered of
// it: within the grace it gives the same successor.
func TestATokenThatIsSpentElsewhere(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		b := newBackend()
		here, there := sites(t, b, nil)
		first := issued(t, here.refresh, alice())
		again, err := there.refresh.Verify(t.Context(), first.RefreshToken.Reveal())
		require.NoError(t, err)
		p, err := here.refresh.Verify(t.Context(), first.RefreshToken.Reveal())
		require.NoError(t, err)
		next := issued(t, here.refresh, p)
		require.Equal(t, next.RefreshToken.Reveal(), issued(t, there.refresh, again).RefreshToken.Reveal())
		authtest.Advance(time.Minute)
		require.ErrorIs(t, second(there.refresh.Issue(t.Context(), again, nil)), auth.ErrReused)
	})
}

// What an operator has changed elsewhere a moment ago is what a key is rotated
// with.
func TestARotatedKeyIsWhatTheKeyIsNow(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		here, there := sites(t, newBackend(), nil)
		key := createKey(t, here)
		require.NoError(t, second(there.keys.Verify(t.Context(), key.Token.Reveal())))
		narrow, err := auth.ParseNetworks("192.0.2.0/24")
		require.NoError(t, err)
		id := key.Principal.Credential.ID
		require.NoError(t, here.keys.SetNetworks(t.Context(), id, narrow))
		successor, err := there.keys.Rotate(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, narrow, successor.Principal.Networks)
	})
}

// A session that is used in one process does not go idle in another, which
// remembers it from before; and one that goes idle does so in both.
func TestUseElsewhereKeepsASessionAlive(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		b := newBackend()
		here, there := sites(t, b, b.wire)
		g := openSession(t, here)
		authtest.Advance(beat)
		use := func(s *site) error { return second(s.sessions.Verify(t.Context(), g.Token.Reveal())) }
		require.NoError(t, use(there))
		for range idle/time.Second + 2 {
			require.NoError(t, use(here))
			authtest.Advance(time.Second)
		}
		b.asked()
		require.NoError(t, use(there), "remembered as not used for longer than the idle time")
		require.Equal(t, 1, b.asked(), "and looked at again")
		require.NoError(t, use(there))
		require.Zero(t, b.asked(), "once")
		authtest.Advance(idle + time.Second)
		require.ErrorIs(t, use(here), auth.ErrExpired)
		require.ErrorIs(t, use(there), auth.ErrExpired)
	})
}

// A use that this process has written is written again when it is time, and not
// with every request until the session is looked up anew.
func TestUsesAreWrittenAsSeldomAsWithoutACache(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		b := newBackend()
		touches := 0
		b.before = count("Touch", &touches)
		const every, uses = 5 * time.Second, 600
		s, err := auth.NewSessions(newCache(t, b, b.wire), &auth.SessionOptions{Idle: 8 * every})
		require.NoError(t, err)
		defer func() { require.NoError(t, s.Close()) }()
		token := issued(t, s, alice()).Token.Reveal()
		for range uses {
			require.NoError(t, second(s.Verify(t.Context(), token)))
			authtest.Advance(every / 50)
		}
		require.InDelta(t, uses/50, touches, 2)
	})
}

// count returns a hook that counts the calls named op.
func count(op string, n *int) func(context.Context, string) error {
	return func(_ context.Context, o string) error {
		if o == op {
			*n++
		}
		return nil
	}
}
