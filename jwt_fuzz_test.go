package auth_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"testing"
	"testing/synctest"

	"github.com/seed-077cad0b/auth"
	"github.com/stretchr/testify/require"
)

// Row 48: whatever a header and a payload are, signed or not, the answer is a
// refusal or a principal that the payload names.
func FuzzVerify(f *testing.F) {
	f.Fuzz(func(t *testing.T, header, payload, text string) {
		synctest.Test(t, func(t *testing.T) { // in the year 2000
			for _, keys := range []auth.KeySet{keySet(t, hmacKey(t)), keySet(t, nil, hmacKey(t))} {
				j := newJWT(t, keys, nil)
				for _, token := range []string{text, sign(header, payload), signWith(nil, header, payload)} {
					p, err := verifyTwice(t, j, token)
					if err == nil {
						admitted(t, p)
						continue
					}
					var reason auth.Reason
					if !errors.Is(err, auth.ErrNotMine) && !errors.As(err, &reason) {
						t.Fatalf("an outage: %v", err)
					}
				}
			}
		})
	})
}

func admitted(t *testing.T, p *auth.Principal) {
	var members map[string]any
	d := json.NewDecoder(bytes.NewReader(p.Claims))
	d.UseNumber() // a member that means nothing here may be too large for a float
	if err := d.Decode(&members); err != nil {
		t.Fatalf("%q is accepted: %v", p.Claims, err)
	}
	if members["sub"] != p.Subject || members["iss"] != jwtIssuer || p.Subject == "" || members["exp"] == nil {
		t.Fatalf("%q became %+v", p.Claims, p)
	}
	// What is accepted can be exchanged, for the same identity.
	g, err := newJWT(t, keySet(t, hmacKey(t)), nil).Issue(context.Background(), p, nil)
	if err == nil && (g.Principal.Owner() != p.Owner() || g.Principal.Origin != p.Origin) {
		t.Fatalf("%+v became %+v", p, g.Principal)
	}
}

// Seeds that go missing go missing silently.
func TestJWTFuzzSeeds(t *testing.T) {
	for target, n := range map[string]int{"FuzzVerify": 18, "FuzzNumericDate": 16} {
		seeds, err := os.ReadDir("testdata/fuzz/" + target)
		require.NoError(t, err)
		require.Len(t, seeds, n, target)
	}
}
