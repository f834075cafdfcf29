package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/seed-077cad0b/auth"
)

// notes are what the server's tools are about.
type notes struct {
	mu  sync.Mutex
	all map[auth.Digest][]string // by owner
}

type (
	nothing struct{}
	note    struct {
		Text string `json:"text" jsonschema:"what to remember"`
	}
	list struct {
		Notes []string `json:"notes"`
	}
)

// newTools returns the handler of the protocol. Without sessions of its own, each
// call bears the principal of its request.
func newTools() http.Handler {
	n := &notes{all: map[auth.Digest][]string{}}
	server := mcp.NewServer(&mcp.Implementation{Name: "notes", Version: "1.0.0"}, nil)
	mcp.AddTool(server, &mcp.Tool{Name: "list_notes", Description: "Lists your notes."}, n.list)
	mcp.AddTool(server, &mcp.Tool{Name: "add_note", Description: "Adds a note."}, n.add)
	return mcp.NewStreamableHTTPHandler(
		func(*http.Request) *mcp.Server { return server },
		&mcp.StreamableHTTPOptions{Stateless: true})
}

func (n *notes) list(ctx context.Context, _ *mcp.CallToolRequest, _ nothing) (*mcp.CallToolResult, list, error) {
	p, ok := auth.FromContext(ctx)
	if !ok {
		return nil, list{}, auth.ErrNoCredential
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return nil, list{append([]string{}, n.all[p.Owner()]...)}, nil
}

// add asks for the scope itself, too. What byTool read in a message is how the
// client learns what it needs; who may write is decided where it is written.
func (n *notes) add(ctx context.Context, _ *mcp.CallToolRequest, in note) (*mcp.CallToolResult, list, error) {
	p, ok := auth.FromContext(ctx)
	if !ok || !slices.Contains(p.Scopes, "notes:write") {
		return nil, list{}, auth.ErrInsufficientScope
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.all[p.Owner()]) < 100 { // of a demo
		n.all[p.Owner()] = append(n.all[p.Owner()], in.Text)
	}
	return nil, list{append([]string{}, n.all[p.Owner()]...)}, nil
}

// byTool routes calls by the tool that they are for, so that each can have a
// guard of its own, which answers before the call is under way: from then on the
// protocol knows no 403.
func byTool(others http.Handler, tools map[string]http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body) // which is bounded
		if err != nil {
			http.Error(w, "The body cannot be read.", http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		var call struct {
			Method string
			Params struct{ Name string }
		}
		if json.Unmarshal(body, &call) == nil && call.Method == "tools/call" {
			if h, ok := tools[call.Params.Name]; ok {
				h.ServeHTTP(w, r)
				return
			}
		}
		others.ServeHTTP(w, r)
	})
}
