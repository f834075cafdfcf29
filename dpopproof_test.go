package auth_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
)

// Row 110: RFC 9449 section 4.3, each check on its own, by a proof that is good
// but for one thing.
func TestDPoPChecksOfAProof(t *testing.T) {
	stranger := newProver("ES256")
	now := func() int64 { return time.Now().Unix() }
	type row struct {
		name  string
		proof func(c *proofTrial) string
		want  string // the error of the challenge; empty: admitted
	}
	const bad, invalid = "invalid_dpop_proof", "invalid_token"
	signed := func(change func(d draft) draft) func(c *proofTrial) string {
		return func(c *proofTrial) string { return c.client.sign(change(c.draft())) }
	}
	claim := func(name string, value any) func(*proofTrial) string {
		return signed(func(d draft) draft { return d.with(name, value) })
	}
	header := func(name string, value any) func(*proofTrial) string {
		return signed(func(d draft) draft { return d.withHeader(name, value) })
	}
	member := func(name string, value any) func(*proofTrial) string {
		return func(c *proofTrial) string {
			return c.client.sign(c.draft().withHeader("jwk", change(c.client.jwk, name, value)))
		}
	}
	raw := func(f func(good string) string) func(*proofTrial) string {
		return func(c *proofTrial) string { return f(c.client.sign(c.draft())) }
	}
	part := func(i int, text string) func(*proofTrial) string {
		return raw(func(good string) string {
			parts := strings.Split(good, ".")
			parts[i] = text
			return strings.Join(parts, ".")
		})
	}
	for _, c := range []row{
		{"good", signed(func(d draft) draft { return d }), ""},
		{"with members of others", claim("sub", []int{1}), ""},

		// 2. A single well-formed JWT.
		{"none", func(*proofTrial) string { return "" }, bad},
		{"two parts", raw(func(s string) string { return s[:strings.LastIndexByte(s, '.')] }), bad},
		{"four parts", raw(func(s string) string { return s + ".AA" }), bad},
		{"two in one field", raw(func(s string) string { return s + ", " + s }), bad},
		{"blank at its end", raw(func(s string) string { return s + " " }), bad},
		{"padded", raw(func(s string) string { return s + "==" }), bad},
		{"header is no JSON", part(0, "AAAA"), bad},
		{"payload is no JSON", func(c *proofTrial) string { return signJSON(c, `[]`) }, bad},
		{"payload is not UTF-8", func(c *proofTrial) string { return signJSON(c, "{\"jti\":\"\xff\"}") }, bad},
		{"a claim twice", func(c *proofTrial) string { return signJSON(c, `{"jti":"1","jti":"1"}`) }, bad},
		{"too long", claim("x", strings.Repeat("x", 8<<10)), bad},

		// 3. The required claims.
		{"no jti", claim("jti", nil), bad},
		{"empty jti", claim("jti", ""), bad},
		{"jti is a number", claim("jti", 7), bad},
		{"jti as long as allowed", claim("jti", strings.Repeat("j", 256)), ""},
		{"jti too long", claim("jti", strings.Repeat("j", 257)), bad},
		{"no htm", claim("htm", nil), bad},
		{"no htu", claim("htu", nil), bad},
		{"no iat", claim("iat", nil), bad},
		{"iat is a text", claim("iat", "now"), bad},
		{"JTI", signed(func(d draft) draft { return d.with("jti", nil).with("JTI", "x") }), bad},

		// 4. typ: rows 42 and 43.
		{"no typ", header("typ", nil), bad},
		{"JWT", header("typ", "JWT"), bad},
		{"access token", header("typ", "at+jwt"), bad},
		{"media type", header("typ", "application/dpop+jwt"), ""},
		{"crit", header("crit", []string{"jwk"}), bad},

		// 5. alg.
		{"no alg", header("alg", nil), bad},
		{"alg none", header("alg", "none"), bad},
		{"none without a signature", func(c *proofTrial) string {
			text := c.client.sign(c.draft().withHeader("alg", "none"))
			return text[:strings.LastIndexByte(text, '.')+1]
		}, bad},
		{"alg HS256", header("alg", "HS256"), bad},
		{"alg of another key", header("alg", "ES384"), bad},
		{"alg of lower case", header("alg", "es256"), bad},
		{"an alg that is not admitted", func(*proofTrial) string {
			return newProver("PS384").proof("GET", apiURL+"/data", boundToken)
		}, bad},

		// 6. The signature, by the key in the header.
		{"signature of nobody", part(2, strings.Repeat("A", 86)), bad},
		{"signature of another key", func(c *proofTrial) string {
			return stranger.sign(c.draft())
		}, bad},
		{"payload changed", part(1, b64(`{"jti":"1","htm":"GET","htu":"https://api.example.com/data","iat":1}`)), bad},
		{"no key", header("jwk", nil), bad},
		{"key is a text", header("jwk", "key"), bad},
		{"key by reference", signed(func(d draft) draft { return d.withHeader("jwk", nil).withHeader("jku", "https://x.example") }), bad},
		{"key of another curve", member("crv", "P-384"), bad},
		{"key off its curve", member("x", strings.Repeat("A", 43)), bad},
		{"key without y", member("y", nil), bad},
		{"key for encryption", member("use", "enc"), bad},
		{"key of another alg", member("alg", "ES384"), bad},
		{"key with a kid", member("kid", "anything"), ""},

		// 7. The key is public.
		{"private key", member("d", strings.Repeat("A", 43)), bad},
		{"symmetric key", header("jwk", map[string]string{"kty": "oct", "k": strings.Repeat("A", 43)}), bad},

		// 8. htm.
		{"another method", claim("htm", "POST"), bad},
		{"method of lower case", claim("htm", "get"), bad},

		// 9. htu; what is equivalent has a test of its own.
		{"another path", claim("htu", apiURL+"/dat"), bad},
		{"another host", claim("htu", "https://api.example.org/data"), bad},

		// 11. iat.
		{"a minute old", func(c *proofTrial) string { return c.client.sign(c.draft().with("iat", now()-60)) }, ""},
		{"older", func(c *proofTrial) string { return c.client.sign(c.draft().with("iat", now()-61)) }, bad},
		{"a minute ahead", func(c *proofTrial) string { return c.client.sign(c.draft().with("iat", now()+60)) }, ""},
		{"further ahead", func(c *proofTrial) string { return c.client.sign(c.draft().with("iat", now()+61)) }, bad},
		{"of 1970", claim("iat", 0), bad},
		{"of the year 9999", claim("iat", int64(253402300799)), bad},
		{"of no time", claim("iat", int64(1)<<62), bad},
		{"expired", func(c *proofTrial) string { return c.client.sign(c.draft().with("exp", now())) }, bad},
		{"not expired", func(c *proofTrial) string { return c.client.sign(c.draft().with("exp", now()+1)) }, ""},
		{"not yet", func(c *proofTrial) string { return c.client.sign(c.draft().with("nbf", now()+61)) }, bad},
		{"exp is a text", claim("exp", "never"), bad},

		// 12. ath, and the key of the token.
		{"no ath", claim("ath", nil), bad},
		{"empty ath", claim("ath", ""), bad},
		{"ath of another token", func(c *proofTrial) string {
			return c.client.proof("GET", apiURL+"/data", "another")
		}, bad},
		{"ath is the token", claim("ath", boundToken), bad},
		{"another's key", func(*proofTrial) string { return stranger.proof("GET", apiURL+"/data", boundToken) }, invalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			authtest.At(t, begin, func(t *testing.T) {
				trial := newProofTrial(t, auth.DPoPOptions{})
				w := trial.get("/data", c.proof(trial))
				if c.want == "" {
					require.Equal(t, 200, w.Code, "%s %s", w.Header(), w.Body)
					require.Equal(t, int64(1), trial.store.writes.Load())
					return
				}
				require.Equal(t, 401, w.Code, w.Body)
				require.Equal(t, c.want, parseChallenges(t, w.Result())[0].params["error"])
				require.Zero(t, trial.store.writes.Load(), "what is refused writes nothing")
			})
		})
	}
}

