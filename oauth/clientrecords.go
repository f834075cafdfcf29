package oauth

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/seed-077cad0b/auth"
)

// ClientRecords is a [ClientRegistry] that any auth.Store can keep, with methods
// for operators: what they change counts at once, in all processes that share the
// store. It is safe for concurrent use.
//
// Clients are registered by operators. Registration by whoever asks (RFC 7591) is
// not offered.
type ClientRecords struct {
	store  auth.Store
	lister auth.Lister
}

const maxClientData = 64 << 10 // what every store takes

// The owner of all entries: no client has the empty id.
var clientEntries = clientEntry("")

func clientEntry(id string) auth.Digest { return auth.DigestOf(auth.KindClient, id) }

// NewClientRecords returns the registry in a store, which must be an auth.Lister.
func NewClientRecords(store auth.Store) (*ClientRecords, error) {
	if store == nil {
		return nil, errors.New("oauth: NewClientRecords: no store")
	}
	lister, ok := auth.StoreAbility[auth.Lister](store)
	if !ok {
		return nil, fmt.Errorf("oauth: NewClientRecords: %T is no Lister", store)
	}
	return &ClientRecords{store, lister}, nil
}

// Client implements [ClientRegistry] in one look-up. The result is the caller's
// own. An entry that cannot be read, such as one that a later version of this
// package has written, is an outage.
func (r *ClientRecords) Client(ctx context.Context, id string) (*Client, error) {
	record, err := r.lookup(ctx, id)
	if err != nil {
		return nil, err
	}
	return parseClient(record)
}

// Insert adds an entry, with Created as of now where it is zero. The error is auth.ErrExists where the id is taken, what
// [Client.MarshalBinary] refuses, or that the entry takes more than 64 KiB.
func (r *ClientRecords) Insert(ctx context.Context, c *Client) error {
	if err := c.Validate(); err != nil {
		return err
	}
	added := *c
	if added.Created.IsZero() {
		added.Created = now()
	}
	data, err := clientData(&added)
	if err != nil {
		return err
	}
	return r.store.Insert(ctx, clientEntry(c.ID), auth.Record{
		Kind:     auth.KindClient,
		Owner:    clientEntries,
		Revision: auth.NewRevision(),
		Created:  now(),
		Data:     data,
	})
}

// updateRounds bounds how often others may be faster.
const updateRounds = 100

// Update has change edit a copy of an entry, and stores that: anew, with another
// copy, as long as others are faster. What change refuses, or makes of the entry
// that [ClientRecords.Insert] would refuse, changes nothing. It returns
// auth.ErrNotFound where there is no such entry. The id does not change.
//
// What the client has been issued goes on; [ClientRecords.Disable] ends it.
func (r *ClientRecords) Update(ctx context.Context, id string, change func(*Client) error) error {
	ctx = auth.Uncached(ctx) // behind a cache, too
	var err error
	for range updateRounds {
		var record auth.Record
		if record, err = r.lookup(ctx, id); err != nil {
			return err
		}
		var c *Client
		if c, err = parseClient(record); err != nil {
			return err
		}
		if err = change(c); err != nil {
			return err
		}
		if c.ID != id {
			return fmt.Errorf("oauth: client %q: its id cannot become %.64q", id, c.ID)
		}
		if record.Data, err = clientData(c); err != nil {
			return err
		}
		record.Revision++
		if err = r.store.Replace(ctx, clientEntry(id), record); !errors.Is(err, auth.ErrConflict) {
			return err
		}
	}
	return err
}

