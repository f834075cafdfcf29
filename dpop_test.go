package auth_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
)

// A proofTrial is one API and one client whose token is bound to its key.
type proofTrial struct {
	client *prover
	store  *breakable
	dpop   *auth.DPoP
	guard  *auth.Guard
}

const boundToken = "bound-token"

func newProofTrial(t testing.TB, o auth.DPoPOptions) *proofTrial {
	c := &proofTrial{client: newProver("ES256"), store: &breakable{Store: newStore(t)}}
	c.dpop = newDPoP(t, c.store, o)
	c.guard = auth.NewGuard(c.dpop.Source(c.client.bound(boundToken)), nil)
	return c
}

// get asks for a path with a proof, which may be any text.
func (c *proofTrial) get(path, proof string) *httptest.ResponseRecorder {
	return serve(c.guard.WrapFunc(hello), from("GET", path, "Authorization", "DPoP "+boundToken, "DPoP", proof))
}

// draft is a good proof for GET /data.
func (c *proofTrial) draft() draft { return c.client.draft("GET", apiURL+"/data", boundToken) }

// A proof is good once: RFC 9449 section 11.1. Row 21: of a hundred copies at
// once, over two processes on one store, one.
func TestDPoPProofIsGoodOnce(t *testing.T) {
	c := newProofTrial(t, auth.DPoPOptions{})
	other := auth.NewGuard(newDPoP(t, c.store, auth.DPoPOptions{}).Source(c.client.bound(boundToken)), nil)
	for _, copies := range []int{10, 100} {
		proof := c.client.sign(c.draft())
		var admitted, refused atomic.Int64
		var wg sync.WaitGroup
		for i := range copies {
			guard := c.guard
			if i%2 == 1 {
				guard = other
			}
			wg.Go(func() {
				w := serve(guard.WrapFunc(hello), from("GET", "/data", "Authorization", "DPoP "+boundToken, "DPoP", proof))
				switch w.Code {
				case 200:
					admitted.Add(1)
				case 401:
					refused.Add(1)
				}
			})
		}
		wg.Wait()
		require.Equal(t, int64(1), admitted.Load())
		require.Equal(t, int64(copies-1), refused.Load())
	}
}

// A proof that is signed anew, or written otherwise, is the same proof while its
// jti is.
func TestDPoPReplayIsKnownByKeyAndID(t *testing.T) {
	c := newProofTrial(t, auth.DPoPOptions{})
	d := c.draft().with("jti", "once")
	require.Equal(t, 200, c.get("/data", c.client.sign(d)).Code)
	for name, again := range map[string]draft{
		"signed anew": d, "another time": d.with("iat", time.Now().Unix()+1), "with more": d.with("x", 1), "kid": d.withHeader("kid", "1"),
		"query": d.with("htu", apiURL+"/data?x"),
	} {
		w := c.get("/data", c.client.sign(again))
		require.Equal(t, 401, w.Code, name)
		require.Equal(t, "invalid_dpop_proof", parseChallenges(t, w.Result())[0].params["error"])
	}

	// Nobody can use up what another key will sign.
	stranger := newProver("ES256")
	guard := auth.NewGuard(c.dpop.Source(stranger.bound("theirs")), nil)
	d = stranger.draft("GET", apiURL+"/data", "theirs").with("jti", "predicted")
	require.Equal(t, 200, serve(guard.WrapFunc(hello), from("GET", "/data", "Authorization", "DPoP theirs", "DPoP", stranger.sign(d))).Code)
	require.Equal(t, 200, c.get("/data", c.client.sign(c.draft().with("jti", "predicted"))).Code)
}

// The use of a proof is remembered for as long as it could be accepted, and two
// minutes more.
func TestDPoPProofIsRememberedUntilItIsTooOld(t *testing.T) {
	for _, ahead := range []time.Duration{-time.Minute, 0, time.Minute} {
		authtest.At(t, begin, func(t *testing.T) {
			store := newTap(t)
			client := newProver("ES256")
			guard := auth.NewGuard(newDPoP(t, store, auth.DPoPOptions{}).Source(client.bound(boundToken)), nil)
			issued := begin.Add(ahead)
			proof := client.sign(client.draft("GET", apiURL+"/data", boundToken).with("iat", issued.Unix()))
			get := func() int {
				return serve(guard.WrapFunc(hello), from("GET", "/data", "Authorization", "DPoP "+boundToken, "DPoP", proof)).Code
			}
			require.Equal(t, 200, get())
			for range 3 {
				require.Equal(t, 401, get())
				authtest.Advance(30 * time.Second)
			}
			require.Len(t, store.digests, 1)
			for d := range store.digests {
				authtest.Advance(time.Until(issued.Add(3*time.Minute - time.Microsecond)))
				r, err := store.Store.Lookup(t.Context(), d)
				require.NoError(t, err)
				require.Nil(t, r.Principal)
				require.NotEqual(t, auth.KindMark, r.Kind, "a mark would cost each token a look-up")
				require.Equal(t, issued.Add(time.Minute), r.Expires)
				authtest.Advance(time.Microsecond)
				_, err = store.Store.Lookup(t.Context(), d)
				require.ErrorIs(t, err, auth.ErrNotFound)
			}
		})
	}
}

