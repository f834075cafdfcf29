package oauth

import (
	"net/http"
	"strings"
	"time"

	"github.com/seed-077cad0b/auth"
)

// A tokenRequest is a request of a client, which has proved who it is, for tokens.
type tokenRequest struct {
	*http.Request
	client *Client
	params params

	// begun is when the request came, before anything was looked up: who is
	// proved by it was proved then, so that what ends meanwhile stays ended.
	begun time.Time

	// about is whom the tokens are about, as soon as that is known. It is for
	// the observer.
	about *auth.Principal
}

// serveToken is the token endpoint (RFC 6749 section 3.2).
func (s *Server) serveToken(w http.ResponseWriter, r *http.Request) {
	t := &tokenRequest{Request: r, begun: time.Now()}
	e := Event{Endpoint: "token"}
	var grant *auth.Grant
	t.client, t.params, e.Err = s.authenticate(r, &e)
	if e.Err == nil {
		e.Grant, e.Err = t.grant()
	}
	if e.Err == nil {
		grant, e.Err = s.grant(t, e.Grant)
		e.Principal = t.about
	}
	if e.Err == nil {
		e.Principal = grant.Principal
	}
	s.observe(r, e)
	if e.Err != nil {
		writeError(w, e.Err)
		return
	}
	writeJSON(w, http.StatusOK, tokenAnswer(e.Grant, grant))
}

// grant returns the grant that is asked for, if it is one that the client may use.
func (t *tokenRequest) grant() (GrantType, error) {
	name := t.params.of("grant_type")
	if name == "" {
		return "", refuse(ErrInvalidRequest, "There is no grant_type.")
	}
	for _, g := range grantTypes {
		switch {
		case name != string(g):
		case !t.client.may(g):
			return g, errNotItsGrant
		default:
			return g, nil
		}
	}
	return "", errNoSuchGrant
}

// grant has a grant judge what the client presents, and issue the tokens.
func (s *Server) grant(t *tokenRequest, g GrantType) (*auth.Grant, error) {
	var (
		issued *auth.Grant
		err    error
	)
	switch g {
	case AuthorizationCode:
		issued, err = s.grantCode(t)
	case ClientCredentials:
		issued, err = s.grantClientCredentials(t)
	case RefreshToken:
		issued, err = s.grantRefresh(t)
	case JWTBearer:
		issued, err = s.grantAssertion(t)
	case DeviceCode:
		issued, err = s.grantDeviceCode(t)
	case TokenExchange:
		issued, err = s.grantTokenExchange(t)
	}
	if err != nil {
		return nil, ofGrant(err)
	}
	return issued, nil
}

// A tokenBody is a successful answer (RFC 6749 section 5.1).
type tokenBody struct {
	AccessToken     string `json:"access_token"`
	IssuedTokenType string `json:"issued_token_type,omitempty"` // RFC 8693 section 2.2.1
	TokenType       string `json:"token_type"`
	ExpiresIn       int64  `json:"expires_in"`
	RefreshToken    string `json:"refresh_token,omitempty"`
	Scope           string `json:"scope"` // always: it may be less than was asked for
}

// typeURIAccessToken is what RFC 8693 section 3 calls an access token.
const typeURIAccessToken = "urn:ietf:params:oauth:token-type:access_token"

func tokenAnswer(g GrantType, issued *auth.Grant) tokenBody {
	p := issued.Principal
	b := tokenBody{
		AccessToken:  issued.Token.Reveal(),
		TokenType:    tokenType(p),
		ExpiresIn:    int64(p.Credential.Expires.Sub(p.Credential.Created) / time.Second), // it was made just now
		RefreshToken: issued.RefreshToken.Reveal(),
		Scope:        joined(p.Scopes),
	}
	if g == TokenExchange {
		b.IssuedTokenType = typeURIAccessToken
	}
	return b
}

// tokenType returns how the access token of p is to be shown. One that is bound to
// a certificate is shown as a bearer token is (RFC 8705 section 3).
func tokenType(p *auth.Principal) string {
	if strings.HasPrefix(p.Credential.Confirmation, "jkt:") {
		return "DPoP" // RFC 9449 section 5
	}
	return "Bearer"
}
