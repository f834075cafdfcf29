package oauth_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
	"github.com/seed-077cad0b/auth/oauth"
	"github.com/seed-077cad0b/auth/store/cachestore"
	"github.com/seed-077cad0b/auth/store/memstore"
	"github.com/seed-077cad0b/auth/store/storetest"
)

func newClientRecords(t testing.TB, store auth.Store) *oauth.ClientRecords {
	t.Helper()
	r, err := oauth.NewClientRecords(store)
	require.NoError(t, err)
	return r
}

// storedClientOf returns the entry that the registry has now.
func storedClientOf(t testing.TB, r oauth.ClientRegistry, id string) *oauth.Client {
	t.Helper()
	c, err := r.Client(t.Context(), id)
	require.NoError(t, err)
	return c
}

func TestNewClientRecordsRefuses(t *testing.T) {
	for name, store := range map[string]auth.Store{"no store": nil, "no Lister": struct{ auth.Store }{memstore.New()}} {
		_, err := oauth.NewClientRecords(store)
		require.Error(t, err, name)
	}
}

func TestClientRecords(t *testing.T) {
	cached, err := cachestore.New(memstore.New(), nil)
	require.NoError(t, err)
	t.Cleanup(func() { _ = cached.Close() })
	for name, store := range map[string]auth.Store{"memstore": memstore.New(), "cachestore": cached} {
		t.Run(name, func(t *testing.T) {
			counted := storetest.NewFaulty(store)
			records := newClientRecords(t, counted)
			for _, entry := range []*oauth.Client{fullClient(), keyed(webClient(), clientKeys(t, auth.ES256, auth.RS256)), phoneClient()} {
				require.NoError(t, records.Insert(t.Context(), entry))
				before := len(counted.Calls())
				requireSameClient(t, entry, storedClientOf(t, records, entry.ID))
				require.Equal(t, []string{"Lookup"}, counted.Calls()[before:], "one round trip")

				other := *entry
				other.Name = "another"
				require.ErrorIs(t, records.Insert(t.Context(), &other), auth.ErrExists)
				require.NoError(t, records.Update(t.Context(), entry.ID, func(c *oauth.Client) error {
					c.Name, c.RequireDPoP = "changed", true
					return nil
				}))
				changed := *entry
				changed.Name, changed.RequireDPoP = "changed", true
				requireSameClient(t, &changed, storedClientOf(t, newClientRecords(t, store), entry.ID))

				require.NoError(t, records.Remove(t.Context(), entry.ID))
				require.ErrorIs(t, records.Remove(t.Context(), entry.ID), auth.ErrNotFound)
				_, err := records.Client(t.Context(), entry.ID)
				require.ErrorIs(t, err, auth.ErrNotFound)
				require.ErrorIs(t, records.Update(t.Context(), entry.ID, nil), auth.ErrNotFound)
				require.ErrorIs(t, records.Disable(t.Context(), entry.ID), auth.ErrNotFound)
				require.ErrorIs(t, records.Enable(t.Context(), entry.ID), auth.ErrNotFound)
				_, err = records.RotateSecret(t.Context(), entry.ID, 0)
				require.ErrorIs(t, err, auth.ErrNotFound)
				require.NoError(t, records.Insert(t.Context(), &other))
				require.Equal(t, "another", storedClientOf(t, records, entry.ID).Name)
			}
		})
	}
}

// Ids are compared exactly, and what cannot be one is not asked for.
func TestClientRecordsOfStrangers(t *testing.T) {
	store := storetest.NewFaulty(memstore.New())
	records := newClientRecords(t, store)
	require.NoError(t, records.Insert(t.Context(), webClient()))
	for _, id := range []string{"Web", "we", "web2"} {
		_, err := records.Client(t.Context(), id)
		require.ErrorIs(t, err, auth.ErrNotFound, id)
	}
	before := len(store.Calls())
	for _, id := range []string{"", "a b", "web\x00", "a:b", "wéb", strings.Repeat("a", 129)} {
		_, err := records.Client(t.Context(), id)
		require.ErrorIs(t, err, auth.ErrNotFound, id)
		require.ErrorIs(t, records.Update(t.Context(), id, nil), auth.ErrNotFound, id)
		require.ErrorIs(t, records.Disable(t.Context(), id), auth.ErrNotFound, id)
		require.ErrorIs(t, records.Remove(t.Context(), id), auth.ErrNotFound, id)
	}
	require.Len(t, store.Calls(), before)
}

