package password_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/http"
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

const nobody = "nobody@example.com"

var (
	home = netip.MustParseAddr("192.0.2.1")
	away = netip.MustParseAddr("192.0.2.2")
)

// stranger returns one of many addresses.
func stranger(i int) netip.Addr {
	return netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, 10<<24+uint32(i))))
}

// throttled is newWorld, some time after it began.
func throttled(t testing.TB, edit func(*password.Options)) *world {
	t.Helper()
	w := newWorld(t, edit)
	authtest.Advance(time.Second)
	return w
}

// guesses fails n times and returns how many guesses were judged.
func (w *world) guesses(t testing.TB, n int, login string, from func(i int) netip.Addr) (judged int) {
	t.Helper()
	for i := range n {
		switch _, err := w.VerifyFrom(t.Context(), from(i), login, other); {
		case err == auth.ErrInvalid:
			judged++
		default:
			require.ErrorIs(t, err, auth.ErrRateLimited)
		}
	}
	return judged
}

func from(a netip.Addr) func(int) netip.Addr { return func(int) netip.Addr { return a } }

// retryAfter returns what a refusal says.
func retryAfter(t testing.TB, err error) time.Duration {
	t.Helper()
	var f *auth.Failure
	require.ErrorAs(t, err, &f)
	require.Equal(t, auth.ErrRateLimited, f.Reason)
	require.Equal(t, "failures", f.Limit)
	require.False(t, f.Quota.Allowed)
	require.Positive(t, f.Quota.Rate.Limit)
	return f.RetryAfter
}

// Row 26, over HTTP: guesses are stopped before the 100th, from one address and
// from changing ones, and nobody learns from it who has an account. Where one
// address has at least 30 a minute.
func TestStoppedBeforeTheHundredth(t *testing.T) {
	for _, c := range []struct {
		name   string
		known  bool // the first address is one that the login has succeeded from
		from   func(i int) netip.Addr
		judged int
	}{
		{"one address", false, from(home), 30},
		{"one address, known", true, from(home), 30},
		{"changing addresses", false, stranger, 90},
		{"changing addresses, one known", true, stranger, 90},
		{"two addresses, one known", true, func(i int) netip.Addr { return stranger(i % 2) }, 60},
		{"four addresses, one known", true, func(i int) netip.Addr { return stranger(i % 4) }, 90},
		{"a network of IPv6", false, func(i int) netip.Addr {
			a := netip.MustParseAddr("2001:db8::").As16()
			a[15] = byte(i)
			return netip.AddrFrom16(a)
		}, 30},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := throttled(t, nil)
				w.register(t)
				proxies, err := auth.ParseNetworks("127.0.0.1")
				require.NoError(t, err)
				guard := auth.NewGuard(auth.First(w.JSON("email", "password"), w.Basic()), &auth.GuardOptions{TrustedProxies: proxies})
				h := guard.Exchange(w.sessions)
				post := func(i int, name, pw string) *http.Response {
					r := jsonRequest(fmt.Sprintf(`{"email":%q,"password":%q}`, name, pw))
					r.RemoteAddr = "127.0.0.1:1234"
					r.Header.Set("X-Forwarded-For", c.from(i).String())
					r.Header.Set("X-Forwarded-Proto", "https")
					answer := httptest.NewRecorder()
					h.ServeHTTP(answer, r)
					return answer.Result()
				}
				judged := map[string]int{}
				for _, name := range []string{login, nobody} {
					if c.known && name == login {
						require.Equal(t, 200, post(0, name, good).StatusCode)
					}
					for i := 1; i <= 100; i++ {
						res := post(i-1, strings.ToUpper(name), other)
						if res.StatusCode == 429 {
							seconds, err := strconv.Atoi(res.Header.Get("Retry-After"))
							require.NoError(t, err)
							require.Positive(t, seconds)
							require.Contains(t, res.Header.Get("Ratelimit"), `"failures"`)
							break
						}
						require.Equal(t, 401, res.StatusCode)
						judged[name]++
					}
					authtest.Advance(time.Minute) // the address is no longer of interest
				}
				require.Equal(t, c.judged, judged[login])
				if !c.known { // as if it had an account
					require.Equal(t, judged[login], judged[nobody])
				}
			})
		})
	}
}

