package auth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
	"github.com/seed-077cad0b/auth/store/memstore"
)

func TestPlatformValidate(t *testing.T) {
	keys := publicKeys(auth.RS512, platformKey())
	for want, change := range map[string]func(p *auth.Platform){
		"":                  func(p *auth.Platform) {},
		"id is not 1 to 64": func(p *auth.Platform) { p.ID = "" },
		"letters":           func(p *auth.Platform) { p.ID = "a:b" },
		"hyphens":           func(p *auth.Platform) { p.ID = "a/b" },
		"dots":              func(p *auth.Platform) { p.ID = "caf\u00e9" },
		"underscores":       func(p *auth.Platform) { p.ID = strings.Repeat("a", 65) },
		"name is longer":    func(p *auth.Platform) { p.Name = strings.Repeat("a", 257) },
		"no keys":           func(p *auth.Platform) { p.Keys = nil },
		": no keys":         func(p *auth.Platform) { p.Keys = (*auth.Keys)(nil) },
		"can sign":          func(p *auth.Platform) { p.Keys = must(auth.NewKeys(must(auth.GenerateKey(auth.ES256)))) },
		"no algorithm":      func(p *auth.Platform) { p.Algorithms = []auth.Algorithm{} },
		`"HS256" is not`:    func(p *auth.Platform) { p.Algorithms = []auth.Algorithm{auth.RS512, auth.HS256} },
		`"none" is not`:     func(p *auth.Platform) { p.Algorithms = []auth.Algorithm{"none"} },
		"MaxLife":           func(p *auth.Platform) { p.MaxLife = -1 },
		"more than 24h":     func(p *auth.Platform) { p.MaxLife = 24*time.Hour + 1 },
		`"@x.example"`:      func(p *auth.Platform) { p.EmailDomains = []string{"@x.example"} },
		`"*.example"`:       func(p *auth.Platform) { p.EmailDomains = []string{"*.example"} },
		`"iss" does not`:    func(p *auth.Platform) { p.SubjectClaim = "iss" },
		`"expire" does not`: func(p *auth.Platform) { p.SubjectClaim = "expire" },
		"SessionLifetime":   func(p *auth.Platform) { p.SessionLifetime = -1 },
		"more than 400":     func(p *auth.Platform) { p.SessionLifetime = 401 * 24 * time.Hour },
		"rate: limit":       func(p *auth.Platform) { p.Rate = auth.Rate{Per: time.Second} },
	} {
		p := &auth.Platform{
			ID: "Acme-1._", Keys: keys, Algorithms: []auth.Algorithm{auth.RS512, auth.Ed25519}, MaxLife: 24 * time.Hour,
			EmailDomains: []string{"xn--bcher-kva.example"}, SubjectClaim: "uid", Rate: auth.Rate{Limit: 1, Per: time.Second},
		}
		change(p)
		_, listed := auth.NewPlatformList(p)
		if want == "" {
			require.NoError(t, p.Validate())
			require.NoError(t, listed)
			continue
		}
		require.ErrorContains(t, p.Validate(), want)
		require.ErrorContains(t, listed, want)
		require.NotContains(t, listed.Error(), "%!")
	}
	require.Error(t, (*auth.Platform)(nil).Validate())
}

func TestPlatformList(t *testing.T) {
	keys := publicKeys(auth.RS512, platformKey())
	a, b := &auth.Platform{ID: "a", Keys: keys}, &auth.Platform{ID: "b", Keys: keys}
	_, err := auth.NewPlatformList(a, nil, &auth.Platform{}, a)
	require.ErrorContains(t, err, "nil")
	require.ErrorContains(t, err, "no keys")
	require.ErrorContains(t, err, `two platforms have the id "a"`)

	l := must(auth.NewPlatformList(a, b))
	p := must(l.Platform(t.Context(), "a"))
	require.Equal(t, a, p)
	a.Suspended = true
	require.False(t, must(l.Platform(t.Context(), "a")).Suspended, "the list's own")
	for _, id := range []string{"", "A", "c"} {
		_, err := l.Platform(t.Context(), id)
		require.ErrorIs(t, err, auth.ErrNotFound)
	}
	must(auth.NewPlatformList())
}

