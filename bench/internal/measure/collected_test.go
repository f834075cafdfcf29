package measure_test

import (
	"errors"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth/bench/internal/measure"
)

// After the first, which does not count, rounds go on until the collector has run,
// and tell the mean; those that leave nothing end at once, as does one that fails.
func TestCollected(t *testing.T) {
	const collectedAt = 4
	n := 0.0
	leaves := func(bytes float64) func() (measure.Sample, error) {
		return measure.Collected(func() (measure.Sample, error) {
			if n++; n == collectedAt {
				runtime.GC()
			}
			return measure.Sample{Value: n, Processor: 2 * n, Allocs: 3 * n, Bytes: bytes}, nil
		})
	}
	s, err := leaves(1000)()
	require.NoError(t, err)
	require.InDelta(t, collectedAt, n, 0)
	require.Equal(t, measure.Sample{Value: 3, Processor: 6, Allocs: 9, Bytes: 1000}, s)

	n = 0
	s, err = leaves(0.5)()
	require.NoError(t, err)
	require.Equal(t, measure.Sample{Value: 2, Processor: 4, Allocs: 6, Bytes: 0.5}, s)

	failure := errors.New("failure")
	_, err = measure.Collected(func() (measure.Sample, error) { return measure.Sample{}, failure })()
	require.Equal(t, failure, err)
}
