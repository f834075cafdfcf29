package otelauth_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/password"
	"github.com/seed-077cad0b/auth/store/memstore"
)

const (
	login = "alice@example.com"
	right = "correct horse battery staple"
	wrong = "s3cret-that-is-wrong"
	leak  = "s3cret-of-the-database"
)

// personal is who calls, and from where.
var personal = []string{"alice", "id-of-her", "tenant-of-her", "192.0.2.77"}

// An api is a program with a bit of everything, that is being traced.
type api struct {
	*backend
	http.Handler
	secrets []string // what clients present
	ids     []string // the public ids of that
	store   *fragile
}

// fragile is a store whose errors tell too much.
type fragile struct {
	*memstore.Store
	down bool
}

func (f *fragile) Lookup(ctx context.Context, d auth.Digest) (auth.Record, error) {
	if f.down {
		return auth.Record{}, errors.New("dial: user=auth password=" + leak)
	}
	return f.Store.Lookup(ctx, d)
}

// cheap is a hasher for tests that hash a lot.
func cheap() *password.Hasher {
	return must(password.NewHasher(&password.HashOptions{
		Params: password.Params{Time: 1, Memory: 64}, InsecureParams: true,
	}))
}

func newAPI(t *testing.T, details bool) *api {
	a := &api{backend: newBackend(), store: &fragile{Store: memstore.New()}, secrets: []string{right, wrong}}
	r := a.recorder(details)
	opts := &auth.GuardOptions{Observe: r.Observe, InsecureHTTP: true}
	sessions := must(auth.NewSessions(a.store, nil))
	keys := must(auth.NewAPIKeys(a.store, "acme", nil))
	refresh := must(auth.NewRefresh(a.store, sessions, nil))
	users := must(password.NewUsers(a.store.Store, &password.Options{Notify: r.Notify, Hasher: cheap()}))
	t.Cleanup(func() { require.NoError(t, errors.Join(sessions.Close(), keys.Close())) })

	ctx := context.Background()
	must(users.Register(ctx, password.User{ID: "id-of-her", Tenant: "tenant-of-her", Login: login}, right))
	who := &auth.Principal{Subject: "id-of-her", Tenant: "tenant-of-her"}
	for _, g := range []*auth.Grant{
		must(sessions.Issue(ctx, who, nil)), must(keys.Create(ctx, who, nil)), must(refresh.Issue(ctx, who, nil)),
	} {
		a.ids = append(a.ids, g.Principal.Credential.ID)
		a.secrets = append(a.secrets, g.Token.Reveal())
		if s := g.RefreshToken.Reveal(); s != "" {
			a.secrets = append(a.secrets, s)
		}
	}

	guard := auth.NewGuard(auth.First(auth.Bearer(sessions), auth.Header("X-API-Key", keys),
		users.Basic(), auth.Cookie("__Host-s", sessions, nil)), opts)
	limited := auth.NewLimiter(2, 1<<40)
	mux := http.NewServeMux()
	hello := func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }
	mux.Handle("/data/{secret}", guard.WrapFunc(hello))
	mux.Handle("/admin/{secret}", guard.With(auth.Scope("admin")).WrapFunc(hello))
	mux.Handle("/limited/{secret}", guard.Limit(limited, auth.ByIdentity()).WrapFunc(hello))
	mux.Handle("/login", auth.NewGuard(users.JSON("email", "password"), opts).Exchange(refresh))
	mux.Handle("/refresh", auth.NewGuard(auth.JSONField("refresh_token", refresh), opts).Exchange(refresh))
	a.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.within(func(ctx context.Context) { mux.ServeHTTP(w, r.WithContext(ctx)) })
	})
	return a
}

// call sends a request with a secret in all places, of which the server looks at
// some, and remembers the secrets of the answer.
func (a *api) call(method, path, secret string) {
	for _, place := range []string{"Authorization: Bearer ", "X-API-Key: ", "Cookie: __Host-s=", "Authorization: Basic ", ""} {
		body := fmt.Sprintf(`{"email":%q,"password":%q,"refresh_token":%q}`, login, secret, secret)
		r := httptest.NewRequest(method, "/", strings.NewReader(body))
		r.URL.Path, r.URL.RawQuery = strings.ReplaceAll(path, "{}", secret), "token="+secret
		r.RemoteAddr = "192.0.2.77:4242"
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("User-Agent", secret)
		r.Header.Set("X-Forwarded-For", secret)
		if name, scheme, ok := strings.Cut(place, ": "); ok {
			r.Header.Set(name, scheme+secret)
		}
		if strings.HasSuffix(place, "Basic ") {
			r.SetBasicAuth(login, secret)
		}
		w := httptest.NewRecorder()
		a.ServeHTTP(w, r)
		var tokens struct {
			Access  string `json:"access_token"`
			Refresh string `json:"refresh_token"`
		}
		_ = json.Unmarshal(w.Body.Bytes(), &tokens)
		for _, s := range []string{tokens.Access, tokens.Refresh} {
			if s != "" {
				a.secrets = append(a.secrets, s)
			}
		}
	}
}

// exported is all that has been sent anywhere, as text.
func (a *api) exported(t *testing.T) string {
	var all metricdata.ResourceMetrics
	require.NoError(t, a.reader.Collect(context.Background(), &all))
	metrics, err := json.Marshal(all)
	require.NoError(t, err)
	return fmt.Sprintf("%s\n%+v", metrics, a.spans.GetSpans())
}

func TestNoSecretIsTold(t *testing.T) {
	for _, details := range []bool{false, true} {
		t.Run(fmt.Sprint("details ", details), func(t *testing.T) {
			a := newAPI(t, details)
			paths := []string{"/data/{}", "/admin/{}", "/limited/{}", "/login", "/refresh", "/nowhere/{}"}
			for _, secret := range a.secrets {
				for _, path := range paths {
					a.call("POST", path, secret)
				}
			}
			a.call("S3CRET-METHOD", "/data/{}", wrong)
			if !details { // the cause of an outage is a detail
				a.store.down = true
				a.call("POST", "/data/{}", a.secrets[2])
			}

			told := a.exported(t)
			found := counts(t, a.metrics(t)["auth.decisions"])
			for _, l := range []string{ // the requests got everywhere
				"auth.credential.kind=session auth.outcome=admitted",
				"auth.credential.kind=api_key auth.outcome=admitted",
				"auth.credential.kind=password auth.issued.kind=session auth.outcome=admitted",
				"auth.credential.kind=refresh_token auth.issued.kind=session auth.outcome=admitted",
				"auth.outcome=refused error.type=invalid_credential",
				"auth.credential.kind=session auth.outcome=refused error.type=insufficient_scope",
				"auth.credential.kind=session auth.limit=identity auth.outcome=refused error.type=rate_limit_exceeded",
			} {
				require.Contains(t, found, l)
			}
			for _, s := range append(a.secrets, "S3CRET-METHOD", leak) {
				require.NotContains(t, told, s)
				require.NotContains(t, told, auth.DigestOf(auth.KindPassword, s).String())
			}
			for _, s := range append(a.ids, personal...) {
				if details {
					require.NotContains(t, fmt.Sprint(found), s, "metrics tell no details")
				} else {
					require.NotContains(t, told, s)
				}
			}
			if details {
				for _, s := range personal[1:] {
					require.Contains(t, told, s)
				}
			}
		})
	}
}
