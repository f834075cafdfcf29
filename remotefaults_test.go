package auth_test

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
)

// Row 49: what a provider, or somebody on the way to it, may answer in place of
// its keys. Each is an outage, and with a set that is there nothing changes.
func TestRemoteKeysFaults(t *testing.T) {
	key, next := generate(t, auth.ES256), generate(t, auth.ES256)
	p := newProvider(t, key)
	elsewhere := newProvider(t, next)
	plain := httptest.NewServer(elsewhere)
	t.Cleanup(plain.Close)
	set := jwks(t, next)
	padding := strings.Repeat(" ", 1<<20)
	write := func(text string, header ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			for i := 0; i < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			_, _ = fmt.Fprint(w, text)
		}
	}
	status := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = fmt.Fprint(w, set)
		}
	}
	p.page("/loop", redirect("/loop"))
	var many []string
	for range 257 {
		many = append(many, string(publicJWK(t, next)))
	}
	for want, fault := range map[string]http.HandlerFunc{
		"status 500": status(500),
		"status 404": status(404),
		"status 201": status(201),
		"status 206": status(206),
		"status 304": status(304),
		"EOF":        func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"unexpected EOF": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(len(set)))
			_, _ = fmt.Fprint(w, set[:20])
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		},
		"document is too large": write(set + padding),
		"document is too lar":   write(set+padding, "Content-Length", fmt.Sprint(len(set)+1<<20)),
		"document is compressed": func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Accept-Encoding") != "identity" {
				t.Error("asks for compression")
			}
			var small bytes.Buffer
			z := gzip.NewWriter(&small)
			_, _ = fmt.Fprint(z, set)
			_ = z.Close()
			write(small.String(), "Content-Encoding", "gzip")(w, r)
		},
		"more than 256 keys":         write(`{"keys":[` + strings.Join(many, ",") + `]}`),
		"not a JWK Set":              write("<!DOCTYPE html>"),
		"not a JWK Se":               write(""),
		"not a JWK S":                write(`{"Keys":[]}`),
		"not a JWK":                  write(`{"keys":{}}`),
		"JSON member appears twice":  write(`{"keys":[],"keys":` + set[8:]),
		"not one JSON object":        write(set + set),
		"no key can be used":         write(`{"keys":[]}`),
		"no key can be use":          write(`{"keys":[{"kty":"oct","kid":"a","alg":"HS256","k":"` + b64(string(jwtSecret)) + `"}]}`),
		"JSON is not UTF-8":          write("{\"keys\":[],\"a\":\"\xff\"}"),
		"redirect to another origin": redirect(elsewhere.issuer + keysPath),
		"redirect to another origi":  redirect(plain.URL + keysPath),
		"redirect to another orig":   redirect(strings.Replace(p.issuer, "https:", "http:", 1) + keysPath),
		"redirect to another ori":    redirect(strings.Replace(p.issuer, "127.0.0.1", "localhost", 1) + keysPath),
		"redirect to another or":     redirect("//" + strings.TrimPrefix(elsewhere.issuer, "https://") + keysPath),
		"redirect to another o":      redirect(strings.Replace(p.issuer, "https://", "https://user@", 1) + keysPath),
		"redirect to another":        redirect("file:///etc/keys"),
		"too many redirects":         redirect("/loop"),
	} {
		t.Run(want, func(t *testing.T) {
			p.publish(key)
			var told complaints
			o := auth.RemoteKeysOptions{OnError: told.note}
			running := p.remote(o)
			j := p.jwt(running)
			seen := p.token(key)
			kept := good(t, j, seen)

			p.page(keysPath, fault)
			for _, v := range []*auth.JWT{j, p.jwt(p.remote(o))} {
				err := outage(t, v, p.token(next))
				require.ErrorContains(t, err, want)
				require.ErrorContains(t, err, p.issuer+keysPath, "it says whose keys")
			}
			require.Same(t, kept, good(t, j, seen))
			good(t, j, p.token(key))
			require.Zero(t, elsewhere.asks(), "not even asked")
			require.NoError(t, running.Close())
			require.NotEmpty(t, told.all())
			require.ErrorContains(t, told.all()[0], want)
		})
	}

	// Within the bounds and the origin it goes well.
	for name, page := range map[string]http.HandlerFunc{
		"a megabyte":      write(set + padding[len(set):]),
		"any media type":  write(set, "Content-Type", "text/html"),
		"identity":        write(set, "Content-Encoding", "identity"),
		"same origin":     redirect("/moved"),
		"with its port":   redirect(p.issuer + "/moved"),
		"a few redirects": redirect("/1"),
	} {
		p.page("/1", redirect("/2"))
		p.page("/2", redirect("/moved"))
		p.text("/moved", set)
		p.page(keysPath, page)
		_, err := p.jwt(p.remote(auth.RemoteKeysOptions{})).Verify(t.Context(), p.token(next))
		require.NoError(t, err, name)
	}

	// A certificate that is not trusted.
	stranger, err := auth.NewRemoteKeys(p.issuer+keysPath, nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, stranger.Close()) })
	require.ErrorContains(t, outage(t, p.jwt(stranger), p.token(next)), "certificate")
}

