package oauth_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestClientCredentials(t *testing.T) {
	w := newWorld(t)
	a := w.token(t, "service", "grant_type", "client_credentials")
	requireGranted(t, a)
	p, err := w.verifier(t, api).Verify(context.Background(), a.AccessToken)
	require.NoError(t, err)
	require.Equal(t, "service", p.Subject)
}
