package auth

import (
	"net/http"
	"strconv"
	"time"
)

// A namedQuota is how a request stands with one of the guard's limits.
type namedQuota struct {
	name  string
	quota Quota
}

// tell has the answer tell how the request stands with a limit, where that has
// a name and its limiter tells the rate.
func (v *verdict) tell(name string, q Quota) {
	if isName(name) && q.Rate.Limit > 0 {
		v.quotas = append(v.quotas, namedQuota{name, q})
	}
}

// tellOnly is tell for a refusal: others are not told of, outer guards' neither,
// for Retry-After is not to be earlier than the t of any (section 6 of the draft).
func (v *verdict) tellOnly(h http.Header, name string, q Quota) {
	delete(h, rateLimitField)
	delete(h, rateLimitPolicyField)
	v.quotas = nil
	v.tell(name, q)
}

// The fields, as they are in an http.Header, so that nothing needs to make them
// canonical.
const (
	rateLimitField       = "Ratelimit"
	rateLimitPolicyField = "Ratelimit-Policy"
)

// writeQuotas writes the fields RateLimit and RateLimit-Policy
// (draft-ietf-httpapi-ratelimit-headers-11), beside what an outer guard has
// written. There are no partition keys: they would tell of the client.
func writeQuotas(h http.Header, quotas []namedQuota) {
	var buf [2][128]byte
	limit, policy := buf[0][:0], buf[1][:0]
	for i, q := range quotas {
		if i > 0 {
			limit, policy = append(limit, ", "...), append(policy, ", "...)
		}
		limit = appendServiceLimit(limit, q)
		policy = appendPolicy(policy, q)
	}
	h[rateLimitField] = append(h[rateLimitField], string(limit))
	h[rateLimitPolicyField] = append(h[rateLimitPolicyField], string(policy))
}

// appendServiceLimit appends what is left, and for how long there will be no
// more (sections 4.1.1 and 4.1.2).
func appendServiceLimit(b []byte, q namedQuota) []byte {
	b = appendParameter(append(append(append(b, '"'), q.name...), '"'), "r", int64(q.quota.Remaining))
	return appendParameter(b, "t", ceilSeconds(q.quota.Next))
}

// appendPolicy appends the rate. A time that is not in whole seconds cannot be
// told (section 3.1.3) and is left out.
func appendPolicy(b []byte, q namedQuota) []byte {
	r := q.quota.Rate
	b = appendParameter(append(append(append(b, '"'), q.name...), '"'), "q", int64(r.Limit))
	if r.Per > 0 && r.Per%time.Second == 0 {
		b = appendParameter(b, "w", int64(r.Per/time.Second))
	}
	return b
}

// appendParameter appends an Integer, which has 15 digits at most (RFC 9651
// section 3.3.1), and none of those of the fields is negative.
func appendParameter(b []byte, name string, n int64) []byte {
	b = append(append(append(b, ';'), name...), '=')
	return strconv.AppendInt(b, min(max(n, 0), 999_999_999_999_999), 10)
}
