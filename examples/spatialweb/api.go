package main

import (
	"errors"
	"net/http"
	"strconv"
	"sync"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/examples/internal/demo"
)

// api is the API's own business; by now it knows who is calling.
type api struct {
	guard *auth.Guard
	store auth.Walker

	mu     sync.Mutex
	spaces []space
}

type space struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Owner string `json:"owner"`
}

func (a *api) list(w http.ResponseWriter, _ *http.Request, p *auth.Principal) {
	a.mu.Lock()
	defer a.mu.Unlock()
	demo.WriteJSON(w, map[string]any{
		"spaces": append([]space{}, a.spaces...),
		"for":    p.Subject,
		"by":     p.Credential.Kind,
	})
}

func (a *api) create(w http.ResponseWriter, r *http.Request, p *auth.Principal) {
	s, err := demo.ReadJSON[space](r)
	if err != nil {
		a.guard.Fail(w, r, err)
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	s.ID, s.Owner = "space-"+strconv.Itoa(len(a.spaces)+1), p.Subject
	if len(a.spaces) < 1000 { // of a demo
		a.spaces = append(a.spaces, s)
	}
	demo.WriteJSON(w, s)
}

// keys shows an operator whose API keys there are. What they open stays a secret.
func (a *api) keys(w http.ResponseWriter, r *http.Request, _ *auth.Principal) {
	type key struct {
		ID     string   `json:"id"`
		Name   string   `json:"name"`
		Hint   string   `json:"hint"`
		Owner  string   `json:"owner"`
		Scopes []string `json:"scopes"`
	}
	keys := []key{}
	for e, err := range a.store.Walk(r.Context(), auth.KindAPIKey) {
		k, unread := e.APIKey()
		if err := errors.Join(err, unread); err != nil {
			a.guard.Fail(w, r, err) // an outage
			return
		}
		keys = append(keys, key{k.ID, k.Principal.Credential.Name, k.Hint, k.Principal.Subject, k.Principal.Scopes})
	}
	demo.WriteJSON(w, map[string]any{"keys": keys})
}
