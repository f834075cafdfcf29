package password

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"
)

// userVersion is in every binary user. A field that is added makes a new
// version: a process that does not know a restriction must not pass over it.
const userVersion = 1

// A userForm is the binary form of a user: JSON, so that operators can read it.
// A User itself has no names for encoding/json, lest an API shows the hash.
type userForm struct {
	Version  int       `json:"version"`
	ID       string    `json:"id"`
	Login    string    `json:"login"`
	Hash     string    `json:"hash"`
	Tenant   string    `json:"tenant"`
	Tier     string    `json:"tier"`
	Scopes   []string  `json:"scopes"`
	Claims   string    `json:"claims,omitempty"` // as text, which encoding/json leaves verbatim
	Disabled bool      `json:"disabled"`
	Created  time.Time `json:"created"`
	Changed  time.Time `json:"changed"`
	Revision uint64    `json:"revision,string"`
}

// MarshalBinary returns the user in the form in which a [UserStore] may keep it
// without knowing its fields: a JSON object that holds the hash of the password.
// The error tells that a text is not UTF-8.
func (u User) MarshalBinary() ([]byte, error) {
	for _, text := range append([]string{u.ID, u.Login, u.Hash, u.Tenant, u.Tier, string(u.Claims)}, u.Scopes...) {
		if !utf8.ValidString(text) {
			return nil, errors.New("password: a text of a user is not UTF-8")
		}
	}
	return json.Marshal(userForm{
		userVersion, u.ID, u.Login, u.Hash, u.Tenant, u.Tier, u.Scopes, string(u.Claims), u.Disabled,
		u.Created.UTC().Truncate(time.Microsecond), u.Changed.UTC().Truncate(time.Microsecond), u.Revision,
	})
}

// UnmarshalBinary sets u to the user whose binary form is data. It returns an
// error for what MarshalBinary has not made, such as a form that a later version
// of this package writes.
func (u *User) UnmarshalBinary(data []byte) error {
	var f userForm
	if err := json.Unmarshal(data, &f); err != nil {
		return errUserForm // and not one that shows what is in it
	}
	if f.Version != userVersion {
		return fmt.Errorf("%w of version %d", errUserForm, f.Version)
	}
	*u = User{
		ID: f.ID, Login: f.Login, Hash: f.Hash, Tenant: f.Tenant, Tier: f.Tier, Scopes: f.Scopes,
		Disabled: f.Disabled, Created: f.Created, Changed: f.Changed, Revision: f.Revision,
	}
	if f.Claims != "" {
		u.Claims = json.RawMessage(f.Claims)
	}
	return nil
}

var errUserForm = errors.New("password: malformed or unknown binary form of a user")
