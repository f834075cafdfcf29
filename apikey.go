package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/seed-077cad0b/auth/internal/clock"
)

// APIKeys are long-lived credentials for programs, of the form
//
//	PREFIX_SECRETCHECKSUM
//
// with 256 random bits and a checksum in base62: a double click selects a key
// whole, a secret scanner can match it, and a mistyped one is refused without
// asking the store. APIKeys is a [Verifier].
//
// Only a digest is kept. Its text is the key's public id, by which the
// operator's methods go.
type APIKeys struct {
	store   Store
	lister  Lister
	marks   marks
	lastUse *lastUse
	clock   clock.Clock
	prefix  string // with the underscore
	overlap time.Duration
}

// APIKeysOptions configure [NewAPIKeys]. The zero value is ready for
// production.
type APIKeysOptions struct {
	// Overlap is how long a rotated key goes on; zero is 24 hours, negative
	// ends it at once.
	Overlap time.Duration
}

const (
	keySecretLen  = 43 // 62^43 > 2^256
	keyHintLen    = 4
	maxPrefix     = 20
	maxKeyName    = 256
	replaceRounds = 100 // of a contended Replace
)

// NewAPIKeys returns keys kept in store, which must be a [Lister]. The prefix
// names the issuer and environment, such as "acme_live": a letter, then at most
// 19 letters, digits and underscores. o may be nil. Call [APIKeys.Close] at the
// end.
func NewAPIKeys(store Store, prefix string, o *APIKeysOptions) (*APIKeys, error) {
	k := &APIKeys{store: store, prefix: prefix + "_", overlap: 24 * time.Hour}
	var errs []error
	if store == nil {
		errs = append(errs, errors.New("no store"))
	}
	var ok bool
	if k.lister, ok = StoreAbility[Lister](store); !ok && store != nil {
		errs = append(errs, fmt.Errorf("%T is no Lister", store))
	}
	if !isKeyPrefix(prefix) {
		errs = append(errs, fmt.Errorf("prefix %q is not a letter and at most %d letters, digits and underscores", prefix, maxPrefix-1))
	}
	switch {
	case o == nil || o.Overlap == 0:
	case o.Overlap < 0:
		k.overlap = 0
	default:
		k.overlap = o.Overlap
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("auth: NewAPIKeys: %w", err)
	}
	k.marks = newMarks(store)
	k.lastUse = newLastUse(store, lastUseEvery)
	return k, nil
}

func isKeyPrefix(s string) bool {
	if s == "" || len(s) > maxPrefix || s[0] >= '0' && s[0] <= '9' || s[0] == '_' {
		return false
	}
	return isBase62(strings.ReplaceAll(s, "_", ""))
}

// Kind returns [KindAPIKey].
func (k *APIKeys) Kind() Kind { return KindAPIKey }

// Form returns the text form of the keys.
func (k *APIKeys) Form() Form {
	return Form{New: k.newText, Match: k.match}
}

func (k *APIKeys) newText() string {
	text := k.prefix + randomBase62(keySecretLen)
	sum := checksum(text)
	return text + string(sum[:])
}

// match reports whether text has the form of a key, whatever its checksum.
func (k *APIKeys) match(text string) bool {
	return len(text) == len(k.prefix)+keySecretLen+checksumLen &&
		strings.HasPrefix(text, k.prefix) && isBase62(text[len(k.prefix):])
}

// sumHolds reports whether text, which has the form of a key, ends in the checksum
// of the rest.
func sumHolds(text string) bool {
	body := len(text) - checksumLen
	sum := checksum(text[:body])
	return text[body:] == string(sum[:])
}

// digest returns the digest of a key, prefix included: one that is written with
// another prefix is another key. The checksum follows from the rest.
func (k *APIKeys) digest(text string) Digest {
	return DigestOf(KindAPIKey, text[:len(text)-checksumLen])
}

// Close writes what is known of the keys' last use. The keys themselves go on.
func (k *APIKeys) Close() error { return k.lastUse.close() }

// Verify looks a key up.
func (k *APIKeys) Verify(ctx context.Context, credential string) (*Principal, error) {
	if !k.match(credential) {
		return nil, ErrNotMine
	}
	if !sumHolds(credential) {
		return nil, ErrInvalid
	}
	d := k.digest(credential)
	r, err := k.store.Lookup(ctx, d)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, ErrInvalid
	case err != nil:
		return nil, err
	case r.Kind != KindAPIKey || r.Principal == nil:
		return nil, ErrInvalid
	case r.Disabled:
		return nil, ErrDisabled
	}
	t := time.UnixMicro(k.clock.Now())
	if !r.Expires.IsZero() && !t.Before(r.Expires) {
		return nil, ErrExpired
	}
	k.lastUse.note(d, r.Seen, t)
	return r.Principal, nil
}

// KeyOptions describe a new API key. The zero value is a key without a name
// that does not expire.
type KeyOptions struct {
	Name     string        // for people, at most 256 bytes
	Lifetime time.Duration // zero: until it is revoked

	// Scopes is what the key grants. Nil is all of the principal's; a scope
	// that the principal lacks is left out, never added.
	Scopes []string

	// Networks is where the key, and what it opens, may be used from; nil is
	// anywhere, and an empty set nowhere. A JWT has room for some hundreds. See
	// [Principal].
	Networks *Networks

	// Rate is the key's own quota, which what it opens shares; zero is none.
	// See [Principal].
	Rate Rate

	// Confirmation binds the key to what must be proved along with it, as
	// [KeyConfirmation] and [CertificateConfirmation] tell it: whoever finds the
	// API key in a log cannot use it. Empty binds it to nothing.
	Confirmation string
}

