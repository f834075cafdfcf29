package memstore

import (
	"bytes"
	"reflect"
	"slices"
	"time"
	"unsafe"

	"github.com/seed-077cad0b/auth"
)

// A word is what arenas are made of: memory in which the garbage collector looks
// for no pointers.
type word = uint64

const wordSize = 8

// A layout tells where in a struct there are pointers, by offset, and to what.
type layout struct {
	texts []uintptr // strings
	bytes []uintptr // slices of bytes
	lists []uintptr // slices of strings
	times []uintptr // time.Time, each with a pointer to its location

	// strange are pointers to anything else. A struct with one that is not nil
	// cannot be copied deeply.
	strange []uintptr
}

// principals is the layout of a Principal. Reflection finds it, once, so that a
// field that is added one day is copied or found strange, and never overlooked.
var principals = layoutOf(reflect.TypeFor[auth.Principal]())

const principalSize = (unsafe.Sizeof(auth.Principal{}) + wordSize - 1) / wordSize * wordSize

const (
	pointerSize = unsafe.Sizeof(uintptr(0))
	textSize    = unsafe.Sizeof("") // a pointer and a length
)

func layoutOf(t reflect.Type) *layout {
	l := new(layout)
	l.add(t, 0)
	return l
}

// add adds what is in a t at the offset at.
func (l *layout) add(t reflect.Type, at uintptr) {
	switch {
	case t == reflect.TypeFor[time.Time]():
		l.times = append(l.times, at)
	case t.Kind() == reflect.String:
		l.texts = append(l.texts, at)
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8:
		l.bytes = append(l.bytes, at)
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.String:
		l.lists = append(l.lists, at)
	case t.Kind() == reflect.Struct:
		for i := range t.NumField() {
			l.add(t.Field(i).Type, at+t.Field(i).Offset)
		}
	case t.Kind() == reflect.Array:
		for i := range t.Len() {
			l.add(t.Elem(), at+uintptr(i)*t.Elem().Size())
		}
	case reflect.Bool <= t.Kind() && t.Kind() <= reflect.Complex128: // no pointers
	default:
		l.strange = append(l.strange, at) // the first word of each is nil where it is
	}
}

// size returns how many bytes a deep copy of p and data takes at most, or false
// if p cannot be copied.
func (l *layout) size(p *auth.Principal, data []byte) (n int, ok bool) {
	n = aligned(len(data))
	if p == nil {
		return n, true
	}
	for _, field := range l.strange {
		if *at[unsafe.Pointer](p, field) != nil {
			return 0, false
		}
	}
	n += int(principalSize)
	for _, field := range l.lists {
		list := *at[[]string](p, field)
		n += len(list) * int(textSize)
		for _, s := range list {
			n += len(s)
		}
		n = aligned(n)
	}
	for _, field := range l.bytes {
		n += len(*at[[]byte](p, field))
	}
	for _, field := range l.texts {
		n += len(*at[string](p, field))
	}
	return aligned(n), true
}

// copy copies p and data to the beginning of to, which is zero and as large as
// size says, and returns how many bytes it took: the struct, the data, then
// whatever the struct points to.
//
// Much of a Principal is the same as in the one before, such as its scopes. If
// before is not nil, it is another copy in the same chunk, with which this one
// shares what is the same.
func (l *layout) copy(to []byte, p, before *auth.Principal, data []byte) int {
	if p == nil {
		return aligned(copy(to, data))
	}
	copy(to, unsafe.Slice((*byte)(unsafe.Pointer(p)), unsafe.Sizeof(*p)))
	copy(to[principalSize:], data)
	if before == nil {
		before = &nobody
	}
	c := copier{to, int(principalSize) + aligned(len(data)), before}
	for _, field := range l.lists {
		c.list(field, *at[[]string](p, field))
	}
	for _, field := range l.bytes {
		c.bytes(field, *at[[]byte](p, field))
	}
	for i, field := range l.texts {
		c.text(field, *at[string](p, field), l.texts[:i])
	}
	for _, field := range l.times {
		c.time(field, *at[time.Time](p, field))
	}
	return aligned(c.free)
}

var nobody auth.Principal

// at returns the field of p at an offset.
func at[T any](p *auth.Principal, field uintptr) *T {
	return (*T)(unsafe.Add(unsafe.Pointer(p), field))
}

func aligned(n int) int { return (n + wordSize - 1) &^ (wordSize - 1) }

// A copier turns the copy of a Principal, at the beginning of to, into a deep
// one. It writes the pointers as numbers. The garbage collector neither sees nor
// needs them, as they point into the very object in which they are.
type copier struct {
	to     []byte
	free   int // where the rest of to begins
	before *auth.Principal
}

// text keeps a text, unless it is the same one before, or in one of the fields
// that are done.
func (c *copier) text(field uintptr, s string, done []uintptr) {
	if same := *at[string](c.before, field); same == s {
		*c.word(field) = addressOf(unsafe.StringData(same))
		return
	}
	for _, f := range done {
		if *(*string)(unsafe.Pointer(&c.to[f])) == s {
			*c.word(field) = *c.word(f)
			return
		}
	}
	*c.word(field) = c.keep(s)
}

func (c *copier) bytes(field uintptr, b []byte) {
	before := *at[[]byte](c.before, field)
	if !c.empty(field, len(b), b == nil) {
		if bytes.Equal(b, before) {
			*c.word(field) = addressOf(unsafe.SliceData(before))
		} else {
			*c.word(field) = c.keep(unsafe.String(unsafe.SliceData(b), len(b)))
		}
	}
}

func (c *copier) list(field uintptr, list []string) {
	before := *at[[]string](c.before, field)
	if c.empty(field, len(list), list == nil) {
		return
	}
	if slices.Equal(list, before) {
		*c.word(field) = addressOf(unsafe.SliceData(before))
		return
	}
	head := uintptr(c.free)
	*c.word(field) = addressOf(&c.to[head])
	c.free += len(list) * int(textSize)
	for _, s := range list {
		*c.word(head) = c.keep(s)
		*c.word(head + pointerSize) = uintptr(len(s))
		head += textSize
	}
	c.free = aligned(c.free)
}

// empty sets the capacity of a slice and, if it has no elements, its pointer:
// what is not nil may point anywhere but past the end.
func (c *copier) empty(field uintptr, length int, isNil bool) bool {
	*c.word(field + 2*pointerSize) = uintptr(length)
	switch {
	case isNil:
		*c.word(field) = 0
	case length == 0:
		*c.word(field) = addressOf(&c.to[0])
	}
	return length == 0
}

// time sets a time in UTC, which has no pointer to its location.
func (c *copier) time(field uintptr, t time.Time) {
	t = t.UTC()
	copy(c.to[field:], unsafe.Slice((*byte)(unsafe.Pointer(&t)), unsafe.Sizeof(t)))
}

// keep copies a text to where there is room and returns its address.
func (c *copier) keep(s string) uintptr {
	if s == "" {
		return 0
	}
	address := addressOf(&c.to[c.free])
	c.free += copy(c.to[c.free:], s)
	return address
}

func (c *copier) word(at uintptr) *uintptr { return (*uintptr)(unsafe.Pointer(&c.to[at])) }

func addressOf[T any](p *T) uintptr { return uintptr(unsafe.Pointer(p)) }
