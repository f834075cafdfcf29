package redisstore

import (
	"context"
	"encoding/base64"
	"iter"
	"time"

	"github.com/redis/rueidis"

	"github.com/seed-077cad0b/auth"
)

// scanCount is how many keys of a database a server looks at in one step of a
// walk. It answers others in between.
const scanCount = 1000

// Walk walks through the records of kind k, or of every kind where k is empty, in
// no particular order, by SCAN on every master. A walk looks at every key of the
// database, and remembers 16 bytes of each record that it has seen. While slots of
// a cluster move it may miss records.
func (s *Store) Walk(ctx context.Context, k auth.Kind) iter.Seq2[auth.Entry, error] {
	return func(yield func(auth.Entry, error) bool) {
		nodes, err := s.masters(ctx)
		if err != nil {
			yield(auth.Entry{}, err)
			return
		}
		w := walk{store: s, kind: k, walked: map[[16]byte]struct{}{}, yield: yield}
		for _, node := range nodes {
			if err := w.node(ctx, node); err != nil {
				yield(auth.Entry{}, err)
				return
			}
			if w.done {
				return
			}
		}
	}
}

// A walk is what one knows on its way.
type walk struct {
	store  *Store
	kind   auth.Kind
	walked map[[16]byte]struct{} // SCAN may tell a key twice
	yield  func(auth.Entry, error) bool
	done   bool
}

func (w *walk) node(ctx context.Context, node rueidis.Client) error {
	s := w.store
	for cursor := uint64(0); !w.done; {
		if err := ctx.Err(); err != nil {
			return err
		}
		// A prefix has no character that means something in a pattern.
		step, err := ofMaster(ctx, node, node.B().Scan().Cursor(cursor).Match(s.prefix+"r:*").Count(scanCount).Build()).AsScanEntry()
		if err != nil {
			return s.failed(ctx, err)
		}
		if err := w.keys(ctx, step.Elements); err != nil {
			return err
		}
		if cursor = step.Cursor; cursor == 0 {
			return nil
		}
	}
	return nil
}

// keys yields the records under keys.
func (w *walk) keys(ctx context.Context, keys []string) error {
	digests := make([]auth.Digest, 0, len(keys))
	for _, key := range keys {
		var d auth.Digest
		if text := key[len(w.store.prefix)+len("r:"):]; len(text) != base64.RawURLEncoding.EncodedLen(len(d)) {
			continue // nobody's
		} else if _, err := base64.RawURLEncoding.Decode(d[:], []byte(text)); err != nil {
			continue
		}
		if _, ok := w.walked[[16]byte(d[:])]; ok {
			continue
		}
		w.walked[[16]byte(d[:])] = struct{}{}
		digests = append(digests, d)
	}
	now := time.Now()
	return w.store.fetch(ctx, digests, func(i int, v []byte) error {
		if w.done || v == nil || isPast(v, now) {
			return nil
		}
		r, err := decode(v)
		if err == nil && (w.kind == "" || r.Kind == w.kind) {
			if err = ctx.Err(); err == nil {
				w.done = !w.yield(auth.Entry{Digest: digests[i], Record: r}, nil)
			}
		}
		return err
	})
}
