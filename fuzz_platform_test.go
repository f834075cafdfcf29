package auth_test

import (
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
)

// An Ed25519 key of the fuzz targets: signing with it costs little.
func fuzzedPlatform(t testing.TB) (entry *auth.Platform, sign func(header, payload string) string) {
	seed := [32]byte{1}
	private := ed25519.NewKeyFromSeed(seed[:])
	jwk := fmt.Sprintf(`{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","x":%q}`, b64(string(private.Public().(ed25519.PublicKey))))
	key, err := auth.ParseJWK([]byte(jwk))
	require.NoError(t, err)
	entry = &auth.Platform{ID: "acme", Keys: keySet(t, nil, key), Algorithms: []auth.Algorithm{auth.EdDSA}}
	return entry, func(header, payload string) string {
		signed := b64(header) + "." + b64(payload)
		return signed + "." + b64(string(ed25519.Sign(private, []byte(signed))))
	}
}

const fuzzedHeader = `{"alg":"EdDSA"}`

// Rows 29 and 48: whatever a platform signs, it is refused, or a naive reading
// of the rules accepts it too and sees the same user.
func FuzzAssertion(f *testing.F) {
	f.Fuzz(func(t *testing.T, header, payload string) {
		synctest.Test(t, func(t *testing.T) { // in the year 2000
			entry, sign := fuzzedPlatform(t)
			entry.Audience = apiAudience
			at := time.Now()
			for _, h := range []string{fuzzedHeader, header} {
				assertion := sign(h, payload)
				for _, standard := range []bool{false, true} {
					d := newDesk(newStore(t))
					d.entries["acme"] = entry
					d.open()
					present := func() *httptest.ResponseRecorder {
						if standard {
							return d.grant(assertion)
						}
						return d.login("acme", assertion)
					}
					w := present()
					if w.Code == http.StatusOK {
						require.Len(t, d.asked, 1)
						naively(t, standard, h, payload, at, d.asked[0])
						require.Equal(t, http.StatusUnauthorized, present().Code, "a second time")
						continue
					}
					require.Empty(t, d.asked)
					requireRefused(t, w, h)
				}
			}
		})
	})
}

// naively requires what must hold of an accepted assertion, by encoding/json.
func naively(t *testing.T, standard bool, header, payload string, at time.Time, a *auth.Assertion) {
	var h, c map[string]any
	require.NoError(t, json.Unmarshal([]byte(header), &h))
	require.Equal(t, "EdDSA", h["alg"])
	require.Equal(t, payload, string(a.Claims))
	d := json.NewDecoder(strings.NewReader(payload))
	d.UseNumber()
	require.NoError(t, d.Decode(&c))
	require.Equal(t, apiAudience, c["aud"])
	if iss, ok := c["iss"]; ok || standard {
		require.Equal(t, "acme", iss)
	}
	if email, ok := c["email"]; ok || !standard {
		require.Equal(t, canonical(email.(string)), a.Email)
		require.True(t, isPlainAddress(a.Email), "%q", a.Email)
	}
	if standard {
		require.Equal(t, c["sub"], a.Subject)
		require.NotEmpty(t, c["jti"])
	} else {
		require.Equal(t, a.Email, a.Subject)
	}
	require.NotEmpty(t, a.Subject)

	required := "expire"
	if standard {
		required = "exp"
	}
	require.Contains(t, c, required)
	for _, name := range []string{"exp", "expire"} {
		if n, ok := c[name]; ok {
			left := exactly(t, n.(json.Number))
			left.Sub(left, big.NewRat(at.Unix(), 1))
			require.Positive(t, left.Sign(), name)
			require.LessOrEqual(t, left.Cmp(big.NewRat(300*1e6+1, 1e6)), 0, name) // microseconds are cut
		}
	}
	for _, name := range []string{"nbf", "iat"} {
		if n, ok := c[name]; ok {
			left := exactly(t, n.(json.Number))
			left.Sub(left, big.NewRat(at.Unix(), 1))
			require.LessOrEqual(t, left.Cmp(big.NewRat(30*1e6+1, 1e6)), 0, name)
		}
	}
}

func exactly(t *testing.T, n json.Number) *big.Rat {
	f, _, err := big.ParseFloat(string(n), 10, 256, big.ToNearestEven)
	require.NoError(t, err)
	r, _ := f.Rat(nil)
	return r
}

// canonical is an address with its domain in lower case.
func canonical(email string) string {
	at := strings.LastIndexByte(email, '@')
	return email[:at+1] + strings.ToLower(email[at+1:])
}

var plainAddress = regexp.MustCompile(`^[A-Za-z0-9!#$%&'*+/=?^_` + "`" + `{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_` + "`" + `{|}~-]+)*` +
	`@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)$`)

// isPlainAddress is the rule of addresses as an expression.
func isPlainAddress(s string) bool {
	local, domain, _ := strings.Cut(s, "@")
	last := domain[strings.LastIndexByte(domain, '.')+1:]
	return plainAddress.MatchString(s) && len(s) <= 254 && len(local) <= 64 && len(domain) <= 253 && strings.Trim(last, "0123456789") != ""
}

// An email is accepted exactly where the rule says so, and then net/mail reads
// the same address and nothing else.
func FuzzEmail(f *testing.F) {
	f.Fuzz(func(t *testing.T, email string) {
		synctest.Test(t, func(t *testing.T) {
			text, err := json.Marshal(email)
			require.NoError(t, err)
			var signed string // not what json.Marshal has mended
			require.NoError(t, json.Unmarshal(text, &signed))
			entry, sign := fuzzedPlatform(t)
			d := newDesk(newStore(t))
			d.entries["acme"] = entry
			d.open()
			w := d.login("acme", sign(fuzzedHeader, emailClaims().with("email", string(text)).String()))
			require.Equal(t, isPlainAddress(signed), w.Code == http.StatusOK, "%q: %d", signed, w.Code)
			if w.Code != http.StatusOK {
				require.Empty(t, d.asked)
				return
			}
			require.Equal(t, canonical(signed), d.asked[0].Email)
			parsed, err := mail.ParseAddress(signed)
			require.NoError(t, err)
			require.Equal(t, &mail.Address{Address: signed}, parsed)
		})
	})
}

// Seeds that vanish are missed by nobody else.
func TestFuzzSeedsOfPlatformsAreThere(t *testing.T) {
	for target, want := range map[string]int{"FuzzAssertion": 23, "FuzzEmail": 37} {
		seeds, err := os.ReadDir(filepath.Join("testdata", "fuzz", target))
		require.NoError(t, err)
		require.GreaterOrEqual(t, len(seeds), want, target)
	}
}
