// Package strictjson reads one JSON object as RFC 8725 section 3.7 and RFC
// 7515 section 4 want it read: UTF-8, no member name twice at any depth, names
// compared exactly, nothing after the object, bounded nesting.
//
// It is for text that somebody else wrote and that decides who they are.
// encoding/json is too kind there: it folds the case of names, lets the last of
// two members win and replaces what is not UTF-8.
//
// It makes one pass and does not allocate, unless a name is written with escapes
// or an object has many members. No error carries any of the
// input.
package strictjson

import (
	"bytes"
	"errors"
)

// The bounds of a document, whatever its length.
const (
	MaxDepth   = 32   // of nested objects and arrays, the outermost included
	MaxMembers = 1000 // of any one object
)

// What is wrong with a document.
var (
	ErrSyntax    = errors.New("not one JSON object")
	ErrEncoding  = errors.New("JSON is not UTF-8")
	ErrDuplicate = errors.New("JSON member appears twice")
	ErrLimit     = errors.New("JSON nests too deep or has too many members")
)

// Object calls each for every member of the one JSON object that is data, in
// order. The name is decoded, the value is its text, without white space
// around it; both are valid only as long as data is. Object returns the first
// error of each, or what is wrong with data. It may have called each before it
// finds that out: results count only once Object has returned nil. Where each is
// nil, data is only checked.
func Object(data []byte, each func(name, value []byte) error) error {
	r := NewReader(data)
	for name := r.Next(); name != nil; name = r.Next() {
		value := r.Value()
		if r.err != nil || each == nil {
			continue // Next ends it, where there is an error
		}
		if err := each(name, value); err != nil {
			return err
		}
	}
	return r.err
}

// Array calls each for every element of the one JSON array that is value, in
// order, as [Object] does for members.
func Array(value []byte, each func(value []byte) error) error {
	s := scanner{data: value}
	if s.next() != '[' {
		return ErrSyntax
	}
	if err := s.array(1, each); err != nil {
		return err
	}
	return s.end()
}

// A scanner reads data from at on.
type scanner struct {
	data []byte
	at   int
}

// peek returns the next byte, and 0, which no JSON has here, at the end.
func (s *scanner) peek() byte {
	if s.at < len(s.data) {
		return s.data[s.at]
	}
	return 0
}

// next skips white space and returns what peek then does.
func (s *scanner) next() byte {
	if s.at < len(s.data) && s.data[s.at] > ' ' {
		return s.data[s.at] // as nearly always
	}
	return s.skip()
}

// skip is next where there may be white space.
func (s *scanner) skip() byte {
	for s.at < len(s.data) {
		switch c := s.data[s.at]; c {
		case ' ', '\t', '\n', '\r':
			s.at++
		default:
			return c
		}
	}
	return 0
}

func (s *scanner) end() error {
	if s.next(); s.at != len(s.data) {
		return ErrSyntax
	}
	return nil
}

// object reads an object whose brace is next.
func (s *scanner) object(depth int) error {
	if depth > MaxDepth {
		return ErrLimit
	}
	var seen names
	for {
		name, err := s.member(&seen)
		if err != nil || name == nil {
			return err
		}
		if err := s.value(depth); err != nil {
			return err
		}
	}
}

// member reads on in an object: from its brace, or from behind a value, to the next
// value, whose name it returns. At the end of the object, that is nil.
func (s *scanner) member(seen *names) ([]byte, error) {
	data, at, first := s.data, s.at, seen.n == 0
	if at+1 < len(data) && (data[at] == ',') != first && data[at+1] == '"' {
		name := data[at+2:]
		if n := plainPrefix(name); n+1 < len(name) && name[n] == '"' && name[n+1] == ':' {
			s.at += n + 4
			s.next()
			return name[:n:n], seen.add(data, name[:n:n], at+2, at+2+n)
		}
	}
	return s.spaced(seen)
}

// spaced is member where there is white space, a name that is not plain, or the end.
func (s *scanner) spaced(seen *names) ([]byte, error) {
	c := s.next()
	s.at++
	switch {
	case seen.n == 0: // behind the brace
		if s.next() == '}' {
			s.at++
			return nil, nil
		}
	case c == '}':
		return nil, nil
	case c == ',':
		s.next()
	default:
		return nil, ErrSyntax
	}
	from := s.at + 1
	name, err := s.string()
	if err != nil {
		return nil, err
	}
	if err := seen.add(s.data, name, from, s.at-1); err != nil {
		return nil, err
	}
	if s.next() != ':' {
		return nil, ErrSyntax
	}
	s.at++
	s.next()
	return name, nil
}

// array reads an array whose bracket is next.
func (s *scanner) array(depth int, each func(value []byte) error) error {
	if depth > MaxDepth {
		return ErrLimit
	}
	s.at++
	if s.next() == ']' {
		s.at++
		return nil
	}
	for {
		from := s.at
		if err := s.value(depth); err != nil {
			return err
		}
		if each != nil {
			if err := each(s.data[from:s.at:s.at]); err != nil {
				return err
			}
		}
		c := s.next()
		s.at++
		switch c {
		case ',':
			s.next()
		case ']':
			return nil
		default:
			return ErrSyntax
		}
	}
}

// value reads any value inside of something at depth.
func (s *scanner) value(depth int) error {
	switch c := s.peek(); c {
	case '"':
		_, err := s.string()
		return err
	case '{':
		return s.object(depth + 1)
	case '[':
		return s.array(depth+1, nil)
	case 't':
		return s.word("true")
	case 'f':
		return s.word("false")
	case 'n':
		return s.word("null")
	default:
		return s.number()
	}
}

func (s *scanner) word(w string) error {
	if !bytes.HasPrefix(s.data[s.at:], []byte(w)) {
		return ErrSyntax
	}
	s.at += len(w)
	return nil
}

// number reads a number of RFC 8259 section 6.
func (s *scanner) number() error {
	if s.peek() == '-' {
		s.at++
	}
	if s.peek() == '0' {
		s.at++
	} else if !s.digits() {
		return ErrSyntax
	}
	if s.peek() == '.' {
		s.at++
		if !s.digits() {
			return ErrSyntax
		}
	}
	if c := s.peek(); c == 'e' || c == 'E' {
		s.at++
		if c := s.peek(); c == '+' || c == '-' {
			s.at++
		}
		if !s.digits() {
			return ErrSyntax
		}
	}
	return nil
}

func (s *scanner) digits() bool {
	n := 0
	for _, c := range s.data[s.at:] {
		if c-'0' > 9 {
			break
		}
		n++
	}
	s.at += n
	return n > 0
}
