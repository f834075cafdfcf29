package auth_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
)

// protocols are the ways to serve h that clients speak.
var protocols = map[string]func(t *testing.T, h http.Handler) *httptest.Server{
	"HTTP/1.1": func(t *testing.T, h http.Handler) *httptest.Server {
		s := httptest.NewServer(h)
		t.Cleanup(s.Close)
		return s
	},
	"HTTP/2": func(t *testing.T, h http.Handler) *httptest.Server {
		s := httptest.NewUnstartedServer(h)
		s.EnableHTTP2 = true
		s.StartTLS()
		t.Cleanup(s.Close)
		return s
	},
	"HTTP/2 with prior knowledge": func(t *testing.T, h http.Handler) *httptest.Server {
		var p http.Protocols
		p.SetUnencryptedHTTP2(true)
		s := httptest.NewUnstartedServer(h)
		s.Config.Protocols = &p
		s.Start()
		t.Cleanup(s.Close)
		s.Client().Transport.(*http.Transport).Protocols = &p
		return s
	},
}

func call(t *testing.T, s *httptest.Server, r *http.Request) (*http.Response, string) {
	t.Helper()
	answer, err := s.Client().Do(r)
	require.NoError(t, err)
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return answer, string(text)
}

func to(t *testing.T, method, url string, headers ...string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	require.NoError(t, err)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}

// Row 128: HTTP/2 gets the same decisions, splits cookies over fields, and
// cannot claim a TLS that is not there.
func TestSameDecisionsOverEveryProtocol(t *testing.T) {
	for name, start := range protocols {
		t.Run(name, func(t *testing.T) {
			cookie := auth.Cookie("__Host-s", known{"good": alice()}, nil)
			guard := auth.NewGuard(auth.First(auth.Bearer(verdicts()), auth.Header("X-API-Key", verdicts()), cookie), nil)
			server := start(t, guard.WrapFunc(func(w http.ResponseWriter, r *http.Request) {
				require.Equal(t, strings.HasPrefix(name, "HTTP/2"), r.ProtoMajor == 2)
				hello(w, r)
			}))
			for _, c := range outcomes {
				if c.credential == "" || strings.Contains(c.credential, " ") {
					continue
				}
				for _, bring := range [][2]string{{"Authorization", "Bearer " + c.credential}, {"X-Api-Key", c.credential}} {
					answer, _ := call(t, server, to(t, "GET", server.URL, bring[0], bring[1]))
					require.Equal(t, c.status, answer.StatusCode, "%v", bring)
				}
			}
			twice, _ := call(t, server, to(t, "GET", server.URL, "Authorization", "Bearer good", "Authorization", "Bearer good"))
			require.Equal(t, 400, twice.StatusCode)
			_, text := call(t, server, to(t, "GET", server.URL, "Cookie", "a=b; __Host-s=good; c=d"))
			require.Equal(t, "hello alice", text)
		})
	}
}

// Row 128: a frame that says ":scheme https" over a clear connection from
// beyond is refused all the same.
func TestPseudoHeadersDoNotStandInForTLS(t *testing.T) {
	guard := auth.NewGuard(auth.Bearer(known{"good": alice()}), nil)
	decided := make(chan error, 1)
	server := protocols["HTTP/2 with prior knowledge"](t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, err := guard.Check(beyond(r))
		decided <- err
	}))
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()

	const bearer = "Bearer good"
	block := "\x82\x87\x84" + // :method GET, :scheme https, :path / of HPACK's static table
		"\x41\x0bexample.com" + // :authority
		fmt.Sprintf("\x0f\x08%c%s", len(bearer), bearer) // authorization
	_, err = io.WriteString(conn, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"+
		"\x00\x00\x00\x04\x00\x00\x00\x00\x00"+ // SETTINGS
		fmt.Sprintf("\x00\x00%c\x01\x05\x00\x00\x00\x01", len(block))+block) // HEADERS, whole, of stream 1
	require.NoError(t, err)
	require.ErrorIs(t, <-decided, auth.ErrInsecure)
}

// Row 129: what comes after the body is no credential, even once it has been
// read.
func TestTrailersCarryNoCredentials(t *testing.T) {
	for name, start := range protocols {
		t.Run(name, func(t *testing.T) {
			cookie := auth.Cookie("__Host-s", known{"good": alice()}, nil)
			guard := auth.NewGuard(auth.First(auth.Bearer(known{"good": alice()}), auth.Header("X-Key", known{"good": alice()}), cookie), nil)
			server := start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, err := io.ReadAll(r.Body)
				require.NoError(t, err)
				require.Equal(t, "good", r.Trailer.Get("X-Key"), "the trailer has come")
				guard.WrapFunc(hello).ServeHTTP(w, r)
			}))
			r := to(t, "POST", server.URL)
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader("body")), -1
			r.Trailer = http.Header{"X-Key": {"good"}}
			if name == "HTTP/1.1" { // net/http itself resets an HTTP/2 stream that ends in these
				r.Trailer["Authorization"], r.Trailer["Cookie"] = []string{"Bearer good"}, []string{"__Host-s=good"}
			}
			answer, _ := call(t, server, r)
			require.Equal(t, 401, answer.StatusCode)
		})
	}
}

