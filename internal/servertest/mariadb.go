//go:build linux

package servertest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
)

const mariadbPackages = "mariadb-server"

var mariaDB = &kind{
	name:     "MariaDB",
	program:  "mariadbd",
	packages: mariadbPackages,
	stop:     syscall.SIGTERM,
	prepare: func(ctx context.Context, s *Server) error {
		// Run at each start. It comes before anybody is let in.
		err := s.write("init.sql", "CREATE DATABASE IF NOT EXISTS auth;\n"+
			"CREATE USER IF NOT EXISTS auth@'%' IDENTIFIED BY '"+s.password+"';\n"+
			"GRANT ALL ON *.* TO auth@'%';\n")
		if err != nil {
			return err
		}
		install, err := find("mariadb-install-db", mariadbPackages)
		if err != nil {
			return err
		}
		data := filepath.Join(s.dir, "data")
		if err := finish(ctx, s.dir, install, "--no-defaults", "--datadir="+data, "--skip-test-db", "--skip-name-resolve"); err != nil {
			return err
		}
		if _, err := os.Stat(filepath.Join(data, "mysql")); err != nil {
			return fmt.Errorf("mariadb-install-db has made no data:\n%s", s.log())
		}
		return nil
	},
	args: func(s *Server) []string {
		args := []string{
			"--no-defaults", "--datadir=" + filepath.Join(s.dir, "data"), "--socket=" + filepath.Join(s.dir, "socket"),
			"--bind-address=127.0.0.1", "--port=" + strconv.Itoa(s.port), "--init-file=" + filepath.Join(s.dir, "init.sql"),
			"--pid-file=" + filepath.Join(s.dir, "mariadb.pid"), "--skip-name-resolve", "--max-connections=300",
		}
		if !s.durable {
			args = append(args, "--innodb-flush-log-at-trx-commit=0", "--skip-innodb-doublewrite", "--innodb-flush-method=nosync")
		}
		return args
	},
	url: func(s *Server) string {
		return fmt.Sprintf("auth:%s@tcp(127.0.0.1:%d)/auth", s.password, s.port)
	},
	answers: func(ctx context.Context, s *Server) error {
		_, err := mariadbQuery(ctx, s.URL(), "SELECT 1")
		return err
	},
}

// A data source name: user, password, network, address, database, parameters.
var mysqlName = regexp.MustCompile(`^([^:@]*)(?::(.*))?@(tcp|unix)\((.*)\)/([^/?]*)(\?.*)?$`)

var errMySQLName = errors.New("MariaDB's server is not given as user:password@tcp(host:port)/database")

// mariadbQuery has mariadb's client run a statement.
func mariadbQuery(ctx context.Context, server, statement string) (string, error) {
	m := mysqlName.FindStringSubmatch(server)
	if m == nil {
		return "", errMySQLName
	}
	client, err := find("mariadb", "mariadb-client")
	if err != nil {
		return "", err
	}
	where := []string{"--protocol=socket", "--socket=" + m[4]}
	if m[3] == "tcp" {
		host, port, err := net.SplitHostPort(m[4])
		if err != nil {
			return "", errMySQLName
		}
		where = []string{"--protocol=tcp", "--host=" + host, "--port=" + port}
	}
	args := append([]string{"--no-defaults", "--connect-timeout=10", "--batch", "--skip-column-names", "--user=" + m[1]}, where...)
	return ask(ctx, []string{"MYSQL_PWD=" + m[2]}, client, append(args, "--execute="+statement, m[5])...)
}

// mariadbDatabase returns the name of another database of the server.
func mariadbDatabase(server, database string) string {
	m := mysqlName.FindStringSubmatch(server) // has matched
	return strings.TrimSuffix(server, m[5]+m[6]) + database + m[6]
}
