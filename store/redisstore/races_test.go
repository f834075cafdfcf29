package redisstore_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/store/redisstore"
)

// Two processes change a few records of a few owners at random and at once, while
// they are listed. In the end what is there is what is listed, each once, and no
// entry is left over.
func TestListsUnderConcurrency(t *testing.T) {
	const workers, rounds, records = 8, 60, 5
	everywhere(t, func(t *testing.T, b backend) {
		stores := []*redisstore.Store{b.open(t), b.open(t)}
		owners := []auth.Digest{auth.DigestOf("owner", t.Name()), auth.DigestOf("owner", "heir of "+t.Name()), {}}
		failed := make(chan error, workers*rounds)
		var all sync.WaitGroup
		for i := range workers {
			all.Go(func() {
				random := rand.New(rand.NewPCG(uint64(i), 1))
				for range rounds {
					d, owner := number(t, random.IntN(records)), owners[random.IntN(len(owners))]
					failed <- changeOne(t, stores[i%2], random, d, owner)
				}
			})
		}
		all.Wait()
		close(failed)
		for err := range failed {
			require.NoError(t, err)
		}
		requireListed(t, stores[0])
		r := rawAt(t, b.url)
		requireBounded(t, r, b.prefix)
		requireNothingOver(t, r, b.prefix)
	})
}

// changeOne makes one random change, and returns what no race explains.
func changeOne(t *testing.T, s *redisstore.Store, random *rand.Rand, d, owner auth.Digest) (err error) {
	ctx, r := t.Context(), record(fmt.Sprint(random.Uint64()))
	r.Owner = owner
	r.KeepUntil = r.KeepUntil.Add(time.Duration(random.IntN(100)) * time.Second)
	if random.IntN(4) == 0 {
		r.KeepUntil = time.Time{}
	}
	switch random.IntN(4) {
	case 0:
		err = s.Insert(ctx, d, r)
	case 1:
		_, err = s.Take(ctx, d)
	case 2:
		var old auth.Record
		if old, err = s.Lookup(ctx, d); err == nil {
			r.Revision = old.Revision + 1
			err = s.Replace(ctx, d, r)
		}
	default:
		for e, err := range s.List(ctx, owner, r.Kind) {
			if err != nil {
				return err
			}
			if e.Record.Owner != owner {
				return errors.New("listed by somebody else")
			}
		}
	}
	for _, race := range []error{auth.ErrNotFound, auth.ErrExists, auth.ErrConflict} {
		if errors.Is(err, race) {
			return nil
		}
	}
	return err
}
