package oauth_test

import (
	"context"
	"fmt"
	"html/template"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
	"github.com/seed-077cad0b/auth/oauth"
	"github.com/seed-077cad0b/auth/password"
	"github.com/seed-077cad0b/auth/store/memstore"
)

// People sign in by the default page, and stay signed in by a cookie that the rest
// of the site knows, too.
func ExampleNewPasswordLogin() {
	store := memstore.New()
	sessions := must(auth.NewSessions(store, nil))
	defer sessions.Close()
	users := must(password.NewUsers(must(password.NewUserRecords(store)), &password.Options{
		Sessions: []password.SessionRevoker{sessions},
	}))
	options := &auth.GuardOptions{} // the proxies in front, who observes

	server := must(oauth.NewServer(oauth.Config{
		Issuer:    "https://login.example.com",
		Name:      "Example",
		Store:     store,
		Keys:      must(auth.NewKeys(must(auth.GenerateKey(auth.ES256)))),
		Clients:   must(oauth.NewClientList(plannerClient())),
		Resources: []string{"https://api.example.com"},
		Scopes:    []oauth.Scope{{Name: "spaces:read", Description: "See your spaces"}},
		Login: oauth.NewPasswordLogin(users, auth.Cookie("__Host-session", sessions, nil),
			&oauth.PasswordLoginOptions{Guard: options, ResetURL: "/reset"}),
		Guard: options,
	}))

	w := httptest.NewRecorder()
	server.ServeHTTP(w, local("GET", authorizePlanner("https://planner.example/done")))
	fmt.Println(w.Code, strings.Contains(w.Body.String(), "<h1>Sign in to Example</h1>"))
	fmt.Println(strings.Contains(w.Body.String(), "to continue to <strong>Planner</strong>"))
	// Output:
	// 200 true
	// true
}

// plannerClient is an application in a browser.
func plannerClient() *oauth.Client {
	return &oauth.Client{
		ID:           "planner",
		Name:         "Planner",
		Public:       true,
		Grants:       []oauth.GrantType{oauth.AuthorizationCode, oauth.RefreshToken},
		Scopes:       []string{"spaces:read"},
		RedirectURIs: []string{"https://planner.example/done"},
	}
}

// authorizePlanner is its authorization request.
func authorizePlanner(redirect string) string {
	return "/oauth/authorize?" + form("response_type", "code", "client_id", "planner", "redirect_uri", redirect,
		"code_challenge", challengeText, "code_challenge_method", "S256").Encode()
}

// local is a request from this host.
func local(method, target string) *http.Request {
	r := httptest.NewRequest(method, target, nil)
	r.RemoteAddr = "127.0.0.1:4242"
	return r
}

// A siteLogin has people sign in on a page that the site has already.
type siteLogin struct {
	*auth.CookieSource // tells who is signed in
}

func (siteLogin) ServeLogin(w http.ResponseWriter, r *http.Request, i *oauth.Interaction) {
	http.Redirect(w, r, "/login?"+form("return_to", i.Return).Encode(), http.StatusSeeOther)
}

// A login of one's own, over the site's own page. The page asks whoever comes, also
// who has a session: they are sent here where that is not good enough.
func ExampleLogin() {
	store := memstore.New()
	sessions := must(auth.NewSessions(store, nil))
	defer sessions.Close()
	session := auth.Cookie("__Host-session", sessions, nil)
	users := authtest.Guard(authtest.Principal("alice", "spaces:read")) // here: who checks passwords

	mux := http.NewServeMux()
	mux.Handle("/oauth/", plannerServer(store, siteLogin{session}, nil))
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		p, err := users.Check(r)
		if err == nil {
			_, err = session.SignIn(w, r, p, users.ClientAddress(r))
		}
		if err != nil {
			http.Error(w, "That is not right.", http.StatusUnauthorized)
			return
		}
		back := r.FormValue("return_to")
		if !strings.HasPrefix(back, "/oauth/") {
			back = "/" // a link of somebody else's leads nowhere else
		}
		http.Redirect(w, r, back, http.StatusSeeOther) // never 307: that would post the password on
	})

	// A browser, on its way.
	var cookies []*http.Cookie
	send := func(r *http.Request) *httptest.ResponseRecorder {
		for _, c := range cookies {
			r.AddCookie(c)
		}
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		cookies = append(cookies, w.Result().Cookies()...)
		fmt.Println(r.Method, r.URL.Path, w.Code)
		return w
	}
	w := send(local("GET", authorizePlanner("https://planner.example/done")))
	w = send(local("POST", w.Header().Get("Location")))
	w = send(local("GET", w.Header().Get("Location")))
	fmt.Println(strings.Contains(w.Body.String(), "Allow Planner?"))
	// Output:
	// GET /oauth/authorize 303
	// POST /login 303
	// GET /oauth/authorize 200
	// true
}

