package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/seed-077cad0b/auth"
)

// inspectOpaque tells what an opaque text looks like and, with a store, what it
// is.
func inspectOpaque(ctx context.Context, r *report, text string, s *backend) error {
	id, err := auth.APIKeyID(text)
	switch {
	case err == nil:
		r.Kind, r.Form, r.ID = auth.KindAPIKey, "API key, whose checksum holds", id
		r.field("prefix", text[:strings.LastIndexByte(text, '_')])
	case errors.Is(err, auth.ErrInvalid):
		r.Form = "API key"
		r.wrong("the checksum does not hold: the key is mistyped, cut, or made up")
		return nil
	case auth.TokenForm("rt_").Match(text):
		r.Kind, r.Form, r.ID = auth.KindRefresh, "refresh token", auth.DigestOf(auth.KindRefresh, text).String()
	case auth.TokenForm("at_").Match(text):
		r.Kind, r.Form, r.ID = auth.KindAccessToken, "opaque access token", auth.DigestOf(auth.KindAccessToken, text).String()
	case auth.TokenForm("").Match(text):
		r.Kind, r.Form, r.ID = auth.KindSession, "token of a session, or the public id of something", auth.DigestOf(auth.KindSession, text).String()
	case auth.UUIDForm().Match(text):
		r.Kind, r.Form, r.ID = auth.KindSession, "token of a session, in the form of a UUID", auth.DigestOf(auth.KindSession, text).String()
	default:
		r.Kind, r.Form, r.ID = auth.KindSession, "of no known form; a session's token, if anything", auth.DigestOf(auth.KindSession, text).String()
	}
	if s == nil {
		r.note("the store was not asked: set AUTH_STORE or --store")
		return nil
	}
	d, err := auth.ParseDigest(r.ID)
	if err != nil {
		return err
	}
	record, err := s.Lookup(ctx, d)
	if errors.Is(err, auth.ErrNotFound) || err == nil && (record.Kind != r.Kind || record.Principal == nil) {
		r.wrong("the store has no such credential: it was never issued here, has been revoked, or is long expired")
		if _, err := auth.ParseDigest(text); err == nil {
			r.note("were it the public id of something, authctl key show would tell of it")
		}
		return nil
	}
	if err != nil {
		return err
	}
	if err := r.judgeRecord(ctx, s, auth.Entry{Digest: d, Record: record}); err != nil || !r.Verified || r.Kind != auth.KindAccessToken {
		return err
	}
	return r.judgeAccess(ctx, s, text, record.Principal.Credential.Audience)
}

// judgeAccess asks whether what an access token grew from is still good.
func (r *report) judgeAccess(ctx context.Context, s *backend, text string, audience []string) error {
	if len(audience) == 0 {
		r.wrong("it is for no audience")
		return nil
	}
	tokens, err := auth.NewOpaqueTokens(s, audience[0], nil) // whose it is, it says itself
	if err != nil {
		return err
	}
	_, err = tokens.Verify(ctx, text)
	if errors.Is(err, auth.ErrRevoked) {
		r.wrong("its login, its client or what opened it has been ended")
		return nil
	}
	return err
}

// A recordView is what the store says of a credential.
type recordView struct {
	Issuer   string    `json:"issuer,omitempty"`
	Tenant   string    `json:"tenant,omitempty"`
	Subject  string    `json:"subject"`
	Scopes   []string  `json:"scopes,omitempty"`
	ClientID string    `json:"client_id,omitempty"`
	Audience []string  `json:"audience,omitempty"`
	Family   string    `json:"family,omitempty"`
	Created  time.Time `json:"created"`
	Expires  time.Time `json:"expires,omitzero"`
	Seen     time.Time `json:"seen,omitzero"`
}

// judgeRecord tells what the store says of a credential.
func (r *report) judgeRecord(ctx context.Context, s *backend, e auth.Entry) error {
	p, now := e.Record.Principal, time.Now()
	c := p.Credential
	r.Record = recordView{p.Issuer, p.Tenant, p.Subject, p.Scopes, c.ClientID, c.Audience, c.Family, e.Record.Created, e.Record.Expires, e.Record.Seen}
	r.field("of", describe(p))
	r.field("name", c.Name)
	r.field("client", c.ClientID)
	r.field("audience", strings.Join(c.Audience, " "))
	r.field("created", ago(e.Record.Created, now))
	if !e.Record.Expires.IsZero() {
		r.field("expires", ago(e.Record.Expires, now))
	}
	if !e.Record.Seen.IsZero() {
		r.field("last used", ago(e.Record.Seen, now))
	}
	switch {
	case e.Record.Disabled:
		r.wrong("it is disabled")
	case !e.Record.Expires.IsZero() && !now.Before(e.Record.Expires):
		r.wrong("it expired %s", ago(e.Record.Expires, now))
	case r.Kind == auth.KindRefresh:
		r.note("whether it has been used, or its family has ended, shows when it is used")
	case r.Kind == auth.KindSession:
		return r.judgeSession(ctx, s, e)
	default:
		r.Verified = true
	}
	return nil
}

// judgeSession asks whether what opened the session is still good.
func (r *report) judgeSession(ctx context.Context, s *backend, e auth.Entry) error {
	sessions, err := auth.NewSessions(s, nil)
	if err != nil {
		return err
	}
	defer sessions.Close()
	for open, err := range sessions.List(ctx, e.Record.Principal) {
		if err != nil {
			return err
		}
		if open.ID == e.Digest.String() {
			r.Verified = true
			return nil
		}
	}
	r.wrong("the platform or the API key that opened it has been switched off")
	return nil
}
