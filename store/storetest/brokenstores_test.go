//go:build !race

// Each of these stores takes a run of the whole kit, which is long under the race
// detector. TestMapStore is one under it.

package storetest_test

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth/store/storetest"
)

var (
	records  = []string{"Record, ", "List, owner and kind", "LookupAll, some present", "Walk, a kind"}
	expiry   = []string{"KeepUntil, ", "List, what expires", "LookupAll, what expires", "Touch, what expires", "Touch, KeepUntil stays", "Walk, what expires", "Insert, one succeeds over what has expired", "Sweep, what was inserted anew", "Sweep, beside Insert over what it sweeps"}
	contexts = []string{"Context, ", "List, context", "LookupAll, context", "Touch, context", "Sweep, context", "Walk, context", "Watch, context"}
	watches  = []string{"Watch, "}
)

var brokenStores = []broken{
	{"loses a tier", "Record, every field", records},
	{"loses the client", "Record, every field", records},
	{"loses the audience", "Record, every field", records},
	{"loses the ACR", "Record, every field", records},
	{"loses the origin's time", "Record, every field", records},
	{"loses a burst", "Record, every field", records},
	{"loses Disabled", "Record, every field", records},
	{"makes a principal for a mark", "Record, empty and nil", append(records, "LookupAll, marks")},
	{"takes no networks for any", "Record, empty and nil", nil},
	{"drops empty scopes", "Record, empty and nil", records},
	{"mends texts that are not UTF-8", "Record, texts of any bytes", nil},
	{"compacts claims", "Record, claims verbatim", records},
	{"cuts data at a zero byte", "Record, data of 64 KiB", nil},
	{"cuts data at 65,535 bytes", "Record, data of 64 KiB", nil},
	{"keeps times in seconds", "Record, times", everywhere},
	{"keeps times in nanoseconds", "Record, times", nil},
	{"has times in another zone", "Record, times of other zones", everywhere},
	{"has 1970 for no time", "Record, times", append(records, "Expires, never judged", "LookupAll, marks")},
	{"has digests without case", "Record, digests alike", nil},
	{"trims blanks from digests", "Record, digests alike", nil},

	{"answers absence with a zero record", "Lookup, absent", everywhere},
	{"remembers what it has read", "Lookup, from another handle", everywhere},
	{"overwrites", "Insert, one is present", []string{"Insert, "}},
	{"replaces what is absent", "Replace, absent", []string{"KeepUntil, ", "Take, nothing brings it back"}},
	{"replaces any revision", "Replace, stale", []string{"Replace, "}},
	{"replaces older revisions", "Replace, inserted anew", []string{"Replace, ", "Record, "}},
	{"has revisions that do not wrap", "Replace, the revision wraps", []string{"Record, "}},
	{"keeps revisions in floating point", "Replace, stale", everywhere},
	{"moves Seen back", "Replace, Seen", []string{"Touch, Replace keeps the later"}},
	{"leaves the owner", "Replace", []string{"Record, ", "List, "}},
	{"leaves what is taken", "Take", everywhere},
	{"takes without looking", "Take", everywhere},
	{"disables what is taken", "Take", everywhere},

	{"keeps until it sweeps", "KeepUntil, every method", expiry},
	{"goes by whole seconds", "KeepUntil, not before and not after", expiry},
	{"goes by whole milliseconds", "KeepUntil, not before and not after", nil},
	{"leaves KeepUntil", "KeepUntil, moved by Replace", []string{"Record, "}},
	{"does not insert over what has expired", "KeepUntil, every method", expiry},
	{"keeps the Seen of what has gone", "KeepUntil, every method", nil},
	{"judges Expires", "Expires, never judged", []string{"Record, times", "Sweep, the living"}},

	{"takes in two steps", "Take, one succeeds", []string{"Take, "}},
	{"inserts in two steps", "Insert, one succeeds", []string{"Insert, one succeeds over what has expired"}},
	{"inserts over what has expired in two steps", "Insert, one succeeds over what has expired", nil},
	{"replaces in two steps", "Replace, one succeeds", []string{"Replace, ", "Take, nothing brings it back", "Touch, Replace keeps the later"}},

	{"ignores contexts", "Context, cancelled", contexts},
	{"calls a cancelled context absence", "Context, past its deadline", contexts},
	{"hides the context's error", "Context, cancelled", contexts},
	{"calls an outage absence", "Outage, a handle that is closed", nil},
	{"leaves a goroutine", "Goroutines, none is left", nil},

	{"lists what has no owner", "List, no owner", nil},
	{"lists every kind", "List, owner and kind", []string{"List, "}},
	{"lists kinds without case", "List, kinds and owners alike", nil},
	{"stops after a page", "List, hundreds", []string{"Walk, "}},
	{"yields twice", "List, owner and kind", []string{"List, ", "Walk, "}},
	{"goes on after a break", "List, until the loop breaks", []string{"Walk, until the loop breaks"}},
	{"goes on after an error", "List, context", []string{"Walk, context"}},
	{"holds its lock in a loop", "List, and the loop changes the store", []string{"Walk, "}},
	{"walks past what has no owner", "Walk, a kind", nil},
	{"walks no more than one kind", "Walk, every kind", nil},

	{"looks up any kind", "LookupAll, another kind", nil},
	{"looks up each digest once", "LookupAll, again and zero", nil},
	{"leaves what was in the slice", "LookupAll, some present", []string{"LookupAll, "}},
	{"remembers which kinds there are", "LookupAll, a kind that another handle brings", nil},

	{"touches back", "Touch, neither back nor a Revision", []string{"Touch, "}},
	{"touches revisions", "Touch, neither back nor a Revision", []string{"Touch, "}},
	{"touches into being", "Touch, absent", []string{"Touch, "}},
	{"touches 500 at most", "Touch, a thousand", nil},
	{"prolongs with a touch", "Touch, KeepUntil stays", []string{"Touch, "}},

	{"sweeps without limit", "Sweep, at most limit", nil},
	{"sweeps by Expires", "Sweep, the living", nil},
	{"counts and does not sweep", "Sweep, at most limit", []string{"Sweep, ", "Watch, neither touches nor sweeps"}},
	{"does not count what it sweeps", "Sweep, at most limit", []string{"Sweep, "}},
	{"sweeps in two steps", "Sweep, beside Insert over what it sweeps", []string{"Sweep, two at once"}},

	{"does not tell what is taken", "Watch, each change", nil},
	{"tells one change in a while", "Watch, hundreds of changes", watches},
	{"tells touches", "Watch, neither touches nor sweeps", nil},
	{"tells sweeps", "Watch, neither touches nor sweeps", nil},
	{"tells the time once", "Watch, at least every second", watches},
	{"tells the time too early", "Watch, each change", watches},
	{"tells a time to come", "Watch, this process's clock", watches},
	{"calls two at once", "Watch, one call at a time", nil},
	{"ends a watch without an error", "Watch, context", watches},
}

// A store without a fault keeps every sentence, and one with a fault breaks those
// that the fault is about.
func TestBrokenStores(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failures := storetest.Failures(t, newBackend(t, "").open)
		delete(failures, "Goroutines, none is left") // others are counted, and no time passes in which they end; see TestMapStore
		require.Empty(t, failures)
	})
	for _, b := range brokenStores {
		t.Run(b.fault, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { b.requireCaught(t, storetest.Failures(t, newBackend(t, b.fault).open)) })
		})
	}
}
