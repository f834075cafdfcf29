package jws_test

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/seed-077cad0b/auth/internal/jws"
	"github.com/stretchr/testify/require"
)

// What Split, AppendDecode and ParseHeader accept has one spelling only, and
// encoding/json reads the same in it.
func FuzzCompact(f *testing.F) {
	f.Fuzz(func(t *testing.T, text string) {
		token, ok := jws.Split(text)
		if !ok {
			return
		}
		if token.Header+"."+token.Payload+"."+token.Signature != text || token.Header+"."+token.Payload != token.Signed || strings.Count(text, ".") != 2 {
			t.Fatalf("%q became %+v", text, token)
		}
		for _, part := range []string{token.Header, token.Payload, token.Signature} {
			if data, err := jws.AppendDecode(nil, part); err == nil && jws.Encode(data) != part {
				t.Fatalf("%q has another spelling", part)
			}
		}
		h, err := jws.ParseHeader(token.Header)
		if err != nil {
			return
		}
		data, err := base64.RawURLEncoding.Strict().DecodeString(token.Header)
		var members map[string]any
		if err != nil || json.Unmarshal(data, &members) != nil {
			t.Fatalf("%q was accepted", data)
		}
		if members["alg"] != h.Algorithm || h.HasKeyID && members["kid"] != h.KeyID || h.HasType && members["typ"] != h.Type {
			t.Fatalf("%q became %+v", data, h)
		}
		for _, refused := range []string{"crit", "b64", "zip", "cty"} {
			if _, there := members[refused]; there {
				t.Fatalf("%q was accepted", data)
			}
		}
	})
}

// A key that is read can be published, and read again as the same.
func FuzzJWK(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		_, _ = jws.ParseJWKS(data, "RS256")
		k, err := jws.ParseJWK(data, "RS256")
		if err != nil {
			if k != nil {
				t.Fatal("a key and an error")
			}
			return
		}
		check(t, k)
	})
}

func FuzzPEM(f *testing.F) {
	f.Fuzz(func(t *testing.T, alg string, data []byte) {
		k, err := jws.ParsePEM("", alg, data)
		if err != nil {
			return
		}
		if k.Algorithm() != alg || k.Symmetric() || k.ID() != k.Thumbprint() {
			t.Fatalf("%q is not of %q", data, alg)
		}
		check(t, k)
	})
}

func check(t *testing.T, k *jws.Key) {
	if k.ID() == "" || k.Verify("a.b", nil) == nil || k.Verify("a.b", make([]byte, 64)) == nil {
		t.Fatal("the key verifies nothing")
	}
	if k.CanSign() {
		signature, err := k.Sign("a.b")
		if err != nil || k.Verify("a.b", signature) != nil {
			t.Fatalf("the key does not sign: %v", err)
		}
	}
	public, ok := k.Public()
	if !ok {
		return
	}
	text, err := json.Marshal(public)
	if err != nil {
		t.Fatal(err)
	}
	again, err := jws.ParseJWK(text, "")
	if err != nil || again.Thumbprint() != k.Thumbprint() || again.ID() != k.ID() || again.CanSign() {
		t.Fatalf("%s does not come back: %v", text, err)
	}
}

// Seeds that go missing go missing silently.
func TestFuzzSeeds(t *testing.T) {
	for target, n := range map[string]int{"FuzzAppendDecode": 14, "FuzzCompact": 15, "FuzzJWK": 14, "FuzzPEM": 14} {
		seeds, err := os.ReadDir("testdata/fuzz/" + target)
		require.NoError(t, err)
		require.Len(t, seeds, n, target)
	}
}
