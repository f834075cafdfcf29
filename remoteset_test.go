package auth_test

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
)

// changed returns a JWK with members changed; nil removes one.
func changed(t *testing.T, jwk string, changes ...any) string {
	var m map[string]any
	require.NoError(t, json.Unmarshal([]byte(jwk), &m))
	for i := 0; i < len(changes); i += 2 {
		m[changes[i].(string)] = changes[i+1]
		if changes[i+1] == nil {
			delete(m, changes[i].(string))
		}
	}
	text, err := json.Marshal(m)
	require.NoError(t, err)
	return string(text)
}

// Row 45, and contract: what cannot be used is left out and the rest goes on.
func TestRemoteKeysLeaveOut(t *testing.T) {
	key := generate(t, auth.ES256)
	rest := string(publicJWK(t, key))
	es := string(publicJWK(t, generate(t, auth.ES256)))
	rs := string(publicJWK(t, anRSAKey(t)))
	ed := string(publicJWK(t, generate(t, auth.EdDSA)))
	const private = `{"kty":"OKP","crv":"Ed25519","kid":"2026","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}`
	for name, c := range map[string]struct {
		jwk  string
		want string // in what OnError is told; empty: nothing
	}{
		"unknown kty":       {`{"kty":"AKP","kid":"a","alg":"ML-DSA-44","pub":"AAAA"}`, "not of the kind"},
		"no kty":            {changed(t, es, "kty", nil), "not of the kind"},
		"empty":             {`{}`, "not of the kind"},
		"no object":         {`[]`, "malformed"},
		"null":              {`null`, "malformed"},
		"a text":            {`"key"`, "malformed"},
		"unknown alg":       {changed(t, es, "alg", "ES256K"), "unknown algorithm"},
		"none":              {changed(t, es, "alg", "none"), "unknown algorithm"},
		"empty alg":         {changed(t, rs, "alg", ""), "unknown algorithm"},
		"another alg":       {changed(t, es, "alg", "RS256"), "not of the kind"},
		"for encryption":    {changed(t, rs, "use", "enc"), ""},
		"encrypting alg":    {changed(t, rs, "use", "enc", "alg", "RSA-OAEP"), ""},
		"unknown use":       {changed(t, rs, "use", "tls"), ""},
		"key_ops":           {changed(t, rs, "use", nil, "key_ops", []string{"encrypt"}), ""},
		"no key_ops":        {changed(t, rs, "use", nil, "key_ops", []string{}), ""},
		"doubled key_ops":   {changed(t, rs, "key_ops", []string{"verify", "verify"}), "malformed"},
		"malformed key_ops": {changed(t, rs, "key_ops", "verify"), "malformed"},
		"weak":              {changed(t, rs, "n", b64("\x80"+strings.Repeat("\xff", 127))), "too weak"},
		"huge":              {changed(t, rs, "n", b64("\x80"+strings.Repeat("\xff", 1025))), "malformed"},
		"exponent of one":   {changed(t, rs, "e", "AQ"), "weak"},
		"not on the curve":  {changed(t, es, "x", b64(strings.Repeat("\x01", 32))), "malformed"},
		"another curve":     {changed(t, es, "crv", "P-384"), "not of the kind"},
		"short coordinate":  {changed(t, es, "x", "AQ"), "malformed"},
		"padded":            {changed(t, ed, "x", "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo="), "malformed"},
		"empty kid":         {changed(t, es, "kid", ""), "key id"},
		"long kid":          {changed(t, es, "kid", strings.Repeat("k", 257)), "key id"},
		"kid of a number":   {changed(t, es, "kid", 7), "malformed"},
		"a secret":          {`{"kty":"oct","kid":"k1","alg":"HS256","k":"` + b64(string(jwtSecret)) + `"}`, "none once it is published"},
		"a secret for enc":  {`{"kty":"oct","kid":"k1","alg":"HS256","use":"enc","k":"` + b64(string(jwtSecret)) + `"}`, "none once it is published"},
		"an empty secret":   {`{"kty":"oct","kid":"k1","alg":"HS256"}`, "too weak"},
		"private":           {private, "none once it is published"},
		"private to verify": {changed(t, private, "key_ops", []string{"verify"}), "none once it is published"},
		"private of RSA":    {changed(t, rs, "d", "AQAB"), "none once it is published"},
		"a private part":    {changed(t, rs, "dp", "AQAB"), "none once it is published"},
		"two of a kid":      {changed(t, es, "kid", "same") + "," + changed(t, string(publicJWK(t, generate(t, auth.ES256))), "kid", "same"), "same kid and algorithm"},
		"three of a kid":    {changed(t, es, "kid", "same") + "," + changed(t, es, "kid", "same") + "," + changed(t, string(publicJWK(t, generate(t, auth.ES256))), "kid", "same"), "same kid and algorithm"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, document := range []string{`{"keys":[` + c.jwk + `,` + rest + `]}`, `{"keys":[` + rest + `,` + c.jwk + `],"more":1}`} {
				keys, leftOut, err := auth.ReadRemoteKeys([]byte(document))
				require.NoError(t, err)
				require.Len(t, keys, 1)
				require.Equal(t, key.ID(), keys[0].ID())
				if c.want == "" {
					require.NoError(t, leftOut)
				} else {
					require.ErrorContains(t, leftOut, c.want)
				}
			}
		})
	}
}

