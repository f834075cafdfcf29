package attack

import (
	"fmt"
	"index/suffixarray"
	"maps"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Want are the statuses that an attack may be answered with. 3 and 4 stand for
// all that begin with that digit, [Closed] for no answer at all.
type Want []int

// Closed is a connection that the server has closed without an answer.
const Closed = 0

// What most cases want.
var (
	Unauthorized = Want{http.StatusUnauthorized}
	Forbidden    = Want{http.StatusForbidden}
	Malformed    = Want{http.StatusBadRequest}
	Admitted     = Want{http.StatusOK} // nothing hostile about it: shows that the others fail for their reason
	Refused      = Want{4, Closed}
)

func (w Want) allows(status int) bool {
	return slices.Contains(w, status) || status >= 300 && slices.Contains(w, status/100)
}

// A Case is a request and how it must end.
type Case struct {
	Name    string
	Raw     string
	Want    Want
	Payload string             // what must appear neither in the log nor in the answer
	Check   func(Answer) error // nil: the status says it all

	// Alike names what this case must not be told apart from: all 401s to cases
	// of one such name are the same answer. Empty for none.
	Alike string
}

// A Runner attacks a program.
type Runner struct {
	addr     string
	probe    string
	attacks  line
	probes   line
	counts   map[string]int
	payloads map[string]bool
	alike    map[string]Answer // the first 401 by Case.Alike
}

// New returns a runner against the program at addr. probe is a request with a
// good credential, made with [Request]; it is sent after every attack and must
// be admitted each time.
func New(t testing.TB, addr, probe string) *Runner {
	t.Helper()
	r := &Runner{counts: map[string]int{}, payloads: map[string]bool{}, alike: map[string]Answer{}}
	return r.against(t, addr, probe)
}

// against returns a runner against another program, which notes what it does
// where r does.
func (r *Runner) against(t testing.TB, addr, probe string) *Runner {
	t.Helper()
	other := *r
	other.addr, other.probe = addr, keptAlive(probe)
	other.attacks, other.probes = line{addr: addr}, line{addr: addr}
	t.Cleanup(other.attacks.hangUp)
	t.Cleanup(other.probes.hangUp)
	require.NoError(t, other.admitted())
	return &other
}

// Run runs each case on a connection of its own, as a subtest of the group.
func (r *Runner) Run(t *testing.T, group string, cases []Case) {
	t.Helper()
	r.note(t, group, cases)
	t.Run(group, func(t *testing.T) { r.run(t, cases) })
}

func (r *Runner) run(t *testing.T, cases []Case) {
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			answers, err := Send(r.addr, c.Raw)
			require.NoError(t, err)
			require.NoError(t, r.judge(c, answers))
		})
	}
}

// few is how many failures no throttle minds.
const few = 25

// RunAfresh is [Runner.Run] for failures that a throttle would stop: a few of
// them at each of several programs. start starts one, and returns what [New]
// takes and the cases, which are the same ones each time but for what the
// program printed.
func (r *Runner) RunAfresh(t *testing.T, group string, start func(t testing.TB) (addr, probe string, cases []Case)) {
	t.Helper()
	t.Run(group, func(t *testing.T) {
		total := few
		for done := 0; done < total; done += few {
			addr, probe, cases := start(t)
			slices.SortFunc(cases, func(a, b Case) int { return strings.Compare(a.Name, b.Name) })
			if done == 0 {
				total = len(cases)
				r.note(t, group, cases)
			}
			require.Len(t, cases, total)
			part := cases[done:min(done+few, total)]
			r.remember(part)
			r.against(t, addr, probe).run(t, part)
		}
	})
}

// Sweep runs cases of which there are thousands, one after the other on one
// connection, as one subtest.
func (r *Runner) Sweep(t *testing.T, group string, cases []Case) {
	t.Helper()
	r.note(t, group, cases)
	t.Run(group, func(t *testing.T) {
		for _, c := range cases {
			answers, err := r.attacks.do(keptAlive(c.Raw))
			require.NoError(t, err, c.Name)
			require.NoError(t, r.judge(c, answers), c.Name)
		}
	})
}

