package redisstore_test

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/internal/servertest"
	"github.com/seed-077cad0b/auth/store/redisstore"
)

// A cutter is a connection to Redis that breaks at a script, as that of a process
// that is killed there does: before it has been sent, or when it has been run and
// the answer is on its way.
type cutter struct {
	upstream string

	mu      sync.Mutex
	scripts int  // how many were sent
	at      int  // the one that breaks; -1: none does
	run     bool // it is run nevertheless
	cut     bool // nothing goes through any more
	conns   []net.Conn
}

// newCutter returns one, and the URL of its server.
func newCutter(t *testing.T, server string) (*cutter, string) {
	u, err := url.Parse(server)
	require.NoError(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	c := &cutter{upstream: u.Host, at: -1}
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go c.serve(client)
		}
	}()
	t.Cleanup(func() {
		l.Close()
		c.close()
	})
	u.Host = l.Addr().String()
	return c, u.String()
}

// arm has the n-th script from now on break.
func (c *cutter) arm(n int, run bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.scripts, c.at, c.run, c.cut = 0, n, run, false
}

func (c *cutter) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cut = true
	for _, conn := range c.conns {
		conn.Close()
	}
	c.conns = nil
}

func (c *cutter) serve(client net.Conn) {
	server, err := net.Dial("tcp", c.upstream)
	c.mu.Lock()
	dead := c.cut || err != nil
	if err == nil {
		c.conns = append(c.conns, client, server)
	}
	c.mu.Unlock()
	if dead {
		client.Close()
		return
	}
	silent := make(chan struct{}) // closed when no answer goes through any more
	answered := make(chan struct{})
	go func() {
		b := make([]byte, 1<<16)
		for {
			n, err := server.Read(b)
			select {
			case <-silent:
				close(answered)
				return
			default:
			}
			if _, failed := client.Write(b[:n]); err != nil || failed != nil {
				client.Close()
				return
			}
		}
	}()
	in := bufio.NewReader(client)
	for {
		command, script, err := readCommand(in)
		if err != nil {
			return
		}
		breaks, run := c.breaks(script)
		if breaks && run {
			close(silent)
		}
		if !breaks || run {
			server.Write(command)
		}
		if breaks && run {
			<-answered // the script has run
		}
		if breaks {
			c.close()
			return
		}
	}
}

// breaks counts scripts, and reports whether this is the one.
func (c *cutter) breaks(script bool) (now, run bool) {
	if !script {
		return false, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now = c.scripts == c.at
	c.scripts++
	return now, c.run
}

// readCommand reads the bytes of a command, and whether it runs a script.
func readCommand(in *bufio.Reader) (command []byte, script bool, err error) {
	line, err := in.ReadString('\n')
	if err != nil {
		return nil, false, err
	}
	command = append(command, line...)
	words, _ := strconv.Atoi(strings.TrimSpace(line[1:]))
	for i := range words {
		if line, err = in.ReadString('\n'); err != nil {
			return nil, false, err
		}
		command = append(command, line...)
		size, _ := strconv.Atoi(strings.TrimSpace(line[1:]))
		word := make([]byte, size+2)
		if _, err = io.ReadFull(in, word); err != nil {
			return nil, false, err
		}
		command = append(command, word...)
		script = script || i == 0 && strings.HasPrefix(string(word), "EVAL")
	}
	return command, script, nil
}

// What a process does to a record, each in several steps.
var interrupted = []struct {
	name  string
	steps int
	do    func(t *testing.T, s *redisstore.Store, d, fresh auth.Digest, r auth.Record) error
}{
	{"Insert", 2, func(t *testing.T, s *redisstore.Store, _, fresh auth.Digest, r auth.Record) error {
		return s.Insert(t.Context(), fresh, r)
	}},
	{"Insert over another", 3, func(t *testing.T, s *redisstore.Store, d, _ auth.Digest, r auth.Record) error {
		return s.Insert(t.Context(), d, r)
	}},
	{"Take", 2, func(t *testing.T, s *redisstore.Store, d, _ auth.Digest, _ auth.Record) error {
		_, err := s.Take(t.Context(), d)
		return err
	}},
	{"Replace", 1, func(t *testing.T, s *redisstore.Store, d, _ auth.Digest, r auth.Record) error {
		r.Revision++
		return s.Replace(t.Context(), d, r)
	}},
	{"Replace, later", 3, func(t *testing.T, s *redisstore.Store, d, _ auth.Digest, r auth.Record) error {
		r.Revision++
		r.KeepUntil = r.KeepUntil.Add(time.Hour)
		return s.Replace(t.Context(), d, r)
	}},
	{"Replace, for ever", 3, func(t *testing.T, s *redisstore.Store, d, _ auth.Digest, r auth.Record) error {
		r.Revision++
		r.KeepUntil = time.Time{}
		return s.Replace(t.Context(), d, r)
	}},
	{"Replace, of another owner", 4, func(t *testing.T, s *redisstore.Store, d, _ auth.Digest, r auth.Record) error {
		r.Revision++
		r.Owner = auth.DigestOf("owner", "heir of "+t.Name())
		return s.Replace(t.Context(), d, r)
	}},
	{"Replace, of no owner", 3, func(t *testing.T, s *redisstore.Store, d, _ auth.Digest, r auth.Record) error {
		r.Revision++
		r.Owner = auth.Digest{}
		return s.Replace(t.Context(), d, r)
	}},
}

// A process is killed at every step of every change, before the step and after.
// Whatever is there then is listed by its owner, and by nobody else; what is not
// is not listed; and every key goes when it may.
func TestKilledBetweenSteps(t *testing.T) {
	server := servertest.Redis(t)
	r := rawAt(t, server)
	for _, change := range interrupted {
		// One more is not reached: the change succeeds then.
		for at := range change.steps + 1 {
			for _, run := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%d/%v", change.name, at, run), func(t *testing.T) {
					c, through := newCutter(t, server)
					b := backend{url: server, prefix: newPrefix()}
					s, err := redisstore.Open(t.Context(), through, &redisstore.Options{Prefix: b.prefix})
					require.NoError(t, err)
					defer s.Close()
					d, fresh, before := number(t, 1), number(t, 2), record(t.Name())
					require.NoError(t, s.Insert(t.Context(), d, before))
					warm(t, s)

					c.arm(at, run)
					err = change.do(t, s, d, fresh, before)
					c.mu.Lock()
					require.Equal(t, at < change.steps, c.cut)
					c.mu.Unlock()
					requireListed(t, b.open(t))
					requireBounded(t, r, b.prefix)
					if at == change.steps {
						require.Equal(t, change.name == "Insert over another", err != nil)
						requireNothingOver(t, r, b.prefix)
					}
				})
			}
		}
	}
}

