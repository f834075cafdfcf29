package sqlstore

import (
	"context"
	"log/slog"
	"time"
)

// sweepAll sweeps every so often, in bites, until ctx ends.
func (s *Store) sweepAll(ctx context.Context, every time.Duration, log *slog.Logger) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for {
			n, err := s.Sweep(ctx, sweepBite)
			if err != nil && ctx.Err() == nil {
				log.ErrorContext(ctx, "auth: expired records were not swept", slog.Any("error", err))
			}
			if n < sweepBite || err != nil {
				break
			}
		}
	}
}