// Over sockets, where the client's address is that of the connection.
func TestStoppedOverTheWire(t *testing.T) {
	w := newWorld(t, nil)
	w.register(t)
	server := httptest.NewServer(auth.NewGuard(w.JSON("email", "password"), nil).Exchange(w.sessions))
	defer server.Close()
	status := func(pw string) int {
		res, err := http.Post(server.URL, "application/json", strings.NewReader(`{"email":"ada@example.com","password":"`+pw+`"}`))
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		return res.StatusCode
	}
	n := 0
	for n < 100 && status(other) == 401 {
		n++
	}
	require.GreaterOrEqual(t, n, 30)
	require.Less(t, n, 99)
	before := w.hasher.turns.Load()
	require.Equal(t, 429, status(other))
	require.Equal(t, before, w.hasher.turns.Load(), "nothing was hashed")
}

// 30 a minute from one address, and for one login, get through for minutes.
func TestThirtyAMinuteGetThrough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := throttled(t, nil)
		w.register(t)
		for range 3 {
			require.Equal(t, 30, w.guesses(t, 30, login, from(home)))
			authtest.Advance(time.Minute)
		}
	})
}

// Row 59: whoever guesses from however many addresses and for however long, the
// owner gets in from where they have been lately, and from anywhere after it.
func TestOwnerGetsIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := throttled(t, nil)
		user := w.register(t)
		enter := func(a netip.Addr) error {
			p, err := w.VerifyFrom(t.Context(), a, login, good)
			if err == nil {
				require.Equal(t, user.ID, p.Subject)
			}
			return err
		}
		require.NoError(t, enter(home))
		attacked := 0
		attack := func() {
			require.Less(t, w.guesses(t, 100, login, func(i int) netip.Addr { return stranger(attacked*100 + i) }), 100)
			attacked++
		}
		for range 60 { // days
			attack()
			require.ErrorIs(t, enter(away), auth.ErrRateLimited, "an address like any other")
			require.NoError(t, enter(home))
			require.Equal(t, 1, w.guesses(t, 1, login, from(home)), "who may mistype")
			require.NoError(t, enter(home))
			authtest.Advance(24 * time.Hour)
		}
		attack()
		wait := retryAfter(t, enter(away))
		require.LessOrEqual(t, wait, time.Minute)
		authtest.Advance(wait)
		require.NoError(t, enter(away), "after the window, from anywhere")

		authtest.Advance(29 * 24 * time.Hour)
		attack()
		require.NoError(t, enter(home), "it is remembered")
		authtest.Advance(61 * 24 * time.Hour)
		attack()
		require.ErrorIs(t, enter(home), auth.ErrRateLimited, "but not for ever")
	})
}

// One address that is known does not make the others known, nor another login
// there.
func TestKnownIsThePair(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := throttled(t, nil)
		w.register(t)
		_, err := w.Register(t.Context(), password.User{Login: "grace@example.com"}, good)
		require.NoError(t, err)
		_, err = w.VerifyFrom(t.Context(), home, login, good)
		require.NoError(t, err)
		require.Equal(t, 90, w.guesses(t, 100, "grace@example.com", stranger))
		_, err = w.VerifyFrom(t.Context(), home, "grace@example.com", good)
		require.ErrorIs(t, err, auth.ErrRateLimited)

		// Failing there does not make an address known either.
		require.Equal(t, 1, w.guesses(t, 1, nobody, from(home)))
		require.Equal(t, 89, w.guesses(t, 100, nobody, stranger))
		require.Zero(t, w.guesses(t, 1, nobody, from(home)))
	})
}

