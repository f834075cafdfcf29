package oauth_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
	"github.com/seed-077cad0b/auth/oauth"
	"github.com/seed-077cad0b/auth/store/memstore"
	"github.com/seed-077cad0b/auth/store/storetest"
)

// codes are what a device has been given.
type codes struct {
	Device    string `json:"device_code"`
	User      string `json:"user_code"`
	URI       string `json:"verification_uri"`
	Complete  string `json:"verification_uri_complete"`
	ExpiresIn int64  `json:"expires_in"`
	Interval  int    `json:"interval"`
}

// device has a client ask for codes.
func (w *world) device(t testing.TB, client string, pairs ...string) codes {
	t.Helper()
	a := w.send(t, w.to("/oauth/device_authorization", client, pairs...))
	require.Equal(t, http.StatusOK, a.Code, a.Body)
	var c codes
	require.NoError(t, json.Unmarshal(a.Body.Bytes(), &c))
	return c
}

// poll is the request by which a device asks whether it may.
func (w *world) poll(client string, c codes, pairs ...string) *http.Request {
	return w.asks(client, append(pairs, "grant_type", string(oauth.DeviceCode), "device_code", c.Device)...)
}

// decide has somebody decide about the code that a device shows.
func (w *world) decide(who, code string, allow bool) error {
	return w.server.ApproveDevice(request("POST", "/oauth/device", nil), code, w.people[who], allow)
}

func (w *world) connected(t testing.TB, client string) codes {
	t.Helper()
	c := w.device(t, client)
	require.NoError(t, w.decide("alice", c.User, true))
	return c
}

func atStart(t *testing.T, f func(t *testing.T)) {
	authtest.At(t, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), f)
}

// A device shows a code, waits, and is let in by somebody who signs in elsewhere
// (RFC 8628 section 3).
func TestDevice(t *testing.T) {
	atStart(t, func(t *testing.T) {
		w := newWorld(t)
		c := w.device(t, "tv", "scope", "read")
		require.Regexp(t, "^dc_[A-Za-z0-9_-]{43}$", c.Device)
		require.Regexp(t, "^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$", c.User)
		require.Equal(t, codes{
			Device: c.Device, User: c.User,
			URI:       issuer + "/oauth/device",
			Complete:  issuer + "/oauth/device?user_code=" + c.User,
			ExpiresIn: 600, Interval: 5,
		}, c)
		require.Equal(t, "tv", w.lastEvent(t).ClientID)
		require.Equal(t, "device_authorization", w.lastEvent(t).Endpoint)

		requireRefused(t, w.send(t, w.poll("tv", c)), 400, oauth.ErrAuthorizationPending)
		client, scopes, err := w.server.DeviceOf(request("GET", "/oauth/device", nil), c.User, w.people["alice"])
		require.NoError(t, err)
		require.Equal(t, "TV", client.Name)
		require.Equal(t, []string{"read"}, scopes)
		require.NoError(t, w.decide("alice", c.User, true))
		for _, e := range listOf(t, w, w.people["alice"], oauth.KindDeviceCode) {
			require.Equal(t, "tv", e.Record.Principal.Credential.ClientID, "people find what they have let in")
		}
		require.Len(t, listOf(t, w, w.people["alice"], oauth.KindDeviceCode), 1)

		a := w.send(t, w.poll("tv", c))
		requireGranted(t, a)
		require.Equal(t, "alice", w.lastEvent(t).Principal.Subject)
		require.NotEmpty(t, a.RefreshToken)
		p, err := w.opens(t, a.AccessToken)
		require.NoError(t, err)
		require.Equal(t, "alice", p.Subject)
		require.Equal(t, "tv", p.Credential.ClientID)
		require.Equal(t, []string{"read"}, p.Scopes)
		require.Equal(t, w.people["alice"].Origin.Time, p.Origin.Time)
		requireGranted(t, w.send(t, w.renew("tv", a.RefreshToken)))
	})
}

