package measure

import (
	"runtime"
	"time"
)

// maxCollected is how long a round waits for the collector.
const maxCollected = 3 * time.Second

// Collected has each round go on until the collector has run once, where the work
// leaves anything for it. What is left beside a large heap is collected every few
// seconds, which then takes about as long as the work itself: most rounds would
// see nothing of that, and some nothing else. As others have long rounds, too, the
// first 50 ms are not counted, in which the processor's caches are still theirs.
func Collected(round func() (Sample, error)) func() (Sample, error) {
	return func() (Sample, error) {
		if s, err := round(); err != nil {
			return s, err
		}
		var (
			sum    Sample
			start  = time.Now()
			before = collections()
		)
		for n := 1.0; ; n++ {
			s, err := round()
			if err != nil {
				return Sample{}, err
			}
			sum.Value += s.Value
			sum.Processor += s.Processor
			sum.Allocs += s.Allocs
			sum.Bytes += s.Bytes
			if s.Bytes < 1 || collections() > before || time.Since(start) > maxCollected {
				runtime.GC() // and sweep, which would otherwise go on while others are measured
				return Sample{Value: sum.Value / n, Processor: sum.Processor / n, Allocs: sum.Allocs / n, Bytes: sum.Bytes / n}, nil
			}
		}
	}
}

// collections is how often the collector has run.
func collections() uint32 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.NumGC
}
