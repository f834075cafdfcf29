package auth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// The bounds of what a provider may answer.
const (
	maxRemoteDocument = 1 << 20
	maxRemoteKeys     = 256
	maxRedirects      = 3
)

// maxBurst is how many fetches requests may cause in a row.
const maxBurst = 4

var (
	errRemoteClosed   = errors.New("closed")
	errRemoteBudget   = errors.New("unknown kid, and the set was fetched too often to look again now")
	errRemoteTooLarge = errors.New("document is too large")
	errRemoteEncoding = errors.New("document is compressed")
	errRedirect       = errors.New("redirect to another origin")
	errRedirects      = errors.New("too many redirects")
)

// A fetch is one under way, or ended. What came of it is set before done is
// closed.
type fetch struct {
	number uint64
	done   chan struct{}
	set    *remoteSet // nil with an error
	err    error
}

// fetches are those of one set: at most one at a time, and when the next is due.
type fetches struct {
	ctx  context.Context // of all fetches
	stop context.CancelFunc

	mu       sync.Mutex
	begun    uint64 // how many
	underWay *fetch // or nil
	ended    *fetch // the last, or nil
	failed   int    // in a row
	timer    *time.Timer
	due      time.Time // when the timer fires
	booked   bool      // a request was turned away and counts on due
	paid     time.Time // when what requests have caused is paid for, one per interval
	closed   bool
	running  sync.WaitGroup
}

// await has the set fetched, or waits for the fetch under way, until a key is
// there or one that was begun after the call has not brought it.
func (r *RemoteKeys) await(ctx context.Context, kid string, alg Algorithm) ([]*Key, error) {
	before := r.fetches.count()
	for {
		f, err := r.join(before)
		if err != nil {
			if s := r.current.Load(); s != nil && s.former[kid] {
				return nil, nil // it was taken out, and is not to be waited for
			}
			return nil, err
		}
		select {
		case <-f.done:
		case <-ctx.Done():
			return nil, r.fault(ctx.Err())
		}
		if f.err != nil {
			return nil, f.err
		}
		if keys, ok := f.set.find(kid, alg); ok || f.number > before {
			return keys, nil
		}
	}
}

func (s *fetches) count() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.begun
}

// join returns a fetch that was begun after the one of that number and has ended,
// the one under way or, within the budget, a new one. What is beyond the budget is
// booked for when it fits.
func (r *RemoteKeys) join(before uint64) (*fetch, error) {
	s := &r.fetches
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return nil, r.fault(errRemoteClosed)
	case s.ended != nil && s.ended.number > before:
		return s.ended, nil // while the caller was waking up
	case s.underWay != nil:
		return s.underWay, nil
	}
	now := time.Now()
	if !s.booked {
		wait := s.charge(now, r.interval)
		if wait <= 0 {
			return r.begin(), nil
		}
		s.booked = true
		if now.Add(wait).Before(s.due) {
			r.wake(now, wait)
		}
	}
	if wait := s.due.Sub(now); wait > 0 {
		return nil, &Failure{Reason: ErrUnavailable, RetryAfter: wait, Err: r.fault(errRemoteBudget)}
	}
	return r.begin(), nil
}

// charge takes down that a request has caused a fetch, and returns how long
// that has to wait.
func (s *fetches) charge(now time.Time, interval time.Duration) time.Duration {
	if s.paid.Before(now) {
		s.paid = now
	}
	s.paid = s.paid.Add(interval)
	return s.paid.Sub(now) - maxBurst*interval
}

// begin begins a fetch, while none is under way. The caller holds the lock.
func (r *RemoteKeys) begin() *fetch {
	s := &r.fetches
	s.begun++
	f := &fetch{number: s.begun, done: make(chan struct{})}
	s.underWay, s.booked = f, false
	s.running.Add(1)
	go r.run(f)
	return f
}

