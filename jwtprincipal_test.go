package auth_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/seed-077cad0b/auth"
	"github.com/stretchr/testify/require"
)

// What a principal is made of lies together in memory, and nobody who changes one
// part of it changes another.
func TestJWTPrincipalsAreOfSeparateParts(t *testing.T) {
	j := newJWT(t, keySet(t, hmacKey(t)), nil)
	for n := range 9 {
		p := benchPrincipal()
		p.Scopes = nil
		for i := range n {
			p.Scopes = append(p.Scopes, fmt.Sprintf("scope:%d", i))
		}
		p.Tenant, p.Subject = "tenant", "Zoë \"the subject\"" // escaped in the payload
		token := issue(t, j, p)
		got := good(t, j, token)
		same := func() {
			require.Equal(t, p.Scopes, got.Scopes)
			require.Equal(t, n == 0, got.Scopes == nil)
			require.Equal(t, []string{p.Tenant, p.Subject, p.Tier}, []string{got.Tenant, got.Subject, got.Tier})
			require.Equal(t, p.Origin.ID, got.Origin.ID)
			require.Equal(t, p.Origin.Kind, got.Origin.Kind)
			require.Equal(t, got.Credential.ID, got.Credential.Family)
		}
		same()

		claims := slices.Clone(got.Claims)
		_ = append(got.Scopes, "admin")
		_ = append(got.Claims, strings.Repeat("x", 64)...)
		require.Equal(t, len(got.Scopes), cap(got.Scopes), "nothing is appended in place")
		clear(got.Claims)
		same()
		copy(got.Claims, claims)
	}
}

// However a token spells its lists, two handlers that append to the same principal,
// which the cache hands to both, do not write to the same memory.
func TestJWTPrincipalsLeaveNoRoomToAppend(t *testing.T) {
	j := newJWT(t, keySet(t, hmacKey(t)), nil)
	three := `["a","b","c"]` // in a list that has grown to four
	audience := `["x","y",` + `"` + jwtAudience + `"]`
	for name, list := range map[string]string{"scp": three, "scopes": three, "scope": `"a b c"`} {
		p := good(t, j, goodClaims().with(name, list).with("aud", audience).token())
		require.Equal(t, []string{"a", "b", "c"}, p.Scopes, name)
		require.Len(t, p.Credential.Audience, 3)
		requireClipped(t, p)
	}
}

// A program that writes to a principal, which it is not to, does not change which
// audience is asked for.
func TestJWTAudienceIsNotThatOfAPrincipal(t *testing.T) {
	j := newJWT(t, keySet(t, hmacKey(t)), nil)
	good(t, j, goodClaims().token()).Credential.Audience[0] = "another"
	good(t, j, goodClaims().with("jti", `"2"`).token())
	bad(t, j, goodClaims().with("aud", `"another"`).token())
}

func requireClipped(t testing.TB, p *auth.Principal) {
	t.Helper()
	require.Equal(t, len(p.Scopes), cap(p.Scopes), "scopes")
	require.Equal(t, len(p.Credential.Audience), cap(p.Credential.Audience), "audience")
	require.Equal(t, len(p.Claims), cap(p.Claims), "claims")
}

// A principal that grows from a token does not keep the token in memory.
func TestWhatGrowsFromAJWTHasScopesOfItsOwn(t *testing.T) {
	j := newJWT(t, keySet(t, hmacKey(t)), nil)
	p := good(t, j, issue(t, j, benchPrincipal()))
	sessions, err := auth.NewSessions(newStore(t), nil)
	require.NoError(t, err)
	g, err := sessions.Issue(context.Background(), p, nil)
	require.NoError(t, err)
	require.Equal(t, p.Scopes, g.Principal.Scopes)
	require.NotSame(t, &p.Scopes[0], &g.Principal.Scopes[0])
}
