package otelauth_test

import (
	"context"
	"testing"

	"go.opentelemetry.io/otel/metric/noop"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/otelauth"
)

// BenchmarkObserve is what a decision costs by who listens.
func BenchmarkObserve(b *testing.B) {
	e := auth.Event{Method: "GET", Pattern: "GET /data/{endpoint}", Outcome: auth.Admitted, Kind: auth.KindSession}
	silent := must(otelauth.New(&otelauth.Options{MeterProvider: noop.NewMeterProvider()}))
	metrics := newBackend().recorder(false)
	ctx, span := sdktrace.NewTracerProvider().Tracer("").Start(context.Background(), "request")
	defer span.End()
	for _, c := range []struct {
		name string
		r    *otelauth.Recorder
		ctx  context.Context
	}{
		{"nobody", silent, context.Background()},
		{"metrics", metrics, context.Background()},
		{"span", silent, ctx},
		{"both", metrics, ctx},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					c.r.Observe(c.ctx, e)
				}
			})
		})
	}
}
