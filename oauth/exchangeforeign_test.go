package oauth_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/oauth"
)

// newForeign returns a world that exchanges the tokens of another issuer, and what
// issues those: its tokens say all that ours do.
func newForeign(t testing.TB) (*world, *auth.JWT) {
	const idp = "https://idp.example"
	keys := keysOf(t, auth.ES256)
	foreign, err := auth.NewJWT(idp, issuer, keys, &auth.JWTOptions{Lifetime: 10 * time.Minute})
	require.NoError(t, err)
	text, err := keys.MarshalJSON()
	require.NoError(t, err)
	public, err := auth.ParseJWKS(text)
	require.NoError(t, err)
	set, err := auth.NewKeys(nil, public...)
	require.NoError(t, err)
	verifier, err := auth.NewJWT(idp, issuer, set, nil)
	require.NoError(t, err)
	return newExchange(t, func(c *oauth.Config) { c.SubjectTokens = []auth.Verifier{verifier} }), foreign
}

// The subject of another issuer stays one, whoever is called alike here; and no
// more than who they are, and when they were seen, is taken from there.
func TestExchangeOfForeignTokens(t *testing.T) {
	w, foreign := newForeign(t)
	a := w.signIn(t, "web")
	proved := time.Now().Add(-time.Minute).UTC().Truncate(time.Microsecond)
	g, err := foreign.Issue(t.Context(), &auth.Principal{
		Issuer:  "https://idp.example",
		Subject: "alice",
		Tenant:  "acme",
		Tier:    "gold",
		Scopes:  []string{"read", "admin"},
		Origin:  auth.Origin{Kind: auth.KindPassword, ID: "alice", Time: proved, ACR: "phr"},
		Claims:  json.RawMessage(`{"act":{"sub":"proxy","act":{"sub":"first"}},"salary":1}`),
	}, &auth.IssueOptions{Audience: []string{issuer}, Family: auth.NewFamily()})
	require.NoError(t, err)
	for _, kind := range []string{typeAccess, typeJWT} {
		_, p := w.exchanged(t, files, "gateway", g.Token.Reveal(), "subject_token_type", kind)
		require.Equal(t, "https://idp.example#alice", p.Subject)
		require.Equal(t, issuer, p.Issuer)
		require.Empty(t, p.Tenant)
		require.Empty(t, p.Tier)
		require.Equal(t, []string{"read"}, p.Scopes, "of both the token and the client")
		require.Equal(t, auth.KindJWT, p.Origin.Kind)
		require.Equal(t, g.Principal.Credential.ID, p.Origin.ID)
		require.Equal(t, proved, p.Origin.Time)
		require.Empty(t, p.Origin.ACR)
		require.NotEqual(t, g.Principal.Credential.Family, p.Credential.Family)
		require.Regexp(t, "^rf_", p.Credential.Family, "one that can be ended")
		require.NotContains(t, string(p.Claims), "salary")
		require.False(t, p.Credential.Expires.After(g.Principal.Credential.Expires))
		require.Equal(t, &oauth.Actor{Subject: "gateway", ClientID: "gateway", Act: &oauth.Actor{
			Subject: "proxy", Issuer: "https://idp.example", Act: &oauth.Actor{Subject: "first", Issuer: "https://idp.example"},
		}}, act(t, p))
	}

	// As an actor, for one of ours.
	plain, err := foreign.Issue(t.Context(), &auth.Principal{Subject: "carol"}, &auth.IssueOptions{Audience: []string{issuer}})
	require.NoError(t, err)
	_, p := w.exchanged(t, files, "gateway", a.AccessToken, "actor_token", plain.Token.Reveal(), "actor_token_type", typeJWT)
	require.Equal(t, &oauth.Actor{Subject: "https://idp.example#carol"}, act(t, p))

	// Who may act there is nobody here who is called alike.
	for mayAct, status := range map[string]int{`{"sub":"gateway"}`: 400, `{"client_id":"gateway"}`: 400, `{"sub":"gateway","iss":"` + issuer + `"}`: 200} {
		g, err := foreign.Issue(t.Context(), &auth.Principal{Subject: "carol", Claims: json.RawMessage(`{"may_act":` + mayAct + `}`)}, &auth.IssueOptions{Audience: []string{issuer}})
		require.NoError(t, err)
		require.Equal(t, status, w.send(t, w.exchange("gateway", g.Token.Reveal())).Code)
	}
}

