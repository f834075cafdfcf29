package auth_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
)

// noWire is a transport that nothing may be sent by.
type noWire struct{ *testing.T }

func (n noWire) RoundTrip(r *http.Request) (*http.Response, error) {
	n.Error("a request to", r.URL)
	return nil, errors.New("no network")
}

func TestRemoteKeysConstructors(t *testing.T) {
	client := &http.Client{Transport: noWire{t}}
	good := auth.RemoteKeysOptions{Client: client}
	bounds := auth.RemoteKeysOptions{Client: client, Refresh: 24 * time.Hour, MaxStale: 30 * 24 * time.Hour, MinInterval: time.Minute, Algorithm: auth.PS512}
	for url, want := range map[string]string{
		"https://idp.example/keys":        "",
		"https://idp.example:8443":        "",
		"http://127.0.0.1:8080/keys":      "",
		"http://[::1]/keys":               "",
		"http://localhost/keys":           "",
		"":                                "malformed or without a host",
		"idp.example/keys":                "malformed or without a host",
		"https:idp.example/keys":          "malformed or without a host",
		"https://:443/keys":               "malformed or without a host",
		"https://idp.example/%zz":         "malformed or without a host",
		"https://user@idp.example/":       "has a user",
		"https://user:secret@idp.example": "has a user",
		"https://idp.example/keys#a":      "has a fragment",
		"https://idp.example/keys#":       "has a fragment",
		"http://idp.example/keys":         "neither https nor http on this host",
		"http://localhost.example/keys":   "neither https nor http on this host",
		"http://127.0.0.1.example/keys":   "neither https nor http on this host",
		"file:///etc/keys":                "malformed or without a host",
		"file://localhost/etc/keys":       "neither https nor http on this host",
		"ftp://idp.example/keys":          "neither https nor http on this host",
	} {
		for name, construct := range map[string]func(string, *auth.RemoteKeysOptions) (*auth.RemoteKeys, error){
			"NewRemoteKeys": auth.NewRemoteKeys, "Discover": auth.Discover,
		} {
			for _, o := range []*auth.RemoteKeysOptions{&good, &bounds, nil} {
				r, err := construct(url, o)
				if want == "" {
					require.NoError(t, err, url)
					require.NoError(t, r.Close())
					continue
				}
				require.Nil(t, r)
				require.ErrorContains(t, err, name, url)
				require.ErrorContains(t, err, want, url)
				require.NotContains(t, err.Error(), "secret")
			}
		}
	}
	_, err := auth.Discover("https://idp.example/?tenant=1", nil)
	require.ErrorContains(t, err, "issuer has a query")
	_, err = auth.Discover("https://idp.example?", nil)
	require.ErrorContains(t, err, "issuer has a query")
	r, err := auth.NewRemoteKeys("https://idp.example/keys?tenant=1", nil)
	require.NoError(t, err)
	require.Empty(t, r.Issuer())
	r, err = auth.Discover("https://idp.example/tenant", nil)
	require.NoError(t, err)
	require.Equal(t, "https://idp.example/tenant", r.Issuer())

	for want, o := range map[string]auth.RemoteKeysOptions{
		"Timeout":        {Client: &http.Client{Timeout: time.Minute + 1}},
		"Timeout of":     {Client: &http.Client{Timeout: -1}},
		"Refresh":        {Refresh: time.Second - 1},
		"Refresh is":     {Refresh: 24*time.Hour + 1},
		"MaxStale":       {Refresh: time.Hour, MaxStale: time.Hour - 1},
		"MaxStale is":    {MaxStale: 30*24*time.Hour + 1},
		"MinInterval":    {MinInterval: time.Second - 1},
		"MinInterval is": {MinInterval: time.Minute + 1},
		"Algorithm":      {Algorithm: auth.HS256},
		"Algorithm is":   {Algorithm: auth.ES256},
		"none of RSA":    {Algorithm: "RS257"},
	} {
		_, err := auth.NewRemoteKeys("https://idp.example", &o)
		require.ErrorContains(t, err, want)
	}
	_, err = auth.Discover("http://idp.example", &auth.RemoteKeysOptions{Refresh: -1, MinInterval: -1, Algorithm: "x"})
	for _, want := range []string{"neither https", "Refresh", "MinInterval", "Algorithm"} {
		require.ErrorContains(t, err, want, "all that is wrong")
	}
}

