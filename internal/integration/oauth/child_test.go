//go:build linux

package oauth_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/oauth"
	"github.com/seed-077cad0b/auth/store/memstore"
	"github.com/seed-077cad0b/auth/store/redisstore"
	"github.com/seed-077cad0b/auth/store/sqlstore"
)

// settings are what the processes of one authorization server have in common.
type settings struct {
	Issuer string
	Store  string          // see openStore
	Key    json.RawMessage // the private JWK that signs
	Nonces []byte          // the key of DPoP's nonces
	Secret string          // of all clients that have one
	Signer json.RawMessage // the public JWK of the client signer

	Addr string // where this process listens
}

const settingsVariable = "AUTH_TEST_OAUTH_SERVER"

// child starts the test binary as a process that serves.
func child(tb testing.TB, s settings) *program {
	tb.Helper()
	cmd := exec.Command(must(os.Executable()))
	cmd.Env = append(os.Environ(), settingsVariable+"="+string(must(json.Marshal(s))))
	return start(tb, cmd)
}

// serve is what such a process does. It ends by a signal.
func serve(text string) error {
	var s settings
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return err
	}
	store, err := openStore(context.Background(), s.Store)
	if err != nil {
		return err
	}
	handler, err := s.handler(store)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", s.Addr)
	if err != nil {
		return err
	}
	fmt.Printf("base_url=http://%s\nready=1\n", l.Addr())
	return http.Serve(l, handler) //nolint:gosec // it is for a moment
}

// handler returns an authorization server with all that there is, and an API that
// takes its tokens.
func (s settings) handler(store auth.Store) (http.Handler, error) {
	key, err := auth.ParseJWK(s.Key)
	if err != nil {
		return nil, err
	}
	resource := s.Issuer + "/api"
	keys, err1 := auth.NewKeys(key)
	clients, err2 := s.clients(resource)
	dpop, err3 := auth.NewDPoP(store, &auth.DPoPOptions{BaseURL: s.Issuer, NonceKey: s.Nonces})
	platforms, err4 := s.platforms(store)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return nil, err
	}
	server, err1 := oauth.NewServer(oauth.Config{
		Issuer:    s.Issuer,
		Name:      "Integration",
		Store:     store,
		Keys:      keys,
		Clients:   clients,
		Resources: []string{resource},
		Scopes:    []oauth.Scope{{Name: "read"}, {Name: "write"}},
		Login:     signedIn{s.Issuer, time.Now()},
		DPoP:      dpop,
		Platforms: platforms,
	})
	tokens, err2 := auth.NewJWT(s.Issuer, resource, keys, &auth.JWTOptions{Type: "at+jwt", Revocation: store})
	opaque, err3 := auth.NewOpaqueTokens(store, resource, nil)
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	guard := auth.NewGuard(auth.First(auth.Bearer(tokens, opaque), dpop.Source(tokens, opaque)), nil)
	mux := http.NewServeMux()
	mux.Handle("/", server)
	mux.Handle("GET /api", guard.With(auth.Scope("read")).Handle(func(w http.ResponseWriter, _ *http.Request, p *auth.Principal) {
		_ = json.NewEncoder(w).Encode(map[string]any{"sub": p.Subject, "client_id": p.Credential.ClientID, "claims": p.Claims})
	}))
	return mux, nil
}

// clients registers one of every sort.
func (s settings) clients(resource string) (*oauth.ClientList, error) {
	secret, err1 := oauth.ImportClientSecret(s.Secret)
	key, err2 := auth.ParseJWK(s.Signer)
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	signer, err := auth.NewKeys(nil, key)
	if err != nil {
		return nil, err
	}
	var all []*oauth.Client
	add := func(id string, c oauth.Client, grants ...oauth.GrantType) {
		c.ID, c.Name, c.Grants, c.Scopes = id, id, grants, []string{"read", "write"}
		if !c.Public && c.Keys == nil {
			c.Secrets = []oauth.ClientSecret{secret}
		}
		if c.Trusted || c.RequirePushed {
			c.RedirectURIs = []string{callback}
		}
		all = append(all, &c)
	}
	add("web", oauth.Client{Trusted: true}, oauth.AuthorizationCode, oauth.RefreshToken)
	add("opaque", oauth.Client{Trusted: true, OpaqueTokens: true}, oauth.AuthorizationCode, oauth.RefreshToken)
	add("pusher", oauth.Client{Trusted: true, RequirePushed: true}, oauth.AuthorizationCode)
	add("signer", oauth.Client{Keys: signer, Trusted: true}, oauth.ClientCredentials, oauth.AuthorizationCode)
	add("bound", oauth.Client{RequireDPoP: true}, oauth.ClientCredentials)
	add("tv", oauth.Client{Public: true}, oauth.DeviceCode, oauth.RefreshToken)
	add("gateway", oauth.Client{Audience: resource}, oauth.TokenExchange)
	add("partner", oauth.Client{}, oauth.JWTBearer)
	return oauth.NewClientList(all...)
}

const callback = "https://web.example/callback"

// platforms are those whose users the client partner brings.
func (s settings) platforms(store auth.Store) (*auth.Platforms, error) {
	key, err := auth.ParseJWK(s.Signer)
	if err != nil {
		return nil, err
	}
	keys, err := auth.NewKeys(nil, key)
	if err != nil {
		return nil, err
	}
	list, err := auth.NewPlatformList(&auth.Platform{
		ID: "acme", Keys: keys, Algorithms: []auth.Algorithm{auth.ES256}, Audience: s.Issuer, Scopes: []string{"read"},
	})
	if err != nil {
		return nil, err
	}
	return auth.NewPlatforms(store, list, &auth.PlatformOptions{Issuer: s.Issuer})
}

// signedIn is a login for those who have signed in already.
type signedIn struct {
	issuer string
	since  time.Time
}

func (l signedIn) Authenticate(*http.Request) (*auth.Principal, error) {
	p := &auth.Principal{
		Issuer: l.issuer, Subject: "ada", Scopes: []string{"read", "write"},
		Origin: auth.Origin{Kind: auth.KindPassword, ID: "ada"},
	}
	return p.ProvedAt(l.since), nil
}

func (l signedIn) ServeLogin(w http.ResponseWriter, r *http.Request, i *oauth.Interaction) {
	http.Redirect(w, r, i.Return, http.StatusSeeOther)
}

// openStore opens the store that a text names: "memory", or a URL of a SQLite
// file, of PostgreSQL, or of Redis with the prefix as its fragment.
func openStore(ctx context.Context, text string) (auth.Store, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, err
	}
	switch u.Scheme {
	case "":
		return memstore.New(), nil
	case "file":
		return openSQL(ctx, "sqlite", text, sqlstore.SQLite)
	case "postgres":
		return openSQL(ctx, "pgx", text, sqlstore.PostgreSQL)
	}
	address, prefix, _ := strings.Cut(text, "#")
	return redisstore.Open(ctx, address, &redisstore.Options{Prefix: prefix})
}

func openSQL(ctx context.Context, driver, name string, dialect sqlstore.Dialect) (auth.Store, error) {
	db, err := sql.Open(driver, name)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(16) // a crowd waits for its turn
	if err := sqlstore.Migrate(ctx, db, dialect); err != nil {
		return nil, err
	}
	return sqlstore.New(ctx, db, dialect, nil)
}
