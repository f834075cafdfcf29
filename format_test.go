package auth_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
)

// Row 94: every reason as a problem detail, its status the answer's own, and
// nothing of the cause.
func TestReasonsAsProblemDetails(t *testing.T) {
	guard := auth.NewGuard(auth.Bearer(known{}), nil)
	page, err := os.ReadFile("docs/errors.md") // where the type leads
	require.NoError(t, err)
	documented := map[string]bool{}
	for reason, want := range map[auth.Reason]struct {
		status int
		title  string
	}{
		auth.ErrNoCredential:      {401, "A credential is required."},
		auth.ErrMalformed:         {400, "The request is malformed."},
		auth.ErrTooLarge:          {413, "The request body is too large."},
		auth.ErrInvalid:           {401, "The credential is not valid."},
		auth.ErrExpired:           {401, "The credential has expired."},
		auth.ErrRevoked:           {401, "The credential has been revoked."},
		auth.ErrDisabled:          {401, "The credential is disabled."},
		auth.ErrReused:            {401, "The credential has been used already."},
		auth.ErrProof:             {401, "The DPoP proof is not valid."},
		auth.ErrUseNonce:          {401, "The DPoP proof needs the nonce of this answer."},
		auth.ErrStale:             {401, "A more recent or stronger authentication is required."},
		auth.ErrForbidden:         {403, "This is not allowed."},
		auth.ErrInsufficientScope: {403, "The credential does not grant this."},
		auth.ErrSessionLimit:      {403, "Too many sessions are open."},
		auth.ErrInsecure:          {403, "HTTPS is required."},
		auth.ErrAddress:           {403, "Requests from this address are not allowed."},
		auth.ErrRateLimited:       {429, "Too many requests. Try again later."},
		auth.ErrCrossOrigin:       {403, "Cross-origin requests are refused."},
		auth.ErrMethod:            {405, "Only POST is allowed here."},
		auth.ErrUnavailable:       {503, "The service is temporarily unavailable."},
		"of another package":      {403, "This is not allowed."},
	} {
		w := httptest.NewRecorder()
		cause := &fs.PathError{Op: "SELECT * FROM", Path: "/var/lib/secret", Err: errors.New("goroutine 1")}
		guard.Fail(w, from("GET", "/"), &auth.Failure{Reason: reason, Err: cause})

		require.Equal(t, want.status, w.Code, reason)
		require.Equal(t, "application/problem+json", w.Header().Get("Content-Type"))
		require.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"))
		require.Equal(t, "no-store", w.Header().Get("Cache-Control"), "row 95")
		waits := reason == auth.ErrUnavailable || reason == auth.ErrRateLimited
		require.Equal(t, waits, w.Header().Get("Retry-After") != "", "row 62")

		var body struct {
			Type, Title, Code string
			Status            int
		}
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &body))
		documentation, err := url.Parse(body.Type)
		require.NoError(t, err)
		require.True(t, documentation.IsAbs())
		if reason != "of another package" {
			documented[documentation.Fragment] = true
			require.Regexp(t, fmt.Sprintf(`(?m)^## %s\n\n%d[.,]`, documentation.Fragment, want.status), string(page))
		}
		require.Equal(t, want.title, body.Title)
		require.Equal(t, want.status, body.Status)
		require.Equal(t, string(reason), body.Code)
		for _, internal := range []string{"SELECT", "secret", "goroutine"} {
			require.NotContains(t, w.Body.String(), internal)
		}
		require.Equal(t, want.status, reason.Status())
		require.Equal(t, "auth: "+string(reason), reason.Error())
	}
	require.Len(t, documented, strings.Count(string(page), "\n## "), "each of this package's reasons is a problem type of its own")
}