// Of a thousand guesses at once, no more are hashed than the limit admits.
func TestAThousandAtOnce(t *testing.T) {
	for _, c := range []struct {
		name  string
		from  func(i int) netip.Addr
		login func(i int) string
		want  int64
	}{
		{"one login, one address", from(home), func(int) string { return login }, 30},
		{"one login, many addresses", stranger, func(int) string { return login }, 90},
		{"one login, no address", from(netip.Addr{}), func(int) string { return login }, 90},
		{"many logins, one address", from(home), func(i int) string { return strconv.Itoa(i) }, 60},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // so that no account refills
				w := throttled(t, nil)
				w.register(t)
				before := w.hasher.turns.Load()
				var wg sync.WaitGroup
				errs := make([]error, 1000)
				for i := range errs {
					wg.Go(func() { _, errs[i] = w.VerifyFrom(t.Context(), c.from(i), c.login(i), other) })
				}
				wg.Wait()
				refused := int64(0)
				for _, err := range errs {
					if err != auth.ErrInvalid {
						require.ErrorIs(t, err, auth.ErrRateLimited)
						refused++
					}
				}
				require.Equal(t, c.want, w.hasher.turns.Load()-before)
				require.Equal(t, 1000-c.want, refused)
			})
		})
	}
}

// Successes count nothing: not one after the other, and not at once, where they
// wait for one another (row 123).
func TestSuccessNeverCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := throttled(t, nil)
		w.register(t)
		for range 200 {
			_, err := w.VerifyFrom(t.Context(), home, login, good)
			require.NoError(t, err)
		}
		var wg sync.WaitGroup
		errs := make([]error, 200)
		for i := range errs {
			wg.Go(func() { _, errs[i] = w.VerifyFrom(t.Context(), home, login, good) })
		}
		wg.Wait()
		for _, err := range errs {
			require.NoError(t, err)
		}
		require.Equal(t, 30, w.guesses(t, 100, login, from(home)))
	})
}

// Nor does what could not be judged: an outage, a caller who has gone, a form
// that is not one.
func TestOutagesNeverCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hasher := newCheapHasher(t, password.HashOptions{Concurrency: 1, MaxWait: time.Nanosecond})
		w := throttled(t, func(o *password.Options) { o.Hasher = hasher.Hasher })
		w.register(t)
		source := w.JSON("email", "password").(interface {
			AuthenticateClient(r *http.Request, client netip.Addr) (*auth.Principal, error)
		})
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		for range 100 {
			w.users.readErr = errDown
			_, err := w.VerifyFrom(t.Context(), home, login, other)
			require.ErrorIs(t, err, errDown)
			w.users.readErr = nil

			_, err = w.VerifyFrom(gone, home, login, other)
			require.ErrorIs(t, err, context.Canceled)

			release := hasher.Hold()
			_, err = w.VerifyFrom(t.Context(), home, login, other)
			require.ErrorIs(t, err, auth.ErrUnavailable)
			release()

			_, err = source.AuthenticateClient(jsonRequest(`{"email":1}`), home)
			require.ErrorIs(t, err, auth.ErrMalformed)
			_, err = source.AuthenticateClient(jsonRequest(`{}`), home)
			require.ErrorIs(t, err, auth.ErrNoCredential)
		}
		require.Equal(t, 30, w.guesses(t, 100, login, from(home)))
	})
}

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
				for range 30 {
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
		require.Equal(t, 30, w.guesses(t, 1000, login, from(home)))
		require.Equal(t, 30, w.guesses(t, 1000, "grace@example.com", from(home)), "of the 60 of the address")
		require.Zero(t, w.guesses(t, 1000, nobody, from(home)), "which are used up")
		require.Equal(t, 60, w.guesses(t, 1000, login, stranger))
		require.Equal(t, 90, w.guesses(t, 1000, nobody, stranger))

		_, err := w.VerifyFrom(t.Context(), home, login, good)
		wait := retryAfter(t, err)
		require.Equal(t, time.Minute, wait, "the pair has 2 seconds to wait, the login a minute")
		authtest.Advance(wait - 1)
		_, err = w.VerifyFrom(t.Context(), home, login, good)
		require.EqualValues(t, 1, retryAfter(t, err))
		authtest.Advance(1)
		_, err = w.VerifyFrom(t.Context(), home, login, good)
		require.NoError(t, err)
	})
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

// A tapLimiter fails on demand, and tells what it was asked.
type tapLimiter struct {
	auth.Limiter
	err  error
	mu   sync.Mutex
	keys []string
}

