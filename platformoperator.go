package auth

import (
	"context"
	"errors"
	"slices"
)

// Suspended reports whether [Platforms.Suspend] has switched the platform off.
// It does not look at the registry, in which it may be suspended as well.
func (p *Platforms) Suspended(ctx context.Context, id string) (bool, error) {
	if !isName(id) {
		return false, errPlatformID
	}
	err := p.checkSuspension(ctx, id)
	if errors.Is(err, errSuspended) {
		return true, nil
	}
	return false, err
}

// All returns the keys that are in the set now, in the order in which they came
// into it: what an operator lists, and makes the next set of.
func (s *Keys) All() []*Key { return slices.Clone(s.current.Load().all) }
