package auth

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"time"
)

// An Outcome is how a guard decided.
type Outcome string

// The outcomes.
const (
	Admitted    Outcome = "admitted"
	Anonymous   Outcome = "anonymous"   // nothing was presented to an optional guard
	Refused     Outcome = "refused"     // the Reason tells why
	Unavailable Outcome = "unavailable" // the answer could not be found out
)

// An Event is a guard's decision. It holds no secret.
type Event struct {
	// Method, Pattern and Address tell of the request: Pattern is the one that
	// the standard mux matched, Address the client's, see
	// [Guard.ClientAddress].
	Method  string
	Pattern string
	Address netip.Addr

	Outcome Outcome
	Reason  Reason // empty where admitted
	Limit   string // with ErrRateLimited: the name of the limit, see [LimitKey.WithName]

	// Kind and CredentialID are the credential's; CredentialID is public. They
	// are empty where none was recognised.
	Kind         Kind
	CredentialID string

	Issuer, Tenant, Subject string // who; empty where not known

	// IssuedKind and IssuedID are what an Exchange issued.
	IssuedKind Kind
	IssuedID   string

	Duration time.Duration // of the decision, without the handler
	Err      error         // the cause of a refusal or an outage
}

func (g *Guard) observe(r *http.Request, start time.Time, v *verdict, issued *Grant, f *Failure) {
	if g.base.Observe == nil {
		return
	}
	e := Event{
		Method:   r.Method,
		Pattern:  r.Pattern,
		Address:  v.client,
		Outcome:  Admitted,
		Duration: time.Since(start),
	}
	p := v.principal
	switch {
	case f != nil:
		e.Outcome, e.Reason, e.Limit, e.Err = Refused, f.Reason, f.Limit, f.Err
		if f.Reason == ErrUnavailable {
			e.Outcome = Unavailable
		}
	case p == nil:
		e.Outcome = Anonymous
	}
	if p != nil {
		e.Kind, e.CredentialID = p.Credential.Kind, p.Credential.ID
		e.Issuer, e.Tenant, e.Subject = p.Issuer, p.Tenant, p.Subject
	}
	if issued != nil && issued.Principal != nil {
		e.IssuedKind, e.IssuedID = issued.Principal.Credential.Kind, issued.Principal.Credential.ID
	}
	g.base.Observe(r.Context(), e)
}

// LogTo returns an observer that writes decisions to l: refusals as warnings,
// outages as errors, the rest as debugging.
func LogTo(l *slog.Logger) func(ctx context.Context, e Event) {
	return func(ctx context.Context, e Event) {
		level := slog.LevelDebug
		switch e.Outcome {
		case Refused:
			level = slog.LevelWarn
		case Unavailable:
			level = slog.LevelError
		}
		if !l.Enabled(ctx, level) {
			return
		}
		attrs := []slog.Attr{slog.Duration("duration", e.Duration)}
		for _, a := range []struct{ key, value string }{
			{"method", e.Method},
			{"pattern", e.Pattern},
			{"reason", string(e.Reason)},
			{"limit", e.Limit},
			{"kind", string(e.Kind)},
			{"credential", e.CredentialID},
			{"issuer", e.Issuer},
			{"tenant", e.Tenant},
			{"subject", e.Subject},
			{"issued_kind", string(e.IssuedKind)},
			{"issued", e.IssuedID},
		} {
			if a.value != "" {
				attrs = append(attrs, slog.String(a.key, a.value))
			}
		}
		if e.Address.IsValid() {
			attrs = append(attrs, slog.String("address", e.Address.String()))
		}
		if e.Err != nil && e.Err != error(e.Reason) {
			attrs = append(attrs, slog.Any("error", e.Err))
		}
		l.LogAttrs(ctx, level, "auth "+string(e.Outcome), attrs...)
	}
}
