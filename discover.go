package auth

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/seed-077cad0b/auth/internal/strictjson"
	"github.com/seed-077cad0b/auth/internal/weburl"
)

var (
	errIssuerQuery   = errors.New("issuer has a query")
	errMetadata      = errors.New("not the metadata of an issuer")
	errOtherIssuer   = errors.New("metadata of another issuer")
	errKeysElsewhere = errors.New("jwks_uri is plain HTTP")
)

// Discover returns the keys that the metadata of an issuer names, by OpenID
// Connect Discovery or else RFC 8414, at
//
//	https://HOST/PATH/.well-known/openid-configuration
//	https://HOST/.well-known/oauth-authorization-server/PATH
//
// issuer is the iss of its tokens, to the byte, and the metadata must say the
// same: an https URL, or http on this very host, without user, query and
// fragment. The keys are bound to it: [NewJWT] refuses them for another issuer.
// The metadata is read again whenever the keys are fetched in the background.
//
// As with [NewRemoteKeys], o may be nil, nothing is fetched yet, and the error
// joins all that is wrong.
func Discover(issuer string, o *RemoteKeysOptions) (*RemoteKeys, error) {
	r, err := newRemoteKeys("Discover", issuer, o)
	u, malformed := url.Parse(issuer)
	if malformed == nil && strings.Contains(issuer, "?") {
		err = errors.Join(err, fmt.Errorf("auth: Discover: %w", errIssuerQuery))
	}
	if err != nil {
		return nil, err
	}
	r.issuer = issuer
	path := strings.TrimSuffix(u.EscapedPath(), "/")
	origin := u.Scheme + "://" + u.Host
	r.metadata = []string{
		origin + path + "/.well-known/openid-configuration",
		origin + "/.well-known/oauth-authorization-server" + path,
	}
	return r, nil
}

// locate finds out the URL of the keys, where it is not known or may have moved.
func (r *RemoteKeys) locate(ctx context.Context) error {
	if r.issuer == "" || time.Since(r.located) < r.refresh/2 {
		return nil
	}
	var errs []error
	for _, place := range r.metadata {
		document, err := r.get(ctx, place)
		if err == nil {
			r.url, err = readMetadata(document, r.issuer)
		}
		if err == nil {
			r.located = time.Now()
			return nil
		}
		errs = append(errs, fmt.Errorf("metadata: %w", err))
	}
	return errors.Join(errs...)
}

// readMetadata returns the jwks_uri of an issuer's metadata (RFC 8414 section 2,
// OpenID Connect Discovery section 3).
func readMetadata(document []byte, issuer string) (string, error) {
	var claimed, keys string
	err := strictjson.Object(document, func(name, value []byte) error {
		ok := true
		switch string(name) {
		case "issuer":
			claimed, ok = strictjson.String(value)
		case "jwks_uri":
			keys, ok = strictjson.String(value)
		}
		if !ok {
			return errMetadata
		}
		return nil
	})
	switch {
	case err != nil:
		return "", fmt.Errorf("%w: %w", errMetadata, err)
	case claimed != issuer:
		return "", errOtherIssuer
	}
	u, err := weburl.Parse(keys)
	switch {
	case err != nil:
		return "", fmt.Errorf("%w: jwks_uri: %w", errMetadata, err)
	case u.Scheme == "http" && !strings.HasPrefix(issuer, "http:"):
		return "", errKeysElsewhere
	}
	return keys, nil
}
