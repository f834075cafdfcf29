package redisstore_test

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/internal/servertest"
	"github.com/seed-077cad0b/auth/store/redisstore"
)

// follow makes a server a replica of another, and waits until it has its data.
func (r raw) follow(master string) {
	r.t.Helper()
	u, err := url.Parse(master)
	require.NoError(r.t, err)
	password, _ := u.User.Password()
	r.run("CONFIG", "SET", "masterauth", password)
	r.run("REPLICAOF", u.Hostname(), u.Port())
	r.comes("replication", "master_link_status:up")
}

// comes waits until a section of INFO has a line.
func (r raw) comes(section, line string) {
	r.t.Helper()
	require.Eventually(r.t, func() bool {
		info, err := r.run("INFO", section)[0].ToString()
		return err == nil && strings.Contains(info, line)
	}, 20*time.Second, 20*time.Millisecond, line)
}

// After a failover the old master knows what has been revoked since. From when it
// is demoted on, nothing that it says is an answer.
func TestADemotedServerAnswersNothing(t *testing.T) {
	a, b := servertest.StartRedis(t), servertest.StartRedis(t)
	old, other := rawAt(t, a.URL()), rawAt(t, b.URL())
	s, err := redisstore.Open(t.Context(), a.URL(), nil)
	require.NoError(t, err)
	defer s.Close()
	d, r := number(t, 1), record(t.Name())
	require.NoError(t, s.Insert(t.Context(), d, r))
	w := watch(t.Context(), s)
	within(t, w.told, "the watch to begin")

	other.follow(a.URL())
	other.run("REPLICAOF", "NO", "ONE")
	old.follow(b.URL())
	require.ErrorContains(t, within(t, w.ended, "the watch to end"), "a replica")
	requireNoAnswers(t, s, "its link is up")
	old.run("REPLICAOF", "127.0.0.1", "1")
	heir, err := redisstore.Open(t.Context(), b.URL(), nil)
	require.NoError(t, err)
	defer heir.Close()
	_, err = heir.Take(t.Context(), d)
	require.NoError(t, err)
	requireNoAnswers(t, s, "its link is down")
	old.run("CONFIG", "RESETSTAT")
	requireReplica(t, calls(t, s)["LookupAll"](t.Context()), "LookupAll", "it is counted")
	require.Equal(t, "mget 1 role 1", sent(t, old), "asked again")
	old.run("CLIENT", "KILL", "TYPE", "normal")
	_, err = s.Lookup(t.Context(), d) // connects, as a read is tried again
	requireReplica(t, err, "Lookup", "its connection has been closed")
	requireNoAnswers(t, s, "it is connected to anew")

	old.follow(b.URL())
	old.run("REPLICAOF", "NO", "ONE")
	_, err = s.Lookup(t.Context(), d)
	require.ErrorIs(t, err, auth.ErrNotFound, "a master again")
}

// requireNoAnswers wants an outage of every method, about a record that is there
// and one that is not, and in no other words than that it is a replica.
func requireNoAnswers(t *testing.T, s *redisstore.Store, when string) {
	t.Helper()
	all, ctx, absent := calls(t, s), t.Context(), number(t, 2)
	l := limiter(t, s, "demoted", auth.Rate{Limit: 1, Per: time.Hour})
	for name, call := range map[string]func() error{
		"Lookup of none":       func() error { _, err := s.Lookup(ctx, absent); return err },
		"Take of none":         func() error { _, err := s.Take(ctx, absent); return err },
		"Replace of none":      func() error { return s.Replace(ctx, absent, record(t.Name())) },
		"Touch of none":        func() error { return s.Touch(ctx, map[auth.Digest]time.Time{absent: time.Now()}) },
		"Allow of no cost":     func() error { _, err := l.Allow(ctx, "key", 0); return err },
		"Insert of no owner":   func() error { return s.Insert(ctx, number(t, 1), auth.Record{Kind: "test"}) },
		"List of nobody's":     func() error { return first(s.List(ctx, auth.DigestOf("owner", "nobody"), "test")) },
		"Walk of no such kind": func() error { return first(s.Walk(ctx, "none")) },
	} {
		require.NotContains(t, all, name)
		requireReplica(t, call(), name, when)
	}
	for name, call := range all {
		requireReplica(t, call(ctx), name, when)
	}
}

func requireReplica(t *testing.T, err error, name, when string) {
	t.Helper()
	require.ErrorContains(t, err, "replica", "%s when %s", name, when)
	for _, answer := range []error{auth.ErrNotFound, auth.ErrExists, auth.ErrConflict} {
		require.False(t, errors.Is(err, answer), "%s when %s: %v", name, when, err)
	}
}

