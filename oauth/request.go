package oauth

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed-077cad0b/auth"
)

// A request is an authorization request (RFC 6749 section 4.1.1) that is good, as
// far as can be told before anybody has signed in.
type request struct {
	client    *Client
	handle    auth.Digest // of a pushed request; zero for others
	redirect  string
	state     string
	asked     []string // scopes; nil: none in particular
	resources []string
	challenge string
	jkt       string
	hint      string

	// How the person is to have signed in.
	prompt []string
	maxAge *time.Duration // nil: whenever
	acr    []string       // nil: in whatever way
}

// requestParams are the parameters of authorization requests. Others are not
// looked at (RFC 6749 section 3.1).
var requestParams = []string{
	"response_type", "response_mode", "client_id", "redirect_uri", "state", "scope", "resource",
	"code_challenge", "code_challenge_method", "dpop_jkt", "prompt", "max_age", "acr_values", "login_hint",
	"request", "request_uri",
}

// only returns the parameters that have one of the names.
func (p params) only(names ...string) url.Values {
	values := url.Values{}
	for _, name := range names {
		if all := p.all(name); len(all) > 0 {
			values[name] = all
		}
	}
	return values
}

// readRequest reads an authorization request. Where the error comes with a
// request, that one's client and redirect URI are good, so that the client can be
// told.
func (s *Server) readRequest(ctx context.Context, p params) (*request, error) {
	c, err := s.client(ctx, p.of("client_id"))
	if err != nil {
		return nil, err
	}
	var handle auth.Digest
	if uri := p.of("request_uri"); pushedForm.Match(uri) {
		handle = auth.DigestOf(KindPushedRequest, uri)
		if p, err = s.pushedParams(ctx, c, handle); err != nil {
			return nil, err
		}
	}
	q, err := s.parseRequest(c, p)
	if q == nil {
		return nil, err
	}
	q.handle = handle
	if c.RequirePushed && handle.IsZero() {
		return q, refuse(ErrInvalidRequest, "The client must push its authorization requests.")
	}
	return q, err
}

// parseRequest reads what a client asks for. The redirect URI comes first: without
// a good one there is nowhere to send an error. It may be left out where one is
// registered, as OAuth 2.1 has it.
func (s *Server) parseRequest(c *Client, p params) (*request, error) {
	q := &request{
		client:   c,
		redirect: p.of("redirect_uri"),
		state:    p.of("state"),
		hint:     p.of("login_hint"),
	}
	if q.redirect == "" && len(c.RedirectURIs) == 1 {
		q.redirect = c.RedirectURIs[0]
	}
	if !matchRedirect(c, q.redirect) {
		return nil, refuse(ErrInvalidRequest, "The redirect URI is not one that the client has registered.")
	}
	for _, read := range []func(params) error{q.readResponse, q.readChallenge, q.readLogin, s.readKey(q), s.readAccess(q)} {
		if err := read(p); err != nil {
			return q, err
		}
	}
	return q, nil
}

// readResponse reads what is to be answered: a code, in the query. There is no
// other way (RFC 9700 section 2.1.2).
func (q *request) readResponse(p params) error {
	switch {
	case p.of("request") != "" || p.of("request_uri") != "":
		return refuse(ErrRequestNotSupported, "Requests are taken as parameters, or pushed.")
	case p.of("response_type") == "":
		return refuse(ErrInvalidRequest, "There is no response type.")
	case p.of("response_type") != "code":
		return refuse(ErrUnsupportedResponseType, "The only response type is code.")
	case p.of("response_mode") != "" && p.of("response_mode") != "query":
		return refuse(ErrInvalidRequest, "The only response mode is query.")
	case !q.client.may(AuthorizationCode):
		return refuse(ErrUnauthorizedClient, "The client may not use authorization codes.")
	}
	return nil
}

// readChallenge reads the code challenge (RFC 7636 section 4.3). Whoever sends
// none, or the plain one, which is the default there, is refused.
func (q *request) readChallenge(p params) error {
	q.challenge = p.of("code_challenge")
	switch {
	case q.challenge == "":
		return refuse(ErrInvalidRequest, "A code challenge is required.")
	case p.of("code_challenge_method") != "S256":
		return refuse(ErrInvalidRequest, "The only code challenge method is S256.")
	case !isThumbprint(q.challenge):
		return refuse(ErrInvalidRequest, "The code challenge is malformed.")
	}
	return nil
}

// isThumbprint reports whether s is a SHA-256 hash in base64url, as code
// challenges and thumbprints of keys are.
func isThumbprint(s string) bool {
	_, err := auth.ParseDigest(s)
	return err == nil
}

// readLogin reads how the person is to sign in (OpenID Connect Core section
// 3.1.2.1, which RFC 9470 section 4 brings to OAuth).
func (q *request) readLogin(p params) error {
	q.prompt = strings.Fields(p.of("prompt"))
	q.acr = strings.Fields(p.of("acr_values"))
	if len(q.acr) == 0 {
		q.acr = nil
	}
	for _, word := range q.prompt {
		switch word {
		case "login", "consent", "select_account":
		case "none":
			if len(q.prompt) > 1 {
				return refuse(ErrInvalidRequest, "The prompt none is not alone.")
			}
		default:
			return refuse(ErrInvalidRequest, "The prompt is not known.")
		}
	}
	if text := p.of("max_age"); text != "" {
		seconds, err := strconv.ParseUint(text, 10, 31)
		if err != nil {
			return refuse(ErrInvalidRequest, "The maximum age is not a number of seconds.")
		}
		age := time.Duration(seconds) * time.Second
		q.maxAge = &age
	}
	return nil
}

// prompts reports whether the client has asked for a prompt.
func (q *request) prompts(word string) bool { return slices.Contains(q.prompt, word) }

// readKey reads the key that the code is to be bound to (RFC 9449 section 10).
func (s *Server) readKey(q *request) func(params) error {
	return func(p params) error {
		q.jkt = p.of("dpop_jkt")
		switch {
		case q.jkt == "":
			return nil
		case s.config.DPoP == nil:
			return refuse(ErrInvalidRequest, "Tokens are not bound to keys here.")
		case !isThumbprint(q.jkt):
			return refuse(ErrInvalidRequest, "The thumbprint of the DPoP key is malformed.")
		}
		return nil
	}
}

// readAccess reads what the tokens are to be good for. What of it the person can
// grant is not known yet.
func (s *Server) readAccess(q *request) func(params) error {
	return func(p params) (err error) {
		if q.asked, err = p.scopes(); err != nil {
			return err
		}
		if _, err = s.allowScopes(q.client, q.asked, nil); err != nil {
			return err
		}
		q.resources, err = s.allowResources(q.client, p.all("resource"))
		return err
	}
}
