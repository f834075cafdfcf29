package auth

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"strings"
)

// A Form is the text form of a kind of credential. The forms of the verifiers
// under one source are disjoint, which [Bearer] and its kin check.
type Form struct {
	// New returns a fresh text with at least 128 random bits.
	New func() string

	// Match reports by syntax alone whether a text has this form. It is called
	// with input of any kind.
	Match func(text string) bool
}

// validate returns what is wrong with a form that somebody made.
func (f Form) validate() error {
	if f.New == nil || f.Match == nil {
		return errors.New("a form needs both New and Match")
	}
	if a, b := f.New(), f.New(); a == b || !f.Match(a) || !f.Match(b) || f.Match("") {
		return errors.New("a form that does not match its own texts, or makes one twice")
	}
	return nil
}

// TokenForm is the usual form of an opaque token: the prefix, then 256 random
// bits in base64url, 43 characters.
func TokenForm(prefix string) Form {
	const n = 43
	return Form{
		New: func() string { return prefix + base64.RawURLEncoding.EncodeToString(random(32)) },
		Match: func(text string) bool {
			return len(text) == len(prefix)+n && strings.HasPrefix(text, prefix) && isBase64URL(text[len(prefix):])
		},
	}
}

// UUIDForm has the shape of a UUID in lower-case hex, 8-4-4-4-12, with all 128
// bits random: there is no version digit. It is for APIs whose clients expect
// that shape.
func UUIDForm() Form {
	return Form{
		New: func() string {
			h := hex.EncodeToString(random(16))
			return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
		},
		Match: func(text string) bool {
			if len(text) != 36 {
				return false
			}
			for i := range len(text) {
				c := text[i]
				switch i {
				case 8, 13, 18, 23:
					if c != '-' {
						return false
					}
				default:
					if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
						return false
					}
				}
			}
			return true
		},
	}
}

// NewRevision returns a random revision for a record that is to be inserted.
// It leaves room to grow.
func NewRevision() uint64 { return binary.BigEndian.Uint64(random(8)) >> 2 }

// random returns n bytes of crypto/rand, which never fails.
func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}

func isBase64URL(s string) bool { return base64URL.hasAll(s) }

var base64URL = charset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")

// A chars is a set of bytes; those that are not in it are 1.
type chars [256]uint8

func charset(in string) *chars {
	var set chars
	for i := range set {
		set[i] = 1
	}
	for i := range len(in) {
		set[in[i]] = 0
	}
	return &set
}

// hasAll takes as long for a good text as for a bad one, without a branch for
// each byte: good ones are the rule.
func (set *chars) hasAll(s string) bool {
	var bad uint8
	for ; len(s) >= 4; s = s[4:] {
		bad |= set[s[0]] | set[s[1]] | set[s[2]] | set[s[3]]
	}
	for i := range len(s) {
		bad |= set[s[i]]
	}
	return bad == 0
}

// isName reports whether s is a name as an operator gives them to platforms and
// limits: 1 to 64 ASCII letters, digits, dots, hyphens and underscores.
func isName(s string) bool { return s != "" && len(s) <= maxName && nameChars.hasAll(s) }

const maxName = 64

var nameChars = charset(alphanumeric + "._-")
