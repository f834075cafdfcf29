package oauth_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
	"github.com/seed-077cad0b/auth/oauth"
	"github.com/seed-077cad0b/auth/store/memstore"
	"github.com/seed-077cad0b/auth/store/storetest"
)

// A pushedAnswer is that of RFC 9126 section 2.2, or an error.
type pushedAnswer struct {
	*httptest.ResponseRecorder
	RequestURI string `json:"request_uri"`
	ExpiresIn  int    `json:"expires_in"`
	Error      string `json:"error"`
}

// push pushes a request of a client, with a field of its own.
func (w *world) push(t testing.TB, client string, q url.Values, fields ...header) *pushedAnswer {
	t.Helper()
	if _, ok := w.secrets[client]; ok {
		fields = append(fields, w.basic(client))
	}
	a := &pushedAnswer{ResponseRecorder: httptest.NewRecorder()}
	w.server.ServeHTTP(a, request("POST", "/oauth/par", q, fields...))
	require.Equal(t, "application/json", a.Header().Get("Content-Type"))
	require.Equal(t, "no-store", a.Header().Get("Cache-Control"))
	require.NoError(t, json.Unmarshal(a.Body.Bytes(), a))
	return a
}

// pushed pushes a good request and returns where the browser goes with it.
func (w *world) pushed(t testing.TB, client string, pairs ...string) string {
	t.Helper()
	a := w.push(t, client, authorizeQuery(client, pairs...))
	require.Equal(t, http.StatusCreated, a.Code, a.Body)
	return pushedURL(client, a.RequestURI)
}

func pushedURL(client, handle string, pairs ...string) string {
	return "/oauth/authorize?" + form(append([]string{"client_id", client, "request_uri", handle}, pairs...)...).Encode()
}

// Row 112: a pushed request stands for what was pushed, for one code.
func TestPushedRequest(t *testing.T) {
	w := newWorld(t)
	a := w.push(t, "web", authorizeQuery("web", "scope", "read write", "state", "pushed"))
	require.Equal(t, http.StatusCreated, a.Code)
	require.Regexp(t, `^urn:ietf:params:oauth:request_uri:[A-Za-z0-9_-]{43}$`, a.RequestURI)
	require.Equal(t, 600, a.ExpiresIn)
	e := w.lastEvent(t)
	require.Equal(t, oauth.Event{Endpoint: "pushed_authorization", ClientID: "web", Address: netip.MustParseAddr("127.0.0.1")}, e)

	v := w.as(t, "alice")
	// What else the browser brings does not count.
	p := v.get(pushedURL("web", a.RequestURI, "state", "other", "scope", "read", "redirect_uri", "https://evil.example", "response_type", "token"))
	requireShown(t, p, http.StatusOK, "<code>write</code>")
	requireShown(t, v.get(pushedURL("web", a.RequestURI)), http.StatusOK, "Allow Web?") // again, until there is a code
	p = v.submit(p, "decision", "allow")
	code := requireCode(t, p)
	require.Equal(t, "pushed", p.location.Query().Get("state"))
	require.True(t, strings.HasPrefix(p.location.String(), callback+"?"))
	got := w.token(t, "web", "grant_type", "authorization_code", "code", code, "code_verifier", verifierText)
	requireGranted(t, got)
	require.Equal(t, "read write", got.Scope)

	requireShown(t, v.get(pushedURL("web", a.RequestURI)), http.StatusBadRequest, "has been used")
	require.ErrorIs(t, w.lastEvent(t).Err, oauth.ErrInvalidRequestURI)
}

// Row 112: a handle is its client's, and good for ten minutes.
func TestPushedRequestIsBound(t *testing.T) {
	authtest.At(t, time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC), func(t *testing.T) {
		w := newWorld(t)
		v := w.as(t, "alice")
		a := w.push(t, "web", authorizeQuery("web"))
		requireShown(t, v.get(pushedURL("opaque", a.RequestURI)), http.StatusBadRequest, "The pushed request is not known")
		requireShown(t, v.get(pushedURL("nobody", a.RequestURI)), http.StatusBadRequest, "The client is not known")
		unknown := "urn:ietf:params:oauth:request_uri:" + strings.Repeat("A", 43)
		requireShown(t, v.get(pushedURL("web", unknown)), http.StatusBadRequest, "The pushed request is not known")
		authtest.Advance(10*time.Minute - time.Second)
		requireShown(t, v.get(pushedURL("web", a.RequestURI)), http.StatusOK, "Allow Web?")
		authtest.Advance(time.Second)
		requireShown(t, v.get(pushedURL("web", a.RequestURI)), http.StatusBadRequest, "The pushed request is not known")
	})
}

// A client that declines is no code: the person may change their mind.
func TestDecliningSpendsNoPushedRequest(t *testing.T) {
	w := newWorld(t)
	v := w.as(t, "alice")
	target := w.pushed(t, "web")
	p := v.get(target)
	requireError(t, v.submit(p, "decision", "deny"), oauth.ErrAccessDenied)
	requireCode(t, v.submit(p, "decision", "allow"))
}

