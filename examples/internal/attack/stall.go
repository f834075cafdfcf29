package attack

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// Stalls starts requests that never end, beside all else. The function that it
// returns requires that the program has ended them by itself, and admitted none.
func Stalls(addr string, cases []Case) (end func(t *testing.T)) {
	type result struct {
		name    string
		answers []Answer
		err     error
		want    Want
	}
	results := make(chan result, len(cases))
	for _, c := range cases {
		go func() {
			answers, err := Send(addr, c.Raw)
			results <- result{c.Name, answers, err, c.Want}
		}()
	}
	return func(t *testing.T) {
		t.Helper()
		for range cases {
			r := <-results
			require.NoError(t, r.err, r.name)
			for _, a := range r.answers {
				require.True(t, r.want.allows(a.Status), "%s: %d %s", r.name, a.Status, a.Body)
			}
		}
	}
}

// Stalled returns requests that stop in the middle, to a login and to a path
// that the good field opens.
func Stalled(login Login, path, good string) []Case {
	var all []Case
	for name, raw := range map[string]string{
		"nothing":                    "",
		"TLS":                        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
		"half a method":              "GE",
		"no end of the line":         "GET " + path,
		"no end of the fields":       "GET " + path + " HTTP/1.1\r\nHost: x\r\n" + good + "\r\n",
		"half a token":               "GET " + path + " HTTP/1.1\r\nHost: x\r\n" + good[:40],
		"no body":                    fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", login.Path, 100),
		"half a body":                fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", login.Path, 1000, login.body()),
		"no last chunk":              fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n", login.Path, len(login.body().String()), login.body()),
		"half a chunk":               "POST " + login.Path + " HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{",
		"half a chunk's size":        "POST " + login.Path + " HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nf",
		"waits to go on, never does": "POST " + login.Path + " HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: 100\r\n\r\n",
	} {
		all = append(all, Case{Name: name, Raw: raw, Want: Refused})
	}
	return all
}
