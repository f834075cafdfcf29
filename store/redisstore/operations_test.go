package redisstore_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
	"github.com/seed-077cad0b/auth/internal/servertest"
	"github.com/seed-077cad0b/auth/store/redisstore"
)

// The commands of each call, which are its round trips.
func TestCommands(t *testing.T) {
	redis := servertest.StartRedis(t)
	s, err := redisstore.Open(t.Context(), redis.URL(), nil)
	require.NoError(t, err)
	defer s.Close()
	warm(t, s)
	ctx, d, r, r2 := t.Context(), number(t, 1), record(t.Name()), record(t.Name())
	r2.Owner = auth.Digest{}
	var digests []auth.Digest
	for i := range 300 {
		digests = append(digests, number(t, 1000+i))
	}
	limit := limiter(t, s, "commands", auth.Rate{Limit: 100, Per: time.Hour})
	_, err = limit.Allow(ctx, "key", 1)
	require.NoError(t, err)
	operator := rawAt(t, redis.URL())
	for _, c := range []struct {
		name, want string
		do         func() error
	}{
		{"Insert", "evalsha 2", func() error { return s.Insert(ctx, d, r) }},
		{"Insert, of no owner", "evalsha 1", func() error { return s.Insert(ctx, number(t, 2), r2) }},
		{"Lookup", "getex 1", func() error { _, err := s.Lookup(ctx, d); return err }},
		{"LookupAll", "mget 1 role 1", func() error { return s.LookupAll(ctx, r.Kind, digests, make([]auth.Record, len(digests))) }},
		{"LookupAll, of none", "", func() error { return s.LookupAll(ctx, r.Kind, nil, nil) }},
		{"Replace", "evalsha 1", func() error { r.Revision++; return s.Replace(ctx, d, r) }},
		{"List", "mget 1 role 2 zrange 1", func() error {
			for _, err := range s.List(ctx, r.Owner, r.Kind) {
				require.NoError(t, err)
			}
			return nil
		}},
		{"Walk", "mget 1 role 3 scan 1", func() error {
			for _, err := range s.Walk(ctx, r.Kind) {
				require.NoError(t, err)
			}
			return nil
		}},
		{"Take", "evalsha 2", func() error { _, err := s.Take(ctx, d); return err }},
		{"Allow", "evalsha 1", func() error { _, err := limit.Allow(ctx, "key", 1); return err }},
	} {
		operator.run("CONFIG", "RESETSTAT")
		require.NoError(t, c.do(), c.name)
		require.Equal(t, c.want, sent(t, operator), c.name)
	}
}

