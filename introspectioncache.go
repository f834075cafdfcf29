package auth

import "time"

// find returns the question about a token that is under way, or one that is
// answered and remembered, or nil. The caller holds the lock.
func (i *Introspection) find(name tokenName, anew bool) *question {
	if anew {
		return nil
	}
	if q := i.open[name.digest]; q != nil {
		return q
	}
	at := i.clock.Now()
	if q := i.refused.find(name.digest); q != nil && at < q.until {
		return q
	}
	if t := i.good.get(name); t != nil && at < t.until {
		q := &question{principal: t.principal, done: make(chan struct{})}
		close(q.done)
		return q
	}
	return nil
}

func (i *Introspection) isLatest(q *question) bool {
	if r := i.refused.find(q.name.digest); r != nil && r.asked > q.asked {
		return false
	}
	t := i.good.get(q.name)
	return t == nil || t.from <= q.asked
}

// remember puts an answer in the place of what was known of its token.
func (i *Introspection) remember(q *question) {
	for t := i.good.get(q.name); t != nil; t = i.good.get(q.name) {
		i.good.remove(t)
	}
	i.refused.remove(q.name.digest)
	if q.err != nil {
		i.refused.add(q)
		return
	}
	i.good.put(&verified{text: q.name.keep(), hash: q.name.hash, principal: q.principal, from: q.asked, until: q.until})
}

// refusedFor is how long a refusal is remembered: a server may learn late of a
// token that another node of it has issued.
const refusedFor = int64(5 * time.Second / time.Microsecond)

// refusals remembers tokens that are not good, in two generations: when the
// younger one is full, the older one is forgotten.
type refusals struct {
	size         int
	young, older map[Digest]*question
}

func (r *refusals) find(d Digest) *question {
	if q := r.young[d]; q != nil {
		return q
	}
	return r.older[d]
}

func (r *refusals) add(q *question) {
	if r.young == nil || len(r.young) >= r.size {
		r.young, r.older = map[Digest]*question{}, r.young
	}
	r.young[q.name.digest] = q
}

func (r *refusals) remove(d Digest) {
	delete(r.young, d)
	delete(r.older, d)
}
