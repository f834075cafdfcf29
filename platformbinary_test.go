package auth_test

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
)

// keysOfAllKinds is a set with a public key of every algorithm, one of them
// under an id that JSON has to escape.
func keysOfAllKinds() *auth.Keys {
	var all []*auth.Key
	for _, alg := range []auth.Algorithm{auth.ES256, auth.ES384, auth.ES512, auth.EdDSA, auth.Ed25519} {
		all = append(all, must(auth.GenerateKey(alg)))
	}
	for _, alg := range []auth.Algorithm{auth.RS256, auth.RS384, auth.RS512, auth.PS256, auth.PS384, auth.PS512} {
		all = append(all, must(must(auth.ParsePEM(alg, platformPEM("public.pem"))).WithID(string(alg)+` <"&é`+"\U0001F511")))
	}
	return must(auth.NewKeys(nil, all...))
}

func fullPlatform() *auth.Platform {
	return &auth.Platform{
		ID: "acme.example_1-2", Name: "Acme <&> \U0001F511", Keys: keysOfAllKinds(), Algorithms: []auth.Algorithm{auth.RS512, auth.ES256},
		Audience: apiAudience, MaxLife: time.Minute + 1, EmailDomains: []string{"acme.example", "Acme.Example"}, SubjectClaim: "user\x00id",
		Scopes: []string{"read", "trade"}, Tier: "gold", SessionLifetime: 14*24*time.Hour + 1,
		Networks: must(auth.ParseNetworks("192.0.2.0/24,2001:db8::/32,198.51.100.7")),
		Rate:     auth.Rate{Limit: 5, Per: time.Minute, Burst: 9}, Suspended: true,
	}
}

// requireSamePlatform compares the keys by what they publish.
func requireSamePlatform(t testing.TB, want, got *auth.Platform) {
	t.Helper()
	w, g := *want, *got
	require.Equal(t, published(w.Keys), published(g.Keys))
	w.Keys, g.Keys = nil, nil
	require.Equal(t, w, g)
}

func published(keys auth.KeySet) string {
	w := httptest.NewRecorder()
	keys.(*auth.Keys).JWKS().ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	return w.Body.String()
}

func TestPlatformComesBackFromItsBinaryForm(t *testing.T) {
	with := func(change func(*auth.Platform)) *auth.Platform {
		p := &auth.Platform{ID: "p", Keys: publicKeys(auth.RS512, platformKey())}
		change(p)
		return p
	}
	for name, p := range map[string]*auth.Platform{
		"least":                   with(func(*auth.Platform) {}),
		"full":                    fullPlatform(),
		"no email domain":         with(func(p *auth.Platform) { p.EmailDomains = []string{} }),
		"no network":              with(func(p *auth.Platform) { p.Networks = new(auth.Networks) }),
		"no scope":                with(func(p *auth.Platform) { p.Scopes = []string{} }),
		"networks of their text":  with(func(p *auth.Platform) { p.Networks = must(auth.ParseNetworks("0.0.0.0/0, ::/0")) }),
		"the largest rate":        with(func(p *auth.Platform) { p.Rate = auth.Rate{Limit: 1, Per: 24 * time.Hour} }),
		"several keys of one alg": with(func(p *auth.Platform) { p.Keys = must(auth.NewKeys(nil, twoKeys()...)) }),
	} {
		t.Run(name, func(t *testing.T) {
			data, err := p.MarshalBinary()
			require.NoError(t, err)
			var got auth.Platform
			require.NoError(t, got.UnmarshalBinary(data))
			requireSamePlatform(t, p, &got)
			require.Equal(t, p.Networks == nil, got.Networks == nil, "nil is anywhere, and an empty set nowhere")
			require.Equal(t, p.EmailDomains == nil, got.EmailDomains == nil, "nil is any, and an empty list none")
			require.Equal(t, p.Algorithms == nil, got.Algorithms == nil)
		})
	}
}

func twoKeys() []*auth.Key {
	return []*auth.Key{must(auth.GenerateKey(auth.ES256)), must(auth.GenerateKey(auth.ES256))}
}

// A field that is added and forgotten in the binary form would be a restriction
// that a stored platform loses.
func TestEveryFieldOfAPlatformIsInItsBinaryForm(t *testing.T) {
	full := reflect.ValueOf(*fullPlatform())
	for i := range full.NumField() {
		require.False(t, full.Field(i).IsZero(), "fullPlatform leaves %s out", full.Type().Field(i).Name)
	}
}

