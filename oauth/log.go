package oauth

import (
	"context"
	"log/slog"
	"net/http"
)

// LogTo returns an observer, for [Config].Observe, that writes what the endpoints
// decide to l: outages as errors, refusals as warnings, what was granted as
// information, and as debugging that a device waits. It writes no secret, token or
// code. The other half, who signs in, is told by auth.LogTo in the options of the
// Login.
func LogTo(l *slog.Logger) func(context.Context, Event) {
	return func(ctx context.Context, e Event) {
		level, message := slog.LevelInfo, "oauth granted"
		switch {
		case e.Err == nil:
		case e.Code == ErrAuthorizationPending, e.Code == ErrSlowDown:
			level, message = slog.LevelDebug, "oauth waiting"
		case failureOf(e.Err).status == http.StatusServiceUnavailable:
			level, message = slog.LevelError, "oauth unavailable"
		default:
			level, message = slog.LevelWarn, "oauth refused"
		}
		if l.Enabled(ctx, level) {
			l.LogAttrs(ctx, level, message, e.attrs()...)
		}
	}
}

// attrs are what there is to tell.
func (e *Event) attrs() []slog.Attr {
	attrs := []slog.Attr{slog.String("endpoint", e.Endpoint)}
	add := func(key, value string) {
		if value != "" {
			attrs = append(attrs, slog.String(key, value))
		}
	}
	add("client", e.ClientID)
	add("grant", string(e.Grant))
	add("code", string(e.Code))
	if p := e.Principal; p != nil {
		add("issuer", p.Issuer)
		add("tenant", p.Tenant)
		add("subject", p.Subject)
	}
	if e.Address.IsValid() {
		add("address", e.Address.String())
	}
	if e.Err != nil {
		attrs = append(attrs, slog.Any("error", e.Err))
	}
	return attrs
}
