package storetest_test

import (
	"context"
	"errors"
	"iter"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/password"
	"github.com/seed-077cad0b/auth/store/memstore"
	"github.com/seed-077cad0b/auth/store/storetest"
)

// A broken implementation has one fault. It is caught by a claim, which names the
// fault, and by no others than those that begin with one of along.
type broken struct {
	fault  string
	caught string
	along  []string
}

// everywhere is where a fault may show that concerns all.
var everywhere = []string{""}

func (b broken) requireCaught(t *testing.T, failures map[string]string) {
	t.Helper()
	require.Contains(t, failures, b.caught, "of those that failed")
	for name, text := range failures {
		if name == "Goroutines, none is left" {
			continue // those of other tests are counted with them
		}
		require.True(t, name == b.caught || slices.ContainsFunc(b.along, func(begin string) bool { return strings.HasPrefix(name, begin) }),
			"%s is not about that: %s", name, text)
	}
}

// A userStore has at most one fault.
type userStore struct {
	*memstore.Store
	fault string
}

func (s userStore) key(login string) string {
	switch s.fault {
	case "has logins without case":
		return strings.ToLower(login)
	case "trims logins":
		return strings.TrimSpace(login)
	}
	return login
}

func (s userStore) UserByLogin(ctx context.Context, login string) (password.User, error) {
	if s.fault == "fails on strange logins" && strings.Contains(login, "\x00") {
		return password.User{}, errors.New("userStore: invalid byte sequence")
	}
	if s.fault == "ignores contexts" {
		ctx = context.Background()
	}
	return s.Store.UserByLogin(ctx, s.key(login))
}

func (s userStore) InsertUser(ctx context.Context, u password.User) error {
	switch s.fault {
	case "loses claims":
		u.Claims = nil
	case "has two users of an ID":
		if _, err := s.UserByID(ctx, u.ID); err == nil {
			u.ID += "'"
		}
	}
	u.Login = s.key(u.Login)
	return s.Store.InsertUser(ctx, u)
}

func (s userStore) ReplaceUser(ctx context.Context, u password.User) error {
	u.Login = s.key(u.Login)
	old, err := s.UserByID(ctx, u.ID)
	switch {
	case s.fault == "replaces absent users" && errors.Is(err, auth.ErrNotFound):
		return s.InsertUser(ctx, u)
	case s.fault == "replaces any revision" && err == nil:
		u.Revision = old.Revision + 1
	case s.fault == "calls a taken login a conflict":
		if err := s.Store.ReplaceUser(ctx, u); errors.Is(err, auth.ErrExists) {
			return auth.ErrConflict
		} else {
			return err
		}
	case s.fault == "leaves the login" && err == nil:
		u.Login = old.Login
	}
	return s.Store.ReplaceUser(ctx, u)
}

func (s userStore) Users(ctx context.Context) iter.Seq2[password.User, error] {
	if s.fault == "walks without a context" {
		ctx = context.Background()
	}
	return func(yield func(password.User, error) bool) {
		n := 0
		for u, err := range s.Store.Users(ctx) {
			n++
			switch {
			case s.fault == "walks past some" && n%7 == 0:
				continue
			case s.fault == "walks to some twice" && n%7 == 0 && !yield(u, err):
				return
			}
			if !yield(u, err) {
				return
			}
		}
	}
}

func TestBrokenUserStores(t *testing.T) {
	open := func(fault string) func(testing.TB) password.UserStore {
		s := userStore{memstore.New(), fault}
		return func(testing.TB) password.UserStore { return s }
	}
	require.Empty(t, storetest.UserFailures(t, open("")))
	for _, b := range []broken{
		{"loses claims", "User, every field", []string{"User, "}},
		{"has logins without case", "User, names alike", everywhere},
		{"trims logins", "User, names alike", nil},
		{"fails on strange logins", "User, absent", nil},
		{"has two users of an ID", "InsertUser, taken", nil},
		{"replaces absent users", "ReplaceUser, absent", nil},
		{"replaces any revision", "ReplaceUser, stale", []string{"Users, one succeeds"}},
		{"calls a taken login a conflict", "ReplaceUser, taken", []string{"Users, one gets a login"}},
		{"leaves the login", "ReplaceUser, another login", []string{"ReplaceUser, ", "Users, one gets a login"}},
		{"ignores contexts", "Users, context", nil},
		{"walks past some", "Walk users, all", []string{"Walk users, "}},
		{"walks to some twice", "Walk users, all", []string{"Walk users, "}},
		{"walks without a context", "Walk users, context", nil},
	} {
		t.Run(b.fault, func(t *testing.T) { b.requireCaught(t, storetest.UserFailures(t, open(b.fault))) })
	}
}

// A registry has at most one fault.
type registry struct {
	auth.PlatformRegistry
	fault string
	byID  map[string]*auth.Platform
}

