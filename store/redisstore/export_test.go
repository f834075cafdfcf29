package redisstore

import (
	"context"
	"strconv"
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

// InsertExpiring inserts a record that the server lets go of at t.
func InsertExpiring(s *Store, d auth.Digest, r auth.Record, t time.Time) error {
	return s.run(context.Background(), insertScript, s.key(&d), string(newValue(&r, &entry{})), millis(t), now(), s.channel, string(d[:]), "").Error()
}

// ReplaceExpiring replaces a record by one that the server lets go of at t.
func ReplaceExpiring(s *Store, d auth.Digest, r auth.Record, t time.Time) error {
	return s.run(context.Background(), replaceScript, s.key(&d), string(newValue(&r, &entry{})), millis(t), now(), s.channel, string(d[:]),
		number(r.Revision-1), "", "listed").Error()
}

func millis(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }

// Relist writes the entry of a record again, to be kept as long as r says.
func Relist(s *Store, d auth.Digest, r auth.Record, stamp uint64) error {
	_, err := s.enlist(context.Background(), entry{homeOf(&r), d, stamp}, expiry(&r))
	return err
}

// Client returns the client of a store.
func Client(s *Store) rueidis.Client { return s.client }
