//go:build linux

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/internal/servertest"
)

// fill puts something of each kind into a store.
func fill(c *cli) {
	c.Helper()
	s := c.open()
	c.fed("a long enough password", "user", "add", "ann@example.com", "--scope", "data:read", "--claims", `{"a":"<&>"}`)
	c.ok("user", "add", "robot", "--no-password", "--disabled")
	key := c.secret("", "key", "create", "--prefix", "acme", "--login", "ann@example.com", "--from", "192.0.2.0/24", "--expires", "90d")
	c.fed(key, "key", "disable", "-")
	ann := &auth.Principal{Subject: "ann\x00🦊"}
	signIn(c.T, s, ann)
	c.ok("session", "revoke", "--yes", "--subject", "bob")
	c.ok("keygen", "--alg", "RS512", "--bits", "2048", "--out", "acme.pem", "--public", "acme.pub.pem")
	c.ok("platform", "add", "acme", "--key", "acme.pub.pem")
	c.ok("platform", "suspend", "acme")
	refresh, err := auth.NewRefresh(s, issuerOf(c.T, mustKey(c.T)), nil)
	require.NoError(c, err)
	_, err = refresh.Issue(c.Context(), ann, nil)
	require.NoError(c, err)
}

// lines returns an export without its header, in an order of its own.
func lines(export string) []string {
	all := strings.Split(strings.TrimSpace(export), "\n")[1:]
	slices.Sort(all)
	return all
}

func TestStoresAreMovedThereAndBack(t *testing.T) {
	from := newCLI(t, servertest.PostgreSQL(t))
	fill(from)
	exported := from.ok("export")
	require.GreaterOrEqual(t, len(lines(exported)), 10)
	for _, store := range []string{redisURL(t), "sqlite:" + filepath.Join(t.TempDir(), "auth.db"), "mysql:" + servertest.MariaDB(t)} {
		to := newCLI(t, store)
		to.fed(exported, "import")
		there := to.ok("export")
		require.Equal(t, lines(exported), lines(there))
		back := newCLI(t, servertest.PostgreSQL(t))
		back.write("auth.jsonl", there)
		back.ok("import", "auth.jsonl")
		require.Equal(t, lines(exported), lines(back.ok("export")))
		_, err := logIn(to, to.open(), "ann@example.com", "a long enough password")
		require.NoError(t, err)
	}
}

func TestExportHasMarksFirst(t *testing.T) {
	c := onSQLite(t)
	fill(c)
	marks := true
	for _, text := range strings.Split(strings.TrimSpace(c.ok("export")), "\n")[1:] {
		var l line
		require.NoError(t, unmarshal(text, &l))
		if l.Record == nil {
			continue
		}
		e, err := l.entry()
		require.NoError(t, err)
		isMark := e.Record.Kind == auth.KindMark
		require.True(t, marks || !isMark, "a mark after what it could end")
		marks = isMark
	}
	require.False(t, marks)
}

func TestImportIsDoneAgain(t *testing.T) {
	from, to := onSQLite(t), onSQLite(t)
	fill(from)
	exported := from.ok("export")
	whole := strings.Split(strings.TrimSpace(exported), "\n")

	cut := strings.Join(whole[:len(whole)/2], "\n")
	require.Contains(t, to.refused(exitFailed, cut, "import"), "cut short")
	added := len(whole)/2 - 1
	a := to.run(exported, "import", "--json")
	require.Zero(t, a.code, a.err)
	require.Contains(t, a.out, fmt.Sprintf(`"added":%d,"present":%d`, len(whole)-2-added, added))
	a = to.run(exported, "import")
	require.Contains(t, a.err, fmt.Sprintf("0 added, %d there already", len(whole)-2))

	// The last use moves on, and is no difference.
	s := to.open()
	seen := map[auth.Digest]time.Time{}
	for e, err := range s.Walk(t.Context(), auth.KindSession) {
		require.NoError(t, err)
		seen[e.Digest] = time.Now().Add(time.Hour)
	}
	require.Len(t, seen, 1)
	require.NoError(t, s.Touch(t.Context(), seen))
	require.Zero(t, to.run(exported, "import").code)

	// All else is.
	to.ok("key", "enable", to.one("key", "list")["id"].(string))
	to.ok("user", "enable", "robot")
	a = to.run(exported, "import")
	require.Equal(t, exitConflict, a.code)
	require.Contains(t, a.err, "the api_key "+to.one("key", "list")["id"].(string)+" is there already, and differs")
	require.Contains(t, a.err, "2 different")
	require.Equal(t, "active", to.one("key", "list")["state"], "and stays")
}

