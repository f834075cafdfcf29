package cases

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/bench/internal/measure"
	"github.com/seed-077cad0b/auth/bench/internal/peers"
)

// A tokenWork is what a case has its contenders do.
type tokenWork struct {
	spec  tokenSpec
	begin func(http.Handler, *issuer) (rounds, error)
}

type rounds = func() (measure.Sample, error)

func (t tokenWork) ours(o *auth.JWTOptions, notes ...string) measure.Contender {
	return measure.Contender{Name: "auth", Enter: t.enter(ours(o, handed), notes...)}
}

func (t tokenWork) oursWrapped(o *auth.JWTOptions) measure.Contender {
	return measure.Contender{Name: oursWrapped, Enter: t.enter(ours(o, wrapped))}
}

// peers returns others as contenders, so much being wanted against each.
func (t tokenWork) peers(others []peers.JWT, wanted float64) []measure.Contender {
	contenders := make([]measure.Contender, len(others))
	for i, p := range others {
		contenders[i] = measure.Contender{Name: p.Name, Module: p.Module, Wanted: wanted, Enter: t.enter(p.Guard)}
	}
	return contenders
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
		found, err := survey(m, i)
		if err != nil {
			return nil, err
		}
		round, err := t.begin(m(nothing), i)
		if err != nil {
			return nil, err
		}
		return &measure.Entry{Round: round, Notes: append(notes, found...)}, nil
	}
}

// repeated sends one good token.
func repeated(h http.Handler, i *issuer) (rounds, error) {
	return measure.Serve(h, http.StatusOK, request("Bearer "+i.token("user-0000000000"))), nil
}

// inTurn sends many good tokens, after it has sent each of them once.
func inTurn(h http.Handler, i *issuer) (rounds, error) {
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
		w := httptest.NewRecorder()
		set(k)
		if h.ServeHTTP(w, r); w.Code != http.StatusOK {
			return nil, fmt.Errorf("answered %d to a good token", w.Code)
		}
	}
	return measure.Vary(h, http.StatusOK, r, many, vary), nil
}

// refused sends a token that is refused.
func refused(token func(*issuer) string) func(http.Handler, *issuer) (rounds, error) {
	return func(h http.Handler, i *issuer) (rounds, error) {
		r := request("Bearer " + token(i))
		status, err := refusal(h, r)
		if err != nil {
			return nil, err
		}
		return measure.Serve(h, status, r), nil
	}
}

// refusal returns the status with which h answers r.
func refusal(h http.Handler, r *http.Request) (int, error) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code < http.StatusBadRequest || w.Code >= http.StatusInternalServerError {
		return 0, fmt.Errorf("answered %d to a bad token", w.Code)
	}
	return w.Code, nil
}