func (l *tapLimiter) Allow(ctx context.Context, key string, cost int) (auth.Quota, error) {
	l.mu.Lock()
	l.keys = append(l.keys, key)
	l.mu.Unlock()
	if l.err != nil {
		return auth.Quota{}, l.err
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
			limiters[i].err = errDown
			r := jsonRequest(`{"email":"ada@example.com","password":"` + good + `"}`)
			r.RemoteAddr = "127.0.0.1:1234"
			answer := httptest.NewRecorder()
			auth.NewGuard(w.JSON("email", "password"), nil).Exchange(w.sessions).ServeHTTP(answer, r)
			require.Equal(t, 503, answer.Code)
			require.NotEmpty(t, answer.Header().Get("Retry-After"))
			_, err := w.VerifyFrom(t.Context(), home, login, good)
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
	user := w.register(t)
	namesakes, err := password.NewUsers(w.users, &password.Options{Issuer: "https://other.example", Hasher: w.hasher.Hasher, Throttle: throttle})
	require.NoError(t, err)
	for _, client := range []netip.Addr{home, netip.MustParseAddr("2001:db8:1:2:3:4:5:6")} {
		for _, name := range []string{login, "ADA@example.com", strings.Repeat(login, 1<<10), "\x00" + login} {
			_, _ = w.VerifyFrom(t.Context(), client, name, good)
		}
		_, err := namesakes.VerifyFrom(t.Context(), client, login, good)
		require.NoError(t, err)
	}
	require.NoError(t, w.ChangePassword(t.Context(), w.Principal(user), good, other))

	of := map[string]int{}
	for i, l := range limiters {
		mine := map[string]bool{}
		for _, key := range l.keys {
			mine[key] = true
			require.LessOrEqual(t, len(key), 128)
			require.NotContains(t, key, "ada")
			require.NotContains(t, key, user.ID)
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
		require.Equal(t, 30, w.guesses(t, 100, login, from(away)))
		require.Equal(t, 2, told(), "30 from a known address are no lock-out")
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
		for range 30 {
			require.Panics(t, func() { _, _ = users.VerifyFrom(t.Context(), home, login, good) })
		}
		_, err = users.VerifyFrom(t.Context(), home, login, good)
		require.ErrorIs(t, err, auth.ErrRateLimited)
	})
}

type panicking struct{ password.UserStore }

func (panicking) UserByLogin(context.Context, string) (password.User, error) { panic("a bug") }

// Row 123: hashes keep to a budget, and who gets none of it in time is told to
// come back.
func TestPerSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newCheapHasher(t, password.HashOptions{PerSecond: 5, MaxWait: 1100 * time.Millisecond, Concurrency: 3})
		start := time.Now()
		var wg sync.WaitGroup
		errs := make([]error, 20)
		for i := range errs {
			wg.Go(func() { _, errs[i] = h.Hash(t.Context(), good) })
		}
		synctest.Wait()
		require.EqualValues(t, 5, h.turns.Load(), "at once")
		authtest.Advance(200 * time.Millisecond)
		require.EqualValues(t, 6, h.turns.Load(), "and then in turn")
		wg.Wait()
		require.EqualValues(t, 10, h.turns.Load())
		require.LessOrEqual(t, time.Since(start), 1100*time.Millisecond)
		busy := 0
		for _, err := range errs {
			if err != nil {
				require.ErrorIs(t, err, auth.ErrUnavailable)
				busy++
			}
		}
		require.Equal(t, 10, busy)
		require.Zero(t, h.Running())

		// Who goes takes nothing of it along.
		for range 10 {
			ctx, cancel := context.WithCancel(t.Context())
			for range 5 {
				wg.Go(func() { _, _ = h.Hash(ctx, good) })
			}
			synctest.Wait()
			cancel()
			wg.Wait()
		}
		require.EqualValues(t, 10, h.turns.Load())
		_, err := h.Hash(t.Context(), good)
		require.NoError(t, err)
		require.Equal(t, 1200*time.Millisecond, time.Since(start))
	})
	_, err := password.NewHasher(&password.HashOptions{PerSecond: -1})
	require.ErrorContains(t, err, "PerSecond")
}
