package auth

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"time"
)

// A Store remembers credentials: typed records by digest. It never sees the
// text of a credential.
//
// Every method is atomic, honours its context, and is safe for concurrent use.
// From a record's KeepUntil on, every method answers as if the record were
// absent, whether it has been swept or not. Errors other than the three below
// mean that the backend could not answer; callers refuse the request with
// [ErrUnavailable], never with a 401.
//
// There is no upsert: a slow request that ends after a sign-out cannot bring
// the session back.
//
// Package store/storetest holds an implementation against every sentence here.
type Store interface {
	// Lookup returns the record under d, or ErrNotFound.
	Lookup(ctx context.Context, d Digest) (Record, error)

	// Insert adds r under d. Where one is present it returns ErrExists and
	// leaves that one unchanged.
	Insert(ctx context.Context, d Digest, r Record) error

	// Replace changes the record under d to r, whose Revision must be the
	// stored one plus 1. It returns ErrNotFound where none is present, and
	// ErrConflict where the revision differs. The later of both Seen is kept.
	Replace(ctx context.Context, d Digest, r Record) error

	// Take removes the record under d and returns it. Of concurrent callers
	// exactly one succeeds; the others get ErrNotFound.
	Take(ctx context.Context, d Digest) (Record, error)
}

// The errors of a [Store]. Implementations return them as they are or wrapped.
var (
	ErrNotFound = errors.New("auth: record not found")
	ErrExists   = errors.New("auth: record exists already")
	ErrConflict = errors.New("auth: record has changed")
)

// A Record is what a [Store] keeps under a digest. It is a value; the Principal
// and the Data in it are shared and not written again. Times are in UTC and
// exact to the microsecond, from the year 1 to 9999. Every field of it and of the
// Principal comes back as it went in, but that an empty Data, Claims or list may
// come back nil, or the other way round. [Record.AppendBinary] is a form to keep
// it in.
type Record struct {
	Kind      Kind
	Owner     Digest     // what lists and caps go by; zero: not listed
	Principal *Principal // nil in a mark

	// Revision grows by one with each Replace. It starts at random, so that a
	// stale Replace cannot hit a record inserted anew under the same digest.
	// See [NewRevision].
	Revision uint64

	Created   time.Time
	Expires   time.Time // judged by verifiers, never by the store; zero: never
	KeepUntil time.Time // from then on the record is absent; zero: kept for ever
	Seen      time.Time // last use, see Toucher; zero: never
	Disabled  bool
	Data      []byte // the kind's own
}

// A Digest is the key of a [Record]: a SHA-256 hash, separated by kind, of a
// credential's text. Its own text is the credential's public id. It cannot be
// presented as a credential.
type Digest [sha256.Size]byte

// DigestOf returns the digest of a secret text of kind k.
func DigestOf(k Kind, secret string) Digest {
	// Up to 55 bytes are one block of SHA-256, and the buffer stays on the
	// stack.
	var buf [128]byte
	b := append(buf[:0], k...)
	b = append(b, 0)
	b = append(b, secret...)
	return sha256.Sum256(b)
}

// ParseDigest reads the text form of a digest.
func ParseDigest(s string) (Digest, error) {
	var d Digest
	// The decoder would pass over line ends.
	if len(s) != base64.RawURLEncoding.EncodedLen(len(d)) || !isBase64URL(s) {
		return Digest{}, errDigest
	}
	if _, err := base64.RawURLEncoding.Strict().Decode(d[:], []byte(s)); err != nil {
		return Digest{}, errDigest
	}
	return d, nil
}

// String returns the digest in base64url without padding, 43 characters.
func (d Digest) String() string { return base64.RawURLEncoding.EncodeToString(d[:]) }

// IsZero reports whether d is the zero digest, which no text has.
func (d Digest) IsZero() bool { return d == Digest{} }

var errDigest = errors.New("auth: malformed id")

// remove takes a record out of the store. That it is gone already is as good.
func remove(ctx context.Context, s Store, d Digest) error {
	if _, err := s.Take(ctx, d); err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	return nil
}

