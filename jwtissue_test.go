package auth_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
	"github.com/seed-077cad0b/auth/store/memstore"
	"github.com/stretchr/testify/require"
)

// A grant says what its token will yield, for every principal.
func TestJWTIssueAgreesWithVerify(t *testing.T) {
	at := time.Date(2020, 1, 2, 3, 4, 5, 678901234, time.FixedZone("", 3600))
	for name, c := range map[string]struct {
		p auth.Principal
		o *auth.IssueOptions
	}{
		"least":           {p: auth.Principal{Subject: "user"}},
		"foreign issuer":  {p: auth.Principal{Issuer: "https://idp", Subject: "user"}},
		"own issuer":      {p: auth.Principal{Issuer: jwtIssuer, Subject: "user"}},
		"everything":      {p: auth.Principal{Tenant: "t", Subject: "u\"\\\n<é😀>", Tier: "gold", Scopes: []string{"a", "b:c"}, Origin: auth.Origin{Kind: auth.KindPassword, ID: "a:b", Time: at}, Credential: auth.Credential{Kind: auth.KindSession, ID: "s", Family: "f", Name: "n"}}},
		"unknown origin":  {p: auth.Principal{Subject: "user", Origin: auth.Origin{Time: at}}},
		"narrowed":        {p: auth.Principal{Subject: "user", Scopes: []string{"a", "b"}}, o: &auth.IssueOptions{Scopes: []string{"b", "c"}}},
		"no scopes":       {p: auth.Principal{Subject: "user", Scopes: []string{"a"}}, o: &auth.IssueOptions{Scopes: []string{}}},
		"bound":           {p: auth.Principal{Subject: "user"}, o: &auth.IssueOptions{Confirmation: "jkt:abc"}},
		"bound to a cert": {p: auth.Principal{Subject: "user"}, o: &auth.IssueOptions{Confirmation: "x5t#S256:abc"}},
		"limited":         {p: auth.Principal{Subject: "user", Networks: must(auth.ParseNetworks("2001:db8::/32,192.0.2.7")), Rate: auth.Rate{Limit: 7, Per: 1500 * time.Millisecond, Burst: 3}}},
		"limited to none": {p: auth.Principal{Subject: "user", Networks: must(auth.NewNetworks()), Rate: auth.Rate{Limit: 7, Per: time.Hour}}},
		"short":           {p: auth.Principal{Subject: "user"}, o: &auth.IssueOptions{Lifetime: 90500 * time.Millisecond}},
		"no longer":       {p: auth.Principal{Subject: "user"}, o: &auth.IssueOptions{Lifetime: 100 * time.Hour}},
		"two audiences":   {p: auth.Principal{Subject: "user"}, o: &auth.IssueOptions{Audience: []string{"https://b", jwtAudience}}},
		"claims":          {p: auth.Principal{Subject: "user", Claims: json.RawMessage(`{"x" : [1, {"y":null}], "sub":"admin","exp":1,"scope":"admin","SUB":"z","é":1.50}`)}},
	} {
		t.Run(name, func(t *testing.T) {
			j := newJWT(t, keySet(t, generate(t, auth.ES256)), nil)
			g, err := j.Issue(context.Background(), &c.p, c.o)
			require.NoError(t, err)
			p := accepted(t, j, g.Token.Reveal())
			require.Equal(t, g.Principal, p)
			require.Equal(t, c.p.Issuer, p.Issuer)
			require.Equal(t, c.p.Owner(), p.Owner())
			require.Equal(t, c.p.Tier, p.Tier)
			require.Equal(t, c.p.Networks, p.Networks)
			require.Equal(t, c.p.Rate, p.Rate)
			require.NotEmpty(t, p.Credential.ID)
			require.WithinDuration(t, time.Now(), p.Credential.Created, 2*time.Second)
			if at := c.p.Origin.Time; !at.IsZero() {
				require.Equal(t, c.p.Origin.Kind, p.Origin.Kind)
				require.Equal(t, c.p.Origin.ID, p.Origin.ID)
				require.Equal(t, at.UTC().Truncate(time.Microsecond), p.Origin.Time)
			}
			if f := c.p.Credential.Family; f != "" {
				require.Equal(t, f, p.Credential.Family)
			}
			switch name {
			case "narrowed":
				require.Equal(t, []string{"b"}, p.Scopes)
			case "no scopes":
				require.Empty(t, p.Scopes)
			case "bound":
				require.Equal(t, "jkt:abc", p.Credential.Confirmation)
			case "short":
				require.LessOrEqual(t, p.Credential.Expires.Sub(p.Credential.Created), 91*time.Second)
			case "no longer":
				require.Equal(t, time.Hour, p.Credential.Expires.Sub(p.Credential.Created))
			case "claims":
				require.Contains(t, string(p.Claims), `"x":[1, {"y":null}],"SUB":"z","é":1.50}`, "verbatim")
				require.Equal(t, "user", p.Subject)
				require.Empty(t, p.Scopes)

				// And so on, through any number of tokens.
				again, err := j.Issue(context.Background(), p, nil)
				require.NoError(t, err)
				require.Contains(t, string(again.Principal.Claims), `"x":[1, {"y":null}],"SUB":"z","é":1.50}`)
			}
		})
	}
}