// aliceLogin takes everybody for alice.
type aliceLogin struct{ alice *auth.Principal }

func (l aliceLogin) Authenticate(*http.Request) (*auth.Principal, error)               { return l.alice, nil }
func (l aliceLogin) ServeLogin(http.ResponseWriter, *http.Request, *oauth.Interaction) {}

// A consentForm is a page of one's own.
type consentForm struct{ page *template.Template }

func (c consentForm) ServeConsent(w http.ResponseWriter, _ *http.Request, i *oauth.Interaction) {
	i.SetHeaders(w.Header()) // not framed, not stored, no script
	if err := c.page.Execute(w, i); err != nil {
		log.Print(err)
	}
}

// The consent page in the colours of the house: it shows who asks for what, and
// posts the decision back.
func ExampleConsent() {
	page := template.Must(template.New("consent").Parse(`<p>{{.Client.Name}} would like to:</p>
{{range .Scopes}}<p>- {{.Description}}</p>
{{end}}<form method="post" action="{{.Return}}"><input type="hidden" name="csrf" value="{{.CSRF}}">
<button name="decision" value="allow">Sure</button> <button name="decision" value="deny">No</button></form>
`))
	server := alicesServer(consentForm{page})

	w := httptest.NewRecorder()
	server.ServeHTTP(w, local("GET", authorizePlanner("https://planner.example/done")))
	before, _, _ := strings.Cut(w.Body.String(), "<form")
	fmt.Print(before)
	fmt.Println(w.Header().Get("X-Frame-Options"), w.Header().Get("Cache-Control"))
	// Output:
	// <p>Planner would like to:</p>
	// <p>- See your spaces</p>
	// DENY no-store
}

// alicesServer is a server on which alice is signed in.
func alicesServer(consent oauth.Consent) *oauth.Server {
	return plannerServer(memstore.New(), aliceLogin{authtest.Principal("alice", "spaces:read")}, consent)
}

// plannerServer is a server of which the planner is a client.
func plannerServer(store auth.Store, login oauth.Login, consent oauth.Consent) *oauth.Server {
	return must(oauth.NewServer(oauth.Config{
		Issuer:    "https://login.example.com",
		Store:     store,
		Keys:      must(auth.NewKeys(must(auth.GenerateKey(auth.ES256)))),
		Clients:   must(oauth.NewClientList(plannerClient())),
		Resources: []string{"https://api.example.com"},
		Scopes:    []oauth.Scope{{Name: "spaces:read", Description: "See your spaces"}},
		Login:     login,
		Consent:   consent,
	}))
}

// Redirect URIs are compared as they are written. A slash at the end makes another
// one: nobody is sent there, nor anywhere else, and the page tells the developer.
func ExampleServer_Authorize_mistake() {
	server := alicesServer(nil)
	for _, redirect := range []string{"https://planner.example/done", "https://planner.example/done/"} {
		w := httptest.NewRecorder()
		server.ServeHTTP(w, local("GET", authorizePlanner(redirect)))
		fmt.Println(w.Code, w.Header().Get("Location") == "", strings.Contains(w.Body.String(), "The redirect URI is not one that the client has registered."))
	}
	// Output:
	// 200 true false
	// 400 true true
}

// People see what they have granted, and take it back.
func ExampleServer_Withdraw() {
	ctx := context.Background()
	server := alicesServer(nil)
	alice := authtest.Principal("alice")
	grantToPlanner(server)

	show := func() {
		for c, err := range server.Consents(ctx, alice) {
			if err != nil {
				log.Fatal(err)
			}
			fmt.Println(c.ClientID, c.Access)
		}
	}
	show()
	if err := server.Withdraw(ctx, alice, "planner"); err != nil {
		log.Fatal(err)
	}
	show()
	// Output:
	// planner map[https://api.example.com:[spaces:read]]
}

// grantToPlanner presses the first button of the consent page.
func grantToPlanner(server *oauth.Server) {
	w := httptest.NewRecorder()
	server.ServeHTTP(w, local("GET", authorizePlanner("https://planner.example/done")))
	_, csrf, _ := strings.Cut(w.Body.String(), `name="csrf" value="`)
	csrf, _, _ = strings.Cut(csrf, `"`)
	r := request("POST", authorizePlanner("https://planner.example/done"), form("csrf", csrf, "decision", "allow"))
	r.AddCookie(w.Result().Cookies()[0])
	server.ServeHTTP(httptest.NewRecorder(), r)
}
