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

// tell has the answer tell how the request stands with the limit that was charged
// last, where its limiter tells the rate.
func (v *verdict) tell(l *limit) {
	if v.quota.Rate.Limit > 0 {
		v.told = l
	}
}

// keep takes down what is to be told, before another limit is charged.
func (v *verdict) keep() {
	if v.told != nil {
		v.quotas = append(v.quotas, standing{v.told, v.quota})
		v.told = nil
	}
}

// tellOnly is tell for a refusal: others are not told of, outer guards' neither,
// for Retry-After is not to be earlier than the t of any (section 6 of the draft).
// Where a limit of somebody's own has a name that cannot be told, nothing is.
func (v *verdict) tellOnly(h http.Header, l *limit) {
	delete(h, rateLimitField)
	delete(h, rateLimitPolicyField)
	v.told, v.quotas = nil, nil
	if isName(l.name) {
		v.tell(l)
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
func (v *verdict) writeQuotas(h http.Header) {
	if l := v.told; l != nil && len(v.quotas) == 0 {
		var buf [128]byte
		addQuotas(h, string(appendServiceLimit(buf[:0], l.name, &v.quota)), l.policyAt(v.quota.Rate))
		return
	}
	v.keep()
	var buf [2][128]byte
	limits, policies := buf[0][:0], buf[1][:0]
	for i := range v.quotas {
		q := &v.quotas[i]
		limits = appendServiceLimit(appendComma(limits, i), q.name, &q.quota)
		policies = appendPolicy(appendComma(policies, i), q.name, q.quota.Rate)
	}
	addQuotas(h, string(limits), string(policies))
}

// addQuotas adds a value to each of the two fields, in one allocation.
func addQuotas(h http.Header, limits, policies string) {
	values := []string{limits, policies}
	limitsBefore, policiesBefore := h[rateLimitField], h[rateLimitPolicyField]
	h[rateLimitField] = after(limitsBefore, values[:1:1])
	h[rateLimitPolicyField] = after(policiesBefore, values[1:])
}

// policyAt returns what clients are told of a limit whose rate that is.
func (l *limit) policyAt(r Rate) string {
	if l.policy != "" && l.rated == r {
		return l.policy
	}
	return string(appendPolicy(nil, l.name, r))
}

// after returns values behind those before; where there are none, without a copy.
func after(before, values []string) []string {
	if len(before) == 0 {
		return values
	}
	return append(before, values...)
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
func appendServiceLimit(b []byte, name string, q *Quota) []byte {
	b = append(append(append(b, '"'), name...), `";r=`...)
	b = append(appendInteger(b, int64(q.Remaining)), ";t="...)
	return appendInteger(b, ceilSeconds(q.Next))
}

// appendPolicy appends the rate. A time that is not in whole seconds cannot be
// told (section 3.1.3) and is left out.
func appendPolicy(b []byte, name string, r Rate) []byte {
	b = append(append(append(b, '"'), name...), `";q=`...)
	b = appendInteger(b, int64(r.Limit))
	if r.Per > 0 && r.Per%time.Second == 0 {
		b = appendInteger(append(b, ";w="...), int64(r.Per/time.Second))
	}
	return b
}

// appendInteger appends an Integer, which has 15 digits at most (RFC 9651
// section 3.3.1), and none of those of the fields is negative.
func appendInteger(b []byte, n int64) []byte {
	return strconv.AppendInt(b, min(max(n, 0), 999_999_999_999_999), 10)
}
