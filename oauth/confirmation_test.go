package oauth_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/oauth"
)

// RFC 9449 section 5: a proof binds the tokens, and those of a public client to
// that key for good.
func TestTokensBoundToKey(t *testing.T) {
	w := newWorld(t)
	key := newSigner()
	code := w.code(t, "bound", nil)
	requireRefused(t, w.send(t, w.redeem("bound", code)), 400, oauth.ErrInvalidDPoPProof)

	proof := key.proof()
	r := w.redeem("bound", code)
	r.Header.Set(proof.name, proof.value)
	a := w.send(t, r)
	requireGranted(t, a)
	require.Equal(t, "DPoP", a.TokenType)
	p, err := w.opens(t, a.AccessToken)
	require.NoError(t, err)
	require.Equal(t, key.jkt(t), p.Credential.Confirmation)

	refresh := func(token string, by *header) *answer {
		r := w.renew("bound", token)
		if by != nil {
			r.Header.Set(by.name, by.value)
		}
		return w.send(t, r)
	}
	requireRefused(t, refresh(a.RefreshToken, nil), 400, oauth.ErrInvalidDPoPProof)
	requireRefused(t, refresh(a.RefreshToken, &proof), 400, oauth.ErrInvalidDPoPProof) // used
	other := newSigner().proof()
	requireRefused(t, refresh(a.RefreshToken, &other), 400, oauth.ErrInvalidGrant)
	elsewhere := key.proofFor("POST", issuer+"/oauth/par")
	requireRefused(t, refresh(a.RefreshToken, &elsewhere), 400, oauth.ErrInvalidDPoPProof)
	fresh := key.proof()
	next := refresh(a.RefreshToken, &fresh)
	requireGranted(t, next)
	require.Equal(t, "DPoP", next.TokenType)

	// A public client that may do without is bound when it does not.
	r = w.redeem("phone", w.code(t, "phone", nil))
	fresh = key.proof()
	r.Header.Set(fresh.name, fresh.value)
	a = w.send(t, r)
	require.Equal(t, "DPoP", a.TokenType)
	requireRefused(t, w.send(t, w.renew("phone", a.RefreshToken)), 400, oauth.ErrInvalidGrant)
	require.Equal(t, "Bearer", w.signIn(t, "phone").TokenType)
}

// A client that proves itself may change its key: its refresh tokens are bound to
// it (RFC 9449 section 5).
func TestConfidentialClientChangesKey(t *testing.T) {
	w := newWorld(t)
	for _, id := range []string{"web", "opaque"} {
		first, second := newSigner(), newSigner()
		r := w.redeem(id, w.code(t, id, nil))
		proof := first.proof()
		r.Header.Set(proof.name, proof.value)
		a := w.send(t, r)
		require.Equal(t, "DPoP", a.TokenType)
		r = w.renew(id, a.RefreshToken)
		proof = second.proof()
		r.Header.Set(proof.name, proof.value)
		a = w.send(t, r)
		requireGranted(t, a)
		p, err := w.opens(t, a.AccessToken)
		require.NoError(t, err)
		require.Equal(t, second.jkt(t), p.Credential.Confirmation)
	}
}

// RFC 9449 section 10: a code that was asked for with dpop_jkt is for that key.
func TestCodeBoundToKey(t *testing.T) {
	w := newWorld(t)
	key := newSigner()
	code := w.code(t, "web", func(g *oauth.Granted) { g.JKT = key.jkt(t)[len("jkt:"):] })
	requireRefused(t, w.send(t, w.redeem("web", code)), 400, oauth.ErrInvalidGrant)
	r := w.redeem("web", code)
	proof := newSigner().proof()
	r.Header.Set(proof.name, proof.value)
	requireRefused(t, w.send(t, r), 400, oauth.ErrInvalidGrant)
	r = w.redeem("web", code)
	proof = key.proof()
	r.Header.Set(proof.name, proof.value)
	requireGranted(t, w.send(t, r))
}

// RFC 9449 section 8: the server may want its nonce in proofs.
func TestProofWithNonce(t *testing.T) {
	w := newWorld(t, func(c *oauth.Config) {
		var err error
		c.DPoP, err = auth.NewDPoP(c.Store, &auth.DPoPOptions{BaseURL: issuer, NonceKey: make([]byte, 32)})
		require.NoError(t, err)
	})
	r := w.asks("service", "grant_type", "client_credentials")
	proof := newSigner().proof()
	r.Header.Set(proof.name, proof.value)
	a := w.send(t, r)
	requireRefused(t, a, 400, oauth.ErrUseDPoPNonce)
	require.NotEmpty(t, a.Header().Get("DPoP-Nonce"))
	require.Empty(t, a.Header().Get("WWW-Authenticate"))
}

// RFC 8705 section 3: tokens bound to the client's certificate.
func TestTokensBoundToCertificate(t *testing.T) {
	w := newWorld(t)
	w.change("service", func(c *oauth.Client) { c.RequireCertificate = true })
	certificate := &x509.Certificate{Raw: []byte("a certificate")}
	r := w.asks("service", "grant_type", "client_credentials")
	requireRefused(t, w.send(t, r), 400, oauth.ErrInvalidRequest)
	r = w.asks("service", "grant_type", "client_credentials")
	r.TLS = &tls.ConnectionState{}
	requireRefused(t, w.send(t, r), 400, oauth.ErrInvalidRequest)
	r = w.asks("service", "grant_type", "client_credentials")
	r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{certificate}}
	a := w.send(t, r)
	requireGranted(t, a)
	require.Equal(t, "Bearer", a.TokenType)
	p, err := w.opens(t, a.AccessToken)
	require.NoError(t, err)
	require.Equal(t, auth.CertificateConfirmation(certificate), p.Credential.Confirmation)
	var claims struct {
		Confirmation map[string]string `json:"cnf"`
	}
	require.NoError(t, json.Unmarshal(p.Claims, &claims))
	require.Contains(t, claims.Confirmation, "x5t#S256")
}

// A server without DPoP cannot serve a client that requires it: an operator's
// mistake, not the client's.
func TestConfirmationMisconfigured(t *testing.T) {
	w := newWorld(t, func(c *oauth.Config) { c.DPoP = nil })
	requireRefused(t, w.send(t, w.redeem("bound", w.code(t, "bound", nil))), 503, oauth.ErrTemporarilyUnavailable)
	require.Equal(t, "Bearer", w.signIn(t, "phone").TokenType)
}
