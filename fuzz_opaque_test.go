package auth_test

import (
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
)

// What a regular expression says of a text is what its verifier says, and the
// store is asked of a key with the right checksum only.
func FuzzAPIKeyText(f *testing.F) {
	form := regexp.MustCompile(`^acme_live_[0-9A-Za-z]{49}$`)
	store := newTap(f)
	keys := newKeys(f, store, nil)
	f.Fuzz(func(t *testing.T, text string) {
		want, calls := error(auth.ErrInvalid), 0
		switch {
		case !form.MatchString(text):
			want = auth.ErrNotMine
		case withChecksum(text[:len(text)-6]) == text:
			calls = 1
		}
		store.count()
		require.Equal(t, want, verify(keys, token(text)))
		require.Equal(t, calls, store.count())
		_, err := keys.Lookup(t.Context(), text)
		require.ErrorIs(t, err, auth.ErrNotFound)
	})
}

// A text is the token of a session if it has the form and one was opened by it;
// no other verifier takes it for its own.
func FuzzSessionToken(f *testing.F) {
	forms := map[string]auth.Form{
		`^[-_0-9A-Za-z]{43}$`:     auth.TokenForm(""),
		`^ses_[-_0-9A-Za-z]{43}$`: auth.TokenForm("ses_"),
		`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`: auth.UUIDForm(),
	}
	f.Fuzz(func(t *testing.T, text string) {
		for pattern, form := range forms {
			store := newStore(t)
			s := newSessions(t, store, &auth.SessionOptions{Form: form})
			want := []error{auth.ErrInvalid, nil}
			if !regexp.MustCompile(pattern).MatchString(text) {
				want = []error{auth.ErrNotMine, auth.ErrNotMine}
			}
			require.Equal(t, want[0], verify(s, token(text)))
			plant(t, store, auth.KindSession, text)
			require.Equal(t, want[1], verify(s, token(text)), pattern)
			require.Error(t, verify(newRefresh(t, store, s, nil), token(text)))
			require.Error(t, verify(newKeys(t, store, nil), token(text)))
		}
	})
}

// A text is a refresh token if it has the form and a record, and then it has one
// successor.
func FuzzRefreshToken(f *testing.F) {
	form := regexp.MustCompile(`^rt_[-_0-9A-Za-z]{43}$`)
	f.Fuzz(func(t *testing.T, text string) {
		store := newStore(t)
		s := newSessions(t, store, nil)
		refresh := newRefresh(t, store, s, nil)
		plant(t, store, auth.KindRefresh, text)
		first, err := exchange(refresh, auth.NewSecret(text), nil)
		if !form.MatchString(text) {
			require.Equal(t, auth.ErrNotMine, err)
			return
		}
		require.NoError(t, err)
		require.Regexp(t, form, first.RefreshToken.Reveal())
		require.NotEqual(t, text, first.RefreshToken.Reveal())
		again, err := exchange(refresh, auth.NewSecret(text), nil)
		require.NoError(t, err)
		require.Equal(t, first.RefreshToken.Reveal(), again.RefreshToken.Reveal())
		require.Equal(t, auth.ErrNotMine, verify(s, token(text)))
	})
}

// plant puts a record where a credential of that text has its own.
func plant(t *testing.T, store auth.Store, k auth.Kind, text string) {
	t.Helper()
	p := authtest.Principal("42")
	p.Credential = auth.Credential{ID: auth.DigestOf(k, text).String(), Kind: k, Family: "family", Expires: time.Now().Add(time.Hour)}
	require.NoError(t, store.Insert(t.Context(), auth.DigestOf(k, text), auth.Record{
		Kind: k, Owner: p.Owner(), Principal: p, Expires: p.Credential.Expires, Seen: time.Now(),
	}))
}

// An id that is read has one text, and that is the one.
func FuzzParseDigest(f *testing.F) {
	store := newStore(f)
	s := newSessions(f, store, nil)
	f.Fuzz(func(t *testing.T, text string) {
		d, err := auth.ParseDigest(text)
		require.ErrorIs(t, s.End(t.Context(), authtest.Principal("42"), text), auth.ErrNotFound)
		if err != nil {
			require.True(t, d.IsZero())
			raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
			require.False(t, err == nil && len(raw) == len(d) && base64.RawURLEncoding.EncodeToString(raw) == text, "%q is refused", text)
			return
		}
		require.Equal(t, text, d.String())
		var reason auth.Reason
		require.True(t, errors.As(verify(s, token(text)), &reason), "an id is no token")
	})
}

func TestFuzzSeedsOfOpaqueCredentialsAreThere(t *testing.T) {
	for target, want := range map[string]int{
		"FuzzAPIKeyText": 12, "FuzzSessionToken": 12, "FuzzRefreshToken": 8, "FuzzParseDigest": 10,
	} {
		seeds, err := os.ReadDir(filepath.Join("testdata", "fuzz", target))
		require.NoError(t, err)
		require.Len(t, seeds, want, target)
	}
}
