//go:build linux

package servertest

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestMain(m *testing.M) {
	if how := os.Getenv("SERVERTEST_END"); how != "" {
		end(how)
	}
	Main(m)
}

// A product is one of the three, and how to write into it and read it back.
type product struct {
	name  string
	start func(testing.TB) *Server
	write string
	read  string
	ask   func(ctx context.Context, s *Server, statement string) (string, error)
}

func products() []product {
	return []product{
		{"PostgreSQL", StartPostgreSQL, "CREATE TABLE kept AS SELECT 42 AS n", "SELECT n FROM kept", func(ctx context.Context, s *Server, q string) (string, error) {
			return postgresQuery(ctx, s.URL(), q)
		}},
		{"MariaDB", StartMariaDB, "CREATE TABLE kept AS SELECT 42 AS n", "SELECT n FROM kept", func(ctx context.Context, s *Server, q string) (string, error) {
			return mariadbQuery(ctx, s.URL(), q)
		}},
		{"Redis", StartRedis, "SET kept 42", "GET kept", func(ctx context.Context, s *Server, q string) (string, error) {
			return s.redisDo(ctx, strings.Fields(q)...)
		}},
	}
}

func TestServer(t *testing.T) {
	for _, p := range products() {
		t.Run(p.name, func(t *testing.T) {
			s := p.start(t)
			url := s.URL()
			_, err := p.ask(t.Context(), s, p.write)
			require.NoError(t, err)
			kept := func() {
				t.Helper()
				answer, err := p.ask(t.Context(), s, p.read)
				require.NoError(t, err)
				require.Equal(t, "42", answer)
				require.Equal(t, url, s.URL())
			}

			s.Kill()
			_, err = p.ask(t.Context(), s, p.read)
			require.Error(t, err, "it is dead")
			s.Start()
			kept()

			s.Stop()
			_, err = p.ask(t.Context(), s, p.read)
			require.Error(t, err, "it is down")
			s.Start()
			kept()

			s.Pause()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			_, err = p.ask(ctx, s, p.read)
			cancel()
			require.Error(t, err, "it is frozen")
			s.Resume()
			kept()

			s.Pause()
			pids := s.process.family()
			if p.name == "PostgreSQL" {
				require.Greater(t, len(pids), 3, "it has processes of its own")
			}
			for _, pid := range pids {
				require.Contains(t, []byte{'T', 0}, state(pid), "it is frozen, or had just ended")
			}
			s.Kill()
			for _, pid := range pids {
				require.Zero(t, state(pid))
			}
		})
	}
}

func TestServerAsksForAPassword(t *testing.T) {
	for _, p := range products() {
		s := p.start(t)
		s.password = "wrong"
		_, err := p.ask(t.Context(), s, p.read)
		require.Error(t, err, p.name)
	}
}

func TestDatabasesAreNewAndDropped(t *testing.T) {
	for _, p := range []struct {
		name     string
		variable string // names a server that exists already
		start    func(testing.TB) *Server
		open     func(testing.TB) string
		query    func(ctx context.Context, server, statement string) (string, error)
		list     string
	}{
		{"PostgreSQL", "AUTH_TEST_POSTGRES_DSN", StartPostgreSQL, PostgreSQL, postgresQuery, "SELECT datname FROM pg_database"},
		{"MariaDB", "AUTH_TEST_MYSQL_DSN", StartMariaDB, MariaDB, mariadbQuery, "SHOW DATABASES"},
	} {
		there := p.start(t)
		for name, given := range map[string]string{"shared": "", "existing": there.URL()} {
			t.Run(p.name+" "+name, func(t *testing.T) {
				t.Setenv(p.variable, given)
				last := p.open(t)
				var gone string
				t.Run("one", func(t *testing.T) {
					first, second := p.open(t), p.open(t)
					require.NotEqual(t, first, second)
					_, err := p.query(t.Context(), first, "CREATE TABLE a (n int)")
					require.NoError(t, err)
					_, err = p.query(t.Context(), second, "CREATE TABLE a (n int)")
					require.NoError(t, err, "nobody else's")
					gone = first
				})
				_, err := p.query(t.Context(), gone, "SELECT 1")
				require.Error(t, err, "dropped")
				list, err := p.query(t.Context(), last, p.list)
				require.NoError(t, err)
				require.Equal(t, 1, strings.Count(list, "auth_"), list)
				if given != "" {
					here, err := p.query(t.Context(), given, p.list)
					require.NoError(t, err)
					require.Equal(t, list, here, "on the server that is there")
				}
			})
		}
	}
}

