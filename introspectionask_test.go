package auth_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
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

// Row 47: a server that neither answers nor ends its answer is given up on.
func TestIntrospectionTakesNoLongerThanItsTimeout(t *testing.T) {
	hang := func(r *http.Request, _ string) (int, string, error) {
		<-r.Context().Done()
		return 0, "", r.Context().Err()
	}
	for _, timeout := range []time.Duration{0, time.Second} {
		synctest.Test(t, func(t *testing.T) {
			i := newIntrospection(t, nil, auth.IntrospectionOptions{Client: &http.Client{Transport: &asker{answer: hang}, Timeout: timeout}})
			start := time.Now()
			_, err := i.Verify(t.Context(), "opaque")
			require.Error(t, err)
			want := timeout
			if want == 0 {
				want = 5 * time.Second
			}
			require.Equal(t, want, time.Since(start))
		})
	}
}

// An endless is a body without an end.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	e.read += len(p)
	return len(p), nil
}

func (e *endless) Close() error { return nil }

func (e *endless) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: e}, nil
}

// Row 47: of an answer no more is read than could be one.
func TestIntrospectionReadsNoMoreThanItsBound(t *testing.T) {
	body := &endless{}
	i := newIntrospection(t, nil, auth.IntrospectionOptions{Client: &http.Client{Transport: body}})
	_, err := i.Verify(t.Context(), "opaque")
	require.ErrorContains(t, err, "too large")
	require.LessOrEqual(t, body.read, 64<<10+1)
}

// A connection that the server has closed meanwhile is no outage.
func TestIntrospectionAsksAgainOnANewConnection(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, active()) }))
	server.Start()
	defer server.Close()
	i, err := auth.NewIntrospection(server.URL, introspectionIssuer, introspectionAudience,
		&auth.IntrospectionOptions{ClientID: "api", ClientSecret: auth.NewSecret("hush"), MaxAge: -1})
	require.NoError(t, err)
	for range 20 {
		_, err := i.Verify(t.Context(), "opaque")
		require.NoError(t, err)
		server.CloseClientConnections()
	}
}

// The secret and the token go to the endpoint, and nowhere that it leads to.
func TestIntrospectionFollowsNoRedirect(t *testing.T) {
	var elsewhere int
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		elsewhere++
		_, _ = io.WriteString(w, active())
	}))
	defer other.Close()
	for _, code := range []int{301, 302, 303, 307, 308} {
		server := httptest.NewServer(http.RedirectHandler(other.URL, code))
		i, err := auth.NewIntrospection(server.URL+"/?key=hidden", introspectionIssuer, introspectionAudience, &auth.IntrospectionOptions{
			ClientID: "api", ClientSecret: auth.NewSecret("hush"), Client: &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return nil }},
		})
		require.NoError(t, err)
		_, err = i.Verify(t.Context(), "opaque")
		require.ErrorContains(t, err, fmt.Sprint(code))
		server.Close()
		_, err = i.Verify(t.Context(), "opaque2")
		require.ErrorContains(t, err, "refused", "the server is gone")
		require.NotContains(t, err.Error(), "hidden")
	}
	require.Zero(t, elsewhere)
}

// Who is to be told anew does not share a question from before.
func TestIntrospectionAnewSharesNoQuestion(t *testing.T) {
	for name, c := range map[string]struct {
		maxAge time.Duration
		of     func(context.Context) context.Context
		want   int
	}{
		"shared":   {0, func(ctx context.Context) context.Context { return ctx }, 1},
		"uncached": {0, auth.Uncached, 2},
		"no age":   {-1, func(ctx context.Context) context.Context { return ctx }, 2},
	} {
		synctest.Test(t, func(t *testing.T) {
			a := &asker{answer: func(*http.Request, string) (int, string, error) {
				<-time.After(time.Second) // of the bubble
				return 200, active(), nil
			}}
			i := newIntrospection(t, a, auth.IntrospectionOptions{MaxAge: c.maxAge})
			var all sync.WaitGroup
			all.Go(func() { _, _ = i.Verify(t.Context(), "opaque") })
			synctest.Wait()
			_, err := i.Verify(c.of(t.Context()), "opaque")
			require.NoError(t, err)
			all.Wait()
			require.Equal(t, c.want, a.times(), name)
		})
	}
}

