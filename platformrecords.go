package auth

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
)

// PlatformRecords is a [PlatformRegistry] that any [Store] can keep, with
// methods for operators: what they change counts at once, in all processes that
// share the store. It is safe for concurrent use.
//
// An entry and what [Platforms] remembers of a platform are different records,
// so both may share a store.
type PlatformRecords struct {
	store  Store
	lister Lister

	mu     sync.Mutex
	parsed map[string]parsedPlatform // by id
}

// A parsedPlatform spares an assertion the reading of its platform's keys, which
// takes nearly as long as the signature that they verify. It is good for as long
// as the store answers with the same data.
type parsedPlatform struct {
	data     []byte
	platform *Platform
}

const (
	maxParsed       = 1024     // entries that are kept parsed
	maxPlatformData = 64 << 10 // what every store takes
)

// The name of an entry's record, and the owner of them all.
var platformEntries = nameDigest("platform", "entries")

func platformEntry(id string) Digest { return nameDigest("platform", "entry", id) }

// NewPlatformRecords returns the registry in a store, which must be a [Lister].
func NewPlatformRecords(store Store) (*PlatformRecords, error) {
	if isNil(store) {
		return nil, errors.New("auth: NewPlatformRecords: no store")
	}
	lister, ok := StoreAbility[Lister](store)
	if !ok {
		return nil, fmt.Errorf("auth: NewPlatformRecords: %T is no Lister", store)
	}
	return &PlatformRecords{store: store, lister: lister, parsed: make(map[string]parsedPlatform)}, nil
}

// Platform implements [PlatformRegistry] in one look-up. An entry that cannot be
// read, such as one that a later version of this package has written, is an
// outage.
func (r *PlatformRecords) Platform(ctx context.Context, id string) (*Platform, error) {
	record, err := r.lookup(ctx, id)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	known, ok := r.parsed[id]
	r.mu.Unlock()
	if ok && bytes.Equal(known.data, record.Data) {
		return known.platform, nil
	}
	p, err := parsePlatform(record)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.parsed) >= maxParsed {
		clear(r.parsed)
	}
	r.parsed[id] = parsedPlatform{record.Data, p}
	return p, nil
}

// Insert adds an entry. The error is [ErrExists] where the id is taken, what
// [Platform.MarshalBinary] refuses, or that the entry takes more than 64 KiB, as
// one with thousands of networks does.
func (r *PlatformRecords) Insert(ctx context.Context, p *Platform) error {
	data, err := platformData(p)
	if err != nil {
		return err
	}
	return r.store.Insert(ctx, platformEntry(p.ID), Record{
		Kind:     KindPlatform,
		Owner:    platformEntries,
		Revision: NewRevision(),
		Created:  now(),
		Data:     data,
	})
}

// Update has change edit a copy of an entry, and stores that: anew, with another
// copy, as long as others are faster. What change refuses, or makes of the entry
// that [PlatformRecords.Insert] would refuse, changes nothing. It returns
// [ErrNotFound] where there is no such entry. The id does not change.
//
// Sessions that the platform has opened go on under the old entry;
// [Platforms.Suspend] ends them.
func (r *PlatformRecords) Update(ctx context.Context, id string, change func(*Platform) error) error {
	ctx = Uncached(ctx) // behind a cache, too
	var err error
	for range replaceRounds {
		var record Record
		if record, err = r.lookup(ctx, id); err != nil {
			return err
		}
		var p *Platform
		if p, err = parsePlatform(record); err != nil {
			return err
		}
		if err = change(p); err != nil {
			return err
		}
		if p.ID != id {
			return fmt.Errorf("auth: platform %q: its id cannot become %.64q", id, p.ID)
		}
		if record.Data, err = platformData(p); err != nil {
			return err
		}
		record.Revision++
		if err = r.store.Replace(ctx, platformEntry(id), record); !errors.Is(err, ErrConflict) {
			return err
		}
	}
	return err
}

// Remove removes an entry: the platform signs nobody in from now on. It returns
// [ErrNotFound] where there is none. To end what the platform has opened, call
// [Platforms.Suspend] as well, which needs no entry.
func (r *PlatformRecords) Remove(ctx context.Context, id string) error {
	if !isName(id) {
		return ErrNotFound
	}
	_, err := r.store.Take(ctx, platformEntry(id))
	return err
}

// Platforms lists the entries, in no particular order. Each is the caller's own. The
// sequence ends after the first error.
func (r *PlatformRecords) Platforms(ctx context.Context) iter.Seq2[*Platform, error] {
	return func(yield func(*Platform, error) bool) {
		for e, err := range r.lister.List(ctx, platformEntries, KindPlatform) {
			var p *Platform
			if err == nil {
				p, err = parsePlatform(e.Record)
			}
			if !yield(p, err) || err != nil {
				return
			}
		}
	}
}

// lookup returns the record of an entry, or ErrNotFound.
func (r *PlatformRecords) lookup(ctx context.Context, id string) (Record, error) {
	if !isName(id) {
		return Record{}, ErrNotFound
	}
	return r.store.Lookup(ctx, platformEntry(id))
}

// parsePlatform returns the entry that a record keeps, as a value of its own.
func parsePlatform(r Record) (*Platform, error) {
	p := new(Platform)
	if err := p.UnmarshalBinary(r.Data); err != nil {
		return nil, err
	}
	return p, nil
}

func platformData(p *Platform) ([]byte, error) {
	data, err := p.MarshalBinary()
	if err == nil && len(data) > maxPlatformData {
		err = fmt.Errorf("auth: platform %q takes %d bytes, more than %d", p.ID, len(data), maxPlatformData)
	}
	return data, err
}
