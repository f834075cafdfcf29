package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/seed-077cad0b/auth/internal/weburl"
)

// RemoteKeys is the [KeySet] that an identity provider publishes: a JWK Set
// (RFC 7517 section 5) behind a URL, fetched when the first token asks for it
// and in the background from then on. [NewRemoteKeys] and [Discover] make one.
// It is safe for concurrent use, and a look-up of a key that is there takes no
// lock.
//
// Each fetch replaces the whole set, so a key that the provider takes out is
// dead with the next one, for tokens that were seen before, too. A key that
// stays is the same [Key]; one that changes under its old kid is no reason for a
// fetch before the next. While the provider cannot be reached, the keys go on for
// [RemoteKeysOptions].MaxStale; without any, tokens can neither be accepted nor
// refused, which is an outage.
//
// A kid that is not in the set has it fetched at once, but not as often as
// strangers like: four times in a row, and then once in MinInterval. A token
// that comes in between is not refused. It is answered as an outage, with the
// time of the next fetch, which is then booked, as Retry-After. A kid is refused
// only after a fetch that was begun when its token was there already, and in
// between if its key was taken out. Requests whose keys are known wait for none of
// this. All who wait share one fetch, which the context of none of them ends.
//
// The keys of the set verify, and do nothing else. What cannot be used is left
// out and the rest goes on: keys of unknown kinds and algorithms, weak and
// malformed ones, those that use or key_ops reserve for something else, secrets
// and private keys (who can read the set could sign), and keys that share both
// kid and algorithm. A set of which nothing is left is an error, and the old one
// stays.
type RemoteKeys struct {
	issuer   string   // empty: a bare URL
	name     string   // for errors: where the keys come from, without a query
	metadata []string // where the issuer may tell the URL

	client    *http.Client
	timeout   time.Duration
	refresh   time.Duration
	maxStale  time.Duration
	interval  time.Duration
	algorithm Algorithm
	onError   func(context.Context, error)

	current atomic.Pointer[remoteSet] // nil until the first fetch, and when stale

	fetches fetches

	// These belong to the fetch under way.
	url     string
	located time.Time // when url was found in the metadata
}

// RemoteKeysOptions change how [RemoteKeys] fetch. The zero value is good.
type RemoteKeysOptions struct {
	// Client lends its Transport and its Timeout, nothing else: there are no
	// cookies, and redirects are followed to the same scheme, host and port
	// only, at most three times. The Timeout is for a fetch as a whole: 10
	// seconds by default, at most a minute.
	Client *http.Client

	// Refresh is how often the set is fetched in the background, and so how
	// long a key outlives its removal: 15 minutes by default, 1 second to 24
	// hours. It is cut by up to a tenth, at random. What the provider says
	// about caching is not asked.
	Refresh time.Duration

	// MaxStale is how long keys are good after the last fetch that brought
	// them: 24 hours by default, Refresh to 30 days. After it, requests are
	// answered with 503 until the provider is back.
	MaxStale time.Duration

	// MinInterval is how often requests may have the set fetched in the long
	// run; four fetches may come in a row. 5 seconds by default, 1 second to a
	// minute. The background is not counted.
	MinInterval time.Duration

	// Algorithm is that of RSA keys without an alg: [RS256] by default. Other
	// keys have the one of their curve.
	Algorithm Algorithm

	// OnError, if not nil, is told of each fetch that failed, and of keys that
	// were left out, once for each document. It runs on the goroutine of a fetch,
	// maybe while the next has begun, and must not call Close.
	OnError func(ctx context.Context, err error)
}

// NewRemoteKeys returns the keys at a URL: https, or http on this very host,
// without user and fragment. o may be nil. Nothing is fetched yet, so a provider
// that is down does not keep an API from starting. The error joins all that is
// wrong.
//
// The set is of no issuer in particular. Where the provider has metadata,
// [Discover] is better: it binds the keys to who publishes them.
func NewRemoteKeys(url string, o *RemoteKeysOptions) (*RemoteKeys, error) {
	r, err := newRemoteKeys("NewRemoteKeys", url, o)
	if err != nil {
		return nil, err
	}
	r.url = url
	return r, nil
}

func newRemoteKeys(constructor, address string, o *RemoteKeysOptions) (*RemoteKeys, error) {
	if o == nil {
		o = &RemoteKeysOptions{}
	}
	client := o.Client
	if client == nil {
		client = &http.Client{}
	}
	r := &RemoteKeys{
		client:    &http.Client{Transport: client.Transport, CheckRedirect: stayThere},
		timeout:   or(client.Timeout, 10*time.Second),
		refresh:   or(o.Refresh, 15*time.Minute),
		interval:  or(o.MinInterval, 5*time.Second),
		algorithm: or(o.Algorithm, RS256),
		onError:   o.OnError,
	}
	r.maxStale = or(o.MaxStale, max(24*time.Hour, r.refresh))

	u, err := weburl.Parse(address)
	var errs []error
	require := func(ok bool, what string) {
		if !ok {
			errs = append(errs, errors.New("auth: "+constructor+": "+what))
		}
	}
	if err != nil {
		require(false, err.Error())
	} else {
		r.name = u.Scheme + "://" + u.Host + u.EscapedPath()
	}
	within := func(d, from, to time.Duration) bool { return from <= d && d <= to }
	require(within(r.timeout, 1, time.Minute), "Timeout of the Client is not within a minute")
	require(within(r.refresh, time.Second, 24*time.Hour), "Refresh is not within 1 second and 24 hours")
	require(within(r.maxStale, r.refresh, 30*24*time.Hour), "MaxStale is not within Refresh and 30 days")
	require(within(r.interval, time.Second, time.Minute), "MinInterval is not within 1 second and a minute")
	require(r.algorithm.isRSA(), "Algorithm is none of RSA")
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	r.fetches.ctx, r.fetches.stop = context.WithCancel(context.Background())
	return r, nil
}

// Issuer returns whose keys these are, and the empty string for those of
// [NewRemoteKeys]. [NewJWT] refuses the keys of another issuer than its own.
func (r *RemoteKeys) Issuer() string { return r.issuer }

// Lookup implements [KeySet]. It waits for a fetch where no key of that id is
// there, until ctx ends.
func (r *RemoteKeys) Lookup(ctx context.Context, kid string, alg Algorithm) ([]*Key, error) {
	if keys, ok := r.find(kid, alg); ok {
		return keys, nil
	}
	return r.await(ctx, kid, alg)
}

// find answers from memory, and reports false where only a fetch can tell. What
// no published key could have signed is not worth one.
func (r *RemoteKeys) find(kid string, alg Algorithm) ([]*Key, bool) {
	if !alg.isAsymmetric() {
		return nil, true
	}
	s := r.current.Load()
	if s == nil {
		return nil, false
	}
	return s.find(kid, alg)
}

// Contains implements [KeySet].
func (r *RemoteKeys) Contains(k *Key) bool {
	s := r.current.Load()
	return s != nil && slices.Contains(s.all, k)
}

// Close ends what goes on in the background and waits for it. The keys that are
// there are good for the rest of their time; a look-up of others is an error.
// The error is always nil.
func (r *RemoteKeys) Close() error {
	r.fetches.close()
	return nil
}

// fault says of an error where the keys should have come from.
func (r *RemoteKeys) fault(err error) error { return fmt.Errorf("auth: keys of %s: %w", r.name, err) }