// An outage is 503, whether before the insert or instead of its answer, and never
// a 401 that would have the client throw its token away.
func TestDPoPOutage(t *testing.T) {
	c := newProofTrial(t, auth.DPoPOptions{})
	proof := c.client.sign(c.draft())
	c.store.fail(errOutage)
	w := c.get("/data", proof)
	require.Equal(t, 503, w.Code)
	require.NotEmpty(t, w.Header().Get("Retry-After"))
	require.NotContains(t, w.Body.String(), "10.0.0.7")
	c.store.fail(nil)
	require.Equal(t, 200, c.get("/data", proof).Code, "it had not been used")

	// The store has written it, and its answer is lost: nobody is admitted, and
	// the proof is used up.
	store := newTap(t)
	guard := auth.NewGuard(newDPoP(t, store, auth.DPoPOptions{}).Source(c.client.bound(boundToken)), nil)
	proof = c.client.sign(c.draft())
	get := func() int {
		return serve(guard.WrapFunc(hello), from("GET", "/data", "Authorization", "DPoP "+boundToken, "DPoP", proof)).Code
	}
	store.lost = func(string) error { return errOutage }
	require.Equal(t, 503, get())
	store.lost = nil
	require.Equal(t, 401, get())
}

// What is bound is refused as a bearer token, and a bearer token as one of DPoP:
// RFC 9449 section 7.2, each told by the challenge of its scheme.
func TestDPoPAndBearerAreNotMistakenForEachOther(t *testing.T) {
	client := newProver("ES256")
	v := client.bound("bound")
	v["plain"] = alice("read")
	v["certified"] = boundTo("x", "x5t#S256:"+strings.Repeat("A", 43))["x"]
	v["unsupported"] = boundTo("x", "unsupported")["x"]
	v["half"] = boundTo("x", "jkt:")["x"]
	dpop := newDPoP(t, newStore(t), auth.DPoPOptions{Algorithms: []auth.Algorithm{auth.ES256, auth.PS256}})
	guard := auth.NewGuard(auth.First(dpop.Source(v), auth.Bearer(v)), &auth.GuardOptions{Realm: "api"})
	const dpopScheme, bearer = 0, 1
	for _, c := range []struct {
		scheme, token string
		status, at    int
		want          string
	}{
		{"DPoP", "bound", 200, 0, ""},
		{"dpop", "bound", 200, 0, ""},
		{"DPOP  ", "bound", 200, 0, ""},
		{"Bearer", "plain", 200, 0, ""},
		{"Bearer", "bound", 401, bearer, "invalid_token"},
		{"DPoP", "plain", 401, dpopScheme, "invalid_token"},
		{"DPoP", "certified", 401, dpopScheme, "invalid_token"},
		{"DPoP", "unsupported", 401, dpopScheme, "invalid_token"},
		{"DPoP", "half", 401, dpopScheme, "invalid_token"},
		{"DPoP", "unknown", 401, dpopScheme, "invalid_token"},
		{"DPoP", "not@token68", 401, dpopScheme, "invalid_token"},
		{"DPoPX", "bound", 401, dpopScheme, ""},
		{"DPoP", "", 401, dpopScheme, ""},
	} {
		r := from("GET", "/", "Authorization", strings.TrimRight(c.scheme+" "+c.token, " "), "DPoP", client.proof("GET", apiURL+"/", c.token))
		w := serve(guard.WrapFunc(hello), r)
		require.Equal(t, c.status, w.Code, "%s %s", c.scheme, c.token)
		if c.status == 200 {
			continue
		}
		all := parseChallenges(t, w.Result())
		require.Len(t, all, 2)
		require.Equal(t, "DPoP", all[dpopScheme].scheme)
		require.Equal(t, "ES256 PS256", all[dpopScheme].params["algs"])
		require.Equal(t, "Bearer", all[bearer].scheme)
		for i, challenge := range all {
			require.Equal(t, "api", challenge.params["realm"])
			if i == c.at && c.want != "" {
				require.Equal(t, c.want, challenge.params["error"], "%s %s", c.scheme, c.token)
			} else {
				require.NotContains(t, challenge.params, "error", "%s %s", c.scheme, c.token)
			}
		}
	}

	// No other source admits what is bound to a key of DPoP, with a proof or
	// without.
	for name, c := range map[string]struct {
		source auth.Authenticator
		r      *http.Request
	}{
		"header": {auth.Header("X-API-Key", v), from("GET", "/", "X-API-Key", "bound")},
		"cookie": {auth.Cookie("__Host-s", v, nil), from("GET", "/", "Cookie", "__Host-s=bound")},
		"body":   {auth.JSONField("key", v), sending("POST", "/", `{"key":"bound"}`)},
	} {
		c.r.Header.Set("DPoP", client.proof(c.r.Method, apiURL+"/", "bound"))
		require.Equal(t, 401, serve(auth.NewGuard(c.source, nil).WrapFunc(hello), c.r).Code, name)
	}
}