// run fetches, plans the next fetch and tells whoever waits.
func (r *RemoteKeys) run(f *fetch) {
	s := &r.fetches
	defer s.running.Done()
	ctx, cancel := context.WithTimeout(s.ctx, r.timeout)
	defer cancel()
	set, report := r.renew(ctx)
	if report != nil {
		report = r.fault(report)
	}
	f.set = set
	if set == nil {
		f.err = report
		r.located = time.Time{} // the keys may have moved
	}

	s.mu.Lock()
	s.underWay, s.ended = nil, f
	if !s.closed {
		r.plan(f.err)
	}
	s.mu.Unlock()
	close(f.done)

	closed := s.ctx.Err() != nil && errors.Is(report, context.Canceled)
	if report != nil && r.onError != nil && !closed {
		r.onError(ctx, report)
	}
}

// plan plans the next fetch after one that ended with err. One that failed is
// repeated soon, and less so each time.
func (r *RemoteKeys) plan(err error) {
	s := &r.fetches
	in := r.refresh
	if err == nil {
		s.failed = 0
	} else {
		in = min(in, r.interval<<min(s.failed, 4))
		s.failed++
	}
	r.wake(time.Now(), in-rand.N(in/10))
}

// wake sets the timer.
func (r *RemoteKeys) wake(now time.Time, in time.Duration) {
	s := &r.fetches
	s.due = now.Add(in)
	if s.timer == nil {
		s.timer = time.AfterFunc(in, r.tick)
		return
	}
	s.timer.Reset(in)
}

func (r *RemoteKeys) tick() {
	s := &r.fetches
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed && s.underWay == nil {
		r.begin()
	}
}

func (s *fetches) close() {
	s.mu.Lock()
	s.closed = true
	if s.timer != nil {
		s.timer.Stop()
	}
	s.mu.Unlock()
	s.stop()
	s.running.Wait()
}

// renew fetches the set and puts it in the place of the old one. An error beside
// a set tells what was left out of it.
func (r *RemoteKeys) renew(ctx context.Context) (*remoteSet, error) {
	begun := time.Now()
	if err := r.locate(ctx); err != nil {
		return nil, err
	}
	document, err := r.get(ctx, r.url)
	if err != nil {
		return nil, err
	}
	next, err := r.current.Load().follow(document, r.algorithm)
	if next == nil {
		return nil, err
	}
	old := r.current.Swap(next)
	// A timer, so that nobody who verifies has to ask what time it is.
	next.end = time.AfterFunc(r.maxStale-time.Since(begun), func() { r.current.CompareAndSwap(next, nil) })
	if old != nil {
		old.end.Stop()
	}
	return next, err
}

// get returns the document at a URL.
func (r *RemoteKeys) get(ctx context.Context, address string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/json, application/jwk-set+json")
	status, document, err := send(r.client, request, maxRemoteDocument)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("status %d", status)
	}
	return document, err
}

// send sends a request and returns the status of the answer and, where that is
// 200, its body. What it reads is bounded by most, also where it is compressed: it
// does not take that.
func send(client *http.Client, request *http.Request, most int64) (status int, body []byte, err error) {
	request.Header.Set("Accept-Encoding", "identity")
	answer, err := client.Do(request)
	if err != nil {
		// net/http would quote the URL, and with it the query.
		var quoting *url.Error
		if errors.As(err, &quoting) {
			err = quoting.Err
		}
		return 0, nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	switch encoding := answer.Header.Get("Content-Encoding"); {
	case answer.StatusCode != http.StatusOK:
		return answer.StatusCode, nil, nil
	case encoding != "" && !strings.EqualFold(encoding, "identity"):
		return 0, nil, errRemoteEncoding
	case answer.ContentLength > most:
		return 0, nil, errRemoteTooLarge
	}
	body, err = io.ReadAll(io.LimitReader(answer.Body, most+1))
	if err == nil && int64(len(body)) > most {
		err = errRemoteTooLarge
	}
	return answer.StatusCode, body, err
}

// stayThere is the CheckRedirect of a client that stays where it was sent.
func stayThere(next *http.Request, via []*http.Request) error {
	first, u := via[0].URL, next.URL
	switch {
	case u.Scheme != first.Scheme || !strings.EqualFold(u.Hostname(), first.Hostname()) || portOf(u) != portOf(first) || u.User != nil:
		return errRedirect
	case len(via) > maxRedirects:
		return errRedirects
	}
	return nil
}

func portOf(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	return map[string]string{"https": "443", "http": "80"}[u.Scheme]
}