func TestClientRecordsChangeNothingThatIsRefused(t *testing.T) {
	store := storetest.NewFaulty(memstore.New())
	records := newClientRecords(t, store)
	entry := keyed(webClient(), clientKeys(t, auth.ES256))
	require.NoError(t, records.Insert(t.Context(), entry))
	refused := errors.New("refused")
	more, err := auth.GenerateKey(auth.ES256)
	require.NoError(t, err)
	before := len(store.Calls())
	for name, change := range map[string]func(*oauth.Client) error{
		"by change":     func(c *oauth.Client) error { c.Trusted = true; return refused },
		"another id":    func(c *oauth.Client) error { c.ID = "other"; return nil },
		"not valid":     func(c *oauth.Client) error { c.AccessLifetime = -1; return nil },
		"a foreign set": func(c *oauth.Client) error { c.Keys = foreignKeys{}; return nil },
		"too large":     func(c *oauth.Client) error { c.RedirectURIs = wideRedirects(); return nil },
		"lists written to": func(c *oauth.Client) error {
			c.Scopes[0] = "admin"
			return errors.Join(c.Keys.(*auth.Keys).Add(more), refused)
		},
	} {
		require.Error(t, records.Update(t.Context(), "web", change), name)
	}
	require.ErrorIs(t, records.Update(t.Context(), "web", func(*oauth.Client) error { return refused }), refused)
	requireSameClient(t, entry, storedClientOf(t, records, "web"))

	large := webClient()
	large.ID, large.RedirectURIs = "large", wideRedirects()
	for _, c := range []*oauth.Client{large, nil, {ID: "c"}} {
		require.Error(t, records.Insert(t.Context(), c))
	}
	for _, op := range store.Calls()[before:] {
		require.Equal(t, "Lookup", op)
	}
}

// wideRedirects take more than a record does.
func wideRedirects() []string {
	return slices.Repeat([]string{"https://app.example.com/" + strings.Repeat("a", 2000)}, 64)
}

// Of changes at the same time none is lost.
func TestClientRecordsChangedByMany(t *testing.T) {
	store := memstore.New()
	entry := webClient()
	entry.Scopes = nil
	require.NoError(t, newClientRecords(t, store).Insert(t.Context(), entry))
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			_ = newClientRecords(t, store).Update(t.Context(), "web", func(c *oauth.Client) error {
				c.Scopes = append(c.Scopes, string(rune('a'+i)))
				return nil
			})
		})
	}
	all.Wait()
	require.ElementsMatch(t, strings.Split("abcdefghijklmnop", ""), storedClientOf(t, newClientRecords(t, store), "web").Scopes)
}

func TestClientRecordsList(t *testing.T) {
	records := newClientRecords(t, memstore.New())
	listed := func() map[string]*oauth.Client {
		all := map[string]*oauth.Client{}
		for c, err := range records.Clients(t.Context()) {
			require.NoError(t, err)
			all[c.ID] = c
		}
		return all
	}
	require.Empty(t, listed())
	for _, id := range []string{"a", "b", "c"} {
		c := webClient()
		c.ID = id
		require.NoError(t, records.Insert(t.Context(), c))
	}
	require.NoError(t, records.Remove(t.Context(), "b"))
	require.Equal(t, []string{"a", "c"}, slices.Sorted(maps.Keys(listed())))
	listed()["a"].Scopes[0] = "written"
	require.Equal(t, "spaces:read", storedClientOf(t, records, "a").Scopes[0], "each is the caller's own")
	for range records.Clients(t.Context()) {
		break
	}
}

// An entry that cannot be read is no entry that is not there: an outage, for its
// client alone.
func TestClientRecordsThatCannotBeRead(t *testing.T) {
	inner := memstore.New()
	store := storetest.NewFaulty(inner)
	records := newClientRecords(t, store)
	for _, id := range []string{"other", "web"} {
		c := webClient()
		c.ID = id
		require.NoError(t, records.Insert(t.Context(), c))
	}
	d := auth.DigestOf(auth.KindClient, "web")
	r, err := inner.Lookup(t.Context(), d)
	require.NoError(t, err)
	r.Data, r.Revision = []byte(strings.Replace(string(r.Data), `"version":1`, `"version":2`, 1)), r.Revision+1
	require.NoError(t, inner.Replace(t.Context(), d, r))

	_, err = records.Client(t.Context(), "web")
	requireClientOutage(t, err)
	requireClientOutage(t, records.Disable(t.Context(), "web"))
	storedClientOf(t, records, "other")
	var failed error
	for c, err := range records.Clients(t.Context()) {
		require.NoError(t, failed, "the sequence ends after the first error")
		if failed = err; err != nil {
			require.Nil(t, c)
		}
	}
	requireClientOutage(t, failed)
	require.NoError(t, records.Remove(t.Context(), "web"), "it can be replaced")

	down := errors.New("down")
	store.Before = storetest.Fail(down)
	_, err = records.Client(t.Context(), "other")
	require.ErrorIs(t, err, down)
	for _, err := range records.Clients(t.Context()) {
		require.ErrorIs(t, err, down)
	}
}