// undo removes what a failed operation has inserted, even where it failed
// because the caller has gone.
func undo(ctx context.Context, s Store, d Digest) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoWithin)
	defer cancel()
	return remove(ctx, s, d)
}

const undoWithin = 5 * time.Second

// nameDigest hashes names that are public, each preceded by its length so that
// no two lists collide.
func nameDigest(names ...string) Digest {
	var buf [256]byte
	b := buf[:0]
	for _, n := range names {
		b = binary.BigEndian.AppendUint32(b, uint32(len(n)))
		b = append(b, n...)
	}
	return sha256.Sum256(b)
}

// An Entry is a record together with its digest.
type Entry struct {
	Digest Digest
	Record Record
}

// The optional abilities of a store read or maintain: listing, asking and touching
// many at once, sweeping, walking through all, watching. They are found on the
// store itself or, as with http.ResponseController, on what its method
//
//	Unwrap() Store
//
// returns. What changes what a credential may do is never found that way: a
// cache in between would go on serving the old answer.
type (
	// A Lister lists the records of a kind by owner, in no particular order.
	// The sequence ends after the first error. It may miss what is inserted
	// while it runs, and never lists what was absent when it began. The loop may
	// call other methods of the store.
	Lister interface {
		List(ctx context.Context, owner Digest, k Kind) iter.Seq2[Entry, error]
	}

	// A Batcher looks up many digests of one kind in one round trip: records[i]
	// becomes the one under digests[i], or the zero Record where none is
	// present. Of a kind of which there is no record, as the store knows, it need
	// not look. It panics if records is shorter than digests.
	Batcher interface {
		LookupAll(ctx context.Context, k Kind, digests []Digest, records []Record) error
	}

	// A Toucher moves the Seen of many records forward at once. It neither
	// moves one back, nor changes a Revision, nor brings an absent record
	// back.
	Toucher interface {
		Touch(ctx context.Context, seen map[Digest]time.Time) error
	}

	// A Sweeper removes at most limit records that are past their KeepUntil
	// and returns how many those were. Where limit is not positive it removes
	// none. Sweeping reclaims space and changes no answer.
	Sweeper interface {
		Sweep(ctx context.Context, limit int) (int, error)
	}

	// A Walker walks through all records of a kind, or of every kind where k is
	// empty, in no particular order: for operators, to list and to move what is
	// stored, and never for a request. It sees each record once that is present
	// from beginning to end, and may miss what is inserted meanwhile. The
	// sequence ends after the first error. The loop may call other methods of
	// the store.
	Walker interface {
		Walk(ctx context.Context, k Kind) iter.Seq2[Entry, error]
	}

	// A Watcher tells of what changes, whichever process changes it.
	//
	// Watch calls changed with the digest of every record that is inserted,
	// replaced or taken, soon after that is so; a touch and a sweep are not
	// told. It calls told with a time t when all that was changed before t has
	// been: first when it has begun to watch, and from then on at least every
	// second while that is known to hold, which takes a round trip to the
	// backend. t is of this process's clock, with its monotonic reading.
	//
	// Watch returns the context's error when that ends, and another when it has
	// lost the backend; what changes until it is called again is not told. The
	// two functions are called by one goroutine at a time and return at once.
	Watcher interface {
		Watch(ctx context.Context, changed func(Digest), told func(t time.Time)) error
	}
)

// StoreAbility finds an optional ability such as [Lister] on s or on what it
// unwraps to.
func StoreAbility[A any](s Store) (A, bool) {
	for s != nil {
		if a, ok := s.(A); ok {
			return a, true
		}
		u, ok := s.(interface{ Unwrap() Store })
		if !ok {
			break
		}
		s = u.Unwrap()
	}
	var none A
	return none, false
}

// unmarshalData decodes a record's data; none leaves v as it is.
func unmarshalData(data []byte, v any) error {
	if len(data) == 0 {
		return nil
	}
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("auth: data of a record: %w", err)
	}
	return nil
}
