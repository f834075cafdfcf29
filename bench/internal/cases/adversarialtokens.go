package cases

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"time"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/bench/internal/measure"
)

func tokenAttacks() []attack {
	ordinary := func(name string, want int, o *auth.JWTOptions, token func(*issuer) string) honest {
		return honest{name, func() (*measure.Entry, error) { return oneToken(want, o, tokenSpec{}, token) }}
	}
	good := func(i *issuer) string { return i.token("user") }
	once := ordinary("a token, cold", 200, cold, good)
	again := ordinary("a token, repeated", 200, nil, good)
	forged := ordinary("a forged token", 401, nil, (*issuer).forged)
	return []attack{
		{"10,000 scopes, cold", 200, "A token of 55 KiB. Only who holds an issuer's key can send it. The cost grows with the length and no faster, and the length is bounded by MaxLength: 16 KiB unless somebody asks for more, as here.",
			func() (*measure.Entry, error) { return manyScopes(cold) }, []honest{once}},
		{"10,000 scopes, repeated", 80, "Scope compares with each scope of the credential until it finds its own: as many comparisons as fit into MaxLength.",
			func() (*measure.Entry, error) { return manyScopes(&auth.JWTOptions{MaxLength: 64 << 10}) }, []honest{again}},
		{"forged token of 16 KiB", 10, "Nothing but the header and the signature is looked at: a hash over the text, which MaxLength bounds. It is not parsed.",
			func() (*measure.Entry, error) {
				return oneToken(401, nil, tokenSpec{Pad: 11 << 10}, (*issuer).forged)
			}, []honest{once, forged}},
		{"token too long", 1, "60 KiB, where MaxLength is 16. Refused for its length, before anything in it is looked at.",
			func() (*measure.Entry, error) {
				return oneToken(401, nil, tokenSpec{Pad: 45 << 10}, good)
			}, []honest{once, forged}},
		{"another kid each", 1, "A key is looked up by its id, and there is none: no signature is checked and nothing is remembered. Headers are remembered after a signature held, 32 at most.",
			unknownKeys, []honest{once, forged}},
		{"another kid each, remote keys", 5, "The set is fetched 4 times in a row at most, then once in MinInterval; whoever comes in between is answered 503 at once.",
			unknownRemoteKeys, []honest{once, forged}},
		{"the end of a remembered token", 1.5, "The cache hashes the last 32 characters, so all of these meet in one slot; it then compares the whole token. One comparison, then the check that every forged token gets, and nothing is remembered.",
			sameEnds, []honest{once, forged, again}},
		{"honest one among 524,288", 2, "Who holds so many valid tokens can have others forgotten: one in about 131,072 of theirs meets a given one. That is then checked once more. The cache grows no further.",
			churned, []honest{{"the same, alone", alone}}},
	}
}

// oneToken sends one token of an issuer.
func oneToken(want int, o *auth.JWTOptions, spec tokenSpec, token func(*issuer) string) (*measure.Entry, error) {
	i, v, err := verified(spec, o)
	if err != nil {
		return nil, err
	}
	return presenting(want, v, []string{token(i)})
}

// scopeFlood returns as many scopes as fit into a token of 64 KiB.
func scopeFlood() string {
	var b strings.Builder
	for k := range 10_000 {
		fmt.Fprintf(&b, "%03x ", k)
	}
	return strings.TrimSpace(b.String())
}

// manyScopes sends a token with 10,000 scopes to where the last one is asked for.
func manyScopes(o *auth.JWTOptions) (*measure.Entry, error) {
	i, v, err := verified(tokenSpec{}, o)
	if err != nil {
		return nil, err
	}
	scopes := scopeFlood()
	return presenting(200, v, []string{i.changed("scope", scopes)}, auth.Scope(scopes[strings.LastIndexByte(scopes, ' ')+1:]))
}

// otherKeys returns tokens whose kid is another one each time.
func otherKeys(i *issuer, n int) []string {
	own := *i
	texts := make([]string, n)
	for k := range texts {
		own.KeyID = fmt.Sprintf("stranger-%08d", k)
		texts[k] = own.token("user")
	}
	return texts
}

