package password

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// ErrUnusable: a stored hash is malformed, of an unknown algorithm, of a cost
// beyond bounds, or made with a pepper that is not configured. It is no fault
// of who logs in, so they are told auth.ErrUnavailable.
var ErrUnusable = errors.New("password: unusable stored hash")

// A storedForm is a stored hash that has been read and found to be within
// bounds.
type storedForm interface {
	// takes reports whether the algorithm can tell this password from all
	// others.
	takes(text []byte) bool

	// matches does the work and compares in constant time.
	matches(text []byte) bool
}

// parse reads a stored hash. It does no work. Errors show nothing of the hash.
func parse(stored string) (storedForm, error) {
	if len(stored) > maxStored {
		return nil, fmt.Errorf("%w: longer than %d bytes", ErrUnusable, maxStored)
	}
	var (
		form storedForm
		err  error
	)
	switch {
	case strings.HasPrefix(stored, argon2idPrefix), strings.HasPrefix(stored, pepperPrefix):
		form, err = parseArgon2id(stored)
	case strings.HasPrefix(stored, "$2"):
		form, err = parseBcrypt(stored)
	case strings.HasPrefix(stored, "$scrypt$"):
		form, err = parseScrypt(stored)
	case strings.HasPrefix(stored, "$pbkdf2-"):
		form, err = parsePasslib(stored)
	case strings.HasPrefix(stored, "pbkdf2_"):
		form, err = parseDjango(stored)
	default:
		err = errors.New("unknown algorithm")
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnusable, err)
	}
	return form, nil
}

// Bounds of any stored hash, in bytes. A key shorter than 16 would match by
// chance, an empty one always.
const (
	maxStored      = 512
	minKey, maxKey = 16, 64
	maxSalt        = 64
)

var (
	errForm  = errors.New("malformed")
	errBound = errors.New("parameters out of bounds")
)

func parseArgon2id(stored string) (storedForm, error) {
	a := &argon2idHash{}
	if rest, ok := strings.CutPrefix(stored, pepperPrefix); ok {
		id, rest, ok := strings.Cut(rest, "$")
		if !ok || !isPepperID(id) || !strings.HasPrefix("$"+rest, argon2idPrefix) {
			return nil, errForm
		}
		a.pepperID, stored = id, "$"+rest
	}
	part := strings.Split(stored, "$")
	if len(part) != 6 || part[2] != "v=19" {
		return nil, errForm
	}
	n, err := numbers(part[3], "m", "t", "p")
	if err != nil {
		return nil, err
	}
	if n[2] > maxThreads {
		return nil, errBound
	}
	a.params = Params{Memory: n[0], Time: n[1], Threads: uint8(n[2])}
	if !a.params.bounded() {
		return nil, errBound
	}
	a.salt, a.key, err = saltAndKey(base64.RawStdEncoding, part[4], part[5])
	return a, err
}

// numbers reads "m=1,t=2,p=3" as the PHC string format writes it: in this
// order, decimal, without leading zeros.
func numbers(text string, names ...string) ([]uint32, error) {
	fields := strings.Split(text, ",")
	if len(fields) != len(names) {
		return nil, errForm
	}
	all := make([]uint32, len(names))
	for i, f := range fields {
		digits, ok := strings.CutPrefix(f, names[i]+"=")
		if !ok {
			return nil, errForm
		}
		n, err := number(digits)
		if err != nil {
			return nil, err
		}
		all[i] = n
	}
	return all, nil
}

// number reads a positive decimal number.
func number(digits string) (uint32, error) {
	if digits == "" || digits[0] < '1' || digits[0] > '9' {
		return 0, errForm
	}
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return 0, errForm
		}
	}
	n, err := strconv.ParseUint(digits, 10, 32)
	if err != nil {
		return 0, errBound
	}
	return uint32(n), nil
}

func saltAndKey(enc *base64.Encoding, saltText, keyText string) (salt, key []byte, err error) {
	// Go's decoder skips line breaks.
	if strings.ContainsAny(saltText+keyText, "\r\n") {
		return nil, nil, errForm
	}
	enc = enc.Strict()
	if salt, err = enc.DecodeString(saltText); err != nil {
		return nil, nil, errForm
	}
	if key, err = enc.DecodeString(keyText); err != nil {
		return nil, nil, errForm
	}
	if len(salt) == 0 || len(salt) > maxSalt || len(key) < minKey || len(key) > maxKey {
		return nil, nil, errBound
	}
	return salt, key, nil
}
