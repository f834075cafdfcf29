//go:build linux

package faults

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
)

// No more pages for SQLite: logins are refused as an outage, nobody else notices,
// and nothing is lost when there is room again.
func noMorePages(t *testing.T, _ *site) {
	roomy := newSite(t, "SQLite")
	narrow := &site{engine: "SQLite", url: roomy.url + "&_pragma=max_page_count(100)"}
	v := newService(t, narrow, time.Minute)
	w := newTraffic(t, v)
	ctx := t.Context()
	for refused := 0; refused < 20; {
		status, token := v.login(ctx, w.key)
		if w.expect("a login", 200, status) {
			w.open = append(w.open, token)
		} else {
			refused++
		}
		require.Equal(t, 200, v.get(ctx, w.live), "reads go on")
		require.Equal(t, 401, v.get(ctx, w.dead))
	}
	require.NotEmpty(t, w.open)
	last := len(w.open) - 1
	if w.expect("a sign-out", 204, v.signOut(ctx, w.open[last])) {
		require.Equal(t, 401, v.get(ctx, w.open[last]))
	}
	w.open = w.open[:last]
	w.services = []*service{newService(t, roomy, time.Minute)}
	w.recover()
	status, _ := w.services[0].login(ctx, w.key)
	require.Equal(t, 200, status, "there is room again")
	roomy.sound(t)
}

// No more room on the disk, as the kernel says it of a file that may not grow: at
// any write, that of the log and that of a checkpoint.
func noMoreRoom(t *testing.T, _ *site) {
	s := newSite(t, "SQLite")
	b := newBook()
	s.open(t) // so that the tables are there
	for round := range rounds(t, 3) {
		limit := uint64(256<<10) * uint64(round+1)
		p := s.process(t, job{Name: "fill", Kind: b.kind, Seed: fmt.Sprint("round ", round, ":"), Limit: limit})
		for p.lines.Scan() {
			b.note(t, p.lines.Text())
		}
		require.NoError(t, p.Wait())
		b.check(t, s.open(t))
		s.sound(t)
	}
	b.tell(t)
}

// fillJob writes until files may not grow any more, and some more when they may.
func fillJob(j job, _ *bufio.Scanner, report func(...any)) error {
	s, err := engines[j.Engine].open(context.Background(), j.URL, 4)
	if err != nil {
		return err
	}
	var room syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &room); err != nil {
		return err
	}
	full := syscall.Rlimit{Cur: j.Limit, Max: room.Max}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &full); err != nil {
		return err
	}
	c := &counting{backend: s, kind: j.Kind}
	if err := c.fill(j.Seed+"full", report, func() bool { return c.failed >= 20 }); err != nil {
		return err
	}
	if err := c.read(); err != nil {
		return err
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &room); err != nil {
		return err
	}
	c.failed, c.done = 0, 0
	if err := c.fill(j.Seed+"again", report, func() bool { return c.done >= 20 }); err != nil || c.failed > 0 {
		return fmt.Errorf("%d writes have failed with room again: %w", c.failed, err)
	}
	return s.Close()
}

// counting counts writes.
type counting struct {
	backend
	kind         auth.Kind
	done, failed int
}

func (c *counting) count(err error) error {
	if err != nil {
		c.failed++
	} else {
		c.done++
	}
	return err
}

func (c *counting) Insert(ctx context.Context, d auth.Digest, r auth.Record) error {
	return c.count(c.backend.Insert(ctx, d, r))
}

func (c *counting) Replace(ctx context.Context, d auth.Digest, r auth.Record) error {
	return c.count(c.backend.Replace(ctx, d, r))
}

func (c *counting) Take(ctx context.Context, d auth.Digest) (auth.Record, error) {
	r, err := c.backend.Take(ctx, d)
	return r, c.count(err)
}

func (c *counting) fill(seed string, report func(...any), enough func() bool) error {
	for i := 0; !enough(); i++ {
		if err := life(context.Background(), c, c.kind, auth.DigestOf(c.kind, fmt.Sprint(seed, i)), report); err != nil {
			return err
		}
		if i > 100_000 {
			return errors.New("there is no limit")
		}
	}
	return nil
}

// read reads everything: what is full can be read.
func (c *counting) read() error {
	n := 0
	for _, err := range c.Walk(context.Background(), c.kind) {
		if err != nil {
			return fmt.Errorf("reading what is full: %w", err)
		}
		n++
	}
	if n == 0 {
		return io.ErrUnexpectedEOF
	}
	return nil
}

// sound has SQLite look at its file.
func (s *site) sound(t *testing.T) {
	t.Helper()
	db, err := sql.Open("sqlite", s.url)
	require.NoError(t, err)
	defer db.Close()
	var verdict string
	require.NoError(t, db.QueryRow("PRAGMA integrity_check").Scan(&verdict))
	require.Equal(t, "ok", verdict)
}
