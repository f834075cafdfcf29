package auth

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/seed-077cad0b/auth/internal/jws"
	"github.com/seed-077cad0b/auth/internal/strictjson"
)

var (
	errNotKeySet    = errors.New("not a JWK Set")
	errTooManyKeys  = fmt.Errorf("more than %d keys", maxRemoteKeys)
	errNoKeyIsLeft  = errors.New("no key can be used")
	errPublished    = errors.New("a secret or private key, which is none once it is published")
	errDoubledKeyID = errors.New("another key has the same kid and algorithm")
)

// A remoteSet is what a fetch has brought. It is immutable.
type remoteSet struct {
	all []*Key

	// byName has the keys of an id and an algorithm, of an id, and of an
	// algorithm.
	byName map[keyName][]*Key

	// former has the ids of keys in the sets before it: those seen last, as many
	// as a set may hold.
	former map[string]bool

	document [sha256.Size]byte // the hash of what it was read from
	end      *time.Timer       // takes it away when it is too old
}

// A keyName is what a token calls its key by. Neither part is empty in a key's
// own.
type keyName struct {
	id  string
	alg Algorithm
}

func nameOfKey(k *Key) keyName { return keyName{k.ID(), k.Algorithm()} }

// follow returns the set that a document makes of the old one, which may be nil:
// its own keys, of which those that have not changed are the same. A document
// that has not changed makes the old set. An error beside a set tells why keys
// are not in it.
func (old *remoteSet) follow(document []byte, rsa Algorithm) (*remoteSet, error) {
	sum := sha256.Sum256(document)
	if old != nil && old.document == sum {
		same := *old
		return &same, nil
	}
	keys, leftOut, err := readRemoteKeys(document, rsa)
	if err != nil {
		return nil, err
	}
	if leftOut != nil {
		leftOut = fmt.Errorf("left out: %w", leftOut)
	}
	if len(keys) == 0 {
		return nil, errors.Join(errNoKeyIsLeft, leftOut)
	}
	s := &remoteSet{byName: make(map[keyName][]*Key), document: sum}
	for _, k := range keys {
		s.add(old.keep(k))
	}
	s.former = old.ids()
	return s, leftOut
}

// keep returns k, or the key of the set that is the same.
func (s *remoteSet) keep(k *Key) *Key {
	if s == nil {
		return k
	}
	for _, before := range s.byName[nameOfKey(k)] {
		if before.jws.Thumbprint() == k.jws.Thumbprint() {
			return before
		}
	}
	return k
}

// ids returns the ids of keys in the set and in those before it.
func (s *remoteSet) ids() map[string]bool {
	ids := make(map[string]bool)
	if s == nil {
		return ids
	}
	for _, k := range s.all {
		ids[k.ID()] = true
	}
	for id := range s.former {
		if len(ids) < maxRemoteKeys {
			ids[id] = true
		}
	}
	return ids
}

// find returns the keys of a name, and whether the name is known: that of a key
// with another algorithm is, and names no key.
func (s *remoteSet) find(kid string, alg Algorithm) ([]*Key, bool) {
	keys := s.byName[keyName{kid, alg}]
	return keys, keys != nil || s.byName[keyName{id: kid}] != nil
}

func (s *remoteSet) add(k *Key) {
	s.all = append(s.all, k)
	n := nameOfKey(k)
	for _, name := range []keyName{n, {id: n.id}, {alg: n.alg}} {
		s.byName[name] = append(s.byName[name], k)
	}
}

// readRemoteKeys reads a JWK Set (RFC 7517 section 5) that somebody else has
// written: what can be used of it, and why the rest cannot. rsa is the algorithm
// of RSA keys that name none. Keys for encryption are left out in silence, as
// they belong there.
func readRemoteKeys(document []byte, rsa Algorithm) (keys []*Key, leftOut, err error) {
	n, found := 0, false
	var wrong []error
	err = strictjson.Object(document, func(name, value []byte) error {
		if string(name) != "keys" {
			return nil
		}
		found = true
		return strictjson.Array(value, func(value []byte) error {
			if n++; n > maxRemoteKeys {
				return errTooManyKeys
			}
			switch k, err := readRemoteKey(value, rsa); {
			case err == nil:
				keys = append(keys, k)
			case !errors.Is(err, jws.ErrPurpose):
				wrong = append(wrong, fmt.Errorf("key %d: %w", n, err))
			}
			return nil
		})
	})
	switch {
	case errors.Is(err, errTooManyKeys):
		return nil, nil, err
	case err != nil:
		return nil, nil, fmt.Errorf("%w: %w", errNotKeySet, err)
	case !found:
		return nil, nil, errNotKeySet
	}
	keys, doubled := withoutDoubles(keys)
	return keys, errors.Join(append(wrong, doubled...)...), nil
}

func readRemoteKey(text []byte, rsa Algorithm) (*Key, error) {
	if holdsSecret(text) {
		return nil, errPublished
	}
	parsed, err := jws.ParseJWK(text, string(rsa))
	if err != nil {
		return nil, err
	}
	return &Key{parsed}, nil
}

// holdsSecret reports whether a JWK has a member that is not to be seen by
// everybody (RFC 7518 section 6): whoever has read it can sign.
func holdsSecret(jwk []byte) (found bool) {
	_ = strictjson.Object(jwk, func(name, _ []byte) error {
		switch string(name) {
		case "d", "p", "q", "dp", "dq", "qi", "oth", "k":
			found = true
		}
		return nil
	})
	return found
}

// withoutDoubles leaves out keys that a token cannot tell apart, both of them:
// which one its issuer means is anybody's guess. Keys of one kid and different
// algorithms may stand side by side (RFC 7517 section 4.5), and one that is there
// twice counts once.
func withoutDoubles(keys []*Key) (single []*Key, wrong []error) {
	first := make(map[keyName]*Key, len(keys))
	doubled := make(map[keyName]bool)
	for _, k := range keys {
		name := nameOfKey(k)
		other := first[name]
		switch {
		case other == nil:
			first[name] = k
			single = append(single, k)
		case other.jws.Thumbprint() != k.jws.Thumbprint():
			doubled[name] = true
		}
	}
	if len(doubled) == 0 {
		return single, nil
	}
	rest := single[:0]
	for _, k := range single {
		if doubled[nameOfKey(k)] {
			wrong = append(wrong, errDoubledKeyID)
			continue
		}
		rest = append(rest, k)
	}
	return rest, wrong
}
