package oauth

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/internal/jws"
	"github.com/seed-077cad0b/auth/internal/strictjson"
)

const (
	// typeClientAssertion is the client_assertion_type of RFC 7523 section 2.2.
	typeClientAssertion = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

	// typClientAssertion is a typ that an assertion may have; else it has JWT or
	// none.
	typClientAssertion = "client-authentication+jwt"

	maxClientAssertion = 8 << 10 // bytes

	// maxAssertionLife is how far ahead an assertion may end, and assertionLeeway
	// how far the client's clock may be ahead of ours.
	maxAssertionLife = 5 * time.Minute
	assertionLeeway  = 30 * time.Second

	// kindClientAssertion is the kind of the marks of those that have been used.
	kindClientAssertion auth.Kind = "client_assertion"
)

// byAssertion authenticates a client by private_key_jwt (RFC 7523 sections 2.2 and
// 3), and uses the assertion up. Its aud is the issuer, as one text: one that is
// for somebody else, too, could be used by them.
func (a *clientAuthenticator) byAssertion(ctx context.Context, p params) (*Client, error) {
	text := p.of("client_assertion")
	if p.of("client_assertion_type") != typeClientAssertion {
		return nil, unproved(errors.New("another client_assertion_type"))
	}
	c, err := a.lookup(ctx, p, claimedClient(text))
	if err != nil {
		return nil, err
	}
	if c.Keys == nil {
		return nil, errUnproved
	}
	claims, err := a.open(ctx, c, text)
	if err != nil {
		return nil, err
	}
	if err := a.use(ctx, c, claims); err != nil {
		return nil, err
	}
	return c, nil
}

// claimedClient returns the sub of an assertion that nothing is proved of: a name
// to look a client up by.
func claimedClient(text string) (id string) {
	token, ok := jws.Split(text)
	if !ok || len(text) > maxClientAssertion {
		return ""
	}
	payload, err := jws.AppendDecode(nil, token.Payload)
	if err != nil {
		return ""
	}
	err = strictjson.Object(payload, func(name, value []byte) error {
		if string(name) == "sub" {
			id, _ = strictjson.String(value)
		}
		return nil
	})
	if err != nil {
		return ""
	}
	return id
}

// assertionClaims are what is left to judge of an assertion whose signature,
// issuer and dates are right.
type assertionClaims struct {
	audience, id string
	expires      time.Time
}

// open verifies an assertion as a JSON Web Token that the client has issued for
// this server. Its sub is the client, as that was looked up by it.
func (a *clientAuthenticator) open(ctx context.Context, c *Client, text string) (*assertionClaims, error) {
	typ, err := assertionType(text)
	if err != nil {
		return nil, unproved(err)
	}
	verifier, err := auth.NewJWT(c.ID, a.server.config.Issuer, c.Keys, &auth.JWTOptions{
		Type:      typ,
		Leeway:    assertionLeeway,
		CacheSize: -1,
	})
	if err != nil {
		return nil, fmt.Errorf("oauth: keys of client %.64q: %w", c.ID, err)
	}
	p, err := verifier.Verify(ctx, text)
	if err != nil {
		if reason := auth.Reason(""); errors.As(err, &reason) && reason != auth.ErrUnavailable {
			return nil, unproved(err)
		}
		return nil, err
	}
	claims := &assertionClaims{expires: p.Credential.Expires}
	err = strictjson.Object(p.Claims, func(name, value []byte) error {
		switch string(name) {
		case "aud":
			claims.audience, _ = strictjson.String(value)
		case "jti":
			claims.id, _ = strictjson.String(value)
		}
		return nil
	})
	now := time.Now()
	switch {
	case err != nil:
		return nil, unproved(err)
	case claims.audience != a.server.config.Issuer:
		return nil, unproved(errors.New("assertion: aud is not the issuer alone"))
	case claims.id == "":
		return nil, unproved(errors.New("assertion: no jti"))
	case p.Credential.Confirmation != "":
		return nil, unproved(errors.New("assertion: bound to a key that was not proved"))
	case !now.Before(claims.expires):
		return nil, unproved(auth.ErrExpired)
	case claims.expires.After(now.Add(maxAssertionLife + assertionLeeway)):
		return nil, unproved(errors.New("assertion: expires too far ahead"))
	}
	return claims, nil
}

// assertionType returns the typ that the assertion is to be verified by.
func assertionType(text string) (string, error) {
	token, ok := jws.Split(text)
	if !ok {
		return "", errors.New("assertion: not three parts")
	}
	h, err := jws.ParseHeader(token.Header)
	switch {
	case err != nil:
		return "", err
	case strings.HasPrefix(h.Algorithm, "HS"):
		return "", errors.New("assertion: symmetric")
	case h.HasType && strings.EqualFold(strings.TrimPrefix(h.Type, "application/"), typClientAssertion):
		return typClientAssertion, nil
	}
	return "", nil
}

// use marks an assertion as used: of all who try, in all processes, one succeeds.
func (a *clientAuthenticator) use(ctx context.Context, c *Client, claims *assertionClaims) error {
	// No id of a client has a zero byte.
	name := auth.DigestOf(kindClientAssertion, c.ID+"\x00"+claims.id)
	err := a.server.config.Store.Insert(ctx, name, auth.Record{
		Kind:      kindClientAssertion,
		Revision:  auth.NewRevision(),
		Created:   now(),
		Expires:   claims.expires,
		KeepUntil: claims.expires.Add(spentMargin),
	})
	if errors.Is(err, auth.ErrExists) {
		return unproved(auth.ErrReused)
	}
	return err
}