// Tokens of a provider, over TLS: one fetch serves them all.
func TestRemoteKeysVerify(t *testing.T) {
	es, rs, signer := generate(t, auth.ES256), anRSAKey(t), authtest.NewPlatform("signer")
	nameless := must(signer.Entry().Keys.Lookup(t.Context(), "", auth.RS512))
	p := newProvider(t, es, rs, nameless[0])
	for name, keys := range map[string]*auth.RemoteKeys{
		"NewRemoteKeys": p.remote(auth.RemoteKeysOptions{}), "Discover": p.discover(auth.RemoteKeysOptions{}),
	} {
		before := p.fetched()
		j := p.jwt(keys)
		require.Equal(t, before, p.fetched(), "%s: nothing is fetched before a token comes", name)
		tokens := []string{p.token(es), p.token(rs)}
		var all sync.WaitGroup
		for i := range 50 {
			all.Go(func() {
				who, err := j.Verify(context.Background(), tokens[i%2])
				if err != nil || who.Subject != "alice" || who.Issuer != p.issuer {
					t.Error(who, err)
				}
			})
		}
		all.Wait()
		require.Equal(t, 1, p.fetched()-before, name)

		// A token that names no key is tried against those of its algorithm.
		good(t, j, signer.SignClaims(json.RawMessage(p.claims().String())))

		// What is signed by another key under a name of the set's is refused,
		// and so is another algorithm under it: neither is worth a fetch.
		stranger, err := generate(t, auth.ES256).WithID(es.ID())
		require.NoError(t, err)
		bad(t, j, p.token(stranger))
		other, err := generate(t, auth.EdDSA).WithID(es.ID())
		require.NoError(t, err)
		bad(t, j, p.token(other))
		for _, alg := range []string{"none", "HS256", "HS512", "RS1", "", "es256"} {
			bad(t, j, signWith(nil, fmt.Sprintf(`{"alg":%q,"kid":"unknown"}`, alg), p.claims().String()))
		}
		require.Equal(t, 1, p.fetched()-before, name)
	}
}

// It cannot sign, and so believes nothing that only our own tokens may say.
func TestRemoteKeysDoNotSign(t *testing.T) {
	p := newProvider(t, generate(t, auth.ES256))
	_, signs := any(p.remote(auth.RemoteKeysOptions{})).(interface{ Signing() *auth.Key })
	require.False(t, signs)
	_, err := p.jwt(p.discover(auth.RemoteKeysOptions{})).Issue(t.Context(), alice(), nil)
	require.Error(t, err)
}

// Contract: single flight, detached from the contexts of requests.
func TestRemoteKeysFetchOnceForAllWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key := generate(t, auth.ES256)
		p := newPipedProvider(t, key)
		j := p.jwt(p.discover(auth.RemoteKeysOptions{}))
		release := p.stall()
		token := p.token(key)

		first, hangUp := context.WithCancel(t.Context())
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var all sync.WaitGroup
		all.Go(func() {
			_, err := j.Verify(first, token)
			require.ErrorIs(t, err, context.Canceled)
			requireUnknown(t, err)
		})
		synctest.Wait()
		all.Go(func() {
			_, err := j.Verify(short, token)
			require.ErrorIs(t, err, context.DeadlineExceeded)
		})
		for range 50 {
			all.Go(func() {
				_, err := j.Verify(t.Context(), token)
				require.NoError(t, err, "somebody else has hung up")
			})
		}
		synctest.Wait()
		hangUp()
		authtest.Advance(2 * time.Second)
		release()
		all.Wait()
		require.Equal(t, 1, p.fetched())
		require.Equal(t, 1, p.askedFor(oidcPath))

		// Where the fetch fails, it fails for all who wait, and once.
		release = p.stall()
		p.fail(500)
		bogus := p.bogus()
		for range 20 {
			all.Go(func() { outage(t, j, bogus) })
		}
		synctest.Wait()
		release()
		all.Wait()
		require.Equal(t, 2, p.fetched())
	})
}

// Nobody pays for the background, and it does not stop.
func TestRemoteKeysRefreshInTheBackground(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old, next := generate(t, auth.ES256), generate(t, auth.ES256)
		p := newPipedProvider(t, old)
		j := p.jwt(p.discover(auth.RemoteKeysOptions{}))
		authtest.Advance(24 * time.Hour)
		require.Zero(t, p.asks(), "not before it is needed")

		before := p.token(old)
		kept := good(t, j, before)
		authtest.Advance(5 * time.Hour)
		times := p.fetchTimes()
		require.GreaterOrEqual(t, len(times), 20)
		for i := range len(times) - 1 {
			require.GreaterOrEqual(t, times[i+1].Sub(times[i]), 13*time.Minute+30*time.Second)
			require.LessOrEqual(t, times[i+1].Sub(times[i]), 15*time.Minute)
			require.NotEqual(t, 15*time.Minute, times[i+1].Sub(times[i]), "not all replicas at the same time")
		}
		require.Equal(t, len(times), p.askedFor(oidcPath), "the metadata as well")
		require.Same(t, kept, good(t, j, before), "a key that is unchanged keeps what was verified with it")

		// While a refresh goes on, requests do not wait for it.
		p.publish(old, next)
		release := p.stall()
		for p.askedFor(oidcPath) == len(times) {
			authtest.Advance(time.Second)
		}
		start := time.Now()
		good(t, j, before)
		good(t, j, p.token(old))
		require.Zero(t, time.Since(start))
		release()
		synctest.Wait()
		after := p.fetched()
		good(t, j, p.token(next))
		require.Equal(t, after, p.fetched(), "and the next key is there before its first token")
		require.Same(t, kept, good(t, j, before))
	})
}

