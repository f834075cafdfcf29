// Package body reads the few members of a request body that a login needs,
// bounded, once, and puts the body back for whoever reads it next.
package body

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/seed-077cad0b/auth/internal/strictjson"
)

// Max is how many bytes of a body are read. No login needs more.
const Max = 64 << 10

// The errors of [JSON] and [Form], as they are or wrapped.
var (
	// ErrMalformed: the body, or the asked for part of it, cannot be
	// understood.
	ErrMalformed = errors.New("body: malformed")

	// ErrTooLarge: the body has more than Max bytes.
	ErrTooLarge = errors.New("body: too large")

	errNotString = errors.New("member is not a string")
)

// JSON returns the string members of r's body under names, compared exactly;
// the empty string stands for a member that is absent or empty. The body must
// be one JSON object without repeated names in strict UTF-8, and the members
// strings, else the error is ErrMalformed.
//
// The media type must be application/json or end in +json, or be absent. An
// empty body and one of another type present nothing: all values are empty, so
// that another source may look.
func JSON(r *http.Request, names ...string) ([]string, error) {
	switch t, err := mediaType(r); {
	case err != nil:
		return nil, err
	case t != "" && t != "application/json" && !(strings.HasPrefix(t, "application/") && strings.HasSuffix(t, "+json")):
		return make([]string, len(names)), nil
	}
	data, err := read(r)
	if err != nil {
		return nil, err
	}
	values := make([]string, len(names))
	if len(data) == 0 {
		return values, nil
	}
	err = strictjson.Object(data, func(name, value []byte) error {
		i := slices.Index(names, string(name))
		if i < 0 {
			return nil
		}
		text, ok := strictjson.String(value)
		if !ok {
			return errNotString
		}
		values[i] = text
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return values, nil
}

// Form returns the fields of r's body under names; the empty string stands for
// one that is absent or empty. A field that comes twice, one that is not
// UTF-8, and a broken encoding are ErrMalformed. The query of the URL is not
// looked at.
//
// The method must be POST and the media type application/x-www-form-urlencoded.
// Other requests present nothing: all values are empty.
func Form(r *http.Request, names ...string) ([]string, error) {
	data, ok, err := Encoded(r)
	if err != nil {
		return nil, err
	}
	if !ok {
		return make([]string, len(names)), nil
	}
	form, err := url.ParseQuery(data)
	if err != nil {
		// The error of net/url quotes what it could not read, which may be a
		// password.
		return nil, fmt.Errorf("%w: bad encoding", ErrMalformed)
	}
	values := make([]string, len(names))
	for i, name := range names {
		switch v := form[name]; {
		case len(v) > 1:
			return nil, fmt.Errorf("%w: field %q more than once", ErrMalformed, name)
		case len(v) == 0:
		case !utf8.ValidString(v[0]):
			return nil, fmt.Errorf("%w: field %q is not UTF-8", ErrMalformed, name)
		default:
			values[i] = v[0]
		}
	}
	return values, nil
}

// Encoded returns r's body as it came, and false where r is not a POST of the
// media type application/x-www-form-urlencoded.
func Encoded(r *http.Request) (text string, ok bool, err error) {
	switch t, err := mediaType(r); {
	case err != nil:
		return "", false, err
	case r.Method != http.MethodPost || t != "application/x-www-form-urlencoded":
		return "", false, nil
	}
	data, err := read(r)
	return string(data), err == nil, err
}

// mediaType returns the media type of r's body in lower case, or the empty
// string where r names none.
func mediaType(r *http.Request) (string, error) {
	switch types := r.Header["Content-Type"]; {
	case len(types) == 0:
		return "", nil
	case len(types) > 1:
		return "", fmt.Errorf("%w: two Content-Type fields", ErrMalformed)
	case types[0] == "application/json":
		return types[0], nil
	default:
		t, _, err := mime.ParseMediaType(types[0])
		if err != nil {
			return "", fmt.Errorf("%w: Content-Type", ErrMalformed)
		}
		return t, nil
	}
}

// read returns what r's body holds, nothing for none, and puts it back.
func read(r *http.Request) ([]byte, error) {
	if b, ok := r.Body.(*restored); ok {
		return b.data, b.err // a source before this one has read it already
	}
	if r.Body == nil || r.Body == http.NoBody {
		return nil, nil
	}
	if r.ContentLength > Max {
		return nil, ErrTooLarge
	}
	// One byte more than allowed tells a body that fits from one that does not.
	data, err := io.ReadAll(io.LimitReader(r.Body, Max+1))
	back := &restored{Closer: r.Body, data: data}
	var limit *http.MaxBytesError
	switch {
	case errors.As(err, &limit):
		back.Reader, back.err = io.MultiReader(bytes.NewReader(data), failed{err}), ErrTooLarge
	case err != nil:
		// A client that hangs up or stalls is not an outage of ours.
		back.Reader = io.MultiReader(bytes.NewReader(data), failed{err})
		back.err = fmt.Errorf("%w: reading: %w", ErrMalformed, err)
	case len(data) > Max:
		back.Reader, back.err = io.MultiReader(bytes.NewReader(data), r.Body), ErrTooLarge
	default:
		back.Reader = bytes.NewReader(data)
	}
	r.Body = back
	return back.data, back.err
}

// restored is a body that was read and put back, with what came of that.
type restored struct {
	io.Reader
	io.Closer
	data []byte
	err  error
}

// failed is a reader that fails.
type failed struct{ err error }

func (f failed) Read([]byte) (int, error) { return 0, f.err }
