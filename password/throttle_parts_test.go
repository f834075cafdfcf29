package password_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
	"github.com/seed-077cad0b/auth/password"
)

// What is refused by its syntax is a guess like any other.
func TestSyntaxCounts(t *testing.T) {
	for name, guess := range map[string]struct{ login, password string }{
		"empty":           {login, ""},
		"too long":        {login, strings.Repeat("a", 1<<20)},
		"no text":         {login, "\xff"},
		"no login":        {"", other},
		"malformed login": {"a\x00b", other},
		"endless login":   {strings.Repeat("a", 1<<16), other},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := throttled(t, nil)
				w.register(t)
				before := w.hasher.turns.Load()
				for range 45 {
					_, err := w.VerifyFrom(t.Context(), home, guess.login, guess.password)
					require.Equal(t, auth.ErrInvalid, err)
				}
				_, err := w.VerifyFrom(t.Context(), home, guess.login, guess.password)
				require.ErrorIs(t, err, auth.ErrRateLimited)
				require.Equal(t, before, w.hasher.turns.Load())
			})
		})
	}
}

// A success that takes long pays for nobody's failures meanwhile.
func TestSuccessPaysForNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := throttled(t, nil)
		w.register(t)
		gated := &gatedUsers{w.users, make(chan struct{})}
		users, err := password.NewUsers(gated, &password.Options{
			Hasher:   w.hasher.Hasher,
			Throttle: &password.Throttle{Pair: auth.NewLimiter(2, time.Second)},
		})
		require.NoError(t, err)
		fail := func() error {
			_, err := users.VerifyFrom(t.Context(), home, login, "") // looks nobody up
			return err
		}
		var slow error
		go func() { _, slow = users.VerifyFrom(t.Context(), home, login, good) }()
		authtest.Advance(600 * time.Millisecond) // what it was charged has come back
		require.Equal(t, auth.ErrInvalid, fail())
		require.Equal(t, auth.ErrInvalid, fail())
		authtest.Advance(400 * time.Millisecond)
		close(gated.gate)
		synctest.Wait()
		require.NoError(t, slow)
		require.ErrorIs(t, fail(), auth.ErrRateLimited)
		authtest.Advance(100 * time.Millisecond)
		require.Equal(t, auth.ErrInvalid, fail())
	})
}

// gatedUsers look nobody up before the gate is open.
type gatedUsers struct {
	password.UserStore
	gate chan struct{}
}

func (g *gatedUsers) UserByLogin(ctx context.Context, login string) (password.User, error) {
	<-g.gate
	return g.UserStore.UserByLogin(ctx, login)
}

// What one account refuses is charged to none, and nobody is told to come back
// before all of them admit.
func TestRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := throttled(t, nil)
		w.register(t)
		require.Equal(t, 45, w.guesses(t, 1000, login, from(home)))
		require.Equal(t, 15, w.guesses(t, 1000, "grace@example.com", from(home)), "of the 60 of the address")
		require.Zero(t, w.guesses(t, 1000, nobody, from(home)), "which are used up")
		require.Equal(t, 45, w.guesses(t, 1000, login, stranger))
		require.Equal(t, 90, w.guesses(t, 1000, nobody, stranger))

		_, err := w.VerifyFrom(t.Context(), home, login, good)
		wait := retryAfter(t, err)
		require.Equal(t, time.Minute, wait, "the pair has a second or two to wait, the login a minute")
		authtest.Advance(wait - 1)
		_, err = w.VerifyFrom(t.Context(), home, login, good)
		require.EqualValues(t, 1, retryAfter(t, err))
		authtest.Advance(1)
		_, err = w.VerifyFrom(t.Context(), home, login, good)
		require.NoError(t, err)
	})
}

// What has been refused is charged to no other account, not even for a moment.
func TestRefusedIsAskedOnly(t *testing.T) {
	login := &tapLimiter{Limiter: auth.NewLimiter(10, time.Hour)}
	w := newWorld(t, func(o *password.Options) {
		o.Throttle = &password.Throttle{Address: auth.NewLimiter(1, time.Hour), Login: login}
	})
	require.Equal(t, 1, w.guesses(t, 10, nobody, from(home)))
	require.Equal(t, []int{1, 0, 0, 0, 0, 0, 0, 0, 0, 0}, login.costs)
}

