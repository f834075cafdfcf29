package oauth

import (
	"encoding/json"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/internal/strictjson"
)

// An Actor is who acts for the subject of a token, by token exchange: its member
// act (RFC 8693 section 4.1). A resource server reads it with
//
//	by, err := auth.Claims[struct { Act *oauth.Actor `json:"act"` }](p)
//
// and nil is nobody. Actors inform: what a caller may do is decided by the subject
// and the current actor alone, never by who acted before.
type Actor struct {
	Subject string `json:"sub,omitempty"`

	// Issuer is that of the actor's subject; empty is that of the token.
	Issuer string `json:"iss,omitempty"`

	Tenant string `json:"tenant,omitempty"`

	// ClientID is set where the actor is a client as itself, and nobody who uses
	// one.
	ClientID string `json:"client_id,omitempty"`

	// Act is who acted before, for the same subject.
	Act *Actor `json:"act,omitempty"`
}

// maxActors bounds a chain of actors, but for the one who joins it.
const maxActors = 8

// delegate returns the claims of the token for which a client exchanges that of a
// subject: who acts, and who may. No others go along, as they were meant for
// whom the token was for.
func (s *Server) delegate(c *Client, subject, actor *presented) (json.RawMessage, error) {
	said, err := auth.Claims[actors](subject.Principal)
	if err != nil {
		return nil, because(err, ErrInvalidRequest, "The claims of the subject_token are malformed.")
	}
	before, err := s.readActor(said.Act, subject.issuer, maxActors)
	if err != nil {
		return nil, err
	}
	by, err := s.actor(c, actor)
	if err != nil {
		return nil, err
	}
	switch {
	case subject.isClient() && subject.Subject == c.ID && by.ClientID == c.ID:
		by = before // the client acts as itself
	case !s.mayAct(said.MayAct, subject.issuer, by):
		return nil, errMayNotAct
	case actor == nil && c.Impersonation:
		by = before
	default:
		by.Act = before
	}
	if by == nil && said.MayAct == nil {
		return nil, nil
	}
	return json.Marshal(delegation{by, said.MayAct})
}

// A delegation is what a token that was exchanged tells of who acts.
type delegation struct {
	Act    *Actor          `json:"act,omitempty"`
	MayAct json.RawMessage `json:"may_act,omitempty"`
}

// actor returns who is to act: whom the actor_token proves, else the client.
func (s *Server) actor(c *Client, actor *presented) (*Actor, error) {
	if actor == nil {
		return &Actor{Subject: c.ID, ClientID: c.ID}, nil
	}
	said, err := auth.Claims[actors](actor.Principal)
	if err != nil || said.Act != nil {
		return nil, errActorActed
	}
	a := &Actor{Subject: actor.Subject, Tenant: actor.Tenant}
	if actor.Issuer != "" && actor.Issuer != s.config.Issuer {
		a.Issuer = actor.Issuer
	}
	if actor.isClient() {
		a.ClientID = actor.Subject
	}
	return a, nil
}

// readActor reads a member act of a token of that issuer, with those who acted
// before; room is how many there may be.
func (s *Server) readActor(act []byte, issuer string, room int) (*Actor, error) {
	if act == nil {
		return nil, nil
	}
	if room == 0 {
		return nil, errTooManyActors
	}
	a := &Actor{}
	texts := map[string]*string{"sub": &a.Subject, "iss": &a.Issuer, "tenant": &a.Tenant, "client_id": &a.ClientID}
	err := strictjson.Object(act, func(name, value []byte) (err error) {
		if string(name) == "act" {
			a.Act, err = s.readActor(value, issuer, room-1)
			return err
		}
		if field := texts[string(name)]; field != nil {
			var ok bool
			if *field, ok = strictjson.String(value); !ok {
				return errTooManyActors
			}
		}
		return nil
	})
	if err != nil {
		return nil, errTooManyActors
	}
	if a.Issuer == "" && issuer != s.config.Issuer {
		a.Issuer = issuer // in our token, none would be ours
	}
	return a, nil
}

// mayAct reports whether a member may_act (RFC 8693 section 4.4) of a token of that
// issuer, if there is one, names the actor. One that names nobody, or by words that
// are not known here, means nobody; one of another issuer that names somebody
// without iss means none of ours.
func (s *Server) mayAct(mayAct json.RawMessage, issuer string, by *Actor) bool {
	if mayAct == nil {
		return true
	}
	is := map[string]string{"sub": by.Subject, "iss": by.Issuer, "tenant": by.Tenant, "client_id": by.ClientID}
	if is["iss"] == "" {
		is["iss"] = s.config.Issuer
	}
	named := map[string]bool{"iss": issuer == s.config.Issuer}
	err := strictjson.Object(mayAct, func(name, value []byte) error {
		want, ok := strictjson.String(value)
		if own, known := is[string(name)]; !ok || !known || own != want || want == "" {
			return errMayNotAct
		}
		named[string(name)] = true
		return nil
	})
	return err == nil && named["iss"] && (named["sub"] || named["client_id"])
}
