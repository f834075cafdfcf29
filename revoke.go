package auth

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Marks revoke many credentials at once. A mark says of a name: what bears it
// and was proved at or before T is dead. A credential bears its own id, its
// family, its owner, its origin and its client. The mark is a Record under the digest of
// the name, whose Created is T; it is raised and never lowered, and compared
// with Origin.Time, never with a credential's own birth, else what is renewed
// while its owner signs out would outlive that.

// maxLifetime bounds every credential that answers to marks, so that a mark can
// be forgotten after it. Browsers bound cookies by the same 400 days.
const maxLifetime = 400 * 24 * time.Hour

// A mark's name is the digest under which it is kept.
func idMark(k Kind, id string) Digest { return nameDigest("mark", "id", string(k), id) }
func familyMark(family string) Digest { return nameDigest("mark", "family", family) }
func clientMark(id string) Digest     { return nameDigest("mark", "client", id) }
func ownerMark(p *Principal) Digest {
	return nameDigest("mark", "owner", p.Issuer, p.Tenant, p.Subject)
}
func originMark(o Origin) Digest    { return nameDigest("mark", "origin", string(o.Kind), o.ID) }
func (o Origin) isCredential() bool { return o.ID != "" }

// markTime returns the time of a mark that is to end p: now or, where the clock
// of whoever had p proved is ahead of ours, then.
func markTime(p *Principal) time.Time {
	t := now()
	if p.Origin.Time.After(t) {
		t = instant(p.Origin.Time)
	}
	return t
}

// marks reads and raises marks in a store.
type marks struct {
	store   Store
	batcher Batcher // nil: one look-up each
}

func newMarks(s Store) marks {
	b, _ := StoreAbility[Batcher](s)
	return marks{s, b}
}

// namesOf returns the names of the marks that p's credential answers to.
func namesOf(p *Principal) []Digest {
	names := make([]Digest, 0, maxNames)
	names = append(names, ownerMark(p))
	if c := p.Credential; c.ID != "" {
		names = append(names, idMark(c.Kind, c.ID))
	}
	if f := p.Credential.Family; f != "" {
		names = append(names, familyMark(f))
	}
	if p.Origin.isCredential() {
		names = append(names, originMark(p.Origin))
	}
	if c := p.Credential.ClientID; c != "" {
		names = append(names, clientMark(c))
	}
	return names
}

// maxNames is how many marks a credential may answer to: those of namesOf, and
// its owner by another name of their issuer.
const maxNames = 6

// check returns ErrRevoked where one of the marks under names has ended p.
func (m marks) check(ctx context.Context, p *Principal, names ...Digest) error {
	if m.batcher == nil {
		for _, name := range names {
			r, err := m.store.Lookup(ctx, name)
			switch {
			case errors.Is(err, ErrNotFound):
			case err != nil:
				return err
			case ends(&r, p):
				return ErrRevoked
			}
		}
		return nil
	}
	few := fewMarks.Get().(*fewMarksBuffer)
	defer func() {
		clear(few.records[:])
		fewMarks.Put(few)
	}()
	records := few.records[:len(names)]
	if err := m.batcher.LookupAll(ctx, KindMark, few.names[:copy(few.names[:], names)], records); err != nil {
		return err
	}
	for i := range records {
		if ends(&records[i], p) {
			return ErrRevoked
		}
	}
	return nil
}

// checkNow is check by what the store holds now, whatever a cache in front of it
// remembers: for what is issued, and could outlive the mark.
func (m marks) checkNow(ctx context.Context, p *Principal, names ...Digest) error {
	return m.check(Uncached(ctx), p, names...)
}

// fewMarks spares each check its allocations: what goes into a store's method
// would else go to the heap.
var fewMarks = sync.Pool{New: func() any { return new(fewMarksBuffer) }}

type fewMarksBuffer struct {
	names   [maxNames]Digest
	records [maxNames]Record
}

// ends reports whether r is a mark that has ended p.
func ends(r *Record, p *Principal) bool {
	return r.Kind == KindMark && !p.Origin.Time.After(r.Created) && !spares(r, p)
}

// spares reports whether the mark lets the family of p live: the one session
// that asked for all the others to end.
func spares(r *Record, p *Principal) bool {
	return len(r.Data) > 0 && p.Credential.Family == string(r.Data)
}

// raise raises the mark under name to t. The family of spared, who may be nil,
// lives on, unless the mark has ended it already: then raise returns ErrRevoked,
// as the dead neither rise nor kill.
func (m marks) raise(ctx context.Context, name Digest, t time.Time, spared *Principal) error {
	for {
		mark := Record{Kind: KindMark, Created: t}
		if spared != nil {
			mark.Data = []byte(spared.Credential.Family)
		}
		old, err := m.store.Lookup(ctx, name)
		switch {
		case errors.Is(err, ErrNotFound):
			mark.Revision = NewRevision()
			mark.KeepUntil = mark.Created.Add(maxLifetime + remembered)
			err = m.store.Insert(ctx, name, mark)
		case err != nil:
		case spared != nil && !spared.Origin.Time.IsZero() && ends(&old, spared):
			return ErrRevoked
		default:
			if old.Created.After(t) {
				mark.Created = old.Created // and what it spared is not spared by us
			}
			mark.Revision = old.Revision + 1
			mark.KeepUntil = mark.Created.Add(maxLifetime + remembered)
			err = m.store.Replace(ctx, name, mark)
		}
		switch {
		case err == nil:
			return nil
		case errors.Is(err, ErrExists), errors.Is(err, ErrConflict), errors.Is(err, ErrNotFound):
			// Somebody else was faster; every round one of us gets through.
		default:
			return fmt.Errorf("auth: raising a mark: %w", err)
		}
	}
}

// Revoked reports whether something in store has ended what p's proof can still
// give: for who asks before anything is issued. It goes by p's identity and origin,
// and by the id, family and client of its credential, so far as there are any; a
// cache in front of the store is not asked.
func Revoked(ctx context.Context, store Store, p *Principal) (bool, error) {
	err := newMarks(store).checkNow(ctx, p, namesOf(p)...)
	if errors.Is(err, ErrRevoked) {
		return true, nil
	}
	return false, err
}

// RevokeClient ends all that has been issued to an OAuth 2.0 client until now (RFC
// 6749 section 2.1), whoever granted it: refresh tokens when they are next used,
// access tokens where they answer to what store has revoked. Whoever signed in
// before does so again before the client gets anything of theirs. The client is
// not looked for.
func RevokeClient(ctx context.Context, store Store, clientID string) error {
	if clientID == "" {
		return errors.New("auth: RevokeClient: no client")
	}
	return newMarks(store).raise(ctx, clientMark(clientID), now(), nil)
}
