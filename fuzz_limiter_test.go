package auth_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzLimiter compares histories with what the naive limiter says of them.
func FuzzLimiter(f *testing.F) {
	f.Fuzz(func(t *testing.T, history []byte) {
		rerun(t, history[:min(len(history), 3*2000)])
	})
}

// Seeds that vanish are missed by nobody else.
func TestFuzzSeedsOfTheLimiterAreThere(t *testing.T) {
	seeds, err := os.ReadDir(filepath.Join("testdata", "fuzz", "FuzzLimiter"))
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(seeds), 11)
}
