package oauth

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/seed-077cad0b/auth"
)

// An ErrorCode is what a client is told of a request that is refused: an error
// code of RFC 6749 sections 4.1.2.1 and 5.2 and its kin. It is an error.
type ErrorCode string

// The error codes.
const (
	ErrInvalidRequest          ErrorCode = "invalid_request"
	ErrInvalidClient           ErrorCode = "invalid_client"
	ErrInvalidGrant            ErrorCode = "invalid_grant"
	ErrUnauthorizedClient      ErrorCode = "unauthorized_client"
	ErrUnsupportedGrantType    ErrorCode = "unsupported_grant_type"
	ErrUnsupportedResponseType ErrorCode = "unsupported_response_type"
	ErrInvalidScope            ErrorCode = "invalid_scope"
	ErrInvalidTarget           ErrorCode = "invalid_target" // RFC 8707 section 2
	ErrAccessDenied            ErrorCode = "access_denied"
	ErrTemporarilyUnavailable  ErrorCode = "temporarily_unavailable"
	ErrLoginRequired           ErrorCode = "login_required"                    // OpenID Connect Core section 3.1.2.6
	ErrConsentRequired         ErrorCode = "consent_required"                  // there
	ErrUnmetAuthentication     ErrorCode = "unmet_authentication_requirements" // OpenID Connect Unmet Authentication Requirements
	ErrAuthorizationPending    ErrorCode = "authorization_pending"             // RFC 8628 section 3.5
	ErrSlowDown                ErrorCode = "slow_down"                         // there
	ErrExpiredToken            ErrorCode = "expired_token"                     // there
	ErrInvalidDPoPProof        ErrorCode = "invalid_dpop_proof"                // RFC 9449 section 5
	ErrUseDPoPNonce            ErrorCode = "use_dpop_nonce"                    // there, section 8
	ErrInvalidRequestURI       ErrorCode = "invalid_request_uri"               // RFC 9101 section 6.1, RFC 9126
	ErrRequestNotSupported     ErrorCode = "request_not_supported"             // OpenID Connect Core section 6
)

// Error returns the code with the package's name in front.
func (c ErrorCode) Error() string { return "oauth: " + string(c) }

// A refusal is an error code with what a client's developer should know, which is
// a fixed text without input, and what caused it, which goes to Observe alone.
type refusal struct {
	code        ErrorCode
	description string
	cause       error
}

func (r *refusal) Error() string {
	if r.cause == nil {
		return fmt.Sprintf("%v: %s", r.code, r.description)
	}
	return fmt.Sprintf("%v: %s: %v", r.code, r.description, r.cause)
}

func (r *refusal) Unwrap() []error {
	if r.cause == nil {
		return []error{r.code}
	}
	return []error{r.code, r.cause}
}

func refuse(code ErrorCode, description string) error {
	return &refusal{code: code, description: description}
}

// The refusals of more than one grant.
var (
	errNoSuchGrant    = refuse(ErrUnsupportedGrantType, "There is no such grant.")
	errNotItsGrant    = refuse(ErrUnauthorizedClient, "The client may not use this grant.")
	errNothingToGrant = refuse(ErrAccessDenied, "The person has nothing of what the client asks for.")
	errDeclined       = refuse(ErrAccessDenied, "The person has declined.")
)

// because is refuse with a cause.
func because(cause error, code ErrorCode, description string) error {
	return &refusal{code: code, description: description, cause: cause}
}

// A failure is how an error is answered.
type failure struct {
	status      int
	code        ErrorCode
	description string
	retryAfter  time.Duration
	nonce       string // of DPoP
}

// failureOf decides how an error is answered: an error code as itself; a reason of
// package auth by its status, as the transport, the networks, the limits and the
// proof of a key have it; anything else as an outage, never as a refusal.
func failureOf(err error) failure {
	var (
		r    *refusal
		code ErrorCode
	)
	switch {
	case errors.As(err, &r):
		return failure{status: r.code.status(), code: r.code, description: r.description}
	case errors.As(err, &code):
		return failure{status: code.status(), code: code}
	}
	var f *auth.Failure
	if !errors.As(err, &f) {
		var reason auth.Reason
		if !errors.As(err, &reason) {
			return failure{status: http.StatusServiceUnavailable, code: ErrTemporarilyUnavailable, retryAfter: retryAfter}
		}
		f = &auth.Failure{Reason: reason}
	}
	return failureOfReason(f)
}

func failureOfReason(f *auth.Failure) failure {
	is := failure{status: f.Reason.Status(), code: ErrInvalidRequest, description: f.Reason.Title(), retryAfter: f.RetryAfter}
	switch f.Reason {
	case auth.ErrProof:
		is.status, is.code = http.StatusBadRequest, ErrInvalidDPoPProof
	case auth.ErrUseNonce:
		is.status, is.code, is.nonce = http.StatusBadRequest, ErrUseDPoPNonce, f.Nonce
	case auth.ErrUnavailable, auth.ErrRateLimited:
		is.code = ErrTemporarilyUnavailable
		is.retryAfter = max(is.retryAfter, time.Second)
	case auth.ErrForbidden, auth.ErrInsecure, auth.ErrAddress, auth.ErrCrossOrigin:
		is.code = ErrAccessDenied
	}
	return is
}

// ofGrant is err as it is told of what a client presents for tokens: what proves
// nobody is an invalid_grant (RFC 6749 section 5.2), which is no 401, as the client
// has proved who it is.
func ofGrant(err error) error {
	var (
		r      *refusal
		reason auth.Reason
	)
	switch {
	case errors.As(err, &r), !errors.As(err, &reason):
	case reason == auth.ErrProof, reason == auth.ErrUseNonce:
	case reason.Status() == http.StatusUnauthorized:
		return because(err, ErrInvalidGrant, "What the client presents is not valid, has expired or has been revoked.")
	}
	return err
}

// retryAfter is what clients are told to wait out an outage.
const retryAfter = 5 * time.Second

// status returns the status of the answer that has the code in its body (RFC 6749
// section 5.2).
func (c ErrorCode) status() int {
	switch c {
	case ErrInvalidClient:
		return http.StatusUnauthorized
	case ErrTemporarilyUnavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusBadRequest
}

// errorBody is the error response of RFC 6749 section 5.2.
type errorBody struct {
	Error       ErrorCode `json:"error"`
	Description string    `json:"error_description,omitempty"`
}

// writeError answers with an error.
func writeError(w http.ResponseWriter, err error) {
	f := failureOf(err)
	h := w.Header()
	switch f.status {
	case http.StatusUnauthorized:
		// RFC 9110 section 15.5.2 wants a challenge in every 401, whatever the
		// client has tried.
		h.Set("Www-Authenticate", `Basic realm="oauth", charset="UTF-8"`)
	case http.StatusMethodNotAllowed:
		h.Set("Allow", http.MethodPost)
	}
	setRetryAfter(h, f.retryAfter)
	if f.nonce != "" {
		h.Set("Dpop-Nonce", f.nonce)
	}
	writeJSON(w, f.status, errorBody{f.code, f.description})
}

// writeJSON writes an answer that no cache keeps (RFC 6749 section 5.1).
func writeJSON(w http.ResponseWriter, status int, value any) {
	text, err := json.Marshal(value)
	if err != nil {
		status, text = http.StatusInternalServerError, []byte(`{"error":"server_error"}`)
	}
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Type", "application/json")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(text)
}
