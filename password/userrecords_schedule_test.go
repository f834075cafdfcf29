package password_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
	"github.com/seed-077cad0b/auth/password"
	"github.com/seed-077cad0b/auth/store/memstore"
)

// Three processes work on two users and two logins. A scheduler, and nothing
// else, decides whose call of the store comes next, whose answer is lost, who is
// killed before its next call, and when time passes. Whatever it decides, what
// came of it must be what could have come of the same operations one after the
// other, each at some moment between its beginning and its end. Those that were
// killed, or have lost an answer, may have happened or not.
func TestUserRecordsUnderAnySchedule(t *testing.T) {
	schedules := 2000
	if testing.Short() {
		schedules = 1000
	}
	var renamed, killed, fenced int
	for seed := range schedules {
		synctest.Test(t, func(t *testing.T) {
			s := &scheduler{random: rand.New(rand.NewPCG(uint64(seed), 0)), store: memstore.New()}
			s.run(t)
			if !linearizable(s.history) {
				t.Fatalf("schedule %d:\n%v", seed, s.history)
			}
			for _, o := range s.history {
				if o.name == "replace" && o.err == nil && !o.maybe && o.was.Login != o.user.Login {
					renamed++
				}
			}
			killed += s.killed
			fenced += s.fenced
		})
	}
	// The schedules are of use only if they come to what is to be seen.
	require.Greater(t, renamed, schedules/10)
	require.Greater(t, killed, schedules/4)
	require.Greater(t, fenced, schedules/2000)
}

// A scheduler is also the clock of a history: what began and ended when.
type scheduler struct {
	random *rand.Rand
	store  auth.Store

	mu             sync.Mutex
	waiting        []waiting
	running        int
	time           int
	history        []*operation
	killed, fenced int
}

// A process that waits for its turn.
type waiting struct {
	process int
	turn    chan turn
}

type turn int

const (
	goOn turn = iota
	loseAnswer
	die
)

var errLost = errors.New("the answer is lost")

// An operation is one call of a UserStore and what came of it.
type operation struct {
	name       string
	user       password.User // asked with
	was        password.User // replace: who it was
	got        password.User // answered
	err        error
	begin, end int
	maybe      bool // killed, or without an answer
}

func (o *operation) String() string {
	brief := func(u password.User) string { return fmt.Sprintf("%s=%s#%s/%d", u.ID, u.Login, u.Hash, u.Revision) }
	return fmt.Sprintf("[%3d,%3d] %s %s -> %s %v maybe=%v\n", o.begin, o.end, o.name, brief(o.user), brief(o.got), o.err, o.maybe)
}

// A gated store makes each call when the scheduler says so.
type gated struct {
	auth.Store
	*scheduler
	process int
}

func (g gated) call(f func() error) error {
	c := make(chan turn)
	g.mu.Lock()
	g.waiting = append(g.waiting, waiting{g.process, c})
	g.mu.Unlock()
	switch <-c {
	case die:
		runtime.Goexit()
	case loseAnswer:
		_ = f()
		return errLost
	}
	return f()
}

func (g gated) Lookup(ctx context.Context, d auth.Digest) (r auth.Record, err error) {
	err = g.call(func() error { r, err = g.Store.Lookup(ctx, d); return err })
	return r, err
}

func (g gated) Insert(ctx context.Context, d auth.Digest, r auth.Record) error {
	return g.call(func() error { return g.Store.Insert(ctx, d, r) })
}

func (g gated) Replace(ctx context.Context, d auth.Digest, r auth.Record) error {
	return g.call(func() error {
		old, _ := g.Store.Lookup(ctx, d)
		err := g.Store.Replace(ctx, d, r)
		if err == nil && r.Kind == password.KindUser && string(old.Data) == string(r.Data) {
			g.fenced++ // moved on, changing nothing
		}
		return err
	})
}

func (g gated) Take(ctx context.Context, d auth.Digest) (r auth.Record, err error) {
	err = g.call(func() error { r, err = g.Store.Take(ctx, d); return err })
	return r, err
}

func (s *scheduler) tick() int { s.time++; return s.time }

// do makes an operation and takes down what came of it.
func (s *scheduler) do(ctx context.Context, users password.UserStore, o operation) *operation {
	s.mu.Lock()
	o.begin, o.maybe = s.tick(), true // until it has ended
	s.history = append(s.history, &o)
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		o.end = s.tick()
	}()
	var err error
	switch o.name {
	case "insert":
		err = users.InsertUser(ctx, o.user)
	case "replace":
		err = users.ReplaceUser(ctx, o.user)
	case "by ID":
		o.got, err = users.UserByID(ctx, o.user.ID)
	case "by login":
		o.got, err = users.UserByLogin(ctx, o.user.Login)
	}
	o.err = err
	o.maybe = errors.Is(err, errLost)
	return &o
}

var (
	someIDs    = []string{"a", "b"}
	someLogins = []string{"x", "y"}
)

