package jws_test

import (
	"crypto/rand"
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"github.com/seed-077cad0b/auth/internal/jws"
	"github.com/stretchr/testify/require"
)

// strictly decodes as AppendDecode promises to, with the standard library.
func strictly(text string) ([]byte, bool) {
	if strings.ContainsAny(text, "\r\n") { // which it skips
		return nil, false
	}
	data, err := base64.RawURLEncoding.Strict().DecodeString(text)
	return data, err == nil
}

// agree fails unless AppendDecode says of text what the standard library does, and
// writes nothing beyond what it returns.
func agree(t *testing.T, text string) {
	want, valid := strictly(text)
	dst := append(make([]byte, 0, 128), "before"...)
	for i := range dst[len(dst):cap(dst)] {
		dst[:cap(dst)][len(dst)+i] = 0xa5
	}
	got, err := jws.AppendDecode(dst, text)
	switch {
	case valid != (err == nil):
		t.Fatalf("%q: %v", text, err)
	case err != nil:
		if err != jws.ErrEncoding || got != nil {
			t.Fatalf("%q: %q, %v", text, got, err)
		}
	case string(got) != "before"+string(want):
		t.Fatalf("%q became %q", text, got)
	case cap(got) == cap(dst) && slices.ContainsFunc(got[len(got):cap(got)], func(c byte) bool { return c != 0xa5 }):
		t.Fatalf("%q was written beyond its end", text)
	}
}

// Every text of up to two bytes; every one of three that differs from "AAA" in
// two places; every byte at every place of longer ones.
func TestAppendDecodeIsTheStandardLibrarys(t *testing.T) {
	agree(t, "")
	for a := range 256 {
		agree(t, string([]byte{byte(a)}))
		for b := range 256 {
			x, y := byte(a), byte(b)
			agree(t, string([]byte{x, y}))
			agree(t, string([]byte{x, y, 'A'}))
			agree(t, string([]byte{x, 'A', y}))
			agree(t, string([]byte{'A', x, y}))
		}
	}
	for n := range 70 {
		random := make([]byte, n)
		_, _ = rand.Read(random)
		text := base64.RawURLEncoding.EncodeToString(random)
		agree(t, text)
		for i := range len(text) {
			for c := range 256 {
				changed := []byte(text)
				changed[i] = byte(c)
				agree(t, string(changed))
			}
			agree(t, text[:i])
		}
	}
}

func FuzzAppendDecode(f *testing.F) {
	f.Fuzz(agree)
}

func TestAppendDecodeGrows(t *testing.T) {
	data := make([]byte, 5000)
	_, _ = rand.Read(data)
	got, err := jws.AppendDecode([]byte("before"), jws.Encode(data))
	require.NoError(t, err)
	require.Equal(t, "before"+string(data), string(got))
}

func BenchmarkAppendDecode(b *testing.B) {
	text := jws.Encode(make([]byte, 192))
	dst := make([]byte, 0, 256)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := jws.AppendDecode(dst, text); err != nil {
			b.Fatal(err)
		}
	}
}
