package auth_test

import (
	"context"
	"encoding/binary"
	"errors"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/store/storetest"
)

func newPlatformRecords(t testing.TB, store auth.Store) *auth.PlatformRecords {
	t.Helper()
	r, err := auth.NewPlatformRecords(store)
	require.NoError(t, err)
	return r
}

// acme is the entry of the platform of the tests.
func acme() *auth.Platform {
	return &auth.Platform{ID: "acme", Keys: publicKeys(auth.RS512, platformKey()), Scopes: []string{"read", "trade"}}
}

func TestNewPlatformRecordsRefuses(t *testing.T) {
	for name, store := range map[string]auth.Store{"no store": nil, "a nil pointer": (*tap)(nil), "no Lister": bareStore{newStore(t)}} {
		_, err := auth.NewPlatformRecords(store)
		require.Error(t, err, name)
	}
}

func TestPlatformRecordsAreARegistry(t *testing.T) {
	records := newPlatformRecords(t, newStore(t))
	storetest.RunPlatforms(t, func(tb testing.TB, platforms ...*auth.Platform) auth.PlatformRegistry {
		for _, p := range platforms {
			require.NoError(tb, records.Insert(context.Background(), p))
		}
		return records
	})
}

func TestPlatformRecords(t *testing.T) {
	store := newTap(t)
	records := newPlatformRecords(t, store)
	entry := fullPlatform()
	require.NoError(t, records.Insert(t.Context(), entry))
	store.count()
	got, err := records.Platform(t.Context(), entry.ID)
	require.NoError(t, err)
	requireSamePlatform(t, entry, got)
	require.Equal(t, 1, store.count(), "one round trip")

	other := *entry
	other.Name = "another"
	require.ErrorIs(t, records.Insert(t.Context(), &other), auth.ErrExists)
	require.NoError(t, records.Update(t.Context(), entry.ID, func(p *auth.Platform) error {
		p.Tier, p.Networks = "silver", nil
		return nil
	}))
	got, err = newPlatformRecords(t, store).Platform(t.Context(), entry.ID)
	require.NoError(t, err)
	entry.Tier, entry.Networks = "silver", nil
	requireSamePlatform(t, entry, got)

	require.NoError(t, records.Remove(t.Context(), entry.ID))
	require.ErrorIs(t, records.Remove(t.Context(), entry.ID), auth.ErrNotFound)
	require.ErrorIs(t, errorOf(records.Platform(t.Context(), entry.ID)), auth.ErrNotFound)
	require.ErrorIs(t, records.Update(t.Context(), entry.ID, nil), auth.ErrNotFound)
	require.NoError(t, records.Insert(t.Context(), &other))
	got, err = records.Platform(t.Context(), entry.ID)
	require.NoError(t, err)
	require.Equal(t, "another", got.Name)
}

func errorOf[T any](_ T, err error) error { return err }

// Ids are compared exactly, and what cannot be one is not asked for.
func TestPlatformRecordsOfStrangers(t *testing.T) {
	store := newTap(t)
	records := newPlatformRecords(t, store)
	require.NoError(t, records.Insert(t.Context(), acme()))
	for _, id := range []string{"Acme", "acm", "acme2"} {
		require.ErrorIs(t, errorOf(records.Platform(t.Context(), id)), auth.ErrNotFound, id)
	}
	store.count()
	for _, id := range []string{"", "a b", "acme\x00", "../acme", strings.Repeat("a", 65)} {
		require.ErrorIs(t, errorOf(records.Platform(t.Context(), id)), auth.ErrNotFound, id)
		require.ErrorIs(t, records.Update(t.Context(), id, nil), auth.ErrNotFound, id)
		require.ErrorIs(t, records.Remove(t.Context(), id), auth.ErrNotFound, id)
	}
	require.Zero(t, store.count())
}

// What one process changes another sees at once, though both keep what they have
// read parsed.
func TestPlatformRecordsRememberNothingOld(t *testing.T) {
	store := newStore(t)
	mine, theirs := newPlatformRecords(t, store), newPlatformRecords(t, store)
	require.NoError(t, theirs.Insert(t.Context(), acme()))
	first := must(mine.Platform(t.Context(), "acme"))
	require.Same(t, first, must(mine.Platform(t.Context(), "acme")), "it is parsed once")

	require.NoError(t, theirs.Update(t.Context(), "acme", func(p *auth.Platform) error { p.Suspended = true; return nil }))
	require.True(t, must(mine.Platform(t.Context(), "acme")).Suspended)
	require.False(t, first.Suspended, "what has been handed out is not written to")

	require.NoError(t, theirs.Remove(t.Context(), "acme"))
	require.ErrorIs(t, errorOf(mine.Platform(t.Context(), "acme")), auth.ErrNotFound)
	again := acme()
	again.Tier = "anew"
	require.NoError(t, theirs.Insert(t.Context(), again))
	require.Equal(t, "anew", must(mine.Platform(t.Context(), "acme")).Tier)
}

