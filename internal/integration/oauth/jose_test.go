//go:build linux

package oauth_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// newJWK makes a private key.
func newJWK(id string) map[string]string {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	d, point := must(key.Bytes()), must(key.PublicKey.Bytes())
	text := base64.RawURLEncoding.EncodeToString
	return map[string]string{
		"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": id,
		"x": text(point[1:33]), "y": text(point[33:]), "d": text(d),
	}
}

// public returns the public part of one.
func public(jwk map[string]string) map[string]string {
	p := maps.Clone(jwk)
	delete(p, "d")
	return p
}

// sign makes a JSON Web Token.
func sign(jwk map[string]string, header map[string]any, claims jwt.MapClaims) string {
	d := must(base64.RawURLEncoding.DecodeString(jwk["d"]))
	t := jwt.NewWithClaims(jwt.SigningMethodES256, claims)
	maps.Copy(t.Header, header)
	return must(t.SignedString(must(ecdsa.ParseRawPrivateKey(elliptic.P256(), d))))
}

// proof makes a DPoP proof for a request, along with a token if there is one.
func proof(key map[string]string, method, address, nonce, token string) string {
	claims := jwt.MapClaims{"jti": rand.Text(), "htm": method, "htu": address, "iat": time.Now().Unix()}
	if nonce != "" {
		claims["nonce"] = nonce
	}
	if token != "" {
		ath := sha256.Sum256([]byte(token))
		claims["ath"] = base64.RawURLEncoding.EncodeToString(ath[:])
	}
	return sign(key, map[string]any{"typ": "dpop+jwt", "jwk": public(key)}, claims)
}
