package cases

import (
	"context"
	"errors"
	"net/http"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/bench/internal/measure"
	"github.com/seed-077cad0b/auth/bench/internal/peers"
	"github.com/seed-077cad0b/auth/store/memstore"
)

func keyCases() []measure.Case {
	var all []measure.Case
	for _, size := range sizes {
		c := measure.Case{Table: "API keys", Name: size.name, Processor: true, Full: size.full}
		for _, library := range keyStores() {
			c.Contenders = append(c.Contenders, measure.Contender{Name: library.Name, Module: library.Module,
				Enter: func() (*measure.Entry, error) { return enterKeys(library, size.n) }})
		}
		all = append(all, c)
	}
	return all
}

// keyStores are all that know API keys, ours first.
func keyStores() []peers.APIKeys {
	return append([]peers.APIKeys{{Name: "auth", New: newOurKeys}}, peers.AllAPIKeys...)
}

func enterKeys(library peers.APIKeys, n int) (*measure.Entry, error) {
	keys := library.New()
	h := known(keys)
	texts, err := fill(n, func(i int) (string, error) { return keys.Create(person(i)) })
	if err != nil {
		return nil, err
	}
	if err := acceptsKeys(h, texts[0]); err != nil {
		return nil, err
	}
	return &measure.Entry{Round: varyField(h, http.StatusOK, peers.APIKeyField, shuffled("", texts)), Notes: library.Notes}, nil
}

// acceptsKeys makes sure that a key is accepted, and one that differs in a letter
// is not, nor none at all.
func acceptsKeys(h http.Handler, key string) error {
	other := []byte(key)
	other[20] ^= 1
	switch {
	case !accepted(h, asks(peers.APIKeyField, key)):
		return errors.New("refuses a good key")
	case accepted(h, asks(peers.APIKeyField, string(other))), accepted(h, asks("", "")):
		return errors.New("accepts what is no key")
	}
	return nil
}

// ourKeys are ours, in a store in memory.
type ourKeys struct {
	keys  *auth.APIKeys
	guard *auth.Guard
}

func newOurKeys() peers.KeyStore {
	keys, err := auth.NewAPIKeys(memstore.New(), "acme_live", nil)
	if err != nil {
		panic(err) // there is nothing that could be wrong
	}
	return ourKeys{keys, auth.NewGuard(auth.Header(peers.APIKeyField, keys), nil)}
}

func (k ourKeys) Create(p *auth.Principal) (string, error) {
	g, err := k.keys.Create(context.Background(), p, nil)
	if err != nil {
		return "", err
	}
	return g.Token.Reveal(), nil
}

func (k ourKeys) known() http.Handler { return knownTo(k.guard, false) }

// Wrap and Subject are for others: ours has a handler of its own.
func (k ourKeys) Wrap(h http.Handler) http.Handler { return k.guard.Wrap(h) }
func (ourKeys) Subject(*http.Request) string       { return "" }