func TestPlatformRecordsChangeNothingThatIsRefused(t *testing.T) {
	store := newTap(t)
	records := newPlatformRecords(t, store)
	require.NoError(t, records.Insert(t.Context(), acme()))
	read := must(records.Platform(t.Context(), "acme"))
	refused := errors.New("refused")
	for name, change := range map[string]func(*auth.Platform) error{
		"by change":     func(p *auth.Platform) error { p.Tier = "gold"; return refused },
		"another id":    func(p *auth.Platform) error { p.ID = "other"; return nil },
		"not valid":     func(p *auth.Platform) error { p.MaxLife = -1; return nil },
		"a foreign set": func(p *auth.Platform) error { p.Keys = foreignKeys{}; return nil },
		"too large":     func(p *auth.Platform) error { p.Networks = wideNetworks(); return nil },
		"lists written to": func(p *auth.Platform) error {
			p.Scopes[0] = "admin"
			return errors.Join(p.Keys.(*auth.Keys).Add(must(auth.GenerateKey(auth.ES256))), refused)
		},
	} {
		store.count()
		require.Error(t, records.Update(t.Context(), "acme", change), name)
		require.Zero(t, store.count("Replace", "Insert", "Take"), name)
	}
	require.ErrorIs(t, records.Update(t.Context(), "acme", func(*auth.Platform) error { return refused }), refused)
	requireSamePlatform(t, acme(), read)
	requireSamePlatform(t, acme(), must(records.Platform(t.Context(), "acme")))

	store.count()
	large := acme()
	large.ID, large.Networks = "large", wideNetworks()
	require.Error(t, records.Insert(t.Context(), large))
	require.Error(t, records.Insert(t.Context(), nil))
	require.Error(t, records.Insert(t.Context(), &auth.Platform{ID: "p"}))
	require.Zero(t, store.count())
}

// wideNetworks takes more than a record does.
func wideNetworks() *auth.Networks {
	var all []netip.Prefix
	for i := range uint32(10_000) {
		all = append(all, netip.PrefixFrom(netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, i<<8))), 24))
	}
	return must(auth.NewNetworks(all...))
}

// Of changes at the same time none is lost.
func TestPlatformRecordsChangedByMany(t *testing.T) {
	store := newStore(t)
	p := acme()
	p.Scopes = nil
	require.NoError(t, newPlatformRecords(t, store).Insert(t.Context(), p))
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			records := newPlatformRecords(t, store)
			require.NoError(t, records.Update(t.Context(), "acme", func(p *auth.Platform) error {
				p.Scopes = append(p.Scopes, string(rune('a'+i)))
				return nil
			}))
		})
	}
	all.Wait()
	got := must(newPlatformRecords(t, store).Platform(t.Context(), "acme"))
	require.ElementsMatch(t, strings.Split("abcdefghijklmnop", ""), got.Scopes)
}

// The suspensions of Platforms are of the same kind, but no entries.
func TestPlatformRecordsListEntriesAlone(t *testing.T) {
	store := newStore(t)
	records := newPlatformRecords(t, store)
	require.Empty(t, listedPlatforms(t, records))
	platforms := must(auth.NewPlatforms(store, records, nil))
	for _, id := range []string{"a", "b", "c"} {
		p := acme()
		p.ID = id
		require.NoError(t, records.Insert(t.Context(), p))
		require.NoError(t, platforms.Suspend(t.Context(), id))
	}
	require.NoError(t, platforms.Suspend(t.Context(), "unknown"))
	require.NoError(t, records.Remove(t.Context(), "b"))
	got := listedPlatforms(t, records)
	require.Equal(t, []string{"a", "c"}, slices.Sorted(maps.Keys(got)))
	got["a"].Scopes[0] = "written"
	require.Equal(t, "read", must(records.Platform(t.Context(), "a")).Scopes[0], "each is the caller's own")
	for range records.Platforms(t.Context()) {
		break
	}
}

func listedPlatforms(t testing.TB, records *auth.PlatformRecords) map[string]*auth.Platform {
	t.Helper()
	all := map[string]*auth.Platform{}
	for p, err := range records.Platforms(t.Context()) {
		require.NoError(t, err)
		all[p.ID] = p
	}
	return all
}

