package auth_test

import (
	"encoding/base64"
	"hash/crc32"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
)

// withChecksum appends to a text the checksum of an API key, as the form says:
// the CRC-32 in six digits of base62.
func withChecksum(text string) string {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	sum := make([]byte, 6)
	for c, i := crc32.ChecksumIEEE([]byte(text)), 5; i >= 0; c, i = c/62, i-1 {
		sum[i] = digits[c%62]
	}
	return text + string(sum)
}

func TestTokenForm(t *testing.T) {
	form := auth.TokenForm("ses_")
	text := form.New()
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(text, "ses_"))
	require.NoError(t, err)
	require.Len(t, raw, 32, "256 bits")
	require.True(t, form.Match(text))
	requireRandom(t, form)
	for _, other := range []string{
		"", "ses_", text[1:], text[:len(text)-1], text + "A", text[:10] + "+" + text[11:], text[:10] + "=" + text[11:],
		text[:10] + "\x00" + text[11:], text[:10] + "é" + text[12:], strings.ToUpper(text[:4]) + text[4:], strings.Repeat("A", len(text)),
	} {
		require.False(t, form.Match(other), "%q", other)
	}
	require.True(t, form.Match("ses_"+strings.Repeat("-_aZ09b", 7)[:43]))
}

func TestUUIDForm(t *testing.T) {
	form := auth.UUIDForm()
	requireRandom(t, form)
	const text = "01234567-89ab-cdef-0123-456789abcdef"
	require.True(t, form.Match(text))
	for i := range text {
		for _, c := range []string{"g", "A", "F", "/", ":", "`", "-", "0", "\x00"} {
			other := text[:i] + c + text[i+1:]
			want := (c == "-") == (text[i] == '-') && (c == "-" || c == "0")
			require.Equal(t, want, form.Match(other), "%q", other)
		}
	}
	for _, other := range []string{"", text[1:], text + "0", "{" + text + "}", strings.ReplaceAll(text, "-", "")} {
		require.False(t, form.Match(other), "%q", other)
	}
	for range 100 {
		require.Regexp(t, `^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`, form.New())
	}
}

// requireRandom requires that every place of a form's text that varies takes
// all the values that it can, so that no bit is fixed, such as the version of a
// UUID.
func requireRandom(t *testing.T, form auth.Form) {
	t.Helper()
	const rounds = 4000
	values := map[int]map[byte]int{}
	for range rounds {
		text := form.New()
		require.True(t, form.Match(text))
		for i := range len(text) {
			if values[i] == nil {
				values[i] = map[byte]int{}
			}
			values[i][text[i]]++
		}
	}
	for i, seen := range values {
		if len(seen) == 1 {
			continue // a prefix, a hyphen
		}
		for c, n := range seen {
			// Six standard deviations; none is as likely as to fail once in a
			// million runs.
			mean := float64(rounds) / float64(len(seen))
			require.InDelta(t, mean, n, 6*sqrt(mean), "%q at %d of %d values", c, i, len(seen))
		}
	}
}

func sqrt(x float64) float64 {
	r := x
	for range 50 {
		r = (r + x/r) / 2
	}
	return r
}

func TestAPIKeySecretIsUniform(t *testing.T) {
	form := newKeys(t, newStore(t), nil).Form()
	all := map[byte]int{}
	requireRandom(t, auth.Form{New: func() string {
		text := form.New()[len("acme_live_"):][:43]
		for i := range len(text) {
			all[text[i]]++
		}
		return text
	}, Match: func(string) bool { return true }})

	// A byte taken modulo 62 would favour eight characters by a quarter.
	require.Len(t, all, 62)
	for c, n := range all {
		require.InEpsilon(t, 4000*43/62., n, 0.12, "%q", c)
	}
}

func TestAPIKeyChecksumIsCRC32(t *testing.T) {
	form := newKeys(t, newStore(t), nil).Form()
	for range 1000 {
		text := form.New()
		require.Equal(t, withChecksum(text[:len(text)-6]), text)
	}
}

