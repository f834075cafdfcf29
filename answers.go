package auth

import (
	"net/http"
	"sync"
	"sync/atomic"
)

// answers are the refusals that a guard has worked out and answers again with the
// same bytes: strangers cost little, however many they are. They are those of a
// Reason and nothing else, and of limits by name.
type answers struct {
	made atomic.Pointer[[]*answer] // few, and sooner compared than hashed
	mu   sync.Mutex                // of who makes one
}

// A cause is all that an answer goes by.
type cause struct {
	reason Reason
	scheme *Scheme // what was refused, or would have been accepted; nil: there is none
	limit  string
}

// An answer is as it was written once.
type answer struct {
	cause
	fields []field
	values int // of all fields
	status int
	body   []byte
}

type field struct {
	name   string
	values []string
}

// maxAnswers bounds what is kept of reasons and limits that are not of this
// package's making.
const maxAnswers = 64

// find returns the answer to a cause, or nil.
func (a *answers) find(c cause) *answer {
	if made := a.made.Load(); made != nil {
		for _, m := range *made {
			if m.cause == c {
				return m
			}
		}
	}
	return nil
}

// make returns the answer that write writes, and keeps it while there is room.
func (a *answers) make(c cause, write func(http.ResponseWriter)) *answer {
	made := record(write)
	made.cause = c
	a.mu.Lock()
	defer a.mu.Unlock()
	var all []*answer
	if before := a.made.Load(); before != nil {
		all = *before
	}
	if len(all) < maxAnswers && a.find(c) == nil {
		all = append(all[:len(all):len(all)], made)
		a.made.Store(&all)
	}
	return made
}

// writeTo answers. The values are copied: what is around a handler may edit them.
func (a *answer) writeTo(w http.ResponseWriter) {
	h, values := w.Header(), make([]string, 0, a.values)
	for i := range a.fields {
		at := len(values)
		values = append(values, a.fields[i].values...)
		h[a.fields[i].name] = values[at:len(values):len(values)]
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body)
}

// record returns what write answers.
func record(write func(http.ResponseWriter)) *answer {
	r := recorder{header: http.Header{}}
	write(&r)
	for name, values := range r.header {
		r.fields = append(r.fields, field{name, values})
		r.values += len(values)
	}
	return &r.answer
}

// A recorder is a ResponseWriter that keeps what is written.
type recorder struct {
	answer
	header http.Header
}

func (r *recorder) Header() http.Header    { return r.header }
func (r *recorder) WriteHeader(status int) { r.status = status }

func (r *recorder) Write(b []byte) (int, error) {
	r.body = append(r.body, b...)
	return len(b), nil
}
