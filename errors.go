package auth

import (
	"errors"
	"fmt"
	"net/http"
	"time"
)

// ErrNotMine is what a [Verifier] says of a text that is not of its form, by
// syntax alone. It never reaches a client.
var ErrNotMine = errors.New("auth: credential is not of this form")

// A Reason says why a request is refused. It is an error and its own stable
// code; compare with errors.Is. The status and the text that a client is told
// are fixed by the reason; what caused it goes to [GuardOptions.Observe] only.
type Reason string

// The reasons.
const (
	// ErrNoCredential: nothing was presented. 401 without an error code (RFC
	// 6750 section 3.1); 400 where the credential belongs in the body.
	ErrNoCredential Reason = "missing_credential"

	// ErrMalformed: the request cannot be understood, such as one with two
	// Authorization fields or a body that is no JSON object. 400.
	ErrMalformed Reason = "invalid_request"

	// ErrTooLarge: the body is larger than any login needs. 413.
	ErrTooLarge Reason = "content_too_large"

	// ErrInvalid: the credential is unknown, malformed or not meant for this
	// API. 401.
	ErrInvalid Reason = "invalid_credential"

	// ErrExpired: the credential was good once. 401.
	ErrExpired Reason = "expired_credential"

	// ErrRevoked: the credential was ended before its time. 401.
	ErrRevoked Reason = "revoked_credential"

	// ErrDisabled: the credential, or who it belongs to, is switched off. 401.
	ErrDisabled Reason = "disabled_credential"

	// ErrReused: a credential that is good for one use came a second time. All
	// that grew from a refresh token has then ended. 401.
	ErrReused Reason = "reused_credential"

	// ErrProof: what is to prove that the caller holds the key of a credential
	// is missing, malformed, of another request, too old or used already. 401
	// with the challenge of RFC 9449 section 7.1. See [DPoP].
	ErrProof Reason = "invalid_dpop_proof"

	// ErrUseNonce: such a proof is good, but for the nonce that it must hold,
	// which the answer's field DPoP-Nonce tells. 401, RFC 9449 section 9.
	ErrUseNonce Reason = "use_dpop_nonce"

	// ErrStale: the caller proved themselves too long ago, or not well enough,
	// for this. 401 with the challenge of RFC 9470.
	ErrStale Reason = "insufficient_user_authentication"

	// ErrForbidden: the caller is known and may not. 403.
	ErrForbidden Reason = "forbidden"

	// ErrInsufficientScope: the credential lacks a scope. 403 with the
	// challenge of RFC 6750 section 3.1.
	ErrInsufficientScope Reason = "insufficient_scope"

	// ErrSessionLimit: the caller has as many sessions as are allowed. 403.
	ErrSessionLimit Reason = "session_limit"

	// ErrInsecure: the request came over plain HTTP; nothing in it counts. 403.
	ErrInsecure Reason = "insecure_transport"

	// ErrAddress: this is not to be called from the client's address. 403.
	ErrAddress Reason = "address_not_allowed"

	// ErrRateLimited: the client has called, or failed, too often. 429 with
	// Retry-After (RFC 6585 section 4).
	ErrRateLimited Reason = "rate_limit_exceeded"

	// ErrCrossOrigin: a page of another origin sent this request with a
	// cookie. 403.
	ErrCrossOrigin Reason = "cross_origin_request"

	// ErrMethod: what changes something is asked for by POST. 405.
	ErrMethod Reason = "method_not_allowed"

	// ErrUnavailable: the answer could not be found out. 503 with Retry-After.
	ErrUnavailable Reason = "temporarily_unavailable"
)

// outcome is what a client is told for a reason.
type outcome struct {
	status int
	oauth  string // the error code of a challenge, RFC 6750 section 3.1
	title  string
}

func (r Reason) outcome() outcome {
	switch r {
	case ErrNoCredential:
		return outcome{401, "", "A credential is required."}
	case ErrMalformed:
		return outcome{400, "invalid_request", "The request is malformed."}
	case ErrTooLarge:
		return outcome{413, "", "The request body is too large."}
	case ErrInvalid:
		return outcome{401, "invalid_token", "The credential is not valid."}
	case ErrExpired:
		return outcome{401, "invalid_token", "The credential has expired."}
	case ErrRevoked:
		return outcome{401, "invalid_token", "The credential has been revoked."}
	case ErrDisabled:
		return outcome{401, "invalid_token", "The credential is disabled."}
	case ErrReused:
		return outcome{401, "invalid_token", "The credential has been used already."}
	case ErrProof:
		return outcome{401, "invalid_dpop_proof", "The DPoP proof is not valid."}
	case ErrUseNonce:
		return outcome{401, "use_dpop_nonce", "The DPoP proof needs the nonce of this answer."}
	case ErrStale:
		return outcome{401, "insufficient_user_authentication", "A more recent or stronger authentication is required."}
	case ErrInsufficientScope:
		return outcome{403, "insufficient_scope", "The credential does not grant this."}
	case ErrSessionLimit:
		return outcome{403, "", "Too many sessions are open."}
	case ErrInsecure:
		return outcome{403, "", "HTTPS is required."}
	case ErrAddress:
		return outcome{403, "", "Requests from this address are not allowed."}
	case ErrRateLimited:
		return outcome{429, "", "Too many requests. Try again later."}
	case ErrCrossOrigin:
		return outcome{403, "", "Cross-origin requests are refused."}
	case ErrMethod:
		return outcome{405, "", "Only POST is allowed here."}
	case ErrUnavailable:
		return outcome{503, "", "The service is temporarily unavailable."}
	default: // ErrForbidden, and whatever is not of this package
		return outcome{403, "", "This is not allowed."}
	}
}

