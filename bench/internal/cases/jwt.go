package cases

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/bench/internal/measure"
	"github.com/seed-077cad0b/auth/bench/internal/peers"
)

const jwtTable = "JWT"

func jwtCases() []measure.Case {
	return slices.Concat(coldCases(), repeatedCases(), manyCases(), refusedCases())
}

// coldCases check a token whole every time.
func coldCases() []measure.Case {
	var cases []measure.Case
	for _, algorithm := range []string{"HS256", "RS256", "RS512", "ES256", "EdDSA"} {
		work := tokenWork{tokenSpec{Algorithm: algorithm}, repeated}
		c := measure.Case{Table: jwtTable, Name: algorithm + ", cold"}
		c.Contenders = append(c.Contenders, work.ours(&auth.JWTOptions{CacheSize: -1}, "CacheSize: -1"))
		switch algorithm {
		case "HS256":
		case "RS256", "RS512":
			c.Rounds = smallDifference
			c.Contenders = append(c.Contenders, bareCheck(work.spec, 1/1.10))
		default:
			c.Rounds = smallDifference
			c.Contenders = append(c.Contenders, bareCheck(work.spec, 1/1.05))
		}
		for _, p := range peers.JWTs() {
			if p.Caches || algorithm == "RS512" && p.Name != golangStruct {
				continue
			}
			wanted := 0.0
			if algorithm == "HS256" {
				wanted = 5
			}
			c.Contenders = append(c.Contenders, work.peer(p, wanted))
		}
		cases = append(cases, c)
	}
	return cases
}

// smallDifference is how many rounds tell a difference of a twentieth.
const smallDifference = 11

// Contenders that more is wanted of, or that stand for the others.
const (
	golangStruct   = "golang-jwt, struct"
	golangMap      = "golang-jwt, map"
	guardianCached = "go-guardian, cache"
)

// repeatedCases check one token again and again. With other algorithms than the
// first, only those with a cache differ from the cold cases.
func repeatedCases() []measure.Case {
	var cases []measure.Case
	for _, algorithm := range []string{"HS256", "RS256", "RS512", "ES256", "EdDSA"} {
		work := tokenWork{tokenSpec{Algorithm: algorithm}, repeated}
		c := measure.Case{Table: jwtTable, Name: algorithm + ", repeated"}
		c.Contenders = append(c.Contenders, work.ours(nil))
		for _, p := range peers.JWTs() {
			if algorithm == "HS256" || p.Caches || p.Name == golangStruct {
				c.Contenders = append(c.Contenders, work.peer(p, 0))
			}
		}
		cases = append(cases, c)
	}
	return cases
}

// many is how many tokens are in use at a time.
const many = 65536

// manyCases check many tokens in turn. Those with a cache have seen them.
func manyCases() []measure.Case {
	var cases []measure.Case
	for _, cores := range []int{1, 2} {
		work := tokenWork{tokenSpec{Algorithm: "HS256"}, inTurn}
		c := measure.Case{Table: jwtTable, Name: fmt.Sprintf("65,536 tokens, HS256, cores: %d", cores), Cores: cores}
		c.Contenders = append(c.Contenders, work.ours(&auth.JWTOptions{CacheSize: 2 * many}))
		for _, p := range peers.JWTs() {
			switch {
			case p.Name == guardianCached && cores == 2:
				c.Contenders = append(c.Contenders, work.peer(p, 4))
			case p.Caches, p.Name == golangStruct:
				c.Contenders = append(c.Contenders, work.peer(p, 0))
			}
		}
		cases = append(cases, c)
	}
	return cases
}

// refusedCases refuse what strangers send.
func refusedCases() []measure.Case {
	text := func(s string) func(*issuer) string { return func(*issuer) string { return s } }
	var cases []measure.Case
	for _, what := range []struct {
		name, algorithm string
		token           func(*issuer) string
	}{
		{"HS256, forged", "HS256", (*issuer).forged},
		{"RS256, forged", "RS256", (*issuer).forged},
		{"alg none", "HS256", (*issuer).unsigned},
		{"random text", "HS256", text("2f7a51c09e4bd8d36c85f0e1b97a4d26")},
		{"3 parts of junk", "HS256", text(junk(300))},
		{"16 KiB of junk", "HS256", text(junk(16 << 10))},
	} {
		work := tokenWork{tokenSpec{Algorithm: what.algorithm}, refused(what.token)}
		c := measure.Case{Table: jwtTable, Name: what.name}
		c.Contenders = append(c.Contenders, work.ours(nil))
		for _, p := range peers.JWTs() {
			switch {
			case p.Caches:
			case what.name == "HS256, forged" && (p.Name == golangStruct || p.Name == golangMap):
				c.Contenders = append(c.Contenders, work.peer(p, 8))
			case what.name == "HS256, forged" || p.Name != golangMap:
				c.Contenders = append(c.Contenders, work.peer(p, 0))
			}
		}
		cases = append(cases, c)
	}
	return cases
}

// A tokenWork is what a case has its contenders do.
type tokenWork struct {
	spec  tokenSpec
	round func(h http.Handler, i *issuer) (func() (measure.Sample, error), error)
}

func (t tokenWork) ours(o *auth.JWTOptions, notes ...string) measure.Contender {
	return measure.Contender{Name: "auth", Enter: t.enter(ours(o), notes...)}
}

func (t tokenWork) peer(p peers.JWT, wanted float64) measure.Contender {
	return measure.Contender{Name: p.Name, Module: p.Module, Wanted: wanted, Enter: t.enter(p.Guard)}
}

// enter surveys a middleware before it begins.
func (t tokenWork) enter(guard func(peers.Check) (peers.Middleware, error), notes ...string) func() (*measure.Entry, error) {
	return func() (*measure.Entry, error) {
		i, err := newIssuer(t.spec)
		if err != nil {
			return nil, err
		}
		m, err := guard(i.Check)
		if err != nil {
			return nil, err
		}
		accepted, err := survey(m, i)
		if err != nil {
			return nil, err
		}
		round, err := t.round(m(nothing), i)
		if err != nil {
			return nil, err
		}
		return &measure.Entry{Round: round, Notes: append(notes, accepted...)}, nil
	}
}

// repeated sends one good token.
func repeated(h http.Handler, i *issuer) (func() (measure.Sample, error), error) {
	return measure.Serve(h, http.StatusOK, request("Bearer "+i.token("user-0000000000"))), nil
}

// inTurn sends many good tokens, which all have been sent before.
func inTurn(h http.Handler, i *issuer) (func() (measure.Sample, error), error) {
	fields := i.tokens(many)
	for k, token := range fields {
		fields[k] = "Bearer " + token
	}
	vary := func(r *http.Request) func(int) {
		field := r.Header["Authorization"]
		return func(k int) { field[0] = fields[k] }
	}
	r := request("Bearer")
	set := vary(r)
	for k := range fields {
		set(k)
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
	return measure.Vary(h, http.StatusOK, r, many, vary), nil
}

// refused sends a token that is refused.
func refused(token func(*issuer) string) func(http.Handler, *issuer) (func() (measure.Sample, error), error) {
	return func(h http.Handler, i *issuer) (func() (measure.Sample, error), error) {
		r := request("Bearer " + token(i))
		status, err := refusal(h, r)
		if err != nil {
			return nil, err
		}
		return measure.Serve(h, status, r), nil
	}
}
