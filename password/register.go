package password

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/internal/strictjson"
)

// Register adds a user with a password and returns them as they are stored. Of
// template it takes Login and, where they are set, ID, Tenant, Tier, Scopes,
// Claims and Disabled; the others must be zero. Without an ID it makes a random
// one in the shape of a UUID.
//
// The error is a [Rule] where the login or the password is refused, and
// auth.ErrExists where the login or the ID is taken. Who tells that to a
// stranger tells them who has an account; where that matters, answer alike and
// send mail to the address instead.
func (u *Users) Register(ctx context.Context, template User, password string) (User, error) {
	user, err := u.newUser(template)
	if err != nil {
		return User{}, err
	}
	if err := u.policy.check(ctx, user.Login, password); err != nil {
		return User{}, err
	}
	if user.Hash, err = u.hasher.Hash(ctx, password); err != nil {
		return User{}, err
	}
	return u.insert(ctx, user)
}

// Import adds a user whose password was hashed elsewhere, in a form that
// [Hasher.Verify] knows, as template.Hash; otherwise it is as Register. The
// user's first login replaces the hash. An empty Hash adds a user without a
// password, who sets one with a reset token.
//
// The error is [ErrUnusable] where the hash is of no such form.
func (u *Users) Import(ctx context.Context, template User) (User, error) {
	stored := template.Hash
	template.Hash = ""
	user, err := u.newUser(template)
	if err != nil {
		return User{}, err
	}
	if stored != "" {
		if _, err := parse(stored); err != nil {
			return User{}, err
		}
	}
	user.Hash = stored
	return u.insert(ctx, user)
}

// newUser returns the user that a template asks for, without a hash.
func (u *Users) newUser(template User) (User, error) {
	user := template
	if user.Hash != "" || !user.Created.IsZero() || !user.Changed.IsZero() || user.Revision != 0 {
		return User{}, errors.New("password: a new user's Hash, Created, Changed and Revision are not the caller's to set")
	}
	login, err := u.normalize(user.Login)
	if err != nil {
		return User{}, ruleOr(err, ErrLogin)
	}
	if login == "" {
		return User{}, ErrLogin
	}
	user.Login = login
	if user.Claims != nil {
		if err := strictjson.Object(user.Claims, nil); err != nil {
			return User{}, fmt.Errorf("password: User.Claims: %w", err)
		}
	}
	if user.ID == "" {
		user.ID = auth.UUIDForm().New()
	}
	user.Created = now()
	user.Changed = user.Created
	user.Revision = auth.NewRevision()
	return user, nil
}

func (u *Users) insert(ctx context.Context, user User) (User, error) {
	if err := u.store.InsertUser(ctx, user); err != nil {
		return User{}, fmt.Errorf("password: adding a user: %w", err)
	}
	u.tell(ctx, EventRegistered, user, nil)
	return user, nil
}

// errGone tells a user that is not there from a record of something else.
var errGone = fmt.Errorf("password: no such user: %w", auth.ErrNotFound)

// attempts bounds how often a change begins anew because somebody else has
// changed the user in between.
const attempts = 8

// change reads a user, has edit change them, and stores that, anew as long as
// others are faster.
func (u *Users) change(ctx context.Context, id string, edit func(*User) error) (User, error) {
	var err error
	for range attempts {
		var user User
		user, err = u.store.UserByID(auth.Uncached(ctx), id)
		switch {
		case errors.Is(err, auth.ErrNotFound), err == nil && user.ID != id:
			return User{}, errGone
		case err != nil:
			return User{}, fmt.Errorf("password: looking up a user: %w", err)
		}
		if err = edit(&user); err != nil {
			return User{}, err
		}
		user.Revision++
		if err = u.store.ReplaceUser(ctx, user); err == nil {
			return user, nil
		}
		if errors.Is(err, auth.ErrNotFound) {
			return User{}, errGone
		}
		if !errors.Is(err, auth.ErrConflict) {
			break
		}
	}
	return User{}, fmt.Errorf("password: changing a user: %w", err)
}

// set puts a new hash into user. Changed always moves, which ends the reset
// tokens made before.
func (user *User) set(hash string) {
	user.Hash = hash
	t := now()
	if !t.After(user.Changed) {
		t = user.Changed.Add(time.Microsecond)
	}
	user.Changed = t
}
