package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/seed-077cad0b/auth"
)

var deviceForm = auth.TokenForm("dc_")

// A deviceRequest is what a device asks for, and how it stands: the data of the
// record of a device code. That waits for somebody as long as it has no principal,
// and is spent when it is disabled.
type deviceRequest struct {
	authorization
	Denied   bool      `json:"denied,omitempty"`
	Interval int       `json:"interval"` // seconds
	Polled   time.Time `json:"polled,omitzero"`
}

// deviceInterval is how many seconds a device waits between two questions, and how
// many more when it has not (RFC 8628 sections 3.2, 3.5); maxInterval is the most.
const (
	deviceInterval = 5
	maxInterval    = 60
)

// A deviceAnswer is the answer to a device (RFC 8628 section 3.2).
type deviceAnswer struct {
	DeviceCode string `json:"device_code"`
	UserCode   string `json:"user_code"`
	URI        string `json:"verification_uri"`
	Complete   string `json:"verification_uri_complete"`
	ExpiresIn  int64  `json:"expires_in"`
	Interval   int    `json:"interval"`
}

// serveDeviceAuthorization is the endpoint at which a device asks for its codes
// (RFC 8628 section 3.1).
func (s *Server) serveDeviceAuthorization(w http.ResponseWriter, r *http.Request) {
	e := Event{Endpoint: "device_authorization"}
	var answer *deviceAnswer
	c, p, err := s.authenticate(r, &e)
	if err == nil {
		answer, err = s.newDeviceRequest(r, c, p)
	}
	e.Err = err
	s.observe(r, e)
	if err != nil {
		writeError(w, err)
		return
	}
	writeJSON(w, http.StatusOK, answer)
}

// newDeviceRequest judges what a device asks for, and makes its codes.
func (s *Server) newDeviceRequest(r *http.Request, c *Client, p params) (*deviceAnswer, error) {
	if !c.may(DeviceCode) {
		return nil, errNotItsGrant
	}
	names, err := p.scopes()
	if err != nil {
		return nil, err
	}
	a := deviceRequest{Interval: deviceInterval}
	a.ClientID, a.Family = c.ID, auth.NewFamily()
	if !s.knowsScopesOf(c) {
		return nil, errScopesElsewhere
	}
	if a.Scopes, err = s.allowScopes(c, names, nil); err != nil {
		return nil, err
	}
	if a.Resources, err = s.allowResources(c, p.all("resource")); err != nil {
		return nil, err
	}
	if err := s.reserveRoom(r, c); err != nil {
		return nil, err
	}
	device, user, err := s.insertDevice(r.Context(), &a)
	if err != nil {
		return nil, err
	}
	page := s.url(s.config.Endpoints.Device)
	return &deviceAnswer{
		DeviceCode: device,
		UserCode:   user,
		URI:        page,
		Complete:   page + "?" + url.Values{"user_code": {user}}.Encode(),
		ExpiresIn:  int64(s.config.DeviceLifetime / time.Second),
		Interval:   a.Interval,
	}, nil
}

// insertDevice makes the codes of a request. The user's leads to the device's
// record; nothing leads from there to a code.
func (s *Server) insertDevice(ctx context.Context, a *deviceRequest) (device, user string, err error) {
	data, err := json.Marshal(a)
	if err != nil {
		return "", "", err
	}
	device = deviceForm.New()
	d := auth.DigestOf(KindDeviceCode, device)
	created := now()
	r := auth.Record{
		Kind:      KindDeviceCode,
		Revision:  auth.NewRevision(),
		Created:   created,
		Expires:   created.Add(s.config.DeviceLifetime),
		KeepUntil: created.Add(s.config.DeviceLifetime + spentMargin),
		Data:      data,
	}
	if user, err = s.insertUserCode(ctx, d, r); err != nil {
		return "", "", err
	}
	if err := s.config.Store.Insert(ctx, d, r); err != nil {
		return "", "", errors.Join(err, s.remove(ctx, userCodeDigest(readUserCode(user))))
	}
	return device, user, nil
}