// An entry that cannot be read is no entry that is not there: an outage, for its
// platform alone.
func TestPlatformRecordsThatCannotBeRead(t *testing.T) {
	store := newTap(t)
	records := newPlatformRecords(t, store)
	d := newDesk(store)
	d.platforms = must(auth.NewPlatforms(store, records, nil))
	for _, id := range []string{"other", "acme", "last"} {
		p := acme()
		p.ID = id
		require.NoError(t, records.Insert(t.Context(), p))
	}
	for digest, r := range store.dump(auth.KindPlatform) {
		if strings.Contains(string(r.Data), `"acme"`) {
			r.Data = []byte(strings.Replace(string(r.Data), `"version":1`, `"version":2`, 1))
			r.Revision++
			require.NoError(t, store.Replace(t.Context(), digest, r))
		}
	}
	_, err := records.Platform(t.Context(), "acme")
	requireOutage(t, err)
	require.NotErrorIs(t, err, auth.ErrNotFound)
	require.Error(t, records.Update(t.Context(), "acme", func(*auth.Platform) error { return nil }))
	require.NoError(t, errorOf(records.Platform(t.Context(), "other")))
	var failed error
	for p, err := range records.Platforms(t.Context()) {
		require.NoError(t, failed, "the sequence ends after the first error")
		if failed = err; err != nil {
			require.Nil(t, p)
			require.ErrorContains(t, err, `"acme"`)
		}
	}
	require.Error(t, failed)
	require.NoError(t, records.Remove(t.Context(), "acme"), "it can be replaced")

	down := errors.New("down")
	store.before = func(string) error { return down }
	require.ErrorIs(t, errorOf(records.Platform(t.Context(), "other")), down)
	for _, err := range records.Platforms(t.Context()) {
		require.ErrorIs(t, err, down)
	}
}

// The registry keeps more platforms than it keeps parsed.
func TestPlatformRecordsInPlenty(t *testing.T) {
	records := newPlatformRecords(t, newStore(t))
	keys := must(auth.NewKeys(nil, must(auth.GenerateKey(auth.EdDSA))))
	const n = 1500
	id := func(i int) string {
		return "p" + string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + string(rune('a'+i/676))
	}
	for i := range n {
		require.NoError(t, records.Insert(t.Context(), &auth.Platform{ID: id(i), Keys: keys}))
	}
	for range 2 {
		for i := range n {
			require.Equal(t, id(i), must(records.Platform(t.Context(), id(i))).ID)
		}
	}
	require.LessOrEqual(t, records.Parsed(), 1024)
	require.Len(t, listedPlatforms(t, records), n)
}

// A partner whose entry an operator keeps in the store signs its users in, until
// the operator removes it.
func TestSignInByPlatformRecords(t *testing.T) {
	d := newDesk(newStore(t)).open()
	records := newPlatformRecords(t, d.store)
	d.platforms = must(auth.NewPlatforms(d.store, records, nil))
	mux := http.NewServeMux()
	mux.Handle("/login/{platform}", auth.NewGuard(d.platforms.FromHeader("Token", "platform"), nil).Exchange(d.platforms.Issuer(d.sessions)))
	d.handler = mux
	requireRefused(t, d.login("acme", emailClaims().assertion()), "unknown")
	require.NoError(t, records.Insert(t.Context(), acme()))
	d.admitted(t, d.login("acme", emailClaims().with("email", `"a@example.com"`).assertion()))
	require.NoError(t, records.Update(t.Context(), "acme", func(p *auth.Platform) error {
		p.Keys = publicKeys(auth.RS512, otherPlatformKey())
		return nil
	}))
	d.admitted(t, d.login("acme", signPlatform(otherPlatformKey(), rs512, emailClaims().with("email", `"b@example.com"`).String())))
	require.NoError(t, records.Remove(t.Context(), "acme"))
	requireRefused(t, d.login("acme", emailClaims().with("email", `"c@example.com"`).assertion()), "removed")
}

func TestPlatformRecordsHonourTheContext(t *testing.T) {
	records := newPlatformRecords(t, newStore(t))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, errorOf(records.Platform(ctx, "acme")), context.Canceled)
	require.ErrorIs(t, records.Insert(ctx, acme()), context.Canceled)
	require.ErrorIs(t, records.Remove(ctx, "acme"), context.Canceled)
}

// Each sign-in asks for its platform twice.
func BenchmarkPlatformRecords(b *testing.B) {
	records := newPlatformRecords(b, newStore(b))
	require.NoError(b, records.Insert(b.Context(), acme()))
	ctx, data := b.Context(), must(acme().MarshalBinary())
	b.Run("parsed before", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = records.Platform(ctx, "acme")
		}
	})
	b.Run("parsing", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_ = new(auth.Platform).UnmarshalBinary(data)
		}
	})
}