// work is what one process does.
func (s *scheduler) work(ctx context.Context, random *rand.Rand, process int) {
	users := must(password.NewUserRecords(gated{s.store, s, process}))
	pick := func(from []string) string { return from[random.IntN(len(from))] }
	for i := range 3 {
		u := password.User{ID: pick(someIDs), Login: pick(someLogins), Hash: fmt.Sprint(process, i), Revision: uint64(10*process + i)}
		switch random.IntN(6) {
		case 0, 1:
			s.do(ctx, users, operation{name: "insert", user: u})
		case 2, 3, 4:
			o := s.do(ctx, users, operation{name: "by ID", user: u})
			if o.err == nil && !o.maybe {
				u.Revision = o.got.Revision + 1
			}
			s.do(ctx, users, operation{name: "replace", user: u, was: o.got})
		default:
			s.do(ctx, users, operation{name: "by login", user: u})
		}
	}
}

func (s *scheduler) run(t *testing.T) {
	ctx := t.Context()
	for process := range 3 {
		random := rand.New(rand.NewPCG(s.random.Uint64(), 0))
		s.running++
		go func() {
			defer func() { s.mu.Lock(); s.running--; s.mu.Unlock() }()
			s.work(ctx, random, process)
		}()
	}
	for {
		synctest.Wait()
		s.mu.Lock()
		if s.running == 0 {
			s.mu.Unlock()
			break
		}
		if len(s.waiting) == 0 || s.random.IntN(3) == 0 {
			s.mu.Unlock()
			authtest.Advance(time.Duration(s.random.IntN(2000)) * time.Millisecond)
			continue
		}
		slices.SortFunc(s.waiting, func(a, b waiting) int { return a.process - b.process }) // the same each time
		i := s.random.IntN(len(s.waiting))
		next := s.waiting[i].turn
		s.waiting = append(s.waiting[:i], s.waiting[i+1:]...)
		s.mu.Unlock()
		switch n := s.random.IntN(40); n {
		case 0:
			s.killed++
			next <- die
		case 1:
			next <- loseAnswer
		default:
			next <- goOn
		}
	}
	s.aftermath(t)
}

// aftermath has one more process look at all there is, and take what logins are
// free.
func (s *scheduler) aftermath(t *testing.T) {
	users := must(password.NewUserRecords(s.store))
	for _, login := range someLogins {
		s.do(t.Context(), users, operation{name: "insert", user: password.User{ID: "new " + login, Login: login, Hash: "new"}})
	}
	for _, login := range someLogins {
		s.do(t.Context(), users, operation{name: "by login", user: password.User{Login: login}})
	}
	for _, id := range append([]string{"new x", "new y"}, someIDs...) {
		s.do(t.Context(), users, operation{name: "by ID", user: password.User{ID: id}})
	}
}

// A table is what a UserStore holds, in a model that does one thing at a time.
type table map[string]password.User

func (m table) owner(login string) (password.User, bool) {
	for _, u := range m {
		if u.Login == login {
			return u, true
		}
	}
	return password.User{}, false
}

// apply does an operation, and returns what it answers and what is held after.
func (m table) apply(o *operation) (password.User, table, error) {
	old, present := m[o.user.ID]
	owner, taken := m.owner(o.user.Login)
	taken = taken && !(o.name == "replace" && owner.ID == o.user.ID)
	stale := o.name == "replace" && o.user.Revision != old.Revision+1
	var err error
	switch {
	case o.name == "by ID" && present:
		return old, m, nil
	case o.name == "by login" && taken:
		return owner, m, nil
	case o.name == "by ID", o.name == "by login", o.name == "replace" && !present:
		err = auth.ErrNotFound
	case stale && !(taken && errors.Is(o.err, auth.ErrExists)): // where both are so, either may be said
		err = auth.ErrConflict
	case o.name == "insert" && present, taken:
		err = auth.ErrExists
	}
	if err != nil {
		return password.User{}, m, err
	}
	next := table{o.user.ID: o.user}
	for id, u := range m {
		if id != o.user.ID {
			next[id] = u
		}
	}
	return password.User{}, next, nil
}

func (m table) String() string {
	var b strings.Builder
	for _, id := range []string{"a", "b", "new x", "new y"} {
		u := m[id]
		fmt.Fprint(&b, u.ID, u.Login, u.Hash, u.Revision, ";")
	}
	return b.String()
}

// linearizable reports whether there is an order for a history.
func linearizable(history []*operation) bool {
	seen := map[string]bool{} // what has led nowhere
	var search func(done uint64, m table) bool
	search = func(done uint64, m table) bool {
		if done == 1<<len(history)-1 {
			return true
		}
		key := fmt.Sprint(done, m)
		if seen[key] {
			return false
		}
		seen[key] = true
		end := 1 << 30 // of what ends first
		for i, o := range history {
			if done&(1<<i) == 0 {
				end = min(end, o.end)
			}
		}
		for i, o := range history {
			if done&(1<<i) != 0 || o.begin > end {
				continue
			}
			got, next, err := m.apply(o)
			as := !o.maybe && errors.Is(o.err, err) && got.ID == o.got.ID && got.Login == o.got.Login && got.Hash == o.got.Hash && got.Revision == o.got.Revision
			if (o.maybe || as) && search(done|1<<i, next) || o.maybe && search(done|1<<i, m) {
				return true
			}
		}
		return false
	}
	return search(0, table{})
}
