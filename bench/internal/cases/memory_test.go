package cases

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

// What is kept is counted, and what is not is not.
func TestTaken(t *testing.T) {
	var kept []byte
	e, err := taken(func() (any, error) {
		kept = make([]byte, 64*million)
		return nil, nil
	})
	require.NoError(t, err)
	s, err := e.Round()
	require.NoError(t, err)
	require.InDelta(t, 64, s.Value, 1)
	require.NotEmpty(t, kept)

	full := errors.New("full")
	_, err = taken(func() (any, error) { return nil, full })
	require.ErrorIs(t, err, full)
}
