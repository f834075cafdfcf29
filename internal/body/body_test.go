package body_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth/internal/body"
)

func post(contentType, text string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/login?email=query&password=query", strings.NewReader(text))
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	return r
}

func TestJSON(t *testing.T) {
	const js = "application/json"
	for _, c := range []struct {
		name, contentType, body string
		want                    []string
		err                     error
	}{
		{"both", js, `{"email":"a","password":"b"}`, []string{"a", "b"}, nil},
		{"order, others, white space", js, " {\"x\":[1,{\"email\":2}],\n\"password\":\"b\", \"email\":\"a\"} ", []string{"a", "b"}, nil},
		{"escapes", js, `{"email":"\u0061","password":"\ud83d\ude00\u0000"}`, []string{"a", "😀\x00"}, nil},
		{"escaped name", js, `{"\u0065mail":"a"}`, []string{"a", ""}, nil},
		{"absent members", js, `{}`, []string{"", ""}, nil},
		{"empty member", js, `{"email":"","password":"b"}`, []string{"", "b"}, nil},
		{"case folds not", js, `{"Email":"a","PASSWORD":"b"}`, []string{"", ""}, nil},
		{"unlikely twins", js, `{"email":"a","Email":"c"}`, []string{"a", ""}, nil},
		{"charset", js + "; charset=utf-8", `{"email":"a"}`, []string{"a", ""}, nil},
		{"upper case type", "Application/JSON", `{"email":"a"}`, []string{"a", ""}, nil},
		{"suffix", "application/vnd.api+json", `{"email":"a"}`, []string{"a", ""}, nil},
		{"no type", "", `{"email":"a"}`, []string{"a", ""}, nil},

		{"empty", js, ``, []string{"", ""}, nil},
		{"form", "application/x-www-form-urlencoded", `{"email":"a"}`, []string{"", ""}, nil},
		{"text", "text/plain", `{"email":"a"}`, []string{"", ""}, nil},
		{"suffix elsewhere", "text/x+json", `{"email":"a"}`, []string{"", ""}, nil},

		{"broken type", "application/json; charset", `{"email":"a"}`, nil, body.ErrMalformed},
		{"blank", js, ` `, nil, body.ErrMalformed},
		{"array", js, `["email"]`, nil, body.ErrMalformed},
		{"string", js, `"email"`, nil, body.ErrMalformed},
		{"null", js, `null`, nil, body.ErrMalformed},
		{"two values", js, `{"email":"a"}{}`, nil, body.ErrMalformed},
		{"rest", js, `{"email":"a"} x`, nil, body.ErrMalformed},
		{"cut", js, `{"email":"a"`, nil, body.ErrMalformed},
		{"trailing comma", js, `{"email":"a",}`, nil, body.ErrMalformed},
		{"number", js, `{"email":1}`, nil, body.ErrMalformed},
		{"null member", js, `{"email":null}`, nil, body.ErrMalformed},
		{"array member", js, `{"email":["a"]}`, nil, body.ErrMalformed},
		{"object member", js, `{"email":{"$ne":""}}`, nil, body.ErrMalformed},
		{"repeated", js, `{"email":"a","email":"a"}`, nil, body.ErrMalformed},
		{"repeated by escape", js, `{"email":"a","\u0065mail":"b"}`, nil, body.ErrMalformed},
		{"repeated other", js, `{"x":1,"email":"a","x":2}`, nil, body.ErrMalformed},
		{"repeated inside", js, `{"x":{"y":1,"y":2},"email":"a"}`, nil, body.ErrMalformed},
		{"byte order mark", js, "\ufeff" + `{"email":"a"}`, nil, body.ErrMalformed},
		{"bad UTF-8", js, "{\"email\":\"\xff\"}", nil, body.ErrMalformed},
		{"lone surrogate", js, `{"email":"\ud800"}`, nil, body.ErrMalformed},
		{"too deep", js, `{"email":"a","x":` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000) + `}`, nil, body.ErrMalformed},
		{"too large", js, `{"email":"` + strings.Repeat("a", body.Max) + `"}`, nil, body.ErrTooLarge},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := post(c.contentType, c.body)
			for range 2 { // a second source sees the same
				got, err := body.JSON(r, "email", "password")
				require.ErrorIs(t, err, c.err)
				require.Equal(t, c.want, got)
			}
			back, err := io.ReadAll(r.Body)
			require.NoError(t, err)
			require.Equal(t, c.body, string(back), "the body is put back")
			require.NoError(t, r.Body.Close())
		})
	}
}