func redirect(to string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", to)
		w.WriteHeader(http.StatusFound)
	}
}

// What is in the query of the URL, such as a token, is in no error, and neither
// is what the provider has answered.
func TestRemoteKeysErrorsQuoteNothing(t *testing.T) {
	key := generate(t, auth.ES256)
	p := newProvider(t, key)
	var told complaints
	keys, err := auth.NewRemoteKeys(p.issuer+keysPath+"?code=hunter2", &auth.RemoteKeysOptions{Client: p.client, OnError: told.note})
	require.NoError(t, err)
	for _, page := range []http.HandlerFunc{
		func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		redirect("https://hunter2.example/"),
		func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, `{"keys":[{"kty":"hunter2"}]}`) },
		func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, `hunter2`) },
	} {
		p.page(keysPath, page)
		require.NotContains(t, outage(t, p.jwt(keys), p.token(key)).Error(), "hunter2")
	}
	require.NoError(t, keys.Close())
	require.Len(t, told.all(), 4)
	for _, err := range told.all() {
		require.NotContains(t, err.Error(), "hunter2")
	}
}

// A provider that does not come to an end: at the beginning, and in the middle.
func TestRemoteKeysEndAFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key := generate(t, auth.ES256)
		for _, timeout := range []time.Duration{0, 3 * time.Second} {
			p := newPipedProvider(t, key)
			p.client.Timeout = timeout
			for _, page := range []http.HandlerFunc{
				func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
				func(w http.ResponseWriter, r *http.Request) {
					for r.Context().Err() == nil {
						_, _ = fmt.Fprint(w, " ")
						_ = http.NewResponseController(w).Flush()
						select {
						case <-time.After(time.Second):
						case <-r.Context().Done():
						}
					}
				},
			} {
				p.page(keysPath, page)
				start := time.Now()
				outage(t, p.jwt(p.discover(auth.RemoteKeysOptions{})), p.token(key))
				require.Equal(t, cmp.Or(timeout, 10*time.Second), time.Since(start))
			}
		}
	})
}

// Down at the start is an outage, never a refusal, and ends by itself; the
// tokens of others go on.
func TestRemoteKeysDownAtTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key, own := generate(t, auth.ES256), generate(t, auth.ES256)
		p := newPipedProvider(t, key)
		p.fail(503)
		var told complaints
		theirs := p.jwt(p.discover(auth.RemoteKeysOptions{OnError: told.note}))
		ours := newJWT(t, keySet(t, own), nil)
		both := auth.Issuers(ours, theirs)
		token := p.token(key)
		for range 100 {
			outage(t, both, token)
			good(t, both, issue(t, ours, alice()))
		}
		require.Equal(t, 4, p.askedFor(oidcPath), "nor is a provider that is down kept busy")
		require.Equal(t, 4, p.askedFor(rfcPath))
		require.Len(t, told.all(), 4)

		// It is tried again, less and less often, without a request.
		authtest.Advance(time.Hour)
		require.InDelta(t, 4+60*60/76, p.askedFor(oidcPath), 5)
		p.publish(key)
		authtest.Advance(90 * time.Second)
		asked := p.asks()
		good(t, both, token)
		require.Equal(t, asked, p.asks(), "back before the next token")
		require.Same(t, good(t, theirs, token), good(t, both, token))
	})
}

