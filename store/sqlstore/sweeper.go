package sqlstore

import (
	"context"
	"log/slog"
	"time"
)

// sweepAll sweeps every so often, in bites, until ctx ends. It leaves what
// other clocks may still call present.
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
			n, err := s.sweep(ctx, sweepAfter, sweepBite)
			if err != nil && ctx.Err() == nil {
				log.ErrorContext(ctx, "auth: expired records were not swept", slog.Any("error", err))
			}
			if n < sweepBite || err != nil {
				break
			}
		}
	}
}
