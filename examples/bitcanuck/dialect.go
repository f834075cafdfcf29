package main

import (
	"time"

	"github.com/seed-077cad0b/auth"
)

// dialect is how this API tells of grants and refusals. The status codes are the
// library's.
var dialect = &auth.Format{
	Grant: func(g *auth.Grant) any {
		type grant struct {
			ID      string `json:"id"`
			UserID  string `json:"userId"`
			TTL     int64  `json:"ttl"` // seconds
			Until   string `json:"until"`
			Created string `json:"created"`
		}
		c := g.Principal.Credential
		return map[string]grant{"data": {
			g.Token.Reveal(), g.Principal.Subject, int64(c.Expires.Sub(c.Created) / time.Second),
			timestamp(c.Expires), timestamp(c.Created),
		}}
	},

	// Whoever signs in without an assertion is told what a bad one is told.
	Error: func(f *auth.Failure) any {
		reason := f.Reason
		if reason == auth.ErrNoCredential && f.Scheme.Field == tokenField {
			reason = auth.ErrInvalid
		}
		return map[string]any{"error": map[string]any{"code": reason, "message": reason.Title()}}
	},
}

// timestamp is RFC 3339 in UTC with six digits of fraction, zeros included.
func timestamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }
