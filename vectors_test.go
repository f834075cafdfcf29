package auth_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/seed-077cad0b/auth"
	"github.com/stretchr/testify/require"
)

// verifyJWS is verify(token, JWK or JWK Set) error, below the claims.
func verifyJWS(token string, jwk []byte) error {
	var set struct {
		Keys json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(jwk, &set); err != nil {
		return err
	}
	var (
		parsed []*auth.Key
		err    error
	)
	if set.Keys != nil {
		parsed, err = auth.ParseJWKS(jwk)
	} else {
		parsed = make([]*auth.Key, 1)
		parsed[0], err = auth.ParseJWK(jwk)
	}
	if err != nil {
		return err
	}
	keys, err := auth.NewKeys(nil, parsed...)
	if err != nil {
		return err
	}
	return auth.VerifyJWS(token, keys)
}

func TestRFCVectors(t *testing.T) {
	valid := 0
	for _, v := range rfcVectors {
		err := verifyJWS(v.token, []byte(v.jwk))
		require.Equal(t, v.valid, err == nil, "%s: %v", v.name, err)
		if v.valid {
			valid++
		}
	}
	require.Len(t, rfcVectors, 16)
	require.Equal(t, 9, valid)
}

// The vectors of others are not ours to commit: AUTH_VECTORS names the folder
// that holds them.
func TestVectors(t *testing.T) {
	folder := os.Getenv("AUTH_VECTORS")
	if folder == "" {
		t.Skip("AUTH_VECTORS is not set: the vectors of Wycheproof and the JOSE cookbook are not run")
	}
	t.Run("jose-rfc", func(t *testing.T) {
		var file struct {
			Vectors []struct {
				ID, Token, Expect string
				JWK               json.RawMessage
			}
		}
		read(t, filepath.Join(folder, "jose-rfc", "vectors.json"), &file)
		var count tally
		for _, v := range file.Vectors {
			count.add(t, v.ID, v.Expect == "accept", verifyJWS(v.Token, v.JWK))
		}
		require.Equal(t, tally{valid: 9, invalid: 29}, count)
	})
	for name, want := range map[string]tally{
		"json_web_signature_test.json": {valid: 40, invalid: 353, unscored: 8},
		"json_web_key_test.json":       {valid: 5, invalid: 20, unscored: 1},
		"json_web_crypto_test.json":    {valid: 4, invalid: 44, unscored: 1, encrypted: 34},
	} {
		t.Run(name, func(t *testing.T) {
			var file struct {
				NumberOfTests int
				TestGroups    []struct {
					Type            string
					Private, Public json.RawMessage
					Tests           []struct {
						ID              int `json:"tcId"`
						Comment, Result string
						JWS             json.RawMessage
					}
				}
			}
			read(t, filepath.Join(folder, "wycheproof", name), &file)
			var count tally
			for _, g := range file.TestGroups {
				key := g.Public
				if key == nil {
					key = g.Private
				}
				for _, v := range g.Tests {
					switch {
					case v.JWS == nil:
						count.encrypted++ // a test of JWE
					case unscored[name][v.ID]:
						count.unscored++
					default:
						count.add(t, v.Comment, v.Result == "valid", verifyJWS(compact(v.JWS), key))
					}
				}
			}
			require.Equal(t, want, count)
			require.Equal(t, file.NumberOfTests, count.valid+count.invalid+count.unscored+count.encrypted)
		})
	}
}

// unscored are the vectors that contradict each other or the RFCs, as the
// folder's README tells, and those of ROCA keys.
var unscored = map[string]map[int]bool{
	"json_web_signature_test.json": {346: true, 350: true, 347: true, 351: true, 367: true, 370: true, 372: true, 373: true},
	"json_web_key_test.json":       {7: true},
	"json_web_crypto_test.json":    {46: true},
}

// compact returns the text of a token, or of the object that one of them is.
func compact(jws json.RawMessage) string {
	var text string
	if json.Unmarshal(jws, &text) != nil {
		return string(jws)
	}
	return text
}

// A tally counts what was held against its vector.
type tally struct{ valid, invalid, unscored, encrypted int }

func (c *tally) add(t *testing.T, name string, valid bool, err error) {
	require.Equal(t, valid, err == nil, "%s: %v", name, err)
	if valid {
		c.valid++
	} else {
		c.invalid++
	}
}

func read(t *testing.T, path string, into any) {
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, into))
}
