package auth_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
)

// apiURL is where clients see the API of these tests.
const apiURL = "https://api.example.com"

// A prover is a client that holds a key of DPoP and signs proofs with a library
// of others.
type prover struct {
	alg     string
	private crypto.Signer
	jwk     map[string]any // the public part
}

func newProver(alg string) *prover {
	switch alg {
	case "ES384":
		return ecProver(alg, elliptic.P384())
	case "ES512":
		return ecProver(alg, elliptic.P521())
	case "EdDSA", "Ed25519":
		public, private, err := ed25519.GenerateKey(rand.Reader)
		must(0, err)
		return &prover{alg, private, map[string]any{"kty": "OKP", "crv": "Ed25519", "x": octets(public)}}
	case "PS256", "RS256", "PS384":
		key := rsaKey()
		return &prover{alg, key, map[string]any{"kty": "RSA", "n": octets(key.N.Bytes()), "e": "AQAB"}}
	default:
		return ecProver(alg, elliptic.P256())
	}
}

// rsaKey is one for all tests, as they take long to make.
var rsaKey = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) })

func ecProver(alg string, curve elliptic.Curve) *prover {
	key := must(ecdsa.GenerateKey(curve, rand.Reader))
	point := must(key.PublicKey.Bytes())
	size := len(point) / 2
	return &prover{alg, key, map[string]any{
		"kty": "EC", "crv": curve.Params().Name, "x": octets(point[1 : 1+size]), "y": octets(point[1+size:]),
	}}
}

func octets(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// confirmation is what binds a credential to the prover's key, worked out from
// RFC 7638 anew.
func (p *prover) confirmation() string {
	required := map[string][]string{"EC": {"crv", "kty", "x", "y"}, "OKP": {"crv", "kty", "x"}, "RSA": {"e", "kty", "n"}}
	text := "{"
	for i, name := range required[p.jwk["kty"].(string)] {
		if i > 0 {
			text += ","
		}
		text += fmt.Sprintf("%q:%q", name, p.jwk[name])
	}
	sum := sha256.Sum256([]byte(text + "}"))
	return "jkt:" + octets(sum[:])
}

// A draft is a proof before it is signed.
type draft struct{ header, claims map[string]any }

// draft returns a good proof for a request with a credential, which may be empty.
func (p *prover) draft(method, url, credential string) draft {
	d := draft{
		header: map[string]any{"typ": "dpop+jwt", "alg": p.alg, "jwk": p.jwk},
		claims: map[string]any{"jti": rand.Text(), "htm": method, "htu": url, "iat": time.Now().Unix()},
	}
	if credential != "" {
		sum := sha256.Sum256([]byte(credential))
		d.claims["ath"] = octets(sum[:])
	}
	return d
}

// header returns the draft with one member of the header changed, or removed if
// value is nil.
func (d draft) withHeader(name string, value any) draft {
	return draft{change(d.header, name, value), d.claims}
}

// with is withHeader for a claim.
func (d draft) with(name string, value any) draft {
	return draft{d.header, change(d.claims, name, value)}
}

func change(members map[string]any, name string, value any) map[string]any {
	members = maps.Clone(members)
	if value == nil {
		delete(members, name)
	} else {
		members[name] = value
	}
	return members
}

// sign signs whatever the draft says.
func (p *prover) sign(d draft) string {
	return p.signText(string(must(json.Marshal(d.header))), string(must(json.Marshal(d.claims))))
}

func (p *prover) signText(header, payload string) string {
	signed := b64(header) + "." + b64(payload)
	alg := p.alg
	if alg == "Ed25519" {
		alg = "EdDSA"
	}
	return signed + "." + octets(must(jwt.GetSigningMethod(alg).Sign(signed, p.private)))
}

// proof returns a good proof.
func (p *prover) proof(method, url, credential string) string {
	return p.sign(p.draft(method, url, credential))
}

// request returns one for a path of the API, with a credential and a proof.
func (p *prover) request(method, path, credential string) *http.Request {
	return from(method, path, "Authorization", "DPoP "+credential, "DPoP", p.proof(method, apiURL+path, credential))
}

func newDPoP(t testing.TB, store auth.Store, o auth.DPoPOptions) *auth.DPoP {
	t.Helper()
	if o.BaseURL == "" && !o.InsecureHost {
		o.BaseURL = apiURL
	}
	d, err := auth.NewDPoP(store, &o)
	require.NoError(t, err)
	return d
}

// bound returns a verifier that knows one text, of a principal that is bound to
// the prover's key.
func (p *prover) bound(text string) known { return boundTo(text, p.confirmation()) }

func boundTo(text, confirmation string) known {
	who := alice("read")
	who.Credential.Confirmation = confirmation
	return known{text: who}
}

func decodeText(part string) string {
	return string(must(base64.RawURLEncoding.DecodeString(part)))
}
