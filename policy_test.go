package auth_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
)

func TestPolicies(t *testing.T) {
	caller := &auth.Principal{
		Subject: "alice", Tier: "premium", Scopes: []string{"read", "data:write"},
		Origin: auth.Origin{Kind: auth.KindPassword, ACR: "urn:mfa"}, Credential: auth.Credential{Kind: auth.KindJWT},
	}
	nobody := &auth.Principal{Subject: "bob"}
	scope := auth.ErrInsufficientScope
	for _, c := range []struct {
		name   string
		policy auth.Policy
		p      *auth.Principal
		want   error
	}{
		{"Scope", auth.Scope("read"), caller, nil},
		{"Scope, all", auth.Scope("data:write", "read"), caller, nil},
		{"Scope, none asked", auth.Scope(), nobody, nil},
		{"Scope, one lacking", auth.Scope("read", "write"), caller, scope},
		{"Scope, case", auth.Scope("Read"), caller, scope},
		{"Scope, prefix", auth.Scope("read:all"), caller, scope},
		{"Scope, part", auth.Scope("data"), caller, scope},
		{"Scope, list in one", auth.Scope("read data:write"), caller, scope},
		{"Scope, empty name", auth.Scope(""), nobody, scope},
		{"Scope, none held", auth.Scope("read"), nobody, scope},
		{"AnyScope", auth.AnyScope("write", "read"), caller, nil},
		{"AnyScope, neither", auth.AnyScope("write", "data"), caller, scope},
		{"AnyScope, none asked", auth.AnyScope(), caller, scope},
		{"Tier", auth.Tier("basic", "premium"), caller, nil},
		{"Tier, other", auth.Tier("basic", "Premium"), caller, auth.ErrForbidden},
		{"Tier, none held", auth.Tier("basic"), nobody, auth.ErrForbidden},
		{"Tier, none asked", auth.Tier(), nobody, auth.ErrForbidden},
		{"Kinds", auth.Kinds(auth.KindSession, auth.KindJWT), caller, nil},
		{"Kinds, by the credential", auth.Kinds(auth.KindPassword), caller, auth.ErrForbidden},
		{"Kinds, none asked", auth.Kinds(), nobody, auth.ErrForbidden},
		{"Origins", auth.Origins(auth.KindAPIKey, auth.KindPassword), caller, nil},
		{"Origins, by the origin", auth.Origins(auth.KindJWT), caller, auth.ErrForbidden},
		{"Origins, unknown", auth.Origins(auth.KindPassword), nobody, auth.ErrForbidden},
		{"ACR", auth.ACR("urn:passkey", "urn:mfa"), caller, nil},
		{"ACR, other", auth.ACR("urn:passkey"), caller, auth.ErrStale},
		{"ACR, case", auth.ACR("urn:MFA"), caller, auth.ErrStale},
		{"ACR, prefix", auth.ACR("urn:mfa2"), caller, auth.ErrStale},
		{"ACR, list in one", auth.ACR("urn:passkey urn:mfa"), caller, auth.ErrStale},
		{"ACR, unknown", auth.ACR("urn:mfa"), nobody, auth.ErrStale},
		{"ACR, unknown and empty", auth.ACR(""), nobody, auth.ErrStale},
		{"ACR, none asked", auth.ACR(), caller, auth.ErrStale},
	} {
		require.ErrorIs(t, c.policy(from("GET", "/"), c.p), c.want, c.name)
	}
}

func TestPoliciesKeepTheirOwnCopy(t *testing.T) {
	scopes, tiers, ways := []string{"read"}, []string{"gold"}, []string{"urn:mfa"}
	scope, either, tier, acr := auth.Scope(scopes...), auth.AnyScope(scopes...), auth.Tier(tiers...), auth.ACR(ways...)
	scopes[0], tiers[0], ways[0] = "write", "premium", "urn:password"
	require.Error(t, acr(nil, &auth.Principal{Subject: "alice", Origin: auth.Origin{ACR: "urn:password"}}))
	require.Error(t, scope(nil, alice("write")))
	require.Error(t, either(nil, alice("write")))
	require.Error(t, tier(nil, alice()))
}

func TestFresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fresh := auth.Fresh(time.Minute)
		password := alice()
		key := &auth.Principal{Subject: "alice", Origin: auth.Origin{Kind: auth.KindAPIKey, ID: "k"}}
		foreign := &auth.Principal{Subject: "alice"}
		dated := &auth.Principal{Subject: "alice", Origin: auth.Origin{Time: time.Now()}}

		authtest.Advance(time.Minute)
		require.NoError(t, fresh(nil, password), "at most d ago")
		authtest.Advance(time.Microsecond)
		require.ErrorIs(t, fresh(nil, password), auth.ErrStale)
		require.NoError(t, fresh(nil, key), "proves itself each time")
		require.ErrorIs(t, fresh(nil, foreign), auth.ErrStale, "of unknown origin")
		require.ErrorIs(t, fresh(nil, dated), auth.ErrStale, "of unknown origin")

		var f *auth.Failure
		require.ErrorAs(t, fresh(nil, password), &f)
		require.Equal(t, time.Minute, f.MaxAge)
	})
}

// Row 115: the challenge of RFC 9470 section 3 names what will do, in the order
// of preference, or how recent it has to be, or both where a policy says so.
func TestStepUpChallenge(t *testing.T) {
	guard := auth.NewGuard(auth.Bearer(known{"good": alice()}), nil)
	both := func(*http.Request, *auth.Principal) error {
		return &auth.Failure{Reason: auth.ErrStale, ACRValues: []string{"b"}, MaxAge: time.Minute}
	}
	const code, title = "insufficient_user_authentication", "A more recent or stronger authentication is required."
	for name, c := range map[string]struct {
		policies []auth.Policy
		want     map[string]string
	}{
		"way":       {[]auth.Policy{auth.ACR("b", "a")}, map[string]string{"acr_values": "b a"}},
		"age":       {[]auth.Policy{auth.Fresh(-time.Hour)}, map[string]string{"max_age": "0"}},
		"first way": {[]auth.Policy{auth.ACR("b"), auth.Fresh(-time.Hour)}, map[string]string{"acr_values": "b"}},
		"first age": {[]auth.Policy{auth.Fresh(-time.Hour), auth.ACR("b")}, map[string]string{"max_age": "0"}},
		"both":      {[]auth.Policy{both}, map[string]string{"acr_values": "b", "max_age": "60"}},
		"quotes":    {[]auth.Policy{auth.ACR(`a", error="b`, "c\r\nd")}, map[string]string{"acr_values": `a", error="b cd`}},
	} {
		w := serve(guard.With(c.policies...).WrapFunc(hello), from("GET", "/", "Authorization", "Bearer good"))
		require.Equal(t, 401, w.Code, name)
		c.want["error"], c.want["error_description"] = code, title
		require.Equal(t, []parsedChallenge{{"Bearer", c.want}}, parseChallenges(t, w.Result()), name)
	}
}

// A refusal is shared by all requests of its policy; guards complete a copy.
func TestPolicyRefusalsAreNotWrittenTo(t *testing.T) {
	var refusal *auth.Failure
	policy := auth.Scope("write")
	require.ErrorAs(t, policy(nil, alice()), &refusal)
	before := *refusal
	for _, guard := range []*auth.Guard{
		auth.NewGuard(auth.Bearer(known{"good": alice()}), nil).With(policy),
		auth.NewGuard(auth.Header("Authorization2", known{"Bearer": alice()}), nil).With(policy),
	} {
		_, err := guard.Check(from("GET", "/", "Authorization", "Bearer good", "Authorization2", "Bearer"))
		require.ErrorIs(t, err, auth.ErrInsufficientScope)
	}
	require.Equal(t, before, *refusal)
}
