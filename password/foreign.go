package password

import (
	"bytes"
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"hash"
	"strings"

	"golang.org/x/crypto/bcrypt"
	"golang.org/x/crypto/scrypt"
)

// The hashes of others, for those who migrate. They are verified only; the
// first login replaces them.

// Bounds, as for Argon2id: several times of what OWASP or a framework's default
// asks for.
const (
	minBcryptCost = 4                     // what bcrypt can do
	maxBcryptCost = 16                    // OWASP 10; some seconds
	maxScrypt     = maxMemory * 1024      // bytes: 128·N·r; OWASP 128 MiB
	maxScryptWork = 4 * uint64(maxScrypt) // 128·N·r·p
	maxIterations = 5_000_000             // OWASP 600,000; Django 6.0 1,200,000
)

// A bcryptHash is a modular crypt string of 60 bytes.
type bcryptHash string

func parseBcrypt(stored string) (storedForm, error) {
	const alphabet = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	if len(stored) != 60 || !strings.Contains("aby", stored[2:3]) || stored[3] != '$' || stored[6] != '$' ||
		strings.Trim(stored[7:], alphabet) != "" {
		return nil, errForm
	}
	cost, err := number(strings.TrimPrefix(stored[4:6], "0"))
	if err != nil {
		return nil, err
	}
	if cost < minBcryptCost || cost > maxBcryptCost {
		return nil, errBound
	}
	return bcryptHash(stored), nil
}

// maxBcrypt is how many bytes of a password bcrypt looks at.
const maxBcrypt = 72

// takes refuses what bcrypt cannot tell from another password: it drops what is
// beyond 72 bytes, and repeats what is shorter, each time with a NUL after it,
// so that "a" and "a\x00a" are one to it. Those who made the hash knew the
// shorter one.
func (b bcryptHash) takes(text []byte) bool {
	if len(text) > maxBcrypt {
		return false
	}
	for i, c := range text {
		if c == 0 && bcryptKey(text[:i]) == bcryptKey(text) {
			return false
		}
	}
	return true
}

// bcryptKey is what bcrypt makes of a password.
func bcryptKey(text []byte) (key [maxBcrypt]byte) {
	for i := range key {
		if j := i % (len(text) + 1); j < len(text) {
			key[i] = text[j]
		}
	}
	return key
}

func (b bcryptHash) matches(text []byte) bool {
	return bcrypt.CompareHashAndPassword([]byte(b), text) == nil
}

// A scryptHash is a PHC string: $scrypt$ln=17,r=8,p=1$salt$key.
type scryptHash struct {
	n, r, p   int
	salt, key []byte
}

func parseScrypt(stored string) (storedForm, error) {
	part := strings.Split(stored, "$")
	if len(part) != 5 {
		return nil, errForm
	}
	v, err := numbers(part[2], "ln", "r", "p")
	if err != nil {
		return nil, err
	}
	ln, r, p := v[0], uint64(v[1]), uint64(v[2])
	// One after the other, so that no product overflows.
	if ln > 24 || r > 1<<10 || p > 1<<10 {
		return nil, errBound
	}
	if memory := 128 * r << ln; memory > maxScrypt || memory*p > maxScryptWork {
		return nil, errBound
	}
	s := &scryptHash{n: 1 << ln, r: int(r), p: int(p)}
	s.salt, s.key, err = saltAndKey(base64.RawStdEncoding, part[3], part[4])
	return s, err
}

// takes is as with PBKDF2, on which scrypt is built.
func (s *scryptHash) takes(text []byte) bool { return !padded(text, sha256.BlockSize) }

func (s *scryptHash) matches(text []byte) bool {
	key, err := scrypt.Key(text, s.salt, s.n, s.r, s.p, len(s.key))
	return err == nil && subtle.ConstantTimeCompare(key, s.key) == 1
}

// A pbkdf2Hash is one of passlib's or Django's.
type pbkdf2Hash struct {
	hash       func() hash.Hash
	block      int // bytes of a block of hash
	iterations int
	salt, key  []byte
}

// newPBKDF2 begins a pbkdf2Hash. OWASP's numbers are far below the bound for
// both hashes.
func newPBKDF2(algorithm, iterations string) (*pbkdf2Hash, error) {
	h := &pbkdf2Hash{}
	switch algorithm {
	case "sha256":
		h.hash, h.block = sha256.New, sha256.BlockSize
	case "sha512":
		h.hash, h.block = sha512.New, sha512.BlockSize
	default:
		return nil, errForm
	}
	n, err := number(iterations)
	if err != nil {
		return nil, err
	}
	if n > maxIterations {
		return nil, errBound
	}
	h.iterations = int(n)
	return h, nil
}

// parsePasslib reads $pbkdf2-sha256$iterations$salt$key, in passlib's base64
// with a dot for the plus, and the PHC spelling with i=iterations.
func parsePasslib(stored string) (storedForm, error) {
	part := strings.Split(stored, "$")
	if len(part) != 5 {
		return nil, errForm
	}
	h, err := newPBKDF2(strings.TrimPrefix(part[1], "pbkdf2-"), strings.TrimPrefix(part[2], "i="))
	if err != nil {
		return nil, err
	}
	plus := func(s string) string { return strings.ReplaceAll(s, ".", "+") }
	h.salt, h.key, err = saltAndKey(base64.RawStdEncoding, plus(part[3]), plus(part[4]))
	return h.bounded(err)
}

// parseDjango reads pbkdf2_sha256$iterations$salt$key; the salt is a text.
func parseDjango(stored string) (storedForm, error) {
	part := strings.Split(stored, "$")
	if len(part) != 4 {
		return nil, errForm
	}
	h, err := newPBKDF2(strings.TrimPrefix(part[0], "pbkdf2_"), part[1])
	if err != nil {
		return nil, err
	}
	salt := base64.StdEncoding.EncodeToString([]byte(part[2]))
	h.salt, h.key, err = saltAndKey(base64.StdEncoding, salt, part[3])
	return h.bounded(err)
}

// bounded refuses keys longer than the hash: each further block is all the
// iterations over again.
func (h *pbkdf2Hash) bounded(err error) (storedForm, error) {
	switch {
	case err != nil:
		return nil, err
	case len(h.key) > h.hash().Size():
		return nil, errBound
	default:
		return h, nil
	}
}

func (h *pbkdf2Hash) takes(text []byte) bool { return !padded(text, h.block) }

// padded reports whether HMAC, which fills a key up to a block with zeros,
// cannot tell the text from another: "a" and "a\x00" are one to it. A longer
// key is hashed first, and a hash is no text.
func padded(text []byte, block int) bool {
	return len(text) <= block && bytes.HasSuffix(text, []byte{0})
}

func (h *pbkdf2Hash) matches(text []byte) bool {
	key, err := pbkdf2.Key(h.hash, string(text), h.salt, h.iterations, len(h.key))
	return err == nil && subtle.ConstantTimeCompare(key, h.key) == 1
}
