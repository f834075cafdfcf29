package password

import "net/http"

// Observe has f told, at the start of each turn of h, how many run by now. It
// must be called before h is used.
func (h *Hasher) Observe(f func(running int)) { h.observe = f }

// Running returns how many turns are taken.
func (h *Hasher) Running() int { return len(h.slots) }

// Turns returns how many there are.
func (h *Hasher) Turns() int { return cap(h.slots) }

// Hold takes a turn and returns what gives it back.
func (h *Hasher) Hold() (release func()) {
	h.slots <- struct{}{}
	return func() { <-h.slots }
}

// Parse reads a stored hash.
func Parse(stored string) (canonical string, err error) {
	form, err := parse(stored)
	if err != nil {
		return "", err
	}
	if a, ok := form.(*argon2idHash); ok {
		return a.String(), nil
	}
	return "", nil
}

// Basic reads the Authorization field.
func Basic(r *http.Request) (login, password string, err error) { return basic(r) }

// Params returns the cost of new hashes.
func (h *Hasher) Params() Params { return h.params }

// Dummy returns what the passwords of unknown users are compared with.
func (h *Hasher) Dummy() string { return h.dummy.String() }
