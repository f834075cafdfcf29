package oauth

// An authorization is what somebody has granted a client, or is about to: what an
// authorization code and a device code stand for until they are redeemed.
type authorization struct {
	ClientID    string   `json:"client_id"`
	Scopes      []string `json:"scopes"`
	Resources   []string `json:"resources"`
	RedirectURI string   `json:"redirect_uri,omitempty"` // of a code
	Challenge   string   `json:"code_challenge,omitempty"`
	JKT         string   `json:"dpop_jkt,omitempty"` // RFC 9449 section 10
	Family      string   `json:"family"`             // of the tokens to come
}
