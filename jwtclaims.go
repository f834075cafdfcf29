package auth

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed-077cad0b/auth/internal/strictjson"
)

var (
	errPayload  = refusal("payload is not one JSON object")
	errClaim    = refusal("a claim is of the wrong type")
	errRequired = refusal("exp, iss, aud or sub is missing")
	errIssuer   = refusal("iss is another")
	errAudience = refusal("aud is another")
	errNoAge    = refusal("iat is missing")
	errOrigin   = refusal("malformed origin")
)

// A claimSet is what this package reads of a payload. Slices are parts of it.
type claimSet struct {
	present present

	iss, sub, jti, tenant, tier, client, acr []byte

	scope    []byte // separated by blanks
	scp      []string
	scopes   []string
	audience []string // aud
	forUs    bool     // one of them is an audience asked for

	exp, nbf, iat, authTime, originTime int64

	// Private members of tokens that this package issues.
	origin, family, idp []byte
	networks            *Networks
	rate                Rate

	confirmation string
}

// present are the claims that a token has.
type present uint32

const (
	hasExp present = 1 << iota
	hasIss
	hasAud
	hasSub
	hasIat
	hasJti
	hasScope
	hasScp
	hasAuthTime
	hasOriginTime
	hasOrigin
	hasFamily
	hasIdp

	required = hasExp | hasIss | hasAud | hasSub
)

func (c *claimSet) has(p present) bool { return c.present&p == p }

// The private members. origin is the kind, a colon and the id of the Origin;
// origin_time its time where the kind is unknown, so that nobody takes it for
// the time of an authentication; fam the family; idp the principal's issuer,
// where it is not the token's; origin_networks and origin_rate what came down
// from the origin to narrow, and to count, its use.
const (
	claimOrigin     = "origin"
	claimOriginTime = "origin_time"
	claimFamily     = "fam"
	claimIdp        = "idp"
	claimNetworks   = "origin_networks"
	claimRate       = "origin_rate"
)

// reserved reports whether a claim is this package's to write.
func reserved(name string) bool {
	switch name {
	case "iss", "sub", "aud", "exp", "nbf", "iat", "jti", "scope", "scp", "scopes", "tenant", "tier",
		"auth_time", "acr", "client_id", "cnf", claimOrigin, claimOriginTime, claimFamily, claimIdp, claimNetworks, claimRate:
		return true
	}
	return false
}

// read reads a payload in one pass.
func (c *claimSet) read(payload []byte, audience [][]string) error {
	r, ok := strictjson.NewReader(payload), true
	for name := r.Next(); name != nil; name = r.Next() {
		switch string(name) {
		case "iss":
			c.iss, ok = c.text(hasIss, r)
		case "sub":
			c.sub, ok = c.text(hasSub, r)
			ok = ok && len(c.sub) > 0
		case "aud":
			ok = c.readAudience(r, audience)
		case "exp":
			c.exp, ok = c.date(hasExp, r)
		case "nbf":
			c.nbf, ok = c.date(0, r)
		case "iat":
			c.iat, ok = c.date(hasIat, r)
		case "auth_time":
			c.authTime, ok = c.date(hasAuthTime, r)
		case claimOriginTime:
			c.originTime, ok = c.date(hasOriginTime, r)
		case "jti":
			c.jti, ok = c.text(hasJti, r)
		case "client_id":
			c.client, ok = c.text(0, r)
		case "acr":
			c.acr, ok = c.text(0, r)
		case "tenant":
			c.tenant, ok = c.text(0, r)
		case "tier":
			c.tier, ok = c.text(0, r)
		case "scope":
			c.scope, ok = c.text(hasScope, r)
		case "scp":
			c.present |= hasScp
			var text []byte
			if text, ok = r.Bytes(); ok {
				c.scp = appendFields(nil, string(text))
			} else {
				c.scp, ok = texts(r.Value())
			}
		case "scopes":
			c.scopes, ok = texts(r.Value())
		case claimOrigin:
			c.origin, ok = c.text(hasOrigin, r)
		case claimFamily:
			c.family, ok = c.text(hasFamily, r)
		case claimIdp:
			c.idp, ok = c.text(hasIdp, r)
		case claimNetworks:
			c.networks, ok = readNetworks(r.Value())
		case claimRate:
			c.rate, ok = readRate(r.Value())
		case "cnf":
			c.confirmation, ok = confirmationOf(r.Value())
		}
		if !ok {
			break
		}
	}
	switch {
	case r.Err() != nil:
		return errPayload
	case !ok:
		return errClaim
	case !c.has(required):
		return errRequired
	}
	return nil
}

