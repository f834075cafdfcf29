package password

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// Params is the cost of an Argon2id hash (RFC 9106 section 3.1).
type Params struct {
	Memory  uint32 // in KiB; zero: 19456, 19 MiB
	Time    uint32 // passes over the memory; zero: 2
	Threads uint8  // lanes; zero: 1
}

// What OWASP's Password Storage Cheat Sheet recommends, and the least that it
// lists (m=7168, t=5) as bounds: of the memory, and of memory times passes.
const (
	defaultMemory, defaultTime, defaultThreads = 19456, 2, 1
	minMemory, minWork                         = 7168, 7168 * 5
)

// Bounds of what is verified, so that no stored hash, however it got there, can
// take the memory or the time of the program: each is several times of what
// anybody recommends for logins.
const (
	maxMemory  = 256 << 10     // KiB, for a hash; libsodium's "moderate"
	maxWork    = 4 * maxMemory // memory times passes
	maxThreads = 16
)

const (
	saltLen = 16 // bytes; RFC 9106 section 3.1
	keyLen  = 32
)

func (p Params) orDefault() Params {
	if p.Memory == 0 {
		p.Memory = defaultMemory
	}
	if p.Time == 0 {
		p.Time = defaultTime
	}
	if p.Threads == 0 {
		p.Threads = defaultThreads
	}
	return p
}

// check validates the parameters for new hashes.
func (p Params) check(insecure bool) error {
	switch {
	case !p.bounded():
		return fmt.Errorf("password: Params %+v: beyond the bounds of %d KiB, %d KiB times passes, %d threads, or less than 8 KiB a thread",
			p, maxMemory, maxWork, maxThreads)
	case !insecure && (p.Memory < minMemory || p.work() < minWork):
		return fmt.Errorf("password: Params %+v: weaker than the least that OWASP recommends (m=7168, t=5)", p)
	default:
		return nil
	}
}

// bounded reports whether a hash of this cost may be computed.
func (p Params) bounded() bool {
	return p.Threads >= 1 && p.Threads <= maxThreads &&
		p.Time >= 1 && p.Memory >= 8*uint32(p.Threads) && p.Memory <= maxMemory && p.work() <= maxWork
}

func (p Params) work() uint64 { return uint64(p.Memory) * uint64(p.Time) }

// A Pepper is a key that passwords are run through before they are hashed, as
// HMAC-SHA256. It belongs in a secret manager, never into the store.
//
// To rotate, put the new one first and keep the old one: hashes name the pepper
// that they were made with, and each login moves its own to the new one. Once
// the old one is removed, those who have not logged in since get
// auth.ErrUnavailable, not a 401: to the program, a pepper that it lacks is a
// mistake in its configuration. Give them a way to reset.
type Pepper struct {
	ID  string // 1 to 32 letters, digits, dots, hyphens, underscores; stored with each hash
	Key []byte // 32 to 128 random bytes
}

func clonePeppers(peppers []Pepper) ([]Pepper, error) {
	var (
		own  []Pepper
		errs []error
		seen = map[string]bool{}
	)
	for _, p := range peppers {
		switch {
		case !isPepperID(p.ID):
			errs = append(errs, fmt.Errorf("password: Pepper.ID %q: not 1 to 32 letters, digits, dots, hyphens, underscores", p.ID))
		case seen[p.ID]:
			errs = append(errs, fmt.Errorf("password: Pepper.ID %q comes twice", p.ID))
		}
		if len(p.Key) < 32 || len(p.Key) > 128 {
			errs = append(errs, fmt.Errorf("password: Pepper %q: a key of %d bytes, not 32 to 128", p.ID, len(p.Key)))
		}
		seen[p.ID] = true
		own = append(own, Pepper{p.ID, append([]byte(nil), p.Key...)})
	}
	return own, errors.Join(errs...)
}

func isPepperID(id string) bool {
	for i := range len(id) {
		switch c := id[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '.', c == '-', c == '_':
		default:
			return false
		}
	}
	return id != "" && len(id) <= 32
}

// An argon2idHash is a stored form that Hasher makes. With a pepper it has a
// prefix of ours, so that no other program takes it for a plain one:
//
//	$argon2id$v=19$m=19456,t=2,p=1$salt$key
//	$hmac-sha256$k=ID$argon2id$v=19$m=19456,t=2,p=1$salt$key
type argon2idHash struct {
	params    Params
	salt, key []byte
	pepperID  string
	pepper    []byte // nil until it is looked up by its id
}

const (
	argon2idPrefix = "$argon2id$"
	pepperPrefix   = "$hmac-sha256$k="
)

func (a *argon2idHash) String() string {
	var b strings.Builder
	if a.pepperID != "" {
		b.WriteString(pepperPrefix + a.pepperID)
	}
	fmt.Fprintf(&b, argon2idPrefix+"v=%d$m=%d,t=%d,p=%d$%s$%s",
		argon2.Version, a.params.Memory, a.params.Time, a.params.Threads,
		base64.RawStdEncoding.EncodeToString(a.salt), base64.RawStdEncoding.EncodeToString(a.key))
	return b.String()
}

func (a *argon2idHash) takes([]byte) bool { return true }

func (a *argon2idHash) matches(text []byte) bool {
	return subtle.ConstantTimeCompare(a.derive(text, len(a.key)), a.key) == 1
}

func (a *argon2idHash) derive(text []byte, length int) []byte {
	if a.pepperID != "" {
		mac := hmac.New(sha256.New, a.pepper)
		mac.Write(text)
		text = mac.Sum(nil)
	}
	return argon2.IDKey(text, a.salt, a.params.Time, a.params.Memory, a.params.Threads, uint32(length))
}

// random returns n bytes of crypto/rand, which never fails.
func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}
