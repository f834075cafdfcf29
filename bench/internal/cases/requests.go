package cases

import (
	"fmt"
	"net/http"
	"runtime"
	"time"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/bench/internal/measure"
	"github.com/seed-077cad0b/auth/bench/internal/peers"
)

// A whole request through net/http over the loopback, whose handler answers a few
// bytes: what a guard adds to it is a few percent, so there are many short rounds.
const requestRounds = 51

func requestCases() []measure.Case {
	cold := guarded(ours(&auth.JWTOptions{CacheSize: -1}, handed))
	var all []measure.Case
	for _, at := range []struct {
		name  string
		conns int
	}{{"one at a time", 1}, {"64 at once", 64}} {
		add := func(credential string, wanted float64, enter enterRequests) {
			all = append(all, measure.Case{
				Table: "Requests", Name: credential + ", " + at.name, Cores: 2, Rounds: requestRounds,
				Contenders: []measure.Contender{
					{Name: "auth", Enter: enter.at(at.conns)},
					{Name: "no guard", Wanted: wanted, Enter: unguarded(enter).at(at.conns)},
				},
			})
		}
		add("HS256, repeated", 1/1.06, guarded(ours(nil, handed)))
		add("HS256, cold", 1/1.15, cold)
		add("session", 0, inSession)
	}
	return append(all, besidePeers(cold, 64))
}

// besidePeers is how much of what a peer costs is left of it in a whole request.
func besidePeers(cold enterRequests, conns int) measure.Case {
	c := measure.Case{Table: "Requests", Name: fmt.Sprintf("HS256, cold, %d at once, beside peers", conns), Cores: 2}
	c.Contenders = []measure.Contender{{Name: "auth", Enter: cold.at(conns)}}
	for _, p := range peers.JWTs() {
		if p.Name == "golang-jwt, struct" || p.Name == "jwtauth" {
			c.Contenders = append(c.Contenders, measure.Contender{Name: p.Name, Module: p.Module, Enter: guarded(p.Guard).at(conns)})
		}
	}
	return c
}

// An enterRequests makes what is served, and the credential that it is asked with.
type enterRequests func() (h http.Handler, authorization string, err error)

func (f enterRequests) at(conns int) func() (*measure.Entry, error) {
	return func() (*measure.Entry, error) {
		h, authorization, err := f()
		if err != nil {
			return nil, err
		}
		l, err := listen(h)
		if err != nil {
			return nil, err
		}
		var workers []func(int) error
		for range conns {
			c, err := l.dial(authorization)
			if err != nil {
				return nil, err
			}
			workers = append(workers, c.ask)
		}
		runtime.GC()
		return &measure.Entry{Round: measure.Timed(workers...), Close: l.Close}, nil
	}
}

// unguarded has the same field come, at which nobody looks.
func unguarded(enter enterRequests) enterRequests {
	return func() (http.Handler, string, error) {
		_, authorization, err := enter()
		return hello, authorization, err
	}
}

// guarded makes sure that nothing else than what the notes of the table tell is
// admitted.
func guarded(guard func(peers.Check) (peers.Middleware, error)) enterRequests {
	return func() (http.Handler, string, error) {
		i, err := newIssuer(tokenSpec{})
		if err != nil {
			return nil, "", err
		}
		m, err := guard(i.Check)
		if err != nil {
			return nil, "", err
		}
		if _, err := survey(m, i); err != nil {
			return nil, "", err
		}
		return m(hello), "Bearer " + i.token("user-1"), nil
	}
}

func inSession() (http.Handler, string, error) {
	k := newOurSessions(false, false)
	text, err := k.Open(person(1), device(1), 24*time.Hour)
	return handed(k.guard)(hello), "Bearer " + text, err
}

// hello is the handler behind a guard, or behind none.
var hello = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(helloBody)
})

var helloBody = []byte(`{"hello":"world"}`)
