package auth_test

import (
	"bytes"
	"encoding/json"
	"math/big"
	"regexp"
	"testing"

	"github.com/seed-077cad0b/auth"
	"github.com/stretchr/testify/require"
)

func TestNumericDate(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "-0": 0, "-0.000e5": 0, "0e999999999999": 0, "1": 1e6, "1.5": 15e5, "0.000001": 1, "0.0000019": 1, "1e-6": 1, "1e-7": 0, "1e-999999999999": 0, "1000000000000000000e-70": 0,
		"1700000000.123456": 1700000000123456, "1700000000.1234567": 1700000000123456, "1.7e9": 17e14, "17E+8": 17e14, "0.17e10": 17e14, "17000000000e-1": 17e14,
		"253402300799": 253402300799e6, "253402300799.999999": 253402300799999999, "253402300799.9999999": 253402300799999999, "0.000000000000000000000000000001e30": 1e6,
		"1000000000000000000000000000000e-30": 1e6,
	} {
		got, ok := auth.NumericDate([]byte(text))
		require.True(t, ok, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{
		"", "-", "null", `"1"`, "[1]", "{}", "true", "-1", "-0.1", "-1e-400", "253402300800", "253402300799.9999999e1", "1e12", "9223372036854775807", "9223372036854775808",
		"18446744073709551617", "1e19", "1e308", "1e309", "1e999999999999999999999999", "1700000000000", "0.1e999999999999",
	} {
		_, ok := auth.NumericDate([]byte(text))
		require.False(t, ok, text)
	}
}

var hugeExponent = regexp.MustCompile(`[eE][+-]?0*[1-9][0-9]{4}`)

// What the reader says of a number is what exact arithmetic says.
func FuzzNumericDate(f *testing.F) {
	f.Fuzz(func(t *testing.T, text []byte) {
		if !json.Valid(text) || len(text) > 200 || len(bytes.TrimSpace(text)) < len(text) {
			return // values are valid and without white space
		}
		got, ok := auth.NumericDate(text)
		var number json.Number
		if json.Unmarshal(text, &number) != nil || text[0] == '"' || number == "" {
			if ok {
				t.Fatalf("%q is no number", text)
			}
			return
		}
		if hugeExponent.MatchString(number.String()) {
			return // beyond the patience of math/big
		}
		exact, _ := new(big.Rat).SetString(number.String())
		us := new(big.Rat).Mul(exact, big.NewRat(1_000_000, 1))
		whole := new(big.Int).Quo(us.Num(), us.Denom())
		inside := exact.Sign() >= 0 && whole.Cmp(big.NewInt(253402300800e6)) < 0
		if ok != inside || ok && whole.Cmp(big.NewInt(got)) != 0 {
			t.Fatalf("%q: %d, %v, want %v, %v", text, got, ok, whole, inside)
		}
	})
}
