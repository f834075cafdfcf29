package cases

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth/bench/internal/nowhere"
	"github.com/seed-077cad0b/auth/bench/internal/peers"
)

// How limiters count is told beside their figures, so it is seen here when an
// upgrade changes it.
func TestLimiterFacts(t *testing.T) {
	exact := limiterFacts{admitted: 10, other: http.StatusOK, after: http.StatusTooManyRequests}
	golden := map[string]struct{ network, fields bool }{
		"auth":       {network: true},
		"httprate":   {network: true},
		"ulule":      {fields: true},
		"go-limiter": {fields: true},
		"tollbooth":  {network: true, fields: true},
		"throttled":  {fields: true},
	}
	require.Len(t, limiters(), len(golden))
	for _, library := range limiters() {
		want := exact
		want.network, want.fields = golden[library.Name].network, golden[library.Name].fields
		f, err := limitsOf(library)
		require.NoError(t, err, library.Name)
		require.Equal(t, want, f, library.Name)
		require.NoError(t, acceptsLimits(library), library.Name)
	}
}

// What does not limit is not timed.
func TestAcceptsLimits(t *testing.T) {
	for _, limit := range []int{5, 20} {
		library := peers.Limiter{Name: "wrong", New: func(_ int, per time.Duration, fields bool) (peers.Middleware, error) {
			return ourLimiter(handed)(limit, per, fields)
		}}
		require.ErrorContains(t, acceptsLimits(library), "of a limit of ten")
	}
}

// Everybody who is timed does what they are timed at: to be admitted, or not.
func TestLimiterContenders(t *testing.T) {
	for _, row := range []limiting{
		{size: size{n: 3}, limit: 1_000_000_000, status: http.StatusOK},
		{size: size{n: 3}, limit: 1_000_000_000, status: http.StatusOK, fields: true},
		{size: size{n: 3}, limit: 1, status: http.StatusTooManyRequests},
		{size: size{n: 1}, limit: 1, status: http.StatusTooManyRequests},
	} {
		for _, library := range limiters() {
			e, err := row.enter(library)
			require.NoError(t, err, library.Name)
			s, err := e.Round()
			require.NoError(t, err, "%s %+v", library.Name, row)
			require.Positive(t, s.Value)
		}
	}
}

// Fields that are asked for are there.
func TestLimiterFields(t *testing.T) {
	for _, library := range limiters() {
		m, err := library.New(10, time.Hour, true)
		require.NoError(t, err)
		w := nowhere.NewWriter()
		m(nothing).ServeHTTP(w, asks("", ""))
		w.Fields.Del("Strict-Transport-Security")
		require.NotEmpty(t, w.Fields, library.Name)
	}
}
