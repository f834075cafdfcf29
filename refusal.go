package auth

import (
	"net/http"
)

// refusal returns the whole of what a verdict refuses with err, or nil where err
// is. It is made for who asks, and is theirs.
func (g *Guard) refusal(v *verdict, err error) *Failure {
	switch {
	case err == nil:
		return nil
	case v.over != nil:
		err = exceeded(v.over.name, &v.quota)
	case v.source != nil:
		err = v.source.stamp(err)
	}
	f := g.failure(err, v.met())
	if f.Reason == ErrRateLimited {
		f.RetryAfter = max(f.RetryAfter, v.wait)
	}
	return f
}

// refuse answers a request that a verdict refuses with err: with what has been
// answered before, where nobody asks for the Failure and nothing in it but a quota
// is of this request alone.
func (g *Guard) refuse(w http.ResponseWriter, v *verdict, err error) {
	c, usual := g.causeOf(v, err)
	if !usual {
		g.answer(w, v, g.refusal(v, err))
		return
	}
	a := g.base.answers.find(c)
	if a == nil {
		f := g.refusal(v, err)
		if v.over != nil {
			f.RetryAfter, f.Quota = 0, Quota{}
		}
		a = g.base.answers.make(c, func(w http.ResponseWriter) { g.answer(w, &verdict{}, f) })
	}
	h := w.Header()
	if v.over != nil {
		v.tellOnly(h, v.over)
		tellWait(h, max(v.quota.retryAfter(), v.wait))
	}
	g.announce(w, v)
	a.writeTo(w)
}

// causeOf returns the cause of a refusal, and whether the answer goes by nothing
// else.
func (g *Guard) causeOf(v *verdict, err error) (c cause, usual bool) {
	if f := g.base.Format; f != nil && f.Error != nil {
		return cause{}, false
	}
	if v.over != nil {
		return cause{reason: ErrRateLimited, limit: v.over.name}, true
	}
	reason, particular := reasonOf(err)
	c = cause{reason: reason, scheme: v.source}
	if c.scheme == nil {
		c.scheme = g.base.scheme(v.met())
	}
	return c, particular == nil && reason != ErrRateLimited
}

// met returns whom the answer to a refusal meets, if anybody.
func (v *verdict) met() *Principal {
	if v.exposed {
		return nil
	}
	return v.principal
}
