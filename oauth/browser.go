package oauth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/seed-077cad0b/auth"
)

// A browser is a random text that the pages keep in a cookie of a browser. It
// proves nobody; it is the key of what only this browser can send back.
type browser string

var browserForm = auth.TokenForm("")

// pageLifetime is how long a page may be open before its form is posted.
const pageLifetime = time.Hour

// browserOf returns the browser that sends r. One that has no cookie yet gets it
// with the page.
func (s *Server) browserOf(w http.ResponseWriter, r *http.Request) browser {
	cookie := s.browserCookie()
	for _, c := range r.CookiesNamed(cookie.Name) {
		if browserForm.Match(c.Value) {
			return browser(c.Value)
		}
	}
	cookie.Value = browserForm.New()
	http.SetCookie(w, cookie)
	return browser(cookie.Value)
}

// browserCookie is without a value. Only an issuer of plain HTTP, on a loopback
// address, does without Secure: not all clients send such cookies there.
func (s *Server) browserCookie() *http.Cookie {
	c := &http.Cookie{
		Name:     "__Host-oauth",
		Path:     "/",
		Secure:   true,
		HttpOnly: true,
		SameSite: http.SameSiteLaxMode,
	}
	if strings.HasPrefix(s.config.Issuer, "http:") {
		c.Name, c.Secure = "oauth", false
	}
	return c
}

// seal returns a text that only who has the browser's cookie can make, for a list
// of others.
func (b browser) seal(texts ...string) string {
	h := hmac.New(sha256.New, []byte(b))
	for _, t := range texts {
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(t)))) // so that no two lists collide
		h.Write([]byte(t))
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// dated is a seal of texts that tells a time.
func (b browser) dated(t time.Time, texts ...string) string {
	digits := strconv.FormatInt(t.UnixMicro(), 10)
	return digits + "." + b.seal(append(texts, digits)...)
}

// opened returns the time of a dated seal of these texts, and false for any other
// text, and for one that is too old.
func (b browser) opened(text string, texts ...string) (time.Time, bool) {
	digits, seal, _ := strings.Cut(text, ".")
	if !hmac.Equal([]byte(seal), []byte(b.seal(append(texts, digits)...))) {
		return time.Time{}, false
	}
	micro, err := strconv.ParseInt(digits, 10, 64)
	if t := time.UnixMicro(micro); err == nil && time.Since(t) < pageLifetime {
		return t, true
	}
	return time.Time{}, false
}
