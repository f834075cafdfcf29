package strictjson_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/seed-077cad0b/auth/internal/strictjson"
	"github.com/stretchr/testify/require"
)

// read reads data as way says, and returns what it has found.
func read(data []byte, way func(r *strictjson.Reader) string) (found []string, err error) {
	r := strictjson.NewReader(data)
	for name := r.Next(); name != nil; name = r.Next() {
		found = append(found, fmt.Sprintf("%s=%s", name, way(r)))
	}
	return found, r.Err()
}

func text(r *strictjson.Reader) string {
	b, ok := r.Bytes()
	if !ok {
		return fmt.Sprintf("%s!", r.Value())
	}
	return string(b)
}

func whole(r *strictjson.Reader) string {
	n, ok := r.Whole()
	if !ok {
		return fmt.Sprintf("%s!", r.Value())
	}
	return fmt.Sprint(n)
}

func unread(*strictjson.Reader) string { return "" }

func TestReader(t *testing.T) {
	data := []byte(` { "a" : "x\u0041" ,"b":1700000000, "":[{"a":0}],"\u0063":"é","d":0}` + "\n")
	for name, c := range map[string]struct {
		way  func(*strictjson.Reader) string
		want []string
	}{
		"values":  {func(r *strictjson.Reader) string { return string(r.Value()) }, []string{`a="x\u0041"`, `b=1700000000`, `=[{"a":0}]`, `c="é"`, `d=0`}},
		"texts":   {text, []string{`a=xA`, `b=1700000000!`, `=[{"a":0}]!`, `c=é`, `d=0!`}},
		"numbers": {whole, []string{`a="x\u0041"!`, `b=1700000000`, `=[{"a":0}]!`, `c="é"!`, `d=0!`}},
		"unread":  {unread, []string{"a=", "b=", "=", "c=", "d="}},
	} {
		got, err := read(data, c.way)
		require.NoError(t, err, name)
		require.Equal(t, c.want, got, name)
	}
	got, err := read([]byte(" {\n}\t"), text)
	require.NoError(t, err)
	require.Empty(t, got)
}

func TestReaderReadsAValueOnce(t *testing.T) {
	r := strictjson.NewReader([]byte(`{"a":"b","c":7,"d":8}`))
	require.Equal(t, "a", string(r.Next()))
	text, ok := r.Bytes()
	require.True(t, ok)
	require.Equal(t, "b", string(text))
	_, ok = r.Bytes()
	require.False(t, ok)
	require.Equal(t, `"b"`, string(r.Value()))
	require.Equal(t, "c", string(r.Next()))
	require.Equal(t, `7`, string(r.Value()))
	_, ok = r.Whole()
	require.False(t, ok)
	require.Equal(t, "d", string(r.Next()))
	n, ok := r.Whole()
	require.True(t, ok)
	require.EqualValues(t, 8, n)
	require.Equal(t, `8`, string(r.Value()))
	require.Nil(t, r.Next())
	require.NoError(t, r.Err())
}

func TestWholeNumbers(t *testing.T) {
	for value, want := range map[string]string{
		"1": "1", "9": "9", "10": "10", "123456789012345": "123456789012345", "1 ": "1",
		"0": "0!", "-1": "-1!", "1.0": "1.0!", "1e0": "1e0!", "1E0": "1E0!", "1234567890123456": "1234567890123456!", "null": "null!",
	} {
		got, err := read([]byte(`{"a":`+value+`}`), whole)
		require.NoError(t, err, value)
		require.Equal(t, []string{"a=" + want}, got)
	}
	for _, bad := range []string{`01`, `1x`, `1.`, `1e`, `1:`, `:`, ` `, ``, `1/`} {
		_, err := read([]byte(`{"a":`+bad+`}`), whole)
		require.ErrorIs(t, err, strictjson.ErrSyntax, bad)
	}
	_, err := read([]byte(`{"a":1`), whole)
	require.ErrorIs(t, err, strictjson.ErrSyntax)
}

