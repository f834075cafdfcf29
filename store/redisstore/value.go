package redisstore

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"strconv"
	"time"

	"github.com/seed-077cad0b/auth"
)

// What is kept of a record is a header, of what the scripts need to know, and its
// binary form:
//
//	 0  revision, 8 bytes
//	 8  seen, which is newer than that of the binary form
//	16  keep until
//	24  the stamp of its entry in a list, zero where it is not listed
//	32  the list, 16 bytes, zero where it is not listed
//
// Numbers are big-endian, and times the microseconds since 1970 plus 2^63, so that
// their bytes are in order.
const (
	atSeen, atKeep, atStamp, atHome = 8, 16, 24, 32
	headerSize                      = 48
)

var errValue = errors.New("redisstore: malformed record")

// newValue returns what is to be kept of r, whose entry is e.
func newValue(r *auth.Record, e *entry) []byte {
	b := make([]byte, headerSize, 512)
	binary.BigEndian.PutUint64(b, r.Revision)
	binary.BigEndian.PutUint64(b[atSeen:], ordered(r.Seen))
	keep := uint64(forever)
	if !r.KeepUntil.IsZero() {
		keep = ordered(r.KeepUntil)
	}
	binary.BigEndian.PutUint64(b[atKeep:], keep)
	binary.BigEndian.PutUint64(b[atStamp:], e.stamp)
	copy(b[atHome:], e.home[:])
	b, _ = r.AppendBinary(b) // never fails
	return b
}

const forever = 1<<64 - 1

// decode returns the record in a value, of which it keeps nothing.
func decode(v []byte) (r auth.Record, err error) {
	if len(v) < headerSize {
		return r, errValue
	}
	if err := r.UnmarshalBinary(v[headerSize:]); err != nil {
		return auth.Record{}, err
	}
	r.Seen = unordered(binary.BigEndian.Uint64(v[atSeen:]))
	return r, nil
}

// isPast reports whether a value is past its KeepUntil. A malformed one is not,
// and is refused when it is decoded.
func isPast(v []byte, now time.Time) bool {
	return len(v) >= headerSize && binary.BigEndian.Uint64(v[atKeep:]) <= ordered(now)
}

func stampOf(v []byte) uint64 { return binary.BigEndian.Uint64(v[atStamp:]) }

func ordered(t time.Time) uint64 { return uint64(t.UnixMicro()) ^ 1<<63 }

func unordered(n uint64) time.Time { return time.UnixMicro(int64(n ^ 1<<63)).UTC() }

// now is the time as the scripts compare it.
func now() string { return number(ordered(time.Now())) }

// number is a number as the scripts compare it.
func number(n uint64) string {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], n)
	return string(b[:])
}

// grace is how long a key outlives the KeepUntil of its record: a server whose
// clock is ahead by less forgets nothing too early. Readers go by their own.
const grace = time.Minute

// expiry is when the server lets go of a record, in milliseconds since 1970;
// empty: never.
func expiry(r *auth.Record) string {
	if r.KeepUntil.IsZero() {
		return ""
	}
	return strconv.FormatInt(max(1, r.KeepUntil.Add(grace).UnixMilli()), 10)
}

// A home is the name of a list: that of a kind and an owner. The zero home is
// where records are that are not listed.
type home [16]byte

func homeOf(r *auth.Record) home {
	if r.Owner.IsZero() {
		return home{}
	}
	return homeAt(r.Owner, r.Kind)
}

func homeAt(owner auth.Digest, k auth.Kind) home {
	h := sha256.Sum256(append(owner[:len(owner):len(owner)], k...))
	return home(h[:])
}