// What is wrong with a token of another issuer is no outage, however large it is.
func TestExchangeRefusesForeignTokens(t *testing.T) {
	w, foreign := newForeign(t)
	deep := `{"sub":"last"}`
	for range 8 {
		deep = `{"sub":"a","act":` + deep + `}`
	}
	for name, c := range map[string]struct {
		principal *auth.Principal
		audience  string
	}{
		"another audience":  {&auth.Principal{Subject: "carol"}, api},
		"long subject":      {&auth.Principal{Subject: strings.Repeat("a", 5000)}, issuer},
		"long actor":        {&auth.Principal{Subject: "carol", Claims: json.RawMessage(`{"act":{"sub":"` + strings.Repeat("a", 5000) + `"}}`)}, issuer},
		"many actors":       {&auth.Principal{Subject: "carol", Claims: json.RawMessage(`{"act":` + deep + `}`)}, issuer},
		"actor of a number": {&auth.Principal{Subject: "carol", Claims: json.RawMessage(`{"act":7}`)}, issuer},
		"actor of a list":   {&auth.Principal{Subject: "carol", Claims: json.RawMessage(`{"act":{"sub":[]}}`)}, issuer},
		"bound":             {&auth.Principal{Subject: "carol", Credential: auth.Credential{Confirmation: "x"}}, issuer},
	} {
		t.Run(name, func(t *testing.T) {
			o := &auth.IssueOptions{Audience: []string{c.audience}}
			if c.principal.Credential.Confirmation != "" {
				o.Confirmation = newSigner().jkt(t)
			}
			g, err := foreign.Issue(t.Context(), c.principal, o)
			require.NoError(t, err)
			requireRefused(t, w.send(t, w.exchange("gateway", g.Token.Reveal())), 400, oauth.ErrInvalidRequest)
		})
	}
}

// A verifier in turn that is down is an outage, one that knows a token decides, and
// one that maps people to ours says who they are.
func TestExchangeAsksVerifiersInTurn(t *testing.T) {
	verifiers := map[string]any{
		"down":    errors.New("down"),
		"busy":    auth.ErrUnavailable,
		"expired": auth.ErrExpired,
		"nobody":  (*auth.Principal)(nil),
		"bound":   &auth.Principal{Subject: "bob", Credential: auth.Credential{Confirmation: "jkt:key", Audience: []string{api}}},
		"long":    &auth.Principal{Subject: strings.Repeat("<", 3500)}, // six times as long in JSON
		"wide":    &auth.Principal{Subject: "bob", Networks: manyNetworks(t)},
		"key":     &auth.Principal{Subject: "bob", Origin: auth.Origin{Kind: auth.KindAPIKey, ID: "key"}},
		"mapped":  &auth.Principal{Subject: "bob", Tenant: "acme", Scopes: []string{"read"}},
	}
	ask := func(i int) auth.Verifier {
		return verifierFunc(func(_ context.Context, text string) (*auth.Principal, error) {
			name, mine := strings.CutPrefix(text, fmt.Sprint(i, ":"))
			if !mine {
				return nil, []error{auth.ErrNotMine, auth.ErrInvalid}[i]
			}
			if err, ok := verifiers[name].(error); ok {
				return nil, err
			}
			return verifiers[name].(*auth.Principal), nil
		})
	}
	w := newExchange(t, func(c *oauth.Config) { c.SubjectTokens = []auth.Verifier{ask(0), ask(1)} })
	for i := range 2 {
		for _, outage := range []string{"down", "busy", "nobody"} {
			requireRefused(t, w.send(t, w.exchange("gateway", fmt.Sprint(i, ":", outage))), 503, oauth.ErrTemporarilyUnavailable)
		}
		requireRefused(t, w.send(t, w.exchange("gateway", fmt.Sprint(i, ":expired"))), 400, oauth.ErrInvalidRequest)
		for _, refused := range []string{"long", "wide", "bound"} {
			requireRefused(t, w.send(t, w.exchange("gateway", fmt.Sprint(i, ":", refused))), 400, oauth.ErrInvalidRequest)
		}
		_, p := w.exchanged(t, files, "gateway", fmt.Sprint(i, ":mapped"))
		require.Equal(t, "bob", p.Subject)
		require.Equal(t, "acme", p.Tenant)

		// What proves itself with each request was proved by this one.
		before := time.Now().Add(-time.Microsecond)
		_, p = w.exchanged(t, files, "gateway", fmt.Sprint(i, ":key"))
		require.WithinRange(t, p.Origin.Time, before, time.Now())
	}
	requireRefused(t, w.send(t, w.exchange("gateway", "2:mapped")), 400, oauth.ErrInvalidRequest)
}

type verifierFunc func(context.Context, string) (*auth.Principal, error)

func (f verifierFunc) Verify(ctx context.Context, text string) (*auth.Principal, error) {
	return f(ctx, text)
}

// manyNetworks is more than a token can hold.
func manyNetworks(t testing.TB) *auth.Networks {
	var prefixes []netip.Prefix
	for i := range 500 {
		prefixes = append(prefixes, netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 7), byte(i << 1), 0}), 24))
	}
	n, err := auth.NewNetworks(prefixes...)
	require.NoError(t, err)
	return n
}