func (r registry) Platform(ctx context.Context, id string) (*auth.Platform, error) {
	switch r.fault {
	case "has ids without case":
		for known, p := range r.byID {
			if strings.EqualFold(known, id) {
				return p, nil
			}
		}
	case "answers absence with nil":
		if r.byID[id] == nil {
			return nil, nil
		}
	case "calls a cancelled context absence":
		if ctx.Err() != nil {
			return nil, auth.ErrNotFound
		}
	}
	p, err := r.PlatformRegistry.Platform(ctx, id)
	if err != nil {
		return nil, err
	}
	changed := *p
	switch r.fault {
	case "loses Suspended":
		changed.Suspended = false
	case "takes no domains for any":
		if len(p.EmailDomains) == 0 {
			changed.EmailDomains = nil
		}
	}
	return &changed, nil
}

func TestBrokenRegistries(t *testing.T) {
	open := func(fault string) func(testing.TB, ...*auth.Platform) auth.PlatformRegistry {
		return func(tb testing.TB, platforms ...*auth.Platform) auth.PlatformRegistry {
			l, err := auth.NewPlatformList(platforms...)
			require.NoError(tb, err)
			r := registry{l, fault, map[string]*auth.Platform{}}
			for _, p := range platforms {
				r.byID[p.ID] = p
			}
			return r
		}
	}
	require.Empty(t, storetest.PlatformFailures(t, open("")))
	for _, b := range []broken{
		{"loses Suspended", "Platform, every field", everywhere},
		{"takes no domains for any", "Platform, nil and empty", nil},
		{"has ids without case", "Platform, ids alike", nil},
		{"answers absence with nil", "Platform, absent", everywhere},
		{"calls a cancelled context absence", "Platform, context", nil},
	} {
		t.Run(b.fault, func(t *testing.T) { b.requireCaught(t, storetest.PlatformFailures(t, open(b.fault))) })
	}
}

// A limiter has at most one fault.
type limiter struct {
	*auth.MemoryLimiter
	fault string
	other *auth.MemoryLimiter // of an other handle, or of other rates
}

func (l limiter) Allow(ctx context.Context, key string, cost int) (auth.Quota, error) {
	return l.AllowRate(ctx, key, cost, l.Rate())
}

func (l limiter) AllowRate(ctx context.Context, key string, cost int, rate auth.Rate) (auth.Quota, error) {
	switch l.fault {
	case "has keys without case":
		key = strings.ToLower(key)
	case "cuts keys":
		key = key[:min(len(key), 1000)]
	case "charges for asking":
		cost = max(cost, 1)
	case "gives nothing back":
		cost = max(cost, 0)
	case "charges one at a time":
		if cost > 1 {
			cost = 1
		}
	case "overflows":
		cost = int(int32(cost))
	case "has no bursts":
		rate.Burst = 0
	case "goes by its own rate":
		rate = l.Rate()
	case "has an account for each rate":
		if rate != l.Rate() {
			return l.other.AllowRate(ctx, key, cost, rate)
		}
	}
	q, err := l.MemoryLimiter.AllowRate(ctx, key, cost, rate)
	switch l.fault {
	case "has no Reset":
		q.Reset = 0
	case "says to come back at once":
		q.RetryAfter = 0
	case "waits for ever":
		if !q.Allowed && cost > rate.Limit {
			q.RetryAfter = math.MaxInt64
		}
	case "has no Next":
		q.Next = 0
	case "forgets what is left":
		q.Remaining = 0
	case "has another rate":
		q.Rate.Per = time.Second
	}
	return q, err
}

func TestBrokenLimiters(t *testing.T) {
	open := func(fault string) func(testing.TB, auth.Rate) auth.Limiter {
		limiters := map[auth.Rate]auth.Limiter{}
		return func(_ testing.TB, rate auth.Rate) auth.Limiter {
			if limiters[rate] == nil || fault == "has an account for each handle" {
				limiters[rate] = limiter{newLimiter(rate), fault, newLimiter(rate)}
			}
			return limiters[rate]
		}
	}
	require.Empty(t, storetest.LimiterFailures(t, open("")))
	for _, b := range []broken{
		{"has an account for each handle", "Allow, exact", []string{"Allow, charged and given back"}},
		{"has keys without case", "Allow, keys apart", nil},
		{"cuts keys", "Allow, keys apart", nil},
		{"charges for asking", "Allow, cost 0", everywhere},
		{"gives nothing back", "Allow, giving back", everywhere},
		{"charges one at a time", "Allow, all or none", everywhere},
		{"overflows", "Allow, above the burst", []string{"Allow, giving back"}},
		{"has no bursts", "Allow, burst", nil},
		{"has no Reset", "Allow, one by one", everywhere},
		{"has no Next", "Allow, one by one", everywhere},
		{"forgets what is left", "Allow, one by one", everywhere},
		{"has another rate", "Allow, one by one", everywhere},
		{"says to come back at once", "Allow, one by one", everywhere},
		{"waits for ever", "Allow, above the burst", nil},
		{"goes by its own rate", "AllowRate, its rate", []string{"AllowRate, "}},
		{"has an account for each rate", "AllowRate, one account", []string{"AllowRate, "}},
	} {
		t.Run(b.fault, func(t *testing.T) { b.requireCaught(t, storetest.LimiterFailures(t, open(b.fault))) })
	}
}