// sent tells the commands that the server got from clients, not those of scripts.
func sent(t *testing.T, r raw) string {
	stats, err := r.run("INFO", "commandstats")[0].ToString()
	require.NoError(t, err)
	scripted := strings.Contains(stats, "cmdstat_evalsha:")
	var all []string
	for line := range strings.Lines(stats) {
		name, rest, ok := strings.Cut(strings.TrimPrefix(line, "cmdstat_"), ":calls=")
		calls, _, _ := strings.Cut(rest, ",")
		if !ok || name == "ping" || strings.Contains(name, "|") || scripted && name != "evalsha" {
			continue
		}
		all = append(all, name+" "+calls)
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// A node that does not know the scripts is told them, as after a restart or a
// failover.
func TestScriptsThatAreForgotten(t *testing.T) {
	everywhere(t, func(t *testing.T, b backend) {
		s, r := b.open(t), rawAt(t, b.url)
		l := limiter(t, s, "forgotten", auth.Rate{Limit: 100, Per: time.Hour})
		ctx, rec := t.Context(), record(t.Name())
		const many = 700 // more than one round trip touches
		digests := make([]auth.Digest, many)
		for i := range digests {
			digests[i] = number(t, i)
			require.NoError(t, s.Insert(ctx, digests[i], rec))
		}
		seen := map[auth.Digest]time.Time{}
		for _, d := range digests {
			seen[d] = rec.Seen.Add(time.Minute)
		}
		replaced := rec
		replaced.Revision++
		for _, do := range []func() error{
			func() error { return s.Touch(ctx, seen) },
			func() error { return s.Replace(ctx, digests[0], replaced) },
			func() error { return s.Insert(ctx, number(t, many), rec) },
			func() error { _, err := s.Take(ctx, number(t, many)); return err },
			func() error { _, err := l.Allow(ctx, "key", 1); return err },
		} {
			r.run("SCRIPT", "FLUSH")
			require.NoError(t, do())
		}
		records := make([]auth.Record, many)
		require.NoError(t, s.LookupAll(ctx, rec.Kind, digests, records))
		for i := range records {
			require.Equal(t, rec.Seen.Add(time.Minute), records[i].Seen, i)
		}
		count := 0
		for _, err := range s.List(ctx, rec.Owner, rec.Kind) {
			require.NoError(t, err)
			count++
		}
		require.Equal(t, many, count)
	})
}

// calls are one of each method that asks the server.
func calls(t *testing.T, s *redisstore.Store) map[string]func(ctx context.Context) error {
	d, r := number(t, 1), record(t.Name())
	l := limiter(t, s, "calls", auth.Rate{Limit: 100, Per: time.Hour})
	return map[string]func(ctx context.Context) error{
		"Lookup":  func(ctx context.Context) error { _, err := s.Lookup(ctx, d); return err },
		"Insert":  func(ctx context.Context) error { return s.Insert(ctx, d, r) },
		"Replace": func(ctx context.Context) error { return s.Replace(ctx, d, r) },
		"Take":    func(ctx context.Context) error { _, err := s.Take(ctx, d); return err },
		"LookupAll": func(ctx context.Context) error {
			return s.LookupAll(ctx, r.Kind, []auth.Digest{d}, make([]auth.Record, 1))
		},
		"Touch": func(ctx context.Context) error { return s.Touch(ctx, map[auth.Digest]time.Time{d: r.Seen}) },
		"List": func(ctx context.Context) error {
			for _, err := range s.List(ctx, r.Owner, r.Kind) {
				return err
			}
			return nil
		},
		"Walk": func(ctx context.Context) error {
			for _, err := range s.Walk(ctx, r.Kind) {
				return err
			}
			return nil
		},
		"Watch": func(ctx context.Context) error {
			return s.Watch(ctx, func(auth.Digest) {}, func(time.Time) {})
		},
		"Allow": func(ctx context.Context) error { _, err := l.Allow(ctx, "key", 1); return err },
	}
}

// A server that has ceased to answer: who gives up is let go at once, and who does
// not, within the time-out, by an error that is none of theirs.
func TestAServerThatDoesNotAnswer(t *testing.T) {
	const timeout = 2 * time.Second
	redis := servertest.StartRedis(t)
	s, err := redisstore.Open(t.Context(), redis.URL(), &redisstore.Options{Timeout: timeout})
	require.NoError(t, err)
	defer s.Close()
	warm(t, s)
	redis.Pause()
	for name, call := range calls(t, s) {
		if name == "Watch" {
			continue // it connects anew, for which see below
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(20*time.Millisecond, cancel)
		begin := time.Now()
		require.ErrorIs(t, call(ctx), context.Canceled, name)
		require.Less(t, time.Since(begin), timeout/2, name)
	}
	type outcome struct {
		name string
		err  error
		took time.Duration
	}
	all := calls(t, s)
	outcomes := make(chan outcome)
	for name, call := range all {
		go func() {
			begin := time.Now()
			err := call(t.Context())
			outcomes <- outcome{name, err, time.Since(begin)}
		}()
	}
	for range all {
		o := within(t, outcomes, "an error")
		require.Error(t, o.err, o.name)
		require.Less(t, o.took, 3*timeout, o.name)
		for _, other := range []error{auth.ErrNotFound, auth.ErrExists, auth.ErrConflict, context.Canceled, context.DeadlineExceeded} {
			require.NotErrorIs(t, o.err, other, o.name)
		}
		var reason auth.Reason
		require.False(t, errors.As(o.err, &reason), o.name)
	}
}

// Who may wait for an hour may give up before.
func TestACancellationBeforeTheDeadline(t *testing.T) {
	const timeout = 10 * time.Second
	redis := servertest.StartRedis(t)
	s, err := redisstore.Open(context.Background(), redis.URL(), &redisstore.Options{Timeout: timeout})
	require.NoError(t, err)
	defer s.Close()
	redis.Pause()
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	time.AfterFunc(20*time.Millisecond, cancel)
	begin := time.Now()
	_, err = s.Lookup(ctx, number(t, 1))
	require.ErrorIs(t, err, context.Canceled)
	require.Less(t, time.Since(begin), timeout/2)
}

// Who gives up while a connection is made takes nobody with them.
func TestNobodyElsesContext(t *testing.T) {
	for name, give := range map[string]func(ctx context.Context) (context.Context, context.CancelFunc){
		"cancelled": context.WithCancel,
		"too late": func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, 200*time.Millisecond)
		},
	} {
		t.Run(name, func(t *testing.T) {
			redis := servertest.StartRedis(t)
			s, err := redisstore.Open(t.Context(), redis.URL(), &redisstore.Options{Timeout: 20 * time.Second})
			require.NoError(t, err)
			defer s.Close()
			warm(t, s)
			redis.Kill()
			_, err = s.Lookup(t.Context(), number(t, 1))
			require.Error(t, err)
			redis.Start()
			redis.Pause()

			ctx, cancel := give(t.Context())
			first, second := make(chan error, 1), make(chan error, 1)
			go func() { _, err := s.Lookup(ctx, number(t, 1)); first <- err }()
			<-time.After(100 * time.Millisecond)
			go func() { second <- s.Insert(t.Context(), number(t, 1), record(t.Name())) }()
			<-time.After(100 * time.Millisecond)
			cancel()
			<-time.After(200 * time.Millisecond)
			redis.Resume()
			require.Error(t, within(t, first, "who gives up"))
			require.NoError(t, within(t, second, "who does not"))
		})
	}
}

// Tokens that are patterns find nothing, and change nothing.
func TestPatternsAsTokens(t *testing.T) {
	b := backend{servertest.Redis(t), newPrefix()}
	s := b.open(t)
	keys, err := auth.NewAPIKeys(s, "key", nil)
	require.NoError(t, err)
	grant, err := keys.Create(t.Context(), authtest.Principal("alice"), nil)
	require.NoError(t, err)
	before := rawAt(t, b.url).keys(b.prefix)
	server := httptest.NewServer(auth.NewGuard(auth.Header("X-API-Key", keys), nil).WrapFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	token := grant.Token.Reveal()
	digest := grant.Principal.Credential.ID
	ask := func(credential string) int {
		r, err := http.NewRequest(http.MethodGet, server.URL, nil)
		require.NoError(t, err)
		r.Header.Set("X-API-Key", credential)
		response, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		response.Body.Close()
		return response.StatusCode
	}
	require.Equal(t, http.StatusOK, ask(token))
	for _, pattern := range []string{
		"*", "?", "[a-z]*", token[:8] + "*", strings.Repeat("?", len(token)), "{" + token + "}", token + "*", "\\*",
		// What is at rest is no credential.
		digest, b.prefix + "r:" + digest, key(b.prefix, auth.DigestOf(auth.KindAPIKey, token)),
	} {
		require.Equal(t, http.StatusUnauthorized, ask(pattern), pattern)
	}
	require.ElementsMatch(t, before, rawAt(t, b.url).keys(b.prefix))
}

// Nothing in the database lets anybody in: no token, nor the bytes of one.
func TestNothingAtRestIsACredential(t *testing.T) {
	b := backend{servertest.Redis(t), newPrefix()}
	s, ctx := b.open(t), t.Context()
	sessions, err := auth.NewSessions(s, nil)
	require.NoError(t, err)
	keys, err := auth.NewAPIKeys(s, "key", nil)
	require.NoError(t, err)
	var secrets []string
	for i := range 10 {
		p := authtest.Principal(fmt.Sprint("user", i))
		session, err := sessions.Issue(ctx, p, nil)
		require.NoError(t, err)
		apiKey, err := keys.Create(ctx, p, nil)
		require.NoError(t, err)
		for _, token := range []string{session.Token.Reveal(), apiKey.Token.Reveal()} {
			secrets = append(secrets, strings.TrimPrefix(token, "key_"))
			if raw, err := base64.RawURLEncoding.DecodeString(token); err == nil {
				secrets = append(secrets, string(raw))
			}
		}
	}
	limit := limiter(t, s, "attempts", auth.Rate{Limit: 100, Per: time.Hour})
	_, err = limit.Allow(ctx, secrets[0], 1)
	require.NoError(t, err)
	require.NoError(t, sessions.Close())
	r := rawAt(t, b.url)
	all := r.keys(b.prefix)
	require.Greater(t, len(all), 20)
	for _, k := range all {
		text, err := r.ask("DUMP", k).ToString()
		require.NoError(t, err)
		if strings.HasPrefix(k, b.prefix+"r:") { // as a dump may be compressed
			text, err = r.ask("GET", k).ToString()
			require.NoError(t, err)
		}
		for _, secret := range secrets {
			require.NotContains(t, k+text, secret)
		}
	}
}
