//go:build linux

package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/internal/servertest"
	"github.com/seed-077cad0b/auth/password"
	"github.com/seed-077cad0b/auth/store/memstore"
)

// A gate is a store into which the test lets what is inserted, one at a time.
type gate struct {
	*memstore.Store
	arriving chan arrival
}

type arrival struct {
	kind  auth.Kind
	name  string
	enter chan error // nil: it may
}

func (g *gate) Insert(ctx context.Context, d auth.Digest, r auth.Record) error {
	return g.pass(r.Kind, d.String(), func() error { return g.Store.Insert(ctx, d, r) })
}

func (g *gate) InsertUser(ctx context.Context, u password.User) error {
	return g.pass(password.KindUser, u.ID, func() error { return g.Store.InsertUser(ctx, u) })
}

func (g *gate) pass(k auth.Kind, name string, insert func() error) error {
	a := arrival{k, name, make(chan error)}
	g.arriving <- a
	if err := <-a.enter; err != nil {
		return err
	}
	return insert()
}

// imports imports an export in a bubble of synctest. Of those that wait, the last
// to come enters first, unless that is an error; look sees them all before.
func (g *gate) imports(export string, look func(waiting []arrival) error) (_ *importer, said string, err error) {
	g.arriving = make(chan arrival, 1000)
	var out strings.Builder
	i := &importer{app: &app{stderr: &out}, bar: &progress{}, store: &backend{records: records{g}, users: users{g}}}
	go func() {
		err = i.read(context.Background(), strings.NewReader(export))
		close(g.arriving)
	}()
	var waiting []arrival
	for {
		synctest.Wait()
		for range len(g.arriving) {
			waiting = append(waiting, <-g.arriving)
		}
		if len(waiting) == 0 {
			<-g.arriving // no more come
			return i, out.String(), err
		}
		last := len(waiting) - 1
		waiting[last].enter <- look(waiting)
		waiting = waiting[:last]
	}
}

// exportOf returns an export of so many of each kind.
func exportOf(t *testing.T, marks, sessions, users int) string {
	var text strings.Builder
	lines := newEncoder(&text)
	add := func(l line, err error) {
		require.NoError(t, err)
		require.NoError(t, lines.Encode(l))
	}
	add(header(), nil)
	for n := range marks {
		add(recordLine(auth.Entry{Digest: auth.Digest{1, byte(n)}, Record: auth.Record{Kind: auth.KindMark}}))
	}
	for n := range sessions {
		add(recordLine(sessionAt(n)))
	}
	for n := range users {
		add(userLine(password.User{ID: fmt.Sprint(n), Login: fmt.Sprint(n)}))
	}
	add(line{End: &totals{marks + sessions, users}}, nil)
	return text.String()
}

// sessionAt is the nth in an export.
func sessionAt(n int) auth.Entry {
	p := &auth.Principal{Subject: "42"}
	return auth.Entry{Digest: auth.DigestOf("x", fmt.Sprint(n)), Record: auth.Record{Kind: auth.KindSession, Owner: p.Owner(), Principal: p}}
}

func TestImportWritesManyAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gate{Store: memstore.New()}
		var order []auth.Kind
		most := map[auth.Kind]int{}
		i, _, err := g.imports(exportOf(t, 20, 40, 30), func(waiting []arrival) error {
			kind := waiting[0].kind
			for _, a := range waiting {
				require.Equal(t, kind, a.kind, "what is to come later came too early")
			}
			most[kind] = max(most[kind], len(waiting))
			if !slices.Contains(order, kind) {
				order = append(order, kind)
			}
			return nil
		})
		require.NoError(t, err)
		require.Equal(t, result{Records: 60, Users: 30, Added: 90}, i.result)
		require.Equal(t, []auth.Kind{auth.KindMark, auth.KindSession, password.KindUser}, order)
		require.Equal(t, map[auth.Kind]int{auth.KindMark: writers, auth.KindSession: writers, password.KindUser: writers}, most)
	})
}

// Whichever of many fails first: the first line is told, soon nothing more is
// written, and what was is counted.
func TestImportStopsAtTheFirstError(t *testing.T) {
	for _, c := range []struct {
		failing []int // lines, of which 2 is the first session
		broken  int
		want    string
		result  result
	}{
		{[]int{5, 9}, 0, "line 5: the store does not answer: 5", result{Records: 4 + writers, Added: 3 + writers - 2}},
		{[]int{9, 5}, 12, "line 5: the store does not answer: 5", result{Records: 10, Added: 8}},
		{[]int{5}, 4, "line 4: no JSON object of an export", result{Records: 2, Added: 2}},
		{nil, 12, "line 12: no JSON object of an export", result{Records: 10, Added: 10}},
		{[]int{101}, 0, "line 101: the store does not answer: 101", result{Records: 100, Added: 99}},
	} {
		synctest.Test(t, func(t *testing.T) {
			text := strings.SplitAfter(exportOf(t, 0, 100, 0), "\n")
			if c.broken > 0 {
				text[c.broken-1] = "{\n"
			}
			g := &gate{Store: memstore.New()}
			fails := map[string]error{}
			for _, n := range c.failing {
				fails[sessionAt(n-2).Digest.String()] = errors.New(fmt.Sprint(n))
			}
			i, _, err := g.imports(strings.Join(text, ""), func(waiting []arrival) error {
				return fails[waiting[len(waiting)-1].name]
			})
			require.EqualError(t, err, c.want)
			require.Equal(t, c.result, i.result)
			there, err := count(g.Walk(t.Context(), ""))
			require.NoError(t, err)
			require.Equal(t, i.Added, there)
		})
	}
}

func TestImportTellsDifferencesInTheirOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gate{Store: memstore.New()}
		var want strings.Builder
		for _, n := range []int{3, 1, 12, 7} {
			e := sessionAt(n)
			e.Record.Disabled = n != 1
			require.NoError(t, g.Store.Insert(t.Context(), e.Digest, e.Record))
		}
		for _, n := range []int{3, 7, 12} {
			fmt.Fprintf(&want, "the session %s is there already, and differs; it stays as it is\n", sessionAt(n).Digest)
		}
		i, said, err := g.imports(exportOf(t, 0, 20, 0), func([]arrival) error { return nil })
		require.NoError(t, err)
		require.Equal(t, want.String(), said)
		require.Equal(t, result{Records: 20, Added: 16, Present: 1, Differing: 3}, i.result)
	})
}

// Many are written at once over as many connections, and not over one for each.
func TestImportKeepsItsConnections(t *testing.T) {
	dsn := servertest.MariaDB(t)
	c := newCLI(t, "mysql:"+dsn)
	db, err := sql.Open("mysql", dsn)
	require.NoError(t, err)
	defer db.Close()
	connections := func() (n int) {
		require.NoError(t, db.QueryRow("SHOW GLOBAL STATUS LIKE 'Connections'").Scan(new(string), &n))
		return n
	}
	before := connections()
	require.Contains(t, c.run(exportOf(t, 0, 300, 0), "import").err, "300 added")
	require.Less(t, connections()-before, 100)
}
