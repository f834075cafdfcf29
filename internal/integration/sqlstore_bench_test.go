//go:build linux

package integration_test

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/store/sqlstore"
	"github.com/seed-077cad0b/auth/store/storetest"
)

func BenchmarkSQLStore(b *testing.B) {
	for _, e := range engines {
		b.Run(e.name, func(b *testing.B) {
			name := e.migrated(b)
			storetest.Bench(b, func(tb testing.TB) auth.Store { return e.store(tb, e.connect(tb, name), sqlstore.Options{}) })
		})
	}
}

// BenchmarkSQLLookup holds a look-up against the same row, read as bytes by a
// prepared statement on the same pool. Both take turns, so that whatever else the
// machine does falls on both. CPU is this process's, which for SQLite holds the
// database as well.
func BenchmarkSQLLookup(b *testing.B) {
	for _, e := range engines {
		b.Run(e.name, func(b *testing.B) {
			db := e.connect(b, e.migrated(b))
			store := e.store(b, db, sqlstore.Options{})
			digests := make([]auth.Digest, 1000)
			for i := range digests {
				digests[i] = auth.DigestOf(auth.KindSession, fmt.Sprint(i))
				require.NoError(b, store.Insert(b.Context(), digests[i], session(i)))
			}
			place := "?"
			if e.dialect == sqlstore.PostgreSQL {
				place = "$1"
			}
			raw, err := db.Prepare("SELECT record FROM auth_records WHERE digest = " + place)
			require.NoError(b, err)
			b.Cleanup(func() { _ = raw.Close() })

			ways := map[string]func(d *auth.Digest) error{
				"store": func(d *auth.Digest) error {
					_, err := store.Lookup(b.Context(), *d)
					return err
				},
				"raw": func(d *auth.Digest) error {
					var record []byte
					return raw.QueryRowContext(b.Context(), d[:]).Scan(&record)
				},
			}
			cost := map[string]*usage{"store": {}, "raw": {}}
			for i := 0; b.Loop(); i++ {
				for way, look := range ways {
					cost[way].measure(func() {
						for j := range 100 {
							if err := look(&digests[(i*100+j)%len(digests)]); err != nil {
								b.Fatal(err)
							}
						}
					})
				}
			}
			lookups := float64(b.N) * 100
			for way, u := range cost {
				b.ReportMetric(float64(u.time.Nanoseconds())/lookups, way+"-ns/lookup")
				b.ReportMetric(float64(u.cpu.Nanoseconds())/lookups, way+"-cpu-ns/lookup")
			}
			b.ReportMetric(float64(cost["store"].time)/float64(cost["raw"].time), "time-ratio")
			b.ReportMetric(float64(cost["store"].cpu)/float64(cost["raw"].cpu), "cpu-ratio")
		})
	}
}

// usage is what something took, by the clock and of the processor.
type usage struct{ time, cpu time.Duration }

func (u *usage) measure(f func()) {
	begin, before := time.Now(), cpuTime()
	f()
	u.time += time.Since(begin)
	u.cpu += cpuTime() - before
}

func cpuTime() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		panic(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// session returns a record like that of a session of the i-th owner.
func session(i int) auth.Record {
	now := time.Now().UTC().Truncate(time.Microsecond)
	p := &auth.Principal{
		Subject: fmt.Sprintf("user-%d", i), Scopes: []string{"read", "write"},
		Origin: auth.Origin{Kind: auth.KindPassword, Time: now},
	}
	return auth.Record{
		Kind: auth.KindSession, Owner: auth.DigestOf("owner", p.Subject), Principal: p, Revision: auth.NewRevision(),
		Created: now, Expires: now.Add(time.Hour), KeepUntil: now.Add(25 * time.Hour), Seen: now,
	}
}
