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
		{"one address", false, from(home), 45},
		{"one address, known", true, from(home), 45},
		{"changing addresses", false, stranger, 90},
		{"changing addresses, one known", true, stranger, 90},
		{"two addresses, one known", true, func(i int) netip.Addr { return stranger(i % 2) }, 90},
		{"four addresses, one known", true, func(i int) netip.Addr { return stranger(i % 4) }, 90},
		{"a network of IPv6", false, func(i int) netip.Addr {
			a := netip.MustParseAddr("2001:db8::").As16()
			a[15] = byte(i)
			return netip.AddrFrom16(a)
		}, 45},
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

// Row 26, over sockets: from the connection's address, and from changing ones
// that a proxy tells.
func TestStoppedOverTheWire(t *testing.T) {
	for name, client := range map[string]func(i int) netip.Addr{"one address": from(home), "changing addresses": stranger} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			w.register(t)
			proxies, err := auth.ParseNetworks("127.0.0.1, ::1")
			require.NoError(t, err)
			guard := auth.NewGuard(w.JSON("email", "password"), &auth.GuardOptions{TrustedProxies: proxies})
			server := httptest.NewServer(guard.Exchange(w.sessions))
			defer server.Close()
			before := w.hasher.turns.Load()
			guess := func(i int) (status int) {
				r, err := http.NewRequest("POST", server.URL, strings.NewReader(`{"email":"ada@example.com","password":"guess"}`))
				require.NoError(t, err)
				r.Header.Set("X-Forwarded-For", client(i).String())
				r.Header.Set("X-Forwarded-Proto", "https")
				res, err := http.DefaultClient.Do(r)
				require.NoError(t, err)
				require.NoError(t, res.Body.Close())
				return res.StatusCode
			}
			n := 0
			for n < 100 && guess(n) == 401 {
				n++
			}
			require.GreaterOrEqual(t, n, 30)
			require.Less(t, n, 99)
			require.EqualValues(t, n, w.hasher.turns.Load()-before, "the last one was not hashed")
		})
	}
}

// 30 a minute from one address, and for one login, get through for minutes.
func TestThirtyAMinuteGetThrough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := throttled(t, nil)
		w.register(t)
		for range 3 {
			require.Equal(t, 30, w.guesses(t, 30, login, from(home)))
			_, err := w.VerifyFrom(t.Context(), home, login, good)
			require.NoError(t, err, "nor is the user kept out by them")
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

// An address is remembered for 30 days after one success, and for up to 60 after
// several.
func TestKnownForThirtyDays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := throttled(t, nil)
		w.register(t)
		const day = 24 * time.Hour
		isKnown := func() bool {
			require.Less(t, w.guesses(t, 100, login, stranger), 100)
			_, err := w.VerifyFrom(t.Context(), home, login, other) // fails, so as not to renew it
			return err == auth.ErrInvalid
		}
		_, err := w.VerifyFrom(t.Context(), home, login, good)
		require.NoError(t, err)
		authtest.Advance(30*day - 1)
		require.True(t, isKnown())
		_, err = w.VerifyFrom(t.Context(), home, login, good)
		require.NoError(t, err)
		authtest.Advance(30 * day)
		require.True(t, isKnown())
		authtest.Advance(1)
		require.False(t, isKnown())
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
		{"one login, one address", from(home), func(int) string { return login }, 45},
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
		require.Equal(t, 45, w.guesses(t, 100, login, from(home)))
	})
}

// Nor does what could not be judged: an outage, a caller who has gone, a form
// that is not one.
func TestOutagesNeverCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hasher := newCheapHasher(t, password.HashOptions{Concurrency: 1, MaxWait: time.Nanosecond})
		w := throttled(t, func(o *password.Options) {
			o.Hasher = hasher.Hasher
			o.Throttle = &password.Throttle{Pair: &tapLimiter{Limiter: auth.NewLimiter(30, time.Minute)}}
		})
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

			ctx, cancel := context.WithCancel(t.Context())
			w.users.beforeRead = func() { cancel(); w.users.readErr = ctx.Err() }
			_, err = w.VerifyFrom(ctx, home, login, other)
			require.ErrorIs(t, err, context.Canceled)
			w.users.beforeRead, w.users.readErr = nil, nil

			_, err = source.AuthenticateClient(jsonRequest(`{"email":1}`), home)
			require.ErrorIs(t, err, auth.ErrMalformed)
			_, err = source.AuthenticateClient(jsonRequest(`{}`), home)
			require.ErrorIs(t, err, auth.ErrNoCredential)
		}
		require.Equal(t, 30, w.guesses(t, 100, login, from(home)))
	})
}
