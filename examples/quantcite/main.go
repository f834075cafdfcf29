// Quantcite: an API key is exchanged for a session of 24 hours, and the API
// speaks a JSON dialect of its own.
package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/examples/internal/demo"
	"github.com/seed-077cad0b/auth/store/memstore"
)

func main() { demo.Main(build) }

func build(_ string, log *slog.Logger) (*demo.App, error) {
	store := memstore.New()
	keys, err1 := auth.NewAPIKeys(store, "qc", nil)
	sessions, err2 := auth.NewSessions(store, &auth.SessionOptions{Form: auth.UUIDForm()})
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	lines, err := seed(context.Background(), keys, sessions)
	if err != nil {
		return nil, err
	}

	opts := &auth.GuardOptions{Format: dialect, Observe: auth.LogTo(log)}
	login := auth.NewGuard(auth.JSONField("api_key", keys), opts)
	guard := auth.NewGuard(auth.Bearer(sessions), opts)

	mux := http.NewServeMux()
	mux.Handle("POST /api/v1/authenticate", login.Exchange(sessions))
	mux.Handle("GET /api/v1/session-status", guard.Status())
	mux.Handle("POST /api/v1/transactions", guard.Handle(transactions(guard)))
	return &demo.App{
		Handler: http.MaxBytesHandler(mux, 1<<20),
		Lines:   lines,
		Close:   func() error { return errors.Join(keys.Close(), sessions.Close()) },
	}, nil
}

// transactions is the API's own business; by now it knows who is calling.
func transactions(guard *auth.Guard) func(http.ResponseWriter, *http.Request, *auth.Principal) {
	type query struct {
		Exchange string   `json:"exchange"`
		Types    []string `json:"transaction_types"`
	}
	return func(w http.ResponseWriter, r *http.Request, p *auth.Principal) {
		q, err := demo.ReadJSON[query](r)
		if err != nil {
			guard.Fail(w, r, err)
			return
		}
		demo.WriteJSON(w, map[string]any{
			"success":           true,
			"user_id":           p.Subject,
			"exchange":          q.Exchange,
			"transaction_types": q.Types,
			"transactions":      []any{},
		})
	}
}

// seed makes the demo's credentials.
func seed(ctx context.Context, keys *auth.APIKeys, sessions *auth.Sessions) ([]demo.Line, error) {
	var lines []demo.Line
	create := func(name, tier string) (*auth.Grant, error) {
		p := &auth.Principal{Subject: auth.UUIDForm().New(), Tier: tier}
		g, err := keys.Create(ctx, p, &auth.KeyOptions{Name: name})
		if err == nil {
			lines = append(lines, demo.Line{Name: name, Value: g.Token.Reveal()})
		}
		return g, err
	}
	premium, err1 := create("api_key", "premium")
	_, err2 := create("basic_api_key", "basic")
	disabled, err3 := create("disabled_api_key", "developer")
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	if err := keys.Disable(ctx, disabled.Principal.Credential.ID); err != nil {
		return nil, err
	}
	expired, err := sessions.Issue(ctx, premium.Principal.ProvedAt(time.Now()), &auth.IssueOptions{Lifetime: time.Microsecond})
	if err != nil {
		return nil, err
	}
	return append(lines, demo.Line{Name: "expired_session", Value: expired.Token.Reveal()}), nil
}
