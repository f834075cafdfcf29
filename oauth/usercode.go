package oauth

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/seed-077cad0b/auth"
)

// User codes are what people read off a device and type: 8 letters, of which none
// makes a word or looks like another (RFC 8628 section 6.1), so one of 20^8, which
// is 2.6e10.
//
// That is little, so guesses are counted (section 5.1). Only who has signed in may
// enter a code; each account and each address may be wrong ten times at once, and
// then once a minute: in the ten minutes that a code lives, 20 times. Where a
// thousand devices wait at the same time, that finds one of them with a
// probability below one in a million. Processes count apart from each other.
const (
	userLetters    = "BCDFGHJKLMNPQRSTVWXZ"
	userCodeLength = 8
)

// newGuesses counts codes that lead nowhere.
func newGuesses() auth.Limiter { return auth.NewLimiter(10, 10*time.Minute) }

func newUserCode() string {
	// Five bits choose a letter, or none: so each is as likely as another.
	var code []byte
	for len(code) < userCodeLength {
		var random [2 * userCodeLength]byte
		_, _ = rand.Read(random[:])
		for _, b := range random {
			if i := int(b & 31); i < len(userLetters) && len(code) < userCodeLength {
				code = append(code, userLetters[i])
			}
		}
	}
	return string(code)
}

// showUserCode returns a code as devices show it: XXXX-XXXX.
func showUserCode(code string) string { return code[:userCodeLength/2] + "-" + code[userCodeLength/2:] }

// readUserCode returns the code that somebody has typed, whatever its case and
// whatever else than letters is in between; empty where it cannot be one.
func readUserCode(typed string) string {
	if len(typed) > 64 {
		return ""
	}
	code := strings.Map(func(c rune) rune {
		switch {
		case c >= 'a' && c <= 'z':
			return c - 'a' + 'A'
		case c >= 'A' && c <= 'Z':
			return c
		case c == '-', c == ' ', c == '\u2010', c == '\u2011', c == '\u00a0', c == '.', c == '_':
			return -1
		}
		return '?'
	}, typed)
	if len(code) != userCodeLength || strings.Trim(code, userLetters) != "" {
		return ""
	}
	return code
}

func userCodeDigest(code string) auth.Digest { return auth.DigestOf(KindUserCode, code) }

// insertUserCode makes a user code that leads to the device's record r, which will
// be under d, and returns it as it is shown.
func (s *Server) insertUserCode(ctx context.Context, d auth.Digest, r auth.Record) (string, error) {
	var err error
	for range 4 {
		code := newUserCode()
		err = s.config.Store.Insert(ctx, userCodeDigest(code), auth.Record{
			Kind:      KindUserCode,
			Revision:  auth.NewRevision(),
			Created:   r.Created,
			Expires:   r.Expires,
			KeepUntil: r.KeepUntil,
			Data:      d[:],
		})
		if err == nil {
			return showUserCode(code), nil
		}
		if !errors.Is(err, auth.ErrExists) {
			break
		}
	}
	return "", err
}

var errUserCode = refuse(ErrInvalidRequest, "There is no such code, or not any more.")

// A deviceAsk is what a user code stands for: a device that waits.
type deviceAsk struct {
	*deviceRequest
	client *Client
	code   string // as it is shown

	digest auth.Digest // of the device's code
	record auth.Record
}

// deviceOf returns what a code stands for that user has typed into the page which
// r asks for, with those of its scopes that user has. A code that stands for
// nothing counts as a guess: the error is errUserCode or, after too many, a
// *auth.Failure. Of a user who has none of the scopes it is errNothingToGrant.
func (s *Server) deviceOf(r *http.Request, typed string, user *auth.Principal) (*deviceAsk, error) {
	code := readUserCode(typed)
	if code == "" {
		return nil, errUserCode // nobody's, so no guess
	}
	giveBack, err := s.reserveGuess(r, user)
	if err != nil {
		return nil, err
	}
	ask, err := s.lookupUserCode(r.Context(), code, user)
	if !errors.Is(err, errUserCode) {
		giveBack()
	}
	return ask, err
}