// warm has the server know every script.
func warm(t *testing.T, s *redisstore.Store) {
	d, r := number(t, 3), record("warm")
	require.NoError(t, s.Insert(t.Context(), d, r))
	r.Revision++
	require.NoError(t, s.Replace(t.Context(), d, r))
	_, err := s.Take(t.Context(), d)
	require.NoError(t, err)
}

// requireListed wants the records of a store and the lists of their owners to be
// the same.
func requireListed(t *testing.T, s *redisstore.Store) {
	t.Helper()
	want := map[auth.Digest][]auth.Entry{}
	for e, err := range s.Walk(t.Context(), "") {
		require.NoError(t, err)
		if !e.Record.Owner.IsZero() {
			want[e.Record.Owner] = append(want[e.Record.Owner], e)
		}
	}
	for _, owner := range []auth.Digest{auth.DigestOf("owner", t.Name()), auth.DigestOf("owner", "heir of "+t.Name())} {
		var got []auth.Entry
		for e, err := range s.List(t.Context(), owner, "test") {
			require.NoError(t, err)
			got = append(got, e)
		}
		require.ElementsMatch(t, want[owner], got)
	}
}

// requireNothingOver wants no entry to be without its record.
func requireNothingOver(t *testing.T, r raw, prefix string) {
	t.Helper()
	for _, list := range r.keys(prefix + "o:") {
		for member := range r.members(list) {
			value, err := r.ask("GET", key(prefix, auth.Digest([]byte(member[:32])))).ToString()
			require.NoError(t, err)
			require.Equal(t, member[32:], value[24:32])
			require.Equal(t, list, home(prefix, value))
		}
	}
}

// An entry without a record leaves with the next list, but not before a record
// can no longer follow.
func TestAbandonedEntries(t *testing.T) {
	everywhere(t, func(t *testing.T, b backend) {
		s, r, ctx := b.open(t), rawAt(t, b.url), t.Context()
		d, kept := number(t, 1), record(t.Name())
		kept.KeepUntil = time.Time{}
		require.NoError(t, s.Insert(ctx, d, kept))
		list := r.keys(b.prefix + "o:")[0]
		entry := func(age time.Duration) string {
			return string(append(make([]byte, 32), stamp(time.Now().Add(-age))...))
		}
		young, old := entry(40*time.Second), entry(70*time.Second)
		for _, member := range []string{young, old} {
			require.NoError(t, r.ask("ZADD", list, "+inf", member).Error())
		}
		// Nor does what is somebody else's show, however it got there.
		other := number(t, 2)
		require.NoError(t, s.Insert(ctx, other, record("somebody else")))
		value, err := r.ask("GET", key(b.prefix, other)).ToString()
		require.NoError(t, err)
		require.NoError(t, r.ask("ZADD", list, "+inf", string(other[:])+value[24:32]).Error())
		requireListed(t, s)
		members := r.members(list)
		require.Len(t, members, 3)
		require.Contains(t, members, young)
		require.NotContains(t, members, old)
	})
}

