package password_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth/password"
	"github.com/seed-077cad0b/auth/store/memstore"
)

// Row 55: length in code points, nothing about composition, a blocklist.
func TestPolicy(t *testing.T) {
	errList := errors.New("the list cannot be reached")
	blocklist := func(_ context.Context, pw string) (bool, error) {
		switch pw {
		case "passwordpassword", "caf\u00e9caf\u00e9caf\u00e9caf\u00e9":
			return true, nil
		case "unreachableunreachable":
			return false, errList
		}
		return false, nil
	}
	for _, c := range []struct {
		name     string
		min      int
		login    string
		password string
		want     error
	}{
		{"14", 0, login, strings.Repeat("a", 14), password.ErrTooShort},
		{"15, all alike", 0, login, strings.Repeat("a", 15), nil},
		{"14 characters of many bytes", 0, login, strings.Repeat("😀", 14), password.ErrTooShort},
		{"15 of them", 0, login, strings.Repeat("😀", 15), nil},
		{"15 before normalisation, 14 after it", 0, login, strings.Repeat("x", 13) + "e\u0301", password.ErrTooShort},
		{"7 of 8", 8, login, "1234567", password.ErrTooShort},
		{"8 of 8", 8, login, "12345678", nil},
		{"empty", 8, login, "", password.ErrTooShort},
		{"blanks", 0, login, strings.Repeat(" ", 15), nil},
		{"64", 0, login, strings.Repeat("ab", 32), nil},
		{"256 code points of 4 bytes", 0, login, strings.Repeat("😀", 256), nil},
		{"1024 bytes", 0, login, strings.Repeat("a", 1024), nil},
		{"1025 bytes", 0, login, strings.Repeat("a", 1025), password.ErrTooLong},
		{"not UTF-8", 0, login, strings.Repeat("a", 20) + "\xff", password.ErrNotText},
		{"control characters", 0, login, strings.Repeat("\x00\t\n", 5), nil},
		{"the login", 0, login, login, password.ErrSameAsLogin},
		{"the login in capitals", 0, login, strings.ToUpper(login), password.ErrSameAsLogin},
		{"its local part", 0, "ada.king.lovelace@example.com", "Ada.King.Lovelace", password.ErrSameAsLogin},
		{"the login and more", 0, login, login + "!", nil},
		{"blocked", 0, login, "passwordpassword", password.ErrBlocked},
		{"blocked, after normalisation", 0, login, strings.Repeat("cafe\u0301", 4), password.ErrBlocked},
		{"no answer from the list", 0, login, "unreachableunreachable", errList},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, func(o *password.Options) { o.MinLength, o.Blocklist = c.min, blocklist })
			_, err := w.Register(t.Context(), password.User{Login: c.login}, c.password)
			if c.want == nil {
				require.NoError(t, err)
				_, err = w.Verify(t.Context(), c.login, c.password)
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, c.want)
			var rule password.Rule
			if errors.As(err, &rule) {
				require.NotEmpty(t, rule.Title())
				require.NotEqual(t, password.Rule("?").Title(), rule.Title())
			}
			require.Zero(t, w.hasher.turns.Load(), "refused before any work")
		})
	}
}

func TestNormalizeLogin(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"ada@example.com", "ada@example.com"},
		{"  Ada@Example.COM ", "ada@example.com"},
		{"ÄDA", "äda"},
		{"A\u0308DA", "äda"},
		{"İ", "i\u0307"},
		{"\u212a", "k"}, // the Kelvin sign is a K in NFC
		{"ada king", "ada king"},
		{strings.Repeat("a", 254), strings.Repeat("a", 254)},
		{"", ""},
		{"   ", ""},
		{strings.Repeat("a", 255), ""},
		{strings.Repeat(" ", 2000) + "ada", ""},
		{"ada\x00", ""},
		{"ada\nking", ""},
		{"ada\u200b", ""},
		{"\u202eada", ""},
		{"ada\u00a0king", ""},
		{"ada\xff", ""},
	} {
		got, err := password.NormalizeLogin(c.in)
		require.Equal(t, c.want, got, "%q", c.in)
		if c.want == "" {
			require.ErrorIs(t, err, password.ErrLogin)
		} else {
			require.NoError(t, err)
		}
	}
}

func FuzzNormalizeLogin(f *testing.F) {
	f.Fuzz(func(t *testing.T, login string) {
		once, err := password.NormalizeLogin(login)
		if err != nil {
			return
		}
		twice, err := password.NormalizeLogin(once)
		if err != nil || twice != once {
			t.Fatalf("%q, then %q, %v", once, twice, err)
		}
		if !utf8.ValidString(once) || once == "" || len(once) > 254 {
			t.Fatalf("%q", once)
		}
	})
}

func TestNewUsersValidatesAll(t *testing.T) {
	_, err := password.NewUsers(nil, &password.Options{
		MinLength:     7,
		ResetLifetime: 25 * 3600e9,
		Sessions:      []password.SessionRevoker{nil},
	})
	require.Error(t, err)
	for _, want := range []string{"nil store", "MinLength", "ResetLifetime", "Sessions[0]"} {
		require.ErrorContains(t, err, want)
	}
	_, err = password.NewUsers(memstore.New(), &password.Options{MinLength: 65})
	require.ErrorContains(t, err, "MinLength")
	_, err = password.NewUsers(memstore.New(), nil)
	require.NoError(t, err)
}
