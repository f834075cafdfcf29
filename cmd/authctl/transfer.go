package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/password"
)

// The form of an export is JSON, one object a line: a header, then records and
// users, then what makes it whole. Records and users are in the library's own
// binary forms, so that this program need not know their fields.

const (
	exportFormat  = "authctl export"
	exportVersion = 1
)

// A line of an export has one of its members.
type line struct {
	Format  string    `json:"format,omitempty"` // of the header, with the next two
	Version int       `json:"version,omitempty"`
	Created time.Time `json:"created,omitzero"`

	Digest string          `json:"digest,omitempty"` // of a record, with the next
	Record []byte          `json:"record,omitempty"`
	User   json.RawMessage `json:"user,omitempty"`

	End *totals `json:"end,omitempty"`
}

// totals are how many records and users there are.
type totals struct {
	Records int `json:"records"`
	Users   int `json:"users"`
}

func header() line {
	return line{Format: exportFormat, Version: exportVersion, Created: time.Now().UTC().Truncate(time.Second)}
}

// check returns what is wrong with a header.
func (l *line) check() error {
	switch {
	case l.Format != exportFormat:
		return errors.New("this is no export of authctl")
	case l.Version != exportVersion:
		return fmt.Errorf("this export has version %d, and this authctl reads version %d", l.Version, exportVersion)
	}
	return nil
}

func recordLine(e auth.Entry) (line, error) {
	data, err := e.Record.MarshalBinary()
	return line{Digest: e.Digest.String(), Record: data}, err
}

func userLine(u password.User) (line, error) {
	data, err := u.MarshalBinary()
	return line{User: data}, err
}

// entry returns the record that a line is.
func (l *line) entry() (e auth.Entry, err error) {
	if e.Digest, err = auth.ParseDigest(l.Digest); err != nil {
		return e, err
	}
	return e, e.Record.UnmarshalBinary(l.Record)
}

// user returns the user that a line is.
func (l *line) user() (u password.User, err error) {
	return u, u.UnmarshalBinary(l.User)
}

// sameRecord reports whether two records are one, but for their last use, which
// moves on without a revision.
func sameRecord(a, b auth.Record) bool {
	a.Seen, b.Seen = time.Time{}, time.Time{}
	x, errX := a.MarshalBinary()
	y, errY := b.MarshalBinary()
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

func sameUser(a, b password.User) bool {
	x, errX := a.MarshalBinary()
	y, errY := b.MarshalBinary()
	return errX == nil && errY == nil && bytes.Equal(x, y)
}