// What a provider may well write is used.
func TestRemoteKeysUse(t *testing.T) {
	es := string(publicJWK(t, generate(t, auth.ES256)))
	rs := string(publicJWK(t, anRSAKey(t)))
	ed := string(publicJWK(t, generate(t, auth.EdDSA)))
	for document, want := range map[string][]string{
		es:                               {"ES256"},
		changed(t, es, "alg", nil):       {"ES256"},
		changed(t, ed, "alg", nil):       {"EdDSA"},
		changed(t, ed, "alg", "Ed25519"): {"Ed25519"},
		changed(t, rs, "alg", nil):       {"RS256"},
		changed(t, rs, "alg", "PS512"):   {"PS512"},
		changed(t, rs, "use", nil):       {"RS256"},
		changed(t, rs, "kid", nil):       {"RS256"},
		changed(t, rs, "x5c", []string{"MII"}, "x5t", "A", "n2", 1): {"RS256"},
		changed(t, rs, "use", nil, "key_ops", []string{"verify"}):   {"RS256"},
		es + "," + es: {"ES256"}, // twice the same
		// RFC 7517 section 4.5: one kid for equivalent keys of different kinds.
		changed(t, rs, "kid", "a") + "," + changed(t, es, "kid", "a"):                            {"RS256", "ES256"},
		changed(t, rs, "kid", "a", "alg", "PS256") + "," + changed(t, rs, "kid", "a") + "," + es: {"PS256", "RS256", "ES256"},
	} {
		keys, leftOut, err := auth.ReadRemoteKeys([]byte(`{"keys":[` + document + `]}`))
		require.NoError(t, err)
		require.NoError(t, leftOut)
		var got []string
		for _, k := range keys {
			got = append(got, string(k.Algorithm()))
		}
		require.Equal(t, want, got, document)
	}
	keys, _, err := auth.ReadRemoteKeys([]byte(`{"keys":[` + strings.TrimSuffix(strings.Repeat(es+",", 256), ",") + `]}`))
	require.NoError(t, err)
	require.Len(t, keys, 1)
}

// The keys of one kid are told apart by their algorithm, and a token without a
// kid may be of any key of its own.
func TestRemoteKeysLookup(t *testing.T) {
	a, b, c := generate(t, auth.ES256), generate(t, auth.EdDSA), generate(t, auth.ES256)
	b, err := b.WithID(a.ID())
	require.NoError(t, err)
	p := newProvider(t)
	p.text(keysPath, `{"keys":[`+strings.Join([]string{string(publicJWK(t, a)), string(publicJWK(t, b)), string(publicJWK(t, c))}, ",")+`]}`)
	keys := p.remote(auth.RemoteKeysOptions{})
	for _, want := range []struct {
		kid  string
		alg  auth.Algorithm
		keys []*auth.Key
	}{
		{a.ID(), auth.ES256, []*auth.Key{a}},
		{a.ID(), auth.EdDSA, []*auth.Key{b}},
		{a.ID(), auth.RS256, nil},
		{a.ID(), auth.HS256, nil},
		{c.ID(), auth.ES256, []*auth.Key{c}},
		{c.ID(), auth.EdDSA, nil},
		{"", auth.ES256, []*auth.Key{a, c}},
		{"", auth.EdDSA, []*auth.Key{b}},
		{"", auth.HS256, nil},
		{"", "", nil},
		{"", "none", nil},
	} {
		found, err := keys.Lookup(t.Context(), want.kid, want.alg)
		require.NoError(t, err)
		require.Len(t, found, len(want.keys), "%q %s", want.kid, want.alg)
		for i, k := range found {
			require.Equal(t, want.keys[i].ID(), k.ID())
			require.Equal(t, want.alg, k.Algorithm())
			require.True(t, keys.Contains(k))
		}
	}
	require.Equal(t, 1, p.fetched())
	j := p.jwt(keys)
	for _, k := range []*auth.Key{a, b, c} {
		good(t, j, p.token(k))
	}
	none, err := keys.Lookup(t.Context(), "", auth.RS256)
	require.NoError(t, err)
	require.Empty(t, none)
	require.Equal(t, 2, p.fetched(), "an algorithm that has no key yet is worth a fetch")
}

