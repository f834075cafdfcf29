//go:build race

package memstore_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/store/memstore"
)

// Nobody writes to what is shared. Where mistakes are looked for, one who does is
// told so by the next look-up.
func TestWritingToWhatIsSharedIsNoticed(t *testing.T) {
	for name, write := range map[string]func(*auth.Record){
		"text":   func(r *auth.Record) { r.Principal.Tier = string([]byte("another")) },
		"scope":  func(r *auth.Record) { r.Principal.Scopes[0] = "another" },
		"number": func(r *auth.Record) { r.Principal.Rate.Limit++ },
		"data":   func(r *auth.Record) { r.Data[len(r.Data)-1]++ },
	} {
		t.Run(name, func(t *testing.T) {
			s, ctx := memstore.New(), t.Context()
			d, r := owned(1)
			require.NoError(t, s.Insert(ctx, d, r))
			got, err := s.Lookup(ctx, d)
			require.NoError(t, err)
			write(&got)
			require.PanicsWithValue(t,
				"memstore: somebody has written to the Principal or the Data of a record, which are shared",
				func() { _, _ = s.Lookup(ctx, d) })
		})
	}
}
