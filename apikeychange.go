package auth

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Disable switches a key off and ends what it opened. It returns [ErrNotFound]
// where there is none.
func (k *APIKeys) Disable(ctx context.Context, id string) error {
	if err := k.replace(ctx, id, func(r *Record) error { r.Disabled = true; return nil }); err != nil {
		return err
	}
	return k.endOpened(ctx, id)
}

// Enable switches a key on again. What it had opened stays ended.
func (k *APIKeys) Enable(ctx context.Context, id string) error {
	return k.replace(ctx, id, func(r *Record) error { r.Disabled = false; return nil })
}

// Revoke removes a key and ends what it opened. It returns [ErrNotFound] where
// there is none.
func (k *APIKeys) Revoke(ctx context.Context, id string) error {
	// Switched off first: a key that is used between the two could open
	// something that the mark does not reach, and one that is gone could not be
	// revoked again where the mark failed.
	if err := k.Disable(ctx, id); err != nil {
		return err
	}
	d, err := ParseDigest(id)
	if err != nil {
		return err
	}
	_, err = k.store.Take(ctx, d)
	return err
}

// endOpened raises the mark of the key as an origin.
func (k *APIKeys) endOpened(ctx context.Context, id string) error {
	return k.marks.raise(ctx, originMark(Origin{Kind: KindAPIKey, ID: id}), now(), nil)
}

// SetNetworks changes where a key may be used from, from its next use on; nil is
// anywhere. What the key has opened keeps its networks: [APIKeys.Disable] ends
// it. It returns [ErrNotFound] where there is no such key.
func (k *APIKeys) SetNetworks(ctx context.Context, id string, n *Networks) error {
	return k.alter(ctx, id, func(p *Principal) { p.Networks = n })
}

// SetRate changes a key's own quota, from its next use on; zero is none. What
// the key has opened keeps its rate, and what has been charged stays charged. It
// returns [ErrNotFound] where there is no such key.
func (k *APIKeys) SetRate(ctx context.Context, id string, r Rate) error {
	if r != (Rate{}) {
		if err := r.Validate(); err != nil {
			return fmt.Errorf("auth: APIKeys.SetRate: %w", err)
		}
	}
	return k.alter(ctx, id, func(p *Principal) { p.Rate = r })
}

// alter changes the principal that a key proves.
func (k *APIKeys) alter(ctx context.Context, id string, change func(*Principal)) error {
	return k.replace(ctx, id, func(r *Record) error {
		p := *r.Principal
		change(&p)
		r.Principal = &p
		return nil
	})
}

// Rotate makes a successor for a key: same identity, tier, scopes, claims, name,
// networks, rate and, where it has one, length of life. The old key goes on for
// the overlap, but never beyond its own end. What it opened lives on. The
// successor has a quota of its own.
func (k *APIKeys) Rotate(ctx context.Context, id string) (*Grant, error) {
	e, data, err := k.lookup(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := rotatable(&e.Record); err != nil {
		return nil, err
	}
	c := e.Record.Principal.Credential
	next := Credential{Name: c.Name, Family: c.Family, Confirmation: c.Confirmation}
	g, err := k.insert(ctx, e.Record.Principal, next, data)
	if err != nil {
		return nil, err
	}
	end := instant(now().Add(k.overlap))
	err = k.replace(ctx, id, func(r *Record) error {
		if err := rotatable(r); err != nil {
			return err
		}
		if !r.Expires.IsZero() && r.Expires.Before(end) {
			return nil
		}
		p := *r.Principal
		p.Credential.Expires = end
		r.Principal, r.Expires, r.KeepUntil = &p, end, end.Add(remembered)
		return nil
	})
	if err != nil {
		// Ended meanwhile, or not known: either way the old key's holder gets
		// no new one.
		return nil, errors.Join(err, undo(ctx, k.store, k.digest(g.Token.Reveal())))
	}
	return g, nil
}

// rotatable returns why a key may have no successor, if it may not.
func rotatable(r *Record) error {
	switch {
	case r.Disabled:
		return ErrDisabled
	case !r.Expires.IsZero() && !time.Now().Before(r.Expires):
		return ErrExpired
	}
	return nil
}

// replace changes a key's record, again if somebody else does so at the same
// time.
func (k *APIKeys) replace(ctx context.Context, id string, change func(*Record) error) error {
	var err error
	for range replaceRounds {
		var e Entry
		if e, _, err = k.lookup(ctx, id); err != nil {
			return err
		}
		if err = change(&e.Record); err != nil {
			return err
		}
		e.Record.Revision++
		if err = k.store.Replace(ctx, e.Digest, e.Record); !errors.Is(err, ErrConflict) {
			return err
		}
	}
	return err
}
