package peers

import (
	"crypto/rand"
	"net/http"
	"sync"

	guardianauth "github.com/shaj13/go-guardian/v2/auth"
	"github.com/shaj13/go-guardian/v2/auth/strategies/token"

	"github.com/seed-077cad0b/auth"
)

// APIKeyField is where requests show their API keys. It is written as net/http has
// it, which spares whoever looks it up an allocation.
const APIKeyField = "X-Api-Key"

// A KeyStore knows API keys and guards requests by them.
type KeyStore interface {
	// Create makes a key that is p's and returns its text. It is safe for
	// concurrent use, but not with requests.
	Create(p *auth.Principal) (text string, err error)

	// Wrap is the middleware, if there is one, and Subject tells the handler
	// inside who sent the request: empty for nobody.
	Wrap(http.Handler) http.Handler
	Subject(r *http.Request) string
}

// An APIKeys is a library that knows API keys.
type APIKeys struct {
	Name, Module string
	Notes        []string
	New          func() KeyStore
}

// AllAPIKeys are the libraries that know API keys, and what people write instead.
var AllAPIKeys = []APIKeys{
	{"a map", "", []string{"compares the keys themselves, which nothing revokes"}, func() KeyStore { return &keyMap{keys: map[string]*auth.Principal{}} }},
	{"go-guardian, static", guardianModule, []string{"compares the keys themselves"}, newGuardianKeys},
}

// newKey returns 260 random bits, as long a text as ours.
func newKey() string { return "acme_live_" + rand.Text() + rand.Text() }

// A keyMap is the few lines that people write, in the handler itself. It never
// changes.
type keyMap struct {
	mu   sync.Mutex
	keys map[string]*auth.Principal
}

func (m *keyMap) Create(p *auth.Principal) (string, error) {
	text := newKey()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.keys[text] = p
	return text, nil
}

func (*keyMap) Wrap(h http.Handler) http.Handler { return h }

func (m *keyMap) Subject(r *http.Request) string {
	p, ok := m.keys[r.Header.Get(APIKeyField)]
	if !ok {
		return ""
	}
	return p.Subject
}

// guardianKeys are a static strategy of go-guardian. It hashes nothing: what it
// has hashed, it does not find.
type guardianKeys struct{ strategy guardianauth.Strategy }

func newGuardianKeys() KeyStore {
	return guardianKeys{token.NewStatic(nil, token.SetParser(token.XHeaderParser(APIKeyField)))}
}

func (k guardianKeys) Create(p *auth.Principal) (string, error) {
	text := newKey()
	return text, guardianauth.Append(k.strategy, text, guardianauth.NewUserInfo(p.Subject, p.Subject, p.Scopes,
		guardianauth.Extensions{"issuer": {p.Issuer}, "tenant": {p.Tenant}, "tier": {p.Tier}}))
}

func (k guardianKeys) Wrap(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, err := k.strategy.Authenticate(r.Context(), r)
		if err != nil {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		h.ServeHTTP(w, guardianauth.RequestWithUser(user, r))
	})
}

func (guardianKeys) Subject(r *http.Request) string {
	user := guardianauth.User(r)
	if user == nil {
		return ""
	}
	return user.GetID()
}
