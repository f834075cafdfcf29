package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"strings"
	"time"
)

// The refresh tokens that follow each other are a family. What binds them is its
// name, and what a spent token leaves behind, from which its successor can be
// computed by who has the token.

const (
	familyPrefix = "rf_"
	familyBytes  = 16
)

// NewFamily returns a new name for a family, see [IssueOptions].
func NewFamily() string {
	return familyPrefix + base64.RawURLEncoding.EncodeToString(random(familyBytes))
}

var errFamily = errors.New("auth: a family that NewFamily has not made")

// isFamily reports whether a family is one of refresh tokens. Sessions and keys
// call theirs by a digest, which is longer.
func isFamily(s string) bool {
	return len(s) == len(familyPrefix)+base64.RawURLEncoding.EncodedLen(familyBytes) && strings.HasPrefix(s, familyPrefix)
}

const nonceLen = sha256.Size

// spent is the data of a token that has been spent.
type spent struct {
	nonce [nonceLen]byte
	at    time.Time
}

func (s spent) marshal() []byte {
	return binary.BigEndian.AppendUint64(s.nonce[:], uint64(s.at.UnixMicro()))
}

// spentForm returns the data of a spent token; a live one has none.
func spentForm(r Record) (s spent, ok bool) {
	if len(r.Data) != nonceLen+8 {
		return s, false
	}
	copy(s.nonce[:], r.Data)
	s.at = time.UnixMicro(int64(binary.BigEndian.Uint64(r.Data[nonceLen:])))
	return s, true
}

// successor returns the token that follows the presented one.
func successor(token string, nonce [nonceLen]byte) string {
	h := hmac.New(sha256.New, []byte(token))
	h.Write(nonce[:])
	return refreshPrefix + base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}
