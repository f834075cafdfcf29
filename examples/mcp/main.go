// MCP: a server of the Model Context Protocol that takes OAuth 2.0 access tokens,
// as its authorization specification asks. A client that knows nothing but the
// URL finds the way to a token by itself.
package main

import (
	"errors"
	"flag"
	"log/slog"
	"net/http"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/examples/internal/demo"
)

var issuer = flag.String("issuer", "", "the authorization server whose tokens are taken; by default the program is one itself")

func main() { demo.Main(build) }

func build(baseURL string, log *slog.Logger) (*demo.App, error) {
	mux := http.NewServeMux()
	app := &demo.App{
		Handler: auth.HTTPSOnly(http.MaxBytesHandler(mux, 1<<20), nil),
		Lines:   []demo.Line{{Name: "mcp_url", Value: baseURL + "/mcp"}},
	}
	if *issuer == "" {
		*issuer = baseURL
		server, lines, err := newAuthorizationServer(baseURL, log)
		if err != nil {
			return nil, err
		}
		mux.Handle("/", server)
		app.Lines = append(app.Lines, lines...)
	}
	keys, err := auth.Discover(*issuer, nil)
	if err != nil {
		return nil, err
	}
	app.Close = keys.Close

	// These three protect any handler. Clients ask for the scopes that the resource
	// names right away, so it names what everybody needs; of others they learn by
	// the answer of 403.
	resource, err1 := auth.NewResource(baseURL+"/mcp", []string{*issuer}, &auth.ResourceOptions{Scopes: []string{"notes:read"}})
	tokens, err2 := auth.NewJWT(*issuer, baseURL+"/mcp", keys, &auth.JWTOptions{Type: "at+jwt"})
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	guard := auth.NewGuard(auth.Bearer(tokens), &auth.GuardOptions{Resource: resource, Observe: auth.LogTo(log)})

	tools := newTools()
	mux.Handle(resource.MetadataPath(), resource)
	mux.Handle("/mcp", guard.With(auth.Scope("notes:read")).Wrap(byTool(tools, map[string]http.Handler{
		// All that it takes, as the next token of some clients has nothing else.
		"add_note": guard.With(auth.Scope("notes:read", "notes:write")).Wrap(tools),
	})))
	return app, nil
}
