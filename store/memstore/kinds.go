package memstore

import (
	"errors"
	"math"
	"sync"
	"sync/atomic"

	"github.com/seed-077cad0b/auth"
)

// A kind is the number of an auth.Kind in one store.
type kind uint16

// kinds numbers the kinds that a store has seen and counts the records of each.
// A program has a handful, so that walking over them is the quickest way to find
// one; they never go.
type kinds struct {
	mu   sync.Mutex
	list atomic.Pointer[[]*kindCount]
}

type kindCount struct {
	name auth.Kind
	live atomic.Int64
	_    [64]byte // counting sessions does not slow down who looks for marks
}

var errKinds = errors.New("memstore: too many kinds")

// find returns the number of name, unless it has none yet.
func (ks *kinds) find(name auth.Kind) (kind, bool) {
	for i, k := range ks.all() {
		if k.name == name {
			return kind(i), true
		}
	}
	return 0, false
}

// number returns the number of name and gives it one if need be.
func (ks *kinds) number(name auth.Kind) (kind, error) {
	if k, ok := ks.find(name); ok {
		return k, nil
	}
	ks.mu.Lock()
	defer ks.mu.Unlock()
	if k, ok := ks.find(name); ok {
		return k, nil
	}
	list := ks.all()
	if len(list) > math.MaxUint16 {
		return 0, errKinds
	}
	list = append(list, &kindCount{name: name})
	ks.list.Store(&list)
	return kind(len(list) - 1), nil
}

// name is the inverse of number.
func (ks *kinds) name(k kind) auth.Kind { return ks.all()[k].name }

// count adds n to the number of records of kind k. It counts a record before it
// can be seen and until after it cannot, so that none is overlooked.
func (ks *kinds) count(k kind, n int64) { ks.all()[k].live.Add(n) }

// live reports whether there is a record of a kind.
func (ks *kinds) live(name auth.Kind) bool {
	k, ok := ks.find(name)
	return ok && ks.all()[k].live.Load() > 0
}

// total counts the records of all kinds.
func (ks *kinds) total() int {
	n := int64(0)
	for _, k := range ks.all() {
		n += k.live.Load()
	}
	return int(n)
}

func (ks *kinds) all() []*kindCount {
	if list := ks.list.Load(); list != nil {
		return *list
	}
	return nil
}