// requireClientOutage requires an error that is answered 503.
func requireClientOutage(t testing.TB, err error) {
	t.Helper()
	var reason auth.Reason
	require.Error(t, err)
	require.False(t, errors.As(err, &reason), "%v is a refusal", err)
	require.NotErrorIs(t, err, auth.ErrNotFound)
}

// Secrets roll over: the old one goes on for the overlap, and no longer.
func TestRotateSecret(t *testing.T) {
	authtest.At(t, time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), func(t *testing.T) {
		records := newClientRecords(t, memstore.New())
		first, kept := oauth.NewClientSecret()
		ending, brief := oauth.NewClientSecret()
		brief.Expires = time.Now().Add(time.Minute)
		c := webClient()
		c.Secrets = []oauth.ClientSecret{kept, brief}
		require.NoError(t, records.Insert(t.Context(), c))
		good := func(s auth.Secret) bool { return storedClientOf(t, records, "web").HasSecret(s.Reveal(), time.Now()) }

		second, err := records.RotateSecret(t.Context(), "web", time.Hour)
		require.NoError(t, err)
		require.True(t, good(first) && good(second) && good(ending))
		authtest.Advance(time.Minute)
		require.False(t, good(ending), "its end is not put off")
		authtest.Advance(59*time.Minute - time.Nanosecond)
		require.True(t, good(first))
		authtest.Advance(time.Nanosecond)
		require.False(t, good(first))
		require.True(t, good(second))

		// Without an overlap, what has leaked ends at once.
		third, err := records.RotateSecret(t.Context(), "web", 0)
		require.NoError(t, err)
		require.True(t, good(third))
		require.False(t, good(second))
		require.Len(t, storedClientOf(t, records, "web").Secrets, 1, "what has ended is forgotten")

		// A shorter overlap ends what a longer one had let live.
		_, err = records.RotateSecret(t.Context(), "web", 30*24*time.Hour)
		require.NoError(t, err)
		_, err = records.RotateSecret(t.Context(), "web", time.Hour)
		require.NoError(t, err)
		authtest.Advance(time.Hour)
		require.False(t, good(third))

		// A few at most.
		for range 2 {
			_, err = records.RotateSecret(t.Context(), "web", time.Hour)
			require.NoError(t, err)
		}
		_, err = records.RotateSecret(t.Context(), "web", time.Hour)
		require.NoError(t, err)
		before := storedClientOf(t, records, "web").Secrets
		lost, err := records.RotateSecret(t.Context(), "web", time.Hour)
		require.ErrorContains(t, err, "more than 4 secrets")
		require.True(t, lost.IsZero())
		require.Equal(t, before, storedClientOf(t, records, "web").Secrets)

		for _, overlap := range []time.Duration{-1, 401 * 24 * time.Hour} {
			_, err = records.RotateSecret(t.Context(), "web", overlap)
			require.ErrorContains(t, err, "overlap")
		}
		require.NoError(t, records.Insert(t.Context(), phoneClient()))
		_, err = records.RotateSecret(t.Context(), "phone", 0)
		require.ErrorContains(t, err, "is public: there is no secret to rotate")
		require.NoError(t, records.Update(t.Context(), "web", func(c *oauth.Client) error {
			keyed(c, clientKeys(t, auth.ES256))
			return nil
		}))
		_, err = records.RotateSecret(t.Context(), "web", 0)
		require.ErrorContains(t, err, "by a key: there is no secret to rotate")
	})
}

