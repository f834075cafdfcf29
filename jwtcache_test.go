package auth_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
	"github.com/seed-077cad0b/auth/store/memstore"
	"github.com/stretchr/testify/require"
)

// The cache never lets in what a cold check would refuse, nor the reverse: a
// random history is replayed against a twin without a cache.
func TestJWTCacheChangesNoDecision(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { replay(t, rand.New(rand.NewPCG(seed, 1))) })
		})
	}
}

func replay(t *testing.T, random *rand.Rand) {
	ctx := context.Background()
	store := memstore.New()
	var pool []*auth.Key
	for range 5 {
		pool = append(pool, generate(t, auth.HS256))
	}
	keys := keySet(t, pool[0])
	options := auth.JWTOptions{Lifetime: 5 * time.Minute, MaxAge: 4 * time.Minute, Revocation: store, CacheSize: 40, CacheDigests: random.IntN(2) == 0}
	cached := newJWT(t, keys, &options)
	options.CacheSize = -1
	cold := newJWT(t, keys, &options)

	users := []*auth.Principal{{Subject: "a"}, {Subject: "b"}, {Subject: "c"}}
	var grants []*auth.Grant
	outcomes := map[string]int{}
	hits := func() {
		for range 8 {
			token := grants[random.IntN(len(grants))].Token.Reveal()
			if random.IntN(10) == 0 {
				i := random.IntN(len(token))
				token = token[:i] + flip(token[i]) + token[i+1:]
			}
			p, err := cached.Verify(ctx, token)
			want, wanted := cold.Verify(ctx, token)
			require.Equal(t, wanted, err)
			require.Equal(t, want, p)
			outcomes[fmt.Sprint(err)]++
		}
	}
	for step := range 1500 {
		what := random.IntN(100)
		switch {
		case len(grants) == 0 || what < 30:
			p := users[random.IntN(len(users))].ProvedAt(time.Now())
			if len(grants) > 0 && random.IntN(3) == 0 {
				p = grants[random.IntN(len(grants))].Principal // exchanged
			}
			if g, err := cached.Issue(ctx, p, nil); err == nil {
				grants = append(grants, g)
			} else {
				require.ErrorIs(t, err, auth.ErrRevoked)
			}
		case what < 50:
			authtest.Advance(time.Duration(random.IntN(20_000)) * time.Millisecond)
		case what < 55:
			// Refused if it is in the set and does not sign; that is fine too.
			_ = keys.Rotate(pool[random.IntN(len(pool))])
		case what < 60:
			_ = keys.Remove(pool[random.IntN(len(pool))].ID())
		case what < 64:
			require.NoError(t, cached.Revoke(ctx, grants[random.IntN(len(grants))].Principal))
		case what < 66:
			if err := cold.RevokeOthers(ctx, grants[random.IntN(len(grants))].Principal); err != nil {
				require.ErrorIs(t, err, auth.ErrRevoked)
			}
		case what < 68:
			require.NoError(t, cold.RevokeAll(ctx, users[random.IntN(len(users))]))
		}
		if len(grants) > 40 {
			grants = grants[20:]
		}
		if len(grants) > 0 {
			hits()
		}
		require.LessOrEqual(t, auth.CachedTokens(cached), 2*40, "step %d", step)
	}
	for _, outcome := range []string{"<nil>", "auth: revoked_credential", "auth: expired_credential: token is older than allowed", "auth: invalid_credential: token: signature"} {
		require.NotZero(t, outcomes[outcome], "the history never came to %q: %v", outcome, outcomes)
	}
}

// A burst of one new token is verified once.
func TestJWTCacheVerifiesABurstOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		key, checks := auth.CountChecks(generate(t, auth.ES256), func() { <-release })
		j := newJWT(t, keySet(t, key), nil)
		token := issue(t, j, &auth.Principal{Subject: "user"})
		principals := make([]*auth.Principal, 100)
		var all sync.WaitGroup
		for i := range principals {
			all.Go(func() {
				p, err := j.Verify(context.Background(), strings.Clone(token))
				require.NoError(t, err)
				principals[i] = p
			})
		}
		synctest.Wait() // all but one wait for that one
		require.EqualValues(t, 1, checks.Load())
		close(release)
		all.Wait()
		require.EqualValues(t, 1, checks.Load())
		for _, p := range principals {
			require.Same(t, principals[0], p)
		}

		// Refusals are shared by those who wait, and not remembered.
		forged := token[:len(token)-10] + flip(token[len(token)-10]) + token[len(token)-9:]
		for range 3 {
			_, err := j.Verify(context.Background(), forged)
			require.ErrorIs(t, err, auth.ErrInvalid)
		}
		require.EqualValues(t, 4, checks.Load(), "no negative entries")
		require.Equal(t, 1, auth.CachedTokens(j))
	})
}

// A check that panics neither blocks who waits for it, nor counts.
func TestJWTCacheSurvivesAPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release, first := make(chan struct{}), true
		var mu sync.Mutex
		key, checks := auth.CountChecks(generate(t, auth.ES256), func() {
			mu.Lock()
			leads := first
			first = false
			mu.Unlock()
			if leads {
				<-release
				panic("a bug")
			}
		})
		j := newJWT(t, keySet(t, key), nil)
		token := issue(t, j, &auth.Principal{Subject: "user"})
		var all sync.WaitGroup
		all.Go(func() {
			require.PanicsWithValue(t, "a bug", func() { _, _ = j.Verify(context.Background(), token) })
		})
		synctest.Wait()
		for range 3 {
			all.Go(func() {
				_, err := j.Verify(context.Background(), token)
				require.NoError(t, err)
			})
		}
		synctest.Wait()
		close(release)
		all.Wait()
		require.Greater(t, checks.Load(), int64(1))
		accepted(t, j, token)
	})
}

// Whoever leads a burst looks up the key with their own context; that it ends
// fails nobody else.
func TestJWTCacheBurstWithACancelledLeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJWT(t, &slowKeys{keySet(t, hmacKey(t))}, nil)
		token := goodClaims().token()
		cancelled, cancel := context.WithCancel(context.Background())
		var all sync.WaitGroup
		all.Go(func() {
			_, err := j.Verify(cancelled, token)
			require.ErrorIs(t, err, context.Canceled)
		})
		synctest.Wait()
		for range 3 {
			all.Go(func() {
				_, err := j.Verify(context.Background(), token)
				require.NoError(t, err)
			})
		}
		synctest.Wait()
		cancel()
		all.Wait()
	})
}

// slowKeys takes a second for each look-up.
type slowKeys struct{ *auth.Keys }

func (k *slowKeys) Lookup(ctx context.Context, kid string, alg auth.Algorithm) ([]*auth.Key, error) {
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(time.Second):
		return k.Keys.Lookup(ctx, kid, alg)
	}
}

// The cache is as large as it was made, holds tokens or only their hashes, and
// remembers most of as many tokens as it is for.
func TestJWTCacheSize(t *testing.T) {
	const size = 350
	key, checks := auth.CountChecks(generate(t, auth.EdDSA), func() {})
	keys := keySet(t, key)
	for _, digests := range []bool{false, true} {
		checks.Store(0)
		j := newJWT(t, keys, &auth.JWTOptions{CacheSize: size, CacheDigests: digests})
		tokens := make([]string, 3*size)
		for i := range tokens {
			tokens[i] = issue(t, j, &auth.Principal{Subject: "user"})
		}
		for range 3 {
			for _, token := range tokens[:size] {
				_, err := j.Verify(context.Background(), token)
				require.NoError(t, err)
			}
		}
		require.Less(t, checks.Load(), int64(size+size/5), "most are hits")
		for _, token := range tokens {
			_, err := j.Verify(context.Background(), token)
			require.NoError(t, err)
		}
		require.LessOrEqual(t, auth.CachedTokens(j), 2*size)
		require.Greater(t, auth.CachedTokens(j), size)
		for _, text := range auth.CachedTexts(j) {
			require.Equal(t, digests, len(text) == 32, "a hash, not a token")
		}
	}
}

// Headers are learned from signed tokens alone, and not without bound.
func TestJWTLearnsHeaders(t *testing.T) {
	j := newJWT(t, keySet(t, nil, hmacKey(t)), nil)
	other := []byte("another secret of thirty-two byte")
	for i := range 100 {
		header := fmt.Sprintf(`{"alg":"HS256","n":%d}`, i)
		refused(t, j, signWith(other, header, goodClaims().String()), auth.ErrInvalid)
	}
	require.Zero(t, auth.KnownHeaders(j))
	for i := range 100 {
		accepted(t, j, sign(fmt.Sprintf(`{"alg":"HS256","n":%d}`, i), goodClaims().String()))
		require.LessOrEqual(t, auth.KnownHeaders(j), 32)
	}
	require.NotZero(t, auth.KnownHeaders(j))
}

func TestJWTConcurrently(t *testing.T) {
	a, b := generate(t, auth.HS256), generate(t, auth.HS256)
	keys := keySet(t, a, b)
	j := newJWT(t, keys, &auth.JWTOptions{CacheSize: 8, Revocation: memstore.New()})
	var tokens []string
	for range 30 {
		tokens = append(tokens, issue(t, j, &auth.Principal{Subject: "user"}))
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for i := range 600 {
				_, err := j.Verify(context.Background(), tokens[i%len(tokens)])
				if err != nil && !errors.Is(err, auth.ErrInvalid) {
					t.Error(err)
				}
			}
		})
	}
	all.Go(func() {
		for range 100 {
			_ = keys.Rotate(b)
			_ = keys.Remove(a.ID())
			_ = keys.Rotate(a)
			_ = keys.Remove(b.ID())
		}
	})
	all.Wait()
}
