package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSurfaceListsWhatAUserCanReach(t *testing.T) {
	lines, err := surface("testdata/shape")
	require.NoError(t, err)
	require.Equal(t, []string{
		`pkg shape, const Limit untyped int = 3`,
		`pkg shape, const Red Colour = "red"`,
		`pkg shape, func Make[T any](value T, rest ...string) *Box[T]`,
		`pkg shape, method (*Point) Move(by time.Duration)`,
		`pkg shape, method (Box) Open() (T, error)`,
		`pkg shape, method (Point) Area(scale int) float64`,
		`pkg shape, method (Point) Read(p []byte) (n int, err error)`,
		`pkg shape, type Box struct, Value T`,
		`pkg shape, type Box[T any] struct`,
		`pkg shape, type Colour string`,
		`pkg shape, type Dot = Point`,
		`pkg shape, type Point struct`,
		`pkg shape, type Point struct, X int`,
		`pkg shape, type Point struct, Y int`,
		`pkg shape, type Point struct, embeds io.Reader`,
		`pkg shape, type Shape interface`,
		`pkg shape, type Shape interface, Area(scale int) float64`,
		`pkg shape, type Shape interface, unexported methods`,
		`pkg shape, var ErrShape error`,
		`pkg shape/sub, func Under()`,
	}, lines)
}

func TestAChangedSurfaceIsReported(t *testing.T) {
	require.Empty(t, difference([]string{"a", "b"}, []string{"a", "b"}))
	require.Equal(t, []string{"- b", "+ c"}, difference([]string{"a", "b"}, []string{"a", "c"}))
}

func TestUpdateWritesWhatTheComparisonAccepts(t *testing.T) {
	module := t.TempDir()
	require.NoError(t, os.CopyFS(module, os.DirFS("testdata/shape")))
	require.Error(t, run(module, false), "no file")
	require.NoError(t, run(module, true))
	require.NoError(t, run(module, false))

	require.NoError(t, os.WriteFile(filepath.Join(module, "api.txt"), []byte("pkg shape, func Gone()\n"), 0o600))
	require.ErrorContains(t, run(module, false), "- pkg shape, func Gone()\n+ pkg shape, const Limit untyped int = 3")
}