// Without an address, as behind a Unix socket, the login alone is counted.
func TestWithoutAnAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := throttled(t, nil)
		w.register(t)
		for i := range 200 {
			_, err := w.Verify(t.Context(), "user"+strconv.Itoa(i), other)
			require.Equal(t, auth.ErrInvalid, err)
		}
		_, err := w.Verify(t.Context(), login, good)
		require.NoError(t, err)
		require.Equal(t, 90, w.guesses(t, 100, login, from(netip.Addr{})), "and is not known")
		_, err = w.Verify(t.Context(), login, good)
		require.ErrorIs(t, err, auth.ErrRateLimited)
	})
}

// A tapLimiter fails on demand, as one of a database would where the context has
// ended, and tells what it was asked.
type tapLimiter struct {
	auth.Limiter
	err   error
	mu    sync.Mutex
	keys  []string
	costs []int
}

func (l *tapLimiter) Allow(ctx context.Context, key string, cost int) (auth.Quota, error) {
	l.mu.Lock()
	l.keys, l.costs = append(l.keys, key), append(l.costs, cost)
	l.mu.Unlock()
	if l.err != nil {
		return auth.Quota{}, l.err
	}
	if ctx.Err() != nil {
		return auth.Quota{}, ctx.Err()
	}
	return l.Limiter.Allow(ctx, key, cost)
}

// A limiter that is down is an outage, which nothing is charged for.
func TestLimiterDown(t *testing.T) {
	for i := range 4 {
		synctest.Test(t, func(t *testing.T) {
			limiters := make([]*tapLimiter, 4)
			for i := range limiters {
				limiters[i] = &tapLimiter{Limiter: auth.NewLimiter(1, time.Hour)}
			}
			w := throttled(t, func(o *password.Options) {
				o.Throttle = &password.Throttle{Address: limiters[0], Pair: limiters[1], Login: limiters[2], Known: limiters[3]}
			})
			w.register(t)
			before := w.hasher.turns.Load()
			limiters[i].err = fmt.Errorf("%w: %w", auth.ErrInvalid, errDown) // by mistake
			r := jsonRequest(`{"email":"ada@example.com","password":"` + good + `"}`)
			r.RemoteAddr = "127.0.0.1:1234"
			answer := httptest.NewRecorder()
			auth.NewGuard(w.JSON("email", "password"), nil).Exchange(w.sessions).ServeHTTP(answer, r)
			require.Equal(t, 503, answer.Code)
			require.NotEmpty(t, answer.Header().Get("Retry-After"))
			_, err := w.VerifyFrom(t.Context(), home, login, good)
			require.ErrorIs(t, err, auth.ErrUnavailable)
			require.ErrorIs(t, err, errDown)
			require.Equal(t, before, w.hasher.turns.Load())

			limiters[i].err = nil
			_, err = w.VerifyFrom(t.Context(), home, login, good)
			require.NoError(t, err)
		})
	}
}

// Keys hold no login and no more than a limiter's database wants to, and one
// limiter could serve for all.
func TestKeys(t *testing.T) {
	limiters := make([]*tapLimiter, 4)
	for i := range limiters {
		limiters[i] = &tapLimiter{Limiter: auth.NewLimiter(1000, time.Second)}
	}
	throttle := &password.Throttle{Address: limiters[0], Pair: limiters[1], Login: limiters[2], Known: limiters[3]}
	w := newWorld(t, func(o *password.Options) { o.Throttle = throttle })
	user, err := w.Register(t.Context(), password.User{ID: login, Login: login}, good)
	require.NoError(t, err)
	namesakes, err := password.NewUsers(w.users, &password.Options{Issuer: "https://other.example", Hasher: w.hasher.Hasher, Throttle: throttle})
	require.NoError(t, err)
	for _, client := range []netip.Addr{home, netip.MustParseAddr("2001:db8:1:2:3:4:5:6")} {
		for _, name := range []string{login, "ADA@example.com", strings.Repeat(login, 1<<10), "\x00" + login} {
			_, _ = w.VerifyFrom(t.Context(), client, name, good)
		}
		_, err := namesakes.VerifyFrom(t.Context(), client, login, good)
		require.NoError(t, err)
	}
	_, err = w.Verify(t.Context(), login, good)
	require.NoError(t, err)
	require.NoError(t, w.ChangePassword(t.Context(), w.Principal(user), good, other))

	of := map[string]int{}
	for i, l := range limiters {
		mine := map[string]bool{}
		for _, key := range l.keys {
			mine[key] = true
			require.LessOrEqual(t, len(key), 128)
			require.NotContains(t, key, "ada")
		}
		for key := range mine {
			of[key]++
			require.Equal(t, 1, of[key], "%s is counted by another limiter, too", key)
		}
		// Two addresses; three logins and a namesake at each; at a known
		// address, which is two pairs of each of them, a login has an account
		// more; and one user changes their password.
		require.Len(t, mine, []int{2, 8, 4 + 2 + 1, 8}[i], "%v", mine)
	}
}

