package oauth_test

import (
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth/oauth"
)

func TestParams(t *testing.T) {
	for encoded, want := range map[string]url.Values{
		"":                                    {},
		"a=1&b=2":                             {"a": {"1"}, "b": {"2"}},
		"a=&b":                                {},
		"a=%C3%A9+x":                          {"a": {"é x"}},
		"resource=x&resource=y&audience=z":    {"resource": {"x", "y"}, "audience": {"z"}},
		"resource=&resource=y":                {"resource": {"y"}},
		strings.Repeat("&", 63):               {},
		"a=" + strings.Repeat("x", 1000):      {"a": {strings.Repeat("x", 1000)}},
		"Grant_type=x&grant_type=y":           {"Grant_type": {"x"}, "grant_type": {"y"}},
		"grant_type=authorization_code&a=%26": {"grant_type": {"authorization_code"}, "a": {"&"}},
	} {
		p, err := oauth.ParseParams(encoded)
		require.NoError(t, err, encoded)
		require.Equal(t, want, p)
	}
	for _, encoded := range []string{"a=1&a=1", "a=&a=1", "a&a", "a=%", "a=%zz", "a;b", "a=%ff", "%ff=a", "a=%00", "scope=x&scope=y", strings.Repeat("&", 64)} {
		_, err := oauth.ParseParams(encoded)
		require.ErrorIs(t, err, oauth.ErrInvalidRequest, encoded)
	}
}

// Row 48: whatever the text, it is refused, or what is read is what net/url reads,
// each name once.
func FuzzParams(f *testing.F) {
	f.Fuzz(func(t *testing.T, encoded string) {
		p, err := oauth.ParseParams(encoded)
		if err != nil {
			require.ErrorIs(t, err, oauth.ErrInvalidRequest)
			require.NotContains(t, strings.TrimPrefix(err.Error(), "oauth: invalid_request: "), "oauth:")
			return
		}
		naive, err := url.ParseQuery(encoded)
		require.NoError(t, err)
		for name, values := range naive {
			left := slices.DeleteFunc(slices.Clone(values), func(v string) bool { return v == "" })
			if len(left) == 0 {
				require.NotContains(t, p, name)
				continue
			}
			require.Equal(t, left, p[name])
			require.True(t, len(values) == 1 || name == "resource" || name == "audience")
		}
		for name, values := range p {
			require.True(t, utf8.ValidString(name+strings.Join(values, "")))
			require.NotEmpty(t, values)
		}
		require.LessOrEqual(t, len(p), 64)
	})
}

// Seeds that vanish are missed by nobody else.
func TestFuzzSeedsOfTheTokenEndpointAreThere(t *testing.T) {
	for target, want := range map[string]int{"FuzzParams": 16, "FuzzTokenRequest": 24} {
		seeds, err := os.ReadDir(filepath.Join("testdata", "fuzz", target))
		require.NoError(t, err)
		require.GreaterOrEqual(t, len(seeds), want, target)
	}
}
