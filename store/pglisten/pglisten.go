// Package pglisten watches what changes in a sqlstore in PostgreSQL, by LISTEN,
// so that a cache in another process drops it at once:
//
//	store, err := sqlstore.New(ctx, db, sqlstore.PostgreSQL, &sqlstore.Options{Notify: true})
//	...
//	watcher, err := pglisten.New(db, url)
//	...
//	cache, err := cachestore.New(store, &cachestore.Options{Watcher: watcher})
//
// Every process that writes must notify. What one that does not has changed is not
// told, and a cache goes on serving it for its MaxAge.
package pglisten

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/store/sqlstore"
)

// A Watcher is an [auth.Watcher] of the records of a sqlstore whose
// sqlstore.Options.Notify is set, in each process that writes. It is safe for
// concurrent use: each Watch has a connection of its own, and holds nothing after
// it has returned.
//
// It listens on the primary server, as standbys let nobody, and not through a
// pooler that hands each transaction another connection: what that never lets
// it hear, its beat among it, it never confirms.
type Watcher struct {
	db     *sql.DB
	config *pgconn.Config
}

var _ auth.Watcher = (*Watcher)(nil)

const (
	every    = 500 * time.Millisecond // half of what an auth.Watcher may take
	patience = 5 * time.Second        // for a connection, and for a beat to come back
	parting  = time.Second
)

// New returns a Watcher of the database that db is a pool of connections to, the
// store's own. It listens by a connection of its own, to what url names, as one of
// pgx, as a URL or in the form of libpq. It does not connect. The empty text is
// refused, which pgx would take for whatever the environment says.
func New(db *sql.DB, url string) (*Watcher, error) {
	if db == nil {
		return nil, errors.New("pglisten: New: no database")
	}
	if url == "" {
		return nil, errors.New("pglisten: New: no URL")
	}
	c, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("pglisten: New: %w", err)
	}
	return &Watcher{db, &c.Config}, nil
}

// Watch tells of changes until ctx ends or the connection is lost, which takes at
// most some seconds to be noticed. See [auth.Watcher].
//
// That all was told up to a time is known by a beat: a notification that is sent
// by the store's pool, through the same queue, into which PostgreSQL puts them in
// the order of their commits. When it has come, so has everything before; and
// where the two are not of one database, it never comes.
func (w *Watcher) Watch(ctx context.Context, changed func(auth.Digest), told func(t time.Time)) error {
	err := w.watch(ctx, changed, told)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("pglisten: %w", err)
}

func (w *Watcher) watch(ctx context.Context, changed func(auth.Digest), told func(t time.Time)) error {
	l, err := w.listen(ctx, changed)
	if err != nil {
		return err
	}
	defer l.close()
	for {
		t := time.Now()
		if err := l.beat(ctx, w.db); err != nil {
			return err
		}
		told(t)
		if err := l.wait(ctx, t.Add(every)); err != nil {
			return err
		}
	}
}

// A listener is a connection that listens.
type listener struct {
	conn    *pgconn.PgConn
	changed func(auth.Digest)
	beaten  string // what is to come back; empty: it has
}

func (w *Watcher) listen(ctx context.Context, changed func(auth.Digest)) (*listener, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	l := &listener{changed: changed}
	c := w.config.Copy()
	c.OnNotification = func(_ *pgconn.PgConn, n *pgconn.Notification) { l.hear(n.Payload) }
	var err error
	if l.conn, err = pgconn.ConnectConfig(ctx, c); err != nil {
		return nil, err
	}
	if err := l.conn.Exec(ctx, "LISTEN "+sqlstore.Channel).Close(); err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

// close takes leave of the server if that is quickly done.
func (l *listener) close() {
	ctx, cancel := context.WithTimeout(context.Background(), parting)
	defer cancel()
	_ = l.conn.Close(ctx)
}

// hear takes what was notified, by whomever: other listeners' beats and what is
// no digest are passed over.
func (l *listener) hear(payload string) {
	if payload == l.beaten {
		l.beaten = ""
	} else if d, err := auth.ParseDigest(payload); err == nil {
		l.changed(d)
	}
}

var errSilent = errors.New("what the store's pool notifies does not arrive: the server is silent, or another one")

// beat returns when all has been heard that was notified before it was called.
func (l *listener) beat(ctx context.Context, db *sql.DB) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errSilent)
	defer cancel()
	l.beaten = rand.Text() // shorter than a digest
	_, err := db.ExecContext(ctx, "SELECT pg_notify($1, $2)", sqlstore.Channel, l.beaten)
	for err == nil && l.beaten != "" {
		err = l.conn.WaitForNotification(ctx)
	}
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// wait hears what is notified until then.
func (l *listener) wait(ctx context.Context, until time.Time) error {
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	for {
		err := l.conn.WaitForNotification(ctx)
		if err == nil {
			continue
		}
		if ctx.Err() != nil && !l.conn.IsClosed() {
			return nil
		}
		return err
	}
}
