package auth_test

import (
	"encoding/json"
	"testing"

	"github.com/seed-077cad0b/auth"
	"github.com/stretchr/testify/require"
)

type embedded struct {
	Inner string `json:"inner"`
}

type profile struct {
	embedded
	Admin  bool   `json:"admin"`
	Email  string `json:"email,omitempty"`
	Plain  int
	Hidden string `json:"-"`
	own    string
}

func claimed(text string) *auth.Principal { return &auth.Principal{Claims: json.RawMessage(text)} }

func TestClaims(t *testing.T) {
	p := claimed(`{"admin":true,"email":"a@b","Plain":3,"inner":"x","-":"y","Hidden":"z","own":"w","unknown":[]}`)
	want := profile{embedded: embedded{"x"}, Admin: true, Email: "a@b", Plain: 3}
	got, err := auth.Claims[profile](p)
	require.NoError(t, err)
	require.Equal(t, want, got)
	require.Empty(t, got.own)
	pointer, err := auth.Claims[*profile](p)
	require.NoError(t, err)
	require.Equal(t, want, *pointer)
	all, err := auth.Claims[map[string]any](p)
	require.NoError(t, err)
	require.Len(t, all, 8)
	raw, err := auth.Claims[json.RawMessage](claimed(`{"ADMIN":1}`))
	require.NoError(t, err)
	require.JSONEq(t, `{"ADMIN":1}`, string(raw))
}

// Row 9: encoding/json would take each of these for the field.
func TestClaimsComparesNamesExactly(t *testing.T) {
	for _, text := range []string{`{"ADMIN":true}`, `{"Admin":true}`, `{"adm\u0131n":true}`, `{"EMAIL":"a"}`, `{"plain":1}`, `{"INNER":"x"}`, `{"admin":false,"ADMIN":true}`} {
		got, err := auth.Claims[profile](claimed(text))
		require.NoError(t, err)
		require.Zero(t, got, text)
	}
}

func TestClaimsRefuses(t *testing.T) {
	for _, text := range []string{`{"admin":true,"admin":false}`, `{"admin":"yes"}`, `[]`, `null`, `{"a":1}x`, "{\"a\":\"\xff\"}", `{`} {
		got, err := auth.Claims[profile](claimed(text))
		require.Error(t, err, text)
		require.Zero(t, got)
	}
	got, err := auth.Claims[profile](&auth.Principal{})
	require.NoError(t, err, "no claims are no error")
	require.Zero(t, got)
	_, err = auth.Claims[profile](nil)
	require.Error(t, err)
}