func TestNewPlatformsRefuses(t *testing.T) {
	_, err := auth.NewPlatforms(nil, nil, &auth.PlatformOptions{Limiter: (*auth.MemoryLimiter)(nil)})
	for _, want := range []string{"NewPlatforms", "no store", "no registry", "Limiter"} {
		require.ErrorContains(t, err, want)
	}
	_, err = auth.NewPlatforms((*memstore.Store)(nil), (*auth.PlatformList)(nil), nil)
	require.ErrorContains(t, err, "no store")
	require.ErrorContains(t, err, "no registry")
	d := newDesk(newTap(t)).open()
	require.Panics(t, func() { d.platforms.Issuer(nil) })
	require.Panics(t, func() { d.platforms.Issuer((*auth.Sessions)(nil)) })
}

// A platform signs in into a cookie, which then is all that tells the token.
func TestPlatformsIssueIntoACookie(t *testing.T) {
	d := newDesk(newStore(t)).open()
	d.acme().SessionLifetime = time.Hour
	web := auth.Cookie("__Host-s", d.sessions, nil)
	login := auth.NewGuard(d.platforms.FromHeader("Token", "platform"), nil).Exchange(d.platforms.Issuer(web))
	r := from("POST", "/", "Token", emailClaims().assertion())
	r.SetPathValue("platform", "acme")
	w := serve(login, r)
	require.Equal(t, 200, w.Code)
	require.NotContains(t, w.Body.String(), "access_token")
	cookies := w.Result().Cookies()
	require.Len(t, cookies, 1)
	require.LessOrEqual(t, cookies[0].MaxAge, 3600)
	p, err := d.sessions.Verify(t.Context(), cookies[0].Value)
	require.NoError(t, err)
	require.Equal(t, []string{"read"}, p.Scopes)
}

// Row 30: by default the same person at two platforms is two users, whatever the
// platforms sign.
func TestPlatformsHaveUsersOfTheirOwn(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		d := newDesk(newTap(t))
		d.options = auth.PlatformOptions{Issuer: "https://api.example"}
		d.acme().Tier = "partner"
		d.entries["acme.x"] = &auth.Platform{ID: "acme.x", Keys: publicKeys(auth.RS512, otherPlatformKey()), SubjectClaim: "uid"}
		d.open()
		p := d.admitted(t, d.login("acme", emailClaims().assertion()))
		require.Equal(t, "https://api.example", p.Issuer)
		require.Equal(t, "acme:ada@example.com", p.Subject)
		require.Equal(t, "partner", p.Tier)
		require.Equal(t, []string{"read", "trade"}, p.Scopes)
		require.Empty(t, p.Claims, "the platform's word goes no further")

		other := emailClaims().with("uid", `"x:ada@example.com"`)
		q := d.admitted(t, d.login("acme.x", signPlatform(otherPlatformKey(), rs512, other.String())))
		require.Equal(t, "acme.x:x:ada@example.com", q.Subject)
		require.Empty(t, q.Scopes)
		requireRefused(t, d.login("acme.x", emailClaims().assertion()), "the key of the other platform")
		requireRefused(t, d.login("acme.x", other.assertion()), "the key of the other platform, its members")
		requireRefused(t, d.login("acme.x", signPlatform(otherPlatformKey(), rs512, emailClaims().String())), "no uid")
		// The same bytes at two platforms are two assertions.
		d.entries["twin"] = &auth.Platform{ID: "twin", Keys: d.acme().Keys}
		require.Equal(t, "twin:ada@example.com", d.admitted(t, d.login("twin", emailClaims().assertion())).Subject)
	})
}

