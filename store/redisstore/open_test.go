package redisstore_test

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/internal/servertest"
	"github.com/seed-077cad0b/auth/store/redisstore"
)

const secret = "a-password-that-nobody-may-read"

// What is not valid is refused, all of it at once, and no error tells the
// password.
func TestOpenRefuses(t *testing.T) {
	type options = redisstore.Options
	for _, c := range []struct {
		url     string
		options *options
		want    []string
	}{
		{"", nil, []string{"neither redis nor rediss", "no host"}},
		{"redis://:" + secret + "@host:port", nil, []string{"malformed URL"}},
		{"redis://:" + secret + "%zz@host", nil, []string{"malformed URL"}},
		{"http://:" + secret + "@host", nil, []string{"neither redis nor rediss"}},
		{"redis://:" + secret + "@", nil, []string{"no host"}},
		{"redis://:" + secret + "@host/one", nil, []string{"no number"}},
		{"redis://:" + secret + "@host/-1", nil, []string{"no number"}},
		{"redis://:" + secret + "@host?addr=", nil, []string{"no host"}},
		{"redis://:" + secret + "@host?addr=a/b", nil, []string{"no host"}},
		{"rediss://:" + secret + "@host?skip_verify=true", nil, []string{"a parameter other than addr"}},
		{"redis://:" + secret + "@host", &options{TLS: &tls.Config{}}, []string{"not rediss"}},
		{"redis://:" + secret + "@host", &options{Prefix: "a{b}"}, []string{"only letters"}},
		{"redis://:" + secret + "@host", &options{Prefix: "auth*"}, []string{"only letters"}},
		{"redis://:" + secret + "@host", &options{Prefix: strings.Repeat("a", 65)}, []string{"1 to 64 characters"}},
		{"redis://:" + secret + "@host/x", &options{Prefix: "?", Timeout: 1}, []string{"only letters", "less than 20ms", "no number"}},
		{"redis://:" + secret + "@127.0.0.1:1", &options{Timeout: time.Second}, []string{"refused"}},
	} {
		_, err := redisstore.Open(t.Context(), c.url, c.options)
		for _, want := range c.want {
			require.ErrorContains(t, err, want, c.url)
		}
		require.NotContains(t, err.Error(), secret)
	}
}

func TestOpenRefusesAWrongPassword(t *testing.T) {
	u, err := url.Parse(servertest.Redis(t))
	require.NoError(t, err)
	u.User = url.UserPassword("default", secret)
	_, err = redisstore.Open(t.Context(), u.String(), nil)
	require.ErrorContains(t, err, "WRONGPASS")
	require.NotContains(t, err.Error(), secret)
}

// A server that evicts would forget what is revoked.
func TestOpenRefusesAServerThatEvicts(t *testing.T) {
	redis := servertest.StartRedis(t)
	r := rawAt(t, redis.URL())
	for _, policy := range []string{"allkeys-lru", "volatile-lru", "volatile-ttl", "allkeys-random"} {
		r.run("CONFIG", "SET", "maxmemory-policy", policy)
		_, err := redisstore.Open(t.Context(), redis.URL(), nil)
		require.ErrorContains(t, err, "has the maxmemory-policy "+policy)
	}
	s, err := redisstore.Open(t.Context(), redis.URL(), &redisstore.Options{InsecureEviction: true})
	require.NoError(t, err)
	s.Close()
}

// A replica lags behind, and is known where INFO is not allowed.
func TestOpenRefusesAReplica(t *testing.T) {
	redis := servertest.StartRedis(t)
	r := rawAt(t, redis.URL())
	u, err := url.Parse(redis.URL())
	require.NoError(t, err)
	u.User = url.UserPassword("auth", "password")
	open := func(rights ...string) error {
		r.run(append([]string{"ACL", "SETUSER", "auth", "reset", "on", ">password", "~*", "&*", "+@all"}, rights...)...)
		s, err := redisstore.Open(t.Context(), u.String(), nil)
		if err == nil {
			s.Close()
		}
		return err
	}
	require.NoError(t, open("-info"))
	require.ErrorContains(t, open("-role"), "NOPERM")
	r.run("REPLICAOF", "127.0.0.1", "1")
	require.ErrorContains(t, open(), "is a replica")
	require.ErrorContains(t, open("-info"), "is a replica")
}

// When the memory is full, a write is an outage, and nothing is forgotten.
func TestAFullServerForgetsNothing(t *testing.T) {
	redis := servertest.StartRedis(t)
	s, err := redisstore.Open(t.Context(), redis.URL(), nil)
	require.NoError(t, err)
	defer s.Close()
	d, r := number(t, 1), record(t.Name())
	require.NoError(t, s.Insert(t.Context(), d, r))
	rawAt(t, redis.URL()).run("CONFIG", "SET", "maxmemory", "1")
	for _, err := range []error{s.Insert(t.Context(), number(t, 2), r), s.Insert(t.Context(), d, r)} {
		require.ErrorContains(t, err, "OOM")
		require.NotErrorIs(t, err, auth.ErrExists)
	}
	got, err := s.Lookup(t.Context(), d)
	require.NoError(t, err)
	require.Equal(t, r, got)
}

