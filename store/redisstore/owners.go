package redisstore

import (
	"context"
	"encoding/binary"
	"iter"
	"strconv"
	"time"

	"github.com/redis/rueidis"

	"github.com/seed-077cad0b/auth"
)

// An entry is that of a record in the list of its owner and kind, a sorted set
// by when the server lets go of the record. Its member there is the digest and a
// stamp: when it was written, by the clock of the node that has the list. The
// record holds the same stamp, so an entry is that of one record alone, and not
// of another that is inserted under the same digest.
type entry struct {
	home   home
	digest auth.Digest
	stamp  uint64
}

// listedWithin is how long after its entry a record may be written, by the clock
// of its own node, and abandoned from when on an entry without a record is one
// that no record will follow.
const (
	listedWithin = 30 * time.Second
	abandoned    = 60 * time.Second
)

func (e *entry) member() string { return string(e.digest[:]) + number(e.stamp) }

// deadline is until when the record may be written, in microseconds since 1970;
// empty: at any time.
func (e *entry) deadline() string {
	if e.stamp == 0 {
		return ""
	}
	return strconv.FormatUint(e.stamp+uint64(listedWithin.Microseconds()), 10)
}

func (s *Store) list(h home) string { return s.name("o:", h[:]) }

// enlist writes an entry, unless its record is not to be listed, and returns it
// with its stamp. One that has a stamp already is kept until then at least, if it
// is still there.
func (s *Store) enlist(ctx context.Context, e entry, expiry string) (entry, error) {
	if e.home == (home{}) {
		return e, nil
	}
	if expiry == "" {
		expiry = "+inf"
	}
	stamp := ""
	if e.stamp != 0 {
		stamp = number(e.stamp)
	}
	answer, err := s.run(ctx, enlistScript, s.list(e.home), string(e.digest[:]), expiry, stamp).AsBytes()
	if err != nil {
		return e, s.failed(ctx, err)
	}
	if len(answer) != 8 {
		return e, errValue
	}
	e.stamp = binary.BigEndian.Uint64(answer)
	return e, nil
}

// delist removes an entry whose record is gone. Whether it succeeds makes no
// difference to any answer, so it is tried even where the caller has gone, and
// no error is told.
func (s *Store) delist(ctx context.Context, e entry) {
	if e.home == (home{}) {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.timeout)
	defer cancel()
	_ = s.run(ctx, delistScript, s.list(e.home), "", e.member()).Error()
}

// listBite is how many records are looked up at once.
const listBite = 256

// List lists the records of kind k that owner owns, in no particular order. The
// loop may call any method of the store. A record that leaves or changes hands
// while the loop runs may be listed or not.
func (s *Store) List(ctx context.Context, owner auth.Digest, k auth.Kind) iter.Seq2[auth.Entry, error] {
	return func(yield func(auth.Entry, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(auth.Entry{}, err)
			return
		}
		if owner.IsZero() {
			return
		}
		list := s.list(homeAt(owner, k))
		members, err := s.readOfMaster(ctx, func() rueidis.Completed {
			return s.client.B().Zrange().Key(list).Min("0").Max("-1").Build()
		}).AsStrSlice()
		if err != nil {
			yield(auth.Entry{}, s.failed(ctx, err))
			return
		}
		for len(members) > 0 {
			bite := members[:min(len(members), listBite)]
			members = members[len(bite):]
			entries, dead, err := s.entries(ctx, bite, owner, k)
			if err != nil {
				yield(auth.Entry{}, err)
				return
			}
			s.abandon(ctx, list, dead)
			for _, e := range entries {
				if err := ctx.Err(); err != nil {
					yield(auth.Entry{}, err)
					return
				}
				if !yield(e, nil) {
					return
				}
			}
		}
	}
}

// entries looks up the records of members of a list, and returns those members,
// too, that have none.
func (s *Store) entries(ctx context.Context, members []string, owner auth.Digest, k auth.Kind) (found []auth.Entry, dead []string, err error) {
	const digestSize = len(auth.Digest{})
	digests := make([]auth.Digest, len(members))
	for i, m := range members {
		if len(m) != digestSize+8 {
			return nil, nil, errValue
		}
		copy(digests[i][:], m)
	}
	now := time.Now()
	err = s.fetch(ctx, digests, func(i int, v []byte) error {
		if v == nil || isPast(v, now) {
			dead = append(dead, members[i])
			return nil
		}
		r, err := decode(v)
		switch {
		case err != nil:
			return err
		case number(stampOf(v)) != members[i][digestSize:]:
			dead = append(dead, members[i])
		case r.Owner == owner && r.Kind == k:
			found = append(found, auth.Entry{Digest: digests[i], Record: r})
		}
		return nil
	})
	return found, dead, err
}

// abandon removes the members of a list that have no record and will not have
// one any more.
func (s *Store) abandon(ctx context.Context, list string, dead []string) {
	if len(dead) == 0 {
		return
	}
	args := append([]string{strconv.FormatInt(abandoned.Microseconds(), 10)}, dead...)
	_ = s.run(ctx, delistScript, list, args...).Error()
}