// Row 29: what an entry says is what counts, from the next assertion on.
func TestPlatformEntry(t *testing.T) {
	const good, bad = http.StatusOK, http.StatusUnauthorized
	rs256 := publicKeys(auth.RS256, platformKey())
	for name, c := range map[string]struct {
		change func(p *auth.Platform)
		claims claims
		want   int
	}{
		"suspended":                  {func(p *auth.Platform) { p.Suspended = true }, nil, bad},
		"longer life":                {func(p *auth.Platform) { p.MaxLife = time.Hour }, claims{"expire": "+3600"}, good},
		"longer life, too long":      {func(p *auth.Platform) { p.MaxLife = time.Hour }, claims{"expire": "+3601"}, bad},
		"shorter life":               {func(p *auth.Platform) { p.MaxLife = time.Minute }, claims{"expire": "+61"}, bad},
		"audience":                   {func(p *auth.Platform) { p.Audience = apiAudience }, claims{"aud": `"` + apiAudience + `"`}, good},
		"audience, missing":          {func(p *auth.Platform) { p.Audience = apiAudience }, nil, bad},
		"audience, another":          {func(p *auth.Platform) { p.Audience = apiAudience }, claims{"aud": `"https://other.example"`}, bad},
		"audience, in a list":        {func(p *auth.Platform) { p.Audience = apiAudience }, claims{"aud": `["` + apiAudience + `"]`}, bad},
		"domain":                     {func(p *auth.Platform) { p.EmailDomains = []string{"other.example", "EXAMPLE.com"} }, nil, good},
		"domain, another":            {func(p *auth.Platform) { p.EmailDomains = []string{"example.org"} }, nil, bad},
		"domain above":               {func(p *auth.Platform) { p.EmailDomains = []string{"example.com"} }, claims{"email": `"a@x.example.com"`}, bad},
		"domain, suffix":             {func(p *auth.Platform) { p.EmailDomains = []string{"example.com"} }, claims{"email": `"a@badexample.com"`}, bad},
		"domain, two at signs":       {func(p *auth.Platform) { p.EmailDomains = []string{"example.com"} }, claims{"email": `"a@evil.example@example.com"`}, bad},
		"no domain":                  {func(p *auth.Platform) { p.EmailDomains = []string{} }, nil, bad},
		"subject":                    {func(p *auth.Platform) { p.SubjectClaim = "uid" }, claims{"uid": `"7"`}, good},
		"subject, missing":           {func(p *auth.Platform) { p.SubjectClaim = "uid" }, nil, bad},
		"subject, a number":          {func(p *auth.Platform) { p.SubjectClaim = "uid" }, claims{"uid": `7`}, bad},
		"subject, control character": {func(p *auth.Platform) { p.SubjectClaim = "uid" }, claims{"uid": `"a\nb"`}, bad},
		"here":                       {func(p *auth.Platform) { p.Networks = must(auth.ParseNetworks("127.0.0.0/8")) }, nil, good},
		"from elsewhere":             {func(p *auth.Platform) { p.Networks = must(auth.ParseNetworks("192.0.2.0/24")) }, nil, bad},
		"from nowhere":               {func(p *auth.Platform) { p.Networks = &auth.Networks{} }, nil, bad},
		"algorithm, another":         {func(p *auth.Platform) { p.Algorithms = []auth.Algorithm{auth.PS512} }, nil, bad},
		"key of another algorithm":   {func(p *auth.Platform) { p.Keys = rs256 }, nil, bad},
		"key gone":                   {func(p *auth.Platform) { p.Keys = publicKeys(auth.RS512, otherPlatformKey()) }, nil, bad},
		"entry of another id":        {func(p *auth.Platform) { p.ID = "Acme" }, nil, bad},
		"not valid":                  {func(p *auth.Platform) { p.MaxLife = -1 }, nil, 503},
		"no keys":                    {func(p *auth.Platform) { p.Keys = nil }, nil, 503},
	} {
		authtest.At(t, begin, func(t *testing.T) {
			d := newDesk(newTap(t)).open()
			c.change(d.acme())
			signed := emailClaims()
			for member, value := range c.claims {
				if ahead, ok := strings.CutPrefix(value, "+"); ok {
					value = fmt.Sprint(begin.Unix() + int64(must(strconv.Atoi(ahead))))
				}
				signed[member] = value
			}
			w := d.login("acme", signed.assertion())
			require.Equal(t, c.want, w.Code, "%s: %s", name, w.Body)
			if c.want == bad {
				requireRefused(t, w, name)
				require.Empty(t, d.asked)
			}
		})
	}
}

