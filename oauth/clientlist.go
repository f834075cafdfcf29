package oauth

import (
	"context"
	"errors"
	"fmt"

	"github.com/seed-077cad0b/auth"
)

// A ClientList is a [ClientRegistry] that is written down. It is immutable.
type ClientList struct {
	byID map[string]*Client
}

// NewClientList returns a registry of the clients, which may be none. The error
// joins what [Client.Validate] refuses, and ids that are there twice.
func NewClientList(clients ...*Client) (*ClientList, error) {
	l := &ClientList{make(map[string]*Client, len(clients))}
	var errs []error
	for _, c := range clients {
		if err := c.Validate(); err != nil {
			errs = append(errs, err)
			continue
		}
		if l.byID[c.ID] != nil {
			errs = append(errs, fmt.Errorf("oauth: two clients have the id %q", c.ID))
		}
		own := *c
		l.byID[c.ID] = &own
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return l, nil
}

// Client implements [ClientRegistry].
func (l *ClientList) Client(_ context.Context, id string) (*Client, error) {
	if c := l.byID[id]; c != nil {
		return c, nil
	}
	return nil, auth.ErrNotFound
}
