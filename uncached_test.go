package auth_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
)

func TestUncachedIsOfTheContextsBelow(t *testing.T) {
	require.False(t, auth.IsUncached(t.Context()))
	ctx, cancel := context.WithCancel(auth.Uncached(t.Context()))
	defer cancel()
	require.True(t, auth.IsUncached(ctx))
}
