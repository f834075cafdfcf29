package main

import "github.com/seed-077cad0b/auth"

// dialect is how this API tells of grants, sessions and refusals. The status
// codes are the library's.
var dialect = &auth.Format{
	Grant: func(g *auth.Grant) any {
		p := g.Principal
		return struct {
			Success      bool   `json:"success"`
			Message      string `json:"message"`
			SessionToken string `json:"session_token"`
			UserID       string `json:"user_id"`
			UserTier     string `json:"user_tier"`
			ExpiresAt    int64  `json:"expires_at"` // Unix milliseconds
		}{
			true, "Authenticated successfully as " + p.Tier + " user",
			g.Token.Reveal(), p.Subject, p.Tier, p.Credential.Expires.UnixMilli(),
		}
	},

	Status: func(p *auth.Principal, f *auth.Failure) any {
		if f != nil {
			return struct {
				Authenticated bool   `json:"authenticated"`
				Message       string `json:"message"`
			}{false, "Invalid or expired session token"}
		}
		return struct {
			Authenticated bool   `json:"authenticated"`
			UserID        string `json:"user_id"`
			UserTier      string `json:"user_tier"`
			ExpiresAt     int64  `json:"expires_at"`
			CreatedAt     int64  `json:"created_at"`
			Message       string `json:"message"`
		}{
			true, p.Subject, p.Tier,
			p.Credential.Expires.UnixMilli(), p.Credential.Created.UnixMilli(),
			"Session is valid",
		}
	},

	Error: func(f *auth.Failure) any {
		return struct {
			Success bool   `json:"success"`
			Error   string `json:"error"`
			Message string `json:"message"`
		}{false, code(f), f.Reason.Title()}
	},
}

// code names a refusal in this API's words: by its reason, and by where the
// refused credential came from.
func code(f *auth.Failure) string {
	inBody := f.Scheme.In == auth.InBody
	switch f.Reason {
	case auth.ErrNoCredential, auth.ErrMalformed:
		if inBody {
			return "missing_api_key"
		}
		if f.Reason == auth.ErrNoCredential {
			return "missing_authorization"
		}
	case auth.ErrDisabled:
		return "api_key_disabled"
	case auth.ErrInvalid, auth.ErrExpired, auth.ErrRevoked:
		switch {
		case inBody:
			return "invalid_api_key"
		case f.Reason == auth.ErrExpired:
			return "session_expired"
		default:
			return "invalid_session"
		}
	}
	return string(f.Reason)
}
