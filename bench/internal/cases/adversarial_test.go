package cases

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
)

// grown returns by how many bytes the heap grows while work is done, of what is
// still held when it has been.
func grown(keep any, work func()) int64 {
	before := heap()
	work()
	after := heap()
	runtime.KeepAlive(keep)
	return int64(after) - int64(before)
}

func newVerifier(t *testing.T, o *auth.JWTOptions) (*issuer, *auth.JWT) {
	t.Helper()
	i, v, err := verified(tokenSpec{}, o)
	require.NoError(t, err)
	return i, v
}

func TestStrangersLeaveNothing(t *testing.T) {
	i, tokens := newVerifier(t, nil)
	good := i.token("user")
	_, err := tokens.Verify(context.Background(), good)
	require.NoError(t, err)
	sessions, held, err := sessionsIn(100)
	require.NoError(t, err)
	keys, keysHeld, err := apiKeysIn(100)
	require.NoError(t, err)

	for _, c := range []struct {
		name  string
		v     auth.Verifier
		guess func() []string
	}{
		{"another kid each time", tokens, func() []string { return otherKeys(i, 5000) }},
		{"tokens that end as a remembered one", tokens, func() []string { return endingAs(i, good, 5000) }},
		{"sessions that begin alike", sessions, guesses(held[0], sessionGuesses)},
		{"API keys that begin alike", keys, guesses(keysHeld[0], keyGuesses(true))},
		{"API keys with a wrong checksum", keys, guesses(keysHeld[0], keyGuesses(false))},
	} {
		t.Run(c.name, func(t *testing.T) {
			admitted := 0
			growth := grown(c.v, func() {
				for _, text := range c.guess() {
					if _, err := c.v.Verify(context.Background(), text); err == nil {
						admitted++
					}
				}
			})
			require.Zero(t, admitted)
			require.Less(t, growth, int64(64<<10), "5,000 strangers")
		})
	}
}

func guesses(own string, guess func(string) string) func() []string {
	return func() []string {
		texts := make([]string, 5000)
		for i := range texts {
			texts[i] = guess(own)
		}
		return texts
	}
}

// An issuer that writes another header each time does not fill the memory of who
// trusts it.
func TestHeadersAreBounded(t *testing.T) {
	i, v := newVerifier(t, cold)
	const each = 4 << 10
	growth := grown(v, func() {
		for k := range 1000 {
			token := jwt.NewWithClaims(i.method, i.claims("user"))
			token.Header["kid"] = i.KeyID
			token.Header["x"] = fmt.Sprint(k) + strings.Repeat("x", each)
			text, err := token.SignedString(i.Private)
			require.NoError(t, err)
			_, err = v.Verify(context.Background(), text)
			require.NoError(t, err)
		}
	})
	require.Less(t, growth, int64(40*2*each), "at most 32 headers")
}

func TestProviderIsAskedWithinItsBudget(t *testing.T) {
	p, err := newProvider()
	require.NoError(t, err)
	defer func() { require.NoError(t, p.close()) }()
	v, err := p.flooded()
	require.NoError(t, err)
	for _, text := range otherKeys(p.issuer, 500) {
		_, err := v.Verify(context.Background(), text)
		require.Error(t, err)
		require.NotErrorIs(t, err, auth.ErrInvalid, "the budget is used up: nobody can tell")
	}
	require.LessOrEqual(t, len(p.asked), 5, "four in a row, and the one that brought the keys")
	_, err = v.Verify(context.Background(), p.token("user"))
	require.NoError(t, err, "whose key is known waits for none of this")
}

// The cache holds at most twice its size, whoever comes.
func TestCacheIsBounded(t *testing.T) {
	const size, all = 512, 20_000
	i, v := newVerifier(t, &auth.JWTOptions{CacheSize: size})
	texts := i.tokens(all)
	first := make([]*auth.Principal, all)
	verify := func(k int) *auth.Principal {
		p, err := v.Verify(context.Background(), texts[k])
		require.NoError(t, err)
		return p
	}
	for k := range all {
		first[k] = verify(k)
	}
	remembered := 0
	for k := all - 1; k >= 0; k-- {
		if verify(k) == first[k] {
			remembered++
		}
	}
	require.LessOrEqual(t, remembered, 2*size)
	require.Greater(t, remembered, size/4)
}

// Who holds many valid tokens has an honest one forgotten about as often as chance
// would have it: once in as many of theirs as the cache has room for.
func TestHonestTokenAmongOthers(t *testing.T) {
	const size, room = 512, 2 * 512
	i, v := newVerifier(t, &auth.JWTOptions{CacheSize: size})
	attackers := verifying(v, i.tokens(8*size))
	honest := i.token("user")
	var last *auth.Principal
	forgotten := -1 // the first time it is not known
	const rounds, between = 500, 64
	for range rounds {
		require.NoError(t, attackers(between))
		p, err := v.Verify(context.Background(), honest)
		require.NoError(t, err)
		if p != last {
			forgotten++
		}
		last = p
	}
	require.LessOrEqual(t, forgotten, 3*rounds*between/room)
}

func TestLimiterIsBounded(t *testing.T) {
	const most = 1 << 14
	limiter := auth.NewLimiter(1, time.Hour, auth.Burst(2), auth.MaxKeys(most))
	growth := grown(limiter, func() {
		for k := range 20 * most {
			_, err := limiter.Allow(context.Background(), address(k).String(), 1)
			require.NoError(t, err)
		}
	})
	require.Less(t, growth, int64(40*most))
}

// Every attack and every curve comes to the end of a round.
func TestAttacksAndCurvesRun(t *testing.T) {
	for _, c := range append(attackCases(), curveCases()...) {
		if strings.Contains(c.Name, "524,288") {
			continue // takes its time; see TestHonestTokenAmongOthers
		}
		t.Run(c.Table+"/"+c.Name, func(t *testing.T) {
			cores := runtime.GOMAXPROCS(0)
			defer runtime.GOMAXPROCS(cores)
			entry, err := c.Contenders[0].Enter()
			require.NoError(t, err)
			_, err = entry.Round()
			require.NoError(t, err)
			if c.Table == "Attacks" {
				require.NotEmpty(t, entry.Notes, "what bounds it")
			}
			if entry.Close != nil {
				require.NoError(t, entry.Close())
			}
		})
	}
	entry, err := amongOthers(64)
	require.NoError(t, err)
	_, err = entry.Round()
	require.NoError(t, err)
}

// Tokens of a curve are as long as its axis says.
func TestSizedTokens(t *testing.T) {
	for _, kib := range []int{1, 2, 64} {
		i, err := newIssuer(tokenSpec{Pad: 1})
		require.NoError(t, err)
		text := i.ofLength(kib << 10)
		require.LessOrEqual(t, len(text), kib<<10)
		require.Greater(t, len(text), kib<<10-8)
	}
}
