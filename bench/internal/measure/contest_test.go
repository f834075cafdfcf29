package measure_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth/bench/internal/measure"
)

// The contenders of a test are this binary, too.
func TestMain(m *testing.M) {
	if contender, err := measure.Contend([]measure.Case{contest()}); contender {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// contest is of one who takes longer from round to round, one who takes thrice as long
// but for once, and some who do not come to an end.
func contest() measure.Case {
	in := func(value func(round int) (float64, error)) func() (*measure.Entry, error) {
		return func() (*measure.Entry, error) {
			round := 0
			return &measure.Entry{Notes: []string{"noted"}, Round: func() (measure.Sample, error) {
				round++
				v, err := value(round)
				return measure.Sample{Value: v}, err
			}}, nil
		}
	}
	return measure.Case{Table: "Table", Name: "case", Contenders: []measure.Contender{
		{Name: "ours", Enter: in(func(round int) (float64, error) { return float64(round * round), nil })},
		{Name: "thrice", Wanted: 3, Enter: in(func(round int) (float64, error) {
			if round == 1 {
				return 100, nil
			}
			return float64(3 * round * round), nil
		})},
		{Name: "does not enter", Wanted: 3, Enter: func() (*measure.Entry, error) { return nil, errors.New("not\n\there") }},
		{Name: "fails", Enter: in(func(round int) (float64, error) {
			if round == 2 {
				return 0, errors.New("no more")
			}
			return 1, nil
		})},
		{Name: "ends", Enter: in(func(int) (float64, error) { os.Exit(3); return 0, nil })},
	}}
}

func TestRun(t *testing.T) {
	c := contest()
	r, err := c.Run(t.Context(), 4)
	require.NoError(t, err)
	require.Equal(t, "ns/op", r.Unit)
	require.Equal(t, 1, r.Cores)

	ours, thrice := r.Outcomes[0], r.Outcomes[1]
	require.Equal(t, []string{"noted"}, ours.Notes)
	require.Len(t, ours.Samples, 4)
	require.Equal(t, 6.5, ours.Median().Value, "of 1, 4, 9 and 16")
	require.Len(t, thrice.Samples, 4)
	require.Equal(t, 3.0, r.Ratio(1), "within the rounds, in which they mostly agree")
	require.False(t, r.Missed(1))
	r.Outcomes[1].Wanted = 3.01
	require.True(t, r.Missed(1))
	r.Larger = true
	require.InDelta(t, 1.0/3, r.Ratio(1), 1e-9)

	for i, failure := range map[int]string{2: "not here", 3: "no more", 4: "the process ended: EOF"} {
		require.Equal(t, failure, r.Outcomes[i].Failure)
		require.Empty(t, r.Outcomes[i].Samples)
		require.False(t, r.Missed(i))
	}
}

// The rounds of a case are its own, whatever is asked for.
func TestRoundsOfACase(t *testing.T) {
	c := contest()
	c.Rounds, c.Contenders = 2, c.Contenders[:1]
	r, err := c.Run(t.Context(), 4)
	require.NoError(t, err)
	require.Len(t, r.Outcomes[0].Samples, 2)
}

func TestInterruptedRun(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c := contest()
	_, err := c.Run(ctx, 4)
	require.ErrorIs(t, err, context.Canceled)
}

func TestNobodyContends(t *testing.T) {
	t.Setenv("BENCH_CASE", "Table/case")
	t.Setenv("BENCH_CONTENDER", "somebody")
	contender, err := measure.Contend([]measure.Case{contest()})
	require.True(t, contender)
	require.ErrorContains(t, err, `nobody is "somebody" in "Table/case"`)
}