// Rows 92 and 127: no method is let through, a preflight neither; CORS and Vary
// are the application's.
func TestEveryMethodNeedsACredential(t *testing.T) {
	reached := 0
	guard := auth.NewGuard(auth.Bearer(known{"good": alice()}), nil)
	server := protocols["HTTP/1.1"](t, guard.WrapFunc(func(http.ResponseWriter, *http.Request) { reached++ }))
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "FOO", "get", "GETX"} {
		answer, _ := call(t, server, to(t, method, server.URL, "Origin", "https://app.example", "Access-Control-Request-Method", "GET",
			"X-HTTP-Method-Override", "GET"))
		require.Equal(t, 401, answer.StatusCode, method)
		require.NotEmpty(t, answer.Header.Get("WWW-Authenticate"))
		for name := range answer.Header {
			require.False(t, name == "Vary" || strings.HasPrefix(name, "Access-Control-"), name)
		}
		require.Zero(t, reached, method)

		answer, _ = call(t, server, to(t, method, server.URL, "Authorization", "Bearer good"))
		require.Equal(t, 200, answer.StatusCode)
		require.Equal(t, 1, reached)
		reached = 0
	}
}

// Row 93: a guard wraps the handler, so no spelling of a path leads around it.
func TestNoSpellingOfAPathGetsAround(t *testing.T) {
	reached := 0
	guard := auth.NewGuard(auth.Bearer(known{"good": alice()}), nil)
	mux := http.NewServeMux()
	mux.Handle("/data/", guard.WrapFunc(func(http.ResponseWriter, *http.Request) { reached++ }))
	mux.HandleFunc("/public/", func(http.ResponseWriter, *http.Request) {})
	server := protocols["HTTP/1.1"](t, mux)
	status := func(target, headers string) int {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		require.NoError(t, err)
		defer func() { _ = conn.Close() }()
		_, err = fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n%s\r\n", target, headers)
		require.NoError(t, err)
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(t, err)
		_ = answer.Body.Close()
		return answer.StatusCode
	}
	for _, target := range []string{
		"/data/x", "/data/", "/%64ata/x", "/data%2Fx", "//data/x", "/./data/x", "/public/../data/x", "/public/..%2fdata/x",
		"/public/%2e%2e/data/x", "/data/x/..", "/data//x", "/data/x;a=b", "/data/x%00", "/data/%0d%0a", "/DATA/x", "/data/x?public",
		"/data/x#public", "/data\\x", "http://example.com/data/x", "http://evil.example/data/x", "/data/.", "/data/x%3f",
	} {
		require.Less(t, status(target, ""), 500, target)
		require.Zero(t, reached, target)
	}
	require.Equal(t, 200, status("/%64ata/x", "Authorization: Bearer good\r\n"), "but with a credential it is the same path")
	require.Equal(t, 1, reached)
	require.Equal(t, 200, status("/public/x", ""))
}

// Row 95: refusals are not kept, and what one caller got is no other's.
func TestSharedCachesKeepNothingOfACaller(t *testing.T) {
	v := known{"good": alice()}
	silent := authenticator(func(r *http.Request) (*auth.Principal, error) {
		if r.Header.Get("X-Own") == "" {
			return nil, auth.ErrNoCredential
		}
		return alice(), nil
	})
	for _, c := range []struct {
		name   string
		source auth.Authenticator
		bring  []string
		want   string
	}{
		{"bearer", auth.Bearer(v), []string{"Authorization", "Bearer good"}, ""}, // RFC 9111 section 3.5
		{"header", auth.Header("X-Key", v), []string{"X-Key", "good"}, "private"},
		{"cookie", auth.Cookie("__Host-s", v, nil), []string{"Cookie", "__Host-s=good"}, "private"},
		{"either", auth.First(auth.Bearer(v), auth.Header("X-Key", v)), []string{"Authorization", "Bearer good"}, "private"},
		{"unknown", silent, []string{"X-Own", "1"}, "private"},
		{"unknown among others", auth.First(auth.Bearer(v), silent), []string{"X-Own", "1"}, "private"},
	} {
		guard := auth.NewGuard(c.source, nil)
		typed := guard.Handle(func(http.ResponseWriter, *http.Request, *auth.Principal) {})
		for _, h := range []http.Handler{guard.WrapFunc(hello), typed} {
			require.Equal(t, c.want, serve(h, from("GET", "/", c.bring...)).Header().Get("Cache-Control"), c.name)
			require.Equal(t, "no-store", serve(h, from("GET", "/")).Header().Get("Cache-Control"), c.name)
		}
		anybody := serve(guard.Optional().WrapFunc(hello), from("GET", "/"))
		require.Empty(t, anybody.Header().Get("Cache-Control"), "%s: nobody's answer is everybody's", c.name)

		own := guard.WrapFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Cache-Control", "max-age=60, private") })
		require.Equal(t, "max-age=60, private", serve(own, from("GET", "/", c.bring...)).Header().Get("Cache-Control"), "the handler's word is last")
		require.Equal(t, c.want, serve(guard.WrapFunc(hello), from("GET", "/", c.bring...)).Header().Get("Cache-Control"), "for its own answer")
	}
}

// The shared header value cannot be changed through one answer for the others.
func TestHandlersCannotSpoilTheAnswersOfOthers(t *testing.T) {
	guard := auth.NewGuard(auth.Header("X-Key", known{"good": alice()}), nil)
	h := guard.WrapFunc(func(w http.ResponseWriter, r *http.Request) { w.Header().Add("Cache-Control", r.URL.RawQuery) })
	one := serve(h, from("GET", "/?max-age=1", "X-Key", "good"))
	two := serve(h, from("GET", "/?max-age=2", "X-Key", "good"))
	require.Equal(t, []string{"private", "max-age=1"}, one.Header().Values("Cache-Control"))
	require.Equal(t, []string{"private", "max-age=2"}, two.Header().Values("Cache-Control"))
}
