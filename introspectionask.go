package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// A question about a token is one under way, or answered. What came of it is
// set before done is closed.
type question struct {
	name  tokenName
	asked int64 // what the server does later, the answer cannot tell
	done  chan struct{}

	principal *Principal
	until     int64 // how long to remember it; zero: not at all
	err       error
}

var errBusy = errors.New("too many questions are under way")

// ask returns what the server says of a token. Unless it is to say so anew,
// what it has been asked already, by anybody, will do.
func (i *Introspection) ask(ctx context.Context, token string, name tokenName, anew bool) (*Principal, error) {
	q := i.asked(name, anew)
	if q == nil {
		if err := i.enter(ctx); err != nil {
			return nil, fmt.Errorf("auth: introspection: %w", err)
		}
		q = i.begin(ctx, token, name, anew)
	}
	select {
	case <-q.done:
		return q.principal, q.err
	case <-ctx.Done():
		return nil, fmt.Errorf("auth: introspection: %w", ctx.Err())
	}
}

// enter waits for its turn to ask.
func (i *Introspection) enter(ctx context.Context) error {
	select {
	case i.slots <- struct{}{}:
		return nil
	default:
	}
	patience := time.NewTimer(i.timeout)
	defer patience.Stop()
	select {
	case i.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-patience.C:
		return errBusy
	}
}

func (i *Introspection) asked(name tokenName, anew bool) *question {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.find(name, anew)
}

// begin begins a question, unless somebody has asked it while the caller waited
// for its turn, which it gives back then.
func (i *Introspection) begin(ctx context.Context, token string, name tokenName, anew bool) *question {
	i.mu.Lock()
	defer i.mu.Unlock()
	if q := i.find(name, anew); q != nil {
		<-i.slots
		return q
	}
	q := &question{name: name, asked: time.Now().UnixMicro(), done: make(chan struct{})}
	i.open[name.digest] = q
	go i.run(context.WithoutCancel(ctx), q, token)
	return q
}

// run asks. It ends by itself in time, whoever waits.
func (i *Introspection) run(ctx context.Context, q *question, token string) {
	ctx, cancel := context.WithTimeout(ctx, i.timeout)
	defer cancel()
	defer i.end(q)
	answer, err := i.fetch(ctx, token)
	if err != nil {
		// Whatever it is, a transport's reason is none to refuse the caller.
		q.err = fmt.Errorf("auth: introspection: %v", err)
		return
	}
	p, err := i.read(answer, token, time.Now().UnixMicro())
	var refused Reason
	switch {
	case errors.As(err, &refused):
		q.err, q.until = err, q.asked+min(i.maxAge, refusedFor)
	case err != nil:
		q.err = fmt.Errorf("auth: introspection: %w", err)
	default:
		q.principal, q.until = p, q.asked+i.maxAge
		if e := p.Credential.Expires; !e.IsZero() {
			q.until = min(q.until, e.UnixMicro())
		}
	}
}

// end tells all who wait, and remembers the answer unless a later question has
// been answered already.
func (i *Introspection) end(q *question) {
	if p := recover(); p != nil {
		q.err = fmt.Errorf("auth: introspection: panic: %v", p)
	}
	i.mu.Lock()
	if i.open[q.name.digest] == q {
		delete(i.open, q.name.digest)
	}
	if q.until > q.asked && i.isLatest(q) {
		i.remember(q)
	}
	i.mu.Unlock()
	close(q.done)
	<-i.slots
}

// maxIntrospection bounds an answer.
const maxIntrospection = 64 << 10

// fetch has the server tell of a token.
func (i *Introspection) fetch(ctx context.Context, token string) ([]byte, error) {
	form := url.Values{"token": {token}, "token_type_hint": {"access_token"}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, i.endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	h := request.Header
	h.Set("Content-Type", "application/x-www-form-urlencoded")
	h.Set("Accept", contentJSON)
	h["Idempotency-Key"] = nil // is not sent, but lets net/http try again on another connection
	if !i.authorization.IsZero() {
		h.Set("Authorization", i.authorization.Reveal())
	}
	status, answer, err := send(i.client, request, maxIntrospection)
	switch {
	case err != nil:
		return nil, err
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return nil, errOwnRefused
	case status != http.StatusOK:
		return nil, fmt.Errorf("status %d", status)
	}
	return answer, nil
}

// stopThere is the CheckRedirect of a client that follows none: what it sends is
// for one address.
func stopThere(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
