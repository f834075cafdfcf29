package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/seed-077cad0b/auth"
)

// pushedLifetime is how long a pushed request is good. People read, and sign in,
// meanwhile.
const pushedLifetime = 10 * time.Minute

// pushedForm is that of the handles (RFC 9126 section 2.2): 256 random bits.
var pushedForm = auth.TokenForm("urn:ietf:params:oauth:request_uri:")

// maxRequest bounds an authorization request, in bytes of its query, and
// maxPublicRequest one that is kept for a client who has proved nothing.
const (
	maxRequest       = 16 << 10
	maxPublicRequest = 4 << 10
)

var errLongRequest = refuse(ErrInvalidRequest, "The authorization request is too long.")

// pushed is what is kept of a pushed request: no secret by which the client has
// authenticated is in it.
type pushed struct {
	ClientID string `json:"client_id"`
	Params   string `json:"params"`
}

// pushedAnswer is the answer of RFC 9126 section 2.2.
type pushedAnswer struct {
	RequestURI string `json:"request_uri"`
	ExpiresIn  int    `json:"expires_in"` // seconds
}

func (s *Server) servePushed(w http.ResponseWriter, r *http.Request) {
	e := Event{Endpoint: "pushed_authorization"}
	var handle string
	c, p, err := s.authenticate(r, &e)
	if err == nil {
		handle, err = s.push(r, c, p)
	}
	e.Err = err
	s.observe(r, e)
	if err != nil {
		writeError(w, err)
		return
	}
	writeJSON(w, http.StatusCreated, pushedAnswer{handle, int(pushedLifetime / time.Second)})
}

// push keeps a request that is good and returns its handle.
func (s *Server) push(r *http.Request, c *Client, p params) (string, error) {
	if p.of("request_uri") != "" {
		return "", refuse(ErrInvalidRequest, "A pushed request has no request URI.")
	}
	if _, err := s.parseRequest(c, p); err != nil {
		return "", err
	}
	if err := s.pushKey(r, p); err != nil {
		return "", err
	}
	query := p.only(requestParams...).Encode()
	if len(query) > maxRequest || c.Public && len(query) > maxPublicRequest {
		return "", errLongRequest
	}
	if err := s.reserveRoom(r, c); err != nil {
		return "", err
	}
	data, err := json.Marshal(pushed{c.ID, query})
	if err != nil {
		return "", err
	}
	handle, created := pushedForm.New(), now()
	err = s.config.Store.Insert(r.Context(), auth.DigestOf(KindPushedRequest, handle), auth.Record{
		Kind:      KindPushedRequest,
		Revision:  auth.NewRevision(),
		Created:   created,
		Expires:   created.Add(pushedLifetime),
		KeepUntil: created.Add(pushedLifetime + spentMargin),
		Data:      data,
	})
	return handle, err
}

// pushKey has a proof that comes with the request stand for dpop_jkt, or agree
// with it (RFC 9449 section 10.1). It uses up the proof.
func (s *Server) pushKey(r *http.Request, p params) error {
	if s.config.DPoP == nil || len(r.Header["Dpop"]) == 0 {
		return nil
	}
	confirmation, err := s.config.DPoP.Prove(r, "")
	if err != nil {
		return err
	}
	jkt := strings.TrimPrefix(confirmation, "jkt:")
	if asked := p.of("dpop_jkt"); asked != "" && asked != jkt {
		return refuse(ErrInvalidDPoPProof, "The proof is of another key than the request asks for.")
	}
	p["dpop_jkt"] = []string{jkt}
	return nil
}

// pushedParams returns what a client has pushed under a handle.
func (s *Server) pushedParams(ctx context.Context, c *Client, handle auth.Digest) (params, error) {
	r, err := s.config.Store.Lookup(ctx, handle)
	switch {
	case errors.Is(err, auth.ErrNotFound):
		return nil, errNoPushed
	case err != nil:
		return nil, fmt.Errorf("oauth: looking up a pushed request: %w", err)
	case r.Kind != KindPushedRequest:
		return nil, errNoPushed
	}
	var is pushed
	if err := json.Unmarshal(r.Data, &is); err != nil {
		return nil, fmt.Errorf("oauth: data of a pushed request: %w", err)
	}
	if is.ClientID != c.ID || c.succeeds(r.Created) || !time.Now().Before(r.Expires) {
		return nil, errNoPushed
	}
	return parseParams(is.Params)
}

// spendPushed takes the handle of a request that a code has been made for. Of
// codes that are made at once, one is handed out.
func (s *Server) spendPushed(ctx context.Context, q *request) error {
	if q.handle.IsZero() {
		return nil
	}
	_, err := s.config.Store.Take(ctx, q.handle)
	switch {
	case errors.Is(err, auth.ErrNotFound):
		return errNoPushed
	case err != nil:
		return fmt.Errorf("oauth: taking a pushed request: %w", err)
	}
	return nil
}

var errNoPushed = refuse(ErrInvalidRequestURI, "The pushed request is not known, has expired, or has been used.")
