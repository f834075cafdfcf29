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
	ClientID string    `json:"client_id"`
	Created  time.Time `json:"created"` // when somebody first did
	Updated  time.Time `json:"updated"` // when they last did

	// Access has the scopes that were consented to so far, sorted, for each
	// resource: to write to one is not to write to all.
	Access map[string][]string `json:"access"`
}

// covers reports whether all of the scopes were consented to for all of the
// resources.
func (c *ConsentRecord) covers(scopes, resources []string) bool {
	for _, r := range resources {
		given, ok := c.Access[r]
		if !ok || slices.ContainsFunc(scopes, func(s string) bool { return !slices.Contains(given, s) }) {
			return false
		}
	}
	return len(resources) > 0
}

// add has c cover these, too.
func (c *ConsentRecord) add(scopes, resources []string) {
	if c.Access == nil {
		c.Access = map[string][]string{}
	}
	for _, r := range resources {
		all := slices.Concat(c.Access[r], scopes)
		slices.Sort(all)
		c.Access[r] = slices.Compact(all)
	}
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
	given, err := t.hasConsent()
	return !given, err
}

// hasConsent reports whether the person has consented to all of this.
func (t *transaction) hasConsent() (bool, error) {
	given, _, err := t.server.consent(t.Context(), t.user.Owner(), t.request.client)
	return given.covers(t.scopes, t.request.resources), err
}

// consent returns what an owner has consented to for a client, the zero
// ConsentRecord for nothing, and the record that has it. What came before the
// client was revoked does not count, nor what another one of that ID was given.
func (s *Server) consent(ctx context.Context, owner auth.Digest, c *Client) (ConsentRecord, auth.Record, error) {
	r, err := s.config.Store.Lookup(ctx, consentDigest(owner, c.ID))
	switch {
	case errors.Is(err, auth.ErrNotFound):
		return ConsentRecord{}, auth.Record{}, nil
	case err != nil:
		return ConsentRecord{}, r, fmt.Errorf("oauth: looking up a consent: %w", err)
	}
	given, err := consentOf(r)
	if err == nil && (!given.Updated.After(c.Revoked) || given.Updated.Before(c.Created)) {
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
		given.add(scopes, resources)
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
// consent again, and the client's codes, refresh tokens and opaque tokens for them
// end. JWTs of the same families end with those at the resource servers that share
// the store or introspect. A JWT is not in the store, though: one that came without
// a refresh token ends so only while its code is remembered, which is for 10 minutes
// beyond the code's end, and one that came without a code, by an assertion, not at
// all. Such a token lasts until it expires, at most AccessLifetime.
//
// An error does not keep Withdraw from the rest. The errors are joined; until there
// is none, something may go on.
func (s *Server) Withdraw(ctx context.Context, p *auth.Principal, clientID string) error {
	owner := p.Owner()
	var errs []error
	_, err := s.config.Store.Take(ctx, consentDigest(owner, clientID))
	if err != nil && !errors.Is(err, auth.ErrNotFound) {
		errs = append(errs, fmt.Errorf("oauth: withdrawing a consent: %w", err))
	}
	// Listed afterwards: a code that is made without asking is looked at once
	// more when it is in the store, so either it is listed here or it finds that
	// the consent is gone.
	for _, kind := range []auth.Kind{KindAuthorizationCode, KindDeviceCode, auth.KindRefresh, auth.KindAccessToken} {
		errs = append(errs, s.endGranted(ctx, owner, clientID, kind))
	}
	return errors.Join(errs...)
}

// endGranted ends what a client has of an owner, as far as records of a kind tell.
func (s *Server) endGranted(ctx context.Context, owner auth.Digest, clientID string, kind auth.Kind) error {
	var errs []error
	ended := map[string]bool{} // families
	for e, err := range s.lister.List(ctx, owner, kind) {
		if err != nil {
			return errors.Join(append(errs, fmt.Errorf("oauth: listing what was granted: %w", err))...)
		}
		of := e.Record.Principal
		if of == nil || of.Credential.ClientID != clientID || ended[of.Credential.Family] {
			continue
		}
		err := s.refresh.Revoke(ctx, of)
		if ended[of.Credential.Family] = err == nil; errors.Is(err, auth.ErrNotMine) {
			err = s.opaque.Revoke(ctx, of) // it has no family, and ends alone
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("oauth: ending what was granted: %w", err))
		}
	}
	return errors.Join(errs...)
}
