package oauth_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth/oauth"
)

// Row 48: whatever is sent to the token endpoint, it answers in its form, never
// with 5xx, and every 200 was earned: the client proved itself as a naive reading
// of the rules says, and gets no more than it may have. Where a field holds a name
// in braces, that stands for something which is good in this world.
func FuzzTokenRequest(f *testing.F) {
	f.Fuzz(func(t *testing.T, contentType, authorization, proof, body string) {
		synctest.Test(t, func(t *testing.T) { // in the year 2000
			w := newAgency(t)
			for id := range w.clients {
				if w.secrets[id] == "" {
					continue
				}
				kept, err := oauth.ImportClientSecret(id + "-secret")
				require.NoError(t, err)
				w.secrets[id] = id + "-secret"
				w.change(id, func(c *oauth.Client) { c.Secrets = []oauth.ClientSecret{kept} })
			}
			key := newSigner()
			good := map[string]string{
				"{code}":      w.world.code(t, "web", nil),
				"{verifier}":  codeVerifier,
				"{refresh}":   w.signIn(t, "web").RefreshToken,
				"{assertion}": w.says(nil),
				"{client}":    w.assertion("signer", nil),
				"{proof}":     key.proof().value,
			}
			for name, value := range good {
				proof = strings.ReplaceAll(proof, name, value)
				body = strings.ReplaceAll(body, name, value)
			}
			r := httptest.NewRequest("POST", "/oauth/token", strings.NewReader(body))
			r.RemoteAddr = "127.0.0.1:4242"
			for name, value := range map[string]string{"Content-Type": contentType, "Authorization": authorization, "Dpop": proof} {
				if value != "" {
					r.Header[name] = strings.Split(value, "\n") // a line for each field
				}
			}
			recorder := httptest.NewRecorder()
			w.server.ServeHTTP(recorder, r)
			a := &answer{ResponseRecorder: recorder}
			require.NoError(t, json.Unmarshal(recorder.Body.Bytes(), a))
			require.Equal(t, "no-store", recorder.Header().Get("Cache-Control"))
			require.Contains(t, []int{200, 400, 401, 413}, recorder.Code)
			if recorder.Code != http.StatusOK {
				require.NotEmpty(t, a.Error)
				require.Empty(t, a.AccessToken)
				return
			}
			w.requireEarned(t, authorization, body, good, a)
		})
	})
}

// requireEarned requires what must hold of a request that was granted.
func (w *agency) requireEarned(t *testing.T, authorization, body string, good map[string]string, a *answer) {
	form, err := url.ParseQuery(body)
	require.NoError(t, err)
	p, err := w.opens(t, a.AccessToken)
	if err != nil {
		p, err = w.verifier(t, files).Verify(t.Context(), a.AccessToken)
	}
	require.NoError(t, err)

	id := form.Get("client_id")
	r := &http.Request{Header: http.Header{"Authorization": {authorization}}}
	if user, password, ok := r.BasicAuth(); ok {
		id, err = url.QueryUnescape(user)
		require.NoError(t, err)
		secret, err := url.QueryUnescape(password)
		require.NoError(t, err)
		require.Equal(t, w.secrets[id], secret)
	} else if assertion := form.Get("client_assertion"); assertion != "" {
		id = "signer"
		require.Equal(t, good["{client}"], assertion)
	} else if !w.clients[id].Public {
		require.Equal(t, w.secrets[id], form.Get("client_secret"))
	}
	client := w.clients[id]
	require.Equal(t, id, p.Credential.ClientID)
	require.Subset(t, client.Scopes, p.Scopes)
	require.Subset(t, w.config.Resources, p.Credential.Audience)
	require.Equal(t, strings.Join(p.Scopes, " "), a.Scope)
	if asked := form.Get("scope"); asked != "" {
		require.Subset(t, strings.Split(asked, " "), p.Scopes)
	}
	grant := oauth.GrantType(form.Get("grant_type"))
	require.True(t, slices.Contains(client.Grants, grant))
	switch grant {
	case oauth.ClientCredentials:
		require.Equal(t, id, p.Subject)
	case oauth.AuthorizationCode:
		require.Equal(t, good["{code}"], form.Get("code"))
		require.Equal(t, codeVerifier, form.Get("code_verifier"))
		require.Equal(t, "alice", p.Subject)
	case oauth.RefreshToken:
		require.Equal(t, good["{refresh}"], form.Get("refresh_token"))
		require.Equal(t, "alice", p.Subject)
	case oauth.JWTBearer:
		require.Equal(t, good["{assertion}"], form.Get("assertion"))
		require.Equal(t, "acme:carol", p.Subject)
	case oauth.TokenExchange:
		require.NotEmpty(t, form.Get("subject_token"))
	default:
		t.Fatalf("a grant of %q", grant)
	}
	if p.Credential.Confirmation != "" {
		require.Equal(t, "DPoP", a.TokenType)
	}
}