// Keys go on for MaxStale while the provider is down, and then no longer: for
// tokens that were seen and those that were not.
func TestRemoteKeysGrowStale(t *testing.T) {
	for _, c := range []struct {
		name  string
		stale time.Duration
		close bool
	}{{"default", 24 * time.Hour, false}, {"two hours", 2 * time.Hour, false}, {"closed", 2 * time.Hour, true}} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				key := generate(t, auth.ES256)
				p := newPipedProvider(t, key)
				o := auth.RemoteKeysOptions{MaxStale: c.stale}
				if c.name == "default" {
					o = auth.RemoteKeysOptions{}
				}
				keys := p.discover(o)
				j := p.jwt(keys)
				seen := p.token(key)
				good(t, j, seen)
				found, err := keys.Lookup(t.Context(), key.ID(), key.Algorithm())
				require.NoError(t, err)
				if c.close {
					require.NoError(t, keys.Close())
				}
				p.fail(500)
				authtest.Advance(c.stale - 2*time.Second)
				good(t, j, seen)
				good(t, j, p.token(key))
				require.True(t, keys.Contains(found[0]))
				authtest.Advance(4 * time.Second)
				outage(t, j, seen)
				outage(t, j, p.token(key))
				require.False(t, keys.Contains(found[0]))
				if c.close {
					return
				}

				// When it is back, so are they.
				p.publish(key)
				authtest.Advance(90 * time.Second)
				good(t, j, seen)
				found, err = keys.Lookup(t.Context(), key.ID(), key.Algorithm())
				require.NoError(t, err)
				require.True(t, keys.Contains(found[0]))
			})
		})
	}
}

// A set that is stale by the time it comes serves those who waited for it, and
// nobody is refused for want of one.
func TestRemoteKeysStaleOnArrival(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key := generate(t, auth.ES256)
		p := newPipedProvider(t, key)
		keys := p.remote(auth.RemoteKeysOptions{Refresh: time.Second, MaxStale: time.Second})
		release := p.stall()
		go func() {
			<-time.After(2 * time.Second)
			release()
		}()
		found, err := keys.Lookup(t.Context(), key.ID(), key.Algorithm())
		require.NoError(t, err)
		require.Len(t, found, 1)
		synctest.Wait()
		require.False(t, keys.Contains(found[0]))
	})
}

// Close ends what is under way and what was planned, and waits for it.
func TestRemoteKeysClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key := generate(t, auth.ES256)
		p := newPipedProvider(t, key)
		var told complaints
		keys := p.remote(auth.RemoteKeysOptions{OnError: told.note})
		j := p.jwt(keys)
		token := p.token(key)
		good(t, j, token)
		release := p.stall()
		ended := make(chan error)
		go func() {
			_, err := j.Verify(context.Background(), p.bogus())
			ended <- err
		}()
		synctest.Wait()
		require.NoError(t, keys.Close())
		requireUnknown(t, <-ended)
		release()
		require.NoError(t, keys.Close(), "twice is as good as once")
		asked := p.asks()
		authtest.Advance(time.Hour)
		good(t, j, token)
		good(t, j, p.token(key))
		require.ErrorContains(t, outage(t, j, p.bogus()), "closed")
		require.Equal(t, asked, p.asks())
		require.Empty(t, told.all(), "that it was closed is no fault of the provider's")

		// What is told of an earlier fetch is over, too.
		p.fail(500)
		over := false
		slow := p.remote(auth.RemoteKeysOptions{OnError: func(context.Context, error) {
			<-time.After(time.Second)
			over = true
		}})
		outage(t, p.jwt(slow), token)
		require.NoError(t, slow.Close())
		require.True(t, over)
		asked = p.asks()

		// Before the first token.
		unused := p.remote(auth.RemoteKeysOptions{})
		require.NoError(t, unused.Close())
		outage(t, p.jwt(unused), token)
		require.Equal(t, asked, p.asks())
	})
}

