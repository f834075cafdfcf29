package storetest_test

import (
	"cmp"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/store/memstore"
	"github.com/seed-077cad0b/auth/store/storetest"
)

// A store without a fault passes by the real clock, too.
func TestMapStore(t *testing.T) { storetest.Run(t, newBackend(t, "").open) }

func TestPlatformList(t *testing.T) {
	storetest.RunPlatforms(t, func(tb testing.TB, platforms ...*auth.Platform) auth.PlatformRegistry {
		l, err := auth.NewPlatformList(platforms...)
		if err != nil {
			tb.Fatal(err)
		}
		return l
	})
}

func TestMemoryLimiter(t *testing.T) {
	limiters := map[auth.Rate]auth.Limiter{}
	storetest.RunLimiter(t, func(_ testing.TB, rate auth.Rate) auth.Limiter {
		if limiters[rate] == nil {
			limiters[rate] = newLimiter(rate)
		}
		return limiters[rate]
	})
}

func newLimiter(rate auth.Rate) *auth.MemoryLimiter {
	return auth.NewLimiter(rate.Limit, rate.Per, auth.Burst(cmp.Or(rate.Burst, rate.Limit)))
}

// Sentences are quoted from the contracts, so that neither changes alone.
func TestSentencesAreThoseOfTheContracts(t *testing.T) {
	var contracts strings.Builder
	for _, file := range []string{"../../store.go", "../../platform.go", "../../ratelimit.go", "../../password/user.go", "storetest.go"} {
		source, err := os.ReadFile(file)
		require.NoError(t, err)
		contracts.Write(source)
	}
	text := plain(contracts.String())
	for _, sentence := range storetest.Sentences() {
		require.True(t, strings.Contains(text, plain(sentence)), "in no contract: %s", sentence)
	}
}

// plain leaves out what comments add to a text.
func plain(text string) string {
	return strings.Join(strings.Fields(strings.NewReplacer("//", "", "[", "", "]", "").Replace(text)), " ")
}

func TestAFailurePrintsItsSentenceAndItsLine(t *testing.T) {
	if os.Getenv("STORETEST_BROKEN") != "" {
		storetest.Run(t, newBackend(t, "leaves what is taken").open)
		return
	}
	again := exec.Command(os.Args[0], "-test.v", "-test.run=^"+t.Name()+"$/^Store$/^Take$")
	again.Env = append(os.Environ(), "STORETEST_BROKEN=1")
	out, err := again.CombinedOutput()
	require.Error(t, err)
	require.Regexp(t, `(?m)^ +store\.go:\d+: "Take removes the record under d and returns it\."\n\s+Lookup: got error <nil>, want auth: record not found$`, string(out))
	require.Contains(t, string(out), "--- FAIL: "+t.Name()+"/Store/Take")
}

// A bare store has no ability.
type bare struct{ auth.Store }

func TestWhatIsNotOfferedIsNamed(t *testing.T) {
	if os.Getenv("STORETEST_BROKEN") != "" {
		storetest.Run(t, func(testing.TB) auth.Store { return bare{memstore.New()} })
		return
	}
	again := exec.Command(os.Args[0], "-test.v", "-test.run=^"+t.Name()+"$/offered$")
	again.Env = append(os.Environ(), "STORETEST_BROKEN=1")
	out, err := again.CombinedOutput()
	require.NoError(t, err)
	for _, ability := range []string{"Lister", "Batcher", "Toucher", "Sweeper", "Walker", "Watcher"} {
		require.Contains(t, string(out), "--- PASS: "+t.Name()+"/"+ability+",_not_offered")
	}
}
