package oauth

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/internal/published"
)

// metadata has the member names of RFC 8414 section 2 and of those that add to it.
// A list without elements is left out (section 3.2), but for the response types,
// which must be there.
type metadata struct {
	Issuer string `json:"issuer"`

	Authorize           string `json:"authorization_endpoint,omitempty"`
	Token               string `json:"token_endpoint"`
	Revoke              string `json:"revocation_endpoint"`
	Introspect          string `json:"introspection_endpoint"`
	PushedAuthorization string `json:"pushed_authorization_request_endpoint,omitempty"` // RFC 9126 section 5
	DeviceAuthorization string `json:"device_authorization_endpoint,omitempty"`         // RFC 8628 section 4
	JWKS                string `json:"jwks_uri"`

	GrantTypes    []GrantType `json:"grant_types_supported"`
	ResponseTypes []string    `json:"response_types_supported"`
	ResponseModes []string    `json:"response_modes_supported,omitempty"`
	PKCE          []string    `json:"code_challenge_methods_supported,omitempty"`
	Iss           bool        `json:"authorization_response_iss_parameter_supported,omitempty"` // RFC 9207 section 3
	RequirePushed bool        `json:"require_pushed_authorization_requests"`

	Scopes    []string `json:"scopes_supported,omitempty"`
	Resources []string `json:"protected_resources,omitempty"` // RFC 9728 section 4

	TokenMethods         []string         `json:"token_endpoint_auth_methods_supported"`
	TokenAlgorithms      []auth.Algorithm `json:"token_endpoint_auth_signing_alg_values_supported"`
	RevokeMethods        []string         `json:"revocation_endpoint_auth_methods_supported"`
	RevokeAlgorithms     []auth.Algorithm `json:"revocation_endpoint_auth_signing_alg_values_supported"`
	IntrospectMethods    []string         `json:"introspection_endpoint_auth_methods_supported"`
	IntrospectAlgorithms []auth.Algorithm `json:"introspection_endpoint_auth_signing_alg_values_supported"`

	DPoPAlgorithms   []auth.Algorithm `json:"dpop_signing_alg_values_supported,omitempty"` // RFC 9449 section 5.1
	CertificateBound bool             `json:"tls_client_certificate_bound_access_tokens"`  // RFC 8705 section 3.3
}

// The ways in which clients authenticate, without and with those that are public.
var (
	confidentialMethods = []string{"client_secret_basic", "client_secret_post", "private_key_jwt"}
	allMethods          = append(confidentialMethods[:3:3], "none")
)

// clientAlgorithms are those of client assertions: the asymmetric ones. Which of
// them is good is for each client's key to say.
var clientAlgorithms = []auth.Algorithm{
	auth.ES256, auth.ES384, auth.ES512, auth.EdDSA, auth.Ed25519,
	auth.PS256, auth.PS384, auth.PS512, auth.RS256, auth.RS384, auth.RS512,
}

func (s *Server) newMetadata() ([]byte, error) {
	c, e := &s.config, &s.config.Endpoints
	m := metadata{
		Issuer:               c.Issuer,
		Token:                s.url(e.Token),
		Revoke:               s.url(e.Revoke),
		Introspect:           s.url(e.Introspect),
		JWKS:                 s.url(e.JWKS),
		GrantTypes:           s.grantTypes(),
		ResponseTypes:        []string{},
		TokenMethods:         allMethods,
		TokenAlgorithms:      clientAlgorithms,
		RevokeMethods:        allMethods,
		RevokeAlgorithms:     clientAlgorithms,
		IntrospectMethods:    confidentialMethods,
		IntrospectAlgorithms: clientAlgorithms,
		CertificateBound:     true,
	}
	if c.Login != nil {
		m.Authorize = s.url(e.Authorize)
		m.PushedAuthorization = s.url(e.PushedAuthorization)
		m.DeviceAuthorization = s.url(e.DeviceAuthorization)
		m.ResponseTypes = []string{"code"}
		m.ResponseModes = []string{"query"}
		m.PKCE = []string{"S256"}
		m.Iss = true
	}
	if c.DPoP != nil {
		m.DPoPAlgorithms = c.DPoP.Algorithms()
	}
	for _, scope := range c.Scopes {
		m.Scopes = append(m.Scopes, scope.Name)
	}
	for _, r := range c.Resources {
		if _, err := httpsURL(r); err == nil { // others have no metadata of their own
			m.Resources = append(m.Resources, r)
		}
	}
	return json.Marshal(m)
}

// grantTypes returns the grants that this server has, for clients that may use
// them.
func (s *Server) grantTypes() []GrantType {
	grants := []GrantType{ClientCredentials, TokenExchange}
	if s.config.Login != nil {
		grants = append(grants, AuthorizationCode, RefreshToken, DeviceCode)
	}
	if s.config.Platforms != nil {
		grants = append(grants, JWTBearer)
	}
	return grants
}

// serveMetadata answers with the metadata, which is the same for everybody and may
// be read by pages of every origin, as clients in browsers have to. Caches keep it
// for an hour.
func (s *Server) serveMetadata(w http.ResponseWriter, r *http.Request) {
	published.Serve(w, r, "application/json", time.Hour, s.metadata)
}
