//go:build linux

package integration_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth/store/sqlstore"
)

// Row 99: what is past its KeepUntil goes by itself, and the rest stays; with it,
// what is past by so little that other clocks may not say so.
func TestSQLStoreSweepsByItself(t *testing.T) {
	eachEngine(t, func(t *testing.T, e engine) {
		name := e.migrated(t)
		if e.dialect == sqlstore.SQLite {
			name = withParams(name, "_pragma=synchronous(off)")
		}
		db := e.connect(t, name)
		s := e.store(t, db, sqlstore.Options{})
		for i := range 1305 {
			r := session(i)
			if i >= 5 {
				r.KeepUntil = time.Now().Add(-time.Hour - time.Duration(i)*time.Millisecond)
			}
			if i >= 1302 {
				r.KeepUntil = time.Now().Add(-time.Second)
			}
			require.NoError(t, s.Insert(t.Context(), anyDigest(), r))
		}
		count := func() (n int) {
			require.NoError(t, db.QueryRow("SELECT COUNT(*) FROM auth_records").Scan(&n))
			return n
		}
		require.Equal(t, 1305, count())
		for _, want := range []struct{ limit, swept int }{{-1, 0}, {0, 0}, {3, 3}, {1010, 1010}} {
			require.Equal(t, want.swept, must(s.Sweep(t.Context(), want.limit)))
		}
		sweeping, err := sqlstore.New(t.Context(), db, e.dialect, &sqlstore.Options{SweepEvery: 10 * time.Millisecond})
		require.NoError(t, err)
		require.Eventually(t, func() bool { return count() == 8 }, 30*time.Second, 10*time.Millisecond)
		require.Equal(t, 3, must(sweeping.Sweep(t.Context(), 10)), "which is exact")
		require.NoError(t, sweeping.Close())
		require.ErrorContains(t, sweeping.Insert(t.Context(), anyDigest(), session(0)), "closed")
	})
}

// A sweep that fails is told, and does not end the sweeping.
func TestSQLSweepThatFailsIsTold(t *testing.T) {
	db := sqlite.connect(t, sqlite.migrated(t))
	told := make(lines, 100)
	s, err := sqlstore.New(t.Context(), db, sqlstore.SQLite, &sqlstore.Options{
		SweepEvery: time.Millisecond, Logger: slog.New(slog.NewTextHandler(told, nil)),
	})
	require.NoError(t, err)
	_, err = db.Exec("ALTER TABLE auth_records RENAME TO elsewhere")
	require.NoError(t, err)
	for range 2 {
		require.Contains(t, <-told, "expired records were not swept")
	}
	_, err = db.Exec("ALTER TABLE elsewhere RENAME TO auth_records")
	require.NoError(t, err)
	gone := session(0)
	gone.KeepUntil = time.Now().Add(-time.Hour)
	require.NoError(t, s.Insert(t.Context(), anyDigest(), gone))
	require.Eventually(t, func() bool {
		var n int
		require.NoError(t, db.QueryRow("SELECT COUNT(*) FROM auth_records").Scan(&n))
		return n == 0
	}, 30*time.Second, time.Millisecond)
	require.NoError(t, s.Close())
}

type lines chan string

func (l lines) Write(line []byte) (int, error) {
	select {
	case l <- string(line):
	default:
	}
	return len(line), nil
}

// TestSQLSweepPassesOverWhatIsLocked sweeps what nobody else is sweeping.
func TestSQLSweepPassesOverWhatIsLocked(t *testing.T) {
	name := postgres.migrated(t)
	s := postgres.store(t, postgres.connect(t, name), sqlstore.Options{})
	gone := session(0)
	gone.KeepUntil = time.Now().Add(-time.Hour)
	for range 3 {
		require.NoError(t, s.Insert(t.Context(), anyDigest(), gone))
	}
	other, err := postgres.connect(t, name).BeginTx(t.Context(), nil)
	require.NoError(t, err)
	_, err = other.Exec("DELETE FROM auth_records WHERE digest = (SELECT digest FROM auth_records LIMIT 1)")
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	require.Equal(t, 2, must(s.Sweep(ctx, 10)))
	require.NoError(t, other.Rollback())
	require.Equal(t, 1, must(s.Sweep(ctx, 10)))
}
