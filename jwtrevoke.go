package auth

import (
	"context"
	"errors"
)

var errNoRevocation = errors.New("auth: JWT: JWTOptions.Revocation is not set")

// Revoke ends the token that p showed, at once. It needs
// [JWTOptions.Revocation]. It returns [ErrNotMine] where p showed no token.
func (j *JWT) Revoke(ctx context.Context, p *Principal) error {
	if p == nil || p.Credential.Kind != KindJWT {
		return ErrNotMine
	}
	return j.raise(ctx, p, nil, idMark(KindJWT, p.Credential.ID))
}

// RevokeAll ends all that p's identity has proved until now: every token, and
// every credential that answers to the same store.
func (j *JWT) RevokeAll(ctx context.Context, p *Principal) error {
	return j.raise(ctx, p, nil, ownerMark(p))
}

// RevokeOthers is [JWT.RevokeAll] but for the family of the credential that p
// showed. It returns [ErrRevoked] where that has been ended meanwhile, and then
// ends nothing.
func (j *JWT) RevokeOthers(ctx context.Context, p *Principal) error {
	return j.raise(ctx, p, p, ownerMark(p))
}

func (j *JWT) raise(ctx context.Context, p, spared *Principal, name Digest) error {
	if j.marks == nil {
		return errNoRevocation
	}
	return j.marks.raise(ctx, name, markTime(p), spared)
}
