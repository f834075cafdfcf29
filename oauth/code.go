package oauth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/seed-077cad0b/auth"
)

var codeForm = auth.TokenForm("ac_")

// newCode makes the code of what user has granted. The scopes and resources of a
// are what it grants, whatever user has besides.
func (s *Server) newCode(ctx context.Context, user *auth.Principal, a authorization) (string, error) {
	if a.Family == "" {
		a.Family = auth.NewFamily()
	}
	data, err := json.Marshal(a)
	if err != nil {
		return "", err
	}
	code := codeForm.New()
	d := auth.DigestOf(KindAuthorizationCode, code)
	created := now()
	p, err := grantor(user, a.Scopes, auth.Credential{
		ID:       d.String(),
		Kind:     KindAuthorizationCode,
		Family:   a.Family,
		ClientID: a.ClientID,
		Audience: a.Resources,
		Created:  created,
		Expires:  created.Add(s.config.CodeLifetime),
	})
	if err != nil {
		return "", err
	}
	return code, s.config.Store.Insert(ctx, d, auth.Record{
		Kind:      KindAuthorizationCode,
		Owner:     p.Owner(),
		Principal: p,
		Revision:  auth.NewRevision(),
		Created:   p.Credential.Created,
		Expires:   p.Credential.Expires,
		KeepUntil: p.Credential.Expires.Add(spentMargin),
		Data:      data,
	})
}

// grantor returns user as tokens will tell of them who are made of what they have
// granted. Of their claims that is whom they let act for them: what else the Login
// knows is not for each client to read.
func grantor(user *auth.Principal, scopes []string, c auth.Credential) (*auth.Principal, error) {
	said, err := auth.Claims[actors](user)
	if err != nil {
		return nil, fmt.Errorf("oauth: claims of who has signed in: %v", err)
	}
	p := *user
	p.Scopes, p.Credential, p.Claims = scopes, c, nil
	if said.MayAct != nil {
		p.Claims, err = json.Marshal(delegation{MayAct: said.MayAct})
	}
	return &p, err
}

// grantCode redeems an authorization code (RFC 6749 section 4.1.3). A second
// redemption that is as good as the first ends what the first one gave: who has
// the code alone, without the verifier, can neither use it nor end anything.
func (s *Server) grantCode(t *tokenRequest) (*auth.Grant, error) {
	d := auth.DigestOf(KindAuthorizationCode, t.params.of("code"))
	r, a, err := s.lookupCode(t, d)
	if err != nil {
		return nil, err
	}
	t.about = r.Principal
	switch {
	case r.Disabled:
		return nil, s.endReused(t.Context(), r.Principal)
	case !time.Now().Before(r.Expires):
		return nil, auth.ErrExpired
	}
	o, err := s.orderOf(t, r.Principal)
	if err != nil {
		return nil, err
	}
	if a.JKT != "" && o.confirmation != "jkt:"+a.JKT {
		return nil, errBoundElse
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

var (
	errNoCode      = refuse(ErrInvalidRequest, "There is no code.")
	errCode        = refuse(ErrInvalidGrant, "The code is not valid.")
	errCodeForElse = refuse(ErrInvalidGrant, "The code was issued to another client or redirect URI.")
	errVerifier    = refuse(ErrInvalidGrant, "The code_verifier is missing, malformed or of another code_challenge.")
	errBoundElse   = refuse(ErrInvalidGrant, "What the client presents is bound to another key.")
)

// lookupCode returns the record of a code, spent or not, that the client may
// redeem.
func (s *Server) lookupCode(t *tokenRequest, d auth.Digest) (auth.Record, *authorization, error) {
	if t.params.of("code") == "" {
		return auth.Record{}, nil, errNoCode
	}
	r, err := s.config.Store.Lookup(t.Context(), d)
	switch {
	case errors.Is(err, auth.ErrNotFound):
		return r, nil, errCode
	case err != nil:
		return r, nil, err
	case r.Kind != KindAuthorizationCode || r.Principal == nil:
		return r, nil, errCode
	}
	var a authorization
	if err := json.Unmarshal(r.Data, &a); err != nil {
		return r, nil, fmt.Errorf("oauth: data of a code: %w", err)
	}
	// OAuth 2.1 has no redirect_uri here, as PKCE does its work; OAuth 2.0 has
	// one, which must be right.
	uri := t.params.of("redirect_uri")
	switch {
	case a.ClientID != t.client.ID, t.client.succeeds(r.Created), uri != "" && uri != a.RedirectURI:
		return r, nil, errCodeForElse
	case !a.verifies(t.params.of("code_verifier")):
		return r, nil, errVerifier
	}
	return r, &a, nil
}

// verifies reports whether the challenge is that of a verifier, by S256 (RFC 7636
// section 4.6).
func (a *authorization) verifies(verifier string) bool {
	if !isVerifier(verifier) {
		return false
	}
	hash := sha256.Sum256([]byte(verifier))
	challenge := base64.RawURLEncoding.EncodeToString(hash[:])
	return subtle.ConstantTimeCompare([]byte(challenge), []byte(a.Challenge)) == 1
}

// isVerifier reports whether s is a code_verifier (RFC 7636 section 4.1).
func isVerifier(s string) bool {
	return len(s) >= 43 && len(s) <= 128 && !strings.ContainsFunc(s, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("-._~", r))
	})
}