func TestPlatformIDs(t *testing.T) {
	d := newDesk(newTap(t)).open()
	d.down = errors.New("a stranger's text reached the registry")
	for _, id := range []string{"a%3Ab", "a%2Fb", "%00", "caf%C3%A9", strings.Repeat("a", 65), "a%20", "..%2F..", "'%20or%201=1--"} {
		requireRefused(t, d.login(id, emailClaims().assertion()), id)
	}
	require.Equal(t, http.StatusServiceUnavailable, d.login("acme", "a.b.c").Code)
	d.down = nil
	requireRefused(t, d.login("ACME", emailClaims().assertion()), "another platform by its case")
	requireRefused(t, d.login("nobody", emailClaims().assertion()), "unknown")
	require.Error(t, d.platforms.Suspend(t.Context(), "a:b"))
	require.Error(t, d.platforms.Resume(t.Context(), ""))
}

// Keys roll over with both in the set, and a key that is taken out is out.
func TestPlatformKeysRollOver(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		d := newDesk(newTap(t))
		d.acme().Algorithms = []auth.Algorithm{auth.RS512, auth.Ed25519}
		keys := d.acme().Keys.(*auth.Keys)
		old := must(keys.Lookup(t.Context(), "", auth.RS512))[0]
		d.open()
		d.admitted(t, d.login("acme", signPlatform(platformKey(), `{"alg":"RS512","kid":"`+old.ID()+`"}`, emailClaims().String())))

		next := must(publicKeys(auth.RS512, otherPlatformKey()).Lookup(t.Context(), "", auth.RS512))[0]
		require.NoError(t, keys.Add(next))
		d.admitted(t, d.login("acme", emailClaims().with("nonce", "1").assertion()))
		d.admitted(t, d.login("acme", signPlatform(otherPlatformKey(), rs512, emailClaims().String())))
		wrong := signPlatform(platformKey(), `{"alg":"RS512","kid":"`+next.ID()+`"}`, emailClaims().with("nonce", "2").String())
		requireRefused(t, d.login("acme", wrong), "signed by one, named the other")

		require.NoError(t, keys.Remove(old.ID()))
		requireRefused(t, d.login("acme", emailClaims().with("nonce", "3").assertion()), "the old key")
	})
}

// The address is the client's that the guard knows, not the proxy's.
func TestPlatformNetworksBehindAProxy(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		d := newDesk(newTap(t))
		d.guard.TrustedProxies = must(auth.ParseNetworks("127.0.0.0/8"))
		d.acme().Networks = must(auth.ParseNetworks("198.51.100.7"))
		d.open()
		for client, want := range map[string]int{"198.51.100.7": 200, "198.51.100.8": 401} {
			r := from("POST", "/login/acme", "Token", emailClaims().assertion(), "X-Forwarded-For", client, "X-Forwarded-Proto", "https")
			require.Equal(t, want, serve(d.handler, r).Code, client)
		}
		// Without a guard it is the connection's.
		r := from("POST", "/", "Token", emailClaims().with("nonce", "1").assertion(), "X-Forwarded-For", "198.51.100.7")
		r.SetPathValue("platform", "acme")
		_, err := d.platforms.FromHeader("Token", "platform").Authenticate(r)
		require.ErrorIs(t, err, auth.ErrInvalid)
		r.RemoteAddr = netip.AddrPortFrom(netip.MustParseAddr("198.51.100.7"), 1).String()
		_, err = d.platforms.FromHeader("Token", "platform").Authenticate(r)
		require.NoError(t, err)
	})
}

