//go:build !race

package auth_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
)

// The list of the marks that a token answers to is all that a use takes.
func TestOpaqueTokenAllocations(t *testing.T) {
	store := newStore(t)
	tokens := newOpaque(t, store, nil)
	p := authtest.Principal("42", "read")
	p.Origin = auth.Origin{Kind: auth.KindPlatform, ID: "acme", Time: time.Now()}
	text := must(tokens.Issue(t.Context(), p, &auth.IssueOptions{ClientID: "web", Family: auth.NewFamily()})).Token.Reveal()
	require.NoError(t, auth.RevokeClient(t.Context(), store, "other")) // there is a mark
	ctx := t.Context()
	for name, c := range map[string]struct {
		text string
		want error
		most float64
	}{
		"good":           {text, nil, 1},
		"unknown":        {tokens.Form().New(), auth.ErrInvalid, 0},
		"another's form": {"rt_" + text[3:], auth.ErrNotMine, 0},
	} {
		require.LessOrEqual(t, testing.AllocsPerRun(1000, func() {
			if _, err := tokens.Verify(ctx, c.text); err != c.want {
				t.Fatal(name, err)
			}
		}), c.most, name)
	}
}
