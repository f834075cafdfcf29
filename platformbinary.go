package auth

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"
)

// platformVersion is in every binary platform. A field that is added makes a new
// version: a process that does not know a restriction must not pass over it.
const platformVersion = 1

// A platformForm is the binary form of a platform: JSON, so that operators can
// read it. Lists and networks that are nil are null in it, and empty ones are
// empty: that is the difference between all and none.
type platformForm struct {
	Version         int             `json:"version"`
	ID              string          `json:"id"`
	Name            string          `json:"name"`
	Keys            json.RawMessage `json:"keys"` // a JWK Set
	Algorithms      []Algorithm     `json:"algorithms"`
	Audience        string          `json:"audience"`
	MaxLife         time.Duration   `json:"max_life"`
	EmailDomains    []string        `json:"email_domains"`
	SubjectClaim    string          `json:"subject_claim"`
	Scopes          []string        `json:"scopes"`
	Tier            string          `json:"tier"`
	SessionLifetime time.Duration   `json:"session_lifetime"`
	Networks        *Networks       `json:"networks"`
	Rate            Rate            `json:"rate"`
	Suspended       bool            `json:"suspended"`
}

// MarshalBinary returns the platform in a form to keep it in: a JSON object with
// its public keys as a JWK Set, and nothing secret. The error joins what
// [Platform.Validate] refuses, and tells of keys that cannot be written down,
// which are all but asymmetric ones in a [Keys], and of texts that are not UTF-8.
func (p *Platform) MarshalBinary() ([]byte, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	for _, text := range slices.Concat([]string{p.Name, p.Audience, p.SubjectClaim, p.Tier}, p.Scopes) {
		if !utf8.ValidString(text) {
			return nil, fmt.Errorf("auth: platform %q: a text is not UTF-8", p.ID)
		}
	}
	keys, ok := p.Keys.(*Keys)
	if !ok {
		return nil, fmt.Errorf("auth: platform %q: keys of type %T cannot be written down", p.ID, p.Keys)
	}
	state := keys.current.Load()
	if err := asymmetric(state.all); err != nil {
		return nil, fmt.Errorf("auth: platform %q: %w", p.ID, err)
	}
	return json.Marshal(platformForm{
		platformVersion, p.ID, p.Name, state.public, p.Algorithms, p.Audience, p.MaxLife, p.EmailDomains, p.SubjectClaim,
		p.Scopes, p.Tier, p.SessionLifetime, p.Networks, p.Rate, p.Suspended,
	})
}

// UnmarshalBinary sets p to the platform whose binary form is data. Its keys are
// a new [Keys]. It returns an error for what MarshalBinary has not made, such as
// a form that a later version of this package writes.
func (p *Platform) UnmarshalBinary(data []byte) error {
	var f platformForm
	if err := json.Unmarshal(data, &f); err != nil {
		return errPlatformForm
	}
	refuse := func(err error) error { return fmt.Errorf("%w: %.64q: %w", errPlatformForm, f.ID, err) }
	if f.Version != platformVersion {
		return refuse(fmt.Errorf("version %d", f.Version))
	}
	keys, err := publicKeySet(f.Keys)
	if err != nil {
		return refuse(err)
	}
	n := Platform{
		ID: f.ID, Name: f.Name, Keys: keys, Algorithms: f.Algorithms, Audience: f.Audience, MaxLife: f.MaxLife,
		EmailDomains: f.EmailDomains, SubjectClaim: f.SubjectClaim, Scopes: f.Scopes, Tier: f.Tier,
		SessionLifetime: f.SessionLifetime, Networks: f.Networks, Rate: f.Rate, Suspended: f.Suspended,
	}
	if err := n.Validate(); err != nil {
		return refuse(err)
	}
	*p = n
	return nil
}

// publicKeySet returns the set that a JWK Set of public keys stands for.
func publicKeySet(jwks []byte) (*Keys, error) {
	all, err := ParseJWKS(jwks)
	if err != nil {
		return nil, err
	}
	if err := asymmetric(all); err != nil {
		return nil, err
	}
	return NewKeys(nil, all...)
}

// asymmetric returns an error where one of the keys has no public part.
func asymmetric(keys []*Key) error {
	for _, k := range keys {
		if k.jws.Symmetric() {
			return fmt.Errorf("key %q has no public part", k.ID())
		}
	}
	return nil
}

var errPlatformForm = errors.New("auth: malformed or unknown binary form of a platform")