// The rights that the package's page tells suffice, for everything but INFO if
// that is left out.
func TestTheRightsThatAreTold(t *testing.T) {
	page, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	line := regexp.MustCompile(`(?m)^//\tACL SETUSER auth (.*)$`).FindSubmatch(page)
	require.NotNil(t, line)
	redis := servertest.StartRedis(t)
	r := rawAt(t, redis.URL())
	for _, without := range []string{"", "-info"} {
		r.run(append([]string{"ACL", "SETUSER", "auth", "reset"}, strings.Fields(string(line[1])+" "+without)...)...)
		u, err := url.Parse(redis.URL())
		require.NoError(t, err)
		u.User = url.UserPassword("auth", "password")
		s, err := redisstore.Open(t.Context(), u.String(), nil)
		require.NoError(t, err)
		useAll(t, s)
		s.Close()
	}
}

// useAll calls everything there is.
func useAll(t *testing.T, s *redisstore.Store) {
	t.Helper()
	ctx, d, r := t.Context(), number(t, 1), record(t.Name())
	w := watch(ctx, s)
	within(t, w.told, "the watch to begin")
	require.NoError(t, s.Insert(ctx, d, r))
	require.Equal(t, d, within(t, w.changed, "the change"))
	require.NoError(t, s.Touch(ctx, map[auth.Digest]time.Time{d: r.Seen.Add(time.Minute)}))
	r.Revision++
	r.Owner = auth.DigestOf("owner", "another")
	require.NoError(t, s.Replace(ctx, d, r))
	r.Seen = r.Seen.Add(time.Minute)
	got := make([]auth.Record, 2)
	require.NoError(t, s.LookupAll(ctx, r.Kind, []auth.Digest{number(t, 2), d}, got))
	require.Equal(t, []auth.Record{{}, r}, got)
	for e, err := range s.List(ctx, r.Owner, r.Kind) {
		require.NoError(t, err)
		require.Equal(t, auth.Entry{Digest: d, Record: r}, e)
	}
	for e, err := range s.Walk(ctx, "") {
		require.NoError(t, err)
		require.Equal(t, auth.Entry{Digest: d, Record: r}, e)
	}
	_, err := s.Take(ctx, d)
	require.NoError(t, err)
	_, err = limiter(t, s, "all", auth.Rate{Limit: 1, Per: time.Second}).Allow(ctx, "key", 1)
	require.NoError(t, err)
}

// Databases are apart.
func TestTheDatabaseOfTheURL(t *testing.T) {
	b := backend{servertest.Redis(t), newPrefix()}
	one := b.open(t)
	other := backend{b.url + "/3", b.prefix}.open(t)
	d, r := number(t, 1), record(t.Name())
	require.NoError(t, one.Insert(t.Context(), d, r))
	require.NoError(t, other.Insert(t.Context(), d, r))
	_, err := one.Take(t.Context(), d)
	require.NoError(t, err)
	_, err = other.Lookup(t.Context(), d)
	require.NoError(t, err)
}

// A rediss: URL is held against the certificate.
func TestTLS(t *testing.T) {
	u, err := url.Parse(servertest.Redis(t))
	require.NoError(t, err)
	certified := httptest.NewTLSServer(nil)
	defer certified.Close()
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: certified.TLS.Certificates})
	require.NoError(t, err)
	defer l.Close()
	go relay(l, u.Host)
	u.Scheme, u.Host = "rediss", l.Addr().String()

	_, err = redisstore.Open(t.Context(), u.String(), nil)
	var unknown x509.UnknownAuthorityError
	require.ErrorAs(t, err, &unknown)

	roots := x509.NewCertPool()
	roots.AddCert(certified.Certificate())
	s, err := redisstore.Open(t.Context(), u.String(), &redisstore.Options{Prefix: newPrefix(), TLS: &tls.Config{RootCAs: roots}})
	require.NoError(t, err)
	defer s.Close()
	useAll(t, s)
}

// relay passes what comes in on to another address.
func relay(l net.Listener, address string) {
	for {
		client, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer client.Close()
			server, err := net.Dial("tcp", address)
			if err != nil {
				return
			}
			defer server.Close()
			go func() { _, _ = io.Copy(server, client) }()
			_, _ = io.Copy(client, server)
		}()
	}
}

// A store that is closed answers nothing, and says so as an outage.
func TestClose(t *testing.T) {
	s, err := redisstore.Open(t.Context(), servertest.Redis(t), nil)
	require.NoError(t, err)
	s.Close()
	_, err = s.Lookup(t.Context(), number(t, 1))
	require.Error(t, err)
	require.NotErrorIs(t, err, auth.ErrNotFound)
}
