package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/seed-077cad0b/auth"
)

// The exit codes. Scripts go by them; the help of authctl lists them.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitNotFound    = 3
	exitConflict    = 4
	exitUnavailable = 5
	exitNotGood     = 6
)

// A coded error says with which code to exit.
type coded struct {
	code int
	err  error
}

func (e *coded) Error() string { return e.err.Error() }
func (e *coded) Unwrap() error { return e.err }

// usage makes err one of whoever wrote the command line.
func usage(err error) error { return &coded{exitUsage, err} }

func usagef(format string, args ...any) error { return usage(fmt.Errorf(format, args...)) }

// notFound is the error of a name that stands for nothing.
func notFound(format string, args ...any) error {
	return &coded{exitNotFound, fmt.Errorf(format, args...)}
}

// conflict is the error of what is in the way.
func conflict(format string, args ...any) error {
	return &coded{exitConflict, fmt.Errorf(format, args...)}
}

// errTold is the error of a command that has told what is wrong.
var errTold = errors.New("told")

// told makes a command exit with a code, of which it has told the reason.
func told(code int) error { return &coded{code, errTold} }

func exitCode(err error) int {
	var c *coded
	var outage *outage
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &c):
		return c.code
	case errors.Is(err, auth.ErrNotFound):
		return exitNotFound
	case errors.Is(err, auth.ErrExists), errors.Is(err, auth.ErrConflict):
		return exitConflict
	case errors.As(err, &outage) && !errors.Is(err, context.Canceled):
		return exitUnavailable
	default:
		return exitFailed
	}
}
