package auth_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
)

// An answer is good for MaxAge after the question, to the microsecond, and what
// was refused for 5 seconds at most.
func TestIntrospectionRemembers(t *testing.T) {
	const us = time.Microsecond
	for _, c := range []struct {
		name   string
		maxAge time.Duration
		answer string        // EXP+n stands for n seconds from now
		want   time.Duration // how long nobody is asked again; negative: not at all
	}{
		{"good", 0, active(), 30 * time.Second},
		{"good, as told", time.Minute, active(), time.Minute},
		{"good, not beyond its exp", 0, active("exp", "EXP+10"), 10 * time.Second},
		{"good, exp is later", 0, active("exp", "EXP+40"), 30 * time.Second},
		{"never", -1, active(), -1},
		{"inactive", 0, `{"active":false}`, 5 * time.Second},
		{"inactive, shorter", time.Second, `{"active":false}`, time.Second},
		{"inactive, never", -1, `{"active":false}`, -1},
		{"for another", 0, active("aud", `"other"`), 5 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			now := time.Now().Unix()
			a := saying(strings.NewReplacer("EXP+10", fmt.Sprint(now+10), "EXP+40", fmt.Sprint(now+40)).Replace(c.answer))
			i := newIntrospection(t, a, auth.IntrospectionOptions{MaxAge: c.maxAge})
			_, first := i.Verify(t.Context(), "opaque")
			require.Equal(t, 1, a.times(), c.name)
			if c.want < 0 {
				_, _ = i.Verify(t.Context(), "opaque")
				require.Equal(t, 2, a.times(), c.name)
				return
			}
			authtest.Advance(c.want - us)
			_, err := i.Verify(t.Context(), "opaque")
			require.Equal(t, first, err, c.name)
			require.Equal(t, 1, a.times(), c.name)
			_, _ = i.Verify(t.Context(), "another")
			require.Equal(t, 2, a.times(), c.name)
			authtest.Advance(us)
			_, _ = i.Verify(t.Context(), "opaque")
			require.Equal(t, 3, a.times(), c.name)
		})
	}
}

// Outages make nothing last longer, and what is remembered lasts through them.
func TestIntrospectionDoesNotStretchAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := saying(active())
		i := newIntrospection(t, a, auth.IntrospectionOptions{})
		_, err := i.Verify(t.Context(), "opaque")
		require.NoError(t, err)
		a.say(func(*http.Request, string) (int, string, error) { return 0, "", errOutage })
		authtest.Advance(29 * time.Second)
		_, err = i.Verify(auth.Uncached(t.Context()), "opaque")
		require.ErrorContains(t, err, "refused", "the outage")
		_, err = i.Verify(t.Context(), "opaque")
		require.NoError(t, err, "it is still known")
		authtest.Advance(time.Second)
		_, err = i.Verify(t.Context(), "opaque")
		require.ErrorContains(t, err, errOutage.Error())
		require.NotErrorIs(t, err, auth.ErrInvalid)
	})
}

// The age counts from the question: a server that answers late does not make a
// revocation that happened meanwhile take longer to be learned of.
func TestIntrospectionAgesFromTheQuestion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &asker{answer: func(*http.Request, string) (int, string, error) {
			<-time.After(4 * time.Second) // of the bubble
			return 200, active(), nil
		}}
		i := newIntrospection(t, a, auth.IntrospectionOptions{MaxAge: 10 * time.Second})
		start := time.Now()
		for time.Since(start) < 13*time.Second {
			_, err := i.Verify(t.Context(), "opaque")
			require.NoError(t, err)
			authtest.Advance(time.Second)
		}
		require.Equal(t, 2, a.times(), "at 0 and at 10 seconds")
	})
}

// Whether a token has expired is judged when the answer is there.
func TestIntrospectionSlowAnswerOutlivesNoToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answer := active("exp", fmt.Sprint(time.Now().Unix()+2))
		a := &asker{answer: func(*http.Request, string) (int, string, error) {
			<-time.After(2 * time.Second) // of the bubble
			return 200, answer, nil
		}}
		_, err := newIntrospection(t, a, auth.IntrospectionOptions{}).Verify(t.Context(), "opaque")
		require.ErrorIs(t, err, auth.ErrExpired)
	})
}

// Uncached asks anew, and what it learns replaces what was known, both ways.
func TestIntrospectionUncached(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var revoked atomic.Bool
		a := &asker{answer: func(*http.Request, string) (int, string, error) {
			if revoked.Load() {
				return 200, `{"active":false}`, nil
			}
			return 200, active(), nil
		}}
		i := newIntrospection(t, a, auth.IntrospectionOptions{})
		anew := auth.Uncached(t.Context())
		verify := func(ctx context.Context, times int) error {
			t.Helper()
			_, err := i.Verify(ctx, "opaque")
			require.Equal(t, times, a.times())
			return err
		}
		require.NoError(t, verify(t.Context(), 1))
		require.NoError(t, verify(anew, 2))
		revoked.Store(true)
		require.NoError(t, verify(t.Context(), 2))
		require.ErrorIs(t, verify(anew, 3), auth.ErrInvalid)
		require.ErrorIs(t, verify(t.Context(), 3), auth.ErrInvalid)
		revoked.Store(false)
		require.ErrorIs(t, verify(t.Context(), 3), auth.ErrInvalid)
		require.NoError(t, verify(anew, 4))
		require.NoError(t, verify(t.Context(), 4))
	})
}