// RotateSecret gives a client another secret, to be shown once. Those that it has
// end after the overlap, if not before; without one, at once. The error tells of
// a client that proves itself by keys, of one that is public, and of one that would
// have more than 4 secrets.
func (r *ClientRecords) RotateSecret(ctx context.Context, id string, overlap time.Duration) (auth.Secret, error) {
	if overlap < 0 || overlap > maxLifetime {
		return auth.Secret{}, fmt.Errorf("oauth: overlap %v is not within 400 days", overlap)
	}
	text, next := NewClientSecret()
	err := r.Update(ctx, id, func(c *Client) error {
		switch {
		case c.Keys != nil:
			return fmt.Errorf("oauth: client %q proves itself by a key: there is no secret to rotate", id)
		case c.Public:
			return fmt.Errorf("oauth: client %q is public: there is no secret to rotate", id)
		}
		c.endSecrets(next.Created, next.Created.Add(overlap))
		c.Secrets = append(c.Secrets, next)
		return nil
	})
	if err != nil {
		return auth.Secret{}, err
	}
	return text, nil
}

// endSecrets has no secret live on beyond end, and forgets those that have ended.
func (c *Client) endSecrets(now, end time.Time) {
	var live []ClientSecret
	for _, s := range c.Secrets {
		if s.Expires.IsZero() || s.Expires.After(end) {
			s.Expires = end
		}
		if s.isLive(now) {
			live = append(live, s)
		}
	}
	c.Secrets = live
}

// Disable refuses all that a client asks for, and ends all that it has been issued
// by servers whose Store is that of the registry; see [auth.RevokeClient]. It
// returns auth.ErrNotFound where there is no such entry.
func (r *ClientRecords) Disable(ctx context.Context, id string) error {
	err := r.Update(ctx, id, func(c *Client) error {
		c.Disabled = true
		return nil
	})
	if err != nil {
		return err
	}
	// Afterwards: what is issued between the two ends as well.
	return auth.RevokeClient(ctx, r.store, id)
}

// Enable takes back what [ClientRecords.Disable] has refused. What it has ended
// stays so, and people sign in again before the client gets anything of theirs.
func (r *ClientRecords) Enable(ctx context.Context, id string) error {
	return r.Update(ctx, id, func(c *Client) error {
		if c.Disabled {
			c.Disabled, c.Revoked = false, now() // not before what Disable has ended
		}
		return nil
	})
}

// Remove removes an entry: the client is not known from now on. It returns
// auth.ErrNotFound where there is none. Access tokens that resource servers verify
// by themselves go on until they expire: [ClientRecords.Disable] comes first if they
// are to end. Who gets the id next has nothing of what the client held, see
// Client.Created.
func (r *ClientRecords) Remove(ctx context.Context, id string) error {
	if !isClientID(id) {
		return auth.ErrNotFound
	}
	_, err := r.store.Take(ctx, clientEntry(id))
	return err
}

// Clients lists the entries, in no particular order. Each is the caller's own. The
// sequence ends after the first error.
func (r *ClientRecords) Clients(ctx context.Context) iter.Seq2[*Client, error] {
	return func(yield func(*Client, error) bool) {
		for e, err := range r.lister.List(ctx, clientEntries, auth.KindClient) {
			var c *Client
			if err == nil {
				c, err = parseClient(e.Record)
			}
			if !yield(c, err) || err != nil {
				return
			}
		}
	}
}

// lookup returns the record of an entry, or auth.ErrNotFound.
func (r *ClientRecords) lookup(ctx context.Context, id string) (auth.Record, error) {
	if !isClientID(id) {
		return auth.Record{}, auth.ErrNotFound
	}
	return r.store.Lookup(ctx, clientEntry(id))
}

// parseClient returns the entry that a record keeps, as a value of its own.
func parseClient(r auth.Record) (*Client, error) {
	c := new(Client)
	if err := c.UnmarshalBinary(r.Data); err != nil {
		return nil, err
	}
	return c, nil
}

func clientData(c *Client) ([]byte, error) {
	data, err := c.MarshalBinary()
	if err == nil && len(data) > maxClientData {
		err = fmt.Errorf("oauth: client %q takes %d bytes, more than %d", c.ID, len(data), maxClientData)
	}
	return data, err
}
