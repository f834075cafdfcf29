//go:build linux

package integration_test

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/store/sqlstore"
)

// scales are how many sessions a database holds while it is measured.
// AUTH_SCALE sets others, such as 10000,10000000.
func scales(b *testing.B) []int {
	var all []int
	for text := range strings.SplitSeq(os.Getenv("AUTH_SCALE"), ",") {
		if text == "" {
			return []int{10_000, 100_000}
		}
		n, err := strconv.Atoi(text)
		require.NoError(b, err, "AUTH_SCALE")
		all = append(all, n)
	}
	return all
}

// expired is how many records past their KeepUntil there are beside.
const expired = 50_000

func scaled(i int) auth.Digest { return auth.DigestOf(auth.KindSession, fmt.Sprintf("ses_%039d", i)) }

// BenchmarkScale tells what a look-up and the removal of an expired record cost,
// among few sessions and among many.
func BenchmarkScale(b *testing.B) {
	for _, e := range engines {
		if e.dialect == sqlstore.MySQL {
			continue // as PostgreSQL, but without a way to fill it in minutes
		}
		for _, n := range scales(b) {
			db := e.connect(b, e.migrated(b))
			fill(b, e, db, n)
			s := e.store(b, db, sqlstore.Options{})
			b.Run(fmt.Sprintf("%s/lookup/%d", e.name, n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, err := s.Lookup(b.Context(), scaled(rand.IntN(n))); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run(fmt.Sprintf("%s/sweep/%d", e.name, n), func(b *testing.B) {
				swept := 0
				start := time.Now()
				for b.Loop() {
					gone, err := s.Sweep(b.Context(), 1000)
					require.NoError(b, err)
					if gone == 0 {
						b.Fatal("nothing left to sweep: give -benchtime in runs, at most 50x in all")
					}
					swept += gone
				}
				b.ReportMetric(float64(time.Since(start).Nanoseconds())/float64(swept), "ns/row")
			})
		}
	}
}

// fill puts n sessions into the database and some that are past their KeepUntil,
// by the engine's own way for many rows.
func fill(b *testing.B, e engine, db *sql.DB, n int) {
	b.Helper()
	start := time.Now()
	columns := []string{"digest", "kind", "owner", "revision", "keep_until", "seen", "record"}
	next := rows(n)
	if e.dialect == sqlstore.PostgreSQL {
		conn, err := db.Conn(b.Context())
		require.NoError(b, err)
		defer conn.Close()
		require.NoError(b, conn.Raw(func(driver any) error {
			_, err := driver.(*stdlib.Conn).Conn().CopyFrom(b.Context(), pgx.Identifier{"auth_records"}, columns, pgx.CopyFromFunc(func() ([]any, error) {
				return next(), nil
			}))
			return err
		}))
		_, err = db.ExecContext(b.Context(), "VACUUM ANALYZE auth_records")
		require.NoError(b, err)
	} else {
		tx, err := db.BeginTx(b.Context(), nil)
		require.NoError(b, err)
		insert, err := tx.PrepareContext(b.Context(), "INSERT INTO auth_records ("+strings.Join(columns, ", ")+") VALUES (?, ?, ?, ?, ?, ?, ?)")
		require.NoError(b, err)
		for row := next(); row != nil; row = next() {
			_, err := insert.ExecContext(b.Context(), row...)
			require.NoError(b, err)
		}
		require.NoError(b, tx.Commit())
	}
	b.Logf("%s: %d sessions in %v", e.name, n, time.Since(start).Round(time.Second))
}

// rows returns a function that returns row after row, and then nil.
func rows(n int) func() []any {
	now := time.Now().UTC().Truncate(time.Microsecond)
	i := -1
	return func() []any {
		i++
		keep := now.Add(25 * time.Hour)
		switch {
		case i >= n+expired:
			return nil
		case i >= n:
			keep = now.Add(-time.Duration(i) * time.Second)
		}
		d := scaled(i)
		p := &auth.Principal{
			Subject: strconv.Itoa(i / 3), Scopes: []string{"read", "write"},
			Origin:     auth.Origin{Kind: auth.KindPassword, ID: strconv.Itoa(i / 3), Time: now},
			Credential: auth.Credential{ID: d.String(), Kind: auth.KindSession, Family: d.String(), Created: now, Expires: now.Add(24 * time.Hour)},
		}
		r := auth.Record{
			Kind: auth.KindSession, Owner: p.Owner(), Principal: p, Revision: auth.NewRevision(),
			Created: now, Expires: now.Add(24 * time.Hour), KeepUntil: keep, Seen: now,
		}
		data, _ := r.MarshalBinary()
		return []any{d[:], []byte(r.Kind), r.Owner[:], int64(r.Revision), keep.UnixMicro(), now.UnixMicro(), data}
	}
}