func listOf(t testing.TB, w *world, p *auth.Principal, k auth.Kind) (all []auth.Entry) {
	lister, _ := auth.StoreAbility[auth.Lister](w.store)
	for e, err := range lister.List(t.Context(), p.Owner(), k) {
		require.NoError(t, err)
		all = append(all, e)
	}
	return all
}

// A device that does not wait is told to, and then waits longer than before (RFC
// 8628 section 3.5); a wait that is kept is never held against it.
func TestDeviceSlowsDown(t *testing.T) {
	atStart(t, func(t *testing.T) {
		w := newWorld(t)
		c := w.device(t, "tv")
		poll := func(after time.Duration, want oauth.ErrorCode) {
			t.Helper()
			authtest.Advance(after)
			requireRefused(t, w.send(t, w.poll("tv", c)), 400, want)
		}
		poll(0, oauth.ErrAuthorizationPending)
		poll(5*time.Second, oauth.ErrAuthorizationPending)
		poll(4*time.Second, oauth.ErrSlowDown) // 10 from now on
		poll(9*time.Second, oauth.ErrSlowDown) // 15
		poll(15*time.Second, oauth.ErrAuthorizationPending)
		poll(14*time.Second, oauth.ErrSlowDown)
		for range 20 {
			poll(time.Second, oauth.ErrSlowDown)
		}
		poll(time.Minute, oauth.ErrAuthorizationPending)
		poll(59*time.Second, oauth.ErrSlowDown)

		// Who may, gets in at once.
		require.NoError(t, w.decide("alice", c.User, true))
		requireGranted(t, w.send(t, w.poll("tv", c)))
	})
}

// What a device is told when it is not let in.
func TestDeviceRefused(t *testing.T) {
	atStart(t, func(t *testing.T) {
		w := newWorld(t)
		w.add(&oauth.Client{ID: "radio", Grants: []oauth.GrantType{oauth.DeviceCode}, Scopes: []string{"read"}})
		denied := w.device(t, "tv")
		require.NoError(t, w.decide("alice", denied.User, false))
		requireRefused(t, w.send(t, w.poll("tv", denied)), 400, oauth.ErrAccessDenied)
		requireRefused(t, w.send(t, w.poll("tv", denied)), 400, oauth.ErrAccessDenied)
		require.ErrorIs(t, w.decide("alice", denied.User, true), oauth.ErrInvalidRequest, "it has been decided")

		c := w.connected(t, "tv")
		requireRefused(t, w.send(t, w.poll("radio", c)), 400, oauth.ErrInvalidGrant)
		for _, code := range []string{"x", c.User, "dc_", auth.TokenForm("dc_").New()} {
			requireRefused(t, w.send(t, w.poll("tv", codes{Device: code})), 400, oauth.ErrInvalidGrant)
		}
		requireRefused(t, w.send(t, w.poll("tv", codes{})), 400, oauth.ErrInvalidRequest)
		requireRefused(t, w.send(t, w.poll("tv", c, "resource", files)), 400, oauth.ErrInvalidTarget)
		requireRefused(t, w.send(t, w.poll("web", c)), 400, oauth.ErrUnauthorizedClient)
		requireGranted(t, w.send(t, w.poll("tv", c))) // none of that has used it up

		c, waiting := w.connected(t, "tv"), w.device(t, "tv")
		w.change("tv", func(c *oauth.Client) { c.Revoked = time.Now() })
		requireRefused(t, w.send(t, w.poll("tv", c)), 400, oauth.ErrInvalidGrant)
		w.change("tv", func(c *oauth.Client) { c.Revoked = time.Time{} })

		authtest.Advance(10 * time.Minute)
		requireRefused(t, w.send(t, w.poll("tv", c)), 400, oauth.ErrExpiredToken)
		requireRefused(t, w.send(t, w.poll("tv", waiting)), 400, oauth.ErrExpiredToken)
		require.ErrorIs(t, w.decide("alice", waiting.User, true), oauth.ErrInvalidRequest)
		authtest.Advance(10 * time.Minute)
		requireRefused(t, w.send(t, w.poll("tv", c)), 400, oauth.ErrInvalidGrant)
	})
}

