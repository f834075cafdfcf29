package cases

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
)

// A loopback is a server on this host, and those that are connected to it.
type loopback struct {
	server  *http.Server
	address string
	clients []*client
}

func listen(h http.Handler) (*loopback, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &http.Server{Handler: h}
	go func() { _ = s.Serve(l) }()
	return &loopback{server: s, address: l.Addr().String()}, nil
}

func (l *loopback) Close() error {
	for _, c := range l.clients {
		_ = c.conn.Close()
	}
	return l.server.Close()
}

// A client is one connection, which is kept alive, and one request. It costs as
// little as a client can, and the same whoever answers.
type client struct {
	conn    net.Conn
	request []byte
	answer  []byte // as long as every answer is
}

func (l *loopback) dial(authorization string) (*client, error) {
	conn, err := net.Dial("tcp", l.address)
	if err != nil {
		return nil, err
	}
	c := &client{conn: conn, request: fmt.Appendf(nil,
		"GET / HTTP/1.1\r\nHost: %s\r\nUser-Agent: bench\r\nAccept: */*\r\nAuthorization: %s\r\n\r\n", l.address, authorization)}
	l.clients = append(l.clients, c)
	return c, c.learn()
}

// learn asks for the first time, to find out how long the answer is.
func (c *client) learn() error {
	if _, err := c.conn.Write(c.request); err != nil {
		return err
	}
	buffer := make([]byte, 4096)
	n := 0
	for !bytes.Contains(buffer[:n], helloBody) {
		m, err := c.conn.Read(buffer[n:])
		n += m
		if err != nil {
			return fmt.Errorf("%w after %q", err, buffer[:n])
		}
		if !good(buffer[:n]) {
			return fmt.Errorf("answered %q", buffer[:n])
		}
	}
	c.answer = buffer[:n]
	return c.check()
}

// ask asks so many times, one after the other.
func (c *client) ask(n int) error {
	for range n {
		if _, err := c.conn.Write(c.request); err != nil {
			return err
		}
		if _, err := io.ReadFull(c.conn, c.answer); err != nil {
			return err
		}
		if err := c.check(); err != nil {
			return err
		}
	}
	return nil
}

func (c *client) check() error {
	if !good(c.answer) || c.answer[len(c.answer)-1] != '}' {
		return fmt.Errorf("answered %q", c.answer)
	}
	return nil
}

func good(answer []byte) bool {
	const status = "HTTP/1.1 200 "
	return len(answer) > len(status) && string(answer[:len(status)]) == status
}