func (c *claimSet) text(p present, r *strictjson.Reader) ([]byte, bool) {
	c.present |= p
	return r.Bytes()
}

func (c *claimSet) date(p present, r *strictjson.Reader) (int64, bool) {
	c.present |= p
	if seconds, ok := r.Whole(); ok {
		return seconds * 1e6, seconds <= latest
	}
	return numericDate(r.Value())
}

// readAudience reads a text or an array of texts.
func (c *claimSet) readAudience(r *strictjson.Reader, audience [][]string) bool {
	c.present |= hasAud
	if text, ok := r.Bytes(); ok {
		for _, a := range audience {
			if string(text) == a[0] {
				c.audience, c.forUs = a[1:], true
				return true
			}
		}
		c.audience = []string{string(text)}
		return true
	}
	return strictjson.Array(r.Value(), func(value []byte) error {
		text, ok := strictjson.String(value)
		if !ok {
			return errClaim
		}
		c.audience = append(c.audience, text)
		c.forUs = c.forUs || slices.ContainsFunc(audience, func(a []string) bool { return a[0] == text })
		return nil
	}) == nil
}

// texts reads an array of texts that are not empty.
func texts(value []byte) ([]string, bool) {
	var list []string
	err := strictjson.Array(value, func(value []byte) error {
		text, ok := strictjson.String(value)
		if !ok || text == "" {
			return errClaim
		}
		list = append(list, text)
		return nil
	})
	return slices.Clip(list), err == nil // whoever appends to it gets another one
}

// appendFields splits a text at its blanks, and only at those, and appends what is
// between them. Of nothing it makes nil.
func appendFields(list []string, text string) []string {
	list = slices.Grow(list, strings.Count(text, " ")+1)
	for text != "" {
		end := strings.IndexByte(text, ' ')
		if end < 0 {
			end = len(text)
		}
		if end > 0 {
			list = append(list, text[:end])
		}
		text = text[min(end+1, len(text)):]
	}
	if len(list) == 0 {
		return nil
	}
	return slices.Clip(list) // whoever appends to it gets another one
}

// The confirmation methods (RFC 7800) that are known, as Credential spells
// them, and what stands for all others: no source takes it for a bearer token.
const (
	confirmJKT         = "jkt:"
	confirmX5T         = "x5t#S256:"
	confirmUnsupported = "unsupported"
)

func confirmationOf(value []byte) (string, bool) {
	confirmation := ""
	err := strictjson.Object(value, func(name, value []byte) error {
		text, isText := strictjson.String(value)
		switch {
		case confirmation != "" || !isText || text == "":
			confirmation = confirmUnsupported
		case string(name) == "jkt":
			confirmation = confirmJKT + text
		case string(name) == "x5t#S256":
			confirmation = confirmX5T + text
		default:
			confirmation = confirmUnsupported
		}
		return nil
	})
	return or(confirmation, confirmUnsupported), err == nil
}

func readNetworks(value []byte) (*Networks, bool) {
	text, ok := strictjson.String(value)
	if !ok {
		return nil, false
	}
	n, err := ParseNetworks(text)
	return n, err == nil
}

// rateText is the text of a rate: its limit, the nanoseconds and its burst.
func rateText(r Rate) string { return fmt.Sprintf("%d/%d/%d", r.Limit, r.Per, r.Burst) }

func readRate(value []byte) (r Rate, ok bool) {
	text, ok := strictjson.String(value)
	if !ok {
		return r, false
	}
	_, err := fmt.Sscanf(text, "%d/%d/%d", &r.Limit, &r.Per, &r.Burst)
	return r, err == nil && r.Validate() == nil && rateText(r) == text
}