// Rates are charged for what the platform has signed: strangers and replays use
// nothing up.
func TestPlatformRate(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		d := newDesk(newTap(t))
		d.acme().Rate = auth.Rate{Limit: 2, Per: time.Minute}
		d.entries["other"] = &auth.Platform{ID: "other", Keys: d.acme().Keys, Rate: auth.Rate{Limit: 1, Per: time.Minute}}
		d.open()
		first := emailClaims().assertion()
		d.admitted(t, d.login("acme", first))
		for range 9 {
			requireRefused(t, d.login("acme", signPlatform(otherPlatformKey(), rs512, emailClaims().String())), "a stranger")
			requireRefused(t, d.login("acme", first), "a replay")
		}
		d.user = func(*auth.Platform, *auth.Assertion) (*auth.Principal, error) { return nil, auth.ErrForbidden }
		for range 9 {
			require.Equal(t, http.StatusForbidden, d.login("acme", emailClaims().with("nonce", "0").assertion()).Code)
		}
		d.user, d.asked = nil, d.asked[:1]
		d.admitted(t, d.login("acme", emailClaims().with("nonce", "1").assertion()))
		late := emailClaims().with("nonce", "2").assertion()
		w := d.login("acme", late)
		require.Equal(t, http.StatusTooManyRequests, w.Code)
		require.Equal(t, "30", w.Header().Get("Retry-After"))
		require.Len(t, d.asked, 2)
		d.admitted(t, d.login("other", first))
		authtest.Advance(30 * time.Second)
		d.admitted(t, d.login("acme", late))
	})
}

// brokenLimiter cannot answer.
type brokenLimiter struct{ auth.VariableLimiter }

func (brokenLimiter) AllowRate(context.Context, string, int, auth.Rate) (auth.Quota, error) {
	return auth.Quota{}, errOutage
}

func TestPlatformRateOutage(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		d := newDesk(newTap(t))
		d.options.Limiter = brokenLimiter{}
		d.open()
		d.admitted(t, d.login("acme", emailClaims().assertion()))
		d.acme().Rate = auth.Rate{Limit: 2, Per: time.Minute}
		require.Equal(t, http.StatusServiceUnavailable, d.login("acme", emailClaims().with("nonce", "1").assertion()).Code)
	})
}

// What the author's function says, and that an assertion it refuses is not used
// up.
func TestPlatformUser(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		for name, c := range map[string]struct {
			p    *auth.Principal
			err  error
			want int
		}{
			"nobody":         {nil, nil, 503},
			"no subject":     {&auth.Principal{Tier: "x"}, nil, 503},
			"outage":         {nil, errOutage, 503},
			"not found":      {nil, auth.ErrNotFound, 503},
			"not mine":       {nil, auth.ErrNotMine, 503},
			"forbidden":      {nil, auth.ErrForbidden, 403},
			"too often":      {nil, &auth.Failure{Reason: auth.ErrRateLimited, RetryAfter: time.Second}, 429},
			"invalid":        {nil, auth.ErrInvalid, 401},
			"disabled":       {nil, fmt.Errorf("user 7: %w", auth.ErrDisabled), 401},
			"stale":          {nil, &auth.Failure{Reason: auth.ErrStale, MaxAge: time.Minute}, 401},
			"none presented": {nil, auth.ErrNoCredential, 401},
		} {
			store := newTap(t)
			d := newDesk(store).open()
			d.user = func(*auth.Platform, *auth.Assertion) (*auth.Principal, error) { return c.p, c.err }
			w := d.login("acme", emailClaims().assertion())
			require.Equal(t, c.want, w.Code, name)
			if c.want == http.StatusUnauthorized {
				requireRefused(t, w, name)
			}
			require.Empty(t, store.dump(), name)
			d.user = nil
			d.admitted(t, d.login("acme", emailClaims().assertion()))
		}

		shared := &auth.Principal{
			Issuer: "i", Tenant: "t", Subject: "s", Tier: "gold", Scopes: []string{"trade", "admin", "read"}, Claims: []byte(`{"a":1}`),
			Origin:     auth.Origin{Kind: auth.KindPassword, ID: "s", Time: begin.Add(-time.Hour)},
			Credential: auth.Credential{ID: "x", Family: "y", Name: "z"},
		}
		before := *shared
		d := newDesk(newTap(t))
		d.acme().Tier = "partner"
		d.open()
		d.user = func(*auth.Platform, *auth.Assertion) (*auth.Principal, error) { return shared, nil }
		r := from("POST", "/", "Token", emailClaims().assertion())
		r.SetPathValue("platform", "acme")
		p := must(d.platforms.FromHeader("Token", "platform").Authenticate(r))
		require.Equal(t, before, *shared)
		want := before
		want.Scopes = []string{"trade", "read"}
		want.Origin = auth.Origin{Kind: auth.KindPlatform, ID: "acme", Time: begin}
		want.Credential = auth.Credential{ID: d.asked[0].ID, Kind: auth.KindPlatform, Expires: begin.Add(time.Minute)}
		require.Equal(t, &want, p)

		// None of what proved the principal that User found goes with it: here,
		// a refresh token that is not to be spent.
		refresh := must(auth.NewRefresh(d.store, d.sessions, nil))
		old := must(refresh.Issue(t.Context(), authtest.Principal("7"), nil))
		d.user = func(*auth.Platform, *auth.Assertion) (*auth.Principal, error) {
			return refresh.Verify(t.Context(), old.RefreshToken.Reveal())
		}
		r.Header.Set("Token", emailClaims().with("nonce", "1").assertion())
		p = must(d.platforms.FromHeader("Token", "platform").Authenticate(r))
		require.Empty(t, p.Scopes, "none are none, not all of the platform's")
		require.Equal(t, auth.KindPlatform, must(refresh.Issue(t.Context(), p, nil)).Principal.Origin.Kind)
	})
}

