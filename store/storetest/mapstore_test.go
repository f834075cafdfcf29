package storetest_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-077cad0b/auth"
)

// A backend keeps records in a map: the contract in the plainest form. It has at
// most one fault, which is named as the table of broken stores names it.
type backend struct {
	fault   string
	lock    chan struct{} // a mutex that honours contexts
	records map[auth.Digest]auth.Entry
	watches map[chan auth.Digest]bool
	leak    chan struct{}
}

func newBackend(t *testing.T, fault string) *backend {
	b := &backend{
		fault: fault, lock: make(chan struct{}, 1), records: map[auth.Digest]auth.Entry{},
		watches: map[chan auth.Digest]bool{}, leak: make(chan struct{}),
	}
	t.Cleanup(func() { close(b.leak) })
	return b
}

// A mapStore is a handle on a backend.
type mapStore struct {
	*backend
	closed atomic.Bool

	seen sync.Map // what faults remember: records
	none sync.Map // and kinds that are not there
}

func (b *backend) open(tb testing.TB) auth.Store {
	s := &mapStore{backend: b}
	tb.Cleanup(func() { s.closed.Store(true) })
	if b.fault == "leaves a goroutine" {
		go func() { <-b.leak }()
	}
	return s
}

var errClosed = errors.New("mapstore: closed")

// begin begins a call, which ends with the function that it returns.
func (s *mapStore) begin(ctx context.Context) (end func(), err error) {
	if s.closed.Load() {
		if s.fault == "calls an outage absence" {
			return nil, auth.ErrNotFound
		}
		return nil, errClosed
	}
	if err := ctx.Err(); err != nil {
		switch s.fault {
		case "ignores contexts":
			ctx = context.Background()
		case "calls a cancelled context absence":
			return nil, auth.ErrNotFound
		case "hides the context's error":
			return nil, errors.New("mapstore: time out")
		default:
			return nil, err
		}
	}
	select {
	case s.lock <- struct{}{}:
		return func() { <-s.lock }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// gap is where another call comes between the two halves of one that is not
// atomic.
func (s *mapStore) gap(fault string) {
	if s.fault == fault {
		<-s.lock
		for range 200 {
			runtime.Gosched()
		}
		s.lock <- struct{}{}
	}
}

// find returns the record under d that is present.
func (s *mapStore) find(d auth.Digest) (auth.Record, bool) {
	e, ok := s.records[s.key(d)]
	return s.read(e.Record), ok && !s.past(e.Record)
}

func (s *mapStore) past(r auth.Record) bool {
	keep := r.KeepUntil
	switch s.fault {
	case "keeps until it sweeps":
		return false
	case "goes by whole seconds":
		keep = keep.Truncate(time.Second).Add(time.Second)
	case "goes by whole milliseconds":
		keep = keep.Truncate(time.Millisecond)
	case "judges Expires":
		if !r.Expires.IsZero() && !time.Now().Before(r.Expires) {
			return true
		}
	}
	return !r.KeepUntil.IsZero() && !time.Now().Before(keep)
}

// put stores a record, and tells of it.
func (s *mapStore) put(d auth.Digest, r auth.Record) {
	s.records[s.key(d)] = auth.Entry{Digest: d, Record: s.written(r)}
	s.tell(d)
}

func (s *mapStore) Lookup(ctx context.Context, d auth.Digest) (auth.Record, error) {
	if r, ok := s.remembered(d); ok && ctx.Err() == nil {
		return r, nil
	}
	end, err := s.begin(ctx)
	if err != nil {
		return auth.Record{}, err
	}
	defer end()
	r, ok := s.find(d)
	switch {
	case ok:
		s.remember(d, r)
		return r, nil
	case s.fault == "answers absence with a zero record":
		return auth.Record{}, nil
	default:
		return auth.Record{}, auth.ErrNotFound
	}
}

func (s *mapStore) Insert(ctx context.Context, d auth.Digest, r auth.Record) error {
	end, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	old, present := s.find(d)
	if s.fault == "does not insert over what has expired" {
		_, present = s.records[d]
	}
	s.gap("inserts in two steps")
	if _, over := s.records[s.key(d)]; over && !present {
		s.gap("inserts over what has expired in two steps")
	}
	switch {
	case present && s.fault == "overwrites":
	case present:
		return auth.ErrExists
	}
	if s.fault == "keeps the Seen of what has gone" && old.Seen.After(r.Seen) {
		r.Seen = old.Seen
	}
	s.put(d, r)
	return nil
}

func (s *mapStore) Replace(ctx context.Context, d auth.Digest, r auth.Record) error {
	end, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	old, present := s.find(d)
	s.gap("replaces in two steps")
	switch {
	case !present && s.fault == "replaces what is absent":
	case !present:
		return auth.ErrNotFound
	case !s.follows(old.Revision, r.Revision):
		return auth.ErrConflict
	}
	if old.Seen.After(r.Seen) && s.fault != "moves Seen back" {
		r.Seen = old.Seen
	}
	if s.fault == "leaves KeepUntil" {
		r.KeepUntil = old.KeepUntil
	}
	if s.fault == "leaves the owner" {
		r.Owner = old.Owner
	}
	s.put(d, r)
	return nil
}

// follows reports whether a record of one revision may be replaced by one of the
// other.
func (s *mapStore) follows(old, new uint64) bool {
	switch s.fault {
	case "replaces any revision":
		return true
	case "replaces older revisions":
		return new > old
	case "has revisions that do not wrap":
		return new == old+1 && new != 0
	case "keeps revisions in floating point":
		return float64(new) == float64(old)+1
	default:
		return new == old+1
	}
}

func (s *mapStore) Take(ctx context.Context, d auth.Digest) (auth.Record, error) {
	end, err := s.begin(ctx)
	if err != nil {
		return auth.Record{}, err
	}
	defer end()
	r, present := s.find(d)
	s.gap("takes in two steps")
	if !present {
		return auth.Record{}, auth.ErrNotFound
	}
	switch s.fault {
	case "leaves what is taken":
		return r, nil
	case "takes without looking":
		r = auth.Record{}
	case "disables what is taken":
		r.Disabled = true
		s.put(d, r)
		return r, nil
	}
	delete(s.records, s.key(d))
	if s.fault != "does not tell what is taken" {
		s.tell(d)
	}
	return r, nil
}

func (s *mapStore) remember(d auth.Digest, r auth.Record) {
	if s.fault == "remembers what it has read" {
		s.seen.Store(d, r)
	}
}

func (s *mapStore) remembered(d auth.Digest) (auth.Record, bool) {
	v, ok := s.seen.Load(d)
	r, _ := v.(auth.Record)
	return r, ok
}

// all returns the records that are present and wanted.
func (s *mapStore) all(wanted func(auth.Record) bool) map[auth.Digest]auth.Record {
	present := map[auth.Digest]auth.Record{}
	for _, e := range s.records {
		if r, ok := s.find(e.Digest); ok && wanted(r) {
			present[e.Digest] = r
		}
	}
	return present
}