// Row 33: a refusal by policy is told by the scheme that the credential came by.
func TestDPoPPoliciesAreToldByTheSchemeOfTheCredential(t *testing.T) {
	client := newProver("ES256")
	v := kinded{client.bound("bound"), auth.KindSession}
	v.known["plain"] = alice("read")
	guard := auth.NewGuard(auth.First(newDPoP(t, newStore(t), auth.DPoPOptions{}).Source(v), auth.Bearer(v)), nil).With(auth.Scope("write"))
	for at, r := range []*http.Request{client.request("GET", "/", "bound"), from("GET", "/", "Authorization", "Bearer plain")} {
		w := serve(guard.WrapFunc(hello), r)
		require.Equal(t, 403, w.Code)
		all := parseChallenges(t, w.Result())
		require.Equal(t, "insufficient_scope", all[at].params["error"])
		require.Equal(t, "write", all[at].params["scope"])
		require.NotContains(t, all[1-at].params, "error")
	}
}

// Nothing that needs the store is done for who has not shown a good credential,
// and no signature is checked for who has not shown its key.
func TestDPoPStrangersWriteNothing(t *testing.T) {
	c := newProofTrial(t, auth.DPoPOptions{})
	stranger := newProver("ES256")
	for name, r := range map[string]*http.Request{
		"unknown token": stranger.request("GET", "/data", "unknown"),
		"another's key": stranger.request("GET", "/data", boundToken),
		"no proof":      from("GET", "/data", "Authorization", "DPoP "+boundToken),
	} {
		require.Equal(t, 401, serve(c.guard.WrapFunc(hello), r).Code, name)
	}
	require.Zero(t, c.store.writes.Load())

	// That the signature does not hold either is not found out.
	proof := stranger.proof("GET", apiURL+"/data", boundToken)
	w := c.get("/data", proof[:len(proof)-86]+strings.Repeat("A", 86))
	require.Equal(t, "invalid_token", parseChallenges(t, w.Result())[0].params["error"])
}

// A policy that refuses comes after the proof has been used.
func TestDPoPProofIsUsedUpBeforePolicies(t *testing.T) {
	c := newProofTrial(t, auth.DPoPOptions{})
	proof := c.client.sign(c.draft())
	r := func() *http.Request {
		return from("GET", "/data", "Authorization", "DPoP "+boundToken, "DPoP", proof)
	}
	require.Equal(t, 403, serve(c.guard.With(auth.Scope("write")).WrapFunc(hello), r()).Code)
	require.Equal(t, 401, serve(c.guard.WrapFunc(hello), r()).Code)

	// Guards of one NewGuard share the decision, and need one proof.
	inner := c.guard.With(auth.Scope("read")).WrapFunc(hello)
	require.Equal(t, 200, serve(c.guard.Wrap(inner), c.client.request("GET", "/data", boundToken)).Code)
}

func TestDPoPProve(t *testing.T) {
	client := newProver("ES256")
	store := &breakable{Store: newStore(t)}
	dpop := newDPoP(t, store, auth.DPoPOptions{})
	post := func(proofs ...string) *http.Request {
		r := from("POST", "/token")
		r.Header["Dpop"] = proofs
		return r
	}
	proof := client.proof("POST", apiURL+"/token", "")
	confirmation, err := dpop.Prove(post(proof), "")
	require.NoError(t, err)
	require.Equal(t, client.confirmation(), confirmation)
	_, err = dpop.Prove(post(proof), "")
	require.ErrorIs(t, err, auth.ErrProof, "used up")

	for name, r := range map[string]*http.Request{"none": post(), "empty": post("")} {
		confirmation, err = dpop.Prove(r, "")
		require.Equal(t, auth.ErrNoCredential, err, name)
		require.Empty(t, confirmation)
	}
	for name, r := range map[string]*http.Request{
		"two": post(proof, proof), "form": post("x"), "request": post(client.proof("GET", apiURL+"/token", "")),
		"signature": post(proof[:len(proof)-4] + "AAAA"),
	} {
		confirmation, err = dpop.Prove(r, "")
		require.ErrorIs(t, err, auth.ErrProof, name)
		require.Empty(t, confirmation)
	}

	// With a credential, the proof must be for it.
	_, err = dpop.Prove(post(client.proof("POST", apiURL+"/token", "")), "refresh")
	require.ErrorIs(t, err, auth.ErrProof)
	_, err = dpop.Prove(post(client.proof("POST", apiURL+"/token", "refresh")), "refresh")
	require.NoError(t, err)

	store.fail(errOutage)
	_, err = dpop.Prove(post(client.proof("POST", apiURL+"/token", "")), "")
	require.ErrorIs(t, err, errOutage)
	require.NotErrorIs(t, err, auth.ErrProof)
}