// keyData is what a key's record keeps beside its principal.
type keyData struct {
	Hint     string        `json:"hint"` // the prefix, and the first of the secret
	Lifetime time.Duration `json:"lifetime,omitempty"`
}

// Create makes a key that proves p's identity, tier, scopes and claims. No
// scopes grant nothing. Where p is limited to networks, so is the key, and where
// p has a rate and o none, the key has that. The grant shows its text, this
// once. o may be nil.
func (k *APIKeys) Create(ctx context.Context, p *Principal, o *KeyOptions) (*Grant, error) {
	if o == nil {
		o = &KeyOptions{}
	}
	var errs []error
	if p == nil || p.Subject == "" {
		errs = append(errs, errNoSubject)
	}
	if o.Lifetime < 0 {
		errs = append(errs, fmt.Errorf("lifetime %v is negative", o.Lifetime))
	}
	if len(o.Name) > maxKeyName {
		errs = append(errs, fmt.Errorf("name longer than %d bytes", maxKeyName))
	}
	if o.Rate != (Rate{}) {
		errs = append(errs, o.Rate.Validate())
	}
	if o.Confirmation != "" && !isConfirmation(o.Confirmation) {
		errs = append(errs, errors.New("malformed confirmation"))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("auth: APIKeys.Create: %w", err)
	}
	q := *p
	q.Scopes = narrow(p.Scopes, o.Scopes)
	q.Networks = o.Networks.within(p.Networks)
	q.Rate = or(o.Rate, p.Rate)
	return k.insert(ctx, &q, Credential{Name: o.Name, Confirmation: o.Confirmation}, keyData{Lifetime: o.Lifetime})
}

// insert adds a key with the credential's name and, where it has one, family.
func (k *APIKeys) insert(ctx context.Context, p *Principal, c Credential, data keyData) (*Grant, error) {
	text := k.newText()
	d := k.digest(text)
	c.ID, c.Kind, c.Created = d.String(), KindAPIKey, now()
	if c.Family == "" {
		c.Family = c.ID
	}
	r := Record{Kind: KindAPIKey, Revision: NewRevision(), Created: c.Created}
	if data.Lifetime > 0 {
		c.Expires = instant(c.Created.Add(data.Lifetime))
		r.Expires, r.KeepUntil = c.Expires, c.Expires.Add(remembered)
	}
	// A key is the root of its chain, proved anew by every request.
	q := *p
	q.presented = Secret{}
	q.Scopes = slices.Clone(p.Scopes)
	q.Origin = Origin{Kind: KindAPIKey, ID: c.ID}
	q.Credential = c
	r.Principal, r.Owner = &q, q.Owner()
	var err error
	data.Hint = text[:len(k.prefix)+keyHintLen]
	if r.Data, err = json.Marshal(data); err != nil {
		return nil, err
	}
	if err := k.store.Insert(ctx, d, r); err != nil {
		return nil, err
	}
	return &Grant{Token: NewSecret(text), Principal: &q}, nil
}

// An APIKey is what an operator sees of a key.
type APIKey struct {
	ID        string // public; what the methods of APIKeys go by
	Hint      string // how the key begins: its prefix and four characters of its secret
	Principal *Principal
	LastUsed  time.Time // exact to a minute; zero for never
	Disabled  bool
}

// view returns what an operator sees, and lets what waits to be written of its
// use count.
func (k *APIKeys) view(e Entry, data keyData) *APIKey {
	v := e.apiKey(data)
	v.LastUsed = k.lastUse.seen(e.Digest, v.LastUsed)
	return v
}

// lookup returns a key by its public id as it is now, or ErrNotFound.
func (k *APIKeys) lookup(ctx context.Context, id string) (e Entry, data keyData, err error) {
	if e.Digest, err = ParseDigest(id); err != nil {
		return e, data, ErrNotFound
	}
	if e.Record, err = k.store.Lookup(Uncached(ctx), e.Digest); err != nil {
		return e, data, err
	}
	if data, err = e.keyData(); err == nil && !k.made(data) {
		err = ErrNotFound
	}
	return e, data, err
}

// made reports whether a key has this prefix. Others may share the store.
func (k *APIKeys) made(data keyData) bool {
	return len(data.Hint) == len(k.prefix)+keyHintLen && strings.HasPrefix(data.Hint, k.prefix)
}

// Lookup returns the key with the public id, or [ErrNotFound]. Expired keys are
// found for a day longer.
func (k *APIKeys) Lookup(ctx context.Context, id string) (*APIKey, error) {
	e, data, err := k.lookup(ctx, id)
	if err != nil {
		return nil, err
	}
	return k.view(e, data), nil
}

// List lists the keys of p's identity, in no particular order.
func (k *APIKeys) List(ctx context.Context, p *Principal) iter.Seq2[*APIKey, error] {
	return func(yield func(*APIKey, error) bool) {
		for e, err := range k.lister.List(ctx, p.Owner(), KindAPIKey) {
			if err != nil {
				yield(nil, err)
				return
			}
			var data keyData
			if err := unmarshalData(e.Record.Data, &data); err != nil {
				yield(nil, err)
				return
			}
			if k.made(data) && !yield(k.view(e, data), nil) {
				return
			}
		}
	}
}
