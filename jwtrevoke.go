package auth

import (
	"context"
	"errors"
)

var errNoRevocation = errors.New("auth: JWT: JWTOptions.Revocation is not set")

// Revoke ends the token that p showed, at once. It needs
// [JWTOptions.Revocation]. It returns [ErrNotMine] where p showed no token.
func (j *JWT) Revoke(ctx context.Context, p *Principal) error {
	if p != nil && p.Credential.Kind != KindJWT {
		return ErrNotMine
	}
	if p != nil && p.Credential.ID == "" {
		return errors.New("auth: JWT: the token has no jti to revoke it by")
	}
	return j.raise(ctx, p, nil, func() Digest { return idMark(KindJWT, p.Credential.ID) })
}

// RevokeAll ends all that p's identity has proved until now: every token, and
// every credential that answers to the same store.
func (j *JWT) RevokeAll(ctx context.Context, p *Principal) error {
	return j.raise(ctx, p, nil, func() Digest { return ownerMark(p) })
}

// RevokeOthers is [JWT.RevokeAll] but for the family of the credential that p
// showed.
func (j *JWT) RevokeOthers(ctx context.Context, p *Principal) error {
	if p != nil && p.Credential.Family == "" {
		return errors.New("auth: JWT: the principal's credential has no family to spare")
	}
	return j.raise(ctx, p, p, func() Digest { return ownerMark(p) })
}

func (j *JWT) raise(ctx context.Context, p, spared *Principal, name func() Digest) error {
	switch {
	case j.marks == nil:
		return errNoRevocation
	case p == nil || p.Subject == "":
		return errNoSubject
	}
	return j.marks.raise(ctx, name(), markTime(p), spared)
}
