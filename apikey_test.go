package auth_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
)

func newKeys(t testing.TB, store auth.Store, o *auth.APIKeysOptions) *auth.APIKeys {
	t.Helper()
	k, err := auth.NewAPIKeys(store, "acme_live", o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, k.Close()) })
	return k
}

func listedKeys(t testing.TB, k *auth.APIKeys, p *auth.Principal) []*auth.APIKey {
	t.Helper()
	var all []*auth.APIKey
	for v, err := range k.List(t.Context(), p) {
		require.NoError(t, err)
		all = append(all, v)
	}
	return all
}

func TestAPIKeyIsOneWordThatScannersKnow(t *testing.T) {
	keys := newKeys(t, newStore(t), nil)
	word := regexp.MustCompile(`^\w+$`) // what a double click selects
	scanner := regexp.MustCompile(`\bacme_live_[0-9A-Za-z]{49}\b`)
	seen := map[string]bool{}
	for range 200 {
		text := must(keys.Create(t.Context(), authtest.Principal("42"), nil)).Token.Reveal()
		require.Regexp(t, word, text)
		require.Equal(t, text, scanner.FindString("key="+text+"\n"))
		require.True(t, keys.Form().Match(text))
		require.False(t, seen[text])
		seen[text] = true
	}
	require.Equal(t, auth.KindAPIKey, keys.Kind())
}

func TestAPIKeyIsRefusedWithoutTheStore(t *testing.T) {
	store := newTap(t)
	keys := newKeys(t, store, nil)
	key := must(keys.Create(t.Context(), authtest.Principal("42"), nil)).Token.Reveal()
	store.count()

	const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	begin := len("acme_live_")
	for i := begin; i < len(key); i++ {
		for _, c := range base62 {
			if typo := key[:i] + string(c) + key[i+1:]; typo != key {
				require.Equal(t, auth.ErrInvalid, verify(keys, token(typo)), typo)
			}
		}
	}
	for i := begin; i < len(key)-1; i++ {
		swapped := key[:i] + key[i+1:i+2] + key[i:i+1] + key[i+2:]
		if swapped != key {
			require.Equal(t, auth.ErrInvalid, verify(keys, token(swapped)), swapped)
		}
	}
	for _, other := range []string{
		"", "acme_live", "acme_live_", key[1:], key[:len(key)-1], key + "0", " " + key, key + "\n",
		strings.ToUpper(key), strings.Replace(key, "live", "test", 1), key[:20] + "_" + key[21:],
		key[:20] + "é" + key[22:], strings.Repeat("a", len(key)),
	} {
		require.Equal(t, auth.ErrNotMine, verify(keys, token(other)), other)
	}
	require.Zero(t, store.count(), "no look-up")
	require.NoError(t, verify(keys, token(key)))
	require.Equal(t, 1, store.count())
}

// token makes a grant of a text, for verify.
func token(text string) *auth.Grant { return &auth.Grant{Token: auth.NewSecret(text)} }

func TestAPIKeyProvesItsOwner(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		keys := newKeys(t, newStore(t), nil)
		scopes := []string{"read"}
		p := authtest.Principal("42", scopes...)
		p.Issuer, p.Tenant, p.Tier, p.Claims = "https://idp", "acme", "premium", []byte(`{"a":1}`)
		g := must(keys.Create(t.Context(), p, &auth.KeyOptions{Name: "ci", Lifetime: time.Hour}))
		got := must(keys.Verify(t.Context(), g.Token.Reveal()))
		require.Equal(t, g.Principal, got)

		id := got.Credential.ID
		want := *p
		want.Origin = auth.Origin{Kind: auth.KindAPIKey, ID: id} // proved by every request
		want.Credential = auth.Credential{
			ID: id, Kind: auth.KindAPIKey, Name: "ci", Family: id,
			Created: begin, Expires: begin.Add(time.Hour),
		}
		require.Equal(t, &want, got)

		p.Scopes[0] = "admin"
		require.Equal(t, []string{"read"}, must(keys.Verify(t.Context(), g.Token.Reveal())).Scopes, "a copy")

		none := must(keys.Create(t.Context(), authtest.Principal("42"), nil))
		require.ErrorIs(t, auth.Scope("read")(nil, must(keys.Verify(t.Context(), none.Token.Reveal()))), auth.ErrInsufficientScope)
	})
}

