package password

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/seed-077cad0b/auth"
)

// The kinds of the records of [UserRecords]. They are no credentials.
const (
	KindUser  auth.Kind = "user"  // a user, under the digest of their ID
	KindLogin auth.Kind = "login" // who has a login, under its digest
)

// UserRecords is a [UserStore] that any [auth.Store] can keep, by its four
// methods alone. It is for stores that keep no users themselves. Who holds a
// login is decided by one record at a time, so everything that UserStore
// promises holds between all processes that share the store, and where one is
// killed on the way.
//
// Behind a cache, what is read may be late; what is written is decided by what
// the store holds.
type UserRecords struct {
	store  auth.Store
	walker auth.Walker // nil: it is none
}

var (
	_ UserStore  = (*UserRecords)(nil)
	_ UserWalker = (*UserRecords)(nil)
)

// NewUserRecords returns the users of a store. Where the store keeps users by
// itself, as memstore and sqlstore do, give [NewUsers] the store: those are others.
func NewUserRecords(store auth.Store) (*UserRecords, error) {
	if store == nil {
		return nil, errors.New("password: NewUserRecords: nil store")
	}
	walker, _ := auth.StoreAbility[auth.Walker](store)
	return &UserRecords{store, walker}, nil
}

// UserByID implements [UserStore] in one look-up.
func (s *UserRecords) UserByID(ctx context.Context, id string) (User, error) {
	r, err := s.store.Lookup(ctx, userDigest(id))
	if err != nil {
		return User{}, err
	}
	return userOf(r)
}

// UserByLogin implements [UserStore] in two look-ups, for a login that nobody has
// as well: the time tells no stranger who has an account.
func (s *UserRecords) UserByLogin(ctx context.Context, login string) (User, error) {
	var c claim
	r, err := s.store.Lookup(ctx, loginDigest(login))
	if err == nil {
		c, err = claimOf(r)
	}
	if err != nil && !errors.Is(err, auth.ErrNotFound) {
		return User{}, err
	}
	u, err := s.UserByID(ctx, c.id)
	if err == nil && u.Login != login {
		return User{}, auth.ErrNotFound
	}
	return u, err
}

// InsertUser implements [UserStore]. It writes three times. Where somebody is
// just getting the same login it waits to see whether they do, a second at most.
func (s *UserRecords) InsertUser(ctx context.Context, u User) error {
	if u.ID == "" {
		return errors.New("password: a user needs an ID")
	}
	data, err := u.MarshalBinary()
	if err != nil {
		return err
	}
	ctx = auth.Uncached(ctx)
	for range attempts {
		r, err := s.reserve(ctx, u.ID)
		if err == nil {
			err = s.claim(ctx, u.Login, claim{u.ID, r.Revision})
		}
		if err == nil {
			err = s.put(ctx, u.ID, r, data)
		}
		if !overtaken(err) {
			return err
		}
	}
	return errContended
}

// ReplaceUser implements [UserStore]. It reads once and writes once; where the
// Login changes it does what [UserRecords.InsertUser] does, too.
func (s *UserRecords) ReplaceUser(ctx context.Context, u User) error {
	data, err := u.MarshalBinary()
	if err != nil {
		return err
	}
	ctx = auth.Uncached(ctx)
	for range attempts {
		r, err := s.store.Lookup(ctx, userDigest(u.ID))
		if err != nil {
			return err
		}
		old, err := userOf(r)
		switch {
		case err != nil:
			return err
		case u.Revision != old.Revision+1:
			return auth.ErrConflict
		}
		if u.Login == old.Login {
			err = s.put(ctx, u.ID, r, data)
		} else {
			err = s.rename(ctx, r, old.Login, u, data)
		}
		if !overtaken(err) {
			return err
		}
	}
	return errContended
}

// Users implements [UserWalker] where the store is an [auth.Walker]; else the
// sequence is an [errors.ErrUnsupported].
func (s *UserRecords) Users(ctx context.Context) iter.Seq2[User, error] {
	return func(yield func(User, error) bool) {
		if s.walker == nil {
			yield(User{}, fmt.Errorf("password: %T is no auth.Walker: listing its users is %w", s.store, errors.ErrUnsupported))
			return
		}
		for e, err := range s.walker.Walk(ctx, KindUser) {
			var u User
			if err == nil {
				u, err = userOf(e.Record)
			}
			if errors.Is(err, auth.ErrNotFound) {
				continue // reserved
			}
			if !yield(u, err) || err != nil {
				return
			}
		}
	}
}

// rename puts a user whose login is another one from now on.
func (s *UserRecords) rename(ctx context.Context, r auth.Record, from string, u User, data []byte) error {
	err := s.claim(ctx, u.Login, claim{u.ID, r.Revision})
	if err == nil {
		err = s.put(ctx, u.ID, r, data)
	}
	if err != nil {
		s.release(ctx, u.Login)
		return err
	}
	s.release(ctx, from)
	return nil
}

// reserved is how long the record of a user waits for the user. Clocks may differ
// by nearly as much.
const reserved = time.Hour

// reserve returns the record that is to become the user with that ID: an empty
// one, which is no user. It returns ErrExists where there is a user.
func (s *UserRecords) reserve(ctx context.Context, id string) (auth.Record, error) {
	t := now()
	r := auth.Record{Kind: KindUser, Revision: auth.NewRevision(), Created: t, KeepUntil: t.Add(reserved)}
	err := s.store.Insert(ctx, userDigest(id), r)
	if !errors.Is(err, auth.ErrExists) {
		return r, err
	}
	// Of several who insert one ID, each goes on from the same record.
	r, err = s.store.Lookup(ctx, userDigest(id))
	if err == nil && len(r.Data) > 0 {
		err = auth.ErrExists
	}
	return r, err
}

// put makes of the record r, unless it has changed, that of a user.
func (s *UserRecords) put(ctx context.Context, id string, r auth.Record, user []byte) error {
	r.Revision++
	r.Data, r.KeepUntil = user, time.Time{}
	return s.store.Replace(ctx, userDigest(id), r)
}

// overtaken reports whether a user's record has changed under us.
func overtaken(err error) bool {
	return errors.Is(err, auth.ErrConflict) || errors.Is(err, auth.ErrNotFound)
}

var errContended = errors.New("password: a user is being changed too often")

func userDigest(id string) auth.Digest { return auth.DigestOf(KindUser, id) }

// userOf returns the user in a record, or ErrNotFound where it is reserved only.
func userOf(r auth.Record) (u User, err error) {
	if len(r.Data) == 0 {
		return User{}, auth.ErrNotFound
	}
	err = u.UnmarshalBinary(r.Data)
	return u, err
}