func TestPushedRequestsAreRefused(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]struct {
		client string
		query  url.Values
		fields []header
		status int
		code   oauth.ErrorCode
	}{
		"no client":         {"", url.Values{}, nil, 401, oauth.ErrInvalidClient},
		"no secret":         {"", authorizeQuery("web"), nil, 401, oauth.ErrInvalidClient},
		"wrong secret":      {"", authorizeQuery("web"), []header{basicAuth("web", "wrong")}, 401, oauth.ErrInvalidClient},
		"of another client": {"web", authorizeQuery("opaque"), nil, 400, oauth.ErrInvalidRequest},
		"request URI":       {"web", authorizeQuery("web", "request_uri", "urn:ietf:params:oauth:request_uri:x"), nil, 400, oauth.ErrInvalidRequest},
		"request object":    {"web", authorizeQuery("web", "request", "e30.e30."), nil, 400, oauth.ErrRequestNotSupported},
		"redirect URI":      {"web", authorizeQuery("web", "redirect_uri", callback+"/"), nil, 400, oauth.ErrInvalidRequest},
		"response type":     {"web", authorizeQuery("web", "response_type", "token"), nil, 400, oauth.ErrUnsupportedResponseType},
		"challenge":         {"web", authorizeQuery("web", "code_challenge", ""), nil, 400, oauth.ErrInvalidRequest},
		"scope":             {"web", authorizeQuery("web", "scope", "admin"), nil, 400, oauth.ErrInvalidScope},
		"resource":          {"web", authorizeQuery("web", "resource", "x:y"), nil, 400, oauth.ErrInvalidTarget},
		"grant":             {"partner", authorizeQuery("partner", "redirect_uri", callback), nil, 400, oauth.ErrInvalidRequest},
		"long":              {"web", authorizeQuery("web", "state", strings.Repeat("s", 17<<10)), nil, 400, oauth.ErrInvalidRequest},
		"repeated":          {"web", url.Values{"state": {"a", "b"}}, nil, 400, oauth.ErrInvalidRequest},
	} {
		a := w.push(t, c.client, c.query, c.fields...)
		require.Equal(t, c.status, a.Code, name)
		require.Equal(t, string(c.code), a.Error, name)
		require.Empty(t, a.RequestURI, name)
		require.Equal(t, c.code, w.lastEvent(t).Code, name)
	}
	// Row 38: what is in the query proves nobody.
	inQuery := httptest.NewRecorder()
	w.server.ServeHTTP(inQuery, request("POST", "/oauth/par?"+form("client_id", "web", "client_secret", w.secrets["web"]).Encode(), authorizeQuery("web")))
	require.Equal(t, http.StatusUnauthorized, inQuery.Code)
	get := httptest.NewRecorder()
	w.server.ServeHTTP(get, request("GET", "/oauth/par", nil))
	require.Equal(t, http.StatusMethodNotAllowed, get.Code)
}

// A client that must push cannot do without.
func TestClientsMustPush(t *testing.T) {
	w := newWorld(t)
	w.change("web", func(c *oauth.Client) { c.RequirePushed = true })
	v := w.as(t, "alice")
	requireError(t, v.get(authorizeURL("web")), oauth.ErrInvalidRequest)
	requireCode(t, v.consented(w.pushed(t, "web")))
}

// What is kept of a request holds no secret of the client, nor the handle.
func TestPushedRequestAtRest(t *testing.T) {
	store := memstore.New()
	w := newWorldOver(t, store)
	q := authorizeQuery("web")
	q.Set("client_secret", w.secrets["web"])
	a := &pushedAnswer{ResponseRecorder: httptest.NewRecorder()}
	w.server.ServeHTTP(a, request("POST", "/oauth/par", q))
	require.Equal(t, http.StatusCreated, a.Code, a.Body)
	require.NoError(t, json.Unmarshal(a.Body.Bytes(), a))
	kept := 0
	for e, err := range store.Walk(t.Context(), oauth.KindPushedRequest) {
		require.NoError(t, err)
		kept++
		require.Equal(t, auth.DigestOf(oauth.KindPushedRequest, a.RequestURI), e.Digest)
		require.NotContains(t, string(e.Record.Data), w.secrets["web"])
		require.NotContains(t, string(e.Record.Data), "client_secret")
		require.NotContains(t, string(e.Record.Data), "request_uri:")
	}
	require.Equal(t, 1, kept)
}

