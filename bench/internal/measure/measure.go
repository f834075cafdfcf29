// Package measure has several libraries do the same work, each in a process of
// its own, in turns, and says how they compare.
//
// What a machine does beside them differs from minute to minute, so nothing is
// compared across time: in every round each contender is measured once, one after
// the other, and what counts is the median of the ratios within the rounds.
package measure

import (
	"runtime/debug"
	"slices"
)

// A Case is some work, and who does it. It is a description: nothing is made
// before somebody enters.
type Case struct {
	Table string // the table it is a row of, such as "JWT"
	Name  string // the row; with Table unique
	Unit  string // of the values: "ns/op" if empty
	Cores int    // GOMAXPROCS of each contender; 1 if zero

	// Processor has the values be the time that a contender is on a processor, where
	// they would be the clock's: what else the machine does then counts for little.
	// It is for work on one core that never waits, of which the two are the same on
	// a machine that does nothing else.
	Processor bool

	// Larger says that more is better, as of requests in a second.
	Larger bool

	// Full keeps the case for the long run.
	Full bool

	// Rounds, if positive, is how many there are, whatever is asked for: small
	// differences want more, and rounds of seconds fewer.
	Rounds int

	// Axis makes the case a curve: it is what the X of its contenders counts, such
	// as "entries". All are ours, and the first has the smallest X.
	Axis string

	// Contenders do the work. The first is the one that the others are compared
	// with.
	Contenders []Contender
}

// A Contender is who does the work.
type Contender struct {
	Name   string
	Module string // whose version the table tells; empty for none

	// Wanted, if positive, is how many times as good as this contender the first
	// is meant to be, at least. Below 1 it bounds how much worse: 1/1.05.
	Wanted float64

	X float64 // where on the axis of a curve

	Enter func() (*Entry, error)
}

// An Entry is a contender at the start: everything is made and filled.
type Entry struct {
	Round func() (Sample, error) // one measurement
	Close func() error           // nil for nothing to close
	Notes []string               // what the table has to tell, such as what it does not refuse
}

// A Sample is what one round has measured.
type Sample struct {
	Value  float64 // in the unit of the case
	Allocs float64 // in each operation
	Bytes  float64 // allocated in each operation

	Processor float64 `json:",omitempty"` // nanoseconds on a processor in each operation
}

// An Outcome is how a contender did.
type Outcome struct {
	Name    string
	Version string   `json:",omitempty"`
	Wanted  float64  `json:",omitempty"`
	X       float64  `json:",omitempty"`
	Notes   []string `json:",omitempty"`
	Samples []Sample // a round each
	Failure string   `json:",omitempty"` // why there are none
}

// A Result is how a case went. It is what is kept.
type Result struct {
	Table, Name, Unit string
	Cores             int
	Larger            bool   `json:",omitempty"`
	Axis              string `json:",omitempty"`
	Outcomes          []Outcome
}

// Median returns the median of the samples, each number by itself.
func (o *Outcome) Median() Sample {
	return Sample{
		Value:  medianOf(o.Samples, func(s Sample) float64 { return s.Value }),
		Allocs: medianOf(o.Samples, func(s Sample) float64 { return s.Allocs }),
		Bytes:  medianOf(o.Samples, func(s Sample) float64 { return s.Bytes }),
	}
}

func medianOf(samples []Sample, number func(Sample) float64) float64 {
	numbers := make([]float64, len(samples))
	for i, s := range samples {
		numbers[i] = number(s)
	}
	return median(numbers)
}

// Ratio returns how many times as good as the outcome at i the first one is: the
// median of the ratios within the rounds, or 0 where there are none.
func (r *Result) Ratio(i int) float64 {
	first, other := r.Outcomes[0].Samples, r.Outcomes[i].Samples
	ratios := make([]float64, 0, len(first))
	for round := range min(len(first), len(other)) {
		ratio := other[round].Value / first[round].Value
		if r.Larger {
			ratio = 1 / ratio
		}
		ratios = append(ratios, ratio)
	}
	return median(ratios)
}

// Missed reports whether the outcome at i falls short of what is wanted.
func (r *Result) Missed(i int) bool {
	o := &r.Outcomes[i]
	return o.Wanted > 0 && o.Failure == "" && r.Ratio(i) < o.Wanted
}

func median(numbers []float64) float64 {
	if len(numbers) == 0 {
		return 0
	}
	slices.Sort(numbers)
	middle := len(numbers) / 2
	if len(numbers)%2 == 0 {
		return (numbers[middle-1] + numbers[middle]) / 2
	}
	return numbers[middle]
}

// version returns the version of a module that this program is built with.
func version(module string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, m := range info.Deps {
		if m.Path == module {
			return m.Version
		}
	}
	return ""
}
