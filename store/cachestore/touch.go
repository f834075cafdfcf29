package cachestore

import (
	"context"
	"time"

	"github.com/seed-077cad0b/auth"
)

// A touching is what a Store unwraps to where the store behind it is a Toucher.
// It is one, too, and tells the cache: a record whose Seen stays behind would be
// touched again at each request.
type touching struct {
	auth.Store
	toucher auth.Toucher
	cache   *Store
}

// Unwrap returns the store behind the cache.
func (t touching) Unwrap() auth.Store { return t.Store }

// Touch moves the Seen of many records forward.
func (t touching) Touch(ctx context.Context, seen map[auth.Digest]time.Time) error {
	if err := t.toucher.Touch(ctx, seen); err != nil {
		return err
	}
	for d, at := range seen {
		t.cache.records.touch(d, time.UnixMicro(at.UnixMicro()).UTC())
	}
	return nil
}
