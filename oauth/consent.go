package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/seed-077cad0b/auth"
)

// A ConsentRecord is what somebody has consented to that a client gets, so that
// they are not asked again.
type ConsentRecord struct {
	ClientID  string    `json:"client_id"`
	Scopes    []string  `json:"scopes"` // all that was consented to so far
	Resources []string  `json:"resources"`
	Created   time.Time `json:"created"` // when somebody first did
	Updated   time.Time `json:"updated"` // when they last did
}

// consentDigest is where the consent of an owner for a client is kept.
func consentDigest(owner auth.Digest, clientID string) auth.Digest {
	return auth.DigestOf(KindConsent, owner.String()+clientID) // the first has a fixed length
}

// needsConsent reports whether the person is to be asked.
func (t *transaction) needsConsent() (bool, error) {
	q := t.request
	switch {
	case q.prompts("consent"):
		return true, nil
	case q.client.Trusted:
		return false, nil
	case !isAssured(q.client, q.redirect):
		return true, nil // whatever they have told somebody of that name before
	}
	given, _, err := t.server.consent(t.Context(), t.user.Owner(), q.client)
	return !isWithin(t.scopes, given.Scopes) || !isWithin(q.resources, given.Resources), err
}

// isWithin reports whether all of some are among others.
func isWithin(some, others []string) bool {
	return !slices.ContainsFunc(some, func(s string) bool { return !slices.Contains(others, s) })
}

// consent returns what an owner has consented to for a client, the zero
// ConsentRecord for nothing, and the record that has it. What came before the
// client was revoked does not count.
func (s *Server) consent(ctx context.Context, owner auth.Digest, c *Client) (ConsentRecord, auth.Record, error) {
	r, err := s.config.Store.Lookup(ctx, consentDigest(owner, c.ID))
	switch {
	case errors.Is(err, auth.ErrNotFound):
		return ConsentRecord{}, auth.Record{}, nil
	case err != nil:
		return ConsentRecord{}, r, fmt.Errorf("oauth: looking up a consent: %w", err)
	}
	given, err := consentOf(r)
	if err == nil && !given.Updated.After(c.Revoked) {
		given = ConsentRecord{}
	}
	return given, r, err
}

func consentOf(r auth.Record) (ConsentRecord, error) {
	var is ConsentRecord
	if err := json.Unmarshal(r.Data, &is); err != nil || r.Kind != KindConsent {
		return ConsentRecord{}, fmt.Errorf("oauth: malformed record of a consent: %w", err)
	}
	return is, nil
}

// remember adds to what a person has consented to.
func (s *Server) remember(ctx context.Context, user *auth.Principal, c *Client, scopes, resources []string) error {
	owner := user.Owner()
	for {
		given, r, err := s.consent(ctx, owner, c)
		if err != nil {
			return err
		}
		given.ClientID, given.Updated = c.ID, now()
		if given.Created.IsZero() {
			given.Created = given.Updated
		}
		given.Scopes, given.Resources = union(given.Scopes, scopes), union(given.Resources, resources)
		data, err := json.Marshal(given)
		if err != nil {
			return err
		}
		if r.Kind == "" {
			r = auth.Record{
				Kind:      KindConsent,
				Owner:     owner,
				Principal: &auth.Principal{Issuer: user.Issuer, Tenant: user.Tenant, Subject: user.Subject},
				Revision:  auth.NewRevision(),
				Created:   given.Updated,
				Data:      data,
			}
			err = s.config.Store.Insert(ctx, consentDigest(owner, c.ID), r)
		} else {
			r.Revision++
			r.Data = data
			err = s.config.Store.Replace(ctx, consentDigest(owner, c.ID), r)
		}
		switch {
		case err == nil:
			return nil
		case errors.Is(err, auth.ErrExists), errors.Is(err, auth.ErrConflict), errors.Is(err, auth.ErrNotFound):
			// Somebody else was faster; every round one of us gets through.
		default:
			return fmt.Errorf("oauth: keeping a consent: %w", err)
		}
	}
}

// union returns the names of both lists, in order, once.
func union(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

// Consents returns what p's identity has consented to, in no particular order, for
// a page on which people see it. The sequence ends after the first error.
func (s *Server) Consents(ctx context.Context, p *auth.Principal) iter.Seq2[ConsentRecord, error] {
	return func(yield func(ConsentRecord, error) bool) {
		for e, err := range s.lister.List(ctx, p.Owner(), KindConsent) {
			var is ConsentRecord
			if err == nil {
				is, err = consentOf(e.Record)
			}
			if !yield(is, err) || err != nil {
				return
			}
		}
	}
}

// Withdraw takes back what p's identity has granted a client: it is asked for
// consent again, and the client's codes and refresh tokens for them end, with the
// access tokens of the same families at the resource servers that share the store
// or introspect. A JWT that came without a refresh token is not remembered, and
// ends by itself.
func (s *Server) Withdraw(ctx context.Context, p *auth.Principal, clientID string) error {
	owner := p.Owner()
	_, err := s.config.Store.Take(ctx, consentDigest(owner, clientID))
	if err != nil && !errors.Is(err, auth.ErrNotFound) {
		return fmt.Errorf("oauth: withdrawing a consent: %w", err)
	}
	// Listed afterwards: from here on nothing is granted without asking again.
	ended := map[string]bool{}
	for _, kind := range []auth.Kind{KindAuthorizationCode, KindDeviceCode, auth.KindRefresh, auth.KindAccessToken} {
		for e, err := range s.lister.List(ctx, owner, kind) {
			if err != nil {
				return fmt.Errorf("oauth: withdrawing a consent: %w", err)
			}
			of := e.Record.Principal
			if of == nil || of.Credential.ClientID != clientID || ended[of.Credential.Family] {
				continue
			}
			if err := s.refresh.Revoke(ctx, of); err != nil {
				return fmt.Errorf("oauth: ending what was granted: %w", err)
			}
			ended[of.Credential.Family] = true
		}
	}
	return nil
}
