package cases

import (
	"net/http"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/bench/internal/measure"
)

// An attack is what a stranger, or somebody with a valid credential, sends to make
// us work: what each request of it costs beside those of honest clients.
type attack struct {
	name  string
	bound float64 // of what the first honest one costs
	note  string  // what bounds it
	enter entering
	// beside are the requests that it is compared with.
	beside []honest
}

type entering = func() (*measure.Entry, error)

type honest struct {
	name  string
	enter entering
}

func attackCases() []measure.Case {
	var all []measure.Case
	for _, a := range append(tokenAttacks(), otherAttacks()...) {
		c := measure.Case{Table: "Attacks", Name: a.name, Processor: true, Contenders: []measure.Contender{
			{Name: "attack", Enter: func() (*measure.Entry, error) {
				e, err := a.enter()
				if err == nil {
					e.Notes = append(e.Notes, a.note)
				}
				return e, err
			}},
		}}
		for i, h := range a.beside {
			peer := measure.Contender{Name: h.name, Enter: h.enter}
			if i == 0 {
				peer.Wanted = 1 / a.bound
			}
			c.Contenders = append(c.Contenders, peer)
		}
		all = append(all, c)
	}
	return all
}

// presenting returns an entry of guarded requests with the credentials, one after
// the other, which are all answered with the status want.
func presenting(want int, v auth.Verifier, texts []string, policies ...auth.Policy) (*measure.Entry, error) {
	h := auth.NewGuard(auth.Bearer(v), nil).With(policies...).Wrap(nothing)
	return &measure.Entry{Round: varyField(h, want, "Authorization", shuffled("Bearer ", texts))}, nil
}

// asked returns an entry of one request.
func asked(want int, v auth.Verifier, r *http.Request) (*measure.Entry, error) {
	h := auth.NewGuard(auth.Bearer(v), nil).Wrap(nothing)
	return &measure.Entry{Round: measure.Serve(h, want, r)}, nil
}
