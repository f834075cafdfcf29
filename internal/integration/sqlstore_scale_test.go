//go:build linux

package integration_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
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
				const many = 1000 // for -benchtime in runs, of which sweeping has few
				for b.Loop() {
					for range many {
						if _, err := s.Lookup(b.Context(), scaled(rand.IntN(n))); err != nil {
							b.Fatal(err)
						}
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*many), "ns/lookup")
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

// indexes are those beside the primary key. They are made anew when all rows are
// there, which is quicker.
var indexes = map[string]string{
	"auth_records_owned": "ON auth_records (owner, kind, digest) WHERE owner IS NOT NULL",
	"auth_records_kept":  "ON auth_records (keep_until) WHERE keep_until IS NOT NULL",
}

// fill puts n sessions into the database and some that are past their KeepUntil,
// by the engine's own way for many rows.
func fill(b *testing.B, e engine, db *sql.DB, n int) {
	b.Helper()
	start := time.Now()
	conn, err := db.Conn(b.Context())
	require.NoError(b, err)
	defer conn.Close()
	give := func(statements ...string) {
		b.Helper()
		for _, text := range statements {
			_, err := conn.ExecContext(b.Context(), text)
			require.NoError(b, err, text)
		}
	}
	for name := range indexes {
		give("DROP INDEX " + name)
	}
	columns := []string{"digest", "kind", "owner", "revision", "keep_until", "seen", "record"}
	next := rows(n)
	if e.dialect == sqlstore.PostgreSQL {
		require.NoError(b, conn.Raw(func(driver any) error {
			_, err := driver.(*stdlib.Conn).Conn().CopyFrom(b.Context(), pgx.Identifier{"auth_records"}, columns, pgx.CopyFromFunc(func() ([]any, error) {
				return next(), nil
			}))
			return err
		}))
	} else {
		give("PRAGMA synchronous = OFF", "PRAGMA cache_size = -1000000", "BEGIN")
		insert, err := conn.PrepareContext(b.Context(), "INSERT INTO auth_records ("+strings.Join(columns, ", ")+") VALUES (?, ?, ?, ?, ?, ?, ?)")
		require.NoError(b, err)
		for i := 1; ; i++ {
			row := next()
			if row == nil {
				break
			}
			_, err := insert.ExecContext(b.Context(), row...)
			require.NoError(b, err)
			if i%100_000 == 0 {
				give("COMMIT", "BEGIN")
			}
		}
		require.NoError(b, insert.Close())
		give("COMMIT")
	}
	for name, on := range indexes {
		give("CREATE INDEX " + name + " " + on)
	}
	if e.dialect == sqlstore.PostgreSQL {
		give("VACUUM ANALYZE auth_records")
	} else {
		give("PRAGMA synchronous = FULL", "PRAGMA cache_size = -2000", "PRAGMA wal_checkpoint(TRUNCATE)")
	}
	b.Logf("%s: %d sessions in %v", e.name, n, time.Since(start).Round(time.Second))
}

// rows returns a function that returns row after row in the order of their
// digests, and then nil.
func rows(n int) func() []any {
	digests := make([]auth.Digest, n+expired)
	order := make([]int32, len(digests))
	for i := range digests {
		digests[i], order[i] = scaled(i), int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int { return bytes.Compare(digests[a][:], digests[b][:]) })
	now := time.Now().UTC().Truncate(time.Microsecond)
	at := -1
	return func() []any {
		if at++; at == len(order) {
			return nil
		}
		i := int(order[at])
		d, keep := digests[i], now.Add(25*time.Hour)
		if i >= n {
			keep = now.Add(-time.Duration(i) * time.Second)
		}
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
