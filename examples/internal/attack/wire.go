// Package attack sends programs what no friend of theirs would: a catalogue of
// hostile requests, byte for byte over TCP, each with the answer that it must
// get. net/http's client takes no part, because it would refuse to send, or
// mend, most of them.
//
// The functions that make cases know nothing of a program but what its visitors
// know. A program's test picks those that fit it, adds its own, and asserts how
// many there were.
package attack

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

// patience is how long an answer may take before it counts as a hang. It is
// longer than the read timeout of the programs.
const patience = 20 * time.Second

// An Answer is what came back.
type Answer struct {
	Status int
	Header http.Header
	Body   string
	close  bool
}

// Send opens a connection, writes raw, and reads answers until the server closes
// it. There may be none, where the server has closed it at once, and more than
// one, where raw held another request in disguise. A server that neither answers
// nor closes is an error.
func Send(addr, raw string) ([]Answer, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	_ = conn.SetDeadline(time.Now().Add(patience))
	// Beside the reading: a server may answer, and stop to read, before it has
	// all.
	written := make(chan struct{})
	go func() {
		defer close(written)
		_, _ = io.WriteString(conn, raw)
	}()
	defer func() {
		_ = conn.Close()
		<-written
	}()
	r := bufio.NewReader(conn)
	var all []Answer
	for {
		a, err := readAnswer(r, raw)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return all, fmt.Errorf("neither answered nor closed within %v, after %d answers", patience, len(all))
		case err != nil:
			return all, nil // closed, or reset
		}
		all = append(all, a)
	}
}

// readAnswer reads the final answer to a request.
func readAnswer(r *bufio.Reader, raw string) (Answer, error) {
	request := &http.Request{Method: http.MethodGet}
	if strings.HasPrefix(raw, http.MethodHead+" ") {
		request.Method = http.MethodHead
	}
	for {
		response, err := http.ReadResponse(r, request)
		if err != nil {
			return Answer{}, err
		}
		body, err := io.ReadAll(response.Body)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return Answer{}, err
		}
		if response.StatusCode >= 200 {
			return Answer{response.StatusCode, response.Header, string(body), response.Close || err != nil}, nil
		}
	}
}

// A line is a connection that is kept alive, for what is sent in large numbers.
type line struct {
	addr string
	conn net.Conn
	r    *bufio.Reader
}

// do is [Send] for a request that gets one answer. raw does not ask for the
// connection to be closed.
func (l *line) do(raw string) ([]Answer, error) {
	reused := l.conn != nil
	if !reused {
		conn, err := net.Dial("tcp", l.addr)
		if err != nil {
			return nil, err
		}
		l.conn, l.r = conn, bufio.NewReader(conn)
	}
	_ = l.conn.SetDeadline(time.Now().Add(patience))
	_, err := io.WriteString(l.conn, raw)
	var a Answer
	if err == nil {
		a, err = readAnswer(l.r, raw)
	}
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		l.hangUp()
		return nil, fmt.Errorf("neither answered nor closed within %v", patience)
	case err != nil && reused:
		// The server may have closed the connection before this was sent.
		l.hangUp()
		return l.do(raw)
	case err != nil:
		l.hangUp()
		return nil, nil
	case a.close:
		l.hangUp()
	}
	return []Answer{a}, nil
}

func (l *line) hangUp() {
	if l.conn != nil {
		_ = l.conn.Close()
		l.conn = nil
	}
}
