//go:build linux

package integration_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/store/cachestore"
)

// A strait is a way to a server that can be closed: what is sent then neither
// arrives nor fails, or the connections break.
type strait struct {
	listener net.Listener
	server   string

	mu     sync.Mutex
	open   chan struct{} // closed while it is open
	conns  []net.Conn
	closed bool
}

// through returns a strait to the server of an URL, and the URL that leads
// through it.
func through(tb testing.TB, server string) (*strait, string) {
	tb.Helper()
	u := must(url.Parse(server))
	s := &strait{listener: must(net.Listen("tcp", "127.0.0.1:0")), server: u.Host, open: make(chan struct{})}
	close(s.open)
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := s.listener.Accept()
			if err != nil {
				return
			}
			all.Go(func() { s.carry(c) })
		}
	})
	tb.Cleanup(func() {
		_ = s.listener.Close()
		s.clear()
		s.sever()
		all.Wait()
	})
	u.Host = s.listener.Addr().String()
	return s, u.String()
}

func (s *strait) carry(client net.Conn) {
	server, err := net.Dial("tcp", s.server)
	if err != nil {
		_ = client.Close()
		return
	}
	s.mu.Lock()
	s.conns = append(s.conns, client, server)
	s.mu.Unlock()
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{client, server}, {server, client}} {
		both.Go(func() {
			_, _ = io.Copy(way[0], gated{way[1], s})
			_, _ = way[0].Close(), way[1].Close()
		})
	}
	both.Wait()
}

// gated reads what comes through while the strait is open.
type gated struct {
	io.Reader
	strait *strait
}

func (g gated) Read(p []byte) (int, error) {
	n, err := g.Reader.Read(p)
	g.strait.mu.Lock()
	open := g.strait.open
	g.strait.mu.Unlock()
	<-open
	return n, err
}

// stall has nothing come through until clear.
func (s *strait) stall() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open = make(chan struct{})
	s.closed = true
}

func (s *strait) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		close(s.open)
		s.closed = false
	}
}

// sever breaks all connections.
func (s *strait) sever() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conns {
		_ = c.Close()
	}
	s.conns = nil
}

// Whatever becomes of the channel by which a cache hears of changes, and of the
// server: what another process has ended is not admitted later than the lag
// after that.
func TestCachesHoldTheirLagThroughFaults(t *testing.T) {
	for _, backend := range backendsThatTell {
		t.Run(backend.name, func(t *testing.T) {
			server := backend.own(t)
			backend.prepare(t, server.URL())
			way, watched := through(t, server.URL())
			nothing := func() {}
			for _, fault := range []struct {
				name                string
				before, after, mend func() // the change
			}{
				{"none", nothing, nothing, nothing},
				{"the channel stalls", way.stall, nothing, way.clear},
				{"the channel breaks", way.sever, nothing, nothing},
				{"the channel breaks, and the next stalls", func() { way.stall(); way.sever() }, nothing, way.clear},
				{"the channel stalls, and comes back", way.stall, way.clear, nothing},
				{"the server halts", nothing, server.Pause, server.Resume},
				{"the server is killed", nothing, server.Kill, server.Start},
			} {
				t.Run(fault.name, func(t *testing.T) {
					here, there := backend.processes(t, server.URL(), watched)
					for range 2 {
						confirmed(t, there)
						d := remembered(t, here, there)
						fault.before()
						require.NoError(t, second(here.Take(t.Context(), d)))
						taken := time.Now()
						fault.after()
						requireGone(t, there, d, taken)
						fault.mend()
						confirmed(t, there)
						require.ErrorIs(t, second(there.Lookup(t.Context(), d)), auth.ErrNotFound)
					}
				})
			}
		})
	}
}

// requireGone looks d up until it is past the lag since it was taken, and fails
// if it was found after that.
func requireGone(t *testing.T, there *cachestore.Store, d auth.Digest, taken time.Time) {
	t.Helper()
	for {
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		_, err := there.Lookup(ctx, d)
		cancel()
		late := began.Sub(taken)
		switch {
		case err == nil && late > cacheLag:
			t.Fatalf("admitted %v after it was ended, with a lag of %v", late, cacheLag)
		case errors.Is(err, auth.ErrNotFound), late > 2*cacheLag:
			return
		case err == nil:
			<-time.After(5 * time.Millisecond)
		}
	}
}
