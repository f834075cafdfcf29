package oauth_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"maps"
	"time"

	"github.com/seed-077cad0b/auth"
)

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
