package oauth

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/seed-077cad0b/auth"
)

// clientVersion is in every binary client. A field that is added makes a new
// version: a process that does not know a restriction must not pass over it.
const clientVersion = 1

// A clientForm is the binary form of a client: JSON, so that operators can read
// it. Resources that are nil are null in it, and no resources an empty list: that
// is the difference between all and none.
type clientForm struct {
	Version            int             `json:"version"`
	ID                 string          `json:"id"`
	Name               string          `json:"name"`
	Website            string          `json:"website"`
	Public             bool            `json:"public"`
	Secrets            []secretForm    `json:"secrets"`
	Keys               json.RawMessage `json:"keys"` // a JWK Set, or null
	Grants             []GrantType     `json:"grants"`
	Scopes             []string        `json:"scopes"`
	RedirectURIs       []string        `json:"redirect_uris"`
	Resources          []string        `json:"resources"`
	Audience           string          `json:"audience"`
	OpaqueTokens       bool            `json:"opaque_tokens"`
	AccessLifetime     time.Duration   `json:"access_lifetime"`
	RefreshLifetime    time.Duration   `json:"refresh_lifetime"`
	RequirePushed      bool            `json:"require_pushed"`
	RequireDPoP        bool            `json:"require_dpop"`
	RequireCertificate bool            `json:"require_certificate"`
	Trusted            bool            `json:"trusted"`
	Impersonation      bool            `json:"impersonation"`
	Revoked            time.Time       `json:"revoked"`
	Disabled           bool            `json:"disabled"`
	Created            time.Time       `json:"created"`
}

// A secretForm is a secret, by its digest.
type secretForm struct {
	Digest  string    `json:"digest"`
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires"`
}

// MarshalBinary returns the client in a form to keep it in: a JSON object, with
// its secrets by their digests, its public keys as a JWK Set, and nothing that is
// good as a credential. The error joins what [Client.Validate] refuses, and tells
// of keys that cannot be written down, which are all but asymmetric ones in an
// auth.Keys: a record keeps a client's keys, and not where they are fetched from.
func (c *Client) MarshalBinary() ([]byte, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	keys, err := c.publicKeys()
	if err != nil {
		return nil, err
	}
	f := clientForm{
		clientVersion, c.ID, c.Name, c.Website, c.Public, nil, keys, c.Grants, c.Scopes, c.RedirectURIs, c.Resources, c.Audience,
		c.OpaqueTokens, c.AccessLifetime, c.RefreshLifetime, c.RequirePushed, c.RequireDPoP, c.RequireCertificate,
		c.Trusted, c.Impersonation, c.Revoked.UTC(), c.Disabled, c.Created.UTC(),
	}
	for _, s := range c.Secrets {
		f.Secrets = append(f.Secrets, secretForm{s.Digest.String(), s.Created.UTC(), s.Expires.UTC()})
	}
	return json.Marshal(f)
}

// publicKeys returns the client's keys as a JWK Set, or nil.
func (c *Client) publicKeys() (json.RawMessage, error) {
	if c.Keys == nil {
		return nil, nil
	}
	keys, ok := c.Keys.(*auth.Keys)
	if !ok {
		return nil, fmt.Errorf("oauth: client %q: keys of type %T cannot be written down", c.ID, c.Keys)
	}
	return keys.MarshalJSON()
}

// UnmarshalBinary sets c to the client whose binary form is data. Its keys are a
// new auth.Keys. It returns an error for what MarshalBinary has not made, such as
// a form that a later version of this package writes.
func (c *Client) UnmarshalBinary(data []byte) error {
	var f clientForm
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	err := d.Decode(&f)
	refuse := func(err error) error { return fmt.Errorf("%w: %.64q: %w", errClientForm, f.ID, err) }
	if f.Version != 0 && f.Version != clientVersion {
		return refuse(fmt.Errorf("version %d", f.Version)) // its fields may be others
	}
	if _, end := d.Token(); err != nil || f.Version == 0 || end != io.EOF {
		return errClientForm
	}
	n, err := f.client()
	if err == nil {
		err = n.Validate()
	}
	if err != nil {
		return refuse(err)
	}
	*c = *n
	return nil
}

func (f *clientForm) client() (*Client, error) {
	c := &Client{
		ID: f.ID, Name: f.Name, Website: f.Website, Public: f.Public, Grants: f.Grants, Scopes: f.Scopes,
		RedirectURIs: f.RedirectURIs, Resources: f.Resources, Audience: f.Audience, OpaqueTokens: f.OpaqueTokens,
		AccessLifetime: f.AccessLifetime, RefreshLifetime: f.RefreshLifetime, RequirePushed: f.RequirePushed,
		RequireDPoP: f.RequireDPoP, RequireCertificate: f.RequireCertificate, Trusted: f.Trusted,
		Impersonation: f.Impersonation, Revoked: f.Revoked, Disabled: f.Disabled, Created: f.Created,
	}
	for _, s := range f.Secrets {
		digest, err := auth.ParseDigest(s.Digest)
		if err != nil {
			return nil, err
		}
		c.Secrets = append(c.Secrets, ClientSecret{digest, s.Created, s.Expires})
	}
	if string(f.Keys) == "null" {
		return c, nil
	}
	keys, err := auth.ParseJWKS(f.Keys)
	if err != nil {
		return nil, err
	}
	set, err := auth.NewKeys(nil, keys...)
	if err != nil {
		return nil, err
	}
	c.Keys = set
	return c, nil
}

var errClientForm = errors.New("oauth: malformed or unknown binary form of a client")
