//go:build linux

package pglisten_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/internal/servertest"
	"github.com/seed-077cad0b/auth/store/pglisten"
	"github.com/seed-077cad0b/auth/store/sqlstore"
	"github.com/seed-077cad0b/auth/store/storetest"
)

func TestMain(m *testing.M) { servertest.Main(m) }

// A handle is what a process has: the store and its watcher.
type handle struct {
	auth.Store
	auth.Watcher
}

// opener returns what opens handles on the database at url.
func opener(tb testing.TB, url string) func(tb testing.TB) auth.Store {
	tb.Helper()
	migrated := connect(tb, url)
	require.NoError(tb, sqlstore.Migrate(tb.Context(), migrated, sqlstore.PostgreSQL))
	return func(tb testing.TB) auth.Store {
		tb.Helper()
		s, err := sqlstore.New(tb.Context(), connect(tb, url), sqlstore.PostgreSQL, &sqlstore.Options{Notify: true})
		require.NoError(tb, err)
		tb.Cleanup(func() { require.NoError(tb, s.Close()) })
		return handle{s, watcher(tb, url)}
	}
}

func connect(tb testing.TB, url string) *sql.DB {
	tb.Helper()
	db, err := sql.Open("pgx", url)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, db.Close()) })
	db.SetMaxOpenConns(8)
	db.SetMaxIdleConns(8)
	return db
}

func watcher(tb testing.TB, url string) *pglisten.Watcher {
	tb.Helper()
	w, err := pglisten.New(connect(tb, url), url)
	require.NoError(tb, err)
	return w
}

func TestKit(t *testing.T) {
	storetest.Run(t, opener(t, servertest.PostgreSQL(t)))
}

// Notes take down what a watcher tells.
type notes struct {
	mu      sync.Mutex
	changed map[auth.Digest]bool
	told    []time.Time
	tell    chan struct{} // has room for one
	ended   chan error
}

// watch has w watch until the test ends, and returns once it has begun.
func watch(t *testing.T, w auth.Watcher) *notes {
	t.Helper()
	n := &notes{changed: map[auth.Digest]bool{}, tell: make(chan struct{}, 1), ended: make(chan error, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	go func() { n.ended <- w.Watch(ctx, n.change, n.confirm) }()
	t.Cleanup(cancel)
	n.until(t, func() bool { return len(n.told) > 0 })
	return n
}

func (n *notes) change(d auth.Digest) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.changed[d] = true
}

func (n *notes) confirm(t time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.told = append(n.told, t)
	select {
	case n.tell <- struct{}{}:
	default:
	}
}

// until waits until done, which is asked each time that the watcher has told.
func (n *notes) until(t *testing.T, done func() bool) {
	t.Helper()
	for deadline := time.After(time.Minute); ; {
		select {
		case <-n.tell:
			n.mu.Lock()
			ok := done()
			n.mu.Unlock()
			if ok {
				return
			}
		case err := <-n.ended:
			t.Fatalf("the watcher has ended: %v", err)
		case <-deadline:
			t.Fatal("nothing has come for a minute")
		}
	}
}

// end returns why the watcher has ended.
func (n *notes) end(t *testing.T) error {
	t.Helper()
	select {
	case err := <-n.ended:
		return err
	case <-time.After(time.Minute):
		t.Fatal("the watcher goes on")
		return nil
	}
}

func record() auth.Record {
	return auth.Record{Kind: auth.KindSession, Revision: auth.NewRevision()}
}

func digest(i int) auth.Digest { return auth.DigestOf(auth.KindSession, strings.Repeat("x", i)) }

// Of whatever is acknowledged before the time that is told, it has been told
// before, however many write at once.
func TestNothingIsToldTooEarly(t *testing.T) {
	open := opener(t, servertest.PostgreSQL(t))
	s := open(t)
	var mu sync.Mutex
	written := map[auth.Digest]time.Time{}
	heard := map[auth.Digest]bool{}
	tells := 0
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	begun := make(chan struct{})
	go func() {
		done <- s.(handle).Watch(ctx, func(d auth.Digest) { heard[d] = true }, func(told time.Time) {
			mu.Lock()
			defer mu.Unlock()
			if tells++; tells == 1 {
				close(begun)
			}
			for d, at := range written {
				if !at.Before(told) {
					continue // to be told by the next time
				}
				if !heard[d] {
					t.Errorf("%v was written at %v, but not told of by %v", d, at, told)
				}
				delete(written, d)
			}
		})
	}()
	<-begun
	const writers, writes = 6, 300
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for i := range writes {
				d := digest(w*writes + i)
				if err := s.Insert(ctx, d, record()); err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				written[d] = time.Now()
				mu.Unlock()
			}
		})
	}
	all.Wait()
	for {
		mu.Lock()
		left := len(written)
		mu.Unlock()
		if left == 0 {
			break
		}
		select {
		case err := <-done:
			t.Fatalf("the watcher has ended: %v", err)
		case <-time.After(50 * time.Millisecond):
		}
	}
	cancel()
	require.ErrorIs(t, <-done, context.Canceled)
	require.Greater(t, tells, 1)
}