// signJSON signs any payload under a good header.
func signJSON(c *proofTrial, payload string) string {
	good := c.client.sign(c.draft())
	header, _, _ := strings.Cut(good, ".")
	return c.client.signText(decodeText(header), payload)
}

// 1. One field.
func TestDPoPOneFieldOnly(t *testing.T) {
	c := newProofTrial(t, auth.DPoPOptions{})
	r := from("GET", "/data", "Authorization", "DPoP "+boundToken, "DPoP", c.client.sign(c.draft()), "DPoP", c.client.sign(c.draft()))
	w := serve(c.guard.WrapFunc(hello), r)
	require.Equal(t, 401, w.Code)
	require.Equal(t, "invalid_dpop_proof", parseChallenges(t, w.Result())[0].params["error"])
}

func TestDPoPAlgorithms(t *testing.T) {
	for _, alg := range []string{"ES256", "ES384", "ES512", "EdDSA", "Ed25519", "PS256", "RS256"} {
		client := newProver(alg)
		guard := auth.NewGuard(newDPoP(t, newStore(t), auth.DPoPOptions{}).Source(client.bound("token")), nil)
		require.Equal(t, 200, serve(guard.WrapFunc(hello), client.request("GET", "/", "token")).Code, alg)

		only := auth.ES256
		if alg == "ES256" {
			only = auth.PS256
		}
		guard = auth.NewGuard(newDPoP(t, newStore(t), auth.DPoPOptions{Algorithms: []auth.Algorithm{only}}).Source(client.bound("token")), nil)
		w := serve(guard.WrapFunc(hello), client.request("GET", "/", "token"))
		require.Equal(t, 401, w.Code, alg)
		require.Equal(t, map[string]string{
			"algs": string(only), "error": "invalid_dpop_proof", "error_description": "The DPoP proof is not valid.",
		}, parseChallenges(t, w.Result())[0].params)
	}
}