func unknownKeys() (*measure.Entry, error) {
	i, v, err := verified(tokenSpec{}, nil)
	if err != nil {
		return nil, err
	}
	return presenting(401, v, otherKeys(i, 4096))
}

// A provider publishes the key of an issuer of ES256, and counts how often it is
// asked.
type provider struct {
	*issuer
	keys   *auth.RemoteKeys
	server *httptest.Server
	asked  chan struct{} // one for each fetch
}

func newProvider() (*provider, error) {
	i, err := newIssuer(tokenSpec{Algorithm: "ES256"})
	if err != nil {
		return nil, err
	}
	key, err := verifyKey(i.Check)
	if err != nil {
		return nil, err
	}
	set, err := auth.NewKeys(nil, key)
	if err != nil {
		return nil, err
	}
	p := &provider{issuer: i, asked: make(chan struct{}, 1000)}
	p.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.asked <- struct{}{}
		set.JWKS().ServeHTTP(w, r)
	}))
	p.keys, err = auth.NewRemoteKeys(p.server.URL, &auth.RemoteKeysOptions{MinInterval: time.Minute})
	return p, err
}

func (p *provider) close() error {
	err := p.keys.Close()
	p.server.Close()
	return err
}

// flooded returns a verifier whose provider's budget strangers have used up.
func (p *provider) flooded() (*auth.JWT, error) {
	v, err := auth.NewJWT(p.Issuer, p.Audience, p.keys, nil)
	if err != nil {
		return nil, err
	}
	for _, text := range otherKeys(p.issuer, 64) {
		if _, err := v.Verify(context.Background(), text); err == nil {
			return nil, errors.New("a stranger was admitted")
		}
	}
	return v, nil
}

func unknownRemoteKeys() (*measure.Entry, error) {
	p, err := newProvider()
	if err != nil {
		return nil, err
	}
	v, err := p.flooded()
	if err != nil {
		return nil, err
	}
	e, err := presenting(503, v, otherKeys(p.issuer, 4096))
	if err == nil {
		e.Close = p.close
	}
	return e, err
}

// endingAs returns forged tokens that end with the 32 last characters of a token.
func endingAs(i *issuer, token string, n int) []string {
	signature := token[strings.LastIndexByte(token, '.'):]
	texts := make([]string, n)
	for k := range texts {
		other := i.token(fmt.Sprintf("admin-%d", k))
		texts[k] = other[:len(other)-32] + signature[len(signature)-32:]
	}
	return texts
}

func sameEnds() (*measure.Entry, error) {
	i, v, err := verified(tokenSpec{}, nil)
	if err != nil {
		return nil, err
	}
	token := i.token("user")
	if _, err := v.Verify(context.Background(), token); err != nil {
		return nil, err
	}
	return presenting(401, v, endingAs(i, token, 1024))
}

// others is how many tokens the attackers of a cache have: eight for each that it
// is about for.
const others = 8 * 65_536

func churned() (*measure.Entry, error) { return amongOthers(others) }

func alone() (*measure.Entry, error) { return amongOthers(0) }

// amongOthers times an honest token between those of attackers, 64 of theirs for
// each time. The value is the median: what others do on this machine is not to
// count, and how rarely it is forgotten, a test counts.
func amongOthers(n int) (*measure.Entry, error) {
	i, v, err := verified(tokenSpec{}, nil)
	if err != nil {
		return nil, err
	}
	texts, err := fill(n, func(k int) (string, error) { return i.token(fmt.Sprintf("attacker-%d", k)), nil })
	if err != nil {
		return nil, err
	}
	attackers := verifying(v, texts)
	if err := attackers(n); err != nil {
		return nil, err
	}
	token := i.token("user")
	return &measure.Entry{Round: func() (measure.Sample, error) {
		took := make([]float64, 200)
		for k := range took {
			if n > 0 {
				if err := attackers(64); err != nil {
					return measure.Sample{}, err
				}
			}
			start := time.Now()
			if _, err := v.Verify(context.Background(), token); err != nil {
				return measure.Sample{}, err
			}
			took[k] = float64(time.Since(start).Nanoseconds())
		}
		slices.Sort(took)
		typical := took[len(took)/2]
		return measure.Sample{Value: typical, Processor: typical}, nil
	}}, nil
}
