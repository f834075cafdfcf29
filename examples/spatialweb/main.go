// Spatialweb: OAuth 2.0. The program is an authorization server and the API that
// takes its access tokens; API keys open a part of the API, and one route is for
// some networks alone.
package main

import (
	"context"
	"errors"
	"flag"
	"log/slog"
	"net/http"
	"time"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/examples/internal/demo"
	"github.com/seed-077cad0b/auth/store/memstore"
)

var adminNetworks = flag.String("admin-networks", "127.0.0.0/8,::1/128", "from where /admin may be called")

func main() { demo.Main(build) }

func build(baseURL string, log *slog.Logger) (*demo.App, error) {
	secrets, err1 := readSecrets()
	networks, err2 := auth.ParseNetworks(*adminNetworks)
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	store := memstore.New()
	server, err := newServer(baseURL, store, secrets, log)
	if err != nil {
		return nil, err
	}

	// What the API takes: tokens of the server above, for this very API, which it
	// may have revoked; bound to a key, if the client likes; and API keys.
	resource, err1 := auth.NewResource(baseURL, []string{baseURL}, &auth.ResourceOptions{Name: "SpatialWeb", Scopes: scopeNames()})
	tokens, err2 := auth.NewJWT(baseURL, baseURL, server.keys, &auth.JWTOptions{Type: "at+jwt", Revocation: store})
	keys, err3 := auth.NewAPIKeys(store, "sw", nil)
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	opts := &auth.GuardOptions{Realm: "spatialweb", Resource: resource, Observe: auth.LogTo(log)}
	guard := auth.NewGuard(auth.First(
		auth.Bearer(tokens), server.dpop.Source(tokens), auth.Header("X-API-Key", keys)), opts)

	// Each caller has 100 calls a minute, whatever they call.
	spaces := guard.Limit(auth.NewLimiter(100, time.Minute), auth.ByIdentity())
	read := spaces.With(auth.Scope("spaces:read"))
	write := spaces.With(auth.Kinds(auth.KindJWT), auth.Scope("spaces:write"))
	admin := guard.From(networks).With(auth.Kinds(auth.KindJWT), auth.Scope("admin"))

	api := &api{guard: guard, store: store}
	mux := http.NewServeMux()
	mux.Handle("/oauth/", server)
	mux.Handle("/.well-known/", server)
	mux.Handle(resource.MetadataPath(), resource)
	mux.Handle("GET /spaces", read.Handle(api.list))
	mux.Handle("POST /spaces", write.Handle(api.create))
	mux.Handle("GET /admin/keys", admin.Handle(api.keys))

	lines, err := seed(context.Background(), baseURL, server, keys, secrets)
	return &demo.App{
		Handler: auth.HTTPSOnly(http.MaxBytesHandler(mux, 1<<20), opts),
		Lines:   lines,
		Close:   func() error { return errors.Join(keys.Close(), server.sessions.Close()) },
	}, err
}
