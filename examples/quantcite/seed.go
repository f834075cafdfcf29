package main

import (
	"context"
	"errors"
	"time"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/examples/internal/demo"
)

// seed makes keys of three tiers, one of them switched off, and a session that has ended.
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