func TestAPIKeyExpires(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		keys := newKeys(t, newStore(t), nil)
		p := authtest.Principal("42")
		g := must(keys.Create(t.Context(), p, &auth.KeyOptions{Lifetime: time.Hour}))
		endless := must(keys.Create(t.Context(), p, nil))
		id := g.Principal.Credential.ID

		authtest.Advance(time.Hour - tick)
		require.NoError(t, verify(keys, g))
		authtest.Advance(tick)
		require.Equal(t, auth.ErrExpired, verify(keys, g))
		_, err := keys.Rotate(t.Context(), id)
		require.Equal(t, auth.ErrExpired, err)
		authtest.Advance(24*time.Hour - tick)
		require.Equal(t, auth.ErrExpired, verify(keys, g))
		require.Equal(t, id, must(keys.Lookup(t.Context(), id)).ID)
		authtest.Advance(tick)
		require.Equal(t, auth.ErrInvalid, verify(keys, g))
		_, err = keys.Lookup(t.Context(), id)
		require.ErrorIs(t, err, auth.ErrNotFound)

		authtest.Advance(50 * 365 * 24 * time.Hour)
		require.NoError(t, verify(keys, endless))
		require.True(t, endless.Principal.Credential.Expires.IsZero())
	})
}

func TestAPIKeyIsLookedUpAndListed(t *testing.T) {
	store := newStore(t)
	keys := newKeys(t, store, nil)
	p := authtest.Principal("42", "read")
	networks := must(auth.ParseNetworks("192.0.2.0/24, 2001:db8::/32"))
	rate := auth.Rate{Limit: 5, Per: time.Minute}
	g := must(keys.Create(t.Context(), p, &auth.KeyOptions{Name: "ci", Networks: networks, Rate: rate}))
	other := must(keys.Create(t.Context(), p, nil))
	must(keys.Create(t.Context(), authtest.Principal("43"), nil))
	session := must(newSessions(t, store, nil).Issue(t.Context(), p, nil))

	want := &auth.APIKey{
		ID:        g.Principal.Credential.ID,
		Hint:      g.Token.Reveal()[:len("acme_live_")+4],
		Principal: g.Principal,
	}
	require.Equal(t, networks, want.Principal.Networks)
	require.Equal(t, rate, want.Principal.Rate)
	require.Equal(t, want, must(keys.Lookup(t.Context(), want.ID)))
	all := listedKeys(t, keys, p)
	require.Len(t, all, 2)
	require.Contains(t, all, want)
	require.ElementsMatch(t, []string{want.ID, other.Principal.Credential.ID}, []string{all[0].ID, all[1].ID})
	for range keys.List(t.Context(), p) {
		break // one is enough
	}

	for name, id := range map[string]string{
		"a session's": session.Principal.Credential.ID,
		"unknown":     auth.DigestOf(auth.KindAPIKey, "").String(),
		"malformed":   "?",
		"the key":     g.Token.Reveal(),
	} {
		_, err := keys.Lookup(t.Context(), id)
		require.ErrorIs(t, err, auth.ErrNotFound, name)
		_, err = keys.Rotate(t.Context(), id)
		require.ErrorIs(t, err, auth.ErrNotFound, name)
		require.ErrorIs(t, keys.Disable(t.Context(), id), auth.ErrNotFound, name)
		require.ErrorIs(t, keys.Enable(t.Context(), id), auth.ErrNotFound, name)
		require.ErrorIs(t, keys.Revoke(t.Context(), id), auth.ErrNotFound, name)
	}
}

func TestAPIKeyIsDisabledEnabledAndRevoked(t *testing.T) {
	keys := newKeys(t, newStore(t), nil)
	g := must(keys.Create(t.Context(), authtest.Principal("42"), nil))
	id := g.Principal.Credential.ID

	for range 2 { // twice is as good
		require.NoError(t, keys.Disable(t.Context(), id))
		require.Equal(t, auth.ErrDisabled, verify(keys, g))
	}
	require.True(t, must(keys.Lookup(t.Context(), id)).Disabled)
	_, err := keys.Rotate(t.Context(), id)
	require.Equal(t, auth.ErrDisabled, err)

	require.NoError(t, keys.Enable(t.Context(), id))
	require.NoError(t, verify(keys, g))
	require.False(t, must(keys.Lookup(t.Context(), id)).Disabled)

	require.NoError(t, keys.Revoke(t.Context(), id))
	require.Equal(t, auth.ErrInvalid, verify(keys, g))
	require.ErrorIs(t, keys.Revoke(t.Context(), id), auth.ErrNotFound)
	require.ErrorIs(t, keys.Enable(t.Context(), id), auth.ErrNotFound)
	require.Empty(t, listedKeys(t, keys, g.Principal))
}

