package cases

import (
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/bench/internal/measure"
)

func otherAttacks() []attack {
	session := honest{"a session", func() (*measure.Entry, error) { return held(sessionsIn, 200, nil) }}
	unknown := honest{"an unknown session", func() (*measure.Entry, error) { return held(sessionsIn, 401, strangers) }}
	one := honest{"one session", func() (*measure.Entry, error) { return withFields(200, func(http.Header) {}) }}
	key := honest{"an API key", func() (*measure.Entry, error) { return held(apiKeysIn, 200, nil) }}
	return []attack{
		{"sessions that begin alike", 1.5, "All but the last 6 characters are those of a session that there is. Records are found by a SHA-256 hash of the whole text, and the table's own hash has a secret seed: what texts share is nowhere to be seen.",
			func() (*measure.Entry, error) { return held(sessionsIn, 401, sessionGuesses) }, []honest{unknown, session}},
		{"API keys that begin alike", 2, "As with sessions: one look-up that finds nothing, and the refusal is written.",
			func() (*measure.Entry, error) { return held(apiKeysIn, 401, keyGuesses(true)) }, []honest{key}},
		{"API keys, wrong checksum", 1, "Refused without asking the store.",
			func() (*measure.Entry, error) { return held(apiKeysIn, 401, keyGuesses(false)) }, []honest{key}},
		{"1,000 other header fields", 1.5, "Fields are looked up by name; others are not looked at. How many there are, http.Server.MaxHeaderBytes bounds.",
			func() (*measure.Entry, error) {
				return withFields(200, func(h http.Header) {
					for k := range 1000 {
						h.Set(fmt.Sprintf("X-Field-%d", k), "value")
					}
				})
			}, []honest{one}},
		{"1,000 Authorization fields", 2, "Two are refused as 400; that there are more is not found out.",
			func() (*measure.Entry, error) {
				return withFields(400, func(h http.Header) {
					for range 999 {
						h.Add("Authorization", "Bearer x")
					}
				})
			}, []honest{one}},
		{"limiter, 1M strangers", 2, "An account has 16 bytes, in tables that MaxKeys bounds; those with the least debt go first. What it costs is the way to memory.",
			func() (*measure.Entry, error) { return limited(1 << 20) },
			[]honest{{"one client", func() (*measure.Entry, error) { return limited(1) }}}},
		{"limiter, 8 × MaxKeys strangers", 4, "As before: a full table forgets by itself, a shard of 4,096 at a time.",
			func() (*measure.Entry, error) { return limited(1<<20, auth.MaxKeys(1<<17)) },
			[]honest{{"one client", func() (*measure.Entry, error) { return limited(1, auth.MaxKeys(1<<17)) }}}},
	}
}

// held presents credentials where there are 1,000: those, or what guess makes of one.
func held(in func(int) (auth.Verifier, []string, error), want int, guess func(text string) string) (*measure.Entry, error) {
	v, texts, err := in(1000)
	if err != nil {
		return nil, err
	}
	if guess != nil {
		own := texts[0]
		texts = make([]string, 4096)
		for i := range texts {
			texts[i] = guess(own)
		}
	}
	return presenting(want, v, texts)
}

// base62 are the characters of an API key.
const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// some returns n random characters of base62.
func some(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = base62[rand.IntN(62)]
	}
	return string(b)
}

func strangers(own string) string { return some(len(own)-1) + "A" }

// sessionGuesses changes the last 6 characters, the last one to what ends whole bytes.
func sessionGuesses(own string) string { return own[:len(own)-6] + some(5) + "A" }

// keyGuesses changes the last 6 characters of the secret, and the checksum to the
// right one or to a wrong one.
func keyGuesses(right bool) func(own string) string {
	return func(own string) string {
		const sum = 6
		text := own[:len(own)-sum-6] + some(6)
		c := crc32.ChecksumIEEE([]byte(text))
		if !right {
			c++
		}
		var digits [sum]byte
		for i := sum - 1; i >= 0; i-- {
			digits[i] = base62[c%62]
			c /= 62
		}
		return text + string(digits[:])
	}
}

// withFields sends a good session along with other fields.
func withFields(want int, add func(http.Header)) (*measure.Entry, error) {
	v, texts, err := sessionsIn(1000)
	if err != nil {
		return nil, err
	}
	r := asks("Authorization", "Bearer "+texts[0])
	add(r.Header)
	return asked(want, v, r)
}

// limited sends requests of n clients in turn, each known by its address.
func limited(n int, o ...auth.LimiterOption) (*measure.Entry, error) {
	v, texts, err := sessionsIn(1)
	if err != nil {
		return nil, err
	}
	// A debt lasts for seconds, so that they are all in the table at once.
	limiter := auth.NewLimiter(1000, time.Hour, append(o, auth.Burst(8_000_000))...)
	h := auth.NewGuard(auth.Bearer(v), nil).Limit(limiter, auth.ByAddress()).Wrap(nothing)
	addresses, err := fill(n, func(i int) (string, error) { return address(i).String() + ":1234", nil })
	if err != nil {
		return nil, err
	}
	vary := func(r *http.Request) func(int) {
		return func(i int) { r.RemoteAddr = addresses[i] }
	}
	r := asks("Authorization", "Bearer "+texts[0])
	set, w := vary(r), httptest.NewRecorder()
	for i := range n {
		set(i)
		h.ServeHTTP(w, r)
	}
	return &measure.Entry{Round: measure.Vary(h, 200, r, n, vary)}, nil
}