// Whoever may notify can make a cache drop what it remembers, and nothing else.
func TestWhatIsNoDigestIsPassedOver(t *testing.T) {
	url := servertest.PostgreSQL(t)
	db := connect(t, url)
	n := watch(t, watcher(t, url))
	d := digest(1)
	for _, payload := range []string{
		"", "x", d.String()[1:], d.String() + "A", d.String()[:42] + "\n", strings.Repeat("-", 43), strings.Repeat("é", 21) + "x",
		strings.Repeat("A", 7999), "'; DROP TABLE auth_records; --", digest(2).String(), d.String(),
	} {
		_, err := db.ExecContext(t.Context(), "SELECT pg_notify($1, $2)", sqlstore.Channel, payload)
		require.NoError(t, err, "%.50q", payload)
	}
	n.until(t, func() bool { return n.changed[d] })
	n.mu.Lock()
	defer n.mu.Unlock()
	want := map[auth.Digest]bool{d: true, digest(2): true}
	for d := range n.changed {
		require.True(t, want[d] || d.String() == strings.Repeat("-", 43), "%v", d)
	}
}

// listeners counts the connections that listen, or ends them.
func listeners(t *testing.T, db *sql.DB, what string) (n int) {
	t.Helper()
	require.NoError(t, db.QueryRowContext(t.Context(), "SELECT count("+what+`) FROM pg_stat_activity
		WHERE datname = current_database() AND query LIKE 'LISTEN%'`).Scan(&n))
	return n
}

func TestALostConnection(t *testing.T) {
	url := servertest.PostgreSQL(t)
	db := connect(t, url)
	n := watch(t, watcher(t, url))
	require.Equal(t, 1, listeners(t, db, "pg_terminate_backend(pid)"))
	err := n.end(t)
	require.Error(t, err)
	require.NotErrorIs(t, err, context.Canceled)
	require.ErrorContains(t, err, "pglisten: ")
}

// A server that has come to a halt is noticed, and its silence is not taken for
// nothing having happened.
func TestAStalledServer(t *testing.T) {
	server := servertest.StartPostgreSQL(t)
	n := watch(t, watcher(t, server.URL()))
	n.until(t, func() bool { return len(n.told) > 2 })
	server.Pause()
	paused := time.Now()
	err := n.end(t)
	server.Resume()
	require.ErrorContains(t, err, "does not arrive")
	for _, told := range n.told {
		require.True(t, told.Before(paused))
	}
}

func TestTheContextEndsTheWatch(t *testing.T) {
	url := servertest.PostgreSQL(t)
	db := connect(t, url)
	ctx, cancel := context.WithCancel(t.Context())
	err := watcher(t, url).Watch(ctx, func(auth.Digest) {}, func(time.Time) { cancel() })
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, watcher(t, url).Watch(ctx, nil, nil), context.Canceled)
	for listeners(t, db, "*") > 0 { // the server takes a moment to see them off
		require.NoError(t, t.Context().Err())
	}
	ctx, cancel = context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	tells := 0
	err = watcher(t, url).Watch(ctx, func(auth.Digest) {}, func(time.Time) { tells++ })
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.LessOrEqual(t, tells, 4)
}

// Who listens in another database hears nothing, and does not say that there is
// nothing to be heard.
func TestAnotherDatabaseIsNeverConfirmed(t *testing.T) {
	w, err := pglisten.New(connect(t, servertest.PostgreSQL(t)), servertest.PostgreSQL(t))
	require.NoError(t, err)
	err = w.Watch(t.Context(), func(auth.Digest) {}, func(time.Time) { t.Error("confirmed") })
	require.ErrorContains(t, err, "another one")
}

func TestServersThatAreNotThere(t *testing.T) {
	for _, url := range []string{"", "postgres://user:sesame@[::1", "postgres://user:sesame@host:port/", "x"} {
		_, err := pglisten.New(new(sql.DB), url)
		require.Error(t, err, url)
		require.NotContains(t, err.Error(), "sesame")
	}
	told := func(time.Time) { t.Error("told") }
	err := watcher(t, "postgres://user:sesame@127.0.0.1:1/none").Watch(t.Context(), nil, told)
	require.ErrorContains(t, err, "pglisten: ")
	require.NotContains(t, err.Error(), "sesame")
	require.False(t, errors.Is(err, context.Canceled))
}
