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

// writeQuotas writes the fields RateLimit and RateLimit-Policy
// (draft-ietf-httpapi-ratelimit-headers-11), beside what an outer guard has
// written. The names are canonical, so they need no work here.
func writeQuotas(h http.Header, quotas []namedQuota) {
	var limit, policy []byte
	for i, q := range quotas {
		if i > 0 {
			limit, policy = append(limit, ", "...), append(policy, ", "...)
		}
		limit = appendServiceLimit(limit, q)
		policy = appendPolicy(policy, q)
	}
	h["Ratelimit"] = append(h["Ratelimit"], string(limit))
	h["Ratelimit-Policy"] = append(h["Ratelimit-Policy"], string(policy))
}

// appendServiceLimit appends what is left, and for how long there will be no
// more (sections 4.1.1 and 4.1.2).
func appendServiceLimit(b []byte, q namedQuota) []byte {
	b = append(append(append(b, '"'), q.name...), `";r=`...)
	b = strconv.AppendInt(b, int64(q.quota.Remaining), 10)
	return strconv.AppendInt(append(b, ";t="...), ceilSeconds(q.quota.Next), 10)
}

// appendPolicy appends the rate. A time that is not in whole seconds cannot be
// told (section 3.1.3) and is left out.
func appendPolicy(b []byte, q namedQuota) []byte {
	r := q.quota.Rate
	b = append(append(append(b, '"'), q.name...), `";q=`...)
	b = strconv.AppendInt(b, int64(r.Limit), 10)
	if r.Per%time.Second == 0 {
		b = strconv.AppendInt(append(b, ";w="...), int64(r.Per/time.Second), 10)
	}
	return b
}
