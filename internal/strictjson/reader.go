package strictjson

// A Reader reads the one JSON object that is its data member by member, and each
// value once, as what it is meant to be. As with [Object], results count only once
// Next and Err have returned nil.
//
//	r := strictjson.NewReader(data)
//	for name := r.Next(); name != nil; name = r.Next() {
//		if string(name) == "sub" {
//			subject, ok = r.Bytes()
//		}
//	}
type Reader struct {
	scanner
	from int // where the value begins; at is there until it is read
	seen names
	err  error
}

// NewReader returns a Reader of data.
func NewReader(data []byte) *Reader {
	return &Reader{scanner: scanner{data: data}, from: -1}
}

// Next goes on to the next member and returns its decoded name, or nil where there
// is none, after which it is not called again.
func (r *Reader) Next() []byte {
	if r.at == r.from {
		r.Value()
	}
	if r.err == nil && r.from < 0 && r.next() != '{' {
		r.err = ErrSyntax
	}
	if r.err != nil {
		return nil
	}
	name, err := r.member(&r.seen)
	if err == nil && name == nil {
		err = r.end()
	}
	if err != nil {
		r.err = err
		return nil
	}
	r.from = r.at
	return name
}

// Value returns the text of the value, without white space around it.
func (r *Reader) Value() []byte {
	if r.at == r.from && r.err == nil {
		r.err = r.value(1)
	}
	if r.err != nil {
		return nil
	}
	return r.data[r.from:r.at:r.at]
}

// Bytes decodes a value that is a string, as the function [Bytes] does. It reads
// the value, whatever it is.
func (r *Reader) Bytes() ([]byte, bool) {
	if r.at != r.from || r.peek() != '"' {
		r.Value()
		return nil, false
	}
	text, err := r.string()
	if err != nil {
		r.err = err
		return nil, false
	}
	return text, true
}

// Whole decodes a value that is a number as most dates are: up to 15 digits, and
// nothing else. It does not read any other.
func (r *Reader) Whole() (int64, bool) {
	data, n, at := r.data, int64(0), r.at
	for at < len(data) && data[at]-'0' <= 9 {
		n = n*10 + int64(data[at]-'0')
		at++
	}
	switch {
	case at == r.at, at-r.at > 15, r.at != r.from, at == len(data),
		data[r.at] == '0', data[at] == '.', data[at]|0x20 == 'e':
		return 0, false
	}
	r.at = at
	return n, true
}

// Err returns what is wrong with as much of data as has been read.
func (r *Reader) Err() error { return r.err }
