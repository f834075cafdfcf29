package oauth_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
)

// A signer has a private key, and signs whatever it is given.
type signer struct{ private ed25519.PrivateKey }

func newSigner() *signer {
	_, private, _ := ed25519.GenerateKey(nil) // never fails
	return &signer{private}
}

// jwk is the public key.
func (s *signer) jwk() string {
	return fmt.Sprintf(`{"kty":"OKP","crv":"Ed25519","x":%q}`, b64(string(s.private.Public().(ed25519.PublicKey))))
}

// jkt is the confirmation of the key.
func (s *signer) jkt(t testing.TB) string {
	k, err := auth.ParseJWK([]byte(s.jwk()[:len(s.jwk())-1] + `,"alg":"EdDSA"}`))
	require.NoError(t, err)
	return auth.KeyConfirmation(k)
}

func (s *signer) public(t testing.TB) *auth.Keys {
	k, err := auth.ParseJWK([]byte(s.jwk()[:len(s.jwk())-1] + `,"alg":"EdDSA"}`))
	require.NoError(t, err)
	keys, err := auth.NewKeys(nil, k)
	require.NoError(t, err)
	return keys
}

func (s *signer) sign(header, payload string) string {
	signed := b64(header) + "." + b64(payload)
	return signed + "." + b64(string(ed25519.Sign(s.private, []byte(signed))))
}

// proof is a proof of DPoP for the token endpoint, good once.
func (s *signer) proof() header { return s.proofFor("POST", issuer+"/oauth/token") }

func (s *signer) proofFor(method, target string) header {
	return header{"DPoP", s.sign(
		fmt.Sprintf(`{"typ":"dpop+jwt","alg":"EdDSA","jwk":%s}`, s.jwk()),
		fmt.Sprintf(`{"jti":%q,"htm":%q,"htu":%q,"iat":%d}`, rand.Text(), method, target, time.Now().Unix()))}
}

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

// observer keeps what a guard tells.
func observer(events *[]auth.Event) func(context.Context, auth.Event) {
	return func(_ context.Context, e auth.Event) { *events = append(*events, e) }
}

// assertionClaims are those of a client assertion that is accepted once.
func assertionClaims(client string) map[string]any {
	return map[string]any{
		"iss": client, "sub": client, "aud": issuer, "jti": rand.Text(),
		"exp": time.Now().Add(time.Minute).Unix(), "iat": time.Now().Unix(),
	}
}

// assertion is a client assertion by the key of signer, with claims changed, or
// removed where the value is nil.
func (w *world) assertion(client string, change map[string]any) string {
	return w.signing.sign(`{"alg":"EdDSA","typ":"JWT"}`, claimsText(assertionClaims(client), change))
}

func claimsText(claims, change map[string]any) string {
	maps.Copy(claims, change)
	maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
	text, err := json.Marshal(claims)
	if err != nil {
		panic(err)
	}
	return string(text)
}

const clientAssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