// A private part that a set has beside no signing key stays where it is.
func TestPlatformFormIsPublic(t *testing.T) {
	private := must(auth.ParsePEM(auth.RS512, platformPEM("private.pem")))
	p := &auth.Platform{ID: "p", Keys: must(auth.NewKeys(nil, private))}
	data, err := p.MarshalBinary()
	require.NoError(t, err)
	require.NotContains(t, string(data), `"d"`)
	var got auth.Platform
	require.NoError(t, got.UnmarshalBinary(data))
	k, err := got.Keys.Lookup(t.Context(), private.ID(), auth.RS512)
	require.NoError(t, err)
	require.False(t, k[0].CanSign())
}

// foreignKeys is a set that may fetch its keys from anywhere.
type foreignKeys struct{}

func (foreignKeys) Lookup(context.Context, string, auth.Algorithm) ([]*auth.Key, error) {
	return nil, nil
}
func (foreignKeys) Contains(*auth.Key) bool { return false }

func TestPlatformsThatHaveNoBinaryForm(t *testing.T) {
	secret := must(auth.GenerateKey(auth.HS256))
	for name, spoil := range map[string]func(*auth.Platform){
		"an id that is none":   func(p *auth.Platform) { p.ID = "a b" },
		"no keys":              func(p *auth.Platform) { p.Keys = nil },
		"keys of another type": func(p *auth.Platform) { p.Keys = foreignKeys{} },
		"keys that sign":       func(p *auth.Platform) { p.Keys = must(auth.NewKeys(must(auth.GenerateKey(auth.ES256)))) },
		"symmetric keys":       func(p *auth.Platform) { p.Keys = must(auth.NewKeys(nil, secret)) },
		"a name, no text":      func(p *auth.Platform) { p.Name = "\xff" },
		"an audience, no text": func(p *auth.Platform) { p.Audience = "\xff" },
		"a claim, no text":     func(p *auth.Platform) { p.SubjectClaim = "\xff" },
		"a scope, no text":     func(p *auth.Platform) { p.Scopes = []string{"a", "\xff"} },
		"a tier, no text":      func(p *auth.Platform) { p.Tier = "\xff" },
	} {
		p := fullPlatform()
		spoil(p)
		data, err := p.MarshalBinary()
		require.Error(t, err, name)
		require.Nil(t, data, name)
	}
	_, err := (*auth.Platform)(nil).MarshalBinary()
	require.Error(t, err)
}

func TestPlatformOfAnUnknownFormIsRefused(t *testing.T) {
	good := string(must((&auth.Platform{ID: "p", Keys: publicKeys(auth.RS512, platformKey())}).MarshalBinary()))
	altered := func(old, new string) string {
		require.Contains(t, good, old)
		return strings.Replace(good, old, new, 1)
	}
	jwks := published(publicKeys(auth.RS512, platformKey()))
	hmac := `{"keys":[{"kty":"oct","alg":"HS256","k":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}]}`
	for name, data := range map[string]string{
		"nothing":                     "",
		"null":                        "null",
		"no member":                   "{}",
		"cut":                         good[:len(good)-1],
		"more":                        good + "{}",
		"another version":             altered(`"version":1`, `"version":2`),
		"no version":                  altered(`"version":1`, `"versions":1`),
		"no keys":                     altered(jwks, `{"keys":[]}`),
		"keys that are null":          altered(jwks, `null`),
		"a secret for a key":          altered(jwks, hmac),
		"a key that cannot be used":   altered(`"n":"`, `"n":"AAAA`),
		"what Validate refuses":       altered(`"id":"p"`, `"id":"a b"`),
		"another algorithm":           altered(`"algorithms":null`, `"algorithms":["none"]`),
		"a network that is not valid": altered(`"networks":null`, `"networks":"10.0.0.1/8"`),
		"a member of another type":    altered(`"suspended":false`, `"suspended":"no"`),
	} {
		kept := auth.Platform{ID: "kept"}
		require.Error(t, kept.UnmarshalBinary([]byte(data)), name)
		require.Equal(t, auth.Platform{ID: "kept"}, kept, name)
	}
}

// What is read at all can be written again, and is read as the same.
func FuzzPlatformBinary(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		var p auth.Platform
		if p.UnmarshalBinary(data) != nil {
			require.Equal(t, auth.Platform{}, p)
			return
		}
		require.NoError(t, p.Validate())
		require.True(t, json.Valid(data))
		again, err := p.MarshalBinary()
		require.NoError(t, err)
		var q auth.Platform
		require.NoError(t, q.UnmarshalBinary(again))
		requireSamePlatform(t, &p, &q)
	})
}

func TestFuzzSeedsOfPlatformBinaryAreThere(t *testing.T) {
	seeds, err := os.ReadDir(filepath.Join("testdata", "fuzz", "FuzzPlatformBinary"))
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(seeds), 8)
}
