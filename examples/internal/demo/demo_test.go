package demo

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
)

// The test binary is the program, too, where this names one of the apps.
const appVariable = "DEMO_APP"

var apps = map[string]func(string, *slog.Logger) (*App, error){
	"good": func(baseURL string, _ *slog.Logger) (*App, error) {
		return &App{
			Handler: http.NotFoundHandler(),
			Lines:   []Line{{"issuer", baseURL}, {"key", "value"}},
			Close:   func() error { _, err := os.Stderr.WriteString("closed\n"); return err },
		}, nil
	},
	"blocked": func(string, *slog.Logger) (*App, error) {
		return &App{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusOK)
			_ = http.NewResponseController(w).Flush()
			select {}
		})}, nil
	},
	"unbuildable": func(string, *slog.Logger) (*App, error) { return nil, errors.New("no key") },
	"unclosable": func(string, *slog.Logger) (*App, error) {
		return &App{Handler: http.NotFoundHandler(), Close: func() error { return errors.New("disk full") }}, nil
	},
}

func TestMain(m *testing.M) {
	if build := apps[os.Getenv(appVariable)]; build != nil {
		Main(build)
		return // and so exit with 0
	}
	os.Exit(m.Run())
}

// A program is an app that runs as a process of its own.
type program struct {
	cmd    *exec.Cmd
	stdout *bufio.Scanner
	stderr bytes.Buffer
}

func start(t *testing.T, app string, args ...string) *program {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	p := &program{cmd: exec.CommandContext(ctx, os.Args[0], args...)}
	p.cmd.Env = append(os.Environ(), appVariable+"="+app, "GORACE=atexit_sleep_ms=0")
	p.cmd.Stderr = &p.stderr
	stdout, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	p.stdout = bufio.NewScanner(stdout)
	require.NoError(t, p.cmd.Start())
	return p
}

// lines returns what the program prints, until it is ready.
func (p *program) lines() (lines []string) {
	for p.stdout.Scan() {
		lines = append(lines, p.stdout.Text())
		if p.stdout.Text() == "ready=1" {
			break
		}
	}
	return lines
}

// end returns the program's exit status.
func (p *program) end(t *testing.T) int {
	require.False(t, p.stdout.Scan(), "prints after ready=1")
	err := p.cmd.Wait()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return exit.ExitCode()
	}
	require.NoError(t, err)
	return 0
}

func TestPrintsAndEnds(t *testing.T) {
	for _, signal := range []os.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(signal.String(), func(t *testing.T) {
			p := start(t, "good", "-addr", "127.0.0.1:0")
			lines := p.lines()
			require.Len(t, lines, 4)
			baseURL := strings.TrimPrefix(lines[0], "base_url=")
			require.Regexp(t, `^http://127\.0\.0\.1:[1-9][0-9]*$`, baseURL)
			require.Equal(t, []string{"issuer=" + baseURL, "key=value", "ready=1"}, lines[1:])

			// It listens by now, and a client that keeps its connection holds
			// nothing up.
			response, err := http.Get(baseURL)
			require.NoError(t, err)
			_, _ = io.Copy(io.Discard, response.Body)
			require.NoError(t, response.Body.Close())

			require.NoError(t, p.cmd.Process.Signal(signal))
			require.Zero(t, p.end(t), p.stderr.String())
			require.Equal(t, "closed\n", p.stderr.String())
		})
	}
}

func TestEndsWithinFiveSecondsWhateverRequestsDo(t *testing.T) {
	p := start(t, "blocked", "-addr", "127.0.0.1:0")
	lines := p.lines()
	require.Len(t, lines, 2)
	response, err := http.Get(strings.TrimPrefix(lines[0], "base_url="))
	require.NoError(t, err) // the handler runs
	defer func() { _ = response.Body.Close() }()

	begin := time.Now()
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
	require.Zero(t, p.end(t), p.stderr.String())
	require.Less(t, time.Since(begin), 5*time.Second)
}

func TestStartupFailures(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = taken.Close() }()

	for name, c := range map[string]struct{ app, addr, says string }{
		"the port is taken":   {"good", taken.Addr().String(), "address already in use"},
		"no address":          {"good", "nowhere", "missing port"},
		"nothing to serve":    {"unbuildable", "127.0.0.1:0", "no key"},
		"no such port at all": {"good", "127.0.0.1:70000", "invalid port"},
	} {
		t.Run(name, func(t *testing.T) {
			p := start(t, c.app, "-addr", c.addr)
			require.Empty(t, p.lines())
			require.Equal(t, 1, p.end(t))
			require.Contains(t, p.stderr.String(), c.says)
		})
	}
	t.Run("an unknown flag", func(t *testing.T) {
		p := start(t, "good", "-port", "1")
		require.Empty(t, p.lines())
		require.Equal(t, 2, p.end(t))
		require.Contains(t, p.stderr.String(), `(default "127.0.0.1:8080")`)
	})
}

func TestWhatCannotBeClosedIsAFailure(t *testing.T) {
	p := start(t, "unclosable", "-addr", "127.0.0.1:0")
	require.NotEmpty(t, p.lines())
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
	require.Equal(t, 1, p.end(t))
	require.Contains(t, p.stderr.String(), "disk full")
}

func TestReachable(t *testing.T) {
	for listen, want := range map[string]string{
		"127.0.0.1:80": "127.0.0.1:80",
		"10.0.0.1:80":  "10.0.0.1:80",
		"[::1]:80":     "[::1]:80",
		"0.0.0.0:80":   "127.0.0.1:80",
		"[::]:80":      "127.0.0.1:80",
	} {
		a, err := net.ResolveTCPAddr("tcp", listen)
		require.NoError(t, err)
		require.Equal(t, want, reachable(a), listen)
	}
}

func TestReadJSON(t *testing.T) {
	type query struct {
		Name string `json:"name"`
	}
	read := func(body string) (query, error) {
		r := httptest.NewRequest("POST", "/", strings.NewReader(body))
		r.Body = http.MaxBytesReader(httptest.NewRecorder(), r.Body, 32)
		return ReadJSON[query](r)
	}
	for body, want := range map[string]query{
		`{}`:                 {},
		" \t\r\n{ } ":        {},
		`{"name":"x"}`:       {"x"},
		`{"name":"x","y":1}`: {"x"},
	} {
		got, err := read(body)
		require.NoError(t, err, body)
		require.Equal(t, want, got, body)
	}
	for _, body := range []string{``, `null`, `[]`, `"x"`, `1`, `{`, `{}{}`, `{}}`, `{} x`, `{"name":1}`} {
		_, err := read(body)
		require.ErrorIs(t, err, auth.ErrMalformed, body)
	}
	_, err := read(`{"name":"` + strings.Repeat("x", 32) + `"}`)
	require.ErrorIs(t, err, auth.ErrTooLarge)
}
