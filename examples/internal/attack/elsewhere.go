package attack

import (
	"io"
	"net"
	"testing"

	"github.com/stretchr/testify/require"
)

// Elsewhere listens where attacks say that keys can be had. It returns its base
// URL, and a function that requires that nobody has come.
func Elsewhere(t testing.TB) (baseURL string, requireUnvisited func()) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	return "http://" + listener.Addr().String(), func() {
		t.Helper()
		// Connections are accepted in their order: the first must be our own.
		const own = "nobody before me"
		conn, err := net.Dial("tcp", listener.Addr().String())
		require.NoError(t, err)
		_, err = io.WriteString(conn, own)
		require.NoError(t, err)
		require.NoError(t, conn.Close())
		first, err := listener.Accept()
		require.NoError(t, err)
		defer func() { _ = first.Close() }()
		said, err := io.ReadAll(io.LimitReader(first, int64(len(own))))
		require.NoError(t, err)
		require.Equal(t, own, string(said), "a token has made the program call a stranger")
	}
}
