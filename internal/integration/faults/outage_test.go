//go:build linux

package faults

import (
	"context"
	"net/http"
	"runtime"
	"runtime/pprof"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The server goes away and comes back, in good order and killed, while two
// processes serve requests.
func serverRestarts(t *testing.T, s *site) {
	const within = 5 * time.Second
	w := newTraffic(t, newService(t, s, within), newService(t, s, within))
	w.recover()
	stop := w.flow()
	defer func() {
		stop()
		t.Logf("answers: %v; the first good one came %v after the server's at the latest", w.answers, w.longest)
	}()
	for range rounds(t, 1) {
		for _, end := range []func(){s.server.Stop, s.server.Kill} {
			before := w.outages()
			end()
			for w.outages() < before+50 && !t.Failed() {
				pause(t.Context(), time.Millisecond)
			}
			s.server.Start()
			w.recover()
		}
	}
}

// The server hangs: it keeps its connections and answers nothing. Requests end by
// their own deadlines, or when the client hangs up, and afterwards nothing of
// them is left.
func serverHangs(t *testing.T, s *site) {
	before := runtime.NumGoroutine()
	t.Run("requests", func(t *testing.T) {
		v := newService(t, s, 2*time.Second) // a busy machine answers within that
		w := newTraffic(t, v)
		for range rounds(t, 1) {
			w.recover()
			s.server.Pause()
			w.hang(v)
			s.server.Resume()
		}
		w.recover()
		t.Logf("the first good answer came %v after the server went on at the latest", w.longest)
	})
	leavesNone(t, before)
}

// leavesNone waits until there are no more goroutines than before.
func leavesNone(t *testing.T, before int) {
	t.Helper()
	for range 1000 {
		if runtime.NumGoroutine() <= before {
			return
		}
		pause(t.Context(), 20*time.Millisecond)
	}
	var b strings.Builder
	require.NoError(t, pprof.Lookup("goroutine").WriteTo(&b, 1))
	t.Errorf("%d goroutines, and before there were %d:\n%s", runtime.NumGoroutine(), before, b.String())
}

// hang makes requests to a service whose store hangs, and returns when all have
// been answered.
func (w *traffic) hang(v *service) {
	w.Helper()
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		var all sync.WaitGroup
		for i := range 60 {
			all.Go(func() {
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				if i%3 == 0 { // these hang up
					time.AfterFunc(time.Duration(i)*time.Millisecond, cancel)
				}
				status := v.get(ctx, []string{w.live, w.dead}[i%2])
				if i%5 == 0 {
					status, _ = v.login(ctx, w.key)
				}
				if status != 0 && status != http.StatusServiceUnavailable {
					w.Errorf("a server that hangs: %d", status)
				}
			})
		}
		all.Wait()
	}()
	select {
	case <-answered:
	case <-time.After(time.Minute):
		w.Error("requests outlive their deadlines")
	}
}
