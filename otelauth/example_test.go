package otelauth_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/otelauth"
	"github.com/seed-077cad0b/auth/store/memstore"
)

// traced is what a middleware such as otelhttp.NewHandler does: each request gets
// a span.
func traced(traces *sdktrace.TracerProvider, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, span := traces.Tracer("server").Start(r.Context(), r.Method)
		defer span.End()
		h.ServeHTTP(w, r.WithContext(ctx))
	})
}

// send makes a request and prints the events of its span.
func send(h http.Handler, spans *tracetest.InMemoryExporter, header, value string) {
	r := httptest.NewRequest("GET", "/reports", nil)
	r.RemoteAddr = "127.0.0.1:4242"
	r.Header.Set(header, value)
	spans.Reset()
	h.ServeHTTP(httptest.NewRecorder(), r)
	for _, e := range spans.GetSpans()[0].Events {
		fmt.Println(e.Name, text(e.Attributes))
	}
}

// The hooks are functions: what else is to hear of a decision is called beside
// them.
func ExampleRecorder_Observe() {
	telemetry := must(otelauth.New(nil)) // metrics go to the global provider
	log := auth.LogTo(slog.New(slog.NewTextHandler(os.Stderr, nil)))
	opts := &auth.GuardOptions{Observe: func(ctx context.Context, e auth.Event) {
		log(ctx, e)
		telemetry.Observe(ctx, e)
	}}
	sessions := must(auth.NewSessions(memstore.New(), nil))
	defer sessions.Close()
	session := must(sessions.Issue(context.Background(), &auth.Principal{Subject: "alice"}, nil))

	spans := tracetest.NewInMemoryExporter()
	traces := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))
	guard := auth.NewGuard(auth.Bearer(sessions), opts)
	mux := http.NewServeMux()
	mux.Handle("GET /reports", guard.WrapFunc(func(http.ResponseWriter, *http.Request) {}))
	server := traced(traces, mux)

	send(server, spans, "Authorization", "Bearer "+session.Token.Reveal())
	send(server, spans, "Authorization", "Bearer guessed")
	// Output:
	// auth.decision auth.credential.kind=session auth.outcome=admitted http.request.method=GET http.route=/reports
	// auth.decision auth.outcome=refused error.type=invalid_credential http.request.method=GET http.route=/reports
}

// A mistake: the guard is outside of the tracing, so when it decides there is no
// span yet, and the trace of a refused request does not exist at all. Metrics are
// told either way.
func ExampleRecorder_Observe_order() {
	telemetry := must(otelauth.New(nil))
	sessions := must(auth.NewSessions(memstore.New(), nil))
	defer sessions.Close()
	guard := auth.NewGuard(auth.Bearer(sessions), &auth.GuardOptions{Observe: telemetry.Observe}).Optional()
	hello := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	spans := tracetest.NewInMemoryExporter()
	traces := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))

	fmt.Println("wrong:")
	send(guard.Wrap(traced(traces, hello)), spans, "Accept", "text/plain")
	fmt.Println("right:")
	send(traced(traces, guard.Wrap(hello)), spans, "Accept", "text/plain")
	// Output:
	// wrong:
	// right:
	// auth.decision auth.outcome=anonymous http.request.method=GET
}

// FailOpen, FailClosed and LocalShare report to the same place.
func ExampleRecorder_Outage() {
	telemetry := must(otelauth.New(&otelauth.Options{Details: true}))
	limiter := auth.FailOpen(lost{}, telemetry.Outage)

	spans := tracetest.NewInMemoryExporter()
	ctx, span := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans)).Tracer("server").Start(context.Background(), "GET")
	quota, err := limiter.Allow(ctx, "key", 1)
	span.End()
	fmt.Println(quota.Allowed, err)
	for _, e := range spans.GetSpans()[0].Events {
		fmt.Println(e.Name, text(e.Attributes))
	}
	// Output:
	// true <nil>
	// auth.limiter.outage exception.message=connection refused
}

// lost is a limiter whose server is down.
type lost struct{}

func (lost) Allow(context.Context, string, int) (auth.Quota, error) {
	return auth.Quota{}, errors.New("connection refused")
}
