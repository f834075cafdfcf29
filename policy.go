package auth

import (
	"net/http"
	"slices"
	"time"
)

// A Policy decides whether an authenticated caller may do what the request
// asks. Nil admits. [ErrForbidden] and its kin refuse; any other error means
// that the policy could not decide, and is answered 503.
//
// A policy is safe for concurrent use and writes neither to r nor to p.
type Policy func(r *http.Request, p *Principal) error

// Scope admits callers whose credential grants all of the scopes. Names are
// compared exactly: "read" does not grant "read:all" (RFC 6749 section 3.3).
func Scope(scopes ...string) Policy {
	refusal := &Failure{Reason: ErrInsufficientScope, Scopes: slices.Clone(scopes)}
	return func(_ *http.Request, p *Principal) error {
		for _, s := range refusal.Scopes {
			if !slices.Contains(p.Scopes, s) {
				return refusal
			}
		}
		return nil
	}
}

// AnyScope admits callers whose credential grants at least one of the scopes.
func AnyScope(scopes ...string) Policy {
	refusal := &Failure{Reason: ErrInsufficientScope, Scopes: slices.Clone(scopes)}
	return func(_ *http.Request, p *Principal) error {
		for _, s := range refusal.Scopes {
			if slices.Contains(p.Scopes, s) {
				return nil
			}
		}
		return refusal
	}
}

// Tier admits callers of one of the tiers.
func Tier(tiers ...string) Policy {
	return among(tiers, func(p *Principal) string { return p.Tier })
}

// Kinds admits requests that showed a credential of one of the kinds: what may
// come here. See also [Origins].
func Kinds(kinds ...Kind) Policy {
	return among(kinds, func(p *Principal) Kind { return p.Credential.Kind })
}

// Origins admits callers whose chain of credentials began with one of the
// kinds: a session opened with a password, but not one opened with an API key.
func Origins(kinds ...Kind) Policy {
	return among(kinds, func(p *Principal) Kind { return p.Origin.Kind })
}

func among[T comparable](admitted []T, of func(*Principal) T) Policy {
	admitted = slices.Clone(admitted)
	return func(_ *http.Request, p *Principal) error {
		if slices.Contains(admitted, of(p)) {
			return nil
		}
		return ErrForbidden
	}
}

// Fresh admits callers who proved themselves at most d ago, by
// [Origin].Time, and asks others to do so again with the challenge of RFC
// 9470. A credential that proves itself with each request, such as an API key,
// is always fresh; one of unknown origin, such as a foreign token without
// auth_time, never is. Beside [ACR], the challenge names what is lacking first.
func Fresh(d time.Duration) Policy {
	refusal := &Failure{Reason: ErrStale, MaxAge: d}
	return func(_ *http.Request, p *Principal) error {
		switch t := p.Origin.Time; {
		case p.Origin.Kind == "":
			return refusal
		case !t.IsZero() && time.Since(t) > d:
			return refusal
		default:
			return nil
		}
	}
}

// ACR admits callers who proved themselves in one of the ways that the values
// name, by [Origin].ACR, and asks others to do so with the challenge of RFC
// 9470, in this order of preference. Values are authentication context class
// references, compared exactly: which one is stronger, only the authorization
// server knows, so name all that will do. A credential of which none is known,
// such as an API key, is refused.
func ACR(values ...string) Policy {
	refusal := &Failure{Reason: ErrStale, ACRValues: slices.Clone(values)}
	return func(_ *http.Request, p *Principal) error {
		if acr := p.Origin.ACR; acr != "" && slices.Contains(refusal.ACRValues, acr) {
			return nil
		}
		return refusal
	}
}

// narrow returns those of scopes that are asked for; a nil asked asks for all.
func narrow(scopes, asked []string) []string {
	if asked == nil {
		return scopes
	}
	return common(asked, scopes)
}

// common returns those of scopes that are among the most there may be.
func common(scopes, most []string) []string {
	return slices.DeleteFunc(slices.Clone(scopes), func(s string) bool { return !slices.Contains(most, s) })
}
