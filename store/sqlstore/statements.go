package sqlstore

import (
	"fmt"
	"strings"
)

// The statements of a Store. Where one judges whether a record is present, its
// first parameter is the time; a look-up leaves that to its caller, to whom it is
// cheaper.
type statements struct {
	lookup, exists, insert, replace, take *query

	lookupAll, touch [len(sizes)]*query // by the size of their list

	owned, moreOwned *query // records of an owner and kind; the digests after one
	page, pageOfKind *query
	sweep            *query

	userByID, userByLogin, likeUser, pageOfUsers *query
	insertUser, replaceUser                      *query
}

const (
	present = "(keep_until IS NULL OR keep_until > $1)"
	records = "SELECT digest, record, seen FROM auth_records WHERE " + present
)

func (g *grammar) statements(notify bool) *statements {
	insert := `INSERT INTO auth_records (digest, kind, owner, revision, keep_until, seen, record)
		VALUES ($2, $3, $4, $5, $6, $7, $8) ` + g.unlessPresent
	replace := `UPDATE auth_records SET kind = $3, owner = $4, revision = $5, keep_until = $6,
		seen = ` + g.greatest + `(seen, $7), record = $8
		WHERE ` + present + ` AND digest = $2 AND revision = $9`
	take := "DELETE FROM auth_records WHERE " + present + " AND digest = $2 RETURNING "
	switch {
	case notify:
		insert += " RETURNING pg_notify('" + Channel + "', $9)"
		replace += " RETURNING pg_notify('" + Channel + "', $10)"
		take += "pg_notify('" + Channel + "', $3), record, seen"
	case g.returning:
		take += "digest, record, seen"
	default:
		take = "DELETE FROM auth_records WHERE digest = $1 AND revision = $2"
	}
	s := &statements{
		lookup:  g.query("SELECT record, seen FROM auth_records WHERE digest = $1"),
		exists:  g.query("SELECT 1 FROM auth_records WHERE " + present + " AND digest = $2"),
		insert:  g.query(insert),
		replace: g.query(replace),
		take:    g.query(take),

		owned: g.query(records + " AND owner = $2 AND kind = $3 ORDER BY digest LIMIT $4"),
		moreOwned: g.query("SELECT digest FROM auth_records WHERE " + present +
			" AND owner = $2 AND kind = $3 AND digest > $4 ORDER BY digest"),
		page:       g.query(records + " AND digest > $2 ORDER BY digest LIMIT $3"),
		pageOfKind: g.query(records + " AND digest > $2 AND kind = $4 ORDER BY digest LIMIT $3"),
		sweep:      g.query("DELETE FROM auth_records " + g.expired),

		userByID:    g.query("SELECT account FROM auth_users WHERE id = $1"),
		userByLogin: g.query("SELECT account FROM auth_users WHERE login = $1"),
		likeUser:    g.query("SELECT id, revision FROM auth_users WHERE id = $1 OR login = $2"),
		pageOfUsers: g.query("SELECT id, account FROM auth_users WHERE id > $1 ORDER BY id LIMIT $2"),
		insertUser:  g.query("INSERT INTO auth_users (id, login, revision, account) VALUES ($1, $2, $3, $4) " + g.unlessTaken),
		replaceUser: g.query("UPDATE auth_users SET login = $2, revision = $3, account = $4 WHERE id = $1 AND revision = $5"),
	}
	for i, size := range sizes {
		s.lookupAll[i] = g.query(records + " AND kind = $2 AND digest IN (" + list(size, "$%d", 3, 1) + ")")
		these := present + " AND digest IN (" + list(size, "$%d", 2, 2) + ")"
		s.touch[i] = g.query("UPDATE auth_records SET seen = " + g.greatest + "(seen, CASE digest " +
			strings.ReplaceAll(list(size, "WHEN $%d THEN $%d", 2, 2), ",", "") +
			" ELSE seen END) WHERE " + fmt.Sprintf(g.ordered, these))
	}
	return s
}

// sizes are the lengths of lists in statements: a few, so that each is prepared
// once. Shorter lists are filled up with their last element.
var sizes = [...]int{1, 4, 16, 64, most}

const most = 256

// sizeOf returns the index of the least of the sizes that is not below n.
func sizeOf(n int) int {
	i := 0
	for i < len(sizes)-1 && sizes[i] < n {
		i++
	}
	return i
}

// list returns size elements, whose parameters begin at first, each step after
// the one before.
func list(size int, element string, first, step int) string {
	elements := make([]string, size)
	for i := range elements {
		n := first + i*step
		numbers := []any{n, n + 1}
		elements[i] = fmt.Sprintf(element, numbers[:strings.Count(element, "%d")]...)
	}
	return strings.Join(elements, ", ")
}