func TestDigestIsSeparatedByKind(t *testing.T) {
	require.NotEqual(t, auth.DigestOf(auth.KindSession, "x"), auth.DigestOf(auth.KindAPIKey, "x"))
	require.NotEqual(t, auth.DigestOf("a", "bc"), auth.DigestOf("ab", "c"))
	require.NotEqual(t, auth.DigestOf("a", "x"), auth.DigestOf("a", "y"))
	long := strings.Repeat("x", 1000) // beyond every buffer
	require.NotEqual(t, auth.DigestOf("a", long), auth.DigestOf("a", long+"x"))
	require.Equal(t, auth.DigestOf("a", long), auth.DigestOf("a", long))
	require.False(t, auth.DigestOf("", "").IsZero())
	require.True(t, auth.Digest{}.IsZero())
}

func TestOwnerIsIssuerTenantAndSubject(t *testing.T) {
	owners := map[auth.Digest]bool{}
	all := []auth.Principal{
		{Subject: "a"}, {Subject: "b"}, {Tenant: "a"}, {Issuer: "a"},
		{Subject: "ab"}, {Tenant: "a", Subject: "b"}, {Issuer: "a", Subject: "b"}, {Issuer: "a", Tenant: "b"},
		{Subject: "a\x00b"}, {Tenant: "\x00\x00\x00\x01a"}, {Subject: strings.Repeat("a", 1000)},
	}
	for _, p := range all {
		owners[p.Owner()] = true
	}
	require.Len(t, owners, len(all))
	require.Equal(t, authtest.Principal("a", "read").Owner(), authtest.Principal("a").Owner())
}

func TestParseDigest(t *testing.T) {
	d := auth.DigestOf("kind", "text")
	require.Equal(t, d, must(auth.ParseDigest(d.String())))
	require.Len(t, d.String(), 43)
	text := auth.Digest{}.String()
	for name, other := range map[string]string{
		"empty":          "",
		"short":          text[1:],
		"long":           text + "A",
		"padded":         text + "=",
		"of another set": "+" + text[1:],
		"with a newline": text[:42] + "\n",
		"unused bits":    text[:42] + "B",
	} {
		got, err := auth.ParseDigest(other)
		require.Error(t, err, name)
		require.True(t, got.IsZero(), name)
	}
}

func TestRevisionsBeginAnywhere(t *testing.T) {
	seen := map[uint64]bool{}
	for range 1000 {
		r := auth.NewRevision()
		require.Less(t, r, uint64(1)<<62, "with room to grow")
		require.False(t, seen[r])
		seen[r] = true
	}
}

// Every credential of one kind, and every public id, is presented to every
// verifier: by its form or by its digest, it is refused.
func TestCredentialsOfOneKindAreNotThoseOfAnother(t *testing.T) {
	store := newStore(t)
	p := authtest.Principal("42")
	sessions := newSessions(t, store, nil)
	uuids := newSessions(t, store, &auth.SessionOptions{Form: auth.UUIDForm()})
	keys := newKeys(t, store, nil)
	refresh := must(auth.NewRefresh(store, sessions, nil))

	pair := must(refresh.Issue(t.Context(), p, nil))
	texts := map[string]auth.Verifier{
		must(sessions.Issue(t.Context(), p, nil)).Token.Reveal(): sessions,
		must(uuids.Issue(t.Context(), p, nil)).Token.Reveal():    uuids,
		must(keys.Create(t.Context(), p, nil)).Token.Reveal():    keys,
		pair.RefreshToken.Reveal():                               refresh,
	}
	verifiers := []auth.Verifier{sessions, uuids, keys, refresh}
	auth.Bearer(verifiers...) // panics where forms overlap
	for text, mine := range texts {
		for _, v := range verifiers {
			got, err := v.Verify(t.Context(), text)
			if v == mine {
				require.NoError(t, err)
				_, err = v.Verify(t.Context(), got.Credential.ID)
				require.Error(t, err, "the digest at rest is no credential")
				continue
			}
			require.Equal(t, auth.ErrNotMine, err, "%T", v)
		}
	}

	// Of the same form, on the same store, and still not the same.
	form := auth.TokenForm("rt_")
	alike := newSessions(t, store, &auth.SessionOptions{Form: form})
	require.Equal(t, auth.ErrInvalid, verify(alike, token(pair.RefreshToken.Reveal())))
	session := must(alike.Issue(t.Context(), p, nil))
	require.Equal(t, auth.ErrInvalid, verify(refresh, session))
	require.NoError(t, verify(alike, session))
}
