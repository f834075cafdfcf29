package cachestore

import "time"

// Stats tell how a [Store] is doing, for metrics.
type Stats struct {
	// Records and Marks are how many answers are held, among them such as no
	// longer serve and have not made room yet.
	Records, Marks int

	// Loads is how many look-ups the cache has made in the store behind it.
	Loads uint64

	// Behind is how long ago the time is up to which the watcher has told of
	// all changes; negative where there was none yet, or is no watcher. While it
	// is more than Options.MaxLag, answers serve no longer than that.
	Behind time.Duration
}

// Stats returns the current figures. It does not count what is answered without
// the store: that would cost more than such an answer may.
func (s *Store) Stats() Stats {
	var st Stats
	var records, marks uint64
	st.Records, records = s.records.figures()
	st.Marks, marks = s.marks.figures()
	st.Loads = records + marks
	st.Behind = -1
	if until := s.bound.until.Load(); until != never {
		st.Behind = time.Duration(s.bound.now() - until)
	}
	return st
}

func (c *cache) figures() (held int, loads uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.table.held, c.loads
}
