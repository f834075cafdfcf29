package password

import (
	"context"
	"encoding/json"
	"iter"
	"time"
)

// A User is an account that logs in with a password, as a [UserStore] keeps it.
// It is a value; Scopes and Claims are shared and not written again. Times are
// in UTC and exact to the microsecond.
type User struct {
	// ID is the subject of the user's principals: opaque, never empty, never
	// changed and never given to somebody else. [Users.Register] makes a
	// random one where the caller has none.
	ID string

	// Login is what the user types, as [Options.NormalizeLogin] returns it.
	// It is unique in its store, over all tenants.
	Login string

	// Hash is the stored form of the password, see [Hasher]. Empty: the user
	// has none and cannot log in with one.
	Hash string

	Tenant string
	Tier   string
	Scopes []string
	Claims json.RawMessage // one JSON object, or nil

	// Disabled users keep their password but do not get in with it.
	Disabled bool

	Created time.Time
	Changed time.Time // when the password was last set; a rehash leaves it

	// Revision grows by one with each [UserStore.ReplaceUser]. It starts at
	// random, see auth.NewRevision.
	Revision uint64
}

// A UserStore remembers users. Every method is atomic, honours its context, and
// is safe for concurrent use. What it is given and what it returns is not
// written again by either side.
//
// Errors other than the three of auth.Store mean that the backend could not
// answer; logins are then refused with auth.ErrUnavailable, never with a 401.
// There is no upsert.
type UserStore interface {
	// UserByLogin returns the user with that login, compared byte for byte, or
	// auth.ErrNotFound.
	UserByLogin(ctx context.Context, login string) (User, error)

	// UserByID returns the user with that ID, compared byte for byte, or
	// auth.ErrNotFound.
	UserByID(ctx context.Context, id string) (User, error)

	// InsertUser adds u. Where its Login or its ID is taken it returns
	// auth.ErrExists and changes nothing.
	InsertUser(ctx context.Context, u User) error

	// ReplaceUser changes the user with u's ID to u, whose Revision must be the
	// stored one plus 1. It returns auth.ErrNotFound where none is present,
	// auth.ErrConflict where the revision differs, and auth.ErrExists where
	// u's Login is new and taken by another user.
	ReplaceUser(ctx context.Context, u User) error
}

// A UserWalker walks through all users, in no particular order: an optional
// ability of a [UserStore], for operators, to list and to move users, and never
// for a request. It sees each user once that is there from beginning to end, and
// may miss who is inserted meanwhile. The sequence ends after the first error.
// The loop may call other methods of the store. One that cannot walk after all
// says so by an [errors.ErrUnsupported].
type UserWalker interface {
	Users(ctx context.Context) iter.Seq2[User, error]
}
