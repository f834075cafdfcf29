package oauth

import (
	"crypto/subtle"
	"fmt"
	"strings"
	"time"

	"github.com/seed-077cad0b/auth"
)

// A ClientSecret is a secret of a client as it is kept: by its hash. It is a hash
// that is fast, so secrets are random: see [NewClientSecret].
type ClientSecret struct {
	Digest  auth.Digest
	Created time.Time
	Expires time.Time // from then on it is refused; zero: never
}

// kindClientSecret separates the digests of secrets from all others.
const kindClientSecret auth.Kind = "client_secret"

var clientSecretForm = auth.TokenForm("cs_")

const (
	minClientSecret = 8
	maxClientSecret = 256
)

// NewClientSecret returns a secret of 256 random bits, to be shown once to whoever
// runs the client, and what [Client].Secrets keeps of it. It does not expire
// unless Expires is set.
func NewClientSecret() (auth.Secret, ClientSecret) {
	text := clientSecretForm.New()
	return auth.NewSecret(text), newClientSecret(text)
}

// ImportClientSecret returns what [Client].Secrets keeps of a secret that was made
// elsewhere: in the environment, or by another server. It is 8 to 256 printable
// ASCII characters (RFC 6749 appendix A.2); the line end that a file may add is
// none. It is as strong as whoever made it: 128 random bits or more (RFC 6749 section 10.10),
// as it is kept by a fast hash.
func ImportClientSecret(text string) (ClientSecret, error) {
	if !isClientSecret(text) {
		return ClientSecret{}, fmt.Errorf("oauth: a client's secret is %d to %d printable ASCII characters", minClientSecret, maxClientSecret)
	}
	return newClientSecret(text), nil
}

func newClientSecret(text string) ClientSecret {
	return ClientSecret{
		Digest:  auth.DigestOf(kindClientSecret, text),
		Created: now(),
	}
}

func isClientSecret(s string) bool {
	return len(s) >= minClientSecret && len(s) <= maxClientSecret &&
		!strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}

// hasSecret reports whether text is one of the client's secrets at that time. It
// takes as long whichever it is.
func (c *Client) hasSecret(text string, at time.Time) bool {
	if !isClientSecret(text) {
		return false
	}
	presented := auth.DigestOf(kindClientSecret, text)
	found := 0
	for i := range c.Secrets {
		s := &c.Secrets[i]
		same := subtle.ConstantTimeCompare(presented[:], s.Digest[:])
		if s.isLive(at) {
			found |= same
		}
	}
	return found == 1
}

// isLive reports whether the secret has not expired.
func (s *ClientSecret) isLive(at time.Time) bool {
	return s.Expires.IsZero() || at.Before(s.Expires)
}