// Row 107: a limit that has a name is a problem of the type that is registered
// for it, and a dialect of an API's own is told as much.
func TestExceededQuotaAsProblemDetails(t *testing.T) {
	quota := auth.Quota{Rate: auth.Rate{Limit: 10, Per: time.Minute}, Next: 6 * time.Second}
	refusal := &auth.Failure{Reason: auth.ErrRateLimited, Limit: "per-minute", Quota: quota, RetryAfter: 6 * time.Second}
	w := httptest.NewRecorder()
	auth.NewGuard(auth.Bearer(known{}), nil).Fail(w, from("GET", "/"), refusal)
	require.Equal(t, 429, w.Code)
	require.Equal(t, "application/problem+json", w.Header().Get("Content-Type"))
	require.JSONEq(t, `{"type":"https://iana.org/assignments/http-problem-types#quota-exceeded","title":"Too many requests. Try again later.",
		"status":429,"code":"rate_limit_exceeded","violated-policies":["per-minute"]}`, w.Body.String())

	own := &auth.Format{Error: func(f *auth.Failure) any {
		return map[string]any{"limit": f.Limit, "calls": f.Quota.Rate.Limit, "wait": f.RetryAfter.Seconds()}
	}}
	w = httptest.NewRecorder()
	auth.NewGuard(auth.Bearer(known{}), &auth.GuardOptions{Format: own}).Fail(w, from("GET", "/"), refusal)
	require.Equal(t, 429, w.Code)
	require.Equal(t, "6", w.Header().Get("Retry-After"))
	require.JSONEq(t, `{"limit":"per-minute","calls":10,"wait":6}`, w.Body.String())
}

func TestFailureIsItsReasonAndItsCause(t *testing.T) {
	f := &auth.Failure{Reason: auth.ErrUnavailable, Err: errOutage}
	require.ErrorIs(t, f, auth.ErrUnavailable)
	require.ErrorIs(t, f, errOutage)
	require.NotErrorIs(t, f, auth.ErrInvalid)
	require.Equal(t, "auth: temporarily_unavailable: "+errOutage.Error(), f.Error())

	bare := &auth.Failure{Reason: auth.ErrExpired}
	var other *url.Error
	require.NotErrorAs(t, bare, &other)
	require.Equal(t, "auth: expired_credential", bare.Error())
	require.Equal(t, "auth: expired_credential", (&auth.Failure{Reason: auth.ErrExpired, Err: auth.ErrExpired}).Error())
}

func TestMissingCredentialIs400WhereItBelongsIntoTheBody(t *testing.T) {
	body, header := auth.JSONField("k", known{}), auth.Bearer(known{})
	for _, c := range []struct {
		source auth.Authenticator
		status int
	}{{body, 400}, {header, 401}, {auth.First(body, header), 400}, {auth.First(header, body), 401}} {
		w := serve(auth.NewGuard(c.source, nil).WrapFunc(hello), from("POST", "/"))
		require.Equal(t, c.status, w.Code)
		require.Equal(t, c.status == 401, w.Header().Get("WWW-Authenticate") != "")
	}
}

func TestRetryAfterIsRoundedUp(t *testing.T) {
	guard := auth.NewGuard(auth.Bearer(known{}), nil)
	for wait, want := range map[time.Duration]string{0: "5", time.Nanosecond: "1", time.Second: "1", 1500 * time.Millisecond: "2", math.MaxInt64: "9223372037"} {
		w := httptest.NewRecorder()
		guard.Fail(w, from("GET", "/"), &auth.Failure{Reason: auth.ErrUnavailable, RetryAfter: wait})
		require.Equal(t, want, w.Header().Get("Retry-After"))
	}
}

// quant is a dialect such as APIs have: codes of its own, told apart by where
// the credential came from.
var quant = &auth.Format{
	Grant: func(g *auth.Grant) any {
		return map[string]any{"success": true, "session_token": g.Token.Reveal(), "user_id": g.Principal.Subject}
	},
	Status: func(p *auth.Principal, f *auth.Failure) any {
		if f != nil {
			return map[string]any{"authenticated": false}
		}
		return map[string]any{"authenticated": true, "user_id": p.Subject}
	},
	Error: func(f *auth.Failure) any {
		code := string(f.Reason)
		switch {
		case f.Scheme.In == auth.InBody && f.Reason == auth.ErrNoCredential:
			code = "missing_" + f.Scheme.Field
		case f.Reason == auth.ErrNoCredential:
			code = "missing_authorization"
		case f.Reason == auth.ErrInvalid && len(f.Scheme.Kinds) == 1:
			code = "invalid_" + string(f.Scheme.Kinds[0])
		}
		return map[string]any{"success": false, "error": code}
	},
}