// Every byte between names and values is looked at, whoever reads them.
func TestReaderRefuses(t *testing.T) {
	twice := func(r *strictjson.Reader) string { return text(r) + whole(r) }
	back := func(r *strictjson.Reader) string { return whole(r) + text(r) }
	for _, bad := range []string{
		`["a":1}`, `x"a":1}`, `,"a":1}`, `"a":1}`,
		`{"a"x1}`, `{"a",1}`, `{"a""b"}`, `{"a" x1}`,
		`{"a":1x"b":2}`, `{"a":1 x"b":2}`, `{"a":1{"b":2}`, `{,"a":1}`, `{"a":1,,"b":2}`,
		`{"a":"b"7}`, `{"a":7"b"}`, `{"a":null7}`, `{"a":"b""c"}`,
	} {
		for _, way := range []func(*strictjson.Reader) string{text, whole, unread, twice, back} {
			_, err := read([]byte(bad), way)
			require.ErrorIs(t, err, strictjson.ErrSyntax, bad)
		}
		_, err := members(bad)
		require.ErrorIs(t, err, strictjson.ErrSyntax, bad)
	}
}

func TestObjectIsOnlyChecked(t *testing.T) {
	require.NoError(t, strictjson.Object([]byte(`{"a":1,"b":{"c":[]}}`), nil))
	require.ErrorIs(t, strictjson.Object([]byte(`{"a":1,"a":2}`), nil), strictjson.ErrDuplicate)
	require.ErrorIs(t, strictjson.Object([]byte(`{"a":tru}`), nil), strictjson.ErrSyntax)
	require.NoError(t, strictjson.Array([]byte(`[1,{"a":2}]`), nil))
}

// An end where something should follow is where a reader reads too far.
func TestReaderOfEveryPrefix(t *testing.T) {
	data := []byte(`{"a":"x\u0041\ud83d\ude00é","b":1700000000, "c\n":[{"a":0.5e-1}],"d":null,"e":true}`)
	for n := range data {
		prefix := append(make([]byte, 0, n), data[:n]...)
		for _, way := range []func(*strictjson.Reader) string{text, whole, unread} {
			_, err := read(prefix, way)
			require.Error(t, err, "%s", prefix)
		}
	}
}

// What a Reader finds is what Object does, in whichever way each value is read.
func FuzzReader(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		var texts, wholes, all []string
		want := strictjson.Object(data, func(name, value []byte) error {
			all = append(all, string(name)+"=")
			asText, asWhole := string(value)+"!", string(value)+"!"
			if s, ok := strictjson.String(value); ok {
				asText = s
			}
			if len(value) <= 15 && value[0] != '0' && isDigits(value) {
				asWhole = string(value)
			}
			texts, wholes = append(texts, string(name)+"="+asText), append(wholes, string(name)+"="+asWhole)
			return nil
		})
		for _, c := range []struct {
			way  func(*strictjson.Reader) string
			want []string
		}{{text, texts}, {whole, wholes}, {unread, all}} {
			got, err := read(data, c.way)
			if err != want {
				t.Fatalf("%v, want %v", err, want)
			}
			if err == nil {
				require.Equal(t, c.want, got)
			}
		}
	})
}

func isDigits(value []byte) bool {
	for _, c := range value {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

func TestReaderSeeds(t *testing.T) {
	seeds, err := os.ReadDir("testdata/fuzz/FuzzReader")
	require.NoError(t, err)
	require.Len(t, seeds, 20)
}

func TestReaderDoesNotAllocate(t *testing.T) {
	data := []byte(`{"iss":"https://issuer.example","sub":"user","aud":["a","b"],"exp":1700000000,"x":{"y":[1,2,{"z":null}]}}`)
	var n int
	require.Zero(t, testing.AllocsPerRun(100, func() {
		r := strictjson.NewReader(data)
		for name := r.Next(); name != nil; name = r.Next() {
			text, _ := r.Bytes()
			n += len(name) + len(text)
		}
	}))
}

// Names that are written with escapes are the names they stand for, among few
// others and among many.
func TestNamesWithEscapes(t *testing.T) {
	for _, more := range []int{0, 20, 23, 24, 40} {
		others := ""
		for i := range more {
			others += fmt.Sprintf(`"other%d":0,`, i)
		}
		for _, twice := range []string{`"a":1,%s"\u0061":1`, `"\u0061":1,%s"a":1`, `"\u0061":1,%s"\u0061":1`, `"":1,%s"":1`} {
			_, err := members("{" + fmt.Sprintf(twice, others) + "}")
			require.ErrorIs(t, err, strictjson.ErrDuplicate, twice)
		}
		got, err := members("{" + fmt.Sprintf(`"\u0061":1,"":2,%s"b":3,"\"":4`, others) + "}")
		require.NoError(t, err)
		require.Len(t, got, 4+more)
	}
}
