package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"iter"
	"time"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/password"
)

var errSoon = errors.New("sqlstore: not written yet")

func Migrate(ctx context.Context, db *sql.DB, d Dialect) error { return errSoon }

func New(ctx context.Context, db *sql.DB, d Dialect, o *Options) (*Store, error) { return nil, errSoon }

func (s *Store) Close() error { return errSoon }

func (s *Store) Lookup(ctx context.Context, d auth.Digest) (auth.Record, error) {
	return auth.Record{}, errSoon
}
func (s *Store) Insert(ctx context.Context, d auth.Digest, r auth.Record) error  { return errSoon }
func (s *Store) Replace(ctx context.Context, d auth.Digest, r auth.Record) error { return errSoon }
func (s *Store) Take(ctx context.Context, d auth.Digest) (auth.Record, error) {
	return auth.Record{}, errSoon
}
func (s *Store) List(ctx context.Context, owner auth.Digest, k auth.Kind) iter.Seq2[auth.Entry, error] {
	return nil
}
func (s *Store) LookupAll(ctx context.Context, k auth.Kind, digests []auth.Digest, records []auth.Record) error {
	return errSoon
}
func (s *Store) Touch(ctx context.Context, seen map[auth.Digest]time.Time) error { return errSoon }
func (s *Store) Sweep(ctx context.Context, limit int) (int, error)               { return 0, errSoon }
func (s *Store) Walk(ctx context.Context, k auth.Kind) iter.Seq2[auth.Entry, error] {
	return nil
}
func (s *Store) UserByLogin(ctx context.Context, login string) (password.User, error) {
	return password.User{}, errSoon
}
func (s *Store) UserByID(ctx context.Context, id string) (password.User, error) {
	return password.User{}, errSoon
}
func (s *Store) InsertUser(ctx context.Context, u password.User) error  { return errSoon }
func (s *Store) ReplaceUser(ctx context.Context, u password.User) error { return errSoon }
func (s *Store) Users(ctx context.Context) iter.Seq2[password.User, error] {
	return nil
}