// The whole set is replaced: what is taken out is dead, cached or not.
func TestRemoteKeysReplaceTheSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old, next := generate(t, auth.ES256), anRSAKey(t)
		p := newPipedProvider(t, old)
		keys := p.remote(auth.RemoteKeysOptions{})
		j := p.jwt(keys)
		seen, unseen := p.token(old), p.token(old)
		good(t, j, seen)
		found, err := keys.Lookup(t.Context(), old.ID(), auth.ES256)
		require.NoError(t, err)
		require.True(t, keys.Contains(found[0]))
		require.False(t, keys.Contains(old), "keys are compared by pointer")

		p.publish(next)
		good(t, j, p.token(next)) // an unknown kid has it fetched
		require.Equal(t, 2, p.fetched())
		require.False(t, keys.Contains(found[0]))
		bad(t, j, seen)
		bad(t, j, unseen)

		// One that comes back is good again, also under its old tokens.
		p.publish(next, old)
		authtest.Advance(15 * time.Minute)
		good(t, j, seen)

		// The same kid with another key is another key.
		thief, err := generate(t, auth.ES256).WithID(old.ID())
		require.NoError(t, err)
		p.publish(next, thief)
		authtest.Advance(15 * time.Minute)
		bad(t, j, seen)
		good(t, j, p.token(thief))
	})
}

// A kid is refused only after a fetch that was begun when its token was there.
func TestRemoteKeysRefuseByAFetchOfLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old, next := generate(t, auth.ES256), generate(t, auth.ES256)
		p := newPipedProvider(t, old)
		j := p.jwt(p.remote(auth.RemoteKeysOptions{}))
		good(t, j, p.token(old))
		bad(t, j, p.bogus())
		require.Equal(t, 2, p.fetched())

		// A fetch that was begun before the key was there...
		begun, answer := make(chan struct{}), make(chan struct{})
		before := jwks(t, old)
		p.page(keysPath, func(w http.ResponseWriter, _ *http.Request) {
			close(begun)
			<-answer
			_, _ = fmt.Fprint(w, before)
		})
		var all sync.WaitGroup
		all.Go(func() { bad(t, j, p.bogus()) })
		<-begun
		// ...does not decide about a token that came during it.
		p.publish(old, next)
		for range 10 {
			all.Go(func() { good(t, j, p.token(next)) })
		}
		all.Go(func() { bad(t, j, p.bogus()) })
		synctest.Wait()
		close(answer)
		all.Wait()
		require.Equal(t, 4, p.fetched(), "the one under way, and one more for all who came")
	})
}

// Who wakes up after a later fetch has ended goes by that one, be it well or not,
// and costs the provider nothing.
func TestRemoteKeysJoinAFetchThatHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key := generate(t, auth.ES256)
		p := newPipedProvider(t, key)
		keys := p.remote(auth.RemoteKeysOptions{})
		j := p.jwt(keys)
		good(t, j, p.token(key))
		number, err := keys.Join(0)
		require.NoError(t, err)
		require.Equal(t, uint64(1), number)

		p.fail(500)
		outage(t, j, p.bogus())
		for before := range uint64(2) {
			number, err = keys.Join(before)
			require.Error(t, err)
			require.Equal(t, uint64(2), number)
		}
		require.Equal(t, 2, p.fetched())

		p.publish(key)
		number, err = keys.Join(2) // which was begun before
		require.NoError(t, err)
		require.Equal(t, uint64(3), number)
		require.Equal(t, 3, p.fetched())
	})
}