// reserveGuess charges a guess to the account and to the address.
func (s *Server) reserveGuess(r *http.Request, user *auth.Principal) (giveBack func(), err error) {
	ctx := r.Context()
	byUser, err := auth.Reserve(ctx, s.guesses, "user-codes", "user:"+user.Owner().String())
	if err != nil {
		return nil, err
	}
	byAddress, err := auth.Reserve(ctx, s.guesses, "user-codes", auth.AddressKey(s.clients.ClientAddress(r)))
	if err != nil {
		byUser(ctx)
		return nil, err
	}
	return func() { byUser(ctx); byAddress(ctx) }, nil
}

// lookupUserCode returns the device that waits for a code, and else errUserCode.
func (s *Server) lookupUserCode(ctx context.Context, code string, user *auth.Principal) (*deviceAsk, error) {
	r, err := s.config.Store.Lookup(ctx, userCodeDigest(code))
	switch {
	case errors.Is(err, auth.ErrNotFound):
		return nil, errUserCode
	case err != nil:
		return nil, err
	case r.Kind != KindUserCode || len(r.Data) != len(auth.Digest{}):
		return nil, errUserCode
	}
	ask := &deviceAsk{code: showUserCode(code), digest: auth.Digest(r.Data)}
	ask.record, ask.deviceRequest, err = s.lookupDevice(ctx, ask.digest)
	switch {
	case errors.Is(err, auth.ErrNotFound):
		return nil, errUserCode
	case err != nil:
		return nil, err
	case ask.record.Principal != nil || ask.Denied || !time.Now().Before(ask.record.Expires):
		return nil, errUserCode
	}
	asked := ask.Scopes
	if ask.client, err = s.client(ctx, ask.ClientID); err == nil {
		ask.Scopes, err = s.allowScopes(ask.client, some(asked), some(user.Scopes))
	}
	switch {
	case errors.Is(err, ErrInvalidClient), errors.Is(err, ErrInvalidScope):
		return nil, errUserCode // the client is not what it was
	case err != nil:
		return nil, err
	case len(ask.Scopes) == 0 && len(asked) > 0:
		return nil, errNothingToGrant
	}
	return ask, nil
}

// approveDevice lets the device of a code in, in the name of user, or has it told
// that it may not. It is deviceOf otherwise: of several people who decide about
// one code, the first does. user has the time of their proof.
func (s *Server) approveDevice(r *http.Request, typed string, user *auth.Principal, allow bool) error {
	ask, err := s.deviceOf(r, typed, user)
	for err == nil {
		if err = s.decide(r.Context(), ask, user, allow); !errors.Is(err, auth.ErrConflict) {
			break
		}
		// The device has asked meanwhile, or somebody else has decided.
		ask, err = s.lookupUserCode(r.Context(), readUserCode(typed), user)
	}
	if err != nil {
		return err
	}
	// The code leads nowhere any more, be it gone or not.
	_ = s.remove(r.Context(), userCodeDigest(readUserCode(ask.code)))
	return nil
}

func (s *Server) decide(ctx context.Context, ask *deviceAsk, user *auth.Principal, allow bool) error {
	ask.Denied = !allow
	if allow {
		p, err := grantor(user, ask.Scopes, auth.Credential{
			ID:       ask.digest.String(),
			Kind:     KindDeviceCode,
			Family:   ask.Family,
			ClientID: ask.ClientID,
			Audience: ask.Resources,
			Created:  ask.record.Created,
			Expires:  ask.record.Expires,
		})
		if err != nil {
			return err
		}
		ask.record.Principal, ask.record.Owner = p, p.Owner()
	}
	err := s.replaceDevice(ctx, ask.digest, ask.record, ask.deviceRequest)
	if errors.Is(err, auth.ErrNotFound) {
		return errUserCode // meanwhile
	}
	return err
}
