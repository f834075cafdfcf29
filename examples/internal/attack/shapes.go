package attack

import (
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// A document is a JSON text under a name.
type document struct{ name, text string }

// shapes returns what is no JSON object, or more than one, or one that two
// readers would read differently (RFC 8725 section 3.7, RFC 8259 section 4),
// made of a good object.
func shapes(good string) []document {
	inner := good[1 : len(good)-1]
	all := []document{
		{"array around it", "[" + good + "]"},
		{"empty array", "[]"},
		{"string", quote(good)},
		{"number", "1"},
		{"null", "null"},
		{"true", "true"},
		{"nothing", ""},
		{"blank", " "},
		{"empty object", "{}"},
		{"two objects", good + good},
		{"two objects on two lines", good + "\n" + good},
		{"null after it", good + "null"},
		{"array before it", "[]" + good},
		{"byte after it", good + "x"},
		{"comma after it", good + ","},
		{"brace after it", good + "}"},
		{"NUL after it", good + "\x00"},
		{"NUL before it", "\x00" + good},
		{"form feed before it", "\f" + good},
		{"no-break space before it", "\u00a0" + good},
		{"vertical tab after it", good + "\v"},
		{"byte order mark", "\ufeff" + good},
		{"byte order mark after it", good + "\ufeff"},
		{"UTF-16 little endian", utf16Text(binary.LittleEndian, good)},
		{"UTF-16 big endian", utf16Text(binary.BigEndian, good)},
		{"UTF-16 little endian with a mark", utf16Text(binary.LittleEndian, "\ufeff"+good)},
		{"UTF-16 big endian with a mark", utf16Text(binary.BigEndian, "\ufeff"+good)},
		{"UTF-32", "{\x00\x00\x00" + strings.Join(strings.Split(inner, ""), "\x00\x00\x00") + "}\x00\x00\x00"},
		{"comma at the end", "{" + inner + ",}"},
		{"comma at the start", "{," + inner + "}"},
		{"no closing brace", "{" + inner},
		{"no opening brace", inner + "}"},
		{"bracket for a brace", "{" + inner + "]"},
		{"comment", "{/**/" + inner + "}"},
		{"line comment", "{//\n" + inner + "}"},
		{"hash comment", "#\n" + good},
		{"single quotes", strings.ReplaceAll(good, `"`, `'`)},
		{"equals signs", strings.ReplaceAll(good, `":`, `"=`)},
		{"semicolons", strings.ReplaceAll(good, `,"`, `;"`)},
	}
	for _, m := range []document{
		{"name without quotes", `x:1`},
		{"name that is a number", `1:1`},
		{"name that is null", `null:1`},
		{"name that is an array", `[]:1`},
		{"no name", `:1`},
		{"no value", `"x":`},
		{"no colon", `"x"`},
		{"two colons", `"x"::1`},
		{"two commas", `"x":1,,"y":1`},
		{"two values", `"x":1 2`},
		{"control byte in a string", "\"x\":\"\x01\""},
		{"tab in a string", "\"x\":\"\t\""},
		{"line end in a string", "\"x\":\"\n\""},
		{"NUL in a string", "\"x\":\"\x00\""},
		{"NUL in a name", "\"x\x00\":1"},
		{"string without end", `"x":"`},
		{"escape at the end", `"x":"\`},
		{"escape x41", `"x":"\x41"`},
		{"escape of two digits", `"x":"\u12"`},
		{"escape with braces", `"x":"\u{65}"`},
		{"escape U", `"x":"\U00000041"`},
		{"escape quote", `"x":"\'"`},
		{"escape zero", `"x":"\0"`},
		{"escape with a sign", `"x":"\u+041"`},
		{"byte FF", "\"x\":\"\xff\""},
		{"byte FF in a name", "\"\xff\":1"},
		{"cut character", "\"x\":\"\xc3\""},
		{"overlong slash", "\"x\":\"\xc0\xaf\""},
		{"overlong slash of three", "\"x\":\"\xe0\x80\xaf\""},
		{"surrogate in UTF-8", "\"x\":\"\xed\xa0\x80\""},
		{"beyond Unicode", "\"x\":\"\xf4\x90\x80\x80\""},
		{"lone high surrogate", `"x":"\ud800"`},
		{"lone low surrogate", `"x":"\udc00"`},
		{"high surrogate and a letter", `"x":"\ud800a"`},
		{"high surrogate and an escape", `"x":"\ud800\u0041"`},
		{"high surrogate and a line end", `"x":"\ud800\n"`},
		{"two high surrogates", `"x":"\ud800\ud800"`},
		{"surrogates the wrong way round", `"x":"\udc00\ud800"`},
		{"lone surrogate in a name", `"\ud800":1`},
		{"lone surrogate inside", `"x":{"y":["\udfff"]}`},
		{"NaN", `"x":NaN`},
		{"Infinity", `"x":Infinity`},
		{"minus Infinity", `"x":-Infinity`},
		{"plus sign", `"x":+1`},
		{"leading zero", `"x":01`},
		{"minus zero one", `"x":-01`},
		{"point at the end", `"x":1.`},
		{"point at the start", `"x":.5`},
		{"exponent without digits", `"x":1e`},
		{"exponent with a sign only", `"x":1e+`},
		{"minus alone", `"x":-`},
		{"two signs", `"x":--1`},
		{"hexadecimal", `"x":0x10`},
		{"underscore", `"x":1_000`},
		{"Arabic digit", `"x":١`},
		{"upper-case literal", `"x":TRUE`},
		{"cut literal", `"x":nul`},
		{"long literal", `"x":nulll`},
		{"undefined", `"x":undefined`},
		{"call", `"x":Date(0)`},
		{"nested array without end", `"x":[`},
		{"nested comma", `"x":[1,]`},
		{"nested brackets crossed", `"x":[{]}`},
		{"arrays 33 deep", `"x":` + nested("[", "]", 32)},
		{"arrays 1,000 deep", `"x":` + nested("[", "]", 1000)},
		{"arrays 10,000 deep", `"x":` + nested("[", "]", 10_000)},
		{"arrays 10,000 deep without end", `"x":` + strings.Repeat("[", 10_000)},
		{"objects 33 deep", `"x":` + nested(`{"x":`, "}", 32)},
		{"objects 1,000 deep", `"x":` + nested(`{"x":`, "}", 1000)},
		{"objects 6,000 deep", `"x":` + nested(`{"x":`, "}", 6000)},
		{"1,001 members", members(1001)},
		{"1,001 members inside", `"x":{` + members(1001) + "}"},
		{"name twice", `"x":1,"x":1`},
		{"name twice with another between", `"x":1,"y":1,"x":2`},
		{"name twice, once escaped", `"x":1,"\u0078":1`},
		{"name twice, escaped in two cases", `"\u006A":1,"\u006a":1`},
		{"empty name twice", `"":1,"":1`},
		{"name twice, a surrogate pair and a character", `"😀":1,"\ud83d\ude00":1`},
		{"name twice inside", `"x":{"a":1,"a":2}`},
		{"name twice deep inside", `"x":[[{"y":{"a":1,"a":2}}]]`},
		{"name twice inside, once escaped", `"x":{"a":1,"\u0061":2}`},
		{"name twice among many", members(100) + `,"m50":1`},
	} {
		all = append(all, document{m.name, "{" + inner + "," + m.text + "}"})
	}
	return all
}

// sound returns objects that mean what good means, spelled oddly.
func sound(good string) []document {
	inner := good[1 : len(good)-1]
	return []document{
		{"white space around it", " \t\r\n{ " + inner + "\n}\n"},
		{"unknown member", "{" + inner + `,"x":{"y":[1,-0,1e309,"\ud83d\ude00\u0000",null,true]}}`},
		{"unknown member with an empty name", `{"":0,` + inner + "}"},
		{"unknown member 32 deep", "{" + inner + `,"x":` + nested("[", "]", 31) + "}"},
		{"first name escaped", `{"\u00` + fmt.Sprintf("%02x", inner[1]) + inner[2:] + "}"},
	}
}

// nested returns 0 in depth brackets.
func nested(left, right string, depth int) string {
	return strings.Repeat(left, depth) + "0" + strings.Repeat(right, depth)
}

func members(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(`"m%d":0`, i)
	}
	return strings.Join(list, ",")
}

func utf16Text(order binary.AppendByteOrder, s string) string {
	var b []byte
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		for _, u := range utf16.Encode([]rune{r}) {
			b = order.AppendUint16(b, u)
		}
		s = s[n:]
	}
	return string(b)
}
