//go:build linux

package faults

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
)

// A book knows of every record what it may be by now: the revision that was
// acknowledged last and, where a write was begun after that, the one which that
// makes. Revision 0 is no record.
type book struct {
	kind auth.Kind // of its records, and of no others

	mu      sync.Mutex
	allowed map[auth.Digest][]uint64 // in the order in which they came to be so
	acked   int

	lenient bool                // a record may be what it was at any time before
	last    map[auth.Digest]int // where in allowed the last acknowledged one is
	lost    int                 // records that were found older than that
}

func newBook() *book {
	kind := auth.Kind("written_" + strings.ToLower(rand.Text()))
	return &book{kind: kind, allowed: map[auth.Digest][]uint64{}, last: map[auth.Digest]int{}}
}

// note takes in a line of a writer: "try" or "ack", a digest and a revision.
func (b *book) note(t *testing.T, line string) {
	words := strings.Fields(line)
	if !assert.Len(t, words, 3, line) {
		return
	}
	d, err := auth.ParseDigest(words[1])
	assert.NoError(t, err)
	revision, err := strconv.ParseUint(words[2], 10, 64)
	assert.NoError(t, err)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.allowed[d] == nil {
		b.allowed[d] = []uint64{0}
	}
	b.allowed[d] = append(b.allowed[d], revision)
	if words[0] == "ack" {
		if !b.lenient {
			b.allowed[d] = []uint64{revision}
		}
		b.last[d] = len(b.allowed[d]) - 1
		b.acked++
	}
}

func (b *book) acknowledged() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.acked
}

// written is the one record that there may be under a digest at a revision:
// another content is half of something.
func written(k auth.Kind, d auth.Digest, revision uint64) auth.Record {
	block := sha256.Sum256(fmt.Append(nil, d, revision))
	created := time.Unix(1_700_000_000+int64(revision), 0).UTC()
	r := auth.Record{
		Kind:     k,
		Owner:    ownerOf(d, revision),
		Revision: revision,
		Created:  created,
		Expires:  created.AddDate(100, 0, 0),
		Data:     bytes.Repeat(block[:], int(block[0])+1), // up to 8 KiB, over several pages
		Principal: &auth.Principal{
			Subject: d.String(), Scopes: []string{fmt.Sprint(revision)},
			Claims: fmt.Appendf(nil, `{"revision":%d}`, revision),
		},
	}
	if block[1]%2 == 0 {
		r.KeepUntil = r.Expires
	}
	return r
}

// owners are few, and records move from one to the other.
const owners = 5

func ownerOf(d auth.Digest, revision uint64) auth.Digest {
	return auth.DigestOf("owner", fmt.Sprint((uint64(d[0])+revision)%owners))
}

// write inserts, replaces and takes records until ctx ends, several at a time,
// and reports what it is about to do and what has been acknowledged. What fails
// has happened or not; that record is left alone from then on. The error is an
// answer that cannot be.
func write(ctx context.Context, s auth.Store, k auth.Kind, seed string, report func(...any)) error {
	const writers = 4
	failed := make(chan error, writers)
	for w := range writers {
		go func() {
			var err error
			for i := 0; err == nil && ctx.Err() == nil; i++ {
				err = life(ctx, s, k, auth.DigestOf(k, fmt.Sprint(seed, w, ".", i)), report)
			}
			failed <- err
		}()
	}
	var errs []error
	for range writers {
		errs = append(errs, <-failed)
	}
	return errors.Join(errs...)
}

