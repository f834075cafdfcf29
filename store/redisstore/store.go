package redisstore

import (
	"context"
	"encoding/base64"
	"errors"
	"time"

	"github.com/redis/rueidis"

	"github.com/seed-077cad0b/auth"
)

// A Store keeps records in Redis. It implements [auth.Store] with all of
// [auth.Lister], [auth.Batcher], [auth.Toucher], [auth.Walker] and [auth.Watcher];
// expired records need no sweeping. Use [Open]; a Store must not be copied.
//
// Every method is atomic, and safe for concurrent use by any number of processes.
// Whether a record is past its KeepUntil is judged by the clock of the process
// that asks. When the context is done, its error is returned at once, and what
// was asked of the server may be done nevertheless; only while a connection is
// being made, the time-out of [Options] decides.
type Store struct {
	client  rueidis.Client
	prefix  string
	channel string // where changes are told
	timeout time.Duration
}

var (
	_ auth.Store   = (*Store)(nil)
	_ auth.Lister  = (*Store)(nil)
	_ auth.Batcher = (*Store)(nil)
	_ auth.Toucher = (*Store)(nil)
	_ auth.Walker  = (*Store)(nil)
	_ auth.Watcher = (*Store)(nil)
)

// Lookup returns the record under d, or [auth.ErrNotFound]: one GETEX, which
// replicas refuse.
func (s *Store) Lookup(ctx context.Context, d auth.Digest) (auth.Record, error) {
	if err := ctx.Err(); err != nil {
		return auth.Record{}, err
	}
	v, err := s.value(ctx, s.key(&d))
	if err != nil {
		return auth.Record{}, s.failed(ctx, err)
	}
	return living(v)
}

// Insert adds r under d. Where one is present it returns [auth.ErrExists] and
// leaves that one unchanged. It is one round trip, and one more for a record with
// an owner.
func (s *Store) Insert(ctx context.Context, d auth.Digest, r auth.Record) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	e, err := s.enlist(ctx, entry{home: homeOf(&r), digest: d}, expiry(&r))
	if err != nil {
		return err
	}
	return s.insert(ctx, &r, e)
}

// insert writes a record whose entry has been written.
func (s *Store) insert(ctx context.Context, r *auth.Record, e entry) error {
	answer, err := s.run(ctx, insertScript, s.key(&e.digest), string(newValue(r, &e)), expiry(r), now(), s.channel, string(e.digest[:]),
		e.deadline()).ToString()
	switch {
	case err != nil:
		// It may be done nevertheless, so the entry stays.
		return s.failed(ctx, err)
	case answer == "inserted":
		return nil
	}
	s.delist(ctx, e)
	if answer == "exists" {
		return auth.ErrExists
	}
	return errLate
}

// Take removes the record under d and returns it. Of concurrent callers exactly
// one succeeds; the others get [auth.ErrNotFound]. It is one round trip, and one
// more for a record with an owner.
func (s *Store) Take(ctx context.Context, d auth.Digest) (auth.Record, error) {
	if err := ctx.Err(); err != nil {
		return auth.Record{}, err
	}
	v, err := s.run(ctx, takeScript, s.key(&d), now(), s.channel, string(d[:])).AsBytes()
	if err != nil {
		return auth.Record{}, s.failed(ctx, err)
	}
	r, err := decode(v)
	if err != nil {
		return auth.Record{}, err
	}
	s.delist(ctx, entry{home: homeOf(&r), digest: d, stamp: stampOf(v)})
	return r, nil
}

// Replace changes the record under d to r, whose Revision must be the stored one
// plus 1. It returns [auth.ErrNotFound] where none is present, and
// [auth.ErrConflict] where the revision differs. The later of both Seen is kept.
// It is one round trip, and up to three more where the owner or the kind changes,
// or the KeepUntil of a record with an owner moves on.
func (s *Store) Replace(ctx context.Context, d auth.Digest, r auth.Record) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	e := entry{home: homeOf(&r), digest: d}
	answer, err := s.replace(ctx, &r, &e, "")
	if err != nil || answer == nil {
		return err
	}
	// The list comes first: by now the answer is the record as it was.
	old, err := decode(answer)
	if err != nil {
		return err
	}
	before := entry{home: homeOf(&old), digest: d, stamp: stampOf(answer)}
	if before.home == e.home {
		e.stamp = before.stamp
	}
	if e, err = s.enlist(ctx, e, expiry(&r)); err != nil {
		return err
	}
	_, err = s.replace(ctx, &r, &e, "listed")
	switch moved := before != e; {
	case moved && err == nil:
		s.delist(ctx, before)
	case moved && (err == auth.ErrNotFound || err == auth.ErrConflict || err == errLate):
		s.delist(ctx, e)
	}
	return err
}

// replace runs the script. What it returns is nil, or the record that is there
// if its entry has to be written first, which listed says has been done.
func (s *Store) replace(ctx context.Context, r *auth.Record, e *entry, listed string) ([]byte, error) {
	answer, err := s.run(ctx, replaceScript, s.key(&e.digest), string(newValue(r, e)), expiry(r), now(), s.channel, string(e.digest[:]),
		number(r.Revision-1), e.deadline(), listed).AsBytes()
	if err != nil {
		return nil, s.failed(ctx, err)
	}
	switch string(answer) {
	case "replaced":
		return nil, nil
	case "absent":
		return nil, auth.ErrNotFound
	case "conflict":
		return nil, auth.ErrConflict
	case "late":
		return nil, errLate
	default:
		return answer, nil
	}
}

var errLate = errors.New("redisstore: the server took too long between two steps")

// key is what the record under d is kept under.
func (s *Store) key(d *auth.Digest) string { return s.name("r:", d[:]) }

// name returns a key of the store: all of them are a prefix, a letter and what is
// hashed already.
func (s *Store) name(letter string, hash []byte) string {
	var buf [128]byte
	b := append(append(buf[:0], s.prefix...), letter...)
	return string(base64.RawURLEncoding.AppendEncode(b, hash))
}

// living decodes a record, and returns auth.ErrNotFound where it is past its
// KeepUntil: the server lets it go later.
func living(v []byte) (auth.Record, error) {
	if isPast(v, time.Now()) {
		return auth.Record{}, auth.ErrNotFound
	}
	return decode(v)
}