// A list goes with what is in it, and what is past leaves with the next write.
func TestAListLivesAsLongAsItsRecords(t *testing.T) {
	everywhere(t, func(t *testing.T, b backend) {
		s, r, ctx := b.open(t), rawAt(t, b.url), t.Context()
		long, short, kept := record(t.Name()), record(t.Name()), record(t.Name())
		long.KeepUntil = long.KeepUntil.Add(time.Hour)
		kept.KeepUntil = time.Time{}
		for i, rec := range []auth.Record{short, long, kept} {
			require.NoError(t, s.Insert(ctx, number(t, i), rec))
		}
		list := r.keys(b.prefix + "o:")[0]
		_, ends := r.ttl(list)
		require.False(t, ends)
		for i, want := range []time.Time{long.KeepUntil, short.KeepUntil} {
			past := string(make([]byte, 40))
			require.NoError(t, r.ask("ZADD", list, "1", past).Error())
			_, err := s.Take(ctx, number(t, 2-i))
			require.NoError(t, err)
			require.NotContains(t, r.members(list), past)
			left, ends := r.ttl(list)
			require.True(t, ends)
			require.WithinDuration(t, want.Add(time.Minute), time.Now().Add(left), 2*time.Second)
		}
		require.NoError(t, r.ask("ZADD", list, "1", string(make([]byte, 40))).Error())
		require.NoError(t, s.Insert(ctx, number(t, 3), short))
		require.Len(t, r.members(list), 2)
		for _, i := range []int{0, 3} {
			_, err := s.Take(ctx, number(t, i))
			require.NoError(t, err)
		}
		require.Empty(t, r.keys(b.prefix))
	})
}

// A record of any age may be kept longer, and its entry with it. An entry is not
// kept shorter by a slow process that wants to keep it less long.
func TestAnOldRecordIsKeptLonger(t *testing.T) {
	everywhere(t, func(t *testing.T, b backend) {
		s, r, ctx := b.open(t), rawAt(t, b.url), t.Context()
		d, rec := number(t, 1), record(t.Name())
		require.NoError(t, s.Insert(ctx, d, rec))
		list, old := r.keys(b.prefix + "o:")[0], stamp(time.Now().Add(-time.Hour))
		require.NoError(t, r.ask("DEL", list).Error())
		require.NoError(t, r.ask("ZADD", list, "2000000000000", string(d[:])+string(old)).Error())
		require.NoError(t, r.ask("SETRANGE", key(b.prefix, d), "24", string(old)).Error())

		longer := rec
		longer.Revision++
		longer.KeepUntil = time.Date(2090, 1, 1, 0, 0, 0, 0, time.UTC)
		require.NoError(t, s.Replace(ctx, d, longer))
		requireBounded(t, r, b.prefix)
		require.NoError(t, redisstore.Relist(s, d, rec, binary.BigEndian.Uint64(old)))
		requireBounded(t, r, b.prefix)
		requireNothingOver(t, r, b.prefix)
		requireListed(t, s)
	})
}

// A record is not written when its entry may have been abandoned.
func TestALateRecordIsRefused(t *testing.T) {
	everywhere(t, func(t *testing.T, b backend) {
		s, ctx := b.open(t), t.Context()
		d, r := number(t, 1), record(t.Name())
		early, late := time.Now().Add(-20*time.Second), time.Now().Add(-40*time.Second)
		require.ErrorIs(t, redisstore.InsertAt(s, d, r, late), redisstore.ErrLate)
		_, err := s.Lookup(ctx, d)
		require.ErrorIs(t, err, auth.ErrNotFound)
		require.NoError(t, redisstore.InsertAt(s, d, r, early))

		n := r
		n.Revision++
		n.Owner = auth.DigestOf("owner", "heir of "+t.Name())
		require.ErrorIs(t, redisstore.ReplaceAt(s, d, n, late), redisstore.ErrLate)
		got, err := s.Lookup(ctx, d)
		require.NoError(t, err)
		require.Equal(t, r, got)
		require.NoError(t, redisstore.ReplaceAt(s, d, n, early.Add(time.Second)))
	})
}
