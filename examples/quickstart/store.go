package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"database/sql"
	"encoding/pem"
	"errors"
	"flag"
	"io/fs"
	"net/url"
	"os"

	_ "modernc.org/sqlite"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/password"
	"github.com/seed-077cad0b/auth/store/memstore"
	"github.com/seed-077cad0b/auth/store/sqlstore"
)

var file = flag.String("store", "", "a SQLite file that remembers; without one, the program forgets all when it ends")

// A store keeps records and users.
type store interface {
	auth.Store
	password.UserStore
}

// remember returns what remembers, the key that signs, and what to call at the
// end. Tokens outlive the program only if the key does, too: it lies in a file
// beside the store, for its owner's eyes alone. Whoever has that key is anybody;
// in production, mount it as a secret.
func remember(file string) (store, *auth.Key, func() error, error) {
	if file == "" {
		key, err := auth.GenerateKey(auth.ES256)
		return memstore.New(), key, func() error { return nil }, err
	}
	key, err := loadKey(file + ".key")
	if err != nil {
		return nil, nil, nil, err
	}
	db, err := openSQLite(file)
	if err != nil {
		return nil, nil, nil, err
	}
	ctx := context.Background()
	err = sqlstore.Migrate(ctx, db, sqlstore.SQLite)
	if err != nil {
		return nil, nil, nil, errors.Join(err, db.Close())
	}
	s, err := sqlstore.New(ctx, db, sqlstore.SQLite, nil)
	if err != nil {
		return nil, nil, nil, errors.Join(err, db.Close())
	}
	return s, key, func() error { return errors.Join(s.Close(), db.Close()) }, nil
}

// openSQLite opens a file that nobody else may read: there are hashes of
// passwords in it.
func openSQLite(file string) (*sql.DB, error) {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	uri := url.URL{Scheme: "file", OmitHost: true, Path: file, RawQuery: "_pragma=busy_timeout(5000)"}
	return sql.Open("sqlite", uri.String())
}

// loadKey reads the key in a file, or makes both.
func loadKey(file string) (*auth.Key, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		text, err = newKey()
		if err == nil {
			err = os.WriteFile(file, text, 0o600)
		}
	}
	if err != nil {
		return nil, err
	}
	return auth.ParsePEM(auth.ES256, text)
}

func newKey() ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), err
}
