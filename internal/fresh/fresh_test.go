package fresh_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth/internal/fresh"
)

func TestWantedWhereAsked(t *testing.T) {
	require.False(t, fresh.Wanted(t.Context()))
	ctx, cancel := context.WithCancel(fresh.Context(t.Context()))
	defer cancel()
	require.True(t, fresh.Wanted(ctx))
}
