package auth

// latest is the last second of the year 9999. Larger dates are mistakes,
// milliseconds mostly.
const latest = 253402300799

// numericDate reads a NumericDate (RFC 7519 section 2): a JSON number of
// seconds since 1970, fraction and exponent allowed. It returns microseconds,
// what is finer cut off, and false for what is no such number, negative or too
// late. No float is involved, so nothing wraps or is rounded.
//
// value is a valid JSON value.
func numericDate(value []byte) (int64, bool) {
	if len(value) > 0 && value[0] == '-' {
		t, ok := numericDate(value[1:])
		return 0, ok && t == 0 && !significant(value)
	}
	if len(value) == 0 || value[0] < '0' || value[0] > '9' {
		return 0, false // a string, null, an array
	}
	mantissa, exponent := value, 0
	for i, c := range value {
		if c == 'e' || c == 'E' {
			mantissa, exponent = value[:i], exponentOf(value[i+1:])
			break
		}
	}
	// The first whole digits are seconds, the next six microseconds.
	whole := len(mantissa)
	for i, c := range mantissa {
		if c == '.' {
			whole = i
			break
		}
	}
	if whole += exponent; whole+6 < 0 {
		return 0, true // far less than a microsecond, however many digits it has
	}

	var t int64
	read := 0 // digits
	for _, c := range mantissa {
		if c == '.' {
			continue
		}
		if read == whole+6 {
			break
		}
		if t = t*10 + int64(c-'0'); t > (latest+1)*1e6 {
			return 0, false
		}
		read++
	}
	for ; read < whole+6 && t != 0; read++ {
		if t *= 10; t > (latest+1)*1e6 {
			return 0, false
		}
	}
	return t, t < (latest+1)*1e6
}

// significant reports whether a number has a digit other than 0 before its
// exponent.
func significant(value []byte) bool {
	for _, c := range value {
		switch {
		case c == 'e' || c == 'E':
			return false
		case '1' <= c && c <= '9':
			return true
		}
	}
	return false
}

// exponentOf reads an exponent. No token is long enough for one of a million to
// mean anything but zero or far too much.
func exponentOf(text []byte) int {
	n, sign := 0, 1
	for _, c := range text {
		switch {
		case c == '-':
			sign = -1
		case '0' <= c && c <= '9':
			n = min(n*10+int(c-'0'), 1_000_000)
		}
	}
	return sign * n
}
