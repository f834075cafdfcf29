package password_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth/password"
)

func TestUserComesBackFromItsBinaryForm(t *testing.T) {
	at := time.Date(2026, 11, 22, 8, 0, 0, 123456000, time.UTC)
	for name, u := range map[string]password.User{
		"empty": {},
		"full": {
			ID: "7", Login: "ada\x00\U0001F511<&>", Hash: "$argon2id$", Tenant: "tenant", Tier: "gold", Scopes: []string{"read", "write"},
			Claims: json.RawMessage(`{"a": 1.50, "b": "<&>"}`), Disabled: true, Created: at, Changed: at.Add(time.Hour), Revision: 1<<64 - 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			data, err := u.MarshalBinary()
			require.NoError(t, err)
			var got password.User
			require.NoError(t, got.UnmarshalBinary(data))
			require.Equal(t, u, got)
		})
	}
}

func TestUserOfAnUnknownFormIsRefused(t *testing.T) {
	kept := password.User{ID: "kept"}
	for _, data := range []string{"", "null", "{}", `{"version":2,"id":"7"}`, `{"version":1,"id":7}`, `{"version":1} `[:5]} {
		require.Error(t, kept.UnmarshalBinary([]byte(data)), data)
	}
	require.Equal(t, password.User{ID: "kept"}, kept)
}

func TestUserOfNoTextHasNoBinaryForm(t *testing.T) {
	for _, u := range []password.User{{Login: "a\xff"}, {ID: "\xff"}, {Scopes: []string{"\xff"}}} {
		_, err := u.MarshalBinary()
		require.Error(t, err)
	}
}
