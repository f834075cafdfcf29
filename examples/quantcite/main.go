// Quantcite: an API key is exchanged for a session of 24 hours, each tier may
// call so often, and the API speaks a JSON dialect of its own.
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
	tiers, err3 := auth.NewTierRates(map[string]auth.Rate{
		"basic":      {Limit: 10, Per: time.Minute},
		"premium":    {Limit: 100, Per: time.Minute},
		"developer":  {Limit: 1_000, Per: time.Minute},
		"enterprise": {Limit: 10_000, Per: time.Minute},
	})
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	lines, err := seed(context.Background(), keys, sessions)
	if err != nil {
		return nil, err
	}

	observe := auth.LogTo(log)
	opts := &auth.GuardOptions{Format: dialect, Observe: observe}
	guard := auth.NewGuard(auth.Bearer(sessions), opts)
	login := auth.NewGuard(auth.JSONField("api_key", keys), &auth.GuardOptions{
		Format: dialect, Observe: observe,
		Throttle: auth.NewLimiter(40, time.Minute), // failures from one address
	})
	// What a user may call. A key that was created with a Rate has that instead.
	limited := guard.Limit(auth.NewLimiter(10, time.Minute), auth.ByIdentity().WithRates(tiers.Of))

	mux := http.NewServeMux()
	mux.Handle("POST /api/v1/authenticate", login.Exchange(sessions))
	mux.Handle("GET /api/v1/session-status", guard.Status())
	mux.Handle("POST /api/v1/transactions", limited.Handle(transactions(limited)))
	return &demo.App{
		Handler: auth.HTTPSOnly(http.MaxBytesHandler(mux, 1<<20), opts),
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