// The algorithms are those of the challenge, in their order, and nobody can change
// them from outside.
func TestDPoPAlgorithmsAreItsOwn(t *testing.T) {
	own := []auth.Algorithm{auth.PS256, auth.ES256}
	dpop := newDPoP(t, newStore(t), auth.DPoPOptions{Algorithms: own})
	own[0] = auth.RS256
	dpop.Algorithms()[1] = auth.RS256
	require.Equal(t, []auth.Algorithm{auth.PS256, auth.ES256}, dpop.Algorithms())
	require.Equal(t, []auth.Algorithm{auth.ES256, auth.ES384, auth.ES512, auth.EdDSA, auth.Ed25519, auth.PS256, auth.RS256},
		newDPoP(t, newStore(t), auth.DPoPOptions{}).Algorithms())
}

func TestNewDPoPRefuses(t *testing.T) {
	good := auth.DPoPOptions{BaseURL: apiURL}
	for name, c := range map[string]struct {
		store auth.Store
		o     *auth.DPoPOptions
		want  []string
	}{
		"nothing":        {nil, nil, []string{"store is nil", "BaseURL: is empty"}},
		"nil pointer":    {(*breakable)(nil), &good, []string{"store is nil"}},
		"everything":     {newStore(t), &auth.DPoPOptions{MaxAge: -1, NonceKey: []byte("short"), Algorithms: []auth.Algorithm{"HS256", "none", "", "ES256", "ES256"}}, []string{"MaxAge", "NonceKey", `"HS256" is no asymmetric`, `"none" is no`, `"" is no`, `"ES256" appears twice`, "BaseURL"}},
		"long":           {newStore(t), &auth.DPoPOptions{BaseURL: apiURL, MaxAge: 10*time.Minute + 1}, []string{"MaxAge"}},
		"short":          {newStore(t), &auth.DPoPOptions{BaseURL: apiURL, MaxAge: time.Second - 1}, []string{"MaxAge"}},
		"empty key":      {newStore(t), &auth.DPoPOptions{BaseURL: apiURL, NonceKey: []byte{}}, []string{"NonceKey"}},
		"31 bytes":       {newStore(t), &auth.DPoPOptions{BaseURL: apiURL, NonceKey: make([]byte, 31)}, []string{"NonceKey"}},
		"two hosts":      {newStore(t), &auth.DPoPOptions{BaseURL: apiURL, InsecureHost: true}, []string{"both"}},
		"no URL":         {newStore(t), &auth.DPoPOptions{BaseURL: "api.example.com"}, []string{"BaseURL"}},
		"another scheme": {newStore(t), &auth.DPoPOptions{BaseURL: "ftp://api.example.com"}, []string{"BaseURL"}},
		"no host":        {newStore(t), &auth.DPoPOptions{BaseURL: "https:///x"}, []string{"BaseURL"}},
		"port alone":     {newStore(t), &auth.DPoPOptions{BaseURL: "https://:443"}, []string{"BaseURL"}},
		"user":           {newStore(t), &auth.DPoPOptions{BaseURL: "https://a@api.example.com"}, []string{"BaseURL"}},
		"query":          {newStore(t), &auth.DPoPOptions{BaseURL: "https://api.example.com/?"}, []string{"BaseURL"}},
		"fragment":       {newStore(t), &auth.DPoPOptions{BaseURL: "https://api.example.com/#"}, []string{"BaseURL"}},
		"not ASCII":      {newStore(t), &auth.DPoPOptions{BaseURL: "https://äpi.example.com"}, []string{"BaseURL"}},
	} {
		d, err := auth.NewDPoP(c.store, c.o)
		require.Nil(t, d, name)
		require.Error(t, err, name)
		for _, want := range c.want {
			require.ErrorContains(t, err, want, name)
		}
		require.Equal(t, len(c.want), strings.Count(err.Error(), "auth: NewDPoP: "), "%s: %v", name, err)
	}
}
