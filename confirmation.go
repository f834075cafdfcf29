package auth

import (
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
)

// KeyConfirmation returns what binds a credential to a key, for
// [IssueOptions].Confirmation and [KeyOptions].Confirmation: "jkt:" and the
// thumbprint of its public part (RFC 9449 section 6.1). Such a credential is good
// only along with proofs that the key has signed, see [DPoP].
//
// A symmetric key proves nothing about who holds it: no request meets what is
// returned for one.
func KeyConfirmation(k *Key) string {
	if k == nil || k.jws == nil || k.jws.Symmetric() {
		return confirmUnsupported
	}
	return confirmJKT + k.jws.Thumbprint()
}

// CertificateConfirmation returns what binds a credential to a client's
// certificate, for [IssueOptions].Confirmation and [KeyOptions].Confirmation:
// "x5t#S256:" and the hash of the certificate (RFC 8705 section 3.1). Every
// [Source] admits such a credential where the client has shown that certificate,
// and so proved its key, in the TLS handshake with this program, and nowhere
// else.
//
// The server must ask for certificates: ClientAuth of its tls.Config is
// tls.RequestClientCert or stricter. Who issued them makes no difference here,
// so self-signed ones will do. What a proxy that ends TLS tells of certificates is
// not read.
func CertificateConfirmation(c *x509.Certificate) string {
	if c == nil || len(c.Raw) == 0 {
		return confirmUnsupported
	}
	hash := certificateHash(c)
	return confirmX5T + string(hash[:])
}

// hashText is how long a SHA-256 hash is in base64url.
const hashText = 43

// certificateHash returns the x5t#S256 of a certificate.
func certificateHash(c *x509.Certificate) (text [hashText]byte) {
	hash := sha256.Sum256(c.Raw)
	base64.RawURLEncoding.Encode(text[:], hash[:])
	return text
}

var errNotProved = fmt.Errorf("%w: bound to a key that was not proved", ErrInvalid)

// confirmCertificate refuses a credential that is bound to anything but the
// certificate that the client has shown. The handshake has proved its key.
func confirmCertificate(r *http.Request, _ string, p *Principal) error {
	if p.Credential.Confirmation == "" {
		return nil
	}
	want, ok := strings.CutPrefix(p.Credential.Confirmation, confirmX5T)
	if !ok || r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
		return errNotProved
	}
	shown := certificateHash(r.TLS.PeerCertificates[0])
	if subtle.ConstantTimeCompare(shown[:], []byte(want)) != 1 {
		return errNotProved
	}
	return nil
}

// isConfirmation reports whether s is one that a request can meet.
func isConfirmation(s string) bool {
	text, ok := strings.CutPrefix(s, confirmJKT)
	if !ok {
		text, ok = strings.CutPrefix(s, confirmX5T)
	}
	return ok && len(text) == hashText && isBase64URL(text)
}
