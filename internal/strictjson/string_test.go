package strictjson_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"unicode/utf8"

	"github.com/seed-077cad0b/auth/internal/strictjson"
	"github.com/stretchr/testify/require"
)

// Strings are read eight bytes at a time. Every pair of bytes, wherever it lies in
// them, is judged as encoding/json judges it, but for what is not UTF-8.
func TestStringsOfEveryByteEverywhere(t *testing.T) {
	for length := range 18 {
		for i := range length {
			for c := range 256 {
				for _, d := range []byte{'a', 0, ' ' - 1, '"', '\\', '!', '#', '[', ']', 0x7f, 0x80, 0xa9, 0xc3, 0xff, 'n'} {
					text := bytes.Repeat([]byte("a"), length)
					text[i] = byte(c)
					text[(i+1)%length] = d
					judged(t, text)
				}
			}
		}
	}
}

func judged(t *testing.T, text []byte) {
	value := append(append([]byte{'"'}, text...), '"')
	var want string
	valid := utf8.Valid(value) && json.Unmarshal(value, &want) == nil
	got, ok := strictjson.String(value)
	if ok != valid || ok && got != want {
		t.Fatalf("String(%q) is %q, %v; want %q, %v", value, got, ok, want, valid)
	}
	seen := ""
	err := strictjson.Object(append(append([]byte(`{"x":`), value...), '}'), func(_, value []byte) error {
		s, ok := strictjson.Bytes(value)
		if !ok {
			t.Fatalf("%q was let pass", value)
		}
		seen = string(s)
		return nil
	})
	// A quote in the text ends the string; then the object is not one either.
	if (err == nil) != valid || err == nil && seen != want {
		t.Fatalf("%q as a member: %q, %v", value, seen, err)
	}
}

func TestBytesIsPartOfTheValue(t *testing.T) {
	for _, text := range []string{"", "a", "1234567", "12345678", "123456789", "é", "12345678é"} {
		value := []byte(`"` + text + `"!`)
		got, ok := strictjson.Bytes(value[:len(value)-1])
		require.True(t, ok)
		require.Equal(t, text, string(got))
		require.Equal(t, len(got), cap(got), "nothing is appended in place")
	}
	for _, no := range []string{"", `"`, `"a`, `a"`, `""a"`, `"a"b"`, `"12345678`, `null`, `"a\"`, "\"a\"\n"} {
		_, ok := strictjson.Bytes([]byte(no))
		require.False(t, ok, no)
	}
}
