// Package strictjson reads one JSON object as RFC 8725 section 3.7 and RFC
// 7515 section 4 want it read: UTF-8, no member name twice at any depth, names
// compared exactly, nothing after the object, bounded nesting.
//
// It is for text that somebody else wrote and that decides who they are.
// encoding/json is too kind there: it folds the case of names, lets the last of
// two members win and replaces what is not UTF-8.
//
// The reader makes one pass and does not allocate, unless a name is written
// with escapes or an object has many members. No error carries any of the
// input.
package strictjson

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
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
// finds that out: results count only once Object has returned nil.
func Object(data []byte, each func(name, value []byte) error) error {
	s := scanner{data: data}
	if s.next() != '{' {
		return ErrSyntax
	}
	if err := s.object(1, each); err != nil {
		return err
	}
	return s.end()
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

// String decodes a value that is a JSON string. It reports false where value
// is something else, such as null.
func String(value []byte) (string, bool) {
	text, ok := Bytes(value)
	return string(text), ok
}

// Bytes is [String] without the copy, where the string has no escapes: the
// result is then a part of value.
func Bytes(value []byte) ([]byte, bool) {
	if last := len(value) - 1; last > 0 && value[0] == '"' && value[last] == '"' && plainPrefix(value[1:]) == last-1 {
		return value[1:last:last], true
	}
	s := scanner{data: value}
	text, err := s.string()
	if err != nil || s.at != len(value) {
		return nil, false
	}
	return text, true
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
	for s.at < len(s.data) {
		switch c := s.data[s.at]; {
		case c > ' ':
			return c
		case c == ' ', c == '\t', c == '\n', c == '\r':
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
func (s *scanner) object(depth int, each func(name, value []byte) error) error {
	if depth > MaxDepth {
		return ErrLimit
	}
	s.at++
	if s.next() == '}' {
		s.at++
		return nil
	}
	var seen names
	for {
		name, err := s.string()
		if err != nil {
			return err
		}
		if err := seen.add(name); err != nil {
			return err
		}
		if s.next() != ':' {
			return ErrSyntax
		}
		s.at++
		s.next()
		from := s.at
		if err := s.value(depth); err != nil {
			return err
		}
		if each != nil {
			if err := each(name, s.data[from:s.at:s.at]); err != nil {
				return err
			}
		}
		c := s.next()
		s.at++
		switch c {
		case ',':
			s.next()
		case '}':
			return nil
		default:
			return ErrSyntax
		}
	}
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
		return s.object(depth+1, nil)
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

// string reads a string and returns it decoded: a part of data, unless it has
// escapes.
func (s *scanner) string() ([]byte, error) {
	if s.peek() != '"' {
		return nil, ErrSyntax
	}
	from := s.at + 1
	s.at = from + plainPrefix(s.data[from:])
	if s.peek() == '"' {
		s.at++
		return s.data[from : s.at-1 : s.at-1], nil
	}
	return s.odd(from)
}

// odd reads on in a string that began at from and whose next byte is not plain.
func (s *scanner) odd(from int) ([]byte, error) {
	for {
		switch c := s.peek(); {
		case c == '"':
			text := s.data[from:s.at:s.at]
			s.at++
			if !utf8.Valid(text) {
				return nil, ErrEncoding
			}
			return text, nil
		case c == '\\':
			return s.escaped(from)
		case c < ' ': // or the end
			return nil, ErrSyntax
		}
		for s.peek() >= utf8.RuneSelf {
			s.at++
		}
		s.at += plainPrefix(s.data[s.at:])
	}
}

// plainPrefix returns how many bytes at the beginning of a string's data stand for
// themselves: printable ASCII but for quotes and backslashes. Strings are most of a
// document, so it takes eight at a time.
func plainPrefix(data []byte) int {
	n := 0
	for ; len(data) >= 8; data = data[8:] {
		if odd := oddOf(binary.LittleEndian.Uint64(data)); odd != 0 {
			return n + bits.TrailingZeros64(odd)/8
		}
		n += 8
	}
	for _, c := range data {
		if !isPlain(c) {
			break
		}
		n++
	}
	return n
}

func isPlain(c byte) bool { return ' ' <= c && c < utf8.RuneSelf && c != '"' && c != '\\' }

// oddOf returns a word whose lowest bit that is set lies in the lowest byte of x
// that is not plain, and 0 where there is none. To take 1 from a byte of 0, or 32
// from one that is less, sets its highest bit, and borrows from the bytes above
// alone.
func oddOf(x uint64) uint64 {
	const each = 0x0101010101010101
	quotes, backslashes := x^each*'"', x^each*'\\'
	return (x | (x - each*' ') | (quotes - each) | (backslashes - each)) & (each * utf8.RuneSelf)
}

// escaped reads on in a string that began at from and whose first escape is
// next.
func (s *scanner) escaped(from int) ([]byte, error) {
	text := append(make([]byte, 0, 2*(s.at-from)+16), s.data[from:s.at]...)
	for s.at < len(s.data) {
		c := s.data[s.at]
		s.at++
		switch {
		case c == '"':
			if !utf8.Valid(text) {
				return nil, ErrEncoding
			}
			return text, nil
		case c == '\\':
			r, err := s.escape()
			if err != nil {
				return nil, err
			}
			text = utf8.AppendRune(text, r)
		case c < ' ':
			return nil, ErrSyntax
		default:
			text = append(text, c)
		}
	}
	return nil, ErrSyntax
}

// escape reads what follows a backslash. Surrogates count in pairs only: what
// becomes of a lone one differs between readers.
func (s *scanner) escape() (rune, error) {
	c := s.peek()
	s.at++
	switch c {
	case '"', '\\', '/':
		return rune(c), nil
	case 'b':
		return '\b', nil
	case 'f':
		return '\f', nil
	case 'n':
		return '\n', nil
	case 'r':
		return '\r', nil
	case 't':
		return '\t', nil
	case 'u':
	default:
		return 0, ErrSyntax
	}
	r, ok := s.hex4()
	if !ok {
		return 0, ErrSyntax
	}
	if !utf16.IsSurrogate(r) {
		return r, nil
	}
	if s.peek() != '\\' {
		return 0, ErrEncoding
	}
	s.at++
	if s.peek() != 'u' {
		return 0, ErrEncoding
	}
	s.at++
	low, ok := s.hex4()
	if !ok {
		return 0, ErrSyntax
	}
	if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
		return 0, ErrEncoding
	}
	return r, nil
}

func (s *scanner) hex4() (rune, bool) {
	if len(s.data)-s.at < 4 {
		return 0, false
	}
	var r rune
	for _, c := range s.data[s.at : s.at+4] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	s.at += 4
	return r, true
}
