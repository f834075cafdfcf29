package oauth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"strings"

	"github.com/seed-077cad0b/auth"
)

// A browser is a random text that the pages keep in a cookie of a browser. It
// proves nobody; it is the key of what only this browser can send back.
type browser string

var browserForm = auth.TokenForm("")

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

// sealed reports whether text is the seal of the others.
func (b browser) sealed(text string, texts ...string) bool {
	return hmac.Equal([]byte(text), []byte(b.seal(texts...)))
}
