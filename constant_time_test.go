package auth_test

import (
	"context"
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
	"github.com/seed-077cad0b/auth/store/memstore"
)

// An askedStore remembers which digests were looked up.
type askedStore struct {
	*memstore.Store
	asked []auth.Digest
}

func (s *askedStore) Lookup(ctx context.Context, d auth.Digest) (auth.Record, error) {
	s.asked = append(s.asked, d)
	return s.Store.Lookup(ctx, d)
}

// Row 31: a guess is hashed and looked up, whether one character of it is wrong
// or every one: the text of a credential is nowhere to be compared with.
func TestGuessesAreLookedUpByTheirDigest(t *testing.T) {
	store := &askedStore{Store: newStore(t)}
	sessions := newSessions(t, store, nil)
	keys := newKeys(t, store, nil)
	refresh := must(auth.NewRefresh(store, sessions, nil))
	p := authtest.Principal("ada")
	pair := must(refresh.Issue(t.Context(), p, nil))
	key := must(keys.Create(t.Context(), p, nil))

	plain := func(text string) string { return text }
	for _, c := range []struct {
		kind     auth.Kind
		verifier interface {
			auth.Verifier
			Form() auth.Form
		}
		good   string
		hashed func(text string) string // what of the text is hashed
	}{
		{auth.KindSession, sessions, pair.Token.Reveal(), plain},
		{auth.KindRefresh, refresh, pair.RefreshToken.Reveal(), plain},
		{auth.KindAPIKey, keys, key.Token.Reveal(), func(text string) string { return text[:len(text)-6] }},
	} {
		near := []byte(c.good)
		if i := len(near) / 2; near[i] == 'A' {
			near[i] = 'B'
		} else {
			near[i] = 'A'
		}
		if c.kind == auth.KindAPIKey {
			near = []byte(withChecksum(string(near[:len(near)-6])))
		}
		for name, guess := range map[string]string{"near": string(near), "far": c.verifier.Form().New()} {
			store.asked = nil
			_, err := c.verifier.Verify(t.Context(), guess)
			require.ErrorIs(t, err, auth.ErrInvalid, "%s, %s", c.kind, name)
			require.Equal(t, []auth.Digest{auth.DigestOf(c.kind, c.hashed(guess))}, store.asked, "%s, %s", c.kind, name)
		}
	}
}

// Row 31, in the source: nothing compares bytes in a time that tells where they
// differ, but where none of them is a secret that a stranger guesses.
func TestBytesAreComparedInConstantTime(t *testing.T) {
	public := map[string]bool{
		"examples":                    true,
		"internal/strictjson":         true, // names of members
		"store/storetest":             true, // what it has written itself
		"store/memstore/deep.go":      true, // a principal and the one beside it
		"store/memstore/shard.go":     true, // a record and itself
		"store/sqlstore/abilities.go": true, // the order of digests
		"store/sqlstore/users.go":     true, // the hash of a user's ID
		"platformrecords.go":          true, // an entry and itself
		"cmd/authctl/transfer.go":     true, // an operator's export and their store
	}
	hasty := map[string]bool{
		"bytes.Equal": true, "bytes.Compare": true, "bytes.HasPrefix": true, "slices.Equal": true, "reflect.DeepEqual": true,
	}
	careful := 0
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		name := filepath.ToSlash(path)
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (public[name] || entry.Name() == "testdata"):
			return filepath.SkipDir
		case public[name] || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		files := gotoken.NewFileSet()
		file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if selector, ok := n.(*ast.SelectorExpr); ok {
				if pkg, ok := selector.X.(*ast.Ident); ok {
					name := pkg.Name + "." + selector.Sel.Name
					if hasty[name] {
						t.Errorf("%s: %s", files.Position(n.Pos()), name)
					}
					if name == "subtle.ConstantTimeCompare" || name == "hmac.Equal" {
						careful++
					}
				}
			}
			return true
		})
		return nil
	})
	require.NoError(t, err)
	require.NotZero(t, careful, "the walk must have seen the library")
}