func TestAPIKeyGetsOtherNetworksAndAnotherRate(t *testing.T) {
	keys := newKeys(t, newStore(t), nil)
	g := must(keys.Create(t.Context(), authtest.Principal("42", "read"), &auth.KeyOptions{Name: "ci"}))
	id := g.Principal.Credential.ID
	office, rate := must(auth.ParseNetworks("192.0.2.0/24")), auth.Rate{Limit: 5, Per: time.Minute}
	require.NoError(t, keys.SetNetworks(t.Context(), id, office))
	require.NoError(t, keys.SetRate(t.Context(), id, rate))

	p := must(keys.Verify(t.Context(), g.Token.Reveal()))
	require.Equal(t, office, p.Networks)
	require.Equal(t, rate, p.Rate)
	require.Nil(t, g.Principal.Networks, "a principal is not written again")
	want := *g.Principal
	want.Networks, want.Rate = office, rate
	require.Equal(t, &want, p)
	require.Equal(t, office, must(keys.Rotate(t.Context(), id)).Principal.Networks)

	require.NoError(t, keys.SetNetworks(t.Context(), id, nil))
	require.NoError(t, keys.SetRate(t.Context(), id, auth.Rate{}))
	p = must(keys.Verify(t.Context(), g.Token.Reveal()))
	require.Nil(t, p.Networks)
	require.Zero(t, p.Rate)

	require.ErrorContains(t, keys.SetRate(t.Context(), id, auth.Rate{Limit: 1}), "period")
	require.ErrorIs(t, keys.SetRate(t.Context(), "x", rate), auth.ErrNotFound)
	require.ErrorIs(t, keys.SetNetworks(t.Context(), "x", office), auth.ErrNotFound)
}

func TestAPIKeyRotates(t *testing.T) {
	const day = 24 * time.Hour
	for name, c := range map[string]struct {
		lifetime, overlap, goesOn time.Duration
	}{
		"for a day":                 {0, 0, day},
		"for the overlap":           {30 * day, time.Hour, time.Hour},
		"not at all":                {30 * day, -1, 0},
		"not beyond its own expiry": {6 * time.Hour, 0, 4 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			authtest.At(t, begin, func(t *testing.T) {
				keys := newKeys(t, newStore(t), &auth.APIKeysOptions{Overlap: c.overlap})
				networks := must(auth.ParseNetworks("192.0.2.0/24"))
				p := authtest.Principal("42", "read")
				old := must(keys.Create(t.Context(), p, &auth.KeyOptions{Name: "ci", Lifetime: c.lifetime, Networks: networks}))
				id := old.Principal.Credential.ID
				authtest.Advance(2 * time.Hour)

				// Again and again, as by an operator who lost the answer.
				for range 3 {
					next := must(keys.Rotate(t.Context(), id))
					require.NoError(t, verify(keys, next))
					n, o := next.Principal.Credential, old.Principal.Credential
					require.Equal(t, []string{o.Name, o.Family}, []string{n.Name, n.Family})
					require.NotEqual(t, o.ID, n.ID)
					require.Equal(t, n.ID, next.Principal.Origin.ID)
					require.Equal(t, []string{"read"}, next.Principal.Scopes)
					require.Equal(t, p.Owner(), next.Principal.Owner())
					require.Equal(t, networks, must(keys.Lookup(t.Context(), n.ID)).Principal.Networks)
					if c.lifetime == 0 {
						require.True(t, n.Expires.IsZero())
					} else {
						require.Equal(t, c.lifetime, n.Expires.Sub(n.Created), "the length of its life")
					}
					if c.goesOn == 0 {
						break
					}
				}
				end := begin.Add(2*time.Hour + c.goesOn)
				require.Equal(t, end, must(keys.Lookup(t.Context(), id)).Principal.Credential.Expires)
				if c.goesOn > 0 {
					authtest.Advance(c.goesOn - tick)
					require.NoError(t, verify(keys, old))
					authtest.Advance(tick)
				}
				require.Equal(t, auth.ErrExpired, verify(keys, old))
				authtest.Advance(day)
				require.Equal(t, auth.ErrInvalid, verify(keys, old), "forgotten a day later")
			})
		})
	}
}

// Whoever has a key may be able to rotate it. Once it is switched off, they get
// no other one.
func TestAPIKeyThatIsDisabledInFlightHasNoSuccessor(t *testing.T) {
	store := newTap(t)
	keys := newKeys(t, store, nil)
	g := must(keys.Create(t.Context(), authtest.Principal("42"), nil))
	id := g.Principal.Credential.ID
	store.lost = once("Insert", func() { require.NoError(t, keys.Disable(t.Context(), id)) })
	_, err := keys.Rotate(t.Context(), id)
	require.ErrorIs(t, err, auth.ErrDisabled)
	require.Len(t, listedKeys(t, keys, g.Principal), 1)
}