// Rows 4, 5 and 8: what is refused whatever the provider says causes no request:
// another issuer's tokens, those of another audience, expired ones, and no
// tokens at all.
func TestRemoteKeysAreNotFetchedForWhatIsRefusedAnyway(t *testing.T) {
	p := newProvider(t, generate(t, auth.ES256))
	j := p.jwt(p.discover(auth.RemoteKeysOptions{}))
	header := `{"alg":"RS256","typ":"JWT","kid":"unknown"}`
	for name, payload := range map[string]string{
		"another issuer":        goodClaims().String(),
		"an issuer with a path": p.claims().with("iss", fmt.Sprintf("%q", p.issuer+"/")).String(),
		"issuers":               p.claims().with("iss", fmt.Sprintf("[%q]", p.issuer)).String(),
		"no issuer":             p.claims().with("iss", "").String(),
		"two issuers":           strings.Replace(p.claims().String(), "{", fmt.Sprintf(`{"iss":%q,`, p.issuer), 1),
		"another audience":      p.claims().with("aud", `"other"`).String(),
		"expired":               p.claims().with("exp", fmt.Sprint(time.Now().Unix()-60)).String(),
		"no exp":                p.claims().with("exp", "").String(),
		"no subject":            p.claims().with("sub", "").String(),
		"no JSON":               "<xml>",
		"nothing":               "",
		"an array":              "[]",
	} {
		token := signWith(nil, header, payload)
		_, err := j.Verify(t.Context(), token)
		require.ErrorIs(t, err, auth.ErrInvalid, name)
		_, err = auth.Issuers(j).Verify(t.Context(), token)
		require.ErrorIs(t, err, auth.ErrInvalid, name)
	}
	for _, token := range []string{"a.b.c", b64(header) + ".!.c", b64(header) + "..c", b64("{}") + "." + b64(p.claims().String()) + ".c"} {
		bad(t, j, token)
	}
	require.Zero(t, p.asks())

	// What is good by its own claims does, so the above is not for want of
	// trying.
	bad(t, j, signWith(nil, header, p.claims().String()))
	require.Equal(t, 1, p.fetched())
}

// Rows 4 and 5: a kid is a name to compare, and where a token says its key is,
// nobody looks. Whatever it holds, the provider's one URL is asked.
func TestRemoteKeysTakeNoAddressFromATokenOrAKey(t *testing.T) {
	p, thief := newProvider(t), newProvider(t)
	key := generate(t, auth.ES256)
	jwk := string(publicJWK(t, key))
	p.text(keysPath, `{"keys":[`+strings.Replace(jwk, "{", fmt.Sprintf(`{"x5u":"%[1]s/x5u","jku":"%[1]s/jku",`, thief.issuer), 1)+`]}`)
	for _, member := range []string{
		fmt.Sprintf(`"kid":"%s/kid"`, thief.issuer),
		`"kid":"../../keys"`, `"kid":"/etc/passwd"`, `"kid":"' OR 1=1 --"`, `"kid":"$(id)"`, `"kid":"file:///dev/zero"`, `"kid":"\u0000"`,
		fmt.Sprintf(`"kid":"a","jku":"%s/jku"`, thief.issuer),
		fmt.Sprintf(`"kid":"a","x5u":"%s/x5u"`, thief.issuer),
		`"kid":"a","jwk":` + jwk, `"jwk":` + jwk, `"kid":"a","x5c":["MIIB"]`,
	} {
		j := p.jwt(p.remote(auth.RemoteKeysOptions{}))
		bad(t, j, signWith(nil, `{"alg":"ES256",`+member+`}`, p.claims().String()))
		good(t, j, p.token(key))
	}
	require.Zero(t, thief.asks())
	require.Equal(t, p.asks(), p.fetched(), "nothing but the one URL")
}