// Row 22: who signs out of everything meanwhile lets nothing in.
func TestDeviceOfSomebodyWhoHasSignedOut(t *testing.T) {
	atStart(t, func(t *testing.T) {
		w := newWorld(t)
		c := w.connected(t, "tv")
		require.NoError(t, w.opener(t, api).RevokeAll(t.Context(), w.people["alice"]))
		requireRefused(t, w.send(t, w.poll("tv", c)), 400, oauth.ErrInvalidGrant)
	})
}

// Row 27, and what a device may ask for.
func TestDeviceAuthorizationRequest(t *testing.T) {
	w := newWorld(t)
	w.add(&oauth.Client{ID: "radio", Grants: []oauth.GrantType{oauth.DeviceCode}, Scopes: []string{"read"}, Resources: []string{files}})
	const path = "/oauth/device_authorization"
	for name, c := range map[string]struct {
		request *http.Request
		status  int
		code    oauth.ErrorCode
	}{
		"no client":        {request("POST", path, form("scope", "read")), 401, oauth.ErrInvalidClient},
		"unknown":          {w.to(path, "nobody"), 401, oauth.ErrInvalidClient},
		"without secret":   {request("POST", path, form("client_id", "radio")), 401, oauth.ErrInvalidClient},
		"another grant":    {w.to(path, "web"), 400, oauth.ErrUnauthorizedClient},
		"scope":            {w.to(path, "tv", "scope", "write"), 400, oauth.ErrInvalidScope},
		"malformed scope":  {w.to(path, "tv", "scope", "read\\"), 400, oauth.ErrInvalidScope},
		"resource":         {w.to(path, "radio", "resource", api), 400, oauth.ErrInvalidTarget},
		"unknown resource": {w.to(path, "tv", "resource", "https://other.example"), 400, oauth.ErrInvalidTarget},
		"GET":              {request("GET", path+"?client_id=tv", nil), 405, oauth.ErrInvalidRequest},
	} {
		t.Run(name, func(t *testing.T) {
			requireRefused(t, w.send(t, c.request), c.status, c.code)
			require.Equal(t, c.code, w.lastEvent(t).Code)
		})
	}
	c := w.device(t, "radio", "resource", files)
	require.NoError(t, w.decide("alice", c.User, true))
	a := w.send(t, w.poll("radio", c))
	requireGranted(t, a)
	require.Empty(t, a.RefreshToken, "it has no such grant")
	p, err := w.proves(t, files, a.AccessToken)
	require.NoError(t, err)
	require.Equal(t, []string{files}, p.Credential.Audience)

	// A path of one's own is the page that the device tells of.
	other := newWorld(t, func(c *oauth.Config) { c.Issuer, c.Endpoints.Device = issuer+"/one", "/connect" })
	r := other.to("/one"+path, "tv")
	a = other.send(t, r)
	require.NoError(t, json.Unmarshal(a.Body.Bytes(), &c))
	require.Equal(t, issuer+"/connect", c.URI)
	complete, err := url.Parse(c.Complete)
	require.NoError(t, err)
	require.Equal(t, c.User, complete.Query().Get("user_code"))
}

// Row 21: what comes of a code comes once, and a second question ends it.
func TestDeviceCodeIsGoodOnce(t *testing.T) {
	for _, opaque := range []bool{false, true} {
		w := newWorld(t)
		w.change("tv", func(c *oauth.Client) { c.OpaqueTokens = opaque })
		c := w.connected(t, "tv")
		a := w.send(t, w.poll("tv", c))
		requireGranted(t, a)
		w.requireOpen(t, a.AccessToken)
		requireRefused(t, w.send(t, w.poll("tv", c)), 400, oauth.ErrInvalidGrant)
		require.ErrorIs(t, w.lastEvent(t).Err, auth.ErrReused)
		w.requireShut(t, a.AccessToken)
		requireRefused(t, w.send(t, w.renew("tv", a.RefreshToken)), 400, oauth.ErrInvalidGrant)
	}
}

