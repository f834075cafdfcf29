package memstore

import (
	"context"
	"iter"
	"maps"
	"slices"
	"sync"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/password"
)

var (
	_ password.UserStore  = (*Store)(nil)
	_ password.UserWalker = (*Store)(nil)
)

// users keeps the users of a store. They are found when somebody logs in, beside
// the hash of a password: one lock for all of them is quick enough.
type users struct {
	mu      sync.RWMutex
	byID    map[string]*password.User // the users are replaced, not written to
	byLogin map[string]*password.User
}

// UserByLogin returns the user with that login, compared byte for byte, or
// [auth.ErrNotFound].
func (s *Store) UserByLogin(ctx context.Context, login string) (password.User, error) {
	return s.users.find(ctx, &s.users.byLogin, login)
}

// UserByID returns the user with that ID, compared byte for byte, or
// [auth.ErrNotFound].
func (s *Store) UserByID(ctx context.Context, id string) (password.User, error) {
	return s.users.find(ctx, &s.users.byID, id)
}

// InsertUser adds u. Where its Login or its ID is taken it returns
// [auth.ErrExists] and changes nothing.
func (s *Store) InsertUser(ctx context.Context, u password.User) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	us := &s.users
	us.mu.Lock()
	defer us.mu.Unlock()
	if us.byID[u.ID] != nil || us.byLogin[u.Login] != nil {
		return auth.ErrExists
	}
	if us.byID == nil {
		us.byID = make(map[string]*password.User)
		us.byLogin = make(map[string]*password.User)
	}
	us.put(u)
	return nil
}

// ReplaceUser changes the user with u's ID to u, whose Revision must be the
// stored one plus 1. It returns [auth.ErrNotFound] where none is present,
// [auth.ErrConflict] where the revision differs, and [auth.ErrExists] where u's
// Login is new and taken by another user.
func (s *Store) ReplaceUser(ctx context.Context, u password.User) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	us := &s.users
	us.mu.Lock()
	defer us.mu.Unlock()
	old := us.byID[u.ID]
	switch {
	case old == nil:
		return auth.ErrNotFound
	case u.Revision != old.Revision+1:
		return auth.ErrConflict
	case u.Login != old.Login && us.byLogin[u.Login] != nil:
		return auth.ErrExists
	}
	delete(us.byLogin, old.Login)
	us.put(u)
	return nil
}

// Users implements [password.UserWalker]. No lock is held while a user is yielded,
// and those that come while the loop runs are left out.
func (s *Store) Users(ctx context.Context) iter.Seq2[password.User, error] {
	return func(yield func(password.User, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(password.User{}, err)
			return
		}
		for _, id := range s.users.ids() {
			u, err := s.UserByID(ctx, id)
			if err == auth.ErrNotFound {
				continue
			}
			if !yield(u, err) || err != nil {
				return
			}
		}
	}
}

func (us *users) ids() []string {
	us.mu.RLock()
	defer us.mu.RUnlock()
	return slices.Collect(maps.Keys(us.byID))
}

func (us *users) find(ctx context.Context, by *map[string]*password.User, key string) (password.User, error) {
	if err := ctx.Err(); err != nil {
		return password.User{}, err
	}
	us.mu.RLock()
	defer us.mu.RUnlock()
	if u := (*by)[key]; u != nil {
		return *u, nil
	}
	return password.User{}, auth.ErrNotFound
}

func (us *users) put(u password.User) {
	u.Created = timeOf(u.Created.UnixMicro())
	u.Changed = timeOf(u.Changed.UnixMicro())
	us.byID[u.ID], us.byLogin[u.Login] = &u, &u
}
