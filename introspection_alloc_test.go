//go:build !race

package auth_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
)

// A token whose answer is remembered costs no allocation, alone or behind a
// guard, however long it is.
func TestIntrospectionAllocations(t *testing.T) {
	i := newIntrospection(t, saying(active("scope", `"read"`)), auth.IntrospectionOptions{})
	ctx := context.Background()
	for _, token := range []string{"opaque", auth.TokenForm("").New(), strings.Repeat("a", 4<<10)} {
		_, err := i.Verify(ctx, token)
		require.NoError(t, err)
		require.Zero(t, testing.AllocsPerRun(200, func() {
			if _, err := i.Verify(ctx, token); err != nil {
				t.Fatal(err)
			}
		}))
	}
	guard := auth.NewGuard(auth.Bearer(i), &auth.GuardOptions{Resource: newResource(t, nil)}).With(auth.Scope("read"))
	r := from("GET", "/", "Authorization", "Bearer opaque")
	require.Zero(t, testing.AllocsPerRun(200, func() {
		if _, err := guard.Check(r); err != nil {
			t.Fatal(err)
		}
	}))

	// Nor does one that is remembered as not good.
	i = newIntrospection(t, saying(`{"active":false}`), auth.IntrospectionOptions{})
	require.Zero(t, testing.AllocsPerRun(200, func() { _, _ = i.Verify(ctx, "opaque") }))
}

// A remembered token, by one and by many.
func BenchmarkIntrospection(b *testing.B) {
	i := newIntrospection(b, saying(active()), auth.IntrospectionOptions{MaxAge: 3600e9})
	token := auth.TokenForm("").New()
	b.Run("remembered", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := i.Verify(context.Background(), token); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("parallel", func(b *testing.B) {
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := i.Verify(context.Background(), token); err != nil {
					b.Fatal(err)
				}
			}
		})
	})
	anew := auth.Uncached(context.Background())
	b.Run("asked, without a network", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := i.Verify(anew, token); err != nil {
				b.Fatal(err)
			}
		}
	})
}