// Row 21: a hundred at once, of which one gets tokens and none leaves any behind.
func TestDeviceCodeRaces(t *testing.T) {
	for _, opaque := range []bool{false, true} {
		w := newWorld(t)
		w.change("tv", func(c *oauth.Client) { c.OpaqueTokens = opaque })
		c := w.connected(t, "tv")
		granted := atOnce(100, func() bool {
			a := httptest.NewRecorder()
			w.server.ServeHTTP(a, w.poll("tv", c))
			if a.Code != http.StatusOK && a.Code != http.StatusBadRequest {
				t.Errorf("status %d", a.Code)
			}
			return a.Code == http.StatusOK
		})
		require.Equal(t, 1, granted)
		require.Len(t, listOf(t, w, w.people["alice"], auth.KindRefresh), 1, "an orphan was left")
		require.LessOrEqual(t, len(listOf(t, w, w.people["alice"], auth.KindAccessToken)), 1)
	}
}

// A device that asks while somebody decides loses neither the answer nor the
// decision; of several people who decide, one does.
func TestDeviceDecisionRaces(t *testing.T) {
	for range 20 {
		w := newWorld(t)
		c := w.device(t, "tv")
		done := make(chan struct{})
		go func() {
			defer close(done)
			atOnce(20, func() bool {
				a := httptest.NewRecorder()
				w.server.ServeHTTP(a, w.poll("tv", codes{Device: c.Device}))
				return false
			})
		}()
		decided := atOnce(8, func() bool { return w.decide("bob", c.User, true) == nil })
		<-done
		require.Equal(t, 1, decided)
	}
}

// Who asks while somebody decides is let in at once, and who decides while a device
// asks has decided.
func TestDeviceDecidedMeanwhile(t *testing.T) {
	inner := memstore.New()
	faulty := storetest.NewFaulty(inner)
	w, other := newWorldOver(t, faulty), newWorldOver(t, inner)
	meanwhile := func(f func()) {
		faulty.Before = storetest.On("Replace", storetest.Nth(0, func(context.Context, string) error {
			f()
			return nil
		}))
	}
	c := w.device(t, "tv")
	meanwhile(func() { require.NoError(t, other.decide("alice", c.User, true)) })
	requireGranted(t, w.send(t, w.poll("tv", c)))

	c = w.device(t, "tv")
	meanwhile(func() { requireRefused(t, other.send(t, other.poll("tv", c)), 400, oauth.ErrAuthorizationPending) })
	require.NoError(t, w.decide("alice", c.User, true))
	requireGranted(t, w.send(t, w.poll("tv", c)))

	c = w.device(t, "tv")
	meanwhile(func() { require.NoError(t, other.decide("bob", c.User, false)) })
	require.ErrorIs(t, w.decide("alice", c.User, true), oauth.ErrInvalidRequest, "bob has decided")
	requireRefused(t, w.send(t, w.poll("tv", c)), 400, oauth.ErrAccessDenied)
}

// A code that could not be removed when it was decided about leads nowhere all the
// same.
func TestDeviceIsDecidedOnce(t *testing.T) {
	for _, allow := range []bool{true, false} {
		faulty := storetest.NewFaulty(memstore.New())
		w := newWorldOver(t, faulty)
		c := w.device(t, "tv")
		faulty.Before = storetest.On("Take", storetest.Fail(errors.New("down")))
		require.NoError(t, w.decide("alice", c.User, allow))
		require.ErrorIs(t, w.decide("bob", c.User, !allow), oauth.ErrInvalidRequest)
		require.Equal(t, allow, w.send(t, w.poll("tv", c)).Code == http.StatusOK)
	}
}

// atOnce returns how many of n calls at the same time are true.
func atOnce(n int, f func() bool) (successes int) {
	var (
		wait  sync.WaitGroup
		mu    sync.Mutex
		start = make(chan struct{})
	)
	for range n {
		wait.Go(func() {
			<-start
			if f() {
				mu.Lock()
				defer mu.Unlock()
				successes++
			}
		})
	}
	close(start)
	wait.Wait()
	return successes
}

