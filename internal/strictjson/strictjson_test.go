package strictjson_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/seed-077cad0b/auth/internal/strictjson"
	"github.com/stretchr/testify/require"
)

// members reads data into a map of raw values.
func members(data string) (map[string]string, error) {
	m := map[string]string{}
	err := strictjson.Object([]byte(data), func(name, value []byte) error {
		m[string(name)] = string(value)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return m, nil
}

func TestObject(t *testing.T) {
	for data, want := range map[string]map[string]string{
		`{}`:           {},
		" {\n}\t\r\n":  {},
		`{"a":1}`:      {"a": "1"},
		`{ "a" : -0 }`: {"a": "-0"},
		`{"a":[ ],"b":{ },"c":null,"d":true,"e":false}`: {"a": "[ ]", "b": "{ }", "c": "null", "d": "true", "e": "false"},
		`{"a":[1 , {"a":"}"} ] , "A" : "x\"y"}`:         {"a": `[1 , {"a":"}"} ]`, "A": `"x\"y"`},
		`{"\u0065xp":0.5e-3,"exp ":1E+2}`:               {"exp": "0.5e-3", "exp ": "1E+2"},
		`{"":0,"é":"\ud83d\ude00","\/":"😀"}`:            {"": "0", "é": `"\ud83d\ude00"`, "/": `"😀"`},
	} {
		got, err := members(data)
		require.NoError(t, err, data)
		require.Equal(t, want, got, data)
	}
}

func TestObjectRefuses(t *testing.T) {
	for _, c := range []struct {
		data string
		want error
	}{
		{"", strictjson.ErrSyntax},
		{" ", strictjson.ErrSyntax},
		{"null", strictjson.ErrSyntax},
		{"[]", strictjson.ErrSyntax},
		{`"a"`, strictjson.ErrSyntax},
		{"{", strictjson.ErrSyntax},
		{"}", strictjson.ErrSyntax},
		{`{"a"}`, strictjson.ErrSyntax},
		{`{"a":}`, strictjson.ErrSyntax},
		{`{"a":1`, strictjson.ErrSyntax},
		{`{"a":1,}`, strictjson.ErrSyntax},
		{`{,"a":1}`, strictjson.ErrSyntax},
		{`{"a":1 "b":2}`, strictjson.ErrSyntax},
		{`{a:1}`, strictjson.ErrSyntax},
		{`{'a':1}`, strictjson.ErrSyntax},
		{`{"a":01}`, strictjson.ErrSyntax},
		{`{"a":+1}`, strictjson.ErrSyntax},
		{`{"a":.5}`, strictjson.ErrSyntax},
		{`{"a":5.}`, strictjson.ErrSyntax},
		{`{"a":1e}`, strictjson.ErrSyntax},
		{`{"a":1e+}`, strictjson.ErrSyntax},
		{`{"a":-}`, strictjson.ErrSyntax},
		{`{"a":0x1}`, strictjson.ErrSyntax},
		{`{"a":NaN}`, strictjson.ErrSyntax},
		{`{"a":Infinity}`, strictjson.ErrSyntax},
		{`{"a":tru}`, strictjson.ErrSyntax},
		{`{"a":truer}`, strictjson.ErrSyntax},
		{`{"a":nul`, strictjson.ErrSyntax},
		{`{"a":[1,]}`, strictjson.ErrSyntax},
		{`{"a":[1}`, strictjson.ErrSyntax},
		{`{"a":"b}`, strictjson.ErrSyntax},
		{"{\"a\":\"\n\"}", strictjson.ErrSyntax},
		{"{\"a\":\"\\n\x01\"}", strictjson.ErrSyntax},
		{`{"a":"\x41"}`, strictjson.ErrSyntax},
		{`{"a":"\u12"}`, strictjson.ErrSyntax},
		{`{"a":"\u12g4"}`, strictjson.ErrSyntax},
		{`{"a":"\`, strictjson.ErrSyntax},
		{`{"a":1}{}`, strictjson.ErrSyntax},
		{`{"a":1}x`, strictjson.ErrSyntax},
		{"{\"a\":1}\x00", strictjson.ErrSyntax},
		{"\xef\xbb\xbf{}", strictjson.ErrSyntax},
		{"\xff\xfe{\x00}\x00", strictjson.ErrSyntax},
		{"{/**/}", strictjson.ErrSyntax},
		{"{\"a\":\"\xff\"}", strictjson.ErrEncoding},
		{"{\"\xc3\":1}", strictjson.ErrEncoding},
		{"{\"a\":\"\xed\xa0\x80\"}", strictjson.ErrEncoding},
		{"{\"a\":\"\\n\xc0\xaf\"}", strictjson.ErrEncoding},
		{`{"a":"\ud800"}`, strictjson.ErrEncoding},
		{`{"a":"\ud800x"}`, strictjson.ErrEncoding},
		{`{"a":"\ud800\n"}`, strictjson.ErrEncoding},
		{`{"a":"\udc00\ud800"}`, strictjson.ErrEncoding},
		{`{"a":"\ud800\u0041"}`, strictjson.ErrEncoding},
		{`{"a":1,"a":1}`, strictjson.ErrDuplicate},
		{`{"a":1,"\u0061":1}`, strictjson.ErrDuplicate},
		{`{"x":{"a":1,"b":[{"c":1,"c":2}]}}`, strictjson.ErrDuplicate},
		{`{"":1,"":1}`, strictjson.ErrDuplicate},
		{`{"a":` + strings.Repeat("[", 32) + strings.Repeat("]", 32) + `}`, strictjson.ErrLimit},
		{strings.Repeat(`{"a":`, 1e5), strictjson.ErrLimit},
		{many(strictjson.MaxMembers + 1), strictjson.ErrLimit},
		{strings.Replace(many(900), `"n800"`, `"n3"`, 1), strictjson.ErrDuplicate},
		{strings.Replace(many(900), `"n800"`, `"n700"`, 1), strictjson.ErrDuplicate},
	} {
		_, err := members(c.data)
		require.ErrorIs(t, err, c.want, "%.80q", c.data)
	}
	_, err := members(many(strictjson.MaxMembers))
	require.NoError(t, err)
	_, err = members(`{"a":` + strings.Repeat("[", 31) + strings.Repeat("]", 31) + `}`)
	require.NoError(t, err)
}

func many(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,"n%d":0`, i)
	}
	return "{" + b.String()[1:] + "}"
}

func TestObjectStopsAtAnError(t *testing.T) {
	stop := errors.New("stop")
	var calls int
	err := strictjson.Object([]byte(`{"a":1,"b":2}`), func(_, _ []byte) error {
		calls++
		return stop
	})
	require.Equal(t, stop, err)
	require.Equal(t, 1, calls)
}

func TestArray(t *testing.T) {
	var got []string
	each := func(value []byte) error {
		got = append(got, string(value))
		return nil
	}
	require.NoError(t, strictjson.Array([]byte(` [1, "a" ,[ ],{"b":2}] `), each))
	require.Equal(t, []string{"1", `"a"`, "[ ]", `{"b":2}`}, got)
	require.NoError(t, strictjson.Array([]byte(`[]`), each))
	for _, bad := range []string{``, `{}`, `"a"`, `[`, `[1,]`, `[1]2`, `[1`, `[,]`} {
		require.ErrorIs(t, strictjson.Array([]byte(bad), each), strictjson.ErrSyntax, bad)
	}
}

func TestString(t *testing.T) {
	for value, want := range map[string]string{
		`""`: "", `"a b"`: "a b", `"é"`: "é", `"\u00e9\n\"\\\/\b\f\r\t"`: "é\n\"\\/\b\f\r\t", `"\uD83D\uDE00!"`: "😀!", `"\u0000"`: "\x00",
	} {
		got, ok := strictjson.String([]byte(value))
		require.True(t, ok, value)
		require.Equal(t, want, got)
	}
	for _, bad := range []string{``, `null`, `1`, `{}`, `"`, `"a`, `"a" `, `"\ud800"`, "\"\xff\""} {
		_, ok := strictjson.String([]byte(bad))
		require.False(t, ok, bad)
	}
}

// What Object accepts, encoding/json accepts too, with the same values.
func FuzzObject(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		got := map[string]json.RawMessage{}
		err := strictjson.Object(data, func(name, value []byte) error {
			if _, twice := got[string(name)]; twice {
				t.Errorf("%q twice", name)
			}
			got[string(name)] = value
			if s, ok := strictjson.String(value); ok {
				var want string
				if err := json.Unmarshal(value, &want); err != nil || s != want {
					t.Errorf("%s is %q, want %q, %v", value, s, want, err)
				}
			}
			return nil
		})
		if err != nil {
			return
		}
		want := map[string]json.RawMessage{}
		if err := json.Unmarshal(data, &want); err != nil {
			t.Fatalf("accepted, but %v", err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

func TestObjectDoesNotAllocate(t *testing.T) {
	data := []byte(`{"iss":"https://issuer.example","sub":"user","aud":["a","b"],"exp":1700000000,"x":{"y":[1,2,{"z":null}]}}`)
	var n int
	require.Zero(t, testing.AllocsPerRun(100, func() {
		_ = strictjson.Object(data, func(name, value []byte) error {
			n += len(name) + len(value)
			return nil
		})
	}))
}

// Seeds that go missing go missing silently.
func TestFuzzSeeds(t *testing.T) {
	seeds, err := os.ReadDir("testdata/fuzz/FuzzObject")
	require.NoError(t, err)
	require.Len(t, seeds, 17)
}
