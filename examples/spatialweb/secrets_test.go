package main

import (
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whoever starts the program with a secret that will not do learns which it is.
func TestStartNamesTheVariable(t *testing.T) {
	for _, name := range []string{clientVariable, webClientVariable, passwordVariable, keyVariable} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, "short")
			_, err := build("http://127.0.0.1:8080", slog.New(slog.DiscardHandler))
			require.ErrorContains(t, err, name+": ")
		})
	}
}