// Rows 42 and 43: neither is a proof a token, nor a token a proof, whoever has
// signed it.
func TestDPoPProofsAndTokensAreNotMistakenForEachOther(t *testing.T) {
	client := newProver("ES256")
	key := must(auth.ParseJWK(must(json.Marshal(client.jwk))))
	tokens := newJWT(t, keySet(t, nil, key), nil)
	now := time.Now().Unix()
	both := client.draft("GET", apiURL+"/", "")
	for name, value := range map[string]any{"iss": jwtIssuer, "aud": jwtAudience, "sub": "alice", "exp": now + 60} {
		both = both.with(name, value)
	}
	dpop := newDPoP(t, newStore(t), auth.DPoPOptions{})
	for typ, want := range map[string]struct{ token, proof bool }{
		"dpop+jwt": {false, true}, "JWT": {true, false}, "at+jwt": {false, false}, "logout+jwt": {false, false},
	} {
		text := client.sign(both.withHeader("typ", typ).withHeader("kid", key.ID()))
		_, err := tokens.Verify(t.Context(), text)
		require.Equal(t, want.token, err == nil, "%s: %v", typ, err)
		_, err = dpop.Prove(from("GET", "/", "DPoP", text), "")
		require.Equal(t, want.proof, err == nil, "%s: %v", typ, err)
	}
}

// Row 126: what a client is told has nothing of what it has sent.
func TestDPoPAnswersCarryNoInput(t *testing.T) {
	const marker = "XSSMARKER"
	c := newProofTrial(t, auth.DPoPOptions{NonceKey: nonceKey})
	for name, proof := range map[string]string{
		"text": marker, "typ": c.client.sign(c.draft().withHeader("typ", marker)), "alg": c.client.sign(c.draft().withHeader("alg", marker)),
		"htm": c.client.sign(c.draft().with("htm", marker)), "htu": c.client.sign(c.draft().with("htu", marker)),
		"nonce": c.client.sign(c.draft().with("nonce", marker)), "jwk": c.client.sign(c.draft().withHeader("jwk", marker)),
	} {
		r := from("GET", "/data", "Authorization", "DPoP "+boundToken, "DPoP", proof)
		_, err := c.guard.Check(r)
		require.NotContains(t, err.Error(), marker, "the log has none of it either: %s", name)
		w := c.get("/data", proof)
		require.Equal(t, 401, w.Code, name)
		require.NotContains(t, w.Body.String()+fmt.Sprint(w.Header()), marker, name)
		require.NotContains(t, fmt.Sprint(w.Header()), boundToken, name)
	}
}
