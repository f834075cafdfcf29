package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"time"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/store/memstore"
)

const (
	issuer   = "https://issuer.example"
	audience = "https://api.example"
)

// A kind of credential: what verifies it, and a good one.
type kind func() (auth.Verifier, string, error)

// A showing is what is made of a good credential, and what comes of it.
type showing struct {
	change func(string) string
	want   error
}

var (
	good    = showing{func(text string) string { return text }, nil}
	nothing = showing{func(string) string { return "" }, auth.ErrNoCredential}

	// A forged token has another signature, an unknown session another text, and a
	// mistyped key a checksum that does not hold.
	forged = showing{func(text string) string { return flipped(text, len(text)-10) }, auth.ErrInvalid}
)

func flipped(text string, at int) string {
	other := "A"
	if text[at] == 'A' {
		other = "B"
	}
	return text[:at] + other + text[at+1:]
}

// verifying verifies a credential, whatever carries it.
func verifying(k kind, s showing) func() (func() error, error) {
	return func() (func() error, error) {
		v, text, err := k()
		if err != nil {
			return nil, err
		}
		ctx := context.Background()
		text = s.change(text)
		return func() error {
			if _, err := v.Verify(ctx, text); err != s.want {
				return expect(s.want, err)
			}
			return nil
		}, nil
	}
}

func tokens(alg auth.Algorithm, cache int) kind {
	return func() (auth.Verifier, string, error) {
		key, err := signingKey(alg)
		if err != nil {
			return nil, "", err
		}
		return tokensBy(key, &auth.JWTOptions{CacheSize: cache})
	}
}

// signingKey returns the same secret each time. Other keys may be any.
func signingKey(alg auth.Algorithm) (*auth.Key, error) {
	if alg == auth.HS256 {
		return auth.NewHMACKey("k1", alg, []byte("0123456789abcdef0123456789abcdef"))
	}
	return auth.GenerateKey(alg)
}

func tokensBy(key *auth.Key, o *auth.JWTOptions) (auth.Verifier, string, error) {
	keys, err := auth.NewKeys(key)
	if err != nil {
		return nil, "", err
	}
	j, err := auth.NewJWT(issuer, audience, keys, o)
	if err != nil {
		return nil, "", err
	}
	return issued(j, j)
}

func issued(v auth.Verifier, i auth.Issuer) (auth.Verifier, string, error) {
	g, err := i.Issue(context.Background(), principal(), nil)
	if err != nil {
		return nil, "", err
	}
	return v, g.Token.Reveal(), nil
}

// revocableTokens ask a store in which there is the mark of somebody else.
func revocableTokens() (auth.Verifier, string, error) {
	key, err := signingKey(auth.HS256)
	if err != nil {
		return nil, "", err
	}
	store, err := marked()
	if err != nil {
		return nil, "", err
	}
	return tokensBy(key, &auth.JWTOptions{Revocation: store})
}

func opaqueTokens() (auth.Verifier, string, error) {
	store, err := marked()
	if err != nil {
		return nil, "", err
	}
	t, err := auth.NewOpaqueTokens(store, audience, nil)
	if err != nil {
		return nil, "", err
	}
	return issued(t, t)
}

func marked() (auth.Store, error) {
	store := memstore.New()
	return store, auth.RevokeClient(context.Background(), store, "another")
}

func sessions() (auth.Verifier, string, error) {
	s, err := auth.NewSessions(memstore.New(), nil)
	if err != nil {
		return nil, "", err
	}
	return issued(s, s)
}

// apiKeys have one that was used a moment ago, so that its use is not written.
func apiKeys() (auth.Verifier, string, error) {
	store, ctx := memstore.New(), context.Background()
	keys, err := auth.NewAPIKeys(store, "acme_live", nil)
	if err != nil {
		return nil, "", err
	}
	g, err := keys.Create(ctx, principal(), nil)
	if err != nil {
		return nil, "", err
	}
	d, err := auth.ParseDigest(g.Principal.Credential.ID)
	if err != nil {
		return nil, "", err
	}
	return keys, g.Token.Reveal(), store.Touch(ctx, map[auth.Digest]time.Time{d: time.Now()})
}

func fetchedKeys() (auth.Verifier, string, error) {
	key, err := auth.GenerateKey(auth.ES256)
	if err != nil {
		return nil, "", err
	}
	_, text, err := tokensBy(key, nil)
	if err != nil {
		return nil, "", err
	}
	keys, err := published(key)
	if err != nil {
		return nil, "", err
	}
	j, err := auth.NewJWT(issuer, audience, keys, nil)
	return j, text, err
}

func remoteKeys() (*auth.RemoteKeys, string, error) {
	key, err := auth.GenerateKey(auth.ES256)
	if err != nil {
		return nil, "", err
	}
	keys, err := published(key)
	return keys, key.ID(), err
}

// published returns the key as who fetches it has it.
func published(key *auth.Key) (*auth.RemoteKeys, error) {
	set, err := auth.NewKeys(key)
	if err != nil {
		return nil, err
	}
	document, err := json.Marshal(set)
	if err != nil {
		return nil, err
	}
	return auth.NewRemoteKeys(issuer+"/keys", &auth.RemoteKeysOptions{Client: answering(document)})
}

func introspection() (auth.Verifier, string, error) {
	answer, err := json.Marshal(map[string]any{
		"active": true, "iss": issuer, "aud": audience, "sub": "42", "client_id": "web", "scope": "data:read",
		"token_type": "Bearer", "exp": time.Now().Add(time.Hour).Unix(),
	})
	if err != nil {
		return nil, "", err
	}
	i, err := auth.NewIntrospection(issuer+"/introspect", issuer, audience, &auth.IntrospectionOptions{
		ClientID: "api", ClientSecret: auth.NewSecret("secret"), Client: answering(answer), MaxAge: time.Hour,
	})
	return i, auth.TokenForm("at").New(), err
}

// answering returns a client whose server is this process.
func answering(document []byte) *http.Client {
	return &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		return &http.Response{
			StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Request: r,
			Body: io.NopCloser(bytes.NewReader(document)), ContentLength: int64(len(document)),
		}, nil
	})}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
