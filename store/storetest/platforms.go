package storetest

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/seed-077cad0b/auth"
)

type platformOpener = func(testing.TB, ...*auth.Platform) auth.PlatformRegistry

const knows = "Platform returns the entry whose ID is id"

// platformClaims hold each sentence of auth.PlatformRegistry.
var platformClaims = []claim[platformOpener]{
	{"Platform, every field", knows, func(t *trial, open platformOpener) {
		platforms := []*auth.Platform{platform(t), platform(t), platform(t)}
		r := open(t, platforms...)
		for _, p := range platforms {
			t.platform(r, p)
		}
	}},
	{"Platform, nil and empty", "Nil is any, and an empty list none.", func(t *trial, open platformOpener) {
		p := platform(t)
		nowhere, err := auth.NewNetworks()
		t.must(err, "NewNetworks")
		bare := func() *auth.Platform { return &auth.Platform{ID: platformID(), Keys: p.Keys} }
		anywhere, none, off := bare(), bare(), bare()
		none.EmailDomains, none.Networks, none.Scopes = []string{}, nowhere, []string{}
		off.Suspended = true
		r := open(t, anywhere, none, off)
		for _, p := range []*auth.Platform{anywhere, none, off} {
			t.platform(r, p)
		}
	}},
	{"Platform, absent", "Where there is none it returns ErrNotFound", func(t *trial, open platformOpener) {
		r := open(t, platform(t))
		for _, id := range []string{platformID(), ".", "..", "-", "_", strings.Repeat("x", 64)} {
			t.is(second(r.Platform(t.ctx, id)), auth.ErrNotFound, "Platform "+id)
		}
	}},
	{"Platform, none", "Where there is none it returns ErrNotFound", func(t *trial, open platformOpener) {
		t.is(second(open(t).Platform(t.ctx, platformID())), auth.ErrNotFound, "Platform")
	}},
	{"Platform, ids alike", "a name to be compared exactly, never a path or a part of a query", func(t *trial, open platformOpener) {
		start := platformID()
		var platforms []*auth.Platform
		for _, end := range []string{"-a", "_a", "-b.", "", "-A", ".a", "-b", "-b-", strings.Repeat("x", 64-len(start))} {
			p := platform(t)
			p.ID = start + end
			platforms = append(platforms, p)
		}
		some, others := platforms[:4], platforms[4:]
		r := open(t, some...)
		for _, p := range others {
			t.is(second(r.Platform(t.ctx, p.ID)), auth.ErrNotFound, "Platform "+p.ID)
		}
		for _, p := range some {
			t.platform(r, p)
		}
		r = open(t, others...)
		for _, p := range others {
			t.platform(r, p)
		}
	}},
	{"Platform, many ask", "Implementations are safe for concurrent use.", func(t *trial, open platformOpener) {
		p := platform(t)
		r := open(t, p)
		for i, err := range race(racers, func(i int) error {
			id := p.ID
			if i%2 == 1 {
				id = platformID()
			}
			return second(r.Platform(t.ctx, id))
		}) {
			if i%2 == 1 {
				t.is(err, auth.ErrNotFound, "Platform")
			} else {
				t.must(err, "Platform")
			}
		}
		t.platform(r, p)
	}},
	{"Platform, context", "any other error is an outage, answered 503", func(t *trial, open platformOpener) {
		p := platform(t)
		r := open(t, p)
		past, cancel := context.WithDeadline(t.ctx, time.Now().Add(-time.Second))
		defer cancel()
		if err := second(r.Platform(past, p.ID)); isAnswer(err) { // it need not ask anybody
			t.Fatalf("Platform, with a context that has ended: %v", err)
		}
	}},
}

// platform returns a platform with something of its own in every field.
func platform(t *trial) *auth.Platform {
	t.Helper()
	p := &auth.Platform{Keys: publicKeys(t)}
	v := reflect.ValueOf(p).Elem()
	for field, value := range v.Fields() {
		if field.Name != "Keys" {
			fill(t, value)
		}
	}
	p.ID = platformID()
	p.Algorithms = []auth.Algorithm{auth.RS512, auth.ES256, auth.EdDSA}
	p.EmailDomains = []string{"example.com", "sub.example.org"}
	p.Rate = auth.Rate{Limit: 10, Per: time.Minute, Burst: 20}
	t.must(p.Validate(), "Validate")
	return p
}

func platformID() string { return "kit-" + rand.Text() }

// publicKeys returns two public keys.
func publicKeys(t *trial) *auth.Keys {
	t.Helper()
	var keys []*auth.Key
	for range 2 {
		public, _, err := ed25519.GenerateKey(rand.Reader)
		t.must(err, "GenerateKey")
		der, err := x509.MarshalPKIXPublicKey(public)
		t.must(err, "MarshalPKIXPublicKey")
		key, err := auth.ParsePEM(auth.EdDSA, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
		t.must(err, "ParsePEM")
		keys = append(keys, key)
	}
	set, err := auth.NewKeys(nil, keys...)
	t.must(err, "NewKeys")
	return set
}

// platform wants the entry that p is.
func (t *trial) platform(r auth.PlatformRegistry, p *auth.Platform) {
	t.Helper()
	got, err := r.Platform(t.ctx, p.ID)
	t.must(err, "Platform")
	same(t, got, p, "Platform")
	if (got.EmailDomains == nil) != (p.EmailDomains == nil) || (got.Algorithms == nil) != (p.Algorithms == nil) {
		t.Fatalf("Platform: a list that was nil is empty, or the other way round")
	}
	t.must(got.Validate(), "Validate")
	want, err := p.Keys.Lookup(t.ctx, "", auth.EdDSA)
	t.must(err, "Lookup of the keys")
	for _, key := range want { // an id is the hash of a key
		keys, err := got.Keys.Lookup(t.ctx, key.ID(), key.Algorithm())
		t.must(err, "Lookup of a key")
		equal(t, len(keys), 1, "keys of an id")
		equal(t, keys[0].ID(), key.ID(), "id of the key")
		equal(t, keys[0].Algorithm(), key.Algorithm(), "algorithm of the key")
	}
	all, err := got.Keys.Lookup(t.ctx, "", auth.EdDSA)
	t.must(err, "Lookup of the keys")
	equal(t, len(all), len(want), "keys")
}
