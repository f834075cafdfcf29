package cachestore_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
)

// A history is a backend that writes down what each digest held, and from when on.
// Every record that it takes in says by its Data which one it is.
type history struct {
	*backend
	held map[auth.Digest][]version // guarded by the wire's lock
}

// A version is what a digest holds from a time on: a record's name, or nothing.
type version struct {
	name string
	from time.Time
}

func (h *history) Insert(ctx context.Context, d auth.Digest, r auth.Record) error {
	return h.call(ctx, "Insert", func() error {
		return h.wire.tell(d, func() error { return h.log(d, string(r.Data), h.Store.Insert(ctx, d, r)) })
	})
}

func (h *history) Replace(ctx context.Context, d auth.Digest, r auth.Record) error {
	return h.call(ctx, "Replace", func() error {
		return h.wire.tell(d, func() error { return h.log(d, string(r.Data), h.Store.Replace(ctx, d, r)) })
	})
}

func (h *history) Take(ctx context.Context, d auth.Digest) (r auth.Record, err error) {
	err = h.call(ctx, "Take", func() error {
		return h.wire.tell(d, func() error {
			r, err = h.Store.Take(ctx, d)
			return h.log(d, "", err)
		})
	})
	return r, err
}

func (h *history) log(d auth.Digest, name string, err error) error {
	if err == nil {
		h.held[d] = append(h.held[d], version{name, time.Now()})
	}
	return err
}

// versions returns how many versions of d there have been.
func (h *history) versions(d auth.Digest) int {
	h.wire.mu.Lock()
	defer h.wire.mu.Unlock()
	return len(h.held[d])
}

// allows reports whether d held name, empty for nothing, at t or later, in the
// version numbered first or a later one.
func (h *history) allows(d auth.Digest, name string, t time.Time, first int) bool {
	h.wire.mu.Lock()
	defer h.wire.mu.Unlock()
	all := h.held[d]
	for i := first; i < len(all); i++ {
		outdated := i+1 < len(all) && all[i+1].from.Before(t)
		if all[i].name == name && !outdated {
			return true
		}
	}
	return false
}

// A process has a cache of its own, and knows of each digest which version it has
// written itself: that one, or a later one.
type process struct {
	cache   auth.Store
	mu      sync.Mutex
	own     map[auth.Digest]int
	lookups int
}

// wrote takes down that no version before that of the number may be seen.
func (p *process) wrote(d auth.Digest, number int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.own[d] = max(p.own[d], number)
}

// written is for a look-up that begins.
func (p *process) written(d auth.Digest) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lookups++
	return p.own[d]
}

const digestsInUse = 4

// Two processes look up and change the same few records at random, as marks and
// as records, while the backend is slow and loses answers and the wire falls
// silent and is cut. No look-up shows what was outdated longer than the lag
// before it began, nor what was before a write that the same process has seen
// succeed.
func TestNoInterleavingBreaksTheBound(t *testing.T) {
	histories := 24
	if testing.Short() {
		histories = 6
	}
	for seed := range histories {
		t.Run(strconv.Itoa(seed), func(t *testing.T) {
			authtest.At(t, begin, func(t *testing.T) { interleave(t, uint64(seed)) })
		})
	}
}

func interleave(t *testing.T, seed uint64) {
	var mu sync.Mutex
	random := rand.New(rand.NewPCG(seed, 0))
	roll := func(n int) int {
		mu.Lock()
		defer mu.Unlock()
		return random.IntN(n)
	}
	h := &history{backend: newBackend(), held: map[auth.Digest][]version{}}
	for i := range digestsInUse {
		h.held[numbered(i)] = []version{{}} // nothing, since ever
	}
	wait := func(ctx context.Context, _ string) error {
		if roll(50) == 0 {
			return errDown
		}
		return after(ctx, time.Duration(roll(60))*time.Millisecond)
	}
	h.before, h.after = wait, wait

	ctx, stop := context.WithCancel(t.Context())
	var all sync.WaitGroup
	processes := make([]*process, 2)
	for i := range processes {
		p := &process{cache: newCache(t, h, h.wire), own: map[auth.Digest]int{}}
		processes[i] = p
		for range 3 {
			all.Go(func() {
				for ctx.Err() == nil {
					p.step(t, h, roll)
					_ = after(ctx, time.Duration(roll(20))*time.Millisecond)
				}
			})
		}
	}
	all.Go(func() {
		for ctx.Err() == nil {
			state := roll(6)
			h.wire.set(state == 0, state == 1)
			_ = after(ctx, time.Duration(roll(3000))*time.Millisecond)
		}
	})
	authtest.Advance(30 * time.Second)
	stop()
	all.Wait()
	require.Less(t, h.asked(), (processes[0].lookups+processes[1].lookups)/2, "of what the processes look up, the caches answer most")
}

// step makes one call, and judges the answer if it is a look-up's.
func (p *process) step(t *testing.T, h *history, roll func(int) int) {
	ctx := t.Context()
	if roll(10) == 0 { // somebody who does not wait long
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(roll(80))*time.Millisecond)
		defer cancel()
	}
	d := numbered(roll(digestsInUse))
	switch roll(12) {
	case 0:
		p.change(d, h, func() error {
			r := mark()
			r.Data = []byte(strconv.Itoa(roll(1 << 30)))
			return p.cache.Insert(ctx, d, r)
		})
	case 1:
		p.change(d, h, func() error {
			r, err := p.cache.Lookup(ctx, d)
			if err != nil {
				return err
			}
			r.Revision++
			r.Data = []byte(strconv.Itoa(roll(1 << 30)))
			return p.cache.Replace(ctx, d, r)
		})
	case 2:
		p.change(d, h, func() error { return second(p.cache.Take(ctx, d)) })
	case 3, 4, 5, 6:
		digests := []auth.Digest{d, numbered(roll(digestsInUse))}
		since, own := time.Now(), []int{p.written(digests[0]), p.written(digests[1])}
		records := make([]auth.Record, 2)
		if err := p.cache.(auth.Batcher).LookupAll(ctx, auth.KindMark, digests, records); err != nil {
			return
		}
		for i, r := range records {
			p.judge(t, h, digests[i], string(r.Data), since, own[i])
		}
	default:
		since, own := time.Now(), p.written(d)
		r, err := p.cache.Lookup(ctx, d)
		if err == nil || errors.Is(err, auth.ErrNotFound) {
			p.judge(t, h, d, string(r.Data), since, own)
		}
	}
}

// change makes a change. Where that succeeds, some version since it began is its
// own, so that none from before may be seen by this process from now on.
func (p *process) change(d auth.Digest, h *history, f func() error) {
	before := h.versions(d)
	if f() == nil {
		p.wrote(d, before)
	}
}

func (p *process) judge(t *testing.T, h *history, d auth.Digest, name string, since time.Time, own int) {
	if !h.allows(d, name, since.Add(-lag), own) {
		h.wire.mu.Lock()
		defer h.wire.mu.Unlock()
		t.Errorf("at %v, after version %d: %q of %v", since, own, name, slices.Clone(h.held[d]))
	}
}