func TestRedisIsSharedOrGiven(t *testing.T) {
	require.Equal(t, Redis(t), Redis(t))
	t.Setenv("AUTH_TEST_REDIS_URL", "redis://elsewhere:6379")
	require.Equal(t, "redis://elsewhere:6379", Redis(t))
}

func TestRedisClusterIsWhole(t *testing.T) {
	addresses := RedisCluster(t)
	require.Len(t, addresses, 3)
	require.Equal(t, addresses, RedisCluster(t))
	moved := 0
	for _, address := range addresses {
		_, port, err := net.SplitHostPort(address)
		require.NoError(t, err)
		n, err := strconv.Atoi(port)
		require.NoError(t, err)
		node := &Server{port: n}
		for _, key := range []string{"a", "b", "c", "d"} {
			_, err := node.redisDo(t.Context(), "GET", key)
			if err != nil && strings.HasPrefix(err.Error(), "MOVED") {
				moved++
				continue
			}
			require.NoError(t, err)
		}
	}
	require.Equal(t, 8, moved, "each key is with one node of the three")
}

func TestMissingServerTellsHowToInstallIt(t *testing.T) {
	_, err := findIn([]string{t.TempDir()}, "postgres", "postgresql")
	require.ErrorContains(t, err, "no postgres on this machine")
	require.ErrorContains(t, err, "\tapt-get install -y --no-install-recommends postgresql")

	folder := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(folder, "directory"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "text"), nil, 0o600))
	for _, name := range []string{"directory", "text"} {
		_, err := findIn([]string{folder}, name, "p")
		require.Error(t, err, name)
	}
}

func TestServerThatCannotStartSaysWhy(t *testing.T) {
	broken := *postgreSQL
	broken.args = func(*Server) []string { return []string{"-D", "nowhere"} }
	_, err := start(&broken, false)
	require.ErrorIs(t, err, errExited)
	require.ErrorContains(t, err, "nowhere", "the server's own words")

	broken.prepare = func(context.Context, *Server) error { return errors.New("no data") }
	_, err = start(&broken, false)
	require.EqualError(t, err, "PostgreSQL: no data")
}

// TestNothingOutlivesTheBinary ends another one of itself in each way there is.
func TestNothingOutlivesTheBinary(t *testing.T) {
	for _, how := range []string{"return", "exit", "panic", "hang"} {
		t.Run(how, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), os.Args[0])
			cmd.Env = append(os.Environ(), "SERVERTEST_END="+how)
			out, err := cmd.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, cmd.Start())

			report := make([]byte, 4096)
			n, err := out.Read(report)
			require.NoError(t, err)
			lines := strings.Fields(string(report[:n]))
			dir, pids := lines[0], lines[1:]
			require.Greater(t, len(pids), 4)
			if how == "hang" {
				require.DirExists(t, dir)
				require.NoError(t, cmd.Process.Kill())
			}
			_ = cmd.Wait()

			require.Eventually(t, func() bool {
				_, err := os.Stat(dir)
				return errors.Is(err, os.ErrNotExist)
			}, time.Minute, pollEvery, "the folder is removed")
			for _, p := range pids {
				pid, err := strconv.Atoi(p)
				require.NoError(t, err)
				require.Zero(t, state(pid), "a server lives on")
			}
		})
	}
}

// end starts servers, tells of them, and ends the way it is told to.
func end(how string) {
	yard, err := openYard()
	if err != nil {
		panic(err)
	}
	report := yard.dir
	for _, k := range []*kind{postgreSQL, redis} {
		s, err := start(k, true)
		if err != nil {
			panic(err)
		}
		// One that is frozen is ended as well.
		for _, pid := range s.process.freeze() {
			report += " " + strconv.Itoa(pid)
		}
	}
	_, _ = os.Stdout.WriteString(report + "\n")
	switch how {
	case "return":
		yard.close()
		os.Exit(0)
	case "exit":
		os.Exit(0)
	case "panic":
		panic("as asked")
	default:
		_ = syscall.Pause()
	}
}
