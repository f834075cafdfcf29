//go:build linux

package servertest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A Server is one of a test's own, to be stopped, killed and frozen under load.
// Its methods end the test where they fail. One of them runs at a time, on the
// test's goroutine.
type Server struct {
	kind     *kind
	durable  bool // keeps through a crash what it has acknowledged
	program  string
	dir      string
	port     int
	busPort  int // of a node of a cluster
	password string
	tb       testing.TB
	process  *process // nil while it is stopped
}

// A kind of server is what PostgreSQL, MariaDB and Redis differ in.
type kind struct {
	name     string
	program  string
	packages string         // Debian's
	stop     syscall.Signal // ends it in good order
	prepare  func(ctx context.Context, s *Server) error
	args     func(s *Server) []string
	url      func(s *Server) string
	answers  func(ctx context.Context, s *Server) error
}

const (
	startWithin = time.Minute // a busy machine and a crash to recover from
	stopWithin  = time.Minute
	pollEvery   = 25 * time.Millisecond
)

// own starts a server that belongs to a test.
func own(tb testing.TB, k *kind) *Server {
	tb.Helper()
	s, err := start(k, true)
	if err != nil {
		tb.Fatal(err)
	}
	s.tb = tb
	tb.Cleanup(func() {
		if tb.Failed() {
			tb.Logf("%s said at the end:\n%s", k.name, s.log())
		}
		s.Kill()
		if err := os.RemoveAll(s.dir); err != nil {
			tb.Error(err)
		}
	})
	return s
}

// start starts a server with nothing in it.
func start(k *kind, durable bool) (*Server, error) {
	s := &Server{kind: k, durable: durable, password: rand.Text()}
	if err := s.create(); err != nil {
		return nil, fmt.Errorf("%s: %w", k.name, err)
	}
	return s, nil
}

// create makes the server's folder and starts it for the first time.
func (s *Server) create() (err error) {
	if s.program, err = find(s.kind.program, s.kind.packages); err != nil {
		return err
	}
	yard, err := openYard()
	if err != nil {
		return err
	}
	if s.dir, err = yard.folder(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), startWithin)
	defer cancel()
	if err := s.kind.prepare(ctx, s); err != nil {
		return err
	}
	// Between looking for a free port and listening there, somebody else may.
	for range 5 {
		if s.port, err = freePort(); err != nil {
			return err
		}
		if s.busPort, err = freePort(); err != nil {
			return err
		}
		if err = s.launch(ctx); !errors.Is(err, errExited) {
			return err
		}
	}
	return err
}

var errExited = errors.New("the server has exited")

// launch starts the process and waits until it answers.
func (s *Server) launch(ctx context.Context) error {
	p, err := run(s.dir, s.program, s.kind.args(s)...)
	if err != nil {
		return err
	}
	s.process = p
	for {
		select {
		case <-p.exited:
			s.process = nil
			return fmt.Errorf("%w:\n%s", errExited, s.log())
		case <-ctx.Done():
			return fmt.Errorf("no answer within %v: %w\n%s", startWithin, err, s.log())
		case <-time.After(pollEvery):
			if err = s.kind.answers(ctx, s); err == nil {
				return nil
			}
		}
	}
}

// URL returns how the server is reached, the same all its life.
func (s *Server) URL() string { return s.kind.url(s) }

// Start starts a server that was stopped or killed, at the same address and with
// the same data, and returns when it answers.
func (s *Server) Start() {
	s.tb.Helper()
	if s.process != nil {
		s.tb.Fatalf("%s is running", s.kind.name)
	}
	ctx, cancel := context.WithTimeout(context.Background(), startWithin)
	defer cancel()
	if err := s.launch(ctx); err != nil {
		s.tb.Fatalf("%s: %v", s.kind.name, err)
	}
}

// Stop stops the server in good order, which ends its connections.
func (s *Server) Stop() {
	s.tb.Helper()
	if s.process == nil {
		return
	}
	if err := s.process.signal(s.kind.stop); err != nil {
		s.tb.Fatal(err)
	}
	select {
	case <-s.process.exited:
		s.process = nil
	case <-time.After(stopWithin):
		s.tb.Fatalf("%s has not stopped within %v:\n%s", s.kind.name, stopWithin, s.log())
	}
}

// Kill ends every process of the server with SIGKILL, paused or not, and returns
// when they are gone.
func (s *Server) Kill() {
	if s.process == nil {
		return
	}
	s.process.kill()
	s.process = nil
}

// Pause freezes every process of the server: connections stay open, and nothing
// answers.
func (s *Server) Pause() {
	s.tb.Helper()
	if s.process == nil {
		s.tb.Fatalf("%s is not running", s.kind.name)
	}
	s.process.freeze()
}

// Resume lets a paused server go on.
func (s *Server) Resume() {
	s.tb.Helper()
	if s.process == nil {
		s.tb.Fatalf("%s is not running", s.kind.name)
	}
	s.process.thaw()
}

// write makes a file in the server's folder that only the server reads.
func (s *Server) write(name, text string) error {
	path := filepath.Join(s.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return err
	}
	return disown(path)
}

// log returns the end of what the server has said.
func (s *Server) log() string {
	const most = 4096
	b, err := os.ReadFile(filepath.Join(s.dir, logFile))
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(b[max(0, len(b)-most):]))
}
