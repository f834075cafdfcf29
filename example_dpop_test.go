package auth_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/store/memstore"
)

// An API key that is bound to a key of its owner is good for its owner alone, and
// each proof for one request.
func ExampleNewDPoP() {
	store := memstore.New()
	keys := must(auth.NewAPIKeys(store, "acme", nil))
	defer keys.Close()

	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	defer server.Close()
	dpop, err := auth.NewDPoP(store, &auth.DPoPOptions{BaseURL: server.URL})
	if err != nil {
		panic(err)
	}
	guard := auth.NewGuard(auth.First(dpop.Source(keys), auth.Bearer(keys)), nil)
	mux.Handle("GET /data", guard.WrapFunc(func(http.ResponseWriter, *http.Request) {}))

	// The client has told its public key, once.
	client := newProver("ES256")
	public := must(auth.ParseJWK(must(json.Marshal(client.jwk))))
	grant := must(keys.Create(context.Background(), &auth.Principal{Subject: "alice"}, &auth.KeyOptions{
		Confirmation: auth.KeyConfirmation(public),
	}))
	apiKey := grant.Token.Reveal()

	proof := client.proof("GET", server.URL+"/data", apiKey)
	ask(server, "GET", "/data", "Authorization", "DPoP "+apiKey, "DPoP", proof)

	fmt.Println("somebody has read the request:")
	ask(server, "GET", "/data", "Authorization", "DPoP "+apiKey, "DPoP", proof)
	answer := ask(server, "GET", "/data", "Authorization", "Bearer "+apiKey)
	fmt.Println(answer.Header["Www-Authenticate"][0])
	// Output:
	// GET /data 200
	// somebody has read the request:
	// GET /data 401
	// GET /data 401
	// DPoP algs="ES256 ES384 ES512 EdDSA Ed25519 PS256 RS256"
}

// A token endpoint of one's own binds what it issues to the key that the client
// proves, and issues a bearer token to who proves none.
func ExampleDPoP_Prove() {
	_, sessions, _, _ := parts()
	dpop, err := auth.NewDPoP(memstore.New(), &auth.DPoPOptions{BaseURL: "https://api.example.com"})
	if err != nil {
		panic(err)
	}
	login := func(r *http.Request, who *auth.Principal) (*auth.Grant, error) {
		confirmation, err := dpop.Prove(r, "") // last: it uses the proof up
		if err != nil && !errors.Is(err, auth.ErrNoCredential) {
			return nil, err // fit for Guard.Fail
		}
		return sessions.Issue(r.Context(), who.ProvedAt(time.Now()), &auth.IssueOptions{Confirmation: confirmation})
	}

	client := newProver("ES256")
	r := httptest.NewRequest("POST", "/login", nil)
	r.Header.Set("DPoP", client.proof("POST", "https://api.example.com/login", ""))
	grant, err := login(r, &auth.Principal{Subject: "alice"})
	fmt.Println(grant.Principal.Credential.Confirmation == client.confirmation(), err)

	_, err = login(r, &auth.Principal{Subject: "alice"})
	fmt.Println(err)
	// Output:
	// true <nil>
	// auth: invalid_dpop_proof: used already
}

// A mistake: two guards of their own around one handler. The outer one uses the
// proof up, and the inner one sees a replay. Derive the inner one with
// [Guard.With] instead.
func ExampleDPoP_Source_twice() {
	store := memstore.New()
	sessions := must(auth.NewSessions(store, nil))
	defer sessions.Close()
	dpop := must(auth.NewDPoP(store, &auth.DPoPOptions{BaseURL: "https://api.example.com"}))
	client := newProver("ES256")
	grant := must(sessions.Issue(context.Background(), &auth.Principal{Subject: "alice", Scopes: []string{"read"}},
		&auth.IssueOptions{Confirmation: client.confirmation()}))

	outer := auth.NewGuard(dpop.Source(sessions), nil)
	answer := func(inner *auth.Guard) int {
		data := inner.WrapFunc(func(http.ResponseWriter, *http.Request) {})
		r := httptest.NewRequest("GET", "/data", nil)
		r.TLS = &tls.ConnectionState{} // over HTTPS
		r.Header.Set("Authorization", "DPoP "+grant.Token.Reveal())
		r.Header.Set("DPoP", client.proof("GET", "https://api.example.com/data", grant.Token.Reveal()))
		w := httptest.NewRecorder()
		outer.Wrap(data).ServeHTTP(w, r)
		return w.Code
	}
	fmt.Println("a guard of its own:", answer(auth.NewGuard(dpop.Source(sessions), nil).With(auth.Scope("read"))))
	fmt.Println("a derived one:     ", answer(outer.With(auth.Scope("read"))))
	// Output:
	// a guard of its own: 401
	// a derived one:      200
}

// A session that is bound to the client's certificate is good on connections of
// that client alone. Any source will do; the server asks for certificates.
func ExampleCertificateConfirmation() {
	sessions := must(auth.NewSessions(memstore.New(), nil))
	defer sessions.Close()
	guard := auth.NewGuard(auth.Bearer(sessions), nil)
	server := httptest.NewUnstartedServer(guard.WrapFunc(func(http.ResponseWriter, *http.Request) {}))
	server.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	server.StartTLS()
	defer server.Close()

	certificate := selfSigned("alice")
	grant := must(sessions.Issue(context.Background(), &auth.Principal{Subject: "alice"}, &auth.IssueOptions{
		Confirmation: auth.CertificateConfirmation(certificate.Leaf),
	}))
	bearer := "Bearer " + grant.Token.Reveal()

	fmt.Println("somebody else:")
	ask(server, "GET", "/", "Authorization", bearer)

	fmt.Println("alice:")
	server.CloseClientConnections()
	server.Client().Transport.(*http.Transport).TLSClientConfig.Certificates = []tls.Certificate{certificate}
	ask(server, "GET", "/", "Authorization", bearer)
	// Output:
	// somebody else:
	// GET / 401
	// alice:
	// GET / 200
}
