package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed-077cad0b/auth"
)

func (a *app) keygenCommand() *cobra.Command {
	var alg, form, out, public, kid string
	var bits int
	c := &cobra.Command{
		Use:   "keygen",
		Short: "Make a key that signs tokens",
		Long: `Keygen makes a key and prints it to standard output or, with --out, writes it into
a new file that only its owner reads. --public writes the public part, for those
who verify. No file is ever overwritten.

A PEM does not tell the algorithm: whoever reads it names it. A JWK does, and is
the only form of a secret for HS256, HS384 and HS512, which have no public part.`,
		Example: `  authctl keygen --alg ES256 --out signing.pem --public signing.pub.pem
  authctl keygen --alg HS256 --form jwk --out secret.json
  authctl keygen --alg RS512 --form jwk --out partner.json --public partner.pub.json`,
		Args: arguments(0, 0),
		RunE: func(*cobra.Command, []string) error {
			k, err := generate(auth.Algorithm(alg), bits)
			if err != nil {
				return err
			}
			private, shared, err := k.encode(form, kid)
			if err != nil {
				return err
			}
			if public != "" && shared == nil {
				return usagef("%s is symmetric: there is no public part, and whoever verifies can sign", alg)
			}
			if err := a.writeKeys(out, private, public, shared); err != nil {
				return err
			}
			a.note("made a key for %s with the id %s", alg, k.id)
			return nil
		},
	}
	f := c.Flags()
	f.StringVar(&alg, "alg", "ES256", "algorithm: HS256, RS256, PS256, ES256 and their kin, EdDSA or Ed25519")
	f.IntVar(&bits, "bits", 3072, "size of an RSA key, 2048 to 8192")
	f.StringVar(&form, "form", "pem", "pem or jwk")
	f.StringVar(&out, "out", "", "new file for the private key (default standard output)")
	f.StringVar(&public, "public", "", "new file for the public key")
	f.StringVar(&kid, "kid", "", "id in a JWK (default the thumbprint)")
	return c
}

// writeKeys writes the private key and, where a file is named for it, the public
// one: both or none.
func (a *app) writeKeys(out string, private []byte, public string, shared []byte) error {
	if public != "" {
		if err := writeNew(public, shared, 0o644); err != nil {
			return err
		}
	}
	err := error(nil)
	if out == "" {
		_, err = a.stdout.Write(private)
	} else {
		err = writeNew(out, private, 0o600)
	}
	if err != nil && public != "" {
		err = errors.Join(err, os.Remove(public))
	}
	return err
}

// writeNew writes a file that did not exist, whole or not at all.
func writeNew(name string, data []byte, mode fs.FileMode) error {
	f, err := createNew(name, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(name))
	}
	return nil
}

// createNew makes a file. One that exists is never overwritten.
func createNew(name string, mode fs.FileMode) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if errors.Is(err, fs.ErrExist) {
		err = conflict("%q exists, and is not overwritten", name)
	}
	return f, err
}

// A pair is a key that was made, in the types of the standard library: what the
// library itself makes never leaves it.
type pair struct {
	alg    auth.Algorithm
	id     string
	secret []byte        // of an HMAC
	signer crypto.Signer // else
}

func generate(alg auth.Algorithm, bits int) (*pair, error) {
	p := &pair{alg: alg}
	var err error
	switch alg {
	case auth.HS256, auth.HS384, auth.HS512:
		p.secret = make([]byte, 64)
		_, _ = rand.Read(p.secret) // never fails
	case auth.RS256, auth.RS384, auth.RS512, auth.PS256, auth.PS384, auth.PS512:
		if bits < 2048 || bits > 8192 {
			return nil, usagef("an RSA key has 2048 to 8192 bits, not %d", bits)
		}
		p.signer, err = rsa.GenerateKey(rand.Reader, bits)
	case auth.ES256:
		p.signer, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case auth.ES384:
		p.signer, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case auth.ES512:
		p.signer, err = ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	case auth.EdDSA, auth.Ed25519:
		_, p.signer, err = ed25519.GenerateKey(rand.Reader)
	default:
		return nil, usagef("unknown algorithm %q", alg)
	}
	return p, err
}

// encode returns the private and the public form, nil where there is none. Each
// has been read by the library.
func (p *pair) encode(form, kid string) (private, public []byte, err error) {
	switch {
	case form == "jwk":
		private, public, err = p.jwk(kid)
	case form != "pem":
		err = usagef("--form is pem or jwk")
	case p.signer == nil:
		err = usagef("a PEM has no form for %s; say --form jwk", p.alg)
	case kid != "":
		err = usagef("a PEM has no room for --kid; say --form jwk")
	default:
		private, public, err = p.pem()
	}
	if err != nil {
		return nil, nil, err
	}
	k, err := parseKeys(private, p.alg)
	if err != nil {
		return nil, nil, err
	}
	p.id = k[0].ID()
	return private, public, nil
}

func (p *pair) pem() (private, public []byte, err error) {
	if private, err = x509.MarshalPKCS8PrivateKey(p.signer); err != nil {
		return nil, nil, err
	}
	if public, err = x509.MarshalPKIXPublicKey(p.signer.Public()); err != nil {
		return nil, nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}),
		pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}), nil
}

// keyForm tells whether a file of keys is a PEM or JSON, and a set or one key.
func keyForm(data []byte) (form string, isSet bool) {
	if !strings.HasPrefix(strings.TrimSpace(string(data)), "{") {
		return "pem", false
	}
	var members map[string]json.RawMessage
	_ = json.Unmarshal(data, &members) // what reads it says what is wrong
	_, isSet = members["keys"]
	return "jwk", isSet
}
