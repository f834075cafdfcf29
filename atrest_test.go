package auth_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
)

// Row 13: everything that opens something is issued over one store, and what
// the store then holds is searched: it tells no credential, and nothing of it
// is one.
func TestNothingAtRestIsACredential(t *testing.T) {
	store := newTap(t)
	p := authtest.Principal("ada", "read")
	sessions := newSessions(t, store, nil)
	uuids := newSessions(t, store, &auth.SessionOptions{Form: auth.UUIDForm()})
	keys := newKeys(t, store, nil)
	refresh := must(auth.NewRefresh(store, sessions, nil))
	verifiers := []auth.Verifier{sessions, uuids, keys, refresh}

	device := &auth.IssueOptions{Device: auth.Device{UserAgent: "test"}}
	pair := must(refresh.Issue(t.Context(), p, device))
	next := must(exchange(refresh, pair.RefreshToken, nil))
	key := must(keys.Create(t.Context(), p, &auth.KeyOptions{Name: "nightly", Lifetime: time.Hour}))
	secrets := []auth.Secret{
		pair.Token, pair.RefreshToken, next.Token, next.RefreshToken,
		must(uuids.Issue(t.Context(), p, device)).Token,
		key.Token, must(keys.Rotate(t.Context(), key.Principal.Credential.ID)).Token,
	}
	require.NoError(t, refresh.Revoke(t.Context(), must(refresh.Issue(t.Context(), p, nil)).Principal)) // a mark

	records := store.dump()
	require.GreaterOrEqual(t, len(records), 8)
	for d, r := range records {
		// The owner's view of a key shows how it begins; see [auth.APIKey].
		const hint = 4
		text := string(must(json.Marshal(r))) + string(r.Data) + d.String()
		for _, secret := range secrets {
			shown := strings.TrimPrefix(strings.TrimPrefix(secret.Reveal(), "rt_"), "acme_live_")
			require.NotContains(t, text, shown[hint:hint+8])
		}
		for _, stored := range []string{
			d.String(), hex.EncodeToString(d[:]), base64.RawURLEncoding.EncodeToString(r.Data), string(r.Data), r.Owner.String(),
		} {
			for _, v := range verifiers {
				for _, prefix := range []string{"", "rt_", "acme_live_"} {
					got, err := v.Verify(t.Context(), prefix+stored)
					require.Error(t, err)
					require.Nil(t, got)
				}
			}
		}
	}
}
