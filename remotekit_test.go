package auth_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
)

// A provider is an identity provider, with what may go wrong at one.
type provider struct {
	*testing.T
	issuer string
	client *http.Client

	mu      sync.Mutex
	pages   map[string]http.HandlerFunc // by path
	asked   map[string]int              // by path, also where there is no page
	times   []time.Time                 // of asking for the keys
	release chan struct{}               // if not nil, answers wait for it
}

const (
	keysPath = "/keys"
	oidcPath = "/.well-known/openid-configuration"
	rfcPath  = "/.well-known/oauth-authorization-server"
)

// newProvider starts a provider on a TLS server.
func newProvider(t *testing.T, keys ...*auth.Key) *provider {
	p := &provider{T: t}
	server := httptest.NewUnstartedServer(p)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // handshakes that fail on purpose
	server.StartTLS()
	t.Cleanup(server.Close)
	p.issuer, p.client = server.URL, server.Client()
	p.publish(keys...)
	return p
}

// newPipedProvider starts one in a bubble: a server of net/http, its connections
// pipes.
func newPipedProvider(t *testing.T, keys ...*auth.Key) *provider {
	p := &provider{T: t, issuer: "http://127.0.0.1:8080"}
	wire := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
	transport := &http.Transport{DialContext: wire.dial}
	server := &http.Server{Handler: p, ReadHeaderTimeout: time.Hour}
	p.client = &http.Client{Transport: transport}
	go func() { _ = server.Serve(wire) }()
	t.Cleanup(func() {
		require.NoError(t, server.Close())
		transport.CloseIdleConnections()
	})
	p.publish(keys...)
	return p
}

// pipes are a listener within this process.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case p.conns <- there:
		return here, nil
	case <-p.closed:
		return nil, errors.New("connection refused")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8080} }

func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	if p.asked == nil {
		p.asked = map[string]int{}
	}
	p.asked[r.URL.Path]++
	if r.URL.Path == keysPath {
		p.times = append(p.times, time.Now())
	}
	page, release := p.pages[r.URL.Path], p.release
	p.mu.Unlock()
	if release != nil {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}
	if page == nil {
		http.NotFound(w, r)
		return
	}
	page(w, r)
}

// page sets what is at a path; nil takes it away.
func (p *provider) page(path string, f http.HandlerFunc) {
	p.mu.Lock()
	defer p.mu.Unlock()
	pages := map[string]http.HandlerFunc{}
	maps.Copy(pages, p.pages)
	pages[path] = f
	p.pages = pages
}

// text sets a page to a text.
func (p *provider) text(path, text string) {
	p.page(path, func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, text) })
}

// publish sets the keys, and metadata that names them.
func (p *provider) publish(keys ...*auth.Key) {
	p.text(keysPath, jwks(p.T, keys...))
	p.text(oidcPath, fmt.Sprintf(`{"issuer":%q,"jwks_uri":%q}`, p.issuer, p.issuer+keysPath))
}

// jwks is the JWK Set of the public parts of keys.
func jwks(t *testing.T, keys ...*auth.Key) string {
	if len(keys) == 0 {
		return `{"keys":[]}`
	}
	return serve(keySet(t, nil, keys...).JWKS(), from("GET", "/")).Body.String()
}

// fail answers with a status, wherever.
func (p *provider) fail(status int) {
	for _, path := range []string{keysPath, oidcPath, rfcPath} {
		p.page(path, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
	}
}

// stall has answers wait until the function that it returns is called.
func (p *provider) stall() (release func()) {
	c := make(chan struct{})
	p.mu.Lock()
	p.release = c
	p.mu.Unlock()
	return func() {
		p.mu.Lock()
		p.release = nil
		p.mu.Unlock()
		close(c)
	}
}

// fetched is how often the keys were asked for.
func (p *provider) fetched() int { return p.askedFor(keysPath) }

func (p *provider) askedFor(path string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked[path]
}

func (p *provider) fetchTimes() []time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.times
}

// asks is how often anything was asked for.
func (p *provider) asks() (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, more := range p.asked {
		n += more
	}
	return n
}

// remote returns the keys at the provider's URL.
func (p *provider) remote(o auth.RemoteKeysOptions) *auth.RemoteKeys {
	o.Client = p.client
	return p.closing(auth.NewRemoteKeys(p.issuer+keysPath, &o))
}

// discover returns the keys that its metadata names.
func (p *provider) discover(o auth.RemoteKeysOptions) *auth.RemoteKeys {
	o.Client = p.client
	return p.closing(auth.Discover(p.issuer, &o))
}

func (p *provider) closing(r *auth.RemoteKeys, err error) *auth.RemoteKeys {
	p.Helper()
	require.NoError(p, err)
	p.Cleanup(func() { require.NoError(p, r.Close()) })
	return r
}

// jwt is a verifier of the provider's tokens.
func (p *provider) jwt(keys auth.KeySet) *auth.JWT {
	p.Helper()
	j, err := auth.NewJWT(p.issuer, jwtAudience, keys, nil)
	require.NoError(p, err)
	return j
}

// claims are those of a token of the provider.
func (p *provider) claims() claims { return goodClaims().with("iss", fmt.Sprintf("%q", p.issuer)) }

// token is one that the provider has signed with a key.
func (p *provider) token(k *auth.Key) string {
	p.Helper()
	j, err := auth.NewJWT(p.issuer, jwtAudience, keySet(p, k), &auth.JWTOptions{Lifetime: 100 * 24 * time.Hour})
	require.NoError(p, err)
	return issue(p, j, alice())
}

// bogus is a token of a key that the provider does not have.
func (p *provider) bogus() string { return p.token(generate(p, auth.EdDSA)) }

// outage requires that a token can neither be accepted nor refused now, and
// returns the error.
func outage(t testing.TB, v auth.Verifier, token string) error {
	t.Helper()
	_, err := v.Verify(t.Context(), token)
	requireUnknown(t, err)
	return err
}

func requireUnknown(t testing.TB, err error) {
	t.Helper()
	require.Error(t, err)
	var reason auth.Reason
	if errors.As(err, &reason) {
		require.Equal(t, auth.ErrUnavailable, reason)
	}
	guard := auth.NewGuard(authenticator(func(*http.Request) (*auth.Principal, error) { return nil, err }), nil)
	w := serve(guard.WrapFunc(hello), from("GET", "/"))
	require.Equal(t, http.StatusServiceUnavailable, w.Code)
	require.NotEmpty(t, w.Header().Get("Retry-After"))
	require.NotContains(t, w.Body.String(), "keys", "the text for clients is fixed")
}

// good requires that a token is accepted.
func good(t testing.TB, v auth.Verifier, token string) *auth.Principal {
	t.Helper()
	p, err := v.Verify(t.Context(), token)
	require.NoError(t, err)
	return p
}

// bad requires that a token is refused.
func bad(t testing.TB, v auth.Verifier, token string) {
	t.Helper()
	_, err := v.Verify(t.Context(), token)
	require.ErrorIs(t, err, auth.ErrInvalid)
}

// anRSAKey is the same one whenever it is asked for: it takes a while to make.
func anRSAKey(t testing.TB) *auth.Key {
	t.Helper()
	k, err := oneRSAKey()
	require.NoError(t, err)
	return k
}

var oneRSAKey = sync.OnceValues(func() (*auth.Key, error) { return auth.GenerateKey(auth.RS256) })

// complaints are what OnError was told.
type complaints struct {
	mu   sync.Mutex
	list []error
}

func (r *complaints) note(_ context.Context, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = append(r.list, err)
}

func (r *complaints) all() []error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.list
}
