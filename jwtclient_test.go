package auth_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
)

// A token may be for any of the names of this API, exactly, and the principal
// knows for whom else.
func TestJWTAudiences(t *testing.T) {
	const alias = "https://alias.example"
	j := newJWT(t, keySet(t, hmacKey(t)), &auth.JWTOptions{Audiences: []string{alias}})
	for aud, want := range map[string][]string{
		`"` + jwtAudience + `"`:                     {jwtAudience},
		`"` + alias + `"`:                           {alias},
		`"https:\/\/alias.example"`:                 {alias},
		`["` + alias + `"]`:                         {alias},
		`["https://other.example","` + alias + `"]`: {"https://other.example", alias},
		`["` + alias + `","` + jwtAudience + `"]`:   {alias, jwtAudience},
	} {
		require.Equal(t, want, accepted(t, j, goodClaims().with("aud", aud).token()).Credential.Audience, aud)
	}
	for _, aud := range []string{
		`"https://other.example"`, `["https://other.example"]`, `[]`, `""`, `[""]`, `"` + alias + `/"`, `"HTTPS://ALIAS.EXAMPLE"`,
		`"` + jwtAudience + " " + alias + `"`,
	} {
		refused(t, j, goodClaims().with("aud", aud).token(), auth.ErrInvalid)
	}
	refused(t, newJWT(t, keySet(t, hmacKey(t)), nil), goodClaims().with("aud", `"`+alias+`"`).token(), auth.ErrInvalid)

	// What it issues is for the first, unless somebody says otherwise.
	g := must(j.Issue(t.Context(), authtest.Principal("ada"), nil))
	require.Equal(t, []string{jwtAudience}, g.Principal.Credential.Audience)
	g = must(j.Issue(t.Context(), authtest.Principal("ada"), &auth.IssueOptions{Audience: []string{alias}}))
	require.Equal(t, []string{alias}, accepted(t, j, g.Token.Reveal()).Credential.Audience)

	_, err := auth.NewJWT(jwtIssuer, jwtAudience, keySet(t, hmacKey(t)), &auth.JWTOptions{Audiences: []string{alias, ""}})
	require.ErrorContains(t, err, "audience is empty")
}

// The members client_id (RFC 9068 section 2.2) and acr are those of any issuer.
func TestJWTClientAndACR(t *testing.T) {
	for name, keys := range map[string]*auth.Keys{"own": keySet(t, hmacKey(t)), "foreign": keySet(t, nil, hmacKey(t))} {
		j := newJWT(t, keys, nil)
		p := accepted(t, j, goodClaims().with("client_id", `"web\u0021"`).with("acr", `"urn:example:mfa"`).with("auth_time", "1700000000").token())
		require.Equal(t, "web!", p.Credential.ClientID, name)
		require.Equal(t, "urn:example:mfa", p.Origin.ACR, name)
		p = accepted(t, j, goodClaims().token())
		require.Empty(t, p.Credential.ClientID+p.Origin.ACR, name)
		for _, value := range []string{`null`, `1`, `["web"]`, `{}`, `true`} {
			for _, claim := range []string{"client_id", "acr"} {
				refused(t, j, goodClaims().with(claim, value).token(), auth.ErrInvalid)
			}
		}
		for _, twice := range []string{`{"client_id":"a","client_id":"b",`, `{"acr":"a","acr":"b",`, `{"client_id":"a","client_\u0069d":"b",`} {
			refused(t, j, sign(plainHeader, twice+goodClaims().String()[1:]), auth.ErrInvalid)
		}
		require.Empty(t, accepted(t, j, goodClaims().with("CLIENT_ID", `"web"`).token()).Credential.ClientID, "names are exact")
	}
}

// A token is issued to the client and with the proof that the issuer says: what
// the principal brings along, from another issuer perhaps, cannot say otherwise.
func TestJWTClaimsSmuggleNothing(t *testing.T) {
	j := newJWT(t, keySet(t, hmacKey(t)), nil)
	p := authtest.Principal("ada")
	p.Claims = json.RawMessage(`{"client_id":"admin","acr":"mfa","aud":"https://other.example","cnf":{"jkt":"k"},"idp":"x","family":"f","kept":1}`)
	g := must(j.Issue(t.Context(), p, nil))
	got := accepted(t, j, g.Token.Reveal())
	require.Empty(t, got.Credential.ClientID)
	require.Empty(t, got.Origin.ACR)
	require.Empty(t, got.Credential.Confirmation)
	require.Equal(t, []string{jwtAudience}, got.Credential.Audience)
	require.Contains(t, string(got.Claims), `"kept":1`)
	for _, name := range []string{"client_id", "acr", "other.example", "cnf"} {
		require.NotContains(t, string(got.Claims), name)
	}

	p.Origin.ACR = "urn:example:pwd"
	g = must(j.Issue(t.Context(), p, &auth.IssueOptions{ClientID: "web", Family: "rf_of-the-code"}))
	got = accepted(t, j, g.Token.Reveal())
	require.Equal(t, g.Principal, got)
	require.Equal(t, "web", got.Credential.ClientID)
	require.Equal(t, "urn:example:pwd", got.Origin.ACR)
	require.Equal(t, "rf_of-the-code", got.Credential.Family)
	require.Equal(t, 1, strings.Count(string(got.Claims), "client_id"))

	// What is issued by such a token is that client's, unless another one asks.
	again := must(j.Issue(t.Context(), got, nil))
	require.Equal(t, "web", again.Principal.Credential.ClientID)
	require.Equal(t, "rf_of-the-code", again.Principal.Credential.Family)
	again = must(j.Issue(t.Context(), got, &auth.IssueOptions{ClientID: "phone"}))
	require.Equal(t, "phone", again.Principal.Credential.ClientID)
}

// No credential is for nobody: a store could not tell that from one for anybody.
func TestNothingIsIssuedForNobody(t *testing.T) {
	store := newTap(t)
	sessions, tokens := newSessions(t, store, nil), newOpaque(t, store, nil)
	for name, i := range map[string]auth.Issuer{
		"JWT": newJWT(t, keySet(t, hmacKey(t)), nil), "session": sessions, "opaque": tokens, "refresh": newRefresh(t, store, sessions, nil),
	} {
		for _, audience := range [][]string{{}, {""}, {"https://api.example", ""}} {
			_, err := i.Issue(t.Context(), authtest.Principal("ada").ProvedAt(time.Now()), &auth.IssueOptions{Audience: audience})
			requireOutage(t, err)
			require.ErrorContains(t, err, "an audience", name)
		}
	}
	require.Empty(t, store.dump())
}
