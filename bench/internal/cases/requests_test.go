package cases

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRequests(t *testing.T) {
	for name, enter := range map[string]enterRequests{
		"repeated": guarded(ours(nil, handed)), "session": inSession, "none": unguarded(inSession),
	} {
		t.Run(name, func(t *testing.T) {
			h, authorization, err := enter()
			require.NoError(t, err)
			l, err := listen(h)
			require.NoError(t, err)
			defer l.Close()
			c, err := l.dial(authorization)
			require.NoError(t, err)
			require.NoError(t, c.ask(10))
			require.True(t, strings.HasSuffix(string(c.answer), `{"hello":"world"}`))

			_, err = l.dial(authorization[:len(authorization)-1])
			if name == "none" {
				require.NoError(t, err)
			} else {
				require.Error(t, err, "no good credential")
			}
		})
	}
}

// A client reads as many bytes as the first answer has, so it must notice when
// another is none of these.
func TestClientNoticesRefusals(t *testing.T) {
	answers := 0
	l, err := listen(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if answers++; answers > 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		hello(w, r)
	}))
	require.NoError(t, err)
	defer l.Close()
	c, err := l.dial("Bearer x")
	require.NoError(t, err)
	require.NoError(t, c.ask(2))
	require.Error(t, c.ask(1))
}