// An assertion that ends while the author looks for the user signs nobody in,
// and its use is remembered a little longer than it lasts.
func TestAssertionEnds(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		store := newTap(t)
		d := newDesk(store).open()
		d.user = func(*auth.Platform, *auth.Assertion) (*auth.Principal, error) {
			authtest.Advance(time.Minute)
			return &auth.Principal{Subject: "slow"}, nil
		}
		requireRefused(t, d.login("acme", emailClaims().assertion()), "ended meanwhile")
		require.Empty(t, store.dump())
		d.user = nil
		d.admitted(t, d.login("acme", emailClaims().assertion()))
		authtest.Advance(10 * time.Minute)
		require.Len(t, store.dump(auth.KindPlatform), 1)
		authtest.Advance(time.Minute)
		require.Empty(t, store.dump(auth.KindPlatform))
	})
}

// The registry's bounds hold when something is issued, whatever they were when
// the assertion was judged.
func TestPlatformsIssuer(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		store := newTap(t)
		d := newDesk(store)
		d.options.User = nil
		d.open()
		r := from("POST", "/", "Token", emailClaims().assertion())
		r.SetPathValue("platform", "acme")
		p := must(d.platforms.FromHeader("Token", "platform").Authenticate(r))
		i := d.platforms.Issuer(d.sessions)

		g := must(i.Issue(t.Context(), p, nil))
		require.Equal(t, begin.Add(24*time.Hour), g.Principal.Credential.Expires)
		require.Equal(t, []string{"read", "trade"}, g.Principal.Scopes)

		d.acme().SessionLifetime, d.acme().Scopes = 14*24*time.Hour, []string{"trade", "admin"}
		g = must(i.Issue(t.Context(), p, &auth.IssueOptions{Device: auth.Device{Name: "phone"}}))
		require.Equal(t, begin.Add(24*time.Hour), g.Principal.Credential.Expires, "the sessions' own is shorter")
		require.Equal(t, []string{"trade"}, g.Principal.Scopes)
		require.Equal(t, "phone", deviceOfLast(t, d, g))

		d.acme().SessionLifetime = time.Hour
		g = must(i.Issue(t.Context(), p, &auth.IssueOptions{Lifetime: 2 * time.Hour, Scopes: []string{"read", "trade"}}))
		require.Equal(t, begin.Add(time.Hour), g.Principal.Credential.Expires)
		require.Equal(t, []string{"trade"}, g.Principal.Scopes)
		g = must(i.Issue(t.Context(), p, &auth.IssueOptions{Lifetime: time.Minute, Scopes: []string{}}))
		require.Equal(t, begin.Add(time.Minute), g.Principal.Credential.Expires)
		require.Empty(t, g.Principal.Scopes)
		d.acme().Scopes = nil
		require.Empty(t, must(i.Issue(t.Context(), p, nil)).Principal.Scopes)

		// Others than platforms' users are not its business.
		d.down = errOutage
		g = must(i.Issue(t.Context(), authtest.Principal("7", "admin"), nil))
		require.Equal(t, []string{"admin"}, g.Principal.Scopes)
		_, err := i.Issue(t.Context(), nil, nil)
		require.Error(t, err)
		_, err = i.Issue(t.Context(), p, nil)
		requireOutage(t, err)
		d.down = nil

		d.acme().SessionLifetime = 0
		g = must(i.Issue(t.Context(), p, &auth.IssueOptions{Lifetime: time.Minute}))
		require.Equal(t, begin.Add(time.Minute), g.Principal.Credential.Expires)

		// Sessions below a refresh token end with its family, as they do without
		// the issuer in between.
		refresh := must(auth.NewRefresh(d.store, i, nil))
		g = must(refresh.Issue(t.Context(), p, nil))
		open := len(store.dump(auth.KindSession))
		store.before = func(op string) error {
			if op == "Replace" {
				return errOutage
			}
			return nil
		}
		_, err = exchange(refresh, g.RefreshToken, nil)
		requireOutage(t, err)
		store.before = nil
		require.Len(t, store.dump(auth.KindSession), open, "one that nobody has")
		require.NoError(t, refresh.Revoke(t.Context(), g.Principal))
		require.ErrorIs(t, verify(d.sessions, g), auth.ErrInvalid)

		d.acme().Suspended = true
		_, err = i.Issue(t.Context(), p, nil)
		require.ErrorIs(t, err, auth.ErrInvalid)
		delete(d.entries, "acme")
		_, err = i.Issue(t.Context(), p, nil)
		require.ErrorIs(t, err, auth.ErrInvalid)
	})
}