// Error returns the code with the package's name in front.
func (r Reason) Error() string { return "auth: " + string(r) }

// Status returns the HTTP status of the reason. A [Failure] knows better: see
// its own.
func (r Reason) Status() int { return r.outcome().status }

// Title returns the sentence that a client is told.
func (r Reason) Title() string { return r.outcome().title }

// A Location is the part of a request in which a credential sits.
type Location string

// The locations.
const (
	InHeader Location = "header"
	InCookie Location = "cookie"
	InBody   Location = "body"
)

// A Scheme describes a source of credentials: what a challenge asks for, and
// where a refused credential came from.
type Scheme struct {
	Name  string   // the auth-scheme of RFC 9110 section 11.1, such as "Bearer"
	In    Location // where the credential sits
	Field string   // the name of the header, the cookie or the member there
	Kinds []Kind   // what the source accepts, as far as its verifiers tell

	// Algorithms are what proofs may be signed with, where the source asks for
	// them; see [DPoP].
	Algorithms []Algorithm
}

// A Failure is a refused request: the one error type that guards return and
// formats are given.
type Failure struct {
	Reason  Reason
	Scheme  Scheme   // where the refused credential came from, else the first of Schemes
	Schemes []Scheme // what the route accepts

	Scopes     []string      // with ErrInsufficientScope: what is required
	MaxAge     time.Duration // with ErrStale: how long ago the proof may be
	ACRValues  []string      // with ErrStale: the ways of proof that will do, see ACR
	Nonce      string        // with ErrUseNonce: what the next proof must hold
	RetryAfter time.Duration // with ErrUnavailable and ErrRateLimited
	Limit      string        // with ErrRateLimited: the name of the limit, see LimitKey.WithName
	Quota      Quota         // with ErrRateLimited: how the caller stands with it

	// Err is the cause, for the log only. Formats do not show it.
	Err error
}

// Error returns the reason and the cause.
func (f *Failure) Error() string {
	if f.Err == nil || f.Err == error(f.Reason) {
		return f.Reason.Error()
	}
	return fmt.Sprintf("%v: %v", f.Reason, f.Err)
}

// Unwrap returns the reason and the cause, if there is one.
func (f *Failure) Unwrap() []error {
	if f.Err == nil {
		return []error{f.Reason}
	}
	return []error{f.Reason, f.Err}
}

// Status returns the HTTP status of the answer. A [Format] cannot choose
// another.
func (f *Failure) Status() int {
	if f.Reason == ErrNoCredential && f.Scheme.In == InBody {
		return http.StatusBadRequest
	}
	return f.Reason.Status()
}

// failureOf returns err as a failure of the caller's own: a refusal where it
// says so, and an outage where it is anything else.
func failureOf(err error) *Failure {
	r, f := reasonOf(err)
	if f != nil {
		c := *f
		return &c
	}
	return &Failure{Reason: r, Err: err}
}

// reasonOf returns the reason of an error, and the failure in it where it says
// more than that.
func reasonOf(err error) (Reason, *Failure) {
	if r, ok := plainReason(err); ok {
		return r, nil
	}
	if f, ok := errors.AsType[*Failure](err); ok {
		return f.Reason, f
	}
	if r, ok := errors.AsType[Reason](err); ok {
		return r, nil
	}
	return ErrUnavailable, nil
}

// plainReason returns the reason of an error that says nothing else but text: that
// is what most refusals are, and what strangers cause.
func plainReason(err error) (r Reason, ok bool) {
	for range 4 {
		switch e := err.(type) {
		case Reason:
			return e, true
		case interface{ Unwrap() error }:
			err = e.Unwrap()
		default:
			return "", false
		}
	}
	return "", false
}

var (
	errNoSubject = errors.New("auth: principal without a subject")
	errUnproved  = errors.New("auth: principal without a time of proof; see Principal.ProvedAt")
	errForNobody = errors.New("auth: an audience of nobody, which a store could not tell from one of anybody")
)
