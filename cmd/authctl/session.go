package main

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed-077cad0b/auth"
)

func (a *app) sessionCommand() *cobra.Command {
	return group("session", "List and end sessions", `
A session is named by its public id, 43 characters, which list tells. Instead of
an id, - reads the session's token from standard input.`, `
  authctl session list --login ann@example.com
  authctl session revoke ID
  authctl session revoke --login ann@example.com`,
		a.sessionListCommand(), a.sessionRevokeCommand())
}

// A sessionView is a session as it is printed.
type sessionView struct {
	ID      string      `json:"id"`
	Issuer  string      `json:"issuer,omitempty"`
	Tenant  string      `json:"tenant,omitempty"`
	Subject string      `json:"subject"`
	Device  auth.Device `json:"device,omitzero"`
	Created time.Time   `json:"created"`
	Seen    time.Time   `json:"seen"`
	Expires time.Time   `json:"expires"`
}

func viewSession(p *auth.Principal, s auth.Session) sessionView {
	return sessionView{s.ID, p.Issuer, p.Tenant, p.Subject, s.Device, s.Created, s.Seen, s.Expires}
}

func (a *app) sessionListCommand() *cobra.Command {
	var owner identity
	c := &cobra.Command{
		Use:   "list",
		Short: "List the open sessions of everybody, or of one identity",
		Long: `List tells the open sessions. What has been ended is not among them, nor what
was opened by a platform that is suspended or a key that is disabled. An idle
time, which is the API's own, is not looked at.`,
		Example: `  authctl session list --login ann@example.com
  authctl session list --json | jq -r .subject | sort | uniq -c`,
		Args: arguments(0, 0),
		RunE: a.with(func(ctx context.Context, s *backend, _ []string) error {
			found := s.Walk(ctx, auth.KindSession)
			if owner.given() {
				p, err := owner.principal(ctx, a, s)
				if err != nil {
					return err
				}
				found = s.List(ctx, p.Owner(), auth.KindSession)
			}
			one := &onlyOne{backend: s}
			sessions, err := auth.NewSessions(one, nil)
			if err != nil {
				return err
			}
			defer sessions.Close()
			l := a.listing("ID", "SUBJECT", "TENANT", "DEVICE", "ADDRESS", "CREATED", "SEEN", "EXPIRES")
			for one.entry, err = range found {
				if err == nil && one.entry.Record.Principal != nil {
					err = l.addSessions(ctx, sessions, one.entry.Record.Principal)
				}
				if err != nil {
					return err
				}
			}
			return l.end()
		}),
	}
	owner.flags(c.Flags())
	return c
}

// onlyOne is a store that lists one entry, which has been read from it already:
// whether that is an open session, auth.Sessions knows.
type onlyOne struct {
	*backend
	entry auth.Entry
}

func (s *onlyOne) List(context.Context, auth.Digest, auth.Kind) iter.Seq2[auth.Entry, error] {
	return func(yield func(auth.Entry, error) bool) { yield(s.entry, nil) }
}

func (l *listing) addSessions(ctx context.Context, sessions *auth.Sessions, p *auth.Principal) error {
	for s, err := range sessions.List(ctx, p) {
		if err != nil {
			return err
		}
		v := viewSession(p, s)
		address := ""
		if s.Device.Address.IsValid() {
			address = s.Device.Address.String()
		}
		device := s.Device.Name
		if device == "" {
			device = s.Device.UserAgent
		}
		err := l.add(v, v.ID, v.Subject, v.Tenant, short(device, 32), address, when(v.Created), when(v.Seen), when(v.Expires))
		if err != nil {
			return err
		}
	}
	return nil
}

func (a *app) sessionRevokeCommand() *cobra.Command {
	var owner identity
	c := &cobra.Command{
		Use:   "revoke [ID...]",
		Short: "End sessions: those named, or all of one identity",
		Long: `Revoke ends the sessions that are named or, with --login or --subject, all of one
identity. With those end its refresh tokens and, where the API looks for that,
its JSON Web Tokens. API keys go on.

An identity has an issuer: where the API names one for its users, name the same
by --issuer or AUTH_ISSUER.`,
		Example: `  authctl session revoke ID
  authctl session revoke - < stolen-token
  authctl session revoke --yes --login ann@example.com`,
		RunE: a.with(func(ctx context.Context, s *backend, args []string) error {
			if (len(args) == 0) == !owner.given() || len(args) > 0 && owner.given() {
				return usagef("either ids of sessions, or --subject or --login for all of one identity")
			}
			sessions, err := auth.NewSessions(s, nil)
			if err != nil {
				return err
			}
			defer sessions.Close()
			if owner.given() {
				p, err := owner.principal(ctx, a, s)
				if err != nil {
					return err
				}
				return a.endAll(ctx, s, sessions, p)
			}
			var errs []error
			for _, arg := range args {
				errs = append(errs, a.endSession(ctx, s, sessions, arg))
			}
			return errors.Join(errs...)
		}),
	}
	owner.flags(c.Flags())
	return c
}

// endAll ends all sessions of an identity.
func (a *app) endAll(ctx context.Context, s *backend, sessions *auth.Sessions, p *auth.Principal) error {
	n, err := count(sessions.List(ctx, p))
	if err != nil {
		return err
	}
	if err := a.confirm("end %s of %s", plural(n, "session"), describe(p)); err != nil {
		return err
	}
	return a.ending(ctx, s, sessions, p, "ended %[2]s of %[1]s, and the refresh tokens and revocable JWTs of that identity",
		func() error { return sessions.RevokeAll(ctx, p) })
}

func count[T any](seq iter.Seq2[T, error]) (n int, err error) {
	for _, err := range seq {
		if err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// endSession ends the session whose id is arg, or whose token is on standard
// input.
func (a *app) endSession(ctx context.Context, s *backend, sessions *auth.Sessions, arg string) error {
	d, err := auth.ParseDigest(arg)
	if arg == "-" {
		var text string
		if text, err = a.readSecret("token"); err != nil {
			return err
		}
		d = auth.DigestOf(auth.KindSession, text)
	}
	var r auth.Record
	if err == nil {
		r, err = s.Lookup(ctx, d)
	}
	var outage *outage
	switch {
	case errors.As(err, &outage):
		return err
	case err != nil, r.Kind != auth.KindSession, r.Principal == nil:
		return notFound("there is no session %q", arg)
	}
	if err := sessions.End(ctx, r.Principal, d.String()); err != nil {
		return err
	}
	a.note("ended the session %s of %s", d, describe(r.Principal))
	return nil
}