// The default of RSA keys without alg is an option.
func TestRemoteKeysAlgorithm(t *testing.T) {
	signer := authtest.NewPlatform("signer") // by RS512
	key := must(signer.Entry().Keys.Lookup(t.Context(), "", auth.RS512))[0]
	p := newProvider(t, key)
	token := signer.SignClaims(json.RawMessage(p.claims().String()))
	good(t, p.jwt(p.remote(auth.RemoteKeysOptions{})), token)
	var set struct{ Keys []json.RawMessage }
	require.NoError(t, json.Unmarshal([]byte(jwks(t, key)), &set))
	p.text(keysPath, `{"keys":[`+changed(t, string(set.Keys[0]), "alg", nil)+`]}`)
	bad(t, p.jwt(p.remote(auth.RemoteKeysOptions{})), token)
	good(t, p.jwt(p.remote(auth.RemoteKeysOptions{Algorithm: auth.RS512})), token)
}

// What is left out is told once for each document, and without the text of it.
func TestRemoteKeysTellWhatIsLeftOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key := generate(t, auth.ES256)
		p := newPipedProvider(t, key)
		document := `{"keys":[{"kty":"hunter2"},` + string(publicJWK(t, key)) + `]}`
		p.text(keysPath, document)
		var told complaints
		keys := p.remote(auth.RemoteKeysOptions{OnError: told.note})
		good(t, p.jwt(keys), p.token(key))
		authtest.Advance(time.Hour)
		require.Len(t, told.all(), 1)
		require.ErrorContains(t, told.all()[0], "keys of "+p.issuer+keysPath+": left out: key 1: ")
		require.NotContains(t, told.all()[0].Error(), "hunter2")

		p.text(keysPath, document+" ")
		authtest.Advance(time.Hour)
		require.Len(t, told.all(), 2)
	})
}

// Row 48: whatever a provider says is its set, what is read of it verifies and
// cannot sign, and no two keys go by one name.
func FuzzRemoteKeySet(f *testing.F) {
	f.Fuzz(func(t *testing.T, document []byte) {
		keys, leftOut, err := auth.ReadRemoteKeys(document)
		if err != nil {
			require.Empty(t, keys)
			require.NoError(t, leftOut)
			return
		}
		require.LessOrEqual(t, len(keys), 256)
		var members map[string]json.RawMessage // which does not fold names
		require.NoError(t, json.Unmarshal(document, &members))
		var texts []json.RawMessage
		require.NoError(t, json.Unmarshal(members["keys"], &texts))
		names := map[string]bool{}
		for _, k := range keys {
			require.False(t, k.CanSign())
			require.False(t, auth.IsSymmetric(k))
			require.NotEmpty(t, k.ID())
			name := fmt.Sprint(k.ID(), "\x00", k.Algorithm())
			require.False(t, names[name], "two of a name")
			names[name] = true
		}
		// One at a time, none of them is more than it was among others.
		for _, m := range texts {
			one, _, err := auth.ReadRemoteKeys(slices.Concat([]byte(`{"keys":[`), m, []byte(`]}`)))
			require.NoError(t, err)
			require.LessOrEqual(t, len(one), 1)
		}
	})
}

// Seeds that go missing go missing silently.
func TestRemoteFuzzSeeds(t *testing.T) {
	for target, n := range map[string]int{"FuzzRemoteKeySet": 14, "FuzzProviderMetadata": 12} {
		seeds, err := os.ReadDir("testdata/fuzz/" + target)
		require.NoError(t, err)
		require.Len(t, seeds, n, target)
	}
}