// life is a record's: inserted, replaced and, two of three times, taken.
func life(ctx context.Context, s auth.Store, k auth.Kind, d auth.Digest, report func(...any)) error {
	last := uint64(d[1])%4 + 1
	for revision := uint64(1); revision <= last+1; revision++ {
		next, do := revision, s.Replace
		switch {
		case revision == 1:
			do = s.Insert
		case revision > last && d[2]%3 == 0:
			return nil // this one stays
		case revision > last:
			next = 0
			do = func(ctx context.Context, d auth.Digest, _ auth.Record) error {
				_, err := s.Take(ctx, d)
				return err
			}
		}
		report("try", d, next)
		err := do(context.WithoutCancel(ctx), d, written(k, d, next)) // what was begun ends
		switch {
		case errors.Is(err, auth.ErrExists), errors.Is(err, auth.ErrConflict), errors.Is(err, auth.ErrNotFound):
			// Nobody else writes this record. Who tries again what may have been
			// done already gets such an answer, and takes it for somebody else's.
			return fmt.Errorf("revision %d of a record that nobody else writes: %w", next, err)
		case err != nil:
			pause(ctx, 5*time.Millisecond)
			return nil
		}
		report("ack", d, next)
	}
	return nil
}

// settle waits until nothing more happens: a server may go on with what a client
// that is dead has asked for.
func (b *book) settle(t *testing.T, s auth.Store) {
	t.Helper()
	seen := map[auth.Digest]uint64{}
	for calm := 0; calm < 10; calm++ {
		for d, allowed := range b.allowed {
			if len(allowed) == 1 {
				continue
			}
			r, err := s.Lookup(t.Context(), d)
			if !errors.Is(err, auth.ErrNotFound) {
				require.NoError(t, err)
			}
			if r.Revision != seen[d] {
				seen[d], calm = r.Revision, 0
			}
		}
		pause(t.Context(), 20*time.Millisecond)
	}
}

// check holds what is stored against the book, by every way of reading.
func (b *book) check(t *testing.T, s backend) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.settle(t, s)
	ctx := t.Context()

	found := map[auth.Digest]auth.Record{}
	for e, err := range s.Walk(ctx, b.kind) {
		require.NoError(t, err, "every record decodes")
		require.NotContains(t, found, e.Digest, "told twice")
		found[e.Digest] = e.Record
	}
	whole := func(d auth.Digest, r auth.Record) {
		require.Equal(t, must(written(b.kind, d, r.Revision).MarshalBinary()), must(r.MarshalBinary()), "%v is half of something", d)
	}
	for d, r := range found {
		whole(d, r)
		require.Contains(t, b.allowed, d, "nobody has written that")
	}
	for d, allowed := range b.allowed {
		r, err := s.Lookup(ctx, d)
		if errors.Is(err, auth.ErrNotFound) {
			err = nil
		}
		require.NoError(t, err)
		require.Contains(t, allowed, r.Revision, "%v is lost, or back", d)
		require.Equal(t, found[d].Revision, r.Revision, "walk and look-up differ")
		if r.Revision > 0 {
			whole(d, r)
		}
		if lastIndex(allowed, r.Revision) < b.last[d] {
			b.lost++
		}
		b.allowed[d], b.last[d] = []uint64{r.Revision}, 0 // now it is known
	}
	b.checkOwners(t, s, found)
}

func lastIndex(all []uint64, n uint64) int {
	for i := len(all) - 1; i >= 0; i-- {
		if all[i] == n {
			return i
		}
	}
	return -1
}

// checkOwners holds the lists by owner against what there is.
func (b *book) checkOwners(t *testing.T, s backend, found map[auth.Digest]auth.Record) {
	t.Helper()
	listed := 0
	for i := range uint64(owners) {
		owner := ownerOf(auth.Digest{}, i)
		seen := map[auth.Digest]bool{}
		for e, err := range s.List(t.Context(), owner, b.kind) {
			require.NoError(t, err)
			require.Equal(t, found[e.Digest].Revision, e.Record.Revision)
			require.Equal(t, owner, e.Record.Owner)
			require.False(t, seen[e.Digest], "listed twice")
			seen[e.Digest] = true
			listed++
		}
	}
	require.Equal(t, len(found), listed, "every record is in its owner's list")
}

// tell tells how much there was to lose.
func (b *book) tell(t *testing.T) {
	t.Helper()
	there := 0
	for _, allowed := range b.allowed {
		if allowed[0] > 0 {
			there++
		}
	}
	t.Logf("%d writes acknowledged, %d records in the end, %d of %d older than what was acknowledged",
		b.acked, there, b.lost, len(b.allowed))
}
