package auth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
)

// known is a Verifier that knows texts by heart: each proves a principal or
// gives an error. Every other text is of its form, but unknown.
type known map[string]any

func (k known) Verify(_ context.Context, text string) (*auth.Principal, error) {
	switch answer := k[text].(type) {
	case *auth.Principal:
		return answer, nil
	case error:
		return nil, answer
	default:
		return nil, auth.ErrInvalid
	}
}

// kinded is a Verifier that tells its kind, as those of the package do.
type kinded struct {
	known
	kind auth.Kind
}

func (k kinded) Kind() auth.Kind { return k.kind }

// prefixed is a Verifier that tells its form apart by how texts begin.
type prefixed struct {
	known
	prefix string
	asked  int
}

func (p *prefixed) Form() auth.Form {
	return auth.Form{
		New:   func() string { return p.prefix + "fresh" },
		Match: func(text string) bool { return strings.HasPrefix(text, p.prefix) },
	}
}

func (p *prefixed) Verify(ctx context.Context, text string) (*auth.Principal, error) {
	p.asked++
	if !p.Form().Match(text) {
		return nil, auth.ErrNotMine
	}
	return p.known.Verify(ctx, text)
}

// authenticator is a function as an Authenticator.
type authenticator func(r *http.Request) (*auth.Principal, error)

func (f authenticator) Authenticate(r *http.Request) (*auth.Principal, error) { return f(r) }

// issuer is a function as an Issuer.
type issuer func(p *auth.Principal, o *auth.IssueOptions) (*auth.Grant, error)

func (f issuer) Issue(_ context.Context, p *auth.Principal, o *auth.IssueOptions) (*auth.Grant, error) {
	return f(p, o)
}

var errOutage = errors.New("dial tcp 10.0.0.7:5432: connection refused")

// alice is a caller with a session, opened with a password.
func alice(scopes ...string) *auth.Principal {
	return &auth.Principal{
		Subject:    "alice",
		Tier:       "premium",
		Scopes:     scopes,
		Origin:     auth.Origin{Kind: auth.KindPassword, ID: "alice", Time: time.Now()},
		Credential: auth.Credential{ID: "public-id", Kind: auth.KindSession},
	}
}

// from returns a request as a server sees it: in origin form and, like its
// headers, from this host. A client's absolute URL would hide what the guard
// goes by.
func from(method, target string, headers ...string) *http.Request {
	return sending(method, target, "", headers...)
}

// sending is from with a body.
func sending(method, target, body string, headers ...string) *http.Request {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.RemoteAddr = "127.0.0.1:4242"
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}

// beyond is r from another host, over plain HTTP.
func beyond(r *http.Request) *http.Request {
	r.RemoteAddr = "192.0.2.1:4242"
	return r
}

func serve(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// hello names the caller. It is what guards protect here.
func hello(w http.ResponseWriter, r *http.Request) {
	name := "nobody"
	if p, ok := auth.FromContext(r.Context()); ok {
		name = p.Subject
	}
	_, _ = fmt.Fprint(w, "hello ", name)
}

// watched returns options whose observer notes events.
func watched(o auth.GuardOptions) (*auth.GuardOptions, *[]auth.Event) {
	events := new([]auth.Event)
	o.Observe = func(_ context.Context, e auth.Event) { *events = append(*events, e) }
	return &o, events
}

// A ledger is Verifier, Issuer and Revoker in one: the least that sessions are.
type ledger struct {
	known
	lifetime string // a time.Duration, "0s" for ever
	issued   []auth.IssueOptions
	proved   []*auth.Principal
	ended    []string
	down     error // of Revoke
}

func newLedger() *ledger { return &ledger{known: known{}, lifetime: "1h"} }

func (l *ledger) Issue(_ context.Context, p *auth.Principal, o *auth.IssueOptions) (*auth.Grant, error) {
	l.issued, l.proved = append(l.issued, *o), append(l.proved, p)
	token := fmt.Sprintf("token-%d", len(l.issued))
	q := *p
	q.Credential = auth.Credential{ID: "id-of-" + token, Kind: auth.KindSession, Created: time.Now()}
	if d, _ := time.ParseDuration(l.lifetime); d > 0 {
		q.Credential.Expires = time.Now().Add(d)
	}
	l.known[token] = &q
	return &auth.Grant{Token: auth.NewSecret(token), Principal: &q}, nil
}

func (l *ledger) Revoke(_ context.Context, p *auth.Principal) error {
	token, mine := strings.CutPrefix(p.Credential.ID, "id-of-")
	switch {
	case l.down != nil:
		return l.down
	case !mine:
		return auth.ErrNotMine
	}
	delete(l.known, token)
	l.ended = append(l.ended, token)
	return nil
}

// onlyCookie returns the one cookie that an answer sets, without its raw text.
func onlyCookie(t testing.TB, w *httptest.ResponseRecorder) *http.Cookie {
	t.Helper()
	lines := w.Result().Header["Set-Cookie"]
	require.Len(t, lines, 1, "%d %s", w.Code, w.Body)
	cookie, err := http.ParseSetCookie(lines[0])
	require.NoError(t, err)
	cookie.Raw = ""
	return cookie
}
