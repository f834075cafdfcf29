//go:build linux

package servertest

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

const postgresPackages = "postgresql"

var postgreSQL = &kind{
	name:     "PostgreSQL",
	program:  "postgres",
	packages: postgresPackages,
	stop:     syscall.SIGINT, // without waiting for clients to leave
	prepare: func(ctx context.Context, s *Server) error {
		if err := s.write("password", s.password); err != nil {
			return err
		}
		postgres, err := filepath.EvalSymlinks(s.program) // to its companions, of the same version
		if err != nil {
			return err
		}
		err = finish(ctx, s.dir, filepath.Join(filepath.Dir(postgres), "initdb"), "--no-sync", "--pgdata=data",
			"--username=auth", "--pwfile=password", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C")
		if err != nil {
			return err
		}
		if _, err := os.Stat(filepath.Join(s.dir, "data", "PG_VERSION")); err != nil {
			return fmt.Errorf("initdb has made no data:\n%s", s.log())
		}
		return nil
	},
	args: func(s *Server) []string {
		args := []string{
			"-D", "data", "-p", strconv.Itoa(s.port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=",
			"-c", "max_connections=300",
		}
		if !s.durable {
			args = append(args, "-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")
		}
		return args
	},
	url: func(s *Server) string {
		return fmt.Sprintf("postgres://auth:%s@127.0.0.1:%d/postgres?sslmode=disable", s.password, s.port)
	},
	answers: func(ctx context.Context, s *Server) error {
		_, err := postgresQuery(ctx, s.URL(), "SELECT 1")
		return err
	},
}

// postgresQuery has psql run a statement.
func postgresQuery(ctx context.Context, server, statement string) (string, error) {
	u, err := url.Parse(server)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return "", fmt.Errorf("PostgreSQL's server is not given as postgres://user:password@host:port/database")
	}
	// Newer ones know older servers.
	psql, err := find("psql", "postgresql-client")
	if err != nil {
		return "", err
	}
	password, _ := u.User.Password()
	u.User = url.User(u.User.Username()) // what is in the arguments, everybody sees
	return ask(ctx, []string{"PGPASSWORD=" + password, "PGCONNECT_TIMEOUT=10"}, psql,
		"--no-psqlrc", "--no-password", "--quiet", "--no-align", "--tuples-only", "--command="+statement, u.String())
}

// postgresDatabase returns the URL of another database of the server.
func postgresDatabase(server, database string) string {
	u, _ := url.Parse(server) // has been
	u.Path = "/" + database
	return u.String()
}