var (
	errNoDeviceCode  = refuse(ErrInvalidRequest, "There is no device_code.")
	errDeviceCode    = refuse(ErrInvalidGrant, "The device_code is not valid, or is another client's.")
	errDeviceExpired = refuse(ErrExpiredToken, "The device_code has expired.")
	errDeviceDenied  = refuse(ErrAccessDenied, "The request was denied.")
	errPending       = refuse(ErrAuthorizationPending, "Nobody has decided yet.")
	errSlowDown      = refuse(ErrSlowDown, "The client asks too often: from now on, 5 seconds more.")
)

// grantDeviceCode answers a device that asks whether somebody has let it in yet
// (RFC 8628 section 3.4). What it then gets, it gets once: a second question ends
// that, as with an authorization code.
func (s *Server) grantDeviceCode(t *tokenRequest) (*auth.Grant, error) {
	code := t.params.of("device_code")
	if code == "" {
		return nil, errNoDeviceCode
	}
	d := auth.DigestOf(KindDeviceCode, code)
	for {
		r, a, err := s.lookupDevice(t.Context(), d)
		switch {
		case errors.Is(err, auth.ErrNotFound):
			return nil, errDeviceCode
		case err != nil:
			return nil, err
		case a.ClientID != t.client.ID, t.client.succeeds(r.Created):
			return nil, errDeviceCode
		}
		t.about = r.Principal
		switch {
		case r.Disabled:
			return nil, s.endReused(t.Context(), r.Principal)
		case !time.Now().Before(r.Expires):
			return nil, errDeviceExpired
		case a.Denied:
			return nil, errDeviceDenied
		case r.Principal != nil:
			return s.redeemDevice(t, d, r)
		}
		// Whoever was faster has decided, or asked just now: either way the next
		// round ends.
		if err := s.wait(t.Context(), d, r, a); !errors.Is(err, auth.ErrConflict) {
			return nil, err
		}
	}
}

// lookupDevice returns the record of a device code; where there is none, the error
// is auth.ErrNotFound.
func (s *Server) lookupDevice(ctx context.Context, d auth.Digest) (auth.Record, *deviceRequest, error) {
	r, err := s.config.Store.Lookup(ctx, d)
	if err != nil {
		return r, nil, err
	}
	if r.Kind != KindDeviceCode {
		return r, nil, auth.ErrNotFound
	}
	a := &deviceRequest{}
	if err := json.Unmarshal(r.Data, a); err != nil {
		return r, nil, fmt.Errorf("oauth: data of a device code: %w", err)
	}
	return r, a, nil
}

// wait tells a device to go on asking, and less often if it has not waited. When it
// has asked is on record, so that all processes know.
func (s *Server) wait(ctx context.Context, d auth.Digest, r auth.Record, a *deviceRequest) error {
	now := time.Now().UTC()
	answer := errPending
	if !a.Polled.IsZero() && now.Sub(a.Polled) < time.Duration(a.Interval)*time.Second {
		answer = errSlowDown
		a.Interval = min(a.Interval+deviceInterval, maxInterval)
	}
	a.Polled = now
	err := s.replaceDevice(ctx, d, r, a)
	switch {
	case err == nil, errors.Is(err, auth.ErrConflict) && answer == errSlowDown:
		return answer
	case errors.Is(err, auth.ErrNotFound):
		return errDeviceExpired
	}
	return err
}

// replaceDevice changes the record of a device code, from what r was read as.
func (s *Server) replaceDevice(ctx context.Context, d auth.Digest, r auth.Record, a *deviceRequest) error {
	data, err := json.Marshal(a)
	if err != nil {
		return err
	}
	r.Revision++
	r.Data = data
	return s.config.Store.Replace(ctx, d, r)
}

// redeemDevice issues what somebody has let the device have.
func (s *Server) redeemDevice(t *tokenRequest, d auth.Digest, r auth.Record) (*auth.Grant, error) {
	o, err := s.orderOf(t, r.Principal)
	if err != nil {
		return nil, err
	}
	g, err := s.fulfil(t.Context(), o)
	if err != nil {
		return nil, err
	}
	if err := s.spend(t.Context(), d, r, g); err != nil {
		return nil, err
	}
	return g, nil
}