// Who has a session guesses no faster, and keeps the user from nothing else.
func TestChangePasswordIsThrottled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := throttled(t, nil)
		user := w.register(t)
		p, err := w.VerifyFrom(t.Context(), home, login, good)
		require.NoError(t, err)
		for range 200 {
			require.ErrorIs(t, w.ChangePassword(t.Context(), p, good, "short"), password.ErrTooShort, "the old one is right")
		}
		before := w.hasher.turns.Load()
		for i := range 90 {
			guess := []string{other, "", "\xff"}[i%3]
			require.ErrorIs(t, w.ChangePassword(t.Context(), p, guess, other), auth.ErrInvalid)
		}
		require.Equal(t, before+30, w.hasher.turns.Load())
		err = w.ChangePassword(t.Context(), p, good, other)
		require.LessOrEqual(t, retryAfter(t, err), time.Minute)
		require.Equal(t, before+30, w.hasher.turns.Load())
		require.Equal(t, password.EventThrottled, w.events.last().Kind)
		require.Equal(t, user.ID, w.events.last().UserID)

		_, err = w.VerifyFrom(t.Context(), away, login, good)
		require.NoError(t, err)
		authtest.Advance(time.Minute)
		require.NoError(t, w.ChangePassword(t.Context(), p, good, other))
	})
}

// Row 120: a lock-out is told once, not with each refusal, and of users only.
func TestThrottledIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := throttled(t, nil)
		user := w.register(t)
		told := func() (n int) {
			for _, k := range w.events.kinds() {
				if k == password.EventThrottled {
					n++
				}
			}
			return n
		}
		require.Equal(t, 90, w.guesses(t, 1000, nobody, stranger))
		require.Zero(t, told())
		require.Equal(t, 89, w.guesses(t, 89, login, stranger))
		_, err := w.VerifyFrom(t.Context(), away, login, good)
		require.NoError(t, err, "the last one left")
		require.Zero(t, told())
		require.Equal(t, 1, w.guesses(t, 1000, login, stranger))
		require.Equal(t, 1, told())
		require.Equal(t, password.Event{
			Kind: password.EventThrottled, Time: time.Now().UTC(), UserID: user.ID, Login: login,
		}, w.events.last())
		authtest.Advance(time.Minute)
		require.Equal(t, 1, w.guesses(t, 1000, login, stranger))
		require.Equal(t, 2, told())
		require.Equal(t, 45, w.guesses(t, 100, login, from(away)))
		require.Equal(t, 2, told(), "what a known address may guess at once is no lock-out")
	})
}

func (e *events) last() password.Event {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.all[len(e.all)-1]
}

func TestInsecureNoThrottle(t *testing.T) {
	w := newWorld(t, func(o *password.Options) { o.InsecureNoThrottle = true })
	user := w.register(t)
	require.Equal(t, 200, w.guesses(t, 200, login, from(home)))
	for range 200 {
		require.Equal(t, auth.ErrInvalid, w.ChangePassword(t.Context(), w.Principal(user), other, good))
	}
	_, err := w.VerifyFrom(t.Context(), home, login, good)
	require.NoError(t, err)

	_, err = password.NewUsers(w.users, &password.Options{Throttle: &password.Throttle{}, InsecureNoThrottle: true})
	require.ErrorContains(t, err, "InsecureNoThrottle")
}

// A panic of the store's leaves no turn taken, and counts.
func TestPanicsTakeNoTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := throttled(t, nil)
		w.register(t)
		users, err := password.NewUsers(panicking{w.users}, &password.Options{Hasher: w.hasher.Hasher})
		require.NoError(t, err)
		for range 45 {
			require.Panics(t, func() { _, _ = users.VerifyFrom(t.Context(), home, login, good) })
		}
		_, err = users.VerifyFrom(t.Context(), home, login, good)
		require.ErrorIs(t, err, auth.ErrRateLimited)
	})
}

type panicking struct{ password.UserStore }

func (panicking) UserByLogin(context.Context, string) (password.User, error) { panic("a bug") }
