package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMatrix(t *testing.T) {
	m, err := read(strings.NewReader(`
{"Action":"run","Test":"TestKit/a/store/Insert"}
{"Action":"pass","Test":"TestKit/a/store/Insert"}
{"Action":"pass","Test":"TestKit/a/store/Take_once"}
{"Action":"pass","Test":"TestKit/a/store"}
{"Action":"pass","Test":"TestKit/a"}
{"Action":"pass","Test":"TestKit/b_c/store/Insert"}
{"Action":"pass","Test":"TestKit/b_c/store/Walk"}
{"Action":"pass","Test":"TestKit/b_c/store"}
{"Action":"pass","Test":"TestKit"}
{"Action":"pass"}`))
	require.NoError(t, err)
	var b strings.Builder
	require.NoError(t, m.write(&b))
	require.Equal(t, strings.TrimLeft(`
| case | a | b c |
|---|---|---|
| store/Insert | yes | yes |
| store/Take once | yes | – |
| store/Walk | – | yes |
`, "\n"), b.String())
	require.False(t, m.failed)
}

func TestMatrixFailsWithItsCases(t *testing.T) {
	m, err := read(strings.NewReader(`{"Action":"fail","Test":"TestKit/a/store/Insert"}`))
	require.NoError(t, err)
	require.True(t, m.failed)

	m, err = read(strings.NewReader(`{"Action":"fail"}`)) // such as one that does not build
	require.NoError(t, err)
	require.Error(t, m.write(&strings.Builder{}))
	_, err = read(strings.NewReader("# not JSON"))
	require.Error(t, err)
}
