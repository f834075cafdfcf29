package jws_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/seed-077cad0b/auth/internal/jws"
	"github.com/stretchr/testify/require"
)

func TestSplit(t *testing.T) {
	token, ok := jws.Split("aa.bb.cc")
	require.True(t, ok)
	require.Equal(t, jws.Token{Header: "aa", Payload: "bb", Signature: "cc", Signed: "aa.bb"}, token)
	_, ok = jws.Split("aa..cc")
	require.True(t, ok, "a payload may be empty")

	// Checklist row 40: five parts are a JWE, and JSON serializations are not
	// for HTTP.
	for _, text := range []string{
		"", ".", "..", "...", "a", "a.", "a.b", "a.b.", ".b.c", "a..", "a.b.c.d", "a.b.c.d.e", "a...c",
		`{"payload":"YQ","protected":"YQ","signature":"YQ"}`,
	} {
		_, ok := jws.Split(text)
		require.False(t, ok, "%q", text)
	}
}

// Checklist row 39.
func TestAppendDecodeIsStrict(t *testing.T) {
	for n := range 20 {
		data := []byte(strings.Repeat("\xfb\xef\xbe", 7)[:n])
		got, err := jws.AppendDecode([]byte("before"), jws.Encode(data))
		require.NoError(t, err)
		require.Equal(t, "before"+string(data), string(got))

		// Line ends anywhere, which encoding/base64 skips.
		text := jws.Encode(data)
		for i := range len(text) + 1 {
			for _, junk := range []string{"\n", "\r", "\r\n", "\n\n\n", "\n\n\n\n", " ", "\t", "=", "==", ".", "\x00", "+", "/", "é"} {
				_, err := jws.AppendDecode(nil, text[:i]+junk+text[i:])
				require.ErrorIs(t, err, jws.ErrEncoding, "%q in %q at %d", junk, text, i)
			}
		}
	}
	for _, text := range []string{
		"YQ==", "YWI=", "YQ=", "Y", "YWJjZ", // padding, impossible lengths
		"YR", "YWJ", "Zh", "Zm9v-_x", // bits left over
		"+/+/", "Zm 9v", // another alphabet, white space
	} {
		_, err := jws.AppendDecode(nil, text)
		require.ErrorIs(t, err, jws.ErrEncoding, "%q", text)
	}
}

func TestParseHeader(t *testing.T) {
	parse := func(header string) (jws.Header, error) {
		return jws.ParseHeader(base64.RawURLEncoding.EncodeToString([]byte(header)))
	}
	h, err := parse(`{"typ":"JWT",` + "\r\n" + ` "alg":"HS256"}`)
	require.NoError(t, err)
	require.Equal(t, jws.Header{Algorithm: "HS256", Type: "JWT", HasType: true}, h)

	// Row 134: unknown members are ignored. Row 4: so are those by which a
	// token brings a key.
	h, err = parse(`{"alg":"HS256","kid":"","x":[{}],"jwk":{},"jku":"http://127.0.0.1","x5u":1,"x5c":[]}`)
	require.NoError(t, err)
	require.Equal(t, jws.Header{Algorithm: "HS256", HasKeyID: true}, h)

	for header, want := range map[string]error{
		// Row 2.
		`{}`:                jws.ErrHeader,
		`{"alg":""}`:        jws.ErrHeader,
		`{"alg":null}`:      jws.ErrHeader,
		`{"alg":256}`:       jws.ErrHeader,
		`{"alg":["HS256"]}`: jws.ErrHeader,
		// Row 9.
		`{"Alg":"HS256"}`: jws.ErrHeader,
		`{"ALG":"HS256"}`: jws.ErrHeader,
		// Row 10, and the last section of the checklist.
		`{"alg":"HS256","crit":["exp"],"exp":1}`:      jws.ErrCritical,
		`{"alg":"HS256","crit":[]}`:                   jws.ErrCritical,
		`{"alg":"HS256","crit":null}`:                 jws.ErrCritical,
		`{"alg":"HS256","crit":"exp"}`:                jws.ErrCritical,
		`{"alg":"HS256","crit":["b64"],"b64":true}`:   jws.ErrCritical,
		`{"alg":"HS256","b64":true}`:                  jws.ErrCritical,
		`{"alg":"HS256","b64":false}`:                 jws.ErrCritical,
		`{"alg":"HS256","zip":"DEF"}`:                 jws.ErrCritical,
		`{"alg":"HS256","cty":"JWT"}`:                 jws.ErrCritical,
		`{"alg":"HS256","\u0063rit":["exp"],"exp":1}`: jws.ErrCritical,
		// Types.
		`{"alg":"HS256","kid":1}`:    jws.ErrHeader,
		`{"alg":"HS256","kid":null}`: jws.ErrHeader,
		`{"alg":"HS256","typ":null}`: jws.ErrHeader,
		`{"alg":"HS256","typ":[]}`:   jws.ErrHeader,
		// Row 41 is strictjson's.
		`{"alg":"HS256","alg":"HS256"}`:    nil,
		`{"alg":"HS256"}{}`:                nil,
		`["alg"]`:                          nil,
		"\xef\xbb\xbf" + `{"alg":"HS256"}`: nil,
	} {
		_, err := parse(header)
		require.Error(t, err, header)
		if want != nil {
			require.ErrorIs(t, err, want, header)
		}
	}

	// Row 47.
	_, err = parse(`{"alg":"HS256","x":"` + strings.Repeat("x", jws.MaxHeader) + `"}`)
	require.ErrorIs(t, err, jws.ErrHeader)
	_, err = jws.ParseHeader("ey*")
	require.ErrorIs(t, err, jws.ErrEncoding)
}
