// Package demo runs the example programs: it listens, prints what a visitor
// needs to know, and stops on a signal.
package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/seed-077cad0b/auth"
)

// A Line is one name=value line of the program's output.
type Line struct{ Name, Value string }

// An App is what a program serves, and what it prints about it.
type App struct {
	Handler http.Handler
	Lines   []Line
	Close   func() error // nil for nothing to close
}

// Main runs the app that build makes, until SIGINT or SIGTERM, and exits. build
// is given the base URL and a logger on standard error. Flags of the program's
// own are defined before.
func Main(build func(baseURL string, log *slog.Logger) (*App, error)) {
	addr := flag.String("addr", "127.0.0.1:8080", "where to listen; port 0 picks a free one")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	if err := run(ctx, *addr, os.Stdout, log, build); err != nil {
		log.Error("stopped", "error", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, addr string, out io.Writer, log *slog.Logger, build func(string, *slog.Logger) (*App, error)) (err error) {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	defer listener.Close()
	baseURL := "http://" + reachable(listener.Addr())
	app, err := build(baseURL, log)
	if err != nil {
		return err
	}
	if app.Close != nil {
		defer func() { err = errors.Join(err, app.Close()) }()
	}
	server := &http.Server{
		Handler:           app.Handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()

	for _, l := range append([]Line{{"base_url", baseURL}}, app.Lines...) {
		fmt.Fprintf(out, "%s=%s\n", l.Name, l.Value)
	}
	fmt.Fprintln(out, "ready=1")

	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		return server.Close()
	}
	return nil
}

// reachable returns where a listener can be called: one on all addresses is on
// this host's own, too.
func reachable(a net.Addr) string {
	host, port, err := net.SplitHostPort(a.String())
	if err != nil || !net.ParseIP(host).IsUnspecified() {
		return a.String()
	}
	return net.JoinHostPort("127.0.0.1", port)
}

// ReadJSON decodes the request's body, which is one JSON object. The error is
// fit for auth.Guard.Fail.
func ReadJSON[T any](r *http.Request) (T, error) {
	var (
		v     T
		large *http.MaxBytesError
	)
	body, err := io.ReadAll(r.Body)
	if errors.As(err, &large) {
		return v, auth.ErrTooLarge
	}
	if err == nil && !bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("{")) {
		err = errors.New("not an object") // json.Unmarshal takes a null for one
	}
	if err == nil {
		err = json.Unmarshal(body, &v)
	}
	if err != nil {
		return v, fmt.Errorf("%w: %w", auth.ErrMalformed, err)
	}
	return v, nil
}

// WriteJSON answers 200 with v.
func WriteJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // an error means that the client has gone
}
