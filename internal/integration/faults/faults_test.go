//go:build linux

package faults

import (
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// What goes wrong, and on which engines it can.
var faults = []struct {
	name    string
	engines []string
	run     func(t *testing.T, s *site)
}{
	{"a process is killed while it writes", everywhere, processKilled},
	{"a process is killed while it rotates", everywhere, rotatorKilled},
	{"the server is killed while it is written to", servers, serverKilled},
	{"the server restarts under load", servers, serverRestarts},
	{"the server hangs", servers, serverHangs},
	{"there are no more pages", files, noMorePages},
	{"there is no more room", files, noMoreRoom},
	{"a hundred rotate at once", everywhere, hundredRotate},
	{"the server is killed and promises less", servers, promisesLess},
}

var (
	servers    = []string{"PostgreSQL", "MariaDB", "Redis"}
	files      = []string{"SQLite"}
	everywhere = append(files, servers...)
)

// Every engine meets every fault that it can. A server stays the same one from
// the first to the last.
func TestFaults(t *testing.T) {
	for _, engine := range everywhere {
		t.Run(engine, func(t *testing.T) {
			s := newSite(t, engine)
			for _, f := range faults {
				for _, e := range f.engines {
					if e == engine {
						t.Run(f.name, func(t *testing.T) { f.run(t, s) })
					}
				}
			}
		})
	}
}

// rounds is how often a fault happens: a few times by default, once with -short,
// and in the long form of docs/reliability.md as often as AUTH_FAULT_ROUNDS says.
func rounds(t testing.TB, few int) int {
	t.Helper()
	text := os.Getenv("AUTH_FAULT_ROUNDS")
	switch {
	case text == "" && testing.Short():
		return 1
	case text == "":
		return few
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err, "AUTH_FAULT_ROUNDS")
	return n
}
