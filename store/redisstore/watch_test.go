package redisstore_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/internal/servertest"
	"github.com/seed-077cad0b/auth/store/redisstore"
)

// A watching is a call of Watch that goes on.
type watching struct {
	changed chan auth.Digest
	told    chan time.Time
	ended   chan error
}

func watch(ctx context.Context, s *redisstore.Store) watching {
	w := watching{make(chan auth.Digest, 1000), make(chan time.Time, 1000), make(chan error, 1)}
	go func() {
		w.ended <- s.Watch(ctx, func(d auth.Digest) { w.changed <- d }, func(t time.Time) { w.told <- t })
	}()
	return w
}

// within waits for something to come.
func within[A any](t *testing.T, c <-chan A, what string) (a A) {
	t.Helper()
	select {
	case a = <-c:
	case <-time.After(10 * time.Second):
		t.Fatal("waited 10 seconds for " + what)
	}
	return a
}

// A change is heard as soon as it is there, not when the watch is confirmed next.
func TestWatchIsPushed(t *testing.T) {
	everywhere(t, func(t *testing.T, b backend) {
		s, other := b.open(t), b.open(t)
		w := watch(t.Context(), s)
		within(t, w.told, "the watch to begin")
		const changes = 100
		var lags []time.Duration
		for i := range changes {
			d := number(t, i)
			begin := time.Now()
			require.NoError(t, other.Insert(t.Context(), d, record(t.Name())))
			for within(t, w.changed, "a change") != d {
			}
			lags = append(lags, time.Since(begin))
		}
		slices.Sort(lags)
		t.Logf("from the call of Insert to changed: %v, at most %v", lags[changes/2], lags[changes-1])
		require.Less(t, lags[changes/2], 200*time.Millisecond)
	})
}

// Who can no longer hear what changes is told, whatever it is that is wrong.
func TestWatchEndsWithTheConnection(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(redis *servertest.Server, r raw)
	}{
		{"its connection is closed", func(_ *servertest.Server, r raw) { r.run("CLIENT", "KILL", "TYPE", "pubsub") }},
		{"the server is killed", func(redis *servertest.Server, _ raw) { redis.Kill() }},
		{"the server stops in good order", func(redis *servertest.Server, _ raw) { redis.Stop() }},
		{"the server is demoted", func(_ *servertest.Server, r raw) { r.run("REPLICAOF", "127.0.0.1", "1") }},
		{"the server no longer answers", func(redis *servertest.Server, _ raw) { redis.Pause() }},
	} {
		t.Run(c.name, func(t *testing.T) {
			redis := servertest.StartRedis(t)
			s, err := redisstore.Open(t.Context(), redis.URL(), &redisstore.Options{Timeout: siteTimeout})
			require.NoError(t, err)
			defer s.Close()
			w := watch(t.Context(), s)
			within(t, w.told, "the watch to begin")
			r := rawAt(t, redis.URL())
			c.do(redis, r)
			cut := time.Now()
			err = within(t, w.ended, "the watch to end")
			require.Error(t, err)
			require.False(t, errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded), err)
			var last time.Time
			for len(w.told) > 0 {
				last = <-w.told
			}
			require.False(t, last.After(cut), "told of a time when nothing more was heard")
		})
	}
}

// While it watches, nothing of it is the caller's to wait for: a watch that ends
// leaves the store as it was.
func TestTheStoreGoesOnWithoutItsWatch(t *testing.T) {
	everywhere(t, func(t *testing.T, b backend) {
		s := b.open(t)
		for range 3 {
			ctx, cancel := context.WithCancel(t.Context())
			w := watch(ctx, s)
			within(t, w.told, "the watch to begin")
			cancel()
			require.ErrorIs(t, within(t, w.ended, "the watch to end"), context.Canceled)
		}
		require.NoError(t, s.Insert(t.Context(), number(t, 1), record(t.Name())))
	})
}

// Once Watch has returned, nothing is told, however much is on its way.
func TestNothingIsToldAfterTheWatch(t *testing.T) {
	b := backend{servertest.Redis(t), newPrefix()}
	s, other := b.open(t), b.open(t)
	flood, stop := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			for n := 0; flood.Err() == nil; n++ {
				_ = other.Insert(flood, number(t, i+16*n), auth.Record{Kind: "test", KeepUntil: time.Now().Add(time.Minute)})
			}
		})
	}
	for range 30 {
		ctx, cancel := context.WithCancel(t.Context())
		var over atomic.Bool
		heard := 0
		err := s.Watch(ctx, func(auth.Digest) {
			if over.Load() {
				t.Error("told of a change")
			}
			if heard++; heard == 20 {
				cancel()
			}
		}, func(time.Time) {
			if over.Load() {
				t.Error("told of a time")
			}
		})
		over.Store(true)
		require.ErrorIs(t, err, context.Canceled)
	}
	stop()
	all.Wait()
}

func TestMastersOfACluster(t *testing.T) {
	const (
		a       = "aaa 10.0.0.1:6379@16379 myself,master - 0 0 1 connected 0-5460"
		b       = "bbb 10.0.0.2:6379@16379,host master - 0 1 2 connected 5461-10922 10924"
		replica = "ccc 10.0.0.3:6379@16379 slave bbb 0 1 2 connected"
		empty   = "ddd 10.0.0.4:6379@16379 master - 0 1 0 connected"
		c       = "eee 10.0.0.5:6379@16379 master - 0 1 3 connected 10923"
		moving  = "aaa 10.0.0.1:6379@16379 myself,master - 0 0 1 connected 0-5460 [93-<-bbb]"
	)
	for _, test := range []struct {
		name, want string
		lines      []string
	}{
		{"as they were", "", []string{"txt:" + a, b}},
		{"with a replica and an empty node", "", []string{a, b, replica, empty}},
		{"with another master", "10.0.0.5:6379@16379 is a master that is not listened to", []string{a, b, c}},
		{"with another master before all", "10.0.0.5:6379@16379 is a master that is not listened to", []string{"txt:" + c, a, b}},
		{"with slots on their way", "slots of 10.0.0.1:6379@16379 are on their way", []string{moving, b}},
		{"with the other failed over", "10.0.0.5:6379@16379 is a master that is not listened to", []string{a, strings.Replace(b, "master", "master,fail", 1), c}},
	} {
		err := redisstore.CheckMasters(strings.Join(test.lines, "\n")+"\n", []string{"aaa", "bbb"})
		if test.want == "" {
			require.NoError(t, err, test.name)
		} else {
			require.EqualError(t, err, test.want, test.name)
		}
	}
}