// A client that is disabled asks for nothing and holds nothing; enabled again, it
// holds nothing of before, and people sign in anew.
func TestDisableClientEndsWhatItHolds(t *testing.T) {
	authtest.At(t, time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), func(t *testing.T) {
		store := memstore.New()
		records := newClientRecords(t, store)
		require.NoError(t, records.Insert(t.Context(), webClient()))
		tokens, err := auth.NewOpaqueTokens(store, "https://api.example.com", nil)
		require.NoError(t, err)
		issue := func(client string) string {
			g, err := tokens.Issue(t.Context(), authtest.Principal("ada").ProvedAt(time.Now()), &auth.IssueOptions{ClientID: client})
			require.NoError(t, err)
			return g.Token.Reveal()
		}
		verify := func(token string) error {
			_, err := tokens.Verify(t.Context(), token)
			return err
		}
		held, others := issue("web"), issue("phone")
		authtest.Advance(time.Second)
		require.NoError(t, records.Disable(t.Context(), "web"))
		require.True(t, storedClientOf(t, records, "web").Disabled)
		require.ErrorIs(t, verify(held), auth.ErrRevoked)
		require.NoError(t, verify(others))

		authtest.Advance(time.Second)
		require.NoError(t, records.Enable(t.Context(), "web"))
		enabled := storedClientOf(t, records, "web")
		require.False(t, enabled.Disabled)
		require.Equal(t, time.Now(), enabled.Revoked.Local(), "who signed in before does so again")
		require.ErrorIs(t, verify(held), auth.ErrRevoked, "what has ended stays so")
		authtest.Advance(time.Second)
		require.NoError(t, verify(issue("web")))
		require.NoError(t, records.Enable(t.Context(), "web"))
		require.Equal(t, enabled.Revoked, storedClientOf(t, records, "web").Revoked, "to enable what is enabled changes nothing")
	})
}

// Whatever call fails, disabling says so, and doing it again ends it all. The
// client is refused first: what it is issued meanwhile ends with the rest.
func TestDisableClientOverAStoreThatFails(t *testing.T) {
	down := errors.New("down")
	for i := range 4 {
		inner := memstore.New()
		store := storetest.NewFaulty(inner)
		records := newClientRecords(t, store)
		require.NoError(t, records.Insert(t.Context(), webClient()))
		tokens, err := auth.NewOpaqueTokens(inner, "https://api.example.com", nil)
		require.NoError(t, err)
		g, err := tokens.Issue(t.Context(), authtest.Principal("ada").ProvedAt(time.Now()), &auth.IssueOptions{ClientID: "web"})
		require.NoError(t, err)

		calls := len(store.Calls())
		store.Before = storetest.Nth(i, storetest.Fail(down))
		require.ErrorIs(t, records.Disable(t.Context(), "web"), down)
		require.Equal(t, []string{"Lookup", "Replace", "Lookup", "Insert"}[:i+1], store.Calls()[calls:])
		store.Before = nil
		require.Equal(t, i > 1, storedClientOf(t, records, "web").Disabled)
		require.NoError(t, records.Disable(t.Context(), "web"))
		_, err = tokens.Verify(t.Context(), g.Token.Reveal())
		require.ErrorIs(t, err, auth.ErrRevoked)
	}
}

// A process that remembers what it has read changes what the others have made of
// it, and not its memory.
func TestClientRecordsBehindACache(t *testing.T) {
	database := memstore.New()
	cached, err := cachestore.New(struct {
		auth.Store
		auth.Lister
	}{database, database}, &cachestore.Options{MaxLag: time.Minute})
	require.NoError(t, err)
	t.Cleanup(func() { _ = cached.Close() })
	mine, theirs := newClientRecords(t, cached), newClientRecords(t, database)
	require.NoError(t, theirs.Insert(t.Context(), webClient()))
	storedClientOf(t, mine, "web")
	require.NoError(t, theirs.Disable(t.Context(), "web"))
	require.False(t, storedClientOf(t, mine, "web").Disabled, "it is remembered")
	require.NoError(t, mine.Update(t.Context(), "web", func(c *oauth.Client) error {
		require.True(t, c.Disabled)
		c.Name = "renamed"
		return nil
	}))
	got := storedClientOf(t, theirs, "web")
	require.True(t, got.Disabled)
	require.Equal(t, "renamed", got.Name)
}

func TestClientRecordsHonourTheContext(t *testing.T) {
	records := newClientRecords(t, memstore.New())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := records.Client(ctx, "web")
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, records.Insert(ctx, webClient()), context.Canceled)
	require.ErrorIs(t, records.Remove(ctx, "web"), context.Canceled)
}

// Each request of a client reads its entry.
func BenchmarkClientRecords(b *testing.B) {
	for name, c := range map[string]*oauth.Client{"secret": webClient(), "key": keyed(webClient(), clientKeys(b, auth.ES256))} {
		records := newClientRecords(b, memstore.New())
		require.NoError(b, records.Insert(b.Context(), c))
		ctx := b.Context()
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = records.Client(ctx, "web")
			}
		})
	}
}