func TestJWTIssueHeader(t *testing.T) {
	k, err := auth.NewHMACKey(`a"b`, auth.HS256, jwtSecret)
	require.NoError(t, err)
	token := issue(t, newJWT(t, keySet(t, k), nil), &auth.Principal{Subject: "user"})
	require.Equal(t, `{"alg":"HS256","typ":"JWT","kid":"a\"b"}`, decode(t, strings.Split(token, ".")[0]))
}

func TestJWTIssueRefuses(t *testing.T) {
	verifyOnly, err := auth.ParseJWK(publicJWK(t, generate(t, auth.ES256)))
	require.NoError(t, err)
	ctx := context.Background()
	_, err = newJWT(t, keySet(t, nil, verifyOnly), nil).Issue(ctx, &auth.Principal{Subject: "user"}, nil)
	require.ErrorContains(t, err, "no key that signs")
	_, err = newJWT(t, brokenKeys{}, nil).Issue(ctx, &auth.Principal{Subject: "user"}, nil)
	require.ErrorContains(t, err, "no key that signs")

	j := newJWT(t, keySet(t, hmacKey(t)), nil)
	for want, c := range map[string]struct {
		p *auth.Principal
		o *auth.IssueOptions
	}{
		"subject":            {p: nil},
		"without a subject":  {p: &auth.Principal{}},
		"time of proof":      {p: &auth.Principal{Subject: "u", Origin: auth.Origin{Kind: auth.KindAPIKey, ID: "k"}}},
		"a scope":            {p: &auth.Principal{Subject: "u", Scopes: []string{"read write"}}}, // would be two
		"a scope or":         {p: &auth.Principal{Subject: "u", Scopes: []string{""}}},
		"an audience":        {p: &auth.Principal{Subject: "u"}, o: &auth.IssueOptions{Audience: []string{}}},
		"audience of nobody": {p: &auth.Principal{Subject: "u"}, o: &auth.IssueOptions{Audience: []string{"a", ""}}},
		"kind of the":        {p: &auth.Principal{Subject: "u", Origin: auth.Origin{Kind: "a:b", Time: time.Now()}}},
		"confirmation":       {p: &auth.Principal{Subject: "u"}, o: &auth.IssueOptions{Confirmation: "unsupported"}},
		"UTF-8":              {p: &auth.Principal{Subject: "u\xff"}}, // would become another user
		"not UTF-8":          {p: &auth.Principal{Subject: "u", Scopes: []string{"\xff"}}},
		"claims of":          {p: &auth.Principal{Subject: "u", Claims: json.RawMessage(`{"a":1,"a":2}`)}},
		"wrong type":         {p: &auth.Principal{Subject: "u", Rate: auth.Rate{Limit: -1}}},
		"longer than Max":    {p: &auth.Principal{Subject: "u", Networks: manyNetworks(t)}},
		"MaxLength":          {p: &auth.Principal{Subject: strings.Repeat("u", 20000)}},
	} {
		g, err := j.Issue(ctx, c.p, c.o)
		require.ErrorContains(t, err, want)
		require.Nil(t, g)
		var reason auth.Reason
		require.False(t, errors.As(err, &reason), "not the caller's fault")
	}
}

// manyNetworks returns a set that no token can hold.
func manyNetworks(t testing.TB) *auth.Networks {
	var prefixes []netip.Prefix
	for i := range 2000 {
		prefixes = append(prefixes, netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 0}), 24))
	}
	n, err := auth.NewNetworks(prefixes...)
	require.NoError(t, err)
	return n
}