// The end of a question takes nothing from a later one.
func TestIntrospectionSharesTheLatestQuestion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &asker{answer: func(*http.Request, string) (int, string, error) {
			<-time.After(time.Second) // of the bubble
			return 500, "", nil
		}}
		i := newIntrospection(t, a, auth.IntrospectionOptions{})
		var all sync.WaitGroup
		all.Go(func() { _, _ = i.Verify(t.Context(), "opaque") })
		synctest.Wait()
		a.say(func(*http.Request, string) (int, string, error) {
			<-time.After(3 * time.Second)
			return 200, active(), nil
		})
		all.Go(func() { _, _ = i.Verify(auth.Uncached(t.Context()), "opaque") })
		authtest.Advance(2 * time.Second) // the first has ended
		_, err := i.Verify(t.Context(), "opaque")
		require.NoError(t, err)
		all.Wait()
		require.Equal(t, 2, a.times())
	})
}

// A hundred requests with one new token ask once. None of them can spoil it for
// the others by going away, and none is held by the others.
func TestIntrospectionAsksOnceForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answer := make(chan struct{})
		a := &asker{answer: func(r *http.Request, _ string) (int, string, error) {
			select {
			case <-answer:
				return 200, active(), nil
			case <-r.Context().Done():
				return 0, "", r.Context().Err()
			}
		}}
		i := newIntrospection(t, a, auth.IntrospectionOptions{})
		first, leave := context.WithCancel(t.Context())
		var all sync.WaitGroup
		all.Go(func() {
			_, err := i.Verify(first, "opaque")
			require.ErrorIs(t, err, context.Canceled)
		})
		synctest.Wait()
		var good atomic.Int64
		for range 100 {
			all.Go(func() {
				if _, err := i.Verify(t.Context(), "opaque"); err == nil {
					good.Add(1)
				}
			})
		}
		all.Go(func() {
			hasty, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			start := time.Now()
			_, err := i.Verify(hasty, "opaque")
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.Equal(t, time.Second, time.Since(start))
		})
		leave()
		authtest.Advance(2 * time.Second)
		close(answer)
		all.Wait()
		require.EqualValues(t, 100, good.Load())
		require.Equal(t, 1, a.times())
	})
}

// Row 47: no more than MaxConcurrent questions are under way. Others wait, but
// not for ever, and a token that is known waits for nothing.
func TestIntrospectionBoundsItsQuestions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var underWay, most atomic.Int64
		a := &asker{answer: func(r *http.Request, token string) (int, string, error) {
			if token == "known" {
				return 200, active(), nil
			}
			most.Store(max(most.Load(), underWay.Add(1)))
			defer underWay.Add(-1)
			select {
			case <-time.After(3 * time.Second):
				return 200, active(), nil
			case <-r.Context().Done():
				return 0, "", r.Context().Err()
			}
		}}
		i := newIntrospection(t, a, auth.IntrospectionOptions{MaxConcurrent: 3})
		_, err := i.Verify(t.Context(), "known")
		require.NoError(t, err)

		var all sync.WaitGroup
		var good, busy, gone atomic.Int64
		for n := range 9 {
			all.Go(func() {
				switch _, err := i.Verify(t.Context(), fmt.Sprint("token", n)); {
				case err == nil:
					good.Add(1)
				case strings.Contains(err.Error(), "too many questions"):
					require.NotErrorIs(t, err, auth.ErrInvalid)
					busy.Add(1)
				}
			})
		}
		synctest.Wait()
		all.Go(func() {
			hasty, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			start := time.Now()
			_, err := i.Verify(hasty, "hasty")
			if errors.Is(err, context.DeadlineExceeded) && time.Since(start) == time.Second {
				gone.Add(1)
			}
		})
		_, err = i.Verify(t.Context(), "known")
		require.NoError(t, err)
		all.Wait()
		require.EqualValues(t, 3, most.Load())
		require.Equal(t, []int64{6, 3, 1}, []int64{good.Load(), busy.Load(), gone.Load()}, "three now, three 3 seconds later; the rest after 5")

		// All turns have been given back.
		for n := range 9 {
			_, err := i.Verify(t.Context(), fmt.Sprint("again", n))
			require.NoError(t, err)
		}
	})
}

// Requests that wait for their turn with one token ask once when it comes.
func TestIntrospectionAsksOnceForAllThatWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &asker{answer: func(*http.Request, string) (int, string, error) {
			<-time.After(time.Second) // of the bubble
			return 200, active(), nil
		}}
		i := newIntrospection(t, a, auth.IntrospectionOptions{MaxConcurrent: 1})
		var all sync.WaitGroup
		all.Go(func() { _, _ = i.Verify(t.Context(), "first") })
		synctest.Wait()
		for range 20 {
			all.Go(func() {
				_, err := i.Verify(t.Context(), "second")
				require.NoError(t, err)
			})
		}
		all.Wait()
		require.Equal(t, 2, a.times())
	})
}
