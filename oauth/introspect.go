package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/seed-077cad0b/auth"
)

// serveIntrospect is the introspection endpoint (RFC 7662). Whoever may not know
// about a token is answered as if there were none.
func (s *Server) serveIntrospect(w http.ResponseWriter, r *http.Request) {
	e := Event{Endpoint: "introspect"}
	var answer introspection
	c, p, err := s.authenticate(r, &e)
	if err == nil {
		e.Principal, err = s.introspect(r.Context(), c, p.of("token"))
	}
	if err == nil && e.Principal != nil {
		answer, err = s.newIntrospection(e.Principal)
	}
	e.Err = err
	s.observe(r, e)
	if err != nil {
		writeError(w, err)
		return
	}
	writeJSON(w, http.StatusOK, answer)
}

var errPublicIntrospects = refuse(ErrInvalidClient, "A public client proves nothing, so it is told nothing.")

// introspect returns whom a token is about, and nobody where it is not good or not
// for c to know of: c knows of the tokens that it has been issued, and of access
// tokens for the resource that it is.
func (s *Server) introspect(ctx context.Context, c *Client, token string) (*auth.Principal, error) {
	switch {
	case c.Public:
		return nil, errPublicIntrospects
	case token == "":
		return nil, errNoToken
	}
	p, err := s.accessToken(ctx, token)
	if errors.Is(err, auth.ErrNotMine) {
		if p, err = s.refresh.Introspect(ctx, token); err == nil {
			err = s.goesOn(ctx, p)
		}
	}
	switch {
	case errors.Is(err, auth.ErrNotMine), isDead(err):
		return nil, nil
	case err != nil:
		return nil, err
	case !c.knows(p):
		return nil, nil
	}
	return p, nil
}

// knows reports whether a token is one that was issued to the client, or an access
// token for the resource that the client is.
func (c *Client) knows(p *auth.Principal) bool {
	return p.Credential.ClientID == c.ID || p.Credential.Kind != auth.KindRefresh && c.isAudience(p)
}

// isAudience reports whether a token is for the resource that the client is, if it
// is one.
func (c *Client) isAudience(p *auth.Principal) bool {
	return c.Audience != "" && slices.Contains(p.Credential.Audience, c.Audience)
}

// accessToken returns whom an access token of this server proves. It gives no
// leeway, as the clock is the issuer's own: what has expired is not active (RFC 7662
// section 2.2).
func (s *Server) accessToken(ctx context.Context, token string) (*auth.Principal, error) {
	p, err := s.jwt.Verify(ctx, token)
	if errors.Is(err, auth.ErrNotMine) {
		p, err = s.opaque.Verify(ctx, token)
	}
	if err == nil && !time.Now().Before(p.Credential.Expires) {
		err = auth.ErrExpired
	}
	if err == nil {
		err = s.goesOn(ctx, p)
	}
	if err != nil {
		return nil, err
	}
	return p, nil
}

// goesOn refuses what a client has been issued that is disabled by now, or not
// there any more.
func (s *Server) goesOn(ctx context.Context, p *auth.Principal) error {
	c, err := s.client(ctx, p.Credential.ClientID)
	switch {
	case errors.Is(err, ErrInvalidClient):
		return auth.ErrDisabled
	case err != nil:
		return err
	case c.endedFor(p), c.succeeds(p.Credential.Created.Add(time.Second - 1)): // in a JWT it is cut to seconds
		return auth.ErrRevoked
	}
	return nil
}

// introspection has the member names of RFC 7662 section 2.2, RFC 8693 section
// 4, RFC 9470 section 6 and, for the rest, of our own JWTs. The zero value is the
// answer about a token that is not good: active, and nothing else.
type introspection struct {
	Active    bool     `json:"active"`
	TokenType string   `json:"token_type,omitempty"`
	TokenUse  string   `json:"token_use,omitempty"`
	Issuer    string   `json:"iss,omitempty"`
	Subject   string   `json:"sub,omitempty"`
	Audience  audience `json:"aud,omitempty"`
	ClientID  string   `json:"client_id,omitempty"`
	Scope     string   `json:"scope,omitempty"`
	ID        string   `json:"jti,omitempty"`
	Issued    int64    `json:"iat,omitempty"`
	Expires   int64    `json:"exp,omitempty"`

	AuthTime int64  `json:"auth_time,omitempty"`
	ACR      string `json:"acr,omitempty"`

	Confirmation map[string]string `json:"cnf,omitempty"`
	actors

	// Identity is a subject together with these.
	IdP      string `json:"idp,omitempty"`
	Tenant   string `json:"tenant,omitempty"`
	Tier     string `json:"tier,omitempty"`
	Networks string `json:"origin_networks,omitempty"`
}

// An audience is one text, or a list of more.
type audience []string

func (a audience) MarshalJSON() ([]byte, error) {
	if len(a) == 1 {
		return json.Marshal(a[0])
	}
	return json.Marshal([]string(a))
}

var errUnspeakable = errors.New("oauth: a token is bound in a way that introspection has no word for")

func (s *Server) newIntrospection(p *auth.Principal) (introspection, error) {
	i := introspection{
		Active:   true,
		Issuer:   s.config.Issuer,
		Subject:  p.Subject,
		ClientID: p.Credential.ClientID,
		Scope:    joined(p.Scopes),
		ID:       p.Credential.ID,
		Issued:   p.Credential.Created.Unix(),
		Expires:  p.Credential.Expires.Unix(),
		ACR:      p.Origin.ACR,
		Tenant:   p.Tenant,
		Tier:     p.Tier,
	}
	if p.Credential.Kind == auth.KindRefresh {
		// Without aud: it is for this server alone, and no API may take it for
		// an access token.
		i.TokenUse = "refresh_token"
	} else {
		i.TokenUse, i.TokenType, i.Audience = "access_token", tokenType(p), p.Credential.Audience
	}
	if p.Issuer != s.config.Issuer {
		i.IdP = p.Issuer
	}
	if k := p.Origin.Kind; k != "" && k != auth.KindClient {
		i.AuthTime = p.Origin.Time.Unix()
	}
	if p.Networks != nil {
		i.Networks = p.Networks.String()
	}
	if bound := p.Credential.Confirmation; bound != "" {
		method, key, ok := strings.Cut(bound, ":")
		if !ok {
			return introspection{}, errUnspeakable
		}
		i.Confirmation = map[string]string{method: key} // RFC 9449 section 6.2, RFC 8705 section 3.2
	}
	var err error
	i.actors, err = auth.Claims[actors](p)
	return i, err
}

// actors are the members of a token that tell who acts for its subject, and who
// may (RFC 8693 sections 4.1 and 4.4).
type actors struct {
	Act    json.RawMessage `json:"act,omitempty"`
	MayAct json.RawMessage `json:"may_act,omitempty"`
}
