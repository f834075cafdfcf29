package measure

import (
	"runtime"
	"sync"
	"syscall"
	"time"
)

// roundTime is about how long the work of one round takes.
const roundTime = 50 * time.Millisecond

// Timed returns rounds that time work: each worker is a function that does n
// operations, and they run at once. The value of a sample is the nanoseconds in
// which one more operation is done, by whomever.
func Timed(workers ...func(n int) error) func() (Sample, error) {
	n := 0
	return func() (Sample, error) {
		if n == 0 {
			var err error
			if n, err = calibrate(workers); err != nil {
				return Sample{}, err
			}
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		processor := processorTime()
		took, err := run(workers, n)
		processor = processorTime() - processor
		runtime.ReadMemStats(&after)
		if err != nil {
			return Sample{}, err
		}
		operations := float64(n * len(workers))
		return Sample{
			Value:     float64(took.Nanoseconds()) / operations,
			Processor: float64(processor.Nanoseconds()) / operations,
			Allocs:    float64(after.Mallocs-before.Mallocs) / operations,
			Bytes:     float64(after.TotalAlloc-before.TotalAlloc) / operations,
		}, nil
	}
}

// processorTime is how long this process has been on a processor.
func processorTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // it does not fail for oneself
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// calibrate returns how many operations of each worker fill a round.
func calibrate(workers []func(n int) error) (int, error) {
	for n := 1; ; {
		took, err := run(workers, n)
		if err != nil {
			return 0, err
		}
		if took >= roundTime/4 {
			return max(1, int(float64(n)*float64(roundTime)/float64(took))), nil
		}
		n = max(2*n, int(float64(n)*float64(roundTime/2)/float64(took+1)))
	}
}

func run(workers []func(n int) error, n int) (time.Duration, error) {
	if len(workers) == 1 {
		start := time.Now()
		err := workers[0](n)
		return time.Since(start), err
	}
	var (
		wg   sync.WaitGroup
		errs = make([]error, len(workers))
	)
	start := time.Now()
	for i, work := range workers {
		wg.Go(func() { errs[i] = work(n) })
	}
	wg.Wait()
	took := time.Since(start)
	for _, err := range errs {
		if err != nil {
			return took, err
		}
	}
	return took, nil
}