func TestImportTakesWholeExportsAlone(t *testing.T) {
	from, c := onSQLite(t), onSQLite(t)
	fill(from)
	whole := strings.SplitAfter(from.ok("export"), "\n")
	end := len(whole) - 2
	edit := func(change func(l []string) []string) string { return strings.Join(change(slices.Clone(whole)), "") }
	for want, text := range map[string]string{
		"end is missing":               "",
		"no export of authctl":         edit(func(l []string) []string { return l[1:] }),
		"this authctl reads version 1": edit(func(l []string) []string { l[0] = `{"format":"authctl export","version":2}` + "\n"; return l }),
		"its end is missing":           edit(func(l []string) []string { return l[:end] }),
		"should hold":                  edit(func(l []string) []string { return slices.Delete(l, 3, 4) }),
		"something follows":            edit(func(l []string) []string { return append(l, l[3]) }),
		"line 3: no JSON object":       edit(func(l []string) []string { l[2] = l[2][:20] + "\n"; return l }),
		"malformed id":                 edit(func(l []string) []string { l[2] = `{"digest":"x","record":"AA=="}` + "\n"; return l }),
		"binary form of a record":      edit(func(l []string) []string { l[2] = l[2][:60] + `","record":"AA=="}` + "\n"; return l }),
		"binary form of a user":        edit(func(l []string) []string { l[2] = `{"user":{}}` + "\n"; return l }),
		"a line is longer":             edit(func(l []string) []string { l[2] = strings.Repeat("x", 5<<20); return l }),
	} {
		if want == "binary form of a record" {
			digest, _, _ := strings.Cut(whole[2], `,"record"`)
			text = strings.Replace(strings.Join(whole, ""), whole[2], digest+`,"record":"AA=="}`+"\n", 1)
		}
		require.Contains(t, c.refused(exitFailed, text, "import"), want)
	}
}

// An export holds hashes of passwords: it is its owner's alone, whole, and never
// in the place of another.
func TestExportIsItsOwnersAlone(t *testing.T) {
	c := onSQLite(t)
	c.secret("", "key", "create", "--prefix", "acme", "--subject", "42")
	require.Contains(t, c.run("", "export", "--out", "auth.jsonl").err, "exported 1 record and 0 users")
	info, err := os.Stat(filepath.Join(c.folder, "auth.jsonl"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode())
	c.refused(exitConflict, "", "export", "--out", "auth.jsonl")
	require.Equal(t, lines(c.ok("export")), lines(c.read("auth.jsonl")))
}

// What was to be forgotten is not brought back.
func TestImportLeavesOutWhatHasExpired(t *testing.T) {
	c := onSQLite(t)
	e := auth.Entry{Digest: auth.DigestOf(auth.KindSession, "x"), Record: auth.Record{
		Kind: auth.KindSession, Principal: &auth.Principal{Subject: "42"}, Revision: 1,
		Created: time.Unix(1, 0).UTC(), KeepUntil: time.Now().Add(-time.Second).UTC(),
	}}
	l, err := recordLine(e)
	require.NoError(t, err)
	var text strings.Builder
	for _, l := range []line{header(), l, {End: &totals{Records: 1}}} {
		require.NoError(t, newEncoder(&text).Encode(l))
	}
	require.Contains(t, c.run(text.String(), "import").err, "0 added, 0 there already, 1 expired")
}

// A login that somebody else has is a difference, and no outage.
func TestImportOfATakenLogin(t *testing.T) {
	from, to := onSQLite(t), onSQLite(t)
	from.ok("user", "add", "ann", "--no-password", "--id", "1")
	to.ok("user", "add", "ann", "--no-password", "--id", "2")
	a := to.run(from.ok("export"), "import")
	require.Equal(t, exitConflict, a.code)
	require.Contains(t, a.err, `the user "1" is there already, and differs`)
}

func TestSweep(t *testing.T) {
	c := onSQLite(t)
	s := c.open()
	for i := range 3 {
		require.NoError(t, s.Insert(t.Context(), auth.DigestOf("x", fmt.Sprint(i)), auth.Record{
			Kind: "x", Revision: 1, Created: time.Now().UTC().Truncate(time.Microsecond),
			KeepUntil: time.Now().Add(time.Duration(i-2) * time.Hour).UTC().Truncate(time.Microsecond),
		}))
	}
	require.Contains(t, c.run("", "sweep").err, "removed ")
	require.Contains(t, c.run("", "sweep").err, "removed 0 expired records")
}
