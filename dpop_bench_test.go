package auth_test

import (
	"net/http"
	"testing"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
)

// What a request with DPoP costs, against the bare check of its proof's signature
// by the library that does it.
func BenchmarkDPoP(b *testing.B) {
	for _, alg := range []string{"ES256", "EdDSA", "RS256"} {
		client := newProver(alg)
		guard := auth.NewGuard(newDPoP(b, newStore(b), auth.DPoPOptions{}).Source(client.bound("token")), nil)
		b.Run(alg+"/request", func(b *testing.B) {
			requests := make([]*http.Request, b.N)
			for i := range requests {
				requests[i] = client.request("GET", "/data", "token")
			}
			b.ReportAllocs()
			b.ResetTimer()
			for _, r := range requests {
				if _, err := guard.Check(r); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(alg+"/signature", func(b *testing.B) {
			method := jwt.GetSigningMethod(alg)
			signed, signature := "header.payload", []byte(nil)
			signature, err := method.Sign(signed, client.private)
			require.NoError(b, err)
			b.ReportAllocs()
			for b.Loop() {
				if err := method.Verify(signed, signature, client.private.Public()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// The least that a bound credential costs: that of a certificate, beside none.
func BenchmarkCertificateConfirmation(b *testing.B) {
	c := selfSigned("mine")
	for name, confirmation := range map[string]string{"none": "", "certificate": auth.CertificateConfirmation(c.Leaf)} {
		guard := auth.NewGuard(auth.Bearer(boundTo("token", confirmation)), nil)
		b.Run(name, func(b *testing.B) {
			r := overTLS(from("GET", "/", "Authorization", "Bearer token"), c)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := guard.Check(r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
