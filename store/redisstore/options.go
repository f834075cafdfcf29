package redisstore

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"
)

// Options are what [Open] does not need to be told. The zero Options are the
// defaults.
type Options struct {
	// Prefix begins every key, so that several stores may share a database:
	// "auth:" by default. Letters, digits and ._:- are allowed, 64 of them at
	// most.
	Prefix string

	// Timeout is how long to wait for a server that is slow to accept, or has
	// ceased to answer: 2 seconds by default, and no less than 20 milliseconds.
	Timeout time.Duration

	// TLS is for rediss: to trust other authorities than the system's, or to
	// show a certificate.
	TLS *tls.Config

	// InsecureEviction takes a server that may evict keys when its memory is
	// full. A revoked credential is valid again when its mark has been evicted.
	InsecureEviction bool
}

const (
	defaultPrefix  = "auth:"
	defaultTimeout = 2 * time.Second
	minTimeout     = 20 * time.Millisecond
	maxName        = 64
)

var errURL = errors.New("redisstore: malformed URL")

// client returns what the URL and o say, all of it checked. No error quotes the
// URL, which holds a password.
func (o *Options) client(text string) (rueidis.ClientOption, error) {
	u, err := url.Parse(text)
	if err != nil {
		return rueidis.ClientOption{}, errURL
	}
	var errs []error
	if o.Prefix != "" {
		errs = append(errs, checkName("prefix", o.Prefix))
	}
	if o.Timeout != 0 && o.Timeout < minTimeout {
		errs = append(errs, fmt.Errorf("redisstore: time-out %v is less than %v", o.Timeout, minTimeout))
	}
	if u.Scheme != "redis" && u.Scheme != "rediss" {
		errs = append(errs, errors.New("redisstore: the scheme of the URL is neither redis nor rediss"))
	}
	if o.TLS != nil && u.Scheme != "rediss" {
		errs = append(errs, errors.New("redisstore: a TLS configuration for a URL whose scheme is not rediss"))
	}
	hosts, err := addresses(u)
	errs = append(errs, err)
	db, err := database(u)
	errs = append(errs, err)
	if err := errors.Join(errs...); err != nil {
		return rueidis.ClientOption{}, err
	}
	c := rueidis.ClientOption{InitAddress: hosts, SelectDB: db, Username: u.User.Username()}
	c.Password, _ = u.User.Password()
	if u.Scheme == "rediss" {
		// Without a ServerName each node is held against its own address.
		c.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12}
		if o.TLS != nil {
			c.TLSConfig = o.TLS.Clone()
		}
	}
	o.tune(&c)
	return c, nil
}

// tune sets what decides how fast the client is, and how long it waits.
func (o *Options) tune(c *rueidis.ClientOption) {
	timeout := o.timeout()
	c.DisableCache = true
	c.ClientSetInfo = rueidis.DisableClientSetInfo // which needs a right of its own
	// One connection to a node: what comes at once is written at once. A
	// request in a pipeline heeds its context; it would not outside of one.
	c.PipelineMultiplex = -1
	c.AlwaysPipelining = true
	// A connection that has been silent for a quarter of the time-out is asked
	// whether it lives, and has half of it to answer.
	c.Dialer.Timeout = timeout / 2
	c.Dialer.KeepAlive = timeout / 4
	c.ConnWriteTimeout = timeout / 2
	// What has moved to a new master is else learnt only from a request for it.
	c.ClusterOption.ShardsRefreshInterval = 10 * time.Second
	// Whoever dials does so for all that wait, and may not give up for them.
	c.DialCtxFn = func(ctx context.Context, address string, d *net.Dialer, t *tls.Config) (net.Conn, error) {
		ctx = context.WithoutCancel(ctx)
		if t != nil {
			return (&tls.Dialer{NetDialer: d, Config: t}).DialContext(ctx, "tcp", address)
		}
		return d.DialContext(ctx, "tcp", address)
	}
	// A command that is tried again must be another: the client uses its memory
	// anew once there is an answer, which a connection that is closed may be
	// reading still. See Store.read.
	c.DisableRetry = true
}

func (o *Options) timeout() time.Duration {
	if o.Timeout == 0 {
		return defaultTimeout
	}
	return o.Timeout
}

func (o *Options) prefix() string {
	if o.Prefix == "" {
		return defaultPrefix
	}
	return o.Prefix
}

// addresses returns the host of the URL, and those of its parameters addr.
func addresses(u *url.URL) ([]string, error) {
	hosts := []string{u.Host}
	for name, values := range u.Query() {
		if name != "addr" {
			return nil, errors.New("redisstore: the URL has a parameter other than addr")
		}
		hosts = append(hosts, values...)
	}
	for i, host := range hosts {
		h := &url.URL{Host: host}
		if h.Hostname() == "" || strings.ContainsAny(host, "/@ ") {
			return nil, errors.New("redisstore: an address in the URL is no host and port")
		}
		port := h.Port()
		if port == "" {
			port = "6379"
		}
		hosts[i] = net.JoinHostPort(h.Hostname(), port)
	}
	return hosts, nil
}

// database returns the number that is the path of the URL.
func database(u *url.URL) (int, error) {
	number := strings.TrimPrefix(u.Path, "/")
	if number == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(number, 10, 16)
	if err != nil {
		return 0, errors.New("redisstore: the path of the URL is no number of a database")
	}
	return int(n), nil
}

// checkName refuses what would be a pattern, or move a key to another slot of a
// cluster.
func checkName(what, name string) error {
	if name == "" || len(name) > maxName {
		return fmt.Errorf("redisstore: a %s has 1 to %d characters", what, maxName)
	}
	for _, c := range []byte(name) {
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letter && (c < '0' || c > '9') && !strings.ContainsRune("._:-", rune(c)) {
			return fmt.Errorf("redisstore: %s %q: only letters, digits and ._:- are allowed", what, name)
		}
	}
	return nil
}
