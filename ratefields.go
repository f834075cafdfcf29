package auth

import (
	"net/http"
	"strconv"
	"time"
)

// A standing is how a request stands with one of the guard's limits.
type standing struct {
	*limit
	quota Quota
}

// tell has the answer tell how the request stands with a limit, where its limiter
// tells the rate.
func (v *verdict) tell(l *limit, q Quota) {
	if q.Rate.Limit > 0 {
		v.quotas = append(v.quotas, standing{l, q})
	}
}

// tellOnly is tell for a refusal: others are not told of, outer guards' neither,
// for Retry-After is not to be earlier than the t of any (section 6 of the draft).
// Where a limit of somebody's own has a name that cannot be told, nothing is.
func (v *verdict) tellOnly(h http.Header, l *limit, q Quota) {
	delete(h, rateLimitField)
	delete(h, rateLimitPolicyField)
	v.quotas = nil
	if isName(l.name) {
		v.tell(l, q)
	}
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
func writeQuotas(h http.Header, quotas []standing) {
	var buf [256]byte
	b := buf[:0]
	for i := range quotas {
		b = appendServiceLimit(appendComma(b, i), &quotas[i])
	}
	cut := len(b)
	for i := range quotas {
		b = appendPolicy(appendComma(b, i), quotas[i].name, quotas[i].quota.Rate)
	}
	text := string(b)
	values := &[2]string{text[:cut], text[cut:]}
	addField(h, rateLimitField, values[0:1:1])
	addField(h, rateLimitPolicyField, values[1:2:2])
}

// addField adds values to a field; where there are none, they are not copied.
func addField(h http.Header, name string, values []string) {
	if before := h[name]; len(before) > 0 {
		values = append(before, values...)
	}
	h[name] = values
}

// appendComma begins the ith member of a list.
func appendComma(b []byte, i int) []byte {
	if i > 0 {
		b = append(b, ", "...)
	}
	return b
}

// appendServiceLimit appends what is left, and for how long there will be no
// more (sections 4.1.1 and 4.1.2).
func appendServiceLimit(b []byte, q *standing) []byte {
	b = appendParameter(append(append(append(b, '"'), q.name...), '"'), "r", int64(q.quota.Remaining))
	return appendParameter(b, "t", ceilSeconds(q.quota.Next))
}

// appendPolicy appends the rate. A time that is not in whole seconds cannot be
// told (section 3.1.3) and is left out.
func appendPolicy(b []byte, name string, r Rate) []byte {
	b = appendParameter(append(append(append(b, '"'), name...), '"'), "q", int64(r.Limit))
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