// note counts the cases, and remembers what must not be logged.
func (r *Runner) note(t *testing.T, group string, cases []Case) {
	t.Helper()
	require.NotContains(t, r.counts, group, "two groups are named alike")
	r.counts[group] = len(cases)
	names := map[string]bool{}
	for _, c := range cases {
		require.False(t, names[c.Name], "two cases are named %q", c.Name)
		names[c.Name] = true
	}
	r.remember(cases)
}

func (r *Runner) remember(cases []Case) {
	for _, c := range cases {
		for _, s := range telling.FindAllString(c.Payload, -1) {
			r.payloads[s] = true
		}
	}
}

// telling are the parts of a payload that are long enough not to be anywhere by
// chance, and that no log writes in another way.
var telling = regexp.MustCompile(`[A-Za-z0-9_-]{16,}`)

// judge returns what is wrong with the answers to a case, and whether the
// program still serves others.
func (r *Runner) judge(c Case, answers []Answer) error {
	if len(answers) == 0 && !c.Want.allows(Closed) {
		return fmt.Errorf("closed without an answer")
	}
	for _, a := range answers {
		if err := c.judge(a); err != nil {
			return fmt.Errorf("%w; answered %d %v %s", err, a.Status, a.Header, a.Body)
		}
		if err := r.compare(c, a); err != nil {
			return err
		}
	}
	return r.admitted()
}

// compare returns an error if a tells the case from others that it must not be
// told from.
func (r *Runner) compare(c Case, a Answer) error {
	if c.Alike == "" || a.Status != http.StatusUnauthorized {
		return nil
	}
	a.Header = a.Header.Clone()
	a.Header.Del("Date")
	a.Header.Del("Connection")
	a.close = false
	first, ok := r.alike[c.Alike]
	if !ok {
		r.alike[c.Alike] = a
		return nil
	}
	if !reflect.DeepEqual(first, a) {
		return fmt.Errorf("answered %v %s, and another %v %s", a.Header, a.Body, first.Header, first.Body)
	}
	return nil
}

func (c Case) judge(a Answer) error {
	switch {
	case !c.Want.allows(a.Status):
		return fmt.Errorf("wants one of %v", c.Want)
	case a.Status == http.StatusUnauthorized && len(a.Header["Www-Authenticate"]) == 0:
		return fmt.Errorf("a 401 without a challenge")
	case a.Status == http.StatusUnauthorized && a.Header.Get("Cache-Control") != "no-store":
		return fmt.Errorf("a 401 that caches may keep")
	case a.Status >= 400 && len(c.Payload) >= 16 && strings.Contains(a.Body+fmt.Sprint(a.Header), c.Payload):
		return fmt.Errorf("the answer repeats the payload")
	case c.Check != nil:
		return c.Check(a)
	}
	return nil
}

// admitted returns an error if the good credential is not admitted.
func (r *Runner) admitted() error {
	answers, err := r.probes.do(r.probe)
	switch {
	case err != nil:
		return fmt.Errorf("the probe: %w", err)
	case len(answers) != 1:
		return fmt.Errorf("the probe is not answered")
	case answers[0].Status != http.StatusOK:
		return fmt.Errorf("the probe is answered %d: %s", answers[0].Status, answers[0].Body)
	}
	return nil
}

// RequireCounts requires that there are so many cases in each group, so that none
// is lost in silence.
func (r *Runner) RequireCounts(t testing.TB, want map[string]int) {
	t.Helper()
	require.Equal(t, want, r.counts)
}

// RequireLog requires that what the program has logged holds none of the
// payloads and none of the secrets, and tells of no panic.
func (r *Runner) RequireLog(t testing.TB, log string, secrets ...string) {
	t.Helper()
	require.NotContains(t, log, "panic")
	for _, s := range secrets {
		for _, part := range telling.FindAllString(s, -1) {
			r.payloads[part] = true
		}
	}
	// Thousands of lines say the same but for the time.
	seen := map[string]bool{}
	for _, l := range strings.Split(log, "\n") {
		seen[varying.ReplaceAllString(l, "")] = true
	}
	said := suffixarray.New([]byte(strings.Join(slices.Collect(maps.Keys(seen)), "\n")))
	for p := range r.payloads {
		require.Empty(t, said.Lookup([]byte(p), 1), "the log has %q", p)
	}
}

var varying = regexp.MustCompile(`(time|duration)=\S+`)

func hasNoBody(a Answer) error {
	if a.Body != "" {
		return fmt.Errorf("has a body")
	}
	return nil
}