// Row 21: of codes that are made at once for one handle, one is handed out, and no
// other is left behind. All have been made before the first one spends the handle.
func TestPushedRequestIsSingleUse(t *testing.T) {
	for _, n := range []int{2, 10, 100} {
		memory := memstore.New()
		store := storetest.NewFaulty(memory)
		w := newWorldOver(t, store)
		requireCode(t, w.as(t, "alice").consented(authorizeURL("web")))
		before := codesIn(t, memory)
		target := w.pushed(t, "web")
		var (
			takes   atomic.Int64
			arrived sync.WaitGroup
			wait    sync.WaitGroup
			codes   = make(chan *page, n)
		)
		arrived.Add(n)
		store.Before = storetest.On("Take", func(context.Context, string) error {
			if takes.Add(1) <= int64(n) { // later ones remove codes
				arrived.Done()
				arrived.Wait()
			}
			return nil
		})
		for range n {
			v := w.as(t, "alice")
			wait.Go(func() {
				if p := v.get(target); p.StatusCode != http.StatusBadRequest {
					codes <- p
				}
			})
		}
		wait.Wait()
		close(codes)
		require.Len(t, codes, 1)
		requireCode(t, <-codes)
		require.Equal(t, before+1, codesIn(t, memory))
	}
}

func codesIn(t testing.TB, store auth.Walker) (n int) {
	for _, err := range store.Walk(context.Background(), oauth.KindAuthorizationCode) {
		require.NoError(t, err)
		n++
	}
	return n
}

// An outage at whichever call is an outage. It leaves the request good, or says so:
// where the answer of the one call that spends it is lost, it is spent.
func TestOutagesBurnNoPushedRequest(t *testing.T) {
	for _, lost := range []bool{false, true} {
		for i := 0; ; i++ {
			memory := memstore.New()
			store := storetest.NewFaulty(memory)
			w := newWorldOver(t, store)
			v := w.as(t, "alice")
			shown := v.get(w.pushed(t, "web"))
			calls := len(store.Calls())
			fault := storetest.Nth(i, storetest.Fail(errStoreDown))
			if lost {
				store.After = fault
			} else {
				store.Before = fault
			}
			p := v.submit(shown, "decision", "allow")
			made := store.Calls()[calls:]
			store.Before, store.After = nil, nil
			if p.location != nil {
				requireCode(t, p)
				require.GreaterOrEqual(t, i, len(made), "the call %s was made in vain", made)
				break
			}
			requireShown(t, p, http.StatusServiceUnavailable, "Please try again soon")
			require.NotEmpty(t, p.Header.Get("Retry-After"))
			again := v.submit(shown, "decision", "allow")
			if lost && made[i] == "Take" {
				requireShown(t, again, http.StatusBadRequest, "has been used")
				require.Zero(t, codesIn(t, memory))
				continue
			}
			requireCode(t, again)
		}
	}
}

// RFC 9449 section 10: the code is bound to a key that the request names, or that a
// proof along with a pushed one shows.
func TestRequestsBindTheCodeToAKey(t *testing.T) {
	w := newWorld(t)
	key, other := newSigner(), newSigner()
	jkt := strings.TrimPrefix(key.jkt(t), "jkt:")
	proof := func(s *signer) header { return s.proofFor("POST", issuer+"/oauth/par") }
	push := func(fields []header, pairs ...string) *pushedAnswer {
		q := authorizeQuery("bound", pairs...)
		return w.push(t, "bound", q, fields...)
	}
	redeem := func(by *signer, target string) *answer {
		t.Helper()
		r := w.redeem("bound", requireCode(t, w.as(t, "alice").consented(target)), "code_verifier", verifierText)
		p := by.proof()
		r.Header.Set(p.name, p.value)
		return w.send(t, r)
	}
	for name, a := range map[string]*pushedAnswer{
		"by a proof": push([]header{proof(key)}),
		"by name":    push(nil, "dpop_jkt", jkt),
		"by both":    push([]header{proof(key)}, "dpop_jkt", jkt),
	} {
		require.Equal(t, http.StatusCreated, a.Code, "%s: %s", name, a.Body)
		target := pushedURL("bound", a.RequestURI)
		requireGranted(t, redeem(key, target))
		a = push([]header{proof(key)})
		requireRefused(t, redeem(other, pushedURL("bound", a.RequestURI)), 400, oauth.ErrInvalidGrant)
	}
	requireGranted(t, redeem(key, authorizeURL("bound", "dpop_jkt", jkt)))
	requireRefused(t, redeem(other, authorizeURL("bound", "dpop_jkt", jkt)), 400, oauth.ErrInvalidGrant)

	a := push([]header{proof(other)}, "dpop_jkt", jkt)
	require.Equal(t, string(oauth.ErrInvalidDPoPProof), a.Error)
	a = push([]header{key.proofFor("POST", issuer+"/oauth/token")})
	require.Equal(t, string(oauth.ErrInvalidDPoPProof), a.Error)
	used := proof(key)
	require.Equal(t, http.StatusCreated, push([]header{used}).Code)
	require.Equal(t, string(oauth.ErrInvalidDPoPProof), push([]header{used}).Error)
	fresh := proof(key)
	require.Equal(t, string(oauth.ErrInvalidScope), push([]header{fresh}, "scope", "admin").Error)
	require.Equal(t, http.StatusCreated, push([]header{fresh}).Code, "what was refused for something else uses up no proof")

	without := newWorld(t, func(c *oauth.Config) { c.DPoP = nil })
	requireError(t, without.as(t, "alice").get(authorizeURL("web", "dpop_jkt", jkt)), oauth.ErrInvalidRequest)
}