func deviceOfLast(t *testing.T, d *desk, g *auth.Grant) string {
	for _, s := range listed(t, d.sessions, g.Principal) {
		if s.ID == g.Principal.Credential.ID {
			return s.Device.Name
		}
	}
	return ""
}

// A platform's end is felt by all that it has opened, whatever it is; the flag
// of its entry stops sign-in, and refreshing.
func TestSuspend(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		ctx := t.Context()
		d := newDesk(newTap(t))
		d.entries["other"] = &auth.Platform{ID: "other", Keys: d.acme().Keys}
		d.open()
		tokens := must(auth.NewJWT("i", "a", must(auth.NewKeys(generate(t, auth.ES256))), &auth.JWTOptions{Revocation: d.store}))
		refresh := must(auth.NewRefresh(d.store, d.platforms.Issuer(d.sessions), nil))
		n := 0
		signIn := func(platform string) *auth.Principal {
			n++
			r := from("POST", "/", "Token", emailClaims().with("nonce", fmt.Sprint(n)).assertion())
			r.SetPathValue("platform", platform)
			return must(d.platforms.FromHeader("Token", "platform").Authenticate(r))
		}
		p := signIn("acme")
		session := must(d.platforms.Issuer(d.sessions).Issue(ctx, p, nil))
		token := must(tokens.Issue(ctx, p, nil))
		pair := must(refresh.Issue(ctx, p, nil))
		others := must(d.sessions.Issue(ctx, signIn("other"), nil))
		password := must(d.sessions.Issue(ctx, authtest.Principal("7"), nil))
		early := signIn("acme")

		d.acme().Suspended = true
		authtest.Advance(time.Second)
		requireRefused(t, d.login("acme", emailClaims().with("nonce", "0").assertion()), "the flag")
		require.NoError(t, verify(d.sessions, session), "the flag stops sign-in only")
		_, err := exchange(refresh, pair.RefreshToken, nil)
		require.ErrorIs(t, err, auth.ErrInvalid, "and refreshing")
		d.acme().Suspended = false
		pair = must(exchange(refresh, pair.RefreshToken, nil))

		for range 2 { // it can be said again
			require.NoError(t, d.platforms.Suspend(ctx, "acme"))
		}
		requireRefused(t, d.login("acme", emailClaims().with("nonce", "0").assertion()), "suspended")
		ended := func() {
			t.Helper()
			require.ErrorIs(t, verify(d.sessions, session), auth.ErrRevoked)
			require.ErrorIs(t, verify(d.sessions, pair), auth.ErrRevoked)
			require.ErrorIs(t, verify(tokens, token), auth.ErrRevoked)
			_, err := exchange(refresh, pair.RefreshToken, nil)
			require.Error(t, err)
			_, err = d.sessions.Issue(ctx, early, nil)
			require.ErrorIs(t, err, auth.ErrRevoked)
			require.NoError(t, verify(d.sessions, others))
			require.NoError(t, verify(d.sessions, password))
		}
		ended()
		unmarked := must(auth.NewJWT("i", "a", must(auth.NewKeys(generate(t, auth.ES256))), nil))
		_, err = d.platforms.Issuer(unmarked).Issue(ctx, early, nil)
		require.ErrorIs(t, err, auth.ErrInvalid)
		authtest.Advance(500 * 24 * time.Hour)
		requireRefused(t, d.login("acme", emailClaims().assertion()), "suspended until resumed")

		for range 2 {
			require.NoError(t, d.platforms.Resume(ctx, "acme"))
		}
		d.admitted(t, d.login("acme", emailClaims().assertion()))
	})
}