// What strangers ask for costs the provider little: four fetches in a row, then
// one in five seconds. Meanwhile nobody is refused, and a rotation is seen.
func TestRemoteKeysBoundFetchesForUnknownKids(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old, next := generate(t, auth.ES256), generate(t, auth.ES256)
		p := newPipedProvider(t, old)
		j := p.jwt(p.discover(auth.RemoteKeysOptions{}))
		good(t, j, p.token(old))
		for range 3 {
			bad(t, j, p.bogus())
		}
		require.Equal(t, 4, p.fetched())

		// The budget is spent; the fetch is booked for when it may be.
		for range 50 {
			err := outage(t, j, p.bogus())
			require.NotErrorIs(t, err, auth.ErrInvalid)
			var f *auth.Failure
			require.ErrorAs(t, err, &f)
			require.Equal(t, 5*time.Second, f.RetryAfter)
		}
		guard := auth.NewGuard(auth.Bearer(j), nil)
		w := serve(guard.WrapFunc(hello), from("GET", "/", "Authorization", "Bearer "+p.bogus()))
		require.Equal(t, 503, w.Code)
		require.Equal(t, "5", w.Header().Get("Retry-After"))
		good(t, j, p.token(old)) // whose key is known has nothing to do with it
		require.Equal(t, 4, p.fetched())
		require.Equal(t, 1, p.askedFor(oidcPath), "the metadata is not read for each kid")

		// A rotation in the middle of it: the token comes once, is answered as
		// an outage, and by the time of its Retry-After its key is there.
		p.publish(old, next)
		rotated := p.token(next)
		outage(t, j, rotated)
		authtest.Advance(5 * time.Second)
		require.Equal(t, 5, p.fetched(), "without a request")
		good(t, j, rotated)
		require.Equal(t, 5, p.fetched())

		// In the long run it is one in five seconds, however many come.
		start, before := time.Now(), p.fetched()
		token := p.bogus()
		for time.Since(start) < 10*time.Minute {
			_, _ = j.Verify(t.Context(), token)
			authtest.Advance(200 * time.Millisecond)
		}
		require.InDelta(t, 120, p.fetched()-before, 5)

		// And in quiet times it comes back.
		authtest.Advance(time.Minute)
		for range 4 {
			bad(t, j, p.bogus())
		}
		outage(t, j, p.bogus())
	})
}

// Who holds tokens of a key that was taken out, in a hurry and by the thousand,
// is told so, and not to come back later.
func TestRemoteKeysRefuseWhatWasTakenOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stolen, next := generate(t, auth.ES256), generate(t, auth.ES256)
		p := newPipedProvider(t, stolen)
		j := p.jwt(p.remote(auth.RemoteKeysOptions{}))
		before := p.token(stolen)
		good(t, j, before)
		for _, k := range []*auth.Key{next, generate(t, auth.ES256)} { // also two sets ago
			p.publish(k)
			authtest.Advance(15 * time.Minute)
			for range 100 {
				bad(t, j, before)
			}
			outage(t, j, p.bogus())
			good(t, j, p.token(k))
		}
		require.LessOrEqual(t, p.fetched(), 1+2*(1+4)+1)

		// While it may be asked for, it is: a provider may have been wrong.
		p.publish(stolen)
		authtest.Advance(time.Minute)
		good(t, j, before)
	})
}

// A flood that never stops does not put off a rotation: at no phase of it does a
// client that honours Retry-After come back more than once.
func TestRemoteKeysSeeARotationThroughAFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		current := generate(t, auth.EdDSA)
		p := newPipedProvider(t, current)
		p.page(keysPath, nil)
		publish := func(k *auth.Key) {
			text := jwks(t, k)
			p.page(keysPath, func(w http.ResponseWriter, _ *http.Request) {
				<-time.After(300 * time.Millisecond) // it takes its time
				_, _ = fmt.Fprint(w, text)
			})
		}
		publish(current)
		j := p.jwt(p.remote(auth.RemoteKeysOptions{}))
		good(t, j, p.token(current))

		ctx, cancel := context.WithCancel(t.Context())
		var flood sync.WaitGroup
		for range 4 {
			token := p.bogus()
			flood.Go(func() {
				for ctx.Err() == nil {
					_, err := j.Verify(ctx, token)
					require.Error(t, err)
					select {
					case <-time.After(37 * time.Millisecond):
					case <-ctx.Done():
					}
				}
			})
		}
		<-time.After(time.Minute)
		for range 10 {
			current = generate(t, auth.EdDSA)
			publish(current)
			token, tries, start := p.token(current), 0, time.Now()
			for {
				tries++
				_, err := j.Verify(ctx, token)
				if err == nil {
					break
				}
				var f *auth.Failure
				require.ErrorAs(t, err, &f, "never refused")
				<-time.After(f.RetryAfter)
			}
			require.LessOrEqual(t, tries, 2)
			require.Less(t, time.Since(start), 6*time.Second)
			<-time.After(1234 * time.Millisecond)
		}
		cancel()
		flood.Wait()
	})
}