// first returns the error that a loop begins with.
func first(all func(yield func(auth.Entry, error) bool)) error {
	for _, err := range all {
		return err
	}
	return nil
}

// A walk that is under way when its server is demoted does not end as if it had
// seen everything.
func TestAWalkEndsWhereItsServerIsDemoted(t *testing.T) {
	redis := servertest.StartRedis(t)
	s, err := redisstore.Open(t.Context(), redis.URL(), nil)
	require.NoError(t, err)
	defer s.Close()
	const many = 3000 // more than one step
	for i := range many {
		require.NoError(t, s.Insert(t.Context(), number(t, i), auth.Record{Kind: "test"}))
	}
	seen := 0
	for _, err = range s.Walk(t.Context(), "test") {
		if err != nil {
			break
		}
		if seen++; seen == 1 {
			rawAt(t, redis.URL()).run("REPLICAOF", "127.0.0.1", "1")
		}
	}
	require.ErrorContains(t, err, "a replica")
	require.Less(t, seen, many)
}

// A master that refuses writes as its snapshot has failed goes on answering
// look-ups, and is a replica nevertheless when it is one.
func TestAFailedSnapshotLogsNobodyOut(t *testing.T) {
	redis := servertest.StartRedis(t)
	s, err := redisstore.Open(t.Context(), redis.URL(), nil)
	require.NoError(t, err)
	defer s.Close()
	d, r := number(t, 1), record(t.Name())
	require.NoError(t, s.Insert(t.Context(), d, r))
	operator := rawAt(t, redis.URL())
	operator.run("CONFIG", "SET", "save", "3600 1000000", "rdb-key-save-delay", "10000000")
	operator.run("BGSAVE")
	operator.killSnapshot()
	operator.comes("persistence", "rdb_last_bgsave_status:err")
	require.ErrorContains(t, s.Insert(t.Context(), number(t, 2), r), "MISCONF")
	got, err := s.Lookup(t.Context(), d)
	require.NoError(t, err)
	require.Equal(t, r, got)
	_, err = s.Lookup(t.Context(), number(t, 2))
	require.ErrorIs(t, err, auth.ErrNotFound)
	operator.run("REPLICAOF", "127.0.0.1", "1")
	_, err = s.Lookup(t.Context(), d)
	requireReplica(t, err, "Lookup", "its snapshot has failed")
}

// killSnapshot kills the process that writes one.
func (r raw) killSnapshot() {
	r.t.Helper()
	info, err := r.run("INFO", "server")[0].ToString()
	require.NoError(r.t, err)
	_, rest, _ := strings.Cut(info, "process_id:")
	server, _, _ := strings.Cut(rest, "\r")
	children, err := os.ReadFile(fmt.Sprintf("/proc/%s/task/%s/children", server, server))
	require.NoError(r.t, err)
	child, err := strconv.Atoi(strings.TrimSpace(string(children)))
	require.NoError(r.t, err)
	require.NoError(r.t, syscall.Kill(child, syscall.SIGKILL))
}

// What the server would forget at once, as its clock is ahead by more than the
// grace, has not been kept, and is not said to be: it might be spent once more.
func TestAServerWhoseClockIsAhead(t *testing.T) {
	b := backend{servertest.Redis(t), newPrefix()}
	s := b.open(t)
	w := watch(t.Context(), s)
	within(t, w.told, "the watch to begin")
	d, r := number(t, 1), auth.Record{Kind: "test", Revision: 1, KeepUntil: time.Now().Add(time.Hour)}
	next := r
	next.Revision++
	past, later := time.Now().Add(-time.Millisecond), time.Now().Add(time.Hour)

	require.ErrorContains(t, redisstore.InsertExpiring(s, d, r, past), "clock")
	_, err := s.Lookup(t.Context(), d)
	require.ErrorIs(t, err, auth.ErrNotFound)
	require.NoError(t, redisstore.InsertExpiring(s, d, r, later))
	require.Equal(t, d, within(t, w.changed, "the first change"))
	require.ErrorContains(t, redisstore.ReplaceExpiring(s, d, next, past), "clock")
	got, err := s.Lookup(t.Context(), d)
	require.NoError(t, err)
	require.Equal(t, r.Revision, got.Revision)
	require.NoError(t, redisstore.ReplaceExpiring(s, d, next, later))

	// Whose time is over by every clock need not be kept.
	gone := r
	gone.KeepUntil = past
	require.NoError(t, redisstore.InsertExpiring(s, number(t, 2), gone, past))
	require.Equal(t, []auth.Digest{d, number(t, 2)}, []auth.Digest{within(t, w.changed, "the second"), within(t, w.changed, "the third")})
}
