package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/seed-077cad0b/auth/internal/jws"
	"github.com/seed-077cad0b/auth/internal/strictjson"
)

var (
	errNoSigning    = errors.New("auth: JWT: the key set has no key that signs")
	errUnwritable   = errors.New("auth: JWT: a scope or the kind of the origin cannot be written into a token")
	errNotUTF8      = errors.New("auth: JWT: the principal has text that is not UTF-8")
	errConfirmation = errors.New("auth: JWT: unknown confirmation method")
	errIssuedLong   = errors.New("auth: JWT: the token would be longer than MaxLength")
)

// Issue implements [Issuer]. The members of p.Claims that have no meaning of
// their own here go into the token as they are. The token belongs to p's
// family and carries its origin, so whatever ends those ends it, where
// [JWTOptions.Revocation] is set; a login that has been overtaken by a sign-out
// is refused with [ErrRevoked]. It also carries p's networks, for every verifier,
// and p's rate, for those that can sign, too.
func (j *JWT) Issue(ctx context.Context, p *Principal, o *IssueOptions) (*Grant, error) {
	key := j.signing()
	if key == nil {
		return nil, errNoSigning
	}
	if p == nil {
		return nil, errNoSubject
	}
	created := now()
	d, err := p.derive(o, Credential{
		ID:      jws.Encode(random(16)),
		Kind:    KindJWT,
		Family:  o.family(p.Credential.Family),
		Created: created,
		Expires: created.Add(o.lifetime(j.lifetime)),
	})
	if err != nil {
		return nil, err
	}
	audience := j.audience[0][1:]
	if o != nil && o.Audience != nil {
		audience = o.Audience
	}
	payload, err := j.payload(d, audience)
	if err != nil {
		return nil, err
	}
	signed := jws.Encode(header(key, j.typ)) + "." + jws.Encode(payload)
	signature, err := key.jws.Sign(signed)
	if err != nil {
		return nil, fmt.Errorf("auth: JWT: signing: %w", err)
	}
	token := signed + "." + jws.Encode(signature)
	if len(token) > j.maxLength {
		return nil, errIssuedLong
	}

	// The principal of the grant is read back, so that it is what the token
	// will yield.
	var c claimSet
	if err := c.read(payload, j.audience); err != nil {
		return nil, fmt.Errorf("auth: JWT: reading back: %v", err) // no refusal of the caller
	}
	granted := &Principal{}
	if err := j.identify(granted, nil, &c, signed, payload); err != nil {
		return nil, fmt.Errorf("auth: JWT: reading back: %v", err)
	}
	if j.marks != nil {
		if err := j.marks.checkNow(ctx, granted, namesOf(granted)...); err != nil {
			return nil, err
		}
	}
	return &Grant{Token: NewSecret(token), Principal: granted}, nil
}

func header(key *Key, typ string) []byte {
	b := append([]byte(`{"alg":`), jsonText(string(key.Algorithm()))...)
	b = append(append(b, `,"typ":`...), jsonText(typ)...)
	b = append(append(b, `,"kid":`...), jsonText(key.ID())...)
	return append(b, '}')
}

// payload writes the claims of d.
func (j *JWT) payload(d *Principal, audience []string) ([]byte, error) {
	if strings.Contains(string(d.Origin.Kind), ":") {
		return nil, errUnwritable
	}
	for _, s := range d.Scopes {
		if s == "" || strings.Contains(s, " ") {
			return nil, errUnwritable // it would become several, or none
		}
	}
	w := &claimWriter{}
	w.text("iss", j.issuer)
	w.text("sub", d.Subject)
	if len(audience) == 1 {
		w.text("aud", audience[0])
	} else {
		w.texts("aud", audience)
	}
	w.raw("exp", strconv.FormatInt(d.Credential.Expires.Unix(), 10))
	w.raw("iat", strconv.FormatInt(d.Credential.Created.Unix(), 10))
	w.text("jti", d.Credential.ID)
	w.some("scope", strings.Join(d.Scopes, " "))
	w.some("client_id", d.Credential.ClientID)
	w.some("acr", d.Origin.ACR)
	w.some("tenant", d.Tenant)
	w.some("tier", d.Tier)
	w.text(claimOrigin, string(d.Origin.Kind)+":"+d.Origin.ID)
	if d.Origin.Kind != "" {
		w.raw("auth_time", seconds(d.Origin.Time))
	} else {
		w.raw(claimOriginTime, seconds(d.Origin.Time))
	}
	w.some(claimFamily, d.Credential.Family)
	if d.Issuer != j.issuer {
		w.text(claimIdp, d.Issuer)
	}
	if d.Networks != nil {
		w.text(claimNetworks, d.Networks.String())
	}
	if d.Rate != (Rate{}) {
		w.text(claimRate, rateText(d.Rate))
	}
	switch c := d.Credential.Confirmation; {
	case c == "":
	case strings.HasPrefix(c, confirmJKT) && len(c) > len(confirmJKT):
		w.raw("cnf", `{"jkt":`+jsonText(c[len(confirmJKT):])+`}`)
	case strings.HasPrefix(c, confirmX5T) && len(c) > len(confirmX5T):
		w.raw("cnf", `{"x5t#S256":`+jsonText(c[len(confirmX5T):])+`}`)
	default:
		return nil, errConfirmation
	}
	if len(d.Claims) > 0 {
		err := strictjson.Object(d.Claims, func(name, value []byte) error {
			if n := string(name); !reserved(n) {
				w.raw(n, string(value))
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("auth: JWT: claims of the principal: %w", err)
		}
	}
	if !utf8.Valid(w.json) || w.invalid {
		return nil, errNotUTF8
	}
	return append(w.json, '}'), nil
}

// seconds writes t exactly.
func seconds(t time.Time) string {
	us := instant(t).UnixMicro()
	return fmt.Sprintf("%d.%06d", us/1e6, us%1e6)
}

// A claimWriter writes the members of an object.
type claimWriter struct {
	json    []byte
	invalid bool // a text was not UTF-8, which encoding/json mends in silence
}

func (w *claimWriter) raw(name, value string) {
	if len(w.json) == 0 {
		w.json = append(w.json, '{')
	} else {
		w.json = append(w.json, ',')
	}
	w.json = append(append(w.json, jsonText(name)...), ':')
	w.json = append(w.json, value...)
}

func (w *claimWriter) text(name, value string) {
	w.invalid = w.invalid || !utf8.ValidString(value)
	w.raw(name, jsonText(value))
}

// some writes a text that is absent when empty.
func (w *claimWriter) some(name, value string) {
	if value != "" {
		w.text(name, value)
	}
}

func (w *claimWriter) texts(name string, values []string) {
	w.invalid = w.invalid || !utf8.ValidString(strings.Join(values, ""))
	list, _ := json.Marshal(values) // strings only
	w.raw(name, string(list))
}

// jsonText returns s as a JSON string.
func jsonText(s string) string {
	text, _ := json.Marshal(s)
	return string(text)
}
