package cases

import (
	"net/http"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/bench/internal/measure"
	"github.com/seed-077cad0b/auth/bench/internal/peers"
)

// What the others let through is printed beside their figures, so it is seen here
// when an upgrade changes it.
func TestWhatIsNotRefused(t *testing.T) {
	golden := map[string][]string{
		"golang-jwt, struct": {"accepts unknown crit"},
		"golang-jwt, map":    {"accepts unknown crit"},
		"go-jose":            nil,
		"jwx":                nil,
		"jwtauth":            {"accepts unknown crit"},
		"auth0":              nil,
		"echo-jwt":           {"accepts unknown crit"},
		"gin-jwt":            {"accepts unknown crit"},
		"go-guardian":        {"panics on no exp"},
		"go-guardian, cache": {"panics on no exp"},
	}
	require.Len(t, peers.JWTs(), len(golden))
	for _, algorithm := range algorithms {
		i, err := newIssuer(tokenSpec{Algorithm: algorithm})
		require.NoError(t, err)
		for _, p := range peers.JWTs() {
			m, err := p.Guard(i.Check)
			require.NoError(t, err, p.Name)
			notes, err := survey(m, i)
			require.NoError(t, err, p.Name)
			require.Contains(t, golden, p.Name)
			require.Equal(t, golden[p.Name], notes, "%s: %s", algorithm, p.Name)
		}
	}
}

func TestWeRefuseAll(t *testing.T) {
	for _, algorithm := range algorithms {
		i, err := newIssuer(tokenSpec{Algorithm: algorithm, Scopes: 3, Pad: 500})
		require.NoError(t, err)
		for _, o := range []*auth.JWTOptions{nil, {CacheSize: -1}} {
			m, err := ours(o, handed)(i.Check)
			require.NoError(t, err)
			notes, err := survey(m, i)
			require.NoError(t, err)
			require.Empty(t, notes)
		}
	}
}

// A survey is worth what it finds.
func TestSurvey(t *testing.T) {
	i, err := newIssuer(tokenSpec{})
	require.NoError(t, err)
	door := func(next http.Handler) http.Handler { return next }
	notes, err := survey(door, i)
	require.NoError(t, err)
	require.Len(t, notes, len(i.bad()))
	wall := func(http.Handler) http.Handler { return http.NotFoundHandler() }
	_, err = survey(wall, i)
	require.ErrorContains(t, err, "refuses a good token")
}

// Everybody gets as far as to the first round, and answers what is refused with a
// refusal.
func TestRefusedCases(t *testing.T) {
	for _, c := range refusedCases() {
		for _, contender := range c.Contenders {
			_, err := contender.Enter()
			require.NoError(t, err, "%s: %s", c.Name, contender.Name)
		}
	}
}

// A name that is misspelt would leave somebody out.
func TestContenders(t *testing.T) {
	require.Len(t, only(golangStruct, golangMap, guardianCached, "go-jose", "jwx"), 5)
	require.Len(t, everybody(), len(peers.JWTs())-1)
	names := map[string]bool{}
	for _, c := range jwtCases() {
		require.False(t, names[c.Name], c.Name)
		names[c.Name] = true
		require.Equal(t, "auth", c.Contenders[0].Name)
		for i, contender := range c.Contenders {
			require.False(t, slices.ContainsFunc(c.Contenders[:i], func(other measure.Contender) bool { return other.Name == contender.Name }))
		}
	}
}

func TestBareCheck(t *testing.T) {
	for _, algorithm := range algorithms[1:] {
		entry, err := bareCheck(tokenSpec{Algorithm: algorithm}).Enter()
		require.NoError(t, err)
		_, err = entry.Round()
		require.NoError(t, err)

		i, err := newIssuer(tokenSpec{Algorithm: algorithm})
		require.NoError(t, err)
		signed, signature := parts(i.forged())
		check, err := signatureCheck(i, signed, signature)
		require.NoError(t, err)
		require.False(t, check(), algorithm)
	}
}

func TestSpec(t *testing.T) {
	short, err := newIssuer(tokenSpec{Scopes: -1})
	require.NoError(t, err)
	long, err := newIssuer(tokenSpec{Scopes: 100, Pad: 1000})
	require.NoError(t, err)
	require.Greater(t, len(long.token("u"))-len(short.token("u")), (1000+100*len("data:part00"))*4/3)
	j, err := verifier(long.Check, nil)
	require.NoError(t, err)
	p, err := j.Verify(t.Context(), long.token("u"))
	require.NoError(t, err)
	require.Len(t, p.Scopes, 100)
	require.Len(t, long.tokens(3), 3)
}