func TestFormatIsADialectOfTheSameAnswers(t *testing.T) {
	o := &auth.GuardOptions{Format: quant}
	sessions := newLedger()
	login := auth.NewGuard(auth.JSONField("api_key", kinded{known{"k": alice(), "down": errOutage}, auth.KindAPIKey}), o)
	open := auth.NewGuard(auth.Bearer(kinded{known{"s": alice()}, auth.KindSession}), o)
	for _, c := range []struct {
		name   string
		h      http.Handler
		r      *http.Request
		status int
		body   string
	}{
		{"grant", login.Exchange(sessions), sending("POST", "/", `{"api_key":"k"}`), 200, `{"success":true,"session_token":"token-1","user_id":"alice"}`},
		{"absent key", login.Exchange(sessions), sending("POST", "/", `{}`), 400, `{"success":false,"error":"missing_api_key"}`},
		{"wrong key", login.Exchange(sessions), sending("POST", "/", `{"api_key":"x"}`), 401, `{"success":false,"error":"invalid_api_key"}`},
		{"outage", login.Exchange(sessions), sending("POST", "/", `{"api_key":"down"}`), 503, `{"success":false,"error":"temporarily_unavailable"}`},
		{"absent session", open.WrapFunc(hello), from("GET", "/"), 401, `{"success":false,"error":"missing_authorization"}`},
		{"wrong session", open.WrapFunc(hello), from("GET", "/", "Authorization", "Bearer x"), 401, `{"success":false,"error":"invalid_session"}`},
		{"status", open.Status(), from("GET", "/", "Authorization", "Bearer s"), 200, `{"authenticated":true,"user_id":"alice"}`},
		{"no status", open.Status(), from("GET", "/"), 401, `{"authenticated":false}`},
		{"no status for some", open.With(auth.Tier("gold")).Status(), from("GET", "/", "Authorization", "Bearer s"), 403, `{"success":false,"error":"forbidden"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := serve(c.h, c.r)
			require.Equal(t, c.status, w.Code)
			require.JSONEq(t, c.body, w.Body.String())
			require.Equal(t, "application/json", w.Header().Get("Content-Type"))
			require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
			if c.status == 401 {
				require.Len(t, parseChallenges(t, w.Result()), 1)
			}
		})
	}
}

// A nil function means the default, one by one.
func TestFormatInParts(t *testing.T) {
	part := auth.NewGuard(auth.Bearer(known{"s": alice()}), &auth.GuardOptions{Format: &auth.Format{Status: quant.Status}})
	require.JSONEq(t, `{"authenticated":false}`, serve(part.Status(), from("GET", "/")).Body.String())
	require.Equal(t, "application/problem+json", serve(part.WrapFunc(hello), from("GET", "/")).Header().Get("Content-Type"))
	require.Contains(t, serve(part.Exchange(newLedger()), from("POST", "/", "Authorization", "Bearer s")).Body.String(), "access_token")
}

// A dialect that breaks lets nobody in and tells nothing.
func TestFormatThatJSONCannotExpress(t *testing.T) {
	broken := &auth.Format{Error: func(*auth.Failure) any { return func() {} }}
	w := serve(auth.NewGuard(auth.Bearer(known{}), &auth.GuardOptions{Format: broken}).WrapFunc(hello), from("GET", "/"))
	require.Equal(t, 500, w.Code)
	require.JSONEq(t, `{}`, w.Body.String())
}

func TestGrantOfAPair(t *testing.T) {
	pair := issuer(func(p *auth.Principal, _ *auth.IssueOptions) (*auth.Grant, error) {
		return &auth.Grant{Token: auth.NewSecret("a"), RefreshToken: auth.NewSecret("r"), Principal: p}, nil
	})
	w := serve(auth.NewGuard(auth.Bearer(known{"good": alice("x", "y")}), nil).Exchange(pair), from("POST", "/", "Authorization", "Bearer good"))
	require.JSONEq(t, `{"access_token":"a","token_type":"Bearer","refresh_token":"r","scope":"x y"}`, w.Body.String())
}
