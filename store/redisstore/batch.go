package redisstore

import (
	"context"
	"time"

	"github.com/redis/rueidis"

	"github.com/seed-077cad0b/auth"
)

// batch is how many records one round trip asks for, or touches.
const batch = 512

// LookupAll sets records[i] to the record of kind k under digests[i], or to the
// zero Record where none is present; a record of another kind counts as absent.
// It panics if records is shorter than digests. A server is asked by one MGET for
// each 512 digests, and the nodes of a cluster at once. It always asks: what other
// processes have inserted is not known before.
func (s *Store) LookupAll(ctx context.Context, k auth.Kind, digests []auth.Digest, records []auth.Record) error {
	records = records[:len(digests)]
	now := time.Now()
	return s.fetch(ctx, digests, func(i int, v []byte) error {
		records[i] = auth.Record{}
		if v == nil || isPast(v, now) {
			return nil
		}
		r, err := decode(v)
		if err == nil && r.Kind == k {
			records[i] = r
		}
		return err
	})
}

// fetch looks up many records, and passes the value of each to the function, or
// nil where there is none. It stops at the first error.
func (s *Store) fetch(ctx context.Context, digests []auth.Digest, each func(i int, v []byte) error) error {
	for begin := 0; begin < len(digests); begin += batch {
		if err := ctx.Err(); err != nil {
			return err
		}
		few := digests[begin:min(begin+batch, len(digests))]
		values, err := s.values(ctx, few)
		if err != nil {
			return s.failed(ctx, err)
		}
		for i, v := range values {
			if err := each(begin+i, v); err != nil {
				return err
			}
		}
	}
	return nil
}

// values asks for as many values as one round trip may.
func (s *Store) values(ctx context.Context, digests []auth.Digest) ([][]byte, error) {
	values := make([][]byte, len(digests))
	if s.isCluster() {
		return values, s.valuesOfCluster(ctx, digests, values)
	}
	keys := make([]string, len(digests))
	for i := range digests {
		keys[i] = s.key(&digests[i])
	}
	answers, err := s.readOfMaster(ctx, func() rueidis.Completed { return s.client.B().Mget().Key(keys...).Build() }).ToArray()
	if err != nil {
		return nil, err
	}
	for i := range min(len(answers), len(values)) {
		if answers[i].IsNil() {
			continue
		}
		if values[i], err = answers[i].AsBytes(); err != nil {
			return nil, err
		}
	}
	return values, nil
}

// valuesOfCluster asks all nodes at once, and again for what one did not answer.
func (s *Store) valuesOfCluster(ctx context.Context, digests []auth.Digest, values [][]byte) error {
	gets := make([]rueidis.Completed, len(digests))
	for i := range digests {
		gets[i] = s.client.B().Get().Key(s.key(&digests[i])).Build()
	}
	for i, answer := range s.client.DoMulti(ctx, gets...) {
		if err := answer.NonRedisError(); isClosed(err) || isOfContext(err) {
			key := s.key(&digests[i])
			answer = s.read(ctx, func() rueidis.Completed { return s.client.B().Get().Key(key).Build() })
		}
		v, err := answer.AsBytes()
		if err != nil && !rueidis.IsRedisNil(err) {
			return err
		}
		values[i] = v
	}
	return nil
}

// Touch moves the Seen of the records under the keys of seen forward to the times
// there, 512 in a round trip. It neither moves one back, nor changes a Revision,
// nor brings an absent record back. After an error some are touched, and others
// not.
func (s *Store) Touch(ctx context.Context, seen map[auth.Digest]time.Time) error {
	touches := make([]touch, 0, min(len(seen), batch))
	for d, t := range seen {
		touches = append(touches, touch{s.key(&d), number(ordered(t))})
		if len(touches) == batch {
			if err := s.touch(ctx, touches); err != nil {
				return err
			}
			touches = touches[:0]
		}
	}
	return s.touch(ctx, touches)
}

// A touch is what is told the script: a key, and when its record was seen.
type touch struct{ key, seen string }

// touch runs the script over many keys at once, and again where a node does not
// know it.
func (s *Store) touch(ctx context.Context, touches []touch) error {
	write := s.named
	for len(touches) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		commands := make([]rueidis.Completed, len(touches))
		for i, t := range touches {
			commands[i] = write(touchScript, t.key, t.seen)
		}
		var again []touch
		for i, answer := range s.client.DoMulti(ctx, commands...) {
			switch err := answer.Error(); {
			case err == nil:
			case isUnknown(answer):
				again = append(again, touches[i])
			default:
				return s.failed(ctx, err)
			}
		}
		touches, write = again, s.spelled
	}
	return nil
}
