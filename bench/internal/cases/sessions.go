package cases

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/bench/internal/measure"
	"github.com/seed-077cad0b/auth/bench/internal/peers"
	"github.com/seed-077cad0b/auth/store/memstore"
)

// cookies is how many sessions are opened that the clients keep.
const cookies = 4096

func sessionCases() []measure.Case {
	var all []measure.Case
	for _, size := range sizes {
		for _, cores := range size.cores {
			all = append(all, sessionCase(size, size.row(cores), cores, keepers()))
		}
	}
	// The others have their sessions in cookies. What ours cost there differs little.
	one, many := sizes[0], sizes[2]
	many.full = true
	return append(all,
		sessionCase(one, one.name+", all by cookie", 1, cookieKeepers()),
		sessionCase(many, many.name+", all by cookie", 1, cookieKeepers()))
}

func sessionCase(s size, name string, cores int, libraries []peers.Sessions) measure.Case {
	c := measure.Case{Table: "Sessions", Name: name, Cores: cores, Processor: cores == 1, Full: s.full}
	if s.n >= million {
		c.Rounds = 3 // of seconds each, see measure.Collected
	}
	for _, library := range libraries {
		contender := measure.Contender{Name: library.Name, Module: library.Module,
			Enter: func() (*measure.Entry, error) { return enterSessions(library, s.n) }}
		if library.Name == "scs" && s.n == million {
			contender.Wanted = 20
		}
		c.Contenders = append(c.Contenders, contender)
	}
	if name == "1" {
		in := peers.Sessions{New: func() peers.Keeper { return newOurSessions(false, true) }}
		c.Contenders = append(c.Contenders, measure.Contender{Name: oursWrapped,
			Enter: func() (*measure.Entry, error) { return enterSessions(in, s.n) }})
	}
	return c
}

// keepers are all that keep sessions, ours first.
func keepers() []peers.Sessions {
	ours := peers.Sessions{Name: "auth", New: func() peers.Keeper { return newOurSessions(false, false) }}
	return append([]peers.Sessions{ours}, peers.AllSessions...)
}

func cookieKeepers() []peers.Sessions {
	ours := peers.Sessions{Name: "auth", New: func() peers.Keeper { return newOurSessions(true, false) }}
	return append([]peers.Sessions{ours}, peers.AllSessions...)
}

func enterSessions(library peers.Sessions, n int) (*measure.Entry, error) {
	k := library.New()
	h := known(k)
	if err := acceptsSessions(library, k, h); err != nil {
		return nil, err
	}
	if library.Stateless {
		n = min(n, cookies)
	}
	field, prefix := k.Field()
	texts, err := fill(n, func(i int) (string, error) { return k.Open(person(i), device(i), 24*time.Hour) })
	if err != nil {
		return nil, err
	}
	round := measure.Collected(varyField(h, http.StatusOK, field, shuffled(prefix, texts)))
	return &measure.Entry{Round: round, Notes: library.Notes}, nil
}

// A guarding wraps a handler and tells it who sent a request: empty for nobody.
type guarding interface {
	Wrap(http.Handler) http.Handler
	Subject(r *http.Request) string
}

// known is a handler inside of k that answers 401 to who is nobody.
func known(k guarding) http.Handler {
	if ours, ok := k.(interface{ known() http.Handler }); ok {
		return ours.known()
	}
	return k.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if k.Subject(r) == "" {
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
}

// What a library does with sessions, good and bad.
type sessionFacts struct{ good, unknown, expired, ended bool } // accepted

// factsOf finds out what a library does. What it opens to expire, it does so for
// that lifetime.
func factsOf(k peers.Keeper, h http.Handler, lifetime time.Duration) (f sessionFacts, err error) {
	open := func(lifetime time.Duration) *http.Request {
		text, failure := k.Open(person(0), device(0), lifetime)
		err = errors.Join(err, failure)
		field, prefix := k.Field()
		return asks(field, prefix+text)
	}
	good := open(24 * time.Hour)
	f.good = accepted(h, good)
	if failure := k.End(good); failure != peers.ErrEndless {
		err = errors.Join(err, failure)
	}
	f.ended = accepted(h, good)
	field, prefix := k.Field()
	f.unknown = accepted(h, asks(field, prefix+"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"))
	expired := open(lifetime)
	time.Sleep(lifetime + time.Millisecond)
	f.expired = accepted(h, expired)
	return f, err
}

// acceptsSessions makes sure that a library does what it is timed at.
func acceptsSessions(library peers.Sessions, k peers.Keeper, h http.Handler) error {
	f, err := factsOf(k, h, time.Millisecond)
	if err != nil {
		return err
	}
	// Cookies that keep sessions live for days, whatever is asked for.
	want := sessionFacts{good: true, ended: library.Stateless, expired: library.Stateless}
	if f != want {
		return fmt.Errorf("accepts %+v in place of %+v", f, want)
	}
	return nil
}

func accepted(h http.Handler, r *http.Request) bool {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code == http.StatusOK
}

// ourSessions are ours, in a store in memory.
type ourSessions struct {
	*auth.Sessions
	guard         *auth.Guard
	field, prefix string
	wrap          bool
}

func newOurSessions(cookie, wrap bool) ourSessions {
	const name = "__Host-session"
	s, err := auth.NewSessions(memstore.New(), nil)
	if err != nil {
		panic(err) // there is nothing that could be wrong
	}
	if cookie {
		return ourSessions{s, auth.NewGuard(auth.Cookie(name, s, nil), nil), "Cookie", name + "=", wrap}
	}
	return ourSessions{s, auth.NewGuard(auth.Bearer(s), nil), "Authorization", "Bearer ", wrap}
}

func (s ourSessions) Field() (name, prefix string) { return s.field, s.prefix }

func (s ourSessions) Open(p *auth.Principal, d auth.Device, lifetime time.Duration) (string, error) {
	g, err := s.Issue(context.Background(), p, &auth.IssueOptions{Device: d, Lifetime: lifetime})
	if err != nil {
		return "", err
	}
	return g.Token.Reveal(), nil
}

func (s ourSessions) End(r *http.Request) error {
	p, err := s.guard.Check(r)
	if err != nil {
		return err
	}
	return s.Revoke(r.Context(), p)
}

func (s ourSessions) known() http.Handler { return knownTo(s.guard, s.wrap) }

// Wrap and Subject are for others: ours has a handler of its own.
func (s ourSessions) Wrap(h http.Handler) http.Handler { return s.guard.Wrap(h) }
func (ourSessions) Subject(*http.Request) string       { return "" }