func TestForm(t *testing.T) {
	const form = "application/x-www-form-urlencoded"
	for _, c := range []struct {
		name, method, contentType, body string
		want                            []string
		err                             error
	}{
		{"both", "POST", form, "email=a%40b&password=p%2Bq+r%00", []string{"a@b", "p+q r\x00"}, nil},
		{"charset", "POST", form + "; charset=UTF-8", "email=a", []string{"a", ""}, nil},
		{"absent: the query does not stand in", "POST", form, "x=y", []string{"", ""}, nil},
		{"others may repeat", "POST", form, "x=y&x=z&email=a", []string{"a", ""}, nil},
		{"case folds not", "POST", form, "Email=a", []string{"", ""}, nil},

		{"empty", "POST", form, "", []string{"", ""}, nil},
		{"no type", "POST", "", "email=a", []string{"", ""}, nil},
		{"json", "POST", "application/json", "email=a", []string{"", ""}, nil},
		{"multipart", "POST", "multipart/form-data; boundary=x", "email=a", []string{"", ""}, nil},
		{"other method", "PUT", form, "email=a", []string{"", ""}, nil},

		{"repeated", "POST", form, "email=a&email=a", nil, body.ErrMalformed},
		{"semicolon", "POST", form, "email=a;password=b", nil, body.ErrMalformed},
		{"bad escape", "POST", form, "email=%zz", nil, body.ErrMalformed},
		{"bad UTF-8", "POST", form, "email=%ff", nil, body.ErrMalformed},
		{"too large", "POST", form, "email=" + strings.Repeat("a", body.Max), nil, body.ErrTooLarge},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := post(c.contentType, c.body)
			r.Method = c.method
			for range 2 {
				got, err := body.Form(r, "email", "password")
				require.ErrorIs(t, err, c.err)
				require.Equal(t, c.want, got)
			}
			back, err := io.ReadAll(r.Body)
			require.NoError(t, err)
			require.Equal(t, c.body, string(back), "the body is put back")
		})
	}
}

func TestTwoContentTypesAreMalformed(t *testing.T) {
	r := post("application/json", `{"email":"a"}`)
	r.Header.Add("Content-Type", "application/x-www-form-urlencoded")
	_, err := body.JSON(r, "email")
	require.ErrorIs(t, err, body.ErrMalformed)
	_, err = body.Form(r, "email")
	require.ErrorIs(t, err, body.ErrMalformed)
}

// A request without a body presents nothing, whichever way it says so.
func TestNoBodyPresentsNothing(t *testing.T) {
	for _, b := range []io.ReadCloser{nil, http.NoBody, io.NopCloser(strings.NewReader(""))} {
		r := post("application/json", "")
		r.Body = b
		got, err := body.JSON(r, "email")
		require.NoError(t, err)
		require.Equal(t, []string{""}, got)
	}
}

// A body whose length is not told is cut off at the bound, and one that is
// told to be larger is not read at all.
func TestReadingIsBounded(t *testing.T) {
	endless := &counter{}
	r := post("application/json", "")
	r.ContentLength, r.Body = -1, io.NopCloser(endless)
	_, err := body.JSON(r, "email")
	require.ErrorIs(t, err, body.ErrTooLarge)
	require.LessOrEqual(t, endless.n, body.Max+1)

	endless.n = 0
	r.ContentLength, r.Body = 1<<20, io.NopCloser(endless)
	_, err = body.JSON(r, "email")
	require.ErrorIs(t, err, body.ErrTooLarge)
	require.Zero(t, endless.n)
}

type counter struct{ n int }

func (c *counter) Read(p []byte) (int, error) {
	c.n += len(p)
	return len(p), nil
}

// What a client does to its own request is no outage of ours.
func TestFailedReadingIsMalformed(t *testing.T) {
	cause := errors.New("connection reset")
	r := post("application/json", "")
	r.ContentLength, r.Body = 100, io.NopCloser(io.MultiReader(strings.NewReader(`{"email":`), iotest.ErrReader(cause)))
	for range 2 {
		_, err := body.JSON(r, "email")
		require.ErrorIs(t, err, body.ErrMalformed)
		require.ErrorIs(t, err, cause)
	}
	data, err := io.ReadAll(r.Body)
	require.Equal(t, `{"email":`, string(data))
	require.ErrorIs(t, err, cause)

	r = post("application/json", `{"email":"a"}`)
	r.Body = http.MaxBytesReader(nil, r.Body, 4)
	_, err = body.JSON(r, "email")
	require.ErrorIs(t, err, body.ErrTooLarge)
}

// No error repeats what the client sent: it may be a password.
func TestErrorsAreSilent(t *testing.T) {
	for _, text := range []string{`{"email":"hunter2`, `{"email":hunter2}`, `hunter2`, `{"hunter2":1,"hunter2":1}`} {
		_, err := body.JSON(post("application/json", text), "email")
		require.Error(t, err)
		require.NotContains(t, err.Error(), "hunter2")
	}
	_, err := body.Form(post("application/x-www-form-urlencoded", "email=%hunter2"), "email")
	require.Error(t, err)
	require.NotContains(t, err.Error(), "hunter2")
}

func FuzzBody(f *testing.F) {
	f.Fuzz(func(t *testing.T, contentType, text string) {
		r := post(contentType, text)
		a, errA := body.JSON(r, "email", "password")
		b, errB := body.Form(r, "email", "password")
		for _, err := range []error{errA, errB} {
			if err != nil && !errors.Is(err, body.ErrMalformed) && !errors.Is(err, body.ErrTooLarge) {
				t.Fatal(err)
			}
		}
		if errA == nil && len(a) != 2 || errB == nil && len(b) != 2 {
			t.Fatal("values")
		}
		back, err := io.ReadAll(r.Body)
		if err != nil || string(back) != text {
			t.Fatal("body not put back")
		}
	})
}

// Seeds have a way of vanishing.
func TestSeeds(t *testing.T) {
	seeds, err := os.ReadDir("testdata/fuzz/FuzzBody")
	require.NoError(t, err)
	require.Len(t, seeds, 8)
}
