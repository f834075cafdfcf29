package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-077cad0b/auth/internal/jws"
	"github.com/seed-077cad0b/auth/internal/published"
)

// A KeySet holds the keys by which an issuer's tokens are verified. [Keys] is
// the usual one.
//
// Implementations are safe for concurrent use. One that also has a method
//
//	Signing() *Key
//
// which returns a non-nil key can issue tokens. Such tokens are the API's own,
// and believed in what they say about where their principal came from.
type KeySet interface {
	// Lookup returns the keys that may have signed a token with this key id
	// and algorithm: the one of that id, or, where the token names none and
	// kid is empty, all of the algorithm. Of those the first eight are tried.
	// The kid is a stranger's text: an opaque name to be compared, never a
	// path, a query or an address.
	//
	// No key rejects the token. An error means that the keys could not be
	// found out, which is an outage. A set that fetches its keys bounds how
	// often strangers can make it do so.
	//
	// The result is not written to, by either side.
	Lookup(ctx context.Context, kid string, alg Algorithm) ([]*Key, error)

	// Contains reports whether k, which Lookup has returned, is still in the
	// set. It is asked on every use of a cached token, so it does no I/O: a key
	// that is removed is dead at once.
	Contains(k *Key) bool
}

// Keys is a [KeySet] that is written down: one key that signs, and any number
// that verify. It is safe for concurrent use, and reading it takes no lock.
//
// To rotate without downtime, [Keys.Add] the next key, so that whoever reads
// [Keys.JWKS] knows it before it signs, then [Keys.Rotate] to it, and
// [Keys.Remove] the old one when the last token that it signed has expired.
type Keys struct {
	mu      sync.Mutex // of writers
	current atomic.Pointer[keyState]
}

// keyState is what Keys holds at one time. It is immutable.
type keyState struct {
	signing *Key // nil: verifies only
	all     []*Key
	byID    map[string][]*Key // of one key each
	byAlg   map[Algorithm][]*Key
	public  []byte // the JWK Set
}

// NewKeys returns a set in which signing signs and all verify. A nil signing
// makes a set that only verifies. Keys whose ids are the same, symmetric keys
// together with others, and an empty set are refused.
func NewKeys(signing *Key, others ...*Key) (*Keys, error) {
	all := others
	if signing != nil {
		all = append([]*Key{signing}, others...)
	}
	state, err := newKeyState(signing, all)
	if err != nil {
		return nil, err
	}
	s := &Keys{}
	s.current.Store(state)
	return s, nil
}

func newKeyState(signing *Key, all []*Key) (*keyState, error) {
	s := &keyState{
		signing: signing,
		all:     slices.Clone(all),
		byID:    make(map[string][]*Key, len(all)),
		byAlg:   make(map[Algorithm][]*Key),
	}
	var errs []error
	refuse := func(format string, args ...any) { errs = append(errs, fmt.Errorf("auth: keys: "+format, args...)) }
	if len(all) == 0 {
		refuse("no key")
	}
	set := struct {
		Keys []jws.PublicJWK `json:"keys"`
	}{[]jws.PublicJWK{}}
	for i, k := range all {
		if k == nil || k.jws == nil {
			refuse("key %d is nil", i)
			continue
		}
		id, alg := k.ID(), k.Algorithm()
		if s.byID[id] != nil {
			refuse("two keys have the id %q", id)
		}
		if first := all[0]; first != nil && first.jws != nil && first.jws.Symmetric() != k.jws.Symmetric() {
			refuse("symmetric and asymmetric keys in one set")
		}
		s.byID[id] = []*Key{k}
		s.byAlg[alg] = append(s.byAlg[alg], k)
		if public, ok := k.jws.Public(); ok {
			set.Keys = append(set.Keys, public)
		}
	}
	if signing != nil && signing.jws != nil && !signing.CanSign() {
		refuse("the signing key %q has no private part", signing.ID())
	}
	s.public, _ = json.Marshal(set) // strings only
	return s, errors.Join(errs...)
}

// Lookup implements [KeySet].
func (s *Keys) Lookup(_ context.Context, kid string, alg Algorithm) ([]*Key, error) {
	state := s.current.Load()
	if kid == "" {
		return state.byAlg[alg], nil
	}
	return state.byID[kid], nil
}

// Contains implements [KeySet].
func (s *Keys) Contains(k *Key) bool { return slices.Contains(s.current.Load().all, k) }

// Signing returns the key that signs now, or nil.
func (s *Keys) Signing() *Key { return s.current.Load().signing }

// Add adds a key that verifies.
func (s *Keys) Add(k *Key) error {
	return s.change(func(old *keyState) (*Key, []*Key, error) {
		return old.signing, append(slices.Clone(old.all), k), nil
	})
}

// Rotate makes next the key that signs, whether it is in the set already or
// new. The one that signed before still verifies.
func (s *Keys) Rotate(next *Key) error {
	return s.change(func(old *keyState) (*Key, []*Key, error) {
		switch {
		case next == nil:
			return nil, nil, errors.New("auth: keys: key to rotate to is nil")
		case slices.Contains(old.all, next):
			return next, old.all, nil
		default:
			return next, append(slices.Clone(old.all), next), nil
		}
	})
}

// Remove removes the key of that id. The tokens that it signed are refused from
// now on, cached or not. The key that signs cannot be removed: rotate first.
func (s *Keys) Remove(kid string) error {
	return s.change(func(old *keyState) (*Key, []*Key, error) {
		if old.byID[kid] == nil {
			return nil, nil, fmt.Errorf("auth: keys: no key has the id %q", kid)
		}
		k := old.byID[kid][0]
		if k == old.signing {
			return nil, nil, fmt.Errorf("auth: keys: %q signs; rotate first", kid)
		}
		rest := slices.DeleteFunc(slices.Clone(old.all), func(other *Key) bool { return other == k })
		return old.signing, rest, nil
	})
}

// change replaces the state by the one that f makes of it, or leaves it.
func (s *Keys) change(f func(old *keyState) (signing *Key, all []*Key, err error)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	signing, all, err := f(s.current.Load())
	if err != nil {
		return err
	}
	next, err := newKeyState(signing, all)
	if err != nil {
		return err
	}
	s.current.Store(next)
	return nil
}

// JWKS answers with the public parts of the keys as a JSON Web Key Set (RFC
// 7517 section 5), for instance at /.well-known/jwks.json. Symmetric keys have
// no public part and are never in it. Readers may keep it for five minutes; pages
// of every origin may read it.
func (s *Keys) JWKS() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		published.Serve(w, r, "application/jwk-set+json", 5*time.Minute, s.current.Load().public)
	})
}

// MarshalJSON returns the set that JWKS answers with, for a record of somebody
// else's keys. [ParseJWKS] reads it.
func (s *Keys) MarshalJSON() ([]byte, error) { return slices.Clone(s.current.Load().public), nil }
