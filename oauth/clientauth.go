package oauth

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/seed-077cad0b/auth"
)

// A clientAuthenticator tells which client sends a request, for the guard in front
// of the endpoints that clients call. Client and form go to the endpoint by a slot
// in the request's context.
//
// A client that is not known, one that is disabled and one that does not prove
// itself are answered alike.
type clientAuthenticator struct{ server *Server }

// A caller is who sends a request, and its form.
type caller struct {
	claimed string // id that the request names, if it can be one
	client  *Client
	params  params
}

type callerKey struct{}

// authenticate returns the client that sends r, and the form that it sends. It
// reads the body, and uses up what proves the client, so it is called once for
// each request. The event gets the client's id, or that of which there is no proof.
func (s *Server) authenticate(r *http.Request, e *Event) (*Client, params, error) {
	c := &caller{}
	guarded := r.WithContext(context.WithValue(r.Context(), callerKey{}, c))
	_, err := s.clients.Check(guarded)
	e.ClientID = c.claimed
	if err != nil {
		return nil, nil, err
	}
	r.Body = guarded.Body // which has been read, and put back
	return c.client, c.params, nil
}

// Authenticate implements auth.Authenticator.
func (a *clientAuthenticator) Authenticate(r *http.Request) (*auth.Principal, error) {
	p, err := formOf(r)
	if err != nil {
		return nil, withReason(err)
	}
	c, err := a.identify(r, p)
	if err != nil {
		return nil, withReason(err)
	}
	if slot, ok := r.Context().Value(callerKey{}).(*caller); ok {
		slot.client, slot.params = c, p
	}
	return a.server.principalOf(c), nil
}

// principalOf returns a client as itself, without scopes and a time of proof.
func (s *Server) principalOf(c *Client) *auth.Principal {
	return &auth.Principal{
		Issuer:     s.config.Issuer,
		Subject:    c.ID,
		Origin:     auth.Origin{Kind: auth.KindClient, ID: c.ID},
		Credential: auth.Credential{ID: c.ID, Kind: auth.KindClient, ClientID: c.ID},
	}
}

// withReason gives a refusal the reason by which the guard, its observer and its
// throttle tell it from an outage, and a guess at a secret from a slip.
func withReason(err error) error {
	var r *refusal
	if !errors.As(err, &r) {
		return err
	}
	reason := auth.ErrMalformed
	if r.code == ErrInvalidClient {
		reason = auth.ErrInvalid
	}
	return &auth.Failure{Reason: reason, Err: err}
}

// unproved refuses a client: always in the same words.
func unproved(cause error) error {
	return because(cause, ErrInvalidClient, "The client is not known, or has not proved that it is who it says.")
}

var (
	errUnproved   = unproved(errors.New("no such secret, or another way of proof"))
	errTwoMethods = refuse(ErrInvalidRequest, "There is more than one way of client authentication.")
	errTwoClients = refuse(ErrInvalidRequest, "There is more than one client_id.")
)

// identify authenticates the client by the one way that it has chosen (RFC 6749
// section 2.3).
func (a *clientAuthenticator) identify(r *http.Request, p params) (*Client, error) {
	basic := len(r.Header["Authorization"]) > 0
	secret := p.of("client_secret") != ""
	assertion := p.of("client_assertion") != "" || p.of("client_assertion_type") != ""
	switch {
	case basic && (secret || assertion), secret && assertion:
		return nil, errTwoMethods
	case basic:
		id, secret, err := basicOf(r)
		if err != nil {
			return nil, err
		}
		return a.bySecret(r.Context(), p, id, secret)
	case secret:
		return a.bySecret(r.Context(), p, p.of("client_id"), p.of("client_secret"))
	case assertion:
		return a.byAssertion(r.Context(), p)
	}
	return a.byName(r.Context(), p.of("client_id"))
}

// reserveRoom bounds what anybody can fill the store with, in the name of a public
// client: by the address.
func (s *Server) reserveRoom(r *http.Request, c *Client) error {
	if !c.Public {
		return nil
	}
	_, err := auth.Reserve(r.Context(), s.unproved, "public-clients", auth.AddressKey(s.clients.ClientAddress(r)))
	return err
}

// lookup returns the entry of a client, for whom p may name no other.
func (a *clientAuthenticator) lookup(ctx context.Context, p params, id string) (*Client, error) {
	if named := p.of("client_id"); named != "" && named != id {
		return nil, errTwoClients
	}
	if slot, ok := ctx.Value(callerKey{}).(*caller); ok && isClientID(id) {
		slot.claimed = id
	}
	c, err := a.server.client(ctx, id)
	if errors.Is(err, ErrInvalidClient) {
		return nil, unproved(err)
	}
	return c, err
}

// bySecret authenticates a client by client_secret_basic or client_secret_post.
func (a *clientAuthenticator) bySecret(ctx context.Context, p params, id, secret string) (*Client, error) {
	c, err := a.lookup(ctx, p, id)
	if err != nil {
		(&Client{}).hasSecret(secret, time.Now()) // who is not known costs a hash, too
		return nil, err
	}
	if !c.hasSecret(secret, time.Now()) {
		return nil, errUnproved
	}
	return c, nil
}

// byName takes the word of a public client for who it is (RFC 6749 section 2.1).
func (a *clientAuthenticator) byName(ctx context.Context, id string) (*Client, error) {
	c, err := a.lookup(ctx, nil, id)
	switch {
	case err != nil:
		return nil, err
	case !c.Public:
		return nil, errUnproved
	}
	return c, nil
}

// basicOf reads client_secret_basic. Both parts are form-encoded inside of it (RFC
// 6749 section 2.3.1), so a secret with a percent sign or a plus that is not is
// another secret.
func basicOf(r *http.Request) (id, secret string, err error) {
	fields := r.Header["Authorization"]
	if len(fields) > 1 {
		return "", "", errTwoMethods
	}
	scheme, encoded, _ := strings.Cut(fields[0], " ")
	if !strings.EqualFold(scheme, "Basic") {
		return "", "", unproved(errors.New("another scheme than Basic"))
	}
	text, err := base64.StdEncoding.Strict().DecodeString(strings.TrimLeft(encoded, " "))
	if err != nil {
		return "", "", unproved(errors.New("not base64"))
	}
	id, secret, ok := strings.Cut(string(text), ":")
	var errs [2]error
	id, errs[0] = url.QueryUnescape(id)
	secret, errs[1] = url.QueryUnescape(secret)
	if !ok || errors.Join(errs[:]...) != nil {
		return "", "", unproved(errors.New("not two form-encoded parts"))
	}
	return id, secret, nil
}
