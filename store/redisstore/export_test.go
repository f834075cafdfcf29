package redisstore

import (
	"context"
	"time"

	"github.com/redis/rueidis"

	"github.com/seed-077cad0b/auth"
)

var (
	ErrLate      = errLate
	CheckMasters = checkMasters
)

// InsertAt inserts a record whose entry was written at t.
func InsertAt(s *Store, d auth.Digest, r auth.Record, t time.Time) error {
	return s.insert(context.Background(), &r, entry{homeOf(&r), d, uint64(t.UnixMicro())})
}

// ReplaceAt replaces a record whose new entry was written at t.
func ReplaceAt(s *Store, d auth.Digest, r auth.Record, t time.Time) error {
	_, err := s.replace(context.Background(), &r, &entry{homeOf(&r), d, uint64(t.UnixMicro())}, "listed")
	return err
}

// Relist writes the entry of a record again, to be kept as long as r says.
func Relist(s *Store, d auth.Digest, r auth.Record, stamp uint64) error {
	_, err := s.enlist(context.Background(), entry{homeOf(&r), d, stamp}, expiry(&r))
	return err
}

// Client returns the client of a store.
func Client(s *Store) rueidis.Client { return s.client }
