package otelauth_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/otelauth"
	"github.com/seed-077cad0b/auth/password"
)

// A backend is what telemetry is sent to, in memory.
type backend struct {
	spans  *tracetest.InMemoryExporter
	traces *sdktrace.TracerProvider
	reader *metric.ManualReader
	meters *metric.MeterProvider
}

func newBackend() *backend {
	b := &backend{spans: tracetest.NewInMemoryExporter(), reader: metric.NewManualReader()}
	b.traces = sdktrace.NewTracerProvider(sdktrace.WithSyncer(b.spans))
	b.meters = metric.NewMeterProvider(metric.WithReader(b.reader))
	return b
}

func (b *backend) recorder(details bool) *otelauth.Recorder {
	return must(otelauth.New(&otelauth.Options{MeterProvider: b.meters, Details: details}))
}

// within runs f with a span of its own and returns that.
func (b *backend) within(f func(ctx context.Context)) tracetest.SpanStub {
	ctx, span := b.traces.Tracer("test").Start(context.Background(), "request")
	f(ctx)
	span.End()
	spans := b.spans.GetSpans()
	return spans[len(spans)-1]
}

// metrics returns what was measured, by name.
func (b *backend) metrics(t *testing.T) map[string]metricdata.Metrics {
	var all metricdata.ResourceMetrics
	require.NoError(t, b.reader.Collect(context.Background(), &all))
	found := map[string]metricdata.Metrics{}
	for _, s := range all.ScopeMetrics {
		require.Equal(t, "github.com/seed-077cad0b/auth/otelauth", s.Scope.Name)
		require.NotEmpty(t, s.Scope.SchemaURL)
		for _, m := range s.Metrics {
			found[m.Name] = m
		}
	}
	return found
}

// counts returns a counter's value by the text of its attributes.
func counts(t *testing.T, m metricdata.Metrics) map[string]int64 {
	sum, ok := m.Data.(metricdata.Sum[int64])
	require.True(t, ok, m.Name)
	require.True(t, sum.IsMonotonic)
	found := map[string]int64{}
	for _, p := range sum.DataPoints {
		found[text(p.Attributes.ToSlice())] = p.Value
	}
	return found
}

// text writes attributes in order of their keys.
func text(attrs []attribute.KeyValue) string {
	var words []string
	for _, a := range attrs {
		words = append(words, fmt.Sprintf("%s=%s", a.Key, a.Value.String()))
	}
	slices.Sort(words)
	return strings.Join(words, " ")
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// full is an event in which nothing is empty.
func full() auth.Event {
	return auth.Event{
		Method: "POST", Pattern: "POST example.com/login/{how}", Address: netip.MustParseAddr("2001:db8::7"),
		Outcome: auth.Refused, Reason: auth.ErrRateLimited, Limit: "calls",
		Kind: auth.KindAPIKey, CredentialID: "key-id", IssuedKind: auth.KindSession, IssuedID: "session-id",
		Issuer: "https://issuer.example", Tenant: "acme", Subject: "alice",
		Duration: 3 * time.Millisecond, Err: errors.New("dial tcp: refused"),
	}
}

const (
	fullLabels = "auth.credential.kind=api_key auth.issued.kind=session auth.limit=calls auth.outcome=refused"
	fullType   = "error.type=rate_limit_exceeded"
)

func TestDecisionsAreEventsOfTheActiveSpan(t *testing.T) {
	cause := full()
	cause.Err = auth.ErrRateLimited
	for _, c := range []struct {
		name    string
		details bool
		event   auth.Event
		want    string
	}{
		{"admitted", false, auth.Event{Method: "GET", Pattern: "/", Outcome: auth.Admitted, Kind: auth.KindSession},
			"auth.credential.kind=session auth.outcome=admitted http.request.method=GET http.route=/"},
		{"anonymous, without a mux", false, auth.Event{Method: "HEAD", Outcome: auth.Anonymous},
			"auth.outcome=anonymous http.request.method=HEAD"},
		{"outage", true, auth.Event{Method: "GET", Outcome: auth.Unavailable, Reason: auth.ErrUnavailable, Err: errors.New("down")},
			"auth.outcome=unavailable error.type=temporarily_unavailable exception.message=down http.request.method=GET"},
		{"a method that the client made up", false, auth.Event{Method: "s3cret", Outcome: auth.Anonymous},
			"auth.outcome=anonymous http.request.method=_OTHER"},
		{"all of it, without details", false, full(),
			fullLabels + " " + fullType + " http.request.method=POST http.route=/login/{how}"},
		{"all of it", true, full(), "auth.credential.id=key-id auth.credential.kind=api_key auth.issued.id=session-id " +
			"auth.issued.kind=session auth.issuer=https://issuer.example auth.limit=calls auth.outcome=refused auth.tenant=acme " +
			"client.address=2001:db8::7 enduser.id=alice " + fullType + " exception.message=dial tcp: refused " +
			"http.request.method=POST http.route=/login/{how}"},
		{"a cause that says what the reason says", true, cause, "auth.credential.id=key-id auth.credential.kind=api_key " +
			"auth.issued.id=session-id auth.issued.kind=session auth.issuer=https://issuer.example auth.limit=calls " +
			"auth.outcome=refused auth.tenant=acme client.address=2001:db8::7 enduser.id=alice " + fullType +
			" http.request.method=POST http.route=/login/{how}"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBackend()
			span := b.within(func(ctx context.Context) { b.recorder(c.details).Observe(ctx, c.event) })
			require.Len(t, span.Events, 1)
			require.Equal(t, "auth.decision", span.Events[0].Name)
			require.Equal(t, c.want, text(span.Events[0].Attributes))
			require.Empty(t, span.Attributes, "the span is the server's")
			require.Zero(t, span.Status)
		})
	}
}

