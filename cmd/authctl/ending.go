package main

import (
	"context"
	"maps"
	"slices"

	"github.com/seed-077cad0b/auth"
)

// ending does what ends all sessions of an identity, and tells by done, a format,
// of whom and how many. An identity has an issuer, which people forget: where the
// same subject has sessions under another one, those go on, and the command has
// failed.
func (a *app) ending(ctx context.Context, s *backend, sessions *auth.Sessions, p *auth.Principal, done string, end func() error) error {
	n, err := count(sessions.List(ctx, p))
	if err != nil {
		return err
	}
	if err := end(); err != nil {
		return err
	}
	a.note(done, describe(p), plural(n, "session"))
	others, err := a.namesakes(ctx, s, p)
	if err != nil {
		return err
	}
	var failed error
	for _, issuer := range slices.Sorted(maps.Keys(others)) {
		n, err := count(sessions.List(ctx, others[issuer]))
		if err != nil {
			return err
		}
		if n > 0 {
			a.note("%s of the same subject under issuer %q not ended: --issuer %q", plural(n, "session"), issuer, issuer)
			failed = told(exitConflict)
		}
	}
	if n == 0 && failed == nil {
		a.note("if there should have been one, see what issuer the API names: --issuer, AUTH_ISSUER")
	}
	return failed
}

// namesakes returns who has, or had, sessions as the same subject under other
// issuers, by these. It walks through all sessions.
func (a *app) namesakes(ctx context.Context, s *backend, p *auth.Principal) (map[string]*auth.Principal, error) {
	bar := a.progress("looking for the subject under other issuers", -1)
	defer bar.end()
	others := map[string]*auth.Principal{}
	for e, err := range s.Walk(ctx, auth.KindSession) {
		if err != nil {
			return nil, err
		}
		bar.add(1)
		if q := e.Record.Principal; q != nil && q.Subject == p.Subject && q.Tenant == p.Tenant && q.Issuer != p.Issuer {
			others[q.Issuer] = q
		}
	}
	return others, nil
}
