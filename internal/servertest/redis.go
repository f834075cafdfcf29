//go:build linux

package servertest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"syscall"
	"time"
)

var redis = &kind{
	name:     "Redis",
	program:  "redis-server",
	packages: "redis-server",
	stop:     syscall.SIGTERM,
	prepare: func(_ context.Context, s *Server) error {
		return s.write("redis.conf", "requirepass "+s.password+"\n")
	},
	args: func(s *Server) []string {
		args := append([]string{"redis.conf"}, redisArgs(s)...)
		if s.durable {
			args = append(args, "--appendonly", "yes", "--appendfsync", "always")
		}
		return args
	},
	url:     func(s *Server) string { return fmt.Sprintf("redis://:%s@%s", s.password, s.address()) },
	answers: redisAnswers,
}

// A node of a cluster. Clients go by addresses, and so without a password.
var redisNode = &kind{
	name:     "Redis",
	program:  redis.program,
	packages: redis.packages,
	stop:     redis.stop,
	prepare:  func(_ context.Context, s *Server) error { s.password = ""; return nil },
	args: func(s *Server) []string {
		return append(redisArgs(s), "--cluster-enabled", "yes", "--cluster-port", strconv.Itoa(s.busPort))
	},
	url:     func(s *Server) string { return "redis://" + s.address() },
	answers: redisAnswers,
}

func redisArgs(s *Server) []string {
	return []string{"--port", strconv.Itoa(s.port), "--bind", "127.0.0.1", "--save", "", "--daemonize", "no"}
}

func redisAnswers(ctx context.Context, s *Server) error {
	_, err := s.redisDo(ctx, "PING")
	return err
}

func (s *Server) address() string { return "127.0.0.1:" + strconv.Itoa(s.port) }

// startCluster starts three nodes and shares the slots out among them.
func startCluster() ([]string, error) {
	const nodes, slots = 3, 16384
	ctx, cancel := context.WithTimeout(context.Background(), startWithin)
	defer cancel()
	var servers []*Server
	var addresses []string
	for i := range nodes {
		s, err := start(redisNode, false)
		if err != nil {
			return nil, err
		}
		servers, addresses = append(servers, s), append(addresses, s.address())
		commands := [][]string{
			{"CLUSTER", "ADDSLOTSRANGE", strconv.Itoa(i * slots / nodes), strconv.Itoa((i+1)*slots/nodes - 1)},
			{"CLUSTER", "SET-CONFIG-EPOCH", strconv.Itoa(i + 1)}, // else they quarrel about it first
			{"CLUSTER", "MEET", "127.0.0.1", strconv.Itoa(servers[0].port), strconv.Itoa(servers[0].busPort)},
		}
		if i == 0 {
			commands = commands[:2]
		}
		for _, c := range commands {
			if _, err := s.redisDo(ctx, c...); err != nil {
				return nil, fmt.Errorf("%s: %w", strings.Join(c, " "), err)
			}
		}
	}
	for _, s := range servers {
		if err := s.joined(ctx, nodes); err != nil {
			return nil, err
		}
	}
	return addresses, nil
}

// joined waits until a node sees a whole cluster.
func (s *Server) joined(ctx context.Context, nodes int) error {
	for {
		info, err := s.redisDo(ctx, "CLUSTER", "INFO")
		if strings.Contains(info, "cluster_state:ok") && strings.Contains(info, fmt.Sprintf("cluster_known_nodes:%d\r", nodes)) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("Redis: no cluster within %v: %w\n%s", startWithin, err, info)
		case <-time.After(pollEvery):
		}
	}
}

// redisDo runs one command on a connection of its own.
func (s *Server) redisDo(ctx context.Context, command ...string) (string, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", s.address())
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return "", err
		}
	}
	in := bufio.NewReader(conn)
	if s.password != "" {
		if _, err := redisAsk(conn, in, "AUTH", s.password); err != nil {
			return "", err
		}
	}
	return redisAsk(conn, in, command...)
}

// redisAsk writes a command and reads a reply that is no list.
func redisAsk(out io.Writer, in *bufio.Reader, command ...string) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(command))
	for _, word := range command {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(word), word)
	}
	if _, err := io.WriteString(out, b.String()); err != nil {
		return "", err
	}
	line, err := in.ReadString('\n')
	if err != nil {
		return "", err
	}
	line = strings.TrimRight(line, "\r\n")
	switch {
	case strings.HasPrefix(line, "-"):
		return "", errors.New(line[1:])
	case strings.HasPrefix(line, "$"):
		n, err := strconv.Atoi(line[1:])
		if err != nil || n < 0 {
			return "", err
		}
		text := make([]byte, n)
		_, err = io.ReadFull(in, text)
		return string(text), err
	default:
		return strings.TrimLeft(line, "+:"), nil
	}
}
