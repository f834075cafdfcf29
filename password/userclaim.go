package password

import (
	"context"
	"encoding/binary"
	"errors"
	"time"

	"github.com/seed-077cad0b/auth"
)

// A login belongs to the user whose record says so. That no other record says
// so, too, is what claims are for: the claim is the one record under the login's
// digest, and whoever wants the login
//
//  1. reads their user's record, at some revision;
//  2. claims the login, for that user and from that revision;
//  3. replaces the user's record, from that revision.
//
// Whoever finds a claim in their way looks at the record that it names. Has the
// user the login, it is taken. Is the record at another revision, or gone, step 3
// cannot come about any more: the claim is void, for ever, and is replaced. Is
// the record still where the claim says, its maker is under way, or has been
// killed: whoever has waited long enough moves the record on by one revision,
// changing nothing else, which voids the claim. A maker that was only slow
// begins anew.
//
// So no user has a login without the claim to it, and no clock is asked. What is
// left where a process is killed costs the next who wants the login one wait.
type claim struct {
	id   string
	from uint64 // the revision of the user's record
}

const (
	claimPatience = time.Second // how long who is under way is left alone
	claimPause    = 20 * time.Millisecond
)

func loginDigest(login string) auth.Digest { return auth.DigestOf(KindLogin, login) }

// record returns the record that keeps a claim.
func (c claim) record(revision uint64) auth.Record {
	return auth.Record{
		Kind:     KindLogin,
		Revision: revision,
		Created:  now(),
		Data:     append(binary.BigEndian.AppendUint64(nil, c.from), c.id...),
	}
}

func claimOf(r auth.Record) (claim, error) {
	if len(r.Data) < 8 {
		return claim{}, errors.New("password: malformed record of a login")
	}
	return claim{string(r.Data[8:]), binary.BigEndian.Uint64(r.Data)}, nil
}

// claimState is what has become of a claim.
type claimState int

const (
	claimOpen  claimState = iota // may come about
	claimTaken                   // has: the user has the login
	claimVoid                    // cannot any more
)

// judge tells what has become of a claim to login. With one that is open it
// returns the user's record.
func (s *UserRecords) judge(ctx context.Context, login string, c claim) (claimState, auth.Record, error) {
	r, err := s.store.Lookup(ctx, userDigest(c.id))
	if errors.Is(err, auth.ErrNotFound) {
		return claimVoid, r, nil
	}
	if err != nil {
		return claimOpen, r, err
	}
	switch u, err := userOf(r); {
	case err != nil && !errors.Is(err, auth.ErrNotFound):
		return claimOpen, r, err
	case err == nil && u.Login == login:
		return claimTaken, r, nil
	case r.Revision != c.from:
		return claimVoid, r, nil
	default:
		return claimOpen, r, nil
	}
}

// claim claims a login. It returns ErrExists where another user has it, and
// ErrConflict where the user's record has changed since it was read.
func (s *UserRecords) claim(ctx context.Context, login string, c claim) error {
	var watched uint64 // the revision of the claim that is in our way
	var since time.Time
	for {
		err := s.store.Insert(ctx, loginDigest(login), c.record(auth.NewRevision()))
		if !errors.Is(err, auth.ErrExists) {
			return err
		}
		old, err := s.store.Lookup(ctx, loginDigest(login))
		if errors.Is(err, auth.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		other, err := claimOf(old)
		if err != nil || other == c {
			return err
		}
		state, user, err := s.judge(ctx, login, other)
		switch {
		case err != nil:
			return err
		case state == claimVoid:
			err = s.store.Replace(ctx, loginDigest(login), c.record(old.Revision+1))
			if err == nil {
				return nil
			}
		case other.id == c.id:
			return auth.ErrConflict
		case state == claimTaken:
			return auth.ErrExists
		case old.Revision != watched:
			watched, since = old.Revision, time.Now()
			fallthrough
		case time.Since(since) < claimPatience:
			err = pause(ctx)
		default:
			user.Revision++
			err = s.store.Replace(ctx, userDigest(other.id), user)
		}
		if err != nil && !overtaken(err) {
			return err
		}
	}
}

// release removes the claim to a login if it is void. Where that fails it stays
// void, which keeps nobody from the login.
func (s *UserRecords) release(ctx context.Context, login string) {
	r, err := s.store.Lookup(ctx, loginDigest(login))
	if err != nil {
		return
	}
	c, err := claimOf(r)
	if err != nil {
		return
	}
	if state, _, err := s.judge(ctx, login, c); err != nil || state != claimVoid {
		return
	}
	// Unlike Take, this removes no claim that somebody has made meanwhile.
	r.Revision++
	r.KeepUntil = now()
	_ = s.store.Replace(ctx, loginDigest(login), r)
}

func pause(ctx context.Context) error {
	t := time.NewTimer(claimPause)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
