package oauth_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/oauth"
)

// Rows 12 and 13: a secret has 256 random bits, and what is kept of it is a hash
// that is no secret itself.
func TestNewClientSecret(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		text, kept := oauth.NewClientSecret()
		secret := text.Reveal()
		require.Regexp(t, `^cs_[-_0-9A-Za-z]{43}$`, secret)
		require.False(t, seen[secret])
		seen[secret] = true
		require.NotContains(t, fmt.Sprintf("%+v", kept), secret)

		c := webClient()
		c.Secrets = []oauth.ClientSecret{kept}
		require.True(t, c.HasSecret(secret, time.Now()))
		require.False(t, c.HasSecret(kept.Digest.String(), time.Now()))
		require.Equal(t, "[redacted]", fmt.Sprint(text))
	}
}

func TestImportClientSecret(t *testing.T) {
	for _, text := range []string{"12345678", "a secret with blanks % : + &", strings.Repeat("s", 256), "from-another.server:/+=~!", `"quoted"`} {
		kept, err := oauth.ImportClientSecret(text)
		require.NoError(t, err)
		c := webClient()
		c.Secrets = []oauth.ClientSecret{kept}
		require.NoError(t, c.Validate())
		require.True(t, c.HasSecret(text, time.Now()))
		for _, other := range []string{"", text + "x", text[1:], strings.ToUpper(text) + "1", kept.Digest.String()} {
			require.False(t, c.HasSecret(other, time.Now()), other)
		}
	}
	for _, text := range []string{"", "1234567", strings.Repeat("s", 257), "line-end-of-a-file\n", "s\x00cret-s\x00cret", "sécret-sécret"} {
		kept, err := oauth.ImportClientSecret(text)
		require.Error(t, err, "%q", text)
		require.True(t, kept.Digest.IsZero())
		if text != "" {
			require.NotContains(t, err.Error(), text)
		}
	}
}

// The digest of a secret is one of client secrets alone: whatever else has the
// same text, a session or a code, has another.
func TestClientSecretsAreHashedApart(t *testing.T) {
	text, kept := oauth.NewClientSecret()
	require.Equal(t, auth.DigestOf("client_secret", text.Reveal()), kept.Digest)
	require.NotEqual(t, auth.DigestOf(auth.KindSession, text.Reveal()), kept.Digest)
}

// Several secrets overlap, each until its own end.
func TestClientSecretsEnd(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	c := webClient()
	c.Secrets = nil
	var texts []string
	for _, end := range []time.Time{{}, at, at.Add(time.Hour)} {
		text, kept := oauth.NewClientSecret()
		kept.Expires = end
		c.Secrets, texts = append(c.Secrets, kept), append(texts, text.Reveal())
	}
	for offset, want := range map[time.Duration][3]bool{
		-time.Nanosecond:            {true, true, true},
		0:                           {true, false, true},
		time.Hour - time.Nanosecond: {true, false, true},
		time.Hour:                   {true, false, false},
		10000 * time.Hour:           {true, false, false},
	} {
		for i, text := range texts {
			require.Equal(t, want[i], c.HasSecret(text, at.Add(offset)), "secret %d at %v", i, offset)
		}
	}
	c.Secrets = nil
	require.False(t, c.HasSecret(texts[0], at))
}
