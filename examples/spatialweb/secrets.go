package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"

	"github.com/seed-077cad0b/auth"
)

// secrets come from the environment. One that is not there is made at random, and
// gone when the program ends.
type secrets struct {
	client, webClient, password string
	signingKey                  *auth.Key
}

const (
	clientVariable    = "SPATIALWEB_CLIENT_SECRET"
	webClientVariable = "SPATIALWEB_WEB_CLIENT_SECRET"
	passwordVariable  = "SPATIALWEB_PASSWORD"
	keyVariable       = "SPATIALWEB_SIGNING_KEY"
)

// named is err, if there is one, with the variable that has caused it.
func named(variable string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", variable, err)
}

func readSecrets() (s *secrets, err error) {
	s = &secrets{
		client:    secret(clientVariable),
		webClient: secret(webClientVariable),
		password:  secret(passwordVariable),
	}
	s.signingKey, err = signingKey(os.Getenv(keyVariable))
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
	return nil, named(keyVariable, errors.New("no private key that signs, in PEM"))
}