// identify fills in the principal of a token whose claims are c. Scopes lie in
// room, as long as there is any.
func (j *JWT) identify(p *Principal, room []string, c *claimSet, signed string, payload []byte) error {
	var t copies
	t.grow(c)
	p.Issuer = j.issuer
	t.copy(&p.Tenant, c.tenant)
	t.copy(&p.Subject, c.sub)
	t.copy(&p.Tier, c.tier)
	p.Claims = make([]byte, len(payload)) // no longer: whoever appends to it gets another one
	copy(p.Claims, payload)
	p.Networks = c.networks // whoever wrote it: it only narrows
	switch {
	case c.has(hasScope):
		p.Scopes = appendFields(room, t.add(c.scope))
	case c.has(hasScp):
		p.Scopes = c.scp
	default:
		p.Scopes = c.scopes
	}

	t.copy(&p.Credential.ID, c.jti)
	p.Credential.Kind = KindJWT
	t.copy(&p.Credential.Family, c.family)
	p.Credential.Confirmation = c.confirmation
	t.copy(&p.Credential.ClientID, c.client)
	p.Credential.Audience = slices.Clip(c.audience)
	p.Credential.Expires = instantOf(c.exp)
	if c.has(hasIat) {
		p.Credential.Created = instantOf(c.iat)
	}
	if p.Credential.ID == "" {
		// Not of the signature: of some algorithms there is more than one that
		// holds, and revoking the token would miss the others.
		p.Credential.ID = DigestOf(KindJWT, signed).String()
	}
	if p.Credential.Family == "" {
		p.Credential.Family = p.Credential.ID
	}

	own := j.signing() != nil
	if own {
		p.Rate = c.rate
		if c.has(hasIdp) {
			p.Issuer = t.add(c.idp)
		}
	}
	if !c.trace(&p.Origin, p.Credential.ID, &t) && own {
		return errOrigin
	}
	t.copy(&p.Origin.ACR, c.acr)
	return nil
}

// copies are the texts of a principal. They lie in one string, as there are many
// and most are short.
type copies struct{ all strings.Builder }

// grow makes room for all that a principal takes from c.
func (t *copies) grow(c *claimSet) {
	t.all.Grow(len(c.sub) + len(c.jti) + len(c.tenant) + len(c.tier) + len(c.client) + len(c.acr) +
		len(c.scope) + len(c.origin) + len(c.family) + len(c.idp))
}

// copy sets a text that is empty as yet. Where it stays so, as most do, nothing is
// written: each pointer in a principal is one more for the collector to hear of.
func (t *copies) copy(to *string, text []byte) {
	if len(text) > 0 {
		*to = t.add(text)
	}
}

func (t *copies) add(text []byte) string {
	from := t.all.Len()
	t.all.Write(text)
	return t.all.String()[from:]
}

// trace finds out where the principal comes from, and returns false where the
// token's private members contradict each other. In a foreign token, where they
// may mean something else, the origin is then unknown.
func (c *claimSet) trace(o *Origin, id string, t *copies) bool {
	if !c.has(hasOrigin) {
		if !c.has(hasAuthTime) {
			o.Time = instantOf(c.iat)
			return !c.has(hasOriginTime)
		}
		o.Kind, o.ID, o.Time = KindJWT, id, instantOf(c.authTime)
		return true
	}
	kind, root, ok := strings.Cut(t.add(c.origin), ":")
	switch {
	case ok && kind != "" && c.has(hasAuthTime):
		o.Kind, o.ID, o.Time = Kind(kind), root, instantOf(c.authTime)
	case ok && kind == "" && c.has(hasOriginTime):
		o.ID, o.Time = root, instantOf(c.originTime)
	default:
		o.Time = instantOf(c.iat)
		return false
	}
	return true
}

// signing returns the key that signs, or nil.
func (j *JWT) signing() *Key {
	if j.signer == nil {
		return nil
	}
	return j.signer.Signing()
}

func instantOf(microseconds int64) time.Time { return time.UnixMicro(microseconds).UTC() }
