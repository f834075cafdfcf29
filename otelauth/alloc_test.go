//go:build !race

package otelauth_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/metric/noop"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/otelauth"
)

func TestNothingIsAllocatedUnlessASpanRecords(t *testing.T) {
	ctx := context.Background()
	silent := must(otelauth.New(&otelauth.Options{MeterProvider: noop.NewMeterProvider()}))
	metrics := newBackend().recorder(true)
	for name, r := range map[string]*otelauth.Recorder{"nothing": silent, "metrics": metrics} {
		e := full()
		require.Zero(t, testing.AllocsPerRun(500, func() { r.Observe(ctx, e) }), name)
		e = auth.Event{Outcome: auth.Admitted, Kind: auth.KindSession}
		require.Zero(t, testing.AllocsPerRun(500, func() { r.Observe(ctx, e) }), name)
	}
}

// What is remembered is bounded, and nothing is where nobody listens.
func TestSeriesAreRememberedUpToABound(t *testing.T) {
	ctx := context.Background()
	fresh := func(r *otelauth.Recorder, n int) float64 {
		events := make([]auth.Event, n+1)
		for i := range events {
			events[i] = auth.Event{Outcome: auth.Refused, Limit: fmt.Sprint(n, i)}
		}
		next := -1
		return testing.AllocsPerRun(n, func() {
			next++
			r.Observe(ctx, events[next])
		})
	}
	require.Zero(t, fresh(must(otelauth.New(&otelauth.Options{MeterProvider: noop.NewMeterProvider()})), 100))

	r := newBackend().recorder(false)
	fresh(r, 1000)
	late := auth.Event{Outcome: auth.Refused, Limit: "late"}
	require.NotZero(t, testing.AllocsPerRun(100, func() { r.Observe(ctx, late) }))
}
