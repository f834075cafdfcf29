package strictjson

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

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

// string reads a string and returns it decoded: a part of data, unless it has
// escapes.
func (s *scanner) string() ([]byte, error) {
	data, at := s.data, s.at
	if at >= len(data) || data[at] != '"' {
		return nil, ErrSyntax
	}
	text := data[at+1:]
	n := plainPrefix(text)
	s.at = at + 1 + n
	if n >= len(text) || text[n] != '"' {
		return s.odd(at + 1)
	}
	s.at++
	return text[:n:n], nil
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
	for ; len(data) > 8; data = data[8:] {
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
// that is not plain, and 0 where there is none. To take from a byte what is more
// than it sets its highest bit, and borrows from the bytes above alone. A quote, with
// 2 flipped in it, is a blank, and nothing else that is plain comes down so far.
func oddOf(x uint64) uint64 {
	const each = 0x0101010101010101
	low, backslashes := x^each*2, x^each*'\\'
	return (x | (low - each*(' '+1)) | (backslashes - each)) & (each * utf8.RuneSelf)
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