func TestDecisionsAreCounted(t *testing.T) {
	b := newBackend()
	r := b.recorder(true)
	admitted := auth.Event{Outcome: auth.Admitted, Kind: auth.KindSession, Subject: "alice", Duration: time.Millisecond}
	for i := range 3 {
		admitted.Subject, admitted.Pattern = fmt.Sprint("user-", i), fmt.Sprint("/", i)
		r.Observe(context.Background(), admitted)
	}
	r.Observe(context.Background(), full())

	found := b.metrics(t)
	require.Equal(t, []string{"auth.decision.duration", "auth.decisions"}, slices.Sorted(maps.Keys(found)))
	require.Equal(t, map[string]int64{
		"auth.credential.kind=session auth.outcome=admitted": 3,
		fullLabels + " " + fullType:                          1,
	}, counts(t, found["auth.decisions"]))
	require.Equal(t, "{decision}", found["auth.decisions"].Unit)

	duration := found["auth.decision.duration"]
	require.Equal(t, "s", duration.Unit)
	sums := map[string]float64{}
	for _, p := range duration.Data.(metricdata.Histogram[float64]).DataPoints {
		sums[text(p.Attributes.ToSlice())] = p.Sum
		require.Contains(t, p.Bounds, .0025, "finer than seconds")
	}
	require.InDeltaMapValues(t, map[string]float64{
		"auth.credential.kind=session auth.outcome=admitted": .003,
		"auth.credential.kind=api_key auth.outcome=refused":  .003,
	}, sums, 1e-9)
}

func TestAccountsAndOutagesAreTold(t *testing.T) {
	account := password.Event{
		Kind: password.EventSessionsRemain, Issuer: "https://issuer.example", Tenant: "acme",
		UserID: "alice", Login: "hunter2", Err: errors.New("down"),
	}
	for details, want := range map[bool][]string{
		false: {"auth.account: auth.account.event=sessions_remain", "auth.limiter.outage: "},
		true: {
			"auth.account: auth.account.event=sessions_remain auth.issuer=https://issuer.example auth.tenant=acme " +
				"enduser.id=alice exception.message=down",
			"auth.limiter.outage: exception.message=timeout",
		},
	} {
		b := newBackend()
		r := b.recorder(details)
		span := b.within(func(ctx context.Context) {
			r.Notify(ctx, account)
			r.Outage(ctx, errors.New("timeout"))
		})
		var got []string
		for _, e := range span.Events {
			got = append(got, e.Name+": "+text(e.Attributes))
		}
		require.Equal(t, want, got)
		found := b.metrics(t)
		require.Equal(t, map[string]int64{"auth.account.event=sessions_remain": 1}, counts(t, found["auth.account.events"]))
		require.Equal(t, map[string]int64{"": 1}, counts(t, found["auth.limiter.outages"]))
	}
}

func TestConcurrentDecisionsAreAllCounted(t *testing.T) {
	b := newBackend()
	r := b.recorder(false)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := range 2500 { // more limits than are remembered
				r.Observe(context.Background(), auth.Event{Outcome: auth.Refused, Limit: fmt.Sprint(i % 1250)})
			}
		})
	}
	all.Wait()
	got := counts(t, b.metrics(t)["auth.decisions"])
	require.Len(t, got, 1250)
	for name, n := range got {
		require.EqualValues(t, 16, n, name)
	}
}

func TestNewUsesTheGlobalProviderAndReportsWhatItSays(t *testing.T) {
	r, err := otelauth.New(nil)
	require.NoError(t, err)
	r.Observe(context.Background(), full()) // nobody listens

	_, err = otelauth.New(&otelauth.Options{MeterProvider: broken{}})
	require.EqualError(t, err, "otelauth: New: no counters\nno histograms\nno counters\nno counters")
}
