package attack

import (
	"fmt"
	"strings"
)

const closing = "Connection: close\r\n"

// Request returns a request without a body. Fields are written as they are. The
// server is asked to close the connection after its answer.
func Request(method, target string, fields ...string) string {
	return method + " " + target + " HTTP/1.1\r\nHost: api.example\r\n" + closing + lines(fields) + "\r\n"
}

// Getting returns what makes requests to a path with a field, and others beside
// it.
func Getting(path, field string) func(fields ...string) string {
	return func(fields ...string) string { return Request("GET", path, append(fields, field)...) }
}

// Post returns a POST with a body of that type; none for no such field.
func Post(target, contentType, body string, fields ...string) string {
	if contentType != "" {
		fields = append([]string{"Content-Type: " + contentType}, fields...)
	}
	return "POST " + target + " HTTP/1.1\r\nHost: api.example\r\n" + closing +
		fmt.Sprintf("Content-Length: %d\r\n", len(body)) + lines(fields) + "\r\n" + body
}

func lines(fields []string) string {
	var b strings.Builder
	for _, f := range fields {
		b.WriteString(f + "\r\n")
	}
	return b.String()
}

// keptAlive returns raw without the wish that the connection be closed.
func keptAlive(raw string) string { return strings.Replace(raw, closing, "", 1) }

// A Token is a text that pretends to be a credential.
type Token struct {
	Name   string
	Text   string
	Want   Want
	Public bool // has ids in clear, which a log may have too
}

func newToken(name, text string, w Want) Token { return Token{Name: name, Text: text, Want: w} }

// Bearer returns requests that bring the tokens where a bearer token belongs.
func Bearer(path string, tokens []Token) []Case {
	return inField(path, "Authorization: Bearer ", tokens)
}

// Header returns requests that bring the tokens in a field of their own.
func Header(path, name string, tokens []Token) []Case { return inField(path, name+": ", tokens) }

// Member returns requests that bring the tokens as a member of a JSON object.
func Member(path, name string, tokens []Token) []Case {
	cases := make([]Case, len(tokens))
	for i, t := range tokens {
		body := object{}.set(name, quote(t.Text)).String()
		cases[i] = Case{Name: t.Name, Raw: Post(path, "application/json", body), Want: t.Want, Payload: t.Text}
		if t.Public {
			cases[i].Payload = ""
		}
	}
	return cases
}

func inField(path, prefix string, tokens []Token) []Case {
	cases := make([]Case, len(tokens))
	for i, t := range tokens {
		cases[i] = Case{Name: t.Name, Raw: Request("GET", path, prefix+t.Text), Want: t.Want, Payload: t.Text}
		if t.Public {
			cases[i].Payload = ""
		}
	}
	return cases
}