// Row 8: keys are bound to their issuer.
func TestRemoteKeysAreBoundToTheirIssuer(t *testing.T) {
	p, other := newProvider(t, generate(t, auth.ES256)), newProvider(t, generate(t, auth.ES256))
	keys := p.discover(auth.RemoteKeysOptions{})
	for _, issuer := range []string{other.issuer, p.issuer + "/", strings.ToUpper(p.issuer)} {
		j, err := auth.NewJWT(issuer, jwtAudience, keys, nil)
		require.Nil(t, j)
		require.ErrorContains(t, err, "of another issuer")
	}
	_, err := auth.NewJWT("", "", keys, nil)
	require.ErrorContains(t, err, "issuer is empty")
	require.ErrorContains(t, err, "of another issuer", "the errors are joined")
	_, err = auth.NewJWT(p.issuer, jwtAudience, (*auth.RemoteKeys)(nil), nil)
	require.ErrorContains(t, err, "key set is nil")

	// A's key does not sign for B, also where both are accepted.
	a, b := generate(t, auth.ES256), generate(t, auth.ES256)
	p.publish(a)
	other.publish(b)
	both := auth.Issuers(p.jwt(keys), other.jwt(other.discover(auth.RemoteKeysOptions{})))
	require.Equal(t, p.issuer, good(t, both, p.token(a)).Issuer)
	require.Equal(t, other.issuer, good(t, both, other.token(b)).Issuer)
	require.NotEqual(t, good(t, both, p.token(a)).Owner(), good(t, both, other.token(b)).Owner())
	bad(t, both, p.token(b))
	bad(t, both, other.token(a))
}

// Row 11: an outage that ends in a request not being let in, whatever it is.
func TestRemoteKeysFailClosed(t *testing.T) {
	key := generate(t, auth.ES256)
	p := newProvider(t, key)
	p.fail(500)
	guard := auth.NewGuard(auth.Bearer(p.jwt(p.discover(auth.RemoteKeysOptions{}))), nil)
	for _, h := range []http.Handler{
		guard.WrapFunc(func(http.ResponseWriter, *http.Request) { t.Error("let in") }),
		guard.Optional().WrapFunc(func(http.ResponseWriter, *http.Request) { t.Error("let in") }),
		guard.Exchange(newLedger()), guard.Status(),
	} {
		w := serve(h, from("POST", "/", "Authorization", "Bearer "+p.token(key)))
		require.Equal(t, 503, w.Code)
		require.NotEmpty(t, w.Header().Get("Retry-After"))
		require.Empty(t, w.Header().Get("WWW-Authenticate"), "nobody is asked to log in again")
	}
}

// Everything at once, for the race detector.
func TestRemoteKeysConcurrently(t *testing.T) {
	a, b := generate(t, auth.ES256), generate(t, auth.EdDSA)
	p := newProvider(t, a)
	keys := p.discover(auth.RemoteKeysOptions{Refresh: time.Second, MinInterval: time.Second, OnError: func(context.Context, error) {}})
	j := auth.Issuers(p.jwt(keys))
	tokens := []string{p.token(a), p.token(b), p.bogus()}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for n := range 300 {
				_, err := j.Verify(context.Background(), tokens[n%3])
				var f *auth.Failure
				if err != nil && !errors.Is(err, auth.ErrInvalid) && !errors.As(err, &f) {
					requireUnknown(t, err)
				}
			}
		})
	}
	all.Go(func() {
		for n := range 50 {
			p.publish([]*auth.Key{a, b}[n%2])
			_, _ = keys.Lookup(context.Background(), fmt.Sprint(n), auth.ES256)
		}
	})
	all.Go(func() {
		_, _ = j.Verify(context.Background(), tokens[2])
		require.NoError(t, keys.Close())
	})
	all.Wait()
}
