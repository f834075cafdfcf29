//go:build linux

package integration_test

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
)

// presentAssertionAtOnce has a hundred present one assertion, of whom none uses it
// up before all have found it unused: one signs in.
func presentAssertionAtOnce(w *world) {
	const all = 100
	var unused *gathering
	for _, s := range []*server{w.a, w.b} {
		platforms := must(auth.NewPlatforms(s.store, s.registry, &auth.PlatformOptions{
			User: func(ctx context.Context, p *auth.Platform, a *auth.Assertion) (*auth.Principal, error) {
				return &auth.Principal{Subject: p.ID + ":" + a.Subject}, unused.come(ctx)
			},
		}))
		s.mux.Handle("POST /together/{platform}", auth.NewGuard(platforms.FromHeader("Token", "platform"), nil).Exchange(platforms.Issuer(s.sessions)))
	}
	for range 3 {
		unused = gather(all)
		c := w.assertion()
		answers := w.atOnce(all, func(s *server) (answer, error) {
			return s.ask("POST", "/together/"+w.platform, c, nil)
		})
		require.Equal(w, map[int]int{http.StatusOK: 1, http.StatusUnauthorized: all - 1}, count(answers))
	}
}

// A gathering lets nobody through until all have come.
type gathering struct {
	missing atomic.Int64
	all     chan struct{}
}

func gather(n int64) *gathering {
	g := &gathering{all: make(chan struct{})}
	g.missing.Store(n)
	return g
}

func (g *gathering) come(ctx context.Context) error {
	if g.missing.Add(-1) == 0 {
		close(g.all)
	}
	select {
	case <-g.all:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Minute):
		return errors.New("not all have come")
	}
}

func presentAssertionAgain(w *world) {
	w.each(func(here, there *server) {
		c := w.assertion()
		here.do(http.StatusOK, "POST", "/platforms/"+w.platform, c, nil)
		there.do(http.StatusUnauthorized, "POST", "/platforms/"+w.platform, c, nil)
		here.do(http.StatusUnauthorized, "POST", "/platforms/"+w.platform, c, nil)
	})
}