// Row 105, and the marks on id, owner and family.
func TestJWTRevocation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		store := memstore.New()
		keys := keySet(t, hmacKey(t))
		j := newJWT(t, keys, &auth.JWTOptions{Revocation: store})
		elsewhere := newJWT(t, keys, &auth.JWTOptions{Revocation: store, CacheSize: -1})
		careless := newJWT(t, keys, nil)
		user := &auth.Principal{Subject: "user"}
		grant := func(p *auth.Principal) *auth.Grant {
			authtest.Advance(time.Millisecond)
			g, err := j.Issue(ctx, p.ProvedAt(time.Now()), nil)
			require.NoError(t, err)
			accepted(t, j, g.Token.Reveal())
			authtest.Advance(time.Millisecond)
			return g
		}
		dead := func(g *auth.Grant) {
			t.Helper()
			refused(t, j, g.Token.Reveal(), auth.ErrRevoked)
			refused(t, elsewhere, g.Token.Reveal(), auth.ErrRevoked)
			accepted(t, careless, g.Token.Reveal())
		}
		alive := func(g *auth.Grant) {
			t.Helper()
			accepted(t, j, g.Token.Reveal())
			accepted(t, elsewhere, g.Token.Reveal())
		}

		one, two, other := grant(user), grant(user), grant(&auth.Principal{Subject: "other"})
		require.NoError(t, j.Revoke(ctx, one.Principal))
		dead(one)
		alive(two)
		alive(other)

		mine := grant(user)
		require.NoError(t, j.RevokeOthers(ctx, mine.Principal))
		dead(two)
		alive(mine)
		alive(other)

		require.NoError(t, j.RevokeAll(ctx, mine.Principal))
		dead(mine)
		alive(other)
		alive(grant(user))

		// A login that a sign-out has overtaken is refused.
		proved := user.ProvedAt(time.Now())
		authtest.Advance(time.Millisecond)
		require.NoError(t, j.RevokeAll(ctx, user))
		_, err := j.Issue(ctx, proved, nil)
		require.ErrorIs(t, err, auth.ErrRevoked)

		// Tokens that are exchanged for others keep their origin, so they die
		// with it.
		root := grant(user)
		authtest.Advance(time.Second)
		child, err := j.Issue(ctx, root.Principal, nil)
		require.NoError(t, err)
		require.Equal(t, root.Principal.Origin, child.Principal.Origin)
		require.Equal(t, root.Principal.Credential.Family, child.Principal.Credential.Family)
		require.NoError(t, j.RevokeAll(ctx, root.Principal))
		dead(root)
		dead(child)

		require.Error(t, careless.RevokeAll(ctx, user))
		require.Equal(t, auth.ErrNotMine, j.Revoke(ctx, nil))
		require.Equal(t, auth.ErrNotMine, j.Revoke(ctx, user), "who showed a password")

		// Who has no family to spare ends all, as with sessions.
		authtest.Advance(time.Second)
		again := *user
		again.Origin.Time = time.Now()
		last := grant(&again)
		authtest.Advance(time.Second)
		require.NoError(t, j.RevokeOthers(ctx, &auth.Principal{Issuer: user.Issuer, Subject: user.Subject}))
		dead(last)
	})
}

// The issuer's clock may be ahead, and its tokens can still be revoked.
func TestJWTRevokesWhatComesFromTheFuture(t *testing.T) {
	j := newJWT(t, keySet(t, nil, hmacKey(t)), &auth.JWTOptions{Revocation: memstore.New()})
	token := goodClaims().with("auth_time", seconds(time.Now().Add(20*time.Second))).token()
	require.NoError(t, j.RevokeAll(context.Background(), accepted(t, j, token)))
	refused(t, j, token, auth.ErrRevoked)
}

func seconds(at time.Time) string { return strconv.FormatInt(at.Unix(), 10) }

// A mark is forgotten one day, so what it could have ended is over by then.
func TestJWTRevocationOutlivesTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJWT(t, keySet(t, nil, hmacKey(t)), &auth.JWTOptions{Revocation: memstore.New()})
		refused(t, j, goodClaims().with("iat", "").token(), auth.ErrInvalid)
		eternal, revoked := goodClaims().with("exp", "4e9").token(), goodClaims().with("exp", "4e9").with("sub", `"gone"`).token()
		require.NoError(t, j.RevokeAll(context.Background(), accepted(t, j, revoked)))
		for range 50 {
			accepted(t, j, eternal)
			refused(t, j, revoked, auth.ErrRevoked)
			authtest.Advance(8 * 24 * time.Hour)
		}
		refused(t, j, eternal, auth.ErrExpired)
		refused(t, j, revoked, auth.ErrExpired)
		authtest.Advance(100 * 24 * time.Hour)
		refused(t, j, revoked, auth.ErrExpired)
	})
}

// A store that is down is an outage, with and without a batch look-up.
func TestJWTRevocationOutage(t *testing.T) {
	down := errors.New("down")
	j := newJWT(t, keySet(t, hmacKey(t)), &auth.JWTOptions{Revocation: brokenStore{down}})
	_, err := verifyTwice(t, j, goodClaims().token())
	require.ErrorIs(t, err, down)
	_, err = j.Issue(context.Background(), &auth.Principal{Subject: "user"}, nil)
	require.ErrorIs(t, err, down)
}

type brokenStore struct{ err error }

func (s brokenStore) Lookup(context.Context, auth.Digest) (auth.Record, error) {
	return auth.Record{}, s.err
}
func (s brokenStore) Insert(context.Context, auth.Digest, auth.Record) error  { return s.err }
func (s brokenStore) Replace(context.Context, auth.Digest, auth.Record) error { return s.err }
func (s brokenStore) Take(context.Context, auth.Digest) (auth.Record, error) {
	return auth.Record{}, s.err
}
