package otelauth

import (
	"context"
	"errors"
	"fmt"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/password"
)

// A Recorder tells OpenTelemetry what happens. It is safe for concurrent use, and
// holds nothing that would have to be closed.
type Recorder struct {
	details bool
	seen    seen

	decisions metric.Int64Counter
	durations metric.Float64Histogram
	accounts  metric.Int64Counter
	outages   metric.Int64Counter
}

// Options configure a [Recorder]. The zero value is ready for production.
type Options struct {
	// MeterProvider is where metrics go. Nil is the global one, which may be
	// set later than the recorder is made.
	MeterProvider metric.MeterProvider

	// Details adds to span events what [auth.LogTo] writes as well:
	// enduser.id, auth.issuer, auth.tenant, client.address, the public ids
	// auth.credential.id and auth.issued.id, and the cause of a refusal or an
	// outage as exception.message. Most of that is personal data. The login
	// name of an account is not told: people type passwords there.
	Details bool
}

// scope is what the instruments are known by.
const scope = "github.com/seed-077cad0b/auth/otelauth"

// New returns a recorder. o may be nil. The error joins those of the meter
// provider.
func New(o *Options) (*Recorder, error) {
	if o == nil {
		o = &Options{}
	}
	provider := o.MeterProvider
	if provider == nil {
		provider = otel.GetMeterProvider()
	}
	m := provider.Meter(scope, metric.WithSchemaURL(semconv.SchemaURL))
	r := &Recorder{details: o.Details}
	var errs [4]error
	r.decisions, errs[0] = m.Int64Counter("auth.decisions",
		metric.WithUnit("{decision}"), metric.WithDescription("Decisions of guards."))
	r.durations, errs[1] = m.Float64Histogram("auth.decision.duration",
		metric.WithUnit("s"), metric.WithDescription("Duration of a guard's decision, without the handler."),
		metric.WithExplicitBucketBoundaries(bounds...))
	r.accounts, errs[2] = m.Int64Counter("auth.account.events",
		metric.WithUnit("{event}"), metric.WithDescription("What happened to accounts with a password."))
	r.outages, errs[3] = m.Int64Counter("auth.limiter.outages",
		metric.WithUnit("{outage}"), metric.WithDescription("Calls that a limiter could not answer."))
	if err := errors.Join(errs[:]...); err != nil {
		return nil, fmt.Errorf("otelauth: New: %w", err)
	}
	return r, nil
}

// bounds go from a look-up in memory to a password's hash.
var bounds = []float64{
	.00001, .000025, .00005, .0001, .00025, .0005,
	.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5,
}

// Observe tells of a guard's decision. It is an [auth.GuardOptions].Observe.
func (r *Recorder) Observe(ctx context.Context, e auth.Event) {
	if r.decisions.Enabled(ctx) || r.durations.Enabled(ctx) {
		s := r.seen.series(labels{e.Outcome, e.Reason, e.Limit, e.Kind, e.IssuedKind})
		r.decisions.Add(ctx, 1, s.add...)
		r.durations.Record(ctx, e.Duration.Seconds(), s.record...)
	}
	if span := trace.SpanFromContext(ctx); span.IsRecording() {
		span.AddEvent("auth.decision", trace.WithAttributes(r.decision(e)...))
	}
}

// decision returns the attributes of a span event.
func (r *Recorder) decision(e auth.Event) []attribute.KeyValue {
	l := labels{e.Outcome, e.Reason, e.Limit, e.Kind, e.IssuedKind}
	attrs := append(l.attributes(), method(e.Method))
	attrs = appendText(attrs, semconv.HTTPRouteKey, route(e.Pattern))
	if !r.details {
		return attrs
	}
	attrs = appendText(attrs, semconv.EnduserIDKey, e.Subject)
	attrs = appendText(attrs, "auth.issuer", e.Issuer)
	attrs = appendText(attrs, "auth.tenant", e.Tenant)
	attrs = appendText(attrs, "auth.credential.id", e.CredentialID)
	attrs = appendText(attrs, "auth.issued.id", e.IssuedID)
	if e.Address.IsValid() {
		attrs = append(attrs, semconv.ClientAddress(e.Address.String()))
	}
	if e.Err == error(e.Reason) {
		return attrs // error.type says so
	}
	return appendCause(attrs, e.Err)
}

// Notify tells what happened to an account. It is a [password.Options].Notify.
func (r *Recorder) Notify(ctx context.Context, e password.Event) {
	kind := attribute.String("auth.account.event", string(e.Kind))
	r.accounts.Add(ctx, 1, metric.WithAttributes(kind))
	span := trace.SpanFromContext(ctx)
	if !span.IsRecording() {
		return
	}
	attrs := []attribute.KeyValue{kind}
	if r.details {
		attrs = appendText(attrs, semconv.EnduserIDKey, e.UserID)
		attrs = appendText(attrs, "auth.issuer", e.Issuer)
		attrs = appendText(attrs, "auth.tenant", e.Tenant)
		attrs = appendCause(attrs, e.Err)
	}
	span.AddEvent("auth.account", trace.WithAttributes(attrs...))
}

// Outage tells that a limiter could not be asked. It is the report of
// [auth.FailClosed], [auth.FailOpen] and [auth.LocalShare].
func (r *Recorder) Outage(ctx context.Context, err error) {
	r.outages.Add(ctx, 1)
	span := trace.SpanFromContext(ctx)
	if !span.IsRecording() {
		return
	}
	var attrs []attribute.KeyValue
	if r.details {
		attrs = appendCause(attrs, err)
	}
	span.AddEvent("auth.limiter.outage", trace.WithAttributes(attrs...))
}
