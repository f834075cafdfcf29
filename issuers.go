package auth

import (
	"context"
	"fmt"

	"github.com/seed-077cad0b/auth/internal/jws"
	"github.com/seed-077cad0b/auth/internal/strictjson"
)

// Issuers returns one verifier for the tokens of several issuers. The iss of a
// token, which nothing proves yet, chooses the [JWT] to be asked, and that one
// alone: it proves the token by its own keys, or refuses it for good. A token of
// an issuer that is not among them is [ErrInvalid], and nothing is fetched for it.
//
// Principals of different issuers differ, be their subjects the same.
//
// It panics on a nil JWT, on none, and on two of one issuer.
func Issuers(jwts ...*JWT) Verifier {
	if len(jwts) == 0 {
		panic("auth: Issuers: no issuer")
	}
	i := &issuers{byName: make(map[string]*JWT, len(jwts))}
	for _, j := range jwts {
		switch {
		case j == nil:
			panic("auth: Issuers: nil JWT")
		case i.byName[j.issuer] != nil:
			panic(fmt.Sprintf("auth: Issuers: two of %q", j.issuer))
		}
		i.all, i.byName[j.issuer] = append(i.all, j), j
		i.maxLength = max(i.maxLength, j.maxLength)
		i.form = j.Form()
	}
	return i
}

type issuers struct {
	all       []*JWT
	byName    map[string]*JWT
	maxLength int
	form      Form // the same of all
}

// Form returns the form of tokens.
func (i *issuers) Form() Form { return i.form }

// Kind returns [KindJWT].
func (i *issuers) Kind() Kind { return KindJWT }

// Verify implements [Verifier].
func (i *issuers) Verify(ctx context.Context, credential string) (*Principal, error) {
	token, ok := jws.Split(credential)
	if !ok {
		return nil, ErrNotMine
	}
	if len(credential) > i.maxLength {
		return nil, errTooLong
	}
	if j, t := i.recall(credential, token.Header); t != nil {
		return j.admit(ctx, t, j.clock.Now())
	}
	b := buffers.Get().(*buffer)
	j, err := i.choose(b, token.Payload)
	buffers.Put(b)
	if err != nil {
		return nil, err
	}
	return j.Verify(ctx, credential)
}

// recall returns the token where one of the verifiers remembers it, and that
// verifier: the iss is then known to be its own. Those that have met the header are
// asked, which is one as a rule, as headers name the key.
func (i *issuers) recall(credential, header string) (*JWT, *verified) {
	for _, j := range i.all {
		if _, known := j.headerOf(header); !known || j.cache == nil {
			continue
		}
		name := j.cache.name(credential)
		if t := j.recall(&name); t != nil {
			return j, t
		}
	}
	return nil, nil
}

// beginning is how much of a payload, encoded, is looked at first: iss is among
// the first members as a rule.
const beginning = 128

// choose returns the verifier for a payload. It stops at the first iss: whether
// the payload is one that may be believed is for the verifier to say.
func (i *issuers) choose(b *buffer, payload string) (*JWT, error) {
	if len(payload) > beginning {
		if j, err := i.choose(b, payload[:beginning]); err == nil {
			return j, nil
		}
	}
	if !b.decode(payload) {
		return nil, errPayload
	}
	var j *JWT
	_ = strictjson.Object(b.bytes, func(name, value []byte) error {
		if string(name) != "iss" {
			return nil
		}
		iss, _ := strictjson.Bytes(value)
		j = i.byName[string(iss)]
		return errIssuer
	})
	if j == nil {
		return nil, errIssuer
	}
	return j, nil
}
