//go:build linux

package faults

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
)

const (
	rotators = 4  // processes
	handles  = 25 // stores in each, with connections of their own
)

// A rotator is what a process knows of credentials that are rotated.
type rotator struct {
	sessions *auth.Sessions
	refresh  *auth.Refresh
	keys     *auth.APIKeys
}

func newRotator(s auth.Store) rotator {
	sessions := must(auth.NewSessions(s, nil))
	// A machine that is busy with a hundred of them is late with the last ones.
	refresh := must(auth.NewRefresh(s, sessions, &auth.RefreshOptions{Grace: time.Minute}))
	return rotator{sessions, refresh, must(auth.NewAPIKeys(s, "acme", &auth.APIKeysOptions{Overlap: time.Hour}))}
}

func (r rotator) redeem(ctx context.Context, token string) (*auth.Grant, error) {
	p, err := r.refresh.Verify(ctx, token)
	if err != nil {
		return nil, err
	}
	return r.refresh.Issue(ctx, p, nil)
}

// insist does what may be answered that there is an outage, as a client does it:
// again.
func insist(report func(...any), do func() (*auth.Grant, error)) *auth.Grant {
	for {
		g, err := do()
		var reason auth.Reason
		switch {
		case err == nil:
			return g
		case errors.As(err, &reason):
			report("refused", err)
			return nil
		}
		report("outage", err)
	}
}

// rotateJob opens its stores and, for each order, has all of them redeem one
// refresh token and rotate one key.
func rotateJob(j job, orders *bufio.Scanner, report func(...any)) error {
	ctx := context.Background()
	var all []rotator
	for range j.Handles {
		s, err := engines[j.Engine].open(ctx, j.URL, 2)
		if err != nil {
			return err
		}
		all = append(all, newRotator(s))
	}
	report("ready")
	for orders.Scan() {
		token, key, _ := strings.Cut(orders.Text(), " ")
		var done sync.WaitGroup
		for _, r := range all {
			done.Go(func() {
				if g := insist(report, func() (*auth.Grant, error) { return r.redeem(ctx, token) }); g != nil {
					report("redeemed", g.RefreshToken.Reveal(), g.Principal.Credential.ID)
				}
				if g := insist(report, func() (*auth.Grant, error) { return r.keys.Rotate(ctx, key) }); g != nil {
					report("rotated", g.Principal.Credential.ID)
				}
			})
		}
		done.Wait()
		report("done")
	}
	return nil
}

// redeemJob redeems a refresh token, what it gets for that, and so on.
func redeemJob(j job, orders *bufio.Scanner, report func(...any)) error {
	ctx := context.Background()
	s, err := engines[j.Engine].open(ctx, j.URL, 2)
	if err != nil {
		return err
	}
	r := newRotator(s)
	orders.Scan()
	for token := orders.Text(); ; {
		g, err := r.redeem(ctx, token)
		if err != nil {
			return err
		}
		token = g.RefreshToken.Reveal()
		report(token)
	}
}

// A process is killed somewhere between the steps of a rotation. The client has
// the token that it was given last, and with that it goes on: nothing is burnt,
// and nobody is taken for a thief.
func rotatorKilled(t *testing.T, s *site) {
	own := newRotator(s.open(t))
	t.Cleanup(func() { require.NoError(t, errors.Join(own.sessions.Close(), own.keys.Close())) })
	who := (&auth.Principal{Subject: rand.Text()}).ProvedAt(time.Now())
	token := must(own.refresh.Issue(t.Context(), who, nil)).RefreshToken.Reveal()
	redeemed := 0
	for range rounds(t, 4) {
		p := s.process(t, job{Name: "redeem"})
		_, err := io.WriteString(p.orders, token+"\n")
		require.NoError(t, err)
		p.kill(t, func(line string) bool {
			token = line
			redeemed++
			return true
		})
		g, err := own.redeem(t.Context(), token)
		require.NoError(t, err)
		token = g.RefreshToken.Reveal()
	}
	t.Logf("%d tokens redeemed", redeemed)
}

// A hundred at once, in several processes, redeem one refresh token and rotate
// one API key. All redemptions get the same successor, nobody's family ends, and
// nothing is left of those that lost the race.
func hundredRotate(t *testing.T, s *site) {
	store := s.open(t)
	own := newRotator(store)
	t.Cleanup(func() { require.NoError(t, errors.Join(own.sessions.Close(), own.keys.Close())) })
	processes := make([]*process, rotators)
	for i := range processes {
		processes[i] = s.process(t, job{Name: "rotate", Handles: handles})
	}
	for _, p := range processes {
		require.Equal(t, []string{"ready"}, p.until(t, "ready"))
	}
	for range rounds(t, 1) {
		own.round(t, store, processes)
	}
	for _, p := range processes {
		require.NoError(t, p.orders.Close())
		require.NoError(t, p.Wait())
	}
}

// until returns the reports up to one.
func (p *process) until(t *testing.T, end string) (lines []string) {
	t.Helper()
	for p.lines.Scan() {
		lines = append(lines, p.lines.Text())
		if p.lines.Text() == end {
			return lines
		}
	}
	require.FailNow(t, "a process has ended")
	return nil
}

func (r rotator) round(t *testing.T, store backend, processes []*process) {
	t.Helper()
	ctx := t.Context()
	who := (&auth.Principal{Subject: rand.Text()}).ProvedAt(time.Now())
	pair := must(r.refresh.Issue(ctx, who, nil))
	key := must(r.keys.Create(ctx, who, nil)).Principal.Credential
	for _, p := range processes {
		_, err := io.WriteString(p.orders, pair.RefreshToken.Reveal()+" "+key.ID+"\n")
		require.NoError(t, err)
	}
	successors, sessions, keys := map[string]bool{}, map[string]bool{}, map[string]bool{}
	outages := 0
	for _, p := range processes {
		for _, line := range p.until(t, "done") {
			switch words := strings.Fields(line); words[0] {
			case "redeemed":
				successors[words[1]], sessions[words[2]] = true, true
			case "rotated":
				keys[words[1]] = true
			case "outage":
				outages++
				t.Log(line)
			case "refused":
				t.Error(line)
			}
		}
	}
	require.Len(t, successors, 1, "one successor, whoever is asked")
	require.Len(t, sessions, rotators*handles, "an access token each")
	require.Len(t, keys, rotators*handles, "a rotation makes a key")

	// Nothing is left of those who lost: the spent token and its successor, the
	// sessions and keys that somebody holds, and those of the beginning. Where an
	// outage has kept one from being taken away, nobody has its text.
	owned := func(k auth.Kind, want int) map[string]auth.Record {
		found := map[string]auth.Record{}
		for e, err := range store.List(ctx, who.Owner(), k) {
			require.NoError(t, err)
			found[e.Digest.String()] = e.Record
		}
		require.GreaterOrEqual(t, len(found), want, k)
		require.LessOrEqual(t, len(found), want+outages, k)
		return found
	}
	owned(auth.KindRefresh, 2)
	owned(auth.KindSession, rotators*handles+1)
	for id, k := range owned(auth.KindAPIKey, rotators*handles+1) {
		require.Equal(t, key.Family, k.Principal.Credential.Family)
		require.Equal(t, id == key.ID, !k.Expires.IsZero(), "the old key ends, and no other")
	}
	for successor := range successors {
		g, err := r.redeem(ctx, successor)
		require.NoError(t, err, "the family goes on")
		require.NotContains(t, successors, g.RefreshToken.Reveal())
	}
}
