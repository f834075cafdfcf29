//go:build linux

package main

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth/internal/servertest"
	"github.com/seed-077cad0b/auth/store/sqlstore"
)

// What authctl changes in PostgreSQL is told to the caches of an API, which
// package pglisten has listen. Else they would serve a revoked key for as long as
// they remember it.
func TestRevocationIsToldToCaches(t *testing.T) {
	c := newCLI(t, servertest.PostgreSQL(t))
	key := c.secret("", "key", "create", "--prefix", "acme", "--subject", "42")
	id := c.one("key", "list")["id"].(string)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, c.storeURL())
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close(t.Context())) }()
	_, err = conn.Exec(ctx, "LISTEN "+sqlstore.Channel)
	require.NoError(t, err)

	for _, args := range [][]string{{"disable"}, {"enable"}, {"revoke", "--yes"}} {
		c.fed(key, append(append([]string{"key"}, args...), "-")...)
		for heard := ""; heard != id; {
			n, err := conn.WaitForNotification(ctx)
			require.NoError(t, err, "%v is not told", args)
			heard = n.Payload
		}
	}
}