func TestAPIKeyOfAnotherPrefixIsAnotherKey(t *testing.T) {
	store := newTap(t)
	live := newKeys(t, store, nil)
	test := must(auth.NewAPIKeys(store, "acme_test", nil))
	p := authtest.Principal("42")
	g := must(live.Create(t.Context(), p, nil))
	id := g.Principal.Credential.ID

	// Whoever has a key can compute the checksum of the same secret under
	// another prefix.
	secret := strings.TrimPrefix(g.Token.Reveal(), "acme_live_")[:43]
	require.Equal(t, auth.ErrInvalid, verify(test, token(withChecksum("acme_test_"+secret))))
	require.NoError(t, verify(live, token(withChecksum("acme_live_"+secret))))

	short := must(auth.NewAPIKeys(store, "acme", nil))
	for _, other := range []*auth.APIKeys{test, short} {
		require.Empty(t, listedKeys(t, other, p))
		_, err := other.Lookup(t.Context(), id)
		require.ErrorIs(t, err, auth.ErrNotFound)
		_, err = other.Rotate(t.Context(), id)
		require.ErrorIs(t, err, auth.ErrNotFound)
		require.ErrorIs(t, other.Revoke(t.Context(), id), auth.ErrNotFound)
	}
	require.NoError(t, verify(live, g))
}

func TestAPIKeyOptionsAreChecked(t *testing.T) {
	store := newTap(t)
	keys := newKeys(t, store, nil)
	p := authtest.Principal("42")
	for name, c := range map[string]struct {
		p    *auth.Principal
		o    auth.KeyOptions
		want []string
	}{
		"nobody":            {nil, auth.KeyOptions{}, []string{"subject"}},
		"no subject":        {&auth.Principal{Issuer: "x"}, auth.KeyOptions{}, []string{"subject"}},
		"negative lifetime": {p, auth.KeyOptions{Lifetime: -1}, []string{"lifetime"}},
		"long name":         {p, auth.KeyOptions{Name: strings.Repeat("n", 257)}, []string{"name"}},
		"bad rate":          {p, auth.KeyOptions{Rate: auth.Rate{Limit: -1}}, []string{"rate"}},
		"all at once": {
			nil, auth.KeyOptions{Lifetime: -1, Name: strings.Repeat("n", 257), Rate: auth.Rate{Limit: 1}},
			[]string{"APIKeys.Create", "subject", "lifetime", "name", "rate"},
		},
	} {
		_, err := keys.Create(t.Context(), c.p, &c.o)
		for _, want := range c.want {
			require.ErrorContains(t, err, want, name)
		}
	}
	require.Empty(t, store.dump())
	most := auth.KeyOptions{Name: strings.Repeat("n", 256)}
	require.NoError(t, verify(keys, must(keys.Create(t.Context(), p, &most))))
}

func TestNewAPIKeysRefuses(t *testing.T) {
	store := newStore(t)
	for name, c := range map[string]struct {
		store  auth.Store
		prefix string
		want   []string
	}{
		"no store":             {nil, "acme", []string{"no store"}},
		"no lister":            {bareStore{store}, "acme", []string{"no Lister"}},
		"no prefix":            {store, "", []string{"prefix"}},
		"a digit first":        {store, "1acme", []string{"prefix"}},
		"an underscore first":  {store, "_acme", []string{"prefix"}},
		"a hyphen":             {store, "acme-live", []string{"prefix"}},
		"a letter of another":  {store, "ácme", []string{"prefix"}},
		"21 characters":        {store, strings.Repeat("a", 21), []string{"prefix"}},
		"nothing, for nothing": {nil, "", []string{"NewAPIKeys", "no store", "prefix"}},
	} {
		k, err := auth.NewAPIKeys(c.store, c.prefix, nil)
		require.Nil(t, k, name)
		for _, want := range c.want {
			require.ErrorContains(t, err, want, name)
		}
	}
	for _, prefix := range []string{"a", "Z9", "acme_live_2", strings.Repeat("a", 20)} {
		keys := must(auth.NewAPIKeys(listerStore{store, store}, prefix, nil))
		require.NoError(t, verify(keys, must(keys.Create(t.Context(), authtest.Principal("42"), nil))))
		require.NoError(t, keys.Close())
	}
}
