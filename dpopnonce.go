package auth

import (
	"strconv"
	"strings"
	"time"

	"github.com/seed-077cad0b/auth/internal/jws"
)

// nonceLife is how long a nonce is good. Those from the clock of another process
// may be from a little ahead of ours.
const (
	nonceLife  = 5 * time.Minute
	nonceAhead = time.Minute
)

// nonceLabel keeps what is signed for a nonce apart from what else the same key
// may sign: no JSON Web Token begins like this.
const nonceLabel = "DPoP nonce: "

// newNonce returns a nonce (RFC 9449 section 8.1): the time in seconds since
// 1970, and what proves that it is from us. Nothing is stored.
func (d *DPoP) newNonce(t time.Time) string {
	issued := strconv.FormatInt(t.Unix(), 10)
	mac, _ := d.nonces.Sign(nonceLabel + issued) // an HMAC does not fail
	return issued + "." + jws.Encode(mac)
}

// isNonce reports whether text is a nonce of ours that is still good.
func (d *DPoP) isNonce(text string, t time.Time) bool {
	issued, encoded, _ := strings.Cut(text, ".")
	mac, err := jws.AppendDecode(nil, encoded)
	if err != nil || d.nonces.Verify(nonceLabel+issued, mac) != nil {
		return false
	}
	seconds, err := strconv.ParseInt(issued, 10, 64)
	age := t.Sub(time.Unix(seconds, 0))
	return err == nil && age < nonceLife && age > -nonceAhead
}
