package redisstore_test

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/rueidis"
	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
)

// A raw is what an operator has: the server without the store.
type raw struct {
	t testing.TB
	c rueidis.Client
}

func rawAt(t testing.TB, url string) raw {
	o, err := rueidis.ParseURL(url)
	require.NoError(t, err)
	o.DisableCache, o.DisableRetry = true, true
	c, err := rueidis.NewClient(o)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return raw{t, c}
}

// ask runs a command whose second word is the key.
func (r raw) ask(name, key string, rest ...string) rueidis.RedisResult {
	return r.c.Do(r.t.Context(), r.c.B().Arbitrary(name).Keys(key).Args(rest...).Build())
}

// run runs a command without a key on every node.
func (r raw) run(words ...string) (answers []rueidis.RedisResult) {
	for _, node := range r.c.Nodes() {
		answer := node.Do(r.t.Context(), node.B().Arbitrary(words...).Build())
		require.NoError(r.t, answer.Error())
		answers = append(answers, answer)
	}
	return answers
}

// keys returns every key with a prefix.
func (r raw) keys(prefix string) (keys []string) {
	for _, node := range r.c.Nodes() {
		for cursor := uint64(0); ; {
			step, err := node.Do(r.t.Context(), node.B().Scan().Cursor(cursor).Match(prefix+"*").Count(1000).Build()).AsScanEntry()
			require.NoError(r.t, err)
			keys = append(keys, step.Elements...)
			if cursor = step.Cursor; cursor == 0 {
				break
			}
		}
	}
	return keys
}

// ttl returns how long a key lives; ok is false where that is for ever.
func (r raw) ttl(key string) (left time.Duration, ok bool) {
	n, err := r.ask("PTTL", key).AsInt64()
	require.NoError(r.t, err)
	return time.Duration(n) * time.Millisecond, n >= 0
}

// members returns the members of a list, and when each may go.
func (r raw) members(list string) map[string]float64 {
	m := map[string]float64{}
	members, err := r.ask("ZRANGE", list, "0", "-1", "WITHSCORES").AsZScores()
	require.NoError(r.t, err)
	for _, z := range members {
		m[z.Member] = z.Score
	}
	return m
}

// The places in a value that are told in value.go.
func keepOf(value string) time.Time {
	n := binary.BigEndian.Uint64([]byte(value[16:24]))
	if n == math.MaxUint64 {
		return time.Time{}
	}
	return time.UnixMicro(int64(n ^ 1<<63))
}

func listed(value string) bool { return value[24:32] != strings.Repeat("\x00", 8) }

// stamp returns that of an entry written at t.
func stamp(t time.Time) []byte { return binary.BigEndian.AppendUint64(nil, uint64(t.UnixMicro())) }

// home returns the list that a record is in.
func home(prefix, value string) string {
	return prefix + "o:" + base64.RawURLEncoding.EncodeToString([]byte(value[32:48]))
}

func key(prefix string, d auth.Digest) string { return prefix + "r:" + d.String() }

// requireBounded wants every key of a store to go when it may: a record at its
// KeepUntil and no earlier, a list with what is in it, an account when it is paid
// up. And every record that has an owner is in its list.
func requireBounded(t testing.TB, r raw, prefix string) (records, lists, accounts int) {
	t.Helper()
	for _, k := range r.keys(prefix) {
		left, ends := r.ttl(k)
		if left == -2*time.Millisecond {
			continue // it has just gone
		}
		switch k[len(prefix):][:2] {
		case "r:":
			records++
			value, err := r.ask("GET", k).ToString()
			require.NoError(t, err)
			keep := keepOf(value)
			require.Equal(t, keep.IsZero(), !ends, "%s, until %v", k, keep)
			if ends {
				over := time.Now().Add(left).Sub(keep)
				require.Greater(t, over, 50*time.Second)
				require.Less(t, over, 62*time.Second)
			}
			if listed(value) {
				digest, err := base64.RawURLEncoding.DecodeString(k[len(prefix)+2:])
				require.NoError(t, err)
				until, ok := r.members(home(prefix, value))[string(digest)+value[24:32]]
				require.True(t, ok, "%s is in no list", k)
				last := math.Inf(1)
				if ends {
					at, err := r.ask("PEXPIRETIME", k).AsInt64()
					require.NoError(t, err)
					last = float64(at)
				}
				require.GreaterOrEqual(t, until, last)
			}
		case "o:":
			lists++
			last := 0.0
			for _, until := range r.members(k) {
				last = max(last, until)
			}
			require.Equal(t, !math.IsInf(last, 1), ends, k)
			if ends {
				at, err := r.ask("PEXPIRETIME", k).AsInt64()
				require.NoError(t, err)
				require.Equal(t, int64(last), at)
			}
		case "l:":
			accounts++
			require.True(t, ends, k)
		default:
			t.Errorf("%q is nothing of ours", k)
		}
	}
	return records, lists, accounts
}

// forbidden counts how often servers were asked for what stops them.
func (r raw) forbidden() (calls []string) {
	for _, answer := range r.run("INFO", "commandstats") {
		stats, err := answer.ToString()
		require.NoError(r.t, err)
		for line := range strings.Lines(stats) {
			name, _, _ := strings.Cut(strings.TrimPrefix(line, "cmdstat_"), ",")
			command, _, _ := strings.Cut(name, ":")
			if slices.Contains([]string{"keys", "sort", "flushall", "flushdb", "monitor", "debug"}, command) {
				calls = append(calls, name)
			}
		}
	}
	return calls
}

func number(t testing.TB, n int) auth.Digest {
	return auth.DigestOf("test", t.Name()+strconv.Itoa(n))
}

// record is one that has an owner and an end.
func record(owner string) auth.Record {
	at := time.Now().UTC().Truncate(time.Microsecond)
	return auth.Record{
		Kind: "test", Owner: auth.DigestOf("owner", owner), Principal: &auth.Principal{Subject: owner}, Revision: auth.NewRevision(),
		Created: at, Expires: at.Add(time.Hour), KeepUntil: at.Add(2 * time.Hour), Seen: at, Data: fmt.Append(nil, "data of ", owner),
	}
}
