package main

import (
	"crypto/rand"
	"errors"
	"os"

	"github.com/seed-077cad0b/auth"
)

// secrets come from the environment. One that is not there is made at random, and
// gone when the program ends.
type secrets struct {
	client, webClient, password string
	signingKey                  *auth.Key
}

func readSecrets() (s *secrets, err error) {
	s = &secrets{
		client:    secret("SPATIALWEB_CLIENT_SECRET"),
		webClient: secret("SPATIALWEB_WEB_CLIENT_SECRET"),
		password:  secret("SPATIALWEB_PASSWORD"),
	}
	s.signingKey, err = signingKey(os.Getenv("SPATIALWEB_SIGNING_KEY"))
	return s, err
}

func secret(name string) string {
	if text := os.Getenv(name); text != "" {
		return text
	}
	return rand.Text()
}

// signingKey reads a private key in PEM of whatever kind it is. The algorithm
// belongs to the key: no token is asked.
func signingKey(text string) (*auth.Key, error) {
	if text == "" {
		return auth.GenerateKey(auth.ES256)
	}
	for _, alg := range []auth.Algorithm{auth.ES256, auth.ES384, auth.ES512, auth.Ed25519, auth.RS256} {
		if key, err := auth.ParsePEM(alg, []byte(text)); err == nil && key.CanSign() {
			return key, nil
		}
	}
	return nil, errors.New("SPATIALWEB_SIGNING_KEY: no private key that signs, in PEM")
}
