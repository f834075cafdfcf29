package redisstore_test

import (
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/rueidis"
	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/internal/servertest"
)

// A slot moves to another node under a store that knows where it was: it finds
// its records on the way and afterwards, and its watch ends.
func TestASlotMoves(t *testing.T) {
	nodes := servertest.RedisCluster(t)
	b := backend{"redis://" + nodes[0] + "?addr=" + strings.Join(nodes[1:], "&addr="), newPrefix()}
	s, r := b.open(t), rawAt(t, b.url)
	d, rec := number(t, 1), record(t.Name())
	require.NoError(t, s.Insert(t.Context(), d, rec))
	w := watch(t.Context(), s)
	within(t, w.told, "the watch to begin")

	m := newMove(t, r, key(b.prefix, d))
	defer m.back()
	m.begin()
	require.ErrorContains(t, within(t, w.ended, "the watch to end"), "on their way")
	m.carry()
	replaced := rec
	replaced.Revision++
	require.NoError(t, s.Replace(t.Context(), d, replaced)) // by ASK
	got := make([]auth.Record, 1)
	require.NoError(t, s.LookupAll(t.Context(), rec.Kind, []auth.Digest{d}, got))
	require.Equal(t, replaced, got[0])

	m.end()
	after, err := s.Lookup(t.Context(), d) // by MOVED
	require.NoError(t, err)
	require.Equal(t, replaced, after)
	require.NoError(t, s.Touch(t.Context(), map[auth.Digest]time.Time{d: rec.Seen.Add(time.Second)}))
	_, err = s.Take(t.Context(), d)
	require.NoError(t, err)
	requireListed(t, s)
}

// A move is that of a slot from one node to another.
type move struct {
	t        *testing.T
	slot     string
	from, to rueidis.Client
	ids      map[rueidis.Client]string
	address  map[rueidis.Client]string
	others   []rueidis.Client
}

func newMove(t *testing.T, r raw, key string) *move {
	m := &move{t: t, ids: map[rueidis.Client]string{}, address: map[rueidis.Client]string{}}
	for address, node := range r.c.Nodes() {
		id, err := node.Do(t.Context(), node.B().ClusterMyid().Build()).ToString()
		require.NoError(t, err)
		m.ids[node], m.address[node] = id, address
		slot, err := node.Do(t.Context(), node.B().ClusterKeyslot().Key(key).Build()).ToInt64()
		require.NoError(t, err)
		m.slot = strconv.FormatInt(slot, 10)
		has, err := node.Do(t.Context(), node.B().ClusterCountkeysinslot().Slot(slot).Build()).ToInt64()
		require.NoError(t, err)
		switch {
		case has > 0:
			m.from = node
		case m.to == nil:
			m.to = node
		default:
			m.others = append(m.others, node)
		}
	}
	require.NotNil(t, m.from)
	return m
}

func (m *move) run(node rueidis.Client, words ...string) {
	m.t.Helper()
	require.NoError(m.t, node.Do(m.t.Context(), node.B().Arbitrary(words...).Build()).Error())
}

func (m *move) begin() {
	m.run(m.to, "CLUSTER", "SETSLOT", m.slot, "IMPORTING", m.ids[m.from])
	m.run(m.from, "CLUSTER", "SETSLOT", m.slot, "MIGRATING", m.ids[m.to])
}

// carry moves what is in the slot, which may be other tests', too.
func (m *move) carry() {
	host, port, err := net.SplitHostPort(m.address[m.to])
	require.NoError(m.t, err)
	keys, err := m.from.Do(m.t.Context(), m.from.B().Arbitrary("CLUSTER", "GETKEYSINSLOT", m.slot, "1000").Build()).AsStrSlice()
	require.NoError(m.t, err)
	for _, key := range keys {
		m.run(m.from, "MIGRATE", host, port, key, "0", "5000")
	}
}

func (m *move) end() {
	for _, node := range append([]rueidis.Client{m.to, m.from}, m.others...) {
		m.run(node, "CLUSTER", "SETSLOT", m.slot, "NODE", m.ids[m.to])
	}
}

// back moves the slot to where it was.
func (m *move) back() {
	m.from, m.to = m.to, m.from
	m.begin()
	m.carry()
	m.end()
}
