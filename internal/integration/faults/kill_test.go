//go:build linux

package faults

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
)

func writeJob(j job, _ *bufio.Scanner, report func(...any)) error {
	s, err := engines[j.Engine].open(context.Background(), j.URL, 4)
	if err != nil {
		return err
	}
	return write(context.Background(), s, j.Kind, j.Seed, report)
}

// moment is when in a round the fault comes: at the first write, or up to
// 200 ms later.
func moment() time.Duration { return time.Duration(rand.IntN(200)) * time.Millisecond }

// A process is killed in the middle of its writes, again and again. What it was
// told is done is done, what it was not told is done wholly or not at all, and
// whoever comes next writes on.
func processKilled(t *testing.T, s *site) {
	b := newBook()
	for round := range rounds(t, 4) {
		killWriter(t, s, b, fmt.Sprint("round ", round, ":"))
		b.check(t, s.open(t))
	}
	b.tell(t)
}

// killWriter has a process write until it is killed, and notes what it said.
func killWriter(t *testing.T, s *site, b *book, seed string) {
	t.Helper()
	p := s.process(t, job{Name: "write", Kind: b.kind, Seed: seed})
	p.kill(t, func(line string) bool {
		b.note(t, line)
		return strings.HasPrefix(line, "ack ")
	})
}

// kill has a process work until a moment after the first line that is an
// achievement, and ends it.
func (p *process) kill(t *testing.T, achieved func(line string) bool) {
	t.Helper()
	var once sync.Once
	for p.lines.Scan() {
		if achieved(p.lines.Text()) {
			once.Do(func() { time.AfterFunc(moment(), func() { _ = p.Process.Kill() }) })
		}
	}
	require.EqualError(t, p.Wait(), "signal: killed", "it ended by itself")
}

// The server is killed, all its processes at once, while others write, and
// started again.
func serverKilled(t *testing.T, s *site) {
	b := newBook()
	store := s.open(t)
	for round := range rounds(t, 2) {
		killServer(t, s, b, store, fmt.Sprint("round ", round, ":"))
		b.check(t, store)
	}
	b.check(t, s.open(t))
	b.tell(t)
}

// killServer kills and starts a server while a store on it is written to, which
// goes on by itself.
func killServer(t *testing.T, s *site, b *book, store auth.Store, seed string) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 1)
	go func() {
		ended <- write(ctx, store, b.kind, seed, func(words ...any) { b.note(t, fmt.Sprintln(words...)) })
	}()
	more := func(n int) {
		for enough := b.acknowledged() + n; b.acknowledged() < enough; pause(ctx, time.Millisecond) {
			select {
			case err := <-ended:
				require.FailNow(t, "writers have ended", err)
			default:
			}
		}
	}
	more(1)
	pause(ctx, moment())
	s.server.Kill()
	pause(ctx, 20*time.Millisecond) // some of them notice
	if b.lenient {
		stop() // what they were told is forgotten, which they would notice
	}
	s.server.Start()
	if !b.lenient {
		more(10)
		stop()
	}
	require.NoError(t, <-ended)
}
