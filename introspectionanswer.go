package auth

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/seed-077cad0b/auth/internal/strictjson"
)

// The refusals of a token that JWTs do not have.
var (
	errInactive   = refusal("not active")
	errTokenType  = refusal("token_type is another")
	errNoAudience = refusal("aud is missing")
)

// What is wrong with an answer. None of it is the caller's fault.
var (
	errAnswer     = errors.New("answer is not one JSON object with active")
	errMember     = errors.New("answer has a member of the wrong type")
	errNobody     = errors.New("answer has neither sub nor client_id")
	errKeyless    = errors.New("answer has the token_type DPoP and no cnf with a jkt")
	errOwnRefused = errors.New("server refuses this API's own credentials")
)

// introspectionLeeway is how far the server's clock may be ahead.
const introspectionLeeway = int64(30 * time.Second / time.Microsecond)

// read judges an answer about a token, at a time. Errors that are no refusals say
// what is wrong with it.
func (i *Introspection) read(answer []byte, token string, at int64) (*Principal, error) {
	s, err := readState(answer)
	switch {
	case err != nil:
		return nil, err
	case !s.active:
		return nil, errInactive
	}
	var c claimSet
	err = c.read(answer, i.audience)
	switch {
	case err != nil && !errors.Is(err, errRequired): // here, none is
		return nil, errMember
	case !s.isAccessToken():
		return nil, errTokenType
	case strings.EqualFold(s.tokenType, "DPoP") && !strings.HasPrefix(c.confirmation, confirmJKT):
		return nil, errKeyless
	case c.has(hasIss) && string(c.iss) != i.issuer:
		return nil, errIssuer
	case !c.has(hasAud) && !i.noAudience:
		return nil, errNoAudience
	case c.has(hasAud) && !c.forUs:
		return nil, errAudience
	case c.has(hasExp) && at >= c.exp:
		return nil, errExpired
	case at < max(c.nbf, c.iat, c.authTime)-introspectionLeeway:
		return nil, errNotYet
	case len(c.sub) == 0 && len(c.client) == 0:
		return nil, errNobody
	}
	return i.principal(&c, token, answer), nil
}

// A tokenState is what an answer says of a token beside the claims that a JWT
// has, too.
type tokenState struct {
	active    bool
	tokenType string // empty: absent
	tokenUse  string // of some servers; empty: absent
}

// isAccessToken reports whether the token is none of another sort, such as a
// refresh token, of which some servers tell here, too.
func (s tokenState) isAccessToken() bool {
	switch strings.ToLower(s.tokenType) {
	case "", "bearer", "dpop":
		return s.tokenUse == "" || s.tokenUse == "access_token"
	}
	return false
}

func readState(answer []byte) (s tokenState, err error) {
	told := false
	err = strictjson.Object(answer, func(name, value []byte) error {
		ok := true
		switch string(name) {
		case "active":
			s.active = string(value) == "true"
			told, ok = true, s.active || string(value) == "false"
		case "token_type":
			s.tokenType, ok = strictjson.String(value)
		case "token_use":
			s.tokenUse, ok = strictjson.String(value)
		}
		if !ok {
			return errMember
		}
		return nil
	})
	if err == nil && !told {
		err = errAnswer
	}
	return s, err
}

// principal makes the principal of a token whose server answered with c.
func (i *Introspection) principal(c *claimSet, token string, answer []byte) *Principal {
	id := or(string(c.jti), DigestOf(KindAccessToken, token).String())
	p := &Principal{
		Issuer:  i.issuer,
		Tenant:  string(c.tenant),
		Subject: or(string(c.sub), string(c.client)),
		Tier:    string(c.tier),
		Scopes:  appendFields(nil, string(c.scope)),
		Origin:  Origin{Time: instantOf(c.iat), ACR: string(c.acr)},
		Credential: Credential{
			ID:           id,
			Kind:         KindAccessToken,
			Family:       id,
			Confirmation: c.confirmation,
			ClientID:     string(c.client),
			Audience:     slices.Clip(c.audience),
		},
		Claims:   slices.Clip(bytes.Clone(answer)), // without the room that it was read into
		Networks: c.networks,                       // it only narrows
	}
	if c.has(hasIat) {
		p.Credential.Created = instantOf(c.iat)
	}
	if c.has(hasExp) {
		p.Credential.Expires = instantOf(c.exp)
	}
	if c.has(hasAuthTime) {
		p.Origin.Kind, p.Origin.ID, p.Origin.Time = KindAccessToken, id, instantOf(c.authTime)
	}
	return p
}