// A code that is asked after a hundred times at once by one device is one wait and
// many reminders, and no outage.
func TestDevicePollRaces(t *testing.T) {
	w := newWorld(t)
	c := w.device(t, "tv")
	var mu sync.Mutex
	told := map[oauth.ErrorCode]int{}
	atOnce(100, func() bool {
		a := &answer{ResponseRecorder: httptest.NewRecorder()}
		w.server.ServeHTTP(a, w.poll("tv", c))
		mu.Lock()
		defer mu.Unlock()
		if json.Unmarshal(a.Body.Bytes(), a) != nil {
			return false
		}
		told[oauth.ErrorCode(a.Error)]++
		return true
	})
	require.Equal(t, map[oauth.ErrorCode]int{oauth.ErrAuthorizationPending: 1, oauth.ErrSlowDown: 99}, told)
}

// An outage burns nothing, at whatever call of the store.
func TestDeviceOutage(t *testing.T) {
	steps := map[string]func(w *world) (*http.Request, func(t *testing.T)){
		"authorization": func(w *world) (*http.Request, func(t *testing.T)) {
			return w.to("/oauth/device_authorization", "tv"), func(t *testing.T) {
				kept := w.store.(*storetest.Faulty)
				n := 0
				walker, _ := auth.StoreAbility[auth.Walker](kept)
				for _, err := range walker.Walk(t.Context(), oauth.KindUserCode) {
					require.NoError(t, err)
					n++
				}
				require.Zero(t, n, "a code that leads nowhere")
			}
		},
		"waiting": func(w *world) (*http.Request, func(t *testing.T)) {
			c := w.device(t, "tv")
			return w.poll("tv", c), func(t *testing.T) {
				requireRefused(t, w.send(t, w.poll("tv", c)), 400, oauth.ErrAuthorizationPending)
			}
		},
		"redeeming": func(w *world) (*http.Request, func(t *testing.T)) {
			c := w.connected(t, "tv")
			return w.poll("tv", c), func(t *testing.T) {
				a := w.send(t, w.poll("tv", c))
				requireGranted(t, a)
				w.requireOpen(t, a.AccessToken)
			}
		},
	}
	for name, step := range steps {
		t.Run(name, func(t *testing.T) {
			everyFault(t, func(t *testing.T, w *world) (*http.Request, func(*testing.T)) { return step(w) })
		})
	}
}

// Where the answer to the last write is lost, the code may be spent, and nobody has
// what it gave: the device is told of an outage, then to begin anew, and nothing
// of it is left.
func TestDeviceLostAnswer(t *testing.T) {
	down := errors.New("down")
	faulty := storetest.NewFaulty(memstore.New())
	w := newWorldOver(t, faulty)
	w.change("tv", func(c *oauth.Client) { c.OpaqueTokens = true })
	c := w.connected(t, "tv")
	faulty.After = storetest.On("Replace", storetest.Fail(down))
	requireRefused(t, w.send(t, w.poll("tv", c)), 503, oauth.ErrTemporarilyUnavailable)
	faulty.After = nil
	require.Empty(t, listOf(t, w, w.people["alice"], auth.KindRefresh))
	require.Empty(t, listOf(t, w, w.people["alice"], auth.KindAccessToken))
	requireRefused(t, w.send(t, w.poll("tv", c)), 400, oauth.ErrInvalidGrant)
}

// Where the store is down, nobody has decided, and can do so afterwards.
func TestDeviceDecisionOutage(t *testing.T) {
	down := errors.New("down")
	for _, allow := range []bool{true, false} {
		for n := 0; ; n++ {
			faulty := storetest.NewFaulty(memstore.New())
			w := newWorldOver(t, faulty)
			c := w.device(t, "tv")
			done := len(faulty.Calls())
			faulty.Before = storetest.Nth(n, storetest.Fail(down))
			err := w.decide("alice", c.User, allow)
			calls := len(faulty.Calls()) - done
			faulty.Before = nil
			if calls <= n || err == nil {
				require.NoError(t, err)
				require.Greater(t, n, 1)
				break
			}
			require.ErrorIs(t, err, down)
			requireRefused(t, w.send(t, w.poll("tv", c)), 400, oauth.ErrAuthorizationPending)
			require.NoError(t, w.decide("alice", c.User, allow))
		}
	}
}
