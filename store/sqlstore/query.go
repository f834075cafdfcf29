package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// A query is a statement in a dialect's words, prepared when it is first given.
type query struct {
	text   string
	places []int // which parameter stands where; nil: in order, each once
	writes bool
	stmt   atomic.Pointer[sql.Stmt]
}

var parameter = regexp.MustCompile(`\$\d+`)

// query translates a statement whose parameters are $1, $2 and so on, as often
// and in what order they are needed.
func (g *grammar) query(text string) *query {
	q := &query{text: text, writes: !strings.HasPrefix(text, "SELECT")}
	if !g.positional {
		return q
	}
	inOrder := true
	q.text = parameter.ReplaceAllStringFunc(text, func(p string) string {
		n, _ := strconv.Atoi(p[1:])
		q.places = append(q.places, n-1)
		inOrder = inOrder && n == len(q.places)
		return "?"
	})
	if inOrder {
		q.places = nil
	}
	return q
}

// arrange returns the arguments at the places of their parameters.
func (q *query) arrange(args []any) []any {
	if q.places == nil {
		return args
	}
	arranged := make([]any, len(q.places))
	for i, n := range q.places {
		arranged[i] = args[n]
	}
	return arranged
}

// prepared returns q as a prepared statement.
func (s *Store) prepared(ctx context.Context, q *query) (*sql.Stmt, error) {
	if stmt := q.stmt.Load(); stmt != nil {
		return stmt, nil
	}
	stmt, err := s.db.PrepareContext(ctx, q.text)
	if err != nil {
		return nil, err
	}
	if !q.stmt.CompareAndSwap(nil, stmt) {
		_ = stmt.Close() // somebody else was faster
		return q.stmt.Load(), nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.statements = append(s.statements, stmt)
	return stmt, nil
}

// exec gives a statement that returns no rows.
func (s *Store) exec(ctx context.Context, q *query, args ...any) (result sql.Result, err error) {
	args = q.arrange(args)
	err = s.give(ctx, q, func() (fresh bool, err error) {
		if s.unprepared {
			result, err = s.db.ExecContext(ctx, q.text, args...)
			return true, err
		}
		stmt, err := s.prepared(ctx, q)
		if err == nil {
			result, err = stmt.ExecContext(ctx, args...)
		}
		return true, err
	})
	return result, err
}

// each gives a statement and calls f with each row of the answer, which it reads
// to its end, or until f returns errEnough: at the end only has a statement that
// writes been carried out.
func (s *Store) each(ctx context.Context, q *query, args []any, f func(*sql.Rows) error) error {
	args = q.arrange(args)
	return s.give(ctx, q, func() (fresh bool, err error) {
		rows, err := s.rows(ctx, q, args)
		if err != nil {
			return true, err
		}
		defer rows.Close()
		for fresh = true; rows.Next(); fresh = false {
			switch err := f(rows); {
			case err == errEnough:
				return false, nil
			case err != nil:
				return false, err
			}
		}
		return fresh, rows.Err()
	})
}

var errEnough = errors.New("enough")

func (s *Store) rows(ctx context.Context, q *query, args []any) (*sql.Rows, error) {
	if s.unprepared {
		return s.db.QueryContext(ctx, q.text, args...)
	}
	stmt, err := s.prepared(ctx, q)
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(ctx, args...)
}

// A statement that the engine undoes is given at most this often, after a pause
// that is random and becomes longer. So is a Take of two statements between which
// the record has changed.
const (
	tries    = 8
	maxPause = 5 * time.Millisecond // times how often it was given
)

// give has f give the statement q, and again where the engine has undone it and
// f says that nobody has seen anything of it.
func (s *Store) give(ctx context.Context, q *query, f func() (fresh bool, err error)) error {
	if err := s.wait(ctx, q); err != nil {
		return err
	}
	defer s.next(q)
	for try := 1; ; try++ {
		fresh, err := f()
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err() // drivers have words of their own for it
		case !fresh || try == tries || !s.grammar.undone(err):
			return fmt.Errorf("sqlstore: %w", err)
		}
		if err := pause(ctx, rand.N(time.Duration(try)*maxPause)); err != nil {
			return err
		}
	}
}

// pause waits for a while, or until ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

var errClosed = errors.New("sqlstore: the store is closed")

// wait waits for the turn of q where one statement at a time may write. SQLite
// itself lets writers try until they are lucky: of sixteen that write all the
// time, some wait for seconds.
func (s *Store) wait(ctx context.Context, q *query) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.ended.Err() != nil {
		return errClosed
	}
	if s.turn == nil || !q.writes {
		return nil
	}
	select {
	case s.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Store) next(q *query) {
	if s.turn != nil && q.writes {
		<-s.turn
	}
}
