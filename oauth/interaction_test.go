package oauth_test

import (
	"html/template"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth/oauth"
)

// An ownPages is an author's own Login, on a page elsewhere on the host, and an own
// Consent. It keeps what it was told.
type ownPages struct {
	people
	login, consent *oauth.Interaction
}

func (o *ownPages) ServeLogin(w http.ResponseWriter, r *http.Request, i *oauth.Interaction) {
	o.login = i
	i.SetHeaders(w.Header())
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}

var ownConsent = template.Must(template.New("").Parse(`<form method="post" action="{{.Return}}">
<input type="hidden" name="csrf" value="{{.CSRF}}">
<button name="decision" value="allow">Yes</button>`))

func (o *ownPages) ServeConsent(w http.ResponseWriter, _ *http.Request, i *oauth.Interaction) {
	o.consent = i
	i.SetHeaders(w.Header())
	_ = ownConsent.Execute(w, i)
}

// An author's pages are told all that there is to show, and do with what they got.
func TestOwnPages(t *testing.T) {
	own := &ownPages{}
	w := newWorld(t, func(c *oauth.Config) {
		own.people = c.Login.(people)
		c.Login, c.Consent = own, own
	})
	mux := http.NewServeMux()
	mux.Handle("/", w.server)
	v := w.visitor(t)
	v.handler = mux
	mux.HandleFunc("/login", func(http.ResponseWriter, *http.Request) {})
	v.get(authorizeURL("web", "login_hint", "ada", "acr_values", "a urn:example:password", "scope", "read write", "resource", files))
	scopes := []oauth.Scope{{Name: "read", Description: "Read your files"}, {Name: "write"}}
	i := own.login
	require.Equal(t, "Example", i.Name)
	require.Equal(t, "web", i.Client.ID)
	require.Equal(t, scopes, i.Scopes)
	require.Equal(t, []string{files}, i.Resources)
	require.Equal(t, callback, i.RedirectURI)
	require.Equal(t, "ada", i.LoginHint)
	require.Equal(t, []string{"a", "urn:example:password"}, i.ACRValues)
	require.Nil(t, i.User)
	require.Empty(t, i.UserCode)

	w.proved("alice", "urn:example:password")
	v.signIn("alice")
	p := v.get(own.login.Return)
	requirePageHeaders(t, p)
	i = own.consent
	require.Equal(t, scopes, i.Scopes)
	require.Equal(t, "alice", i.User.Subject)
	require.Equal(t, callback, i.RedirectURI)
	requireCode(t, v.submit(p, "decision", "allow"))

	// What a page of login posts goes to the Login, whatever else is in it.
	v.get(authorizeURL("opaque", "prompt", "login"))
	p = v.do("POST", own.login.Return, form("csrf", own.login.CSRF, "decision", "allow"))
	require.Equal(t, "/login", p.url.Path)
}