func TestResumeRevivesNothing(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		d := newDesk(newTap(t)).open()
		token := tokenIn(t, d.login("acme", emailClaims().assertion()))
		require.NoError(t, d.platforms.Suspend(t.Context(), "acme"))
		require.NoError(t, d.platforms.Resume(t.Context(), "acme"))
		authtest.Advance(time.Microsecond)
		_, err := d.sessions.Verify(t.Context(), token)
		require.ErrorIs(t, err, auth.ErrRevoked)
		d.admitted(t, d.login("acme", emailClaims().with("nonce", "1").assertion()))
	})
}

// Platforms need no ability of a store.
func TestPlatformsOnABareStore(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		store := newStore(t)
		d := newDesk(store).open()
		d.platforms = must(auth.NewPlatforms(bareStore{store}, d, &d.options))
		guard := auth.NewGuard(d.platforms.FromHeader("Token", "platform"), nil)
		present := func() error {
			r := from("POST", "/", "Token", emailClaims().assertion())
			r.SetPathValue("platform", "acme")
			_, err := guard.Check(r)
			return err
		}
		require.NoError(t, present())
		require.ErrorIs(t, present(), auth.ErrInvalid)
		require.NoError(t, d.platforms.Suspend(t.Context(), "acme"))
	})
}

// The observer learns what the client does not.
func TestAssertionEvents(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		o, events := watched(auth.GuardOptions{})
		d := newDesk(newTap(t))
		d.guard = *o
		d.open()
		assertion := emailClaims().assertion()
		d.login("acme", assertion)
		d.login("acme", assertion)
		d.login("acme", emailClaims().with("expire", "1").assertion())
		d.login("nobody", assertion)
		require.Len(t, *events, 4)
		admitted := (*events)[0]
		require.Equal(t, auth.Admitted, admitted.Outcome)
		require.Equal(t, auth.KindPlatform, admitted.Kind)
		require.Equal(t, d.asked[0].ID, admitted.CredentialID)
		require.Equal(t, auth.KindSession, admitted.IssuedKind)
		for i, cause := range []error{auth.ErrReused, auth.ErrExpired, auth.ErrInvalid} {
			e := (*events)[i+1]
			require.Equal(t, auth.ErrInvalid, e.Reason)
			require.ErrorIs(t, e.Err, cause)
			for _, part := range strings.Split(assertion, ".")[1:] {
				require.NotContains(t, e.Err.Error(), part)
			}
		}
	})
}
