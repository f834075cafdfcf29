package main

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"sync"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/examples/internal/demo"
)

// partners are the demo's platforms. Real ones keep their private keys to
// themselves; the demo's are in files that go when it ends.
type partners struct {
	list  *auth.PlatformList
	lines []demo.Line
	dir   string
}

func newPartners() (p *partners, err error) {
	dir, err := os.MkdirTemp("", "bitcanuck")
	if err != nil {
		return nil, err
	}
	p = &partners{dir: dir}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.Close())
		}
	}()
	open, err1 := p.register("platform", &auth.Platform{ID: "maple", Name: "Maple Exchange"})
	suspended, err2 := p.register("suspended_platform", &auth.Platform{ID: "tundra", Name: "Tundra Trading", Suspended: true})
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	p.list, err = auth.NewPlatformList(open, suspended)
	return p, err
}

// Close removes the private keys.
func (p *partners) Close() error { return os.RemoveAll(p.dir) }

// register gives a platform a key pair: the public key to the registry, the
// private one to a file.
func (p *partners) register(name string, platform *auth.Platform) (*auth.Platform, error) {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(p.dir, platform.ID+".pem")
	der, err1 := x509.MarshalPKCS8PrivateKey(private)
	err2 := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600)
	public := pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(&private.PublicKey)})
	key, err3 := auth.ParsePEM(auth.RS512, public)
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	if platform.Keys, err = auth.NewKeys(nil, key); err != nil {
		return nil, err
	}
	platform.Scopes = []string{"wallets:read"}
	p.lines = append(p.lines, demo.Line{Name: name, Value: platform.ID}, demo.Line{Name: name + "_key", Value: path})
	return platform, nil
}

// A directory knows the users that platforms sign in: by platform and email
// both, so that none is another platform's.
type directory struct {
	mu    sync.Mutex
	users map[[2]string]string // ids
}

// user finds or creates the user whom an assertion names.
func (d *directory) user(_ context.Context, platform *auth.Platform, a *auth.Assertion) (*auth.Principal, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	key := [2]string{platform.ID, a.Email}
	if d.users[key] == "" {
		if d.users == nil {
			d.users = map[[2]string]string{}
		}
		d.users[key] = auth.UUIDForm().New()
	}
	return &auth.Principal{Subject: d.users[key], Scopes: platform.Scopes}, nil
}