// A slow answer from before a revocation does not bring the token back after a
// quick one from later has refused it.
func TestIntrospectionBelievesTheLaterQuestion(t *testing.T) {
	for name, order := range map[string][2]string{
		"revoked meanwhile": {active(), `{"active":false}`},
		"issued meanwhile":  {`{"active":false}`, active()},
	} {
		synctest.Test(t, func(t *testing.T) {
			slow := make(chan struct{})
			a := &asker{answer: func(*http.Request, string) (int, string, error) {
				<-slow
				return 200, order[0], nil
			}}
			i := newIntrospection(t, a, auth.IntrospectionOptions{})
			var waiting sync.WaitGroup
			waiting.Go(func() { _, _ = i.Verify(t.Context(), "opaque") })
			authtest.Advance(time.Millisecond)
			a.say(func(*http.Request, string) (int, string, error) { return 200, order[1], nil })
			_, later := i.Verify(auth.Uncached(t.Context()), "opaque")
			close(slow)
			waiting.Wait()
			_, err := i.Verify(t.Context(), "opaque")
			require.Equal(t, later, err, name)
			require.Equal(t, 2, a.times(), name)
		})
	}
}

// A refusal is over with a later answer, whatever becomes of that one.
func TestIntrospectionForgetsARefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var issued atomic.Bool
		a := &asker{answer: func(_ *http.Request, token string) (int, string, error) {
			return 200, active("active", fmt.Sprint(issued.Load() && token != "junk")), nil
		}}
		i := newIntrospection(t, a, auth.IntrospectionOptions{CacheSize: 1, MaxAge: time.Hour})
		for _, refused := range []string{"late", "junk"} { // the second makes the first one old
			_, err := i.Verify(t.Context(), refused)
			require.ErrorIs(t, err, auth.ErrInvalid)
		}
		issued.Store(true)
		_, err := i.Verify(auth.Uncached(t.Context()), "late")
		require.NoError(t, err)
		for n := range 40 { // there is room for seven
			_, err := i.Verify(t.Context(), fmt.Sprint("other", n))
			require.NoError(t, err)
		}
		_, err = i.Verify(t.Context(), "late")
		require.NoError(t, err)
	})
}

// A dump of the memory's tables has no token in it, good or refused.
func TestIntrospectionKeepsNoToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &asker{answer: func(_ *http.Request, token string) (int, string, error) {
			return 200, active("active", fmt.Sprint(token == "good-token")), nil
		}}
		i := newIntrospection(t, a, auth.IntrospectionOptions{})
		_, err := i.Verify(t.Context(), "good-token")
		require.NoError(t, err)
		_, err = i.Verify(t.Context(), "poor-token")
		require.ErrorIs(t, err, auth.ErrInvalid)
		good, refused := i.Remembered()
		require.Len(t, good, 1)
		require.Len(t, refused, 1)
		require.Len(t, good[0], 32)
		require.Len(t, refused[0], 32)
	})
}

// Row 47: those who guess fill nothing but a bounded part of their own.
func TestIntrospectionJunkPushesOutNothingGood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &asker{answer: func(_ *http.Request, token string) (int, string, error) {
			if strings.HasPrefix(token, "junk") {
				return 200, `{"active":false}`, nil
			}
			return 200, active(), nil
		}}
		i := newIntrospection(t, a, auth.IntrospectionOptions{CacheSize: 64, MaxAge: time.Hour})
		good := []string{"a", "b", "c", "d"}
		for _, token := range good {
			_, err := i.Verify(t.Context(), token)
			require.NoError(t, err)
		}
		for n := range 1000 {
			_, err := i.Verify(t.Context(), fmt.Sprint("junk", n))
			require.ErrorIs(t, err, auth.ErrInvalid)
		}
		before := a.times()
		for _, token := range good {
			_, err := i.Verify(t.Context(), token)
			require.NoError(t, err)
		}
		for _, token := range []string{"junk999", "junk950"} { // of both generations
			_, err := i.Verify(t.Context(), token)
			require.ErrorIs(t, err, auth.ErrInvalid)
		}
		require.Equal(t, before, a.times(), "all of this is remembered")
		_, refused := i.Remembered()
		require.LessOrEqual(t, len(refused), 2*64)
		_, err := i.Verify(t.Context(), "junk0")
		require.ErrorIs(t, err, auth.ErrInvalid)
		require.Equal(t, before+1, a.times(), "and this is not")
	})
}
