package main

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"runtime"
	"strconv"
	"strings"
)

// goldenFile has the counts of this architecture.
const goldenFile = "testdata/" + runtime.GOARCH + ".txt"

// update is the command that writes the golden file.
const update = "make instructions UPDATE=-update"

// slack is by how many percent a count may differ from the golden one. Compilers,
// seeds and layouts of memory do less; an allocation more or another hash does more.
const slack = 5

// counts are instructions of one operation each, and what they were counted with.
type counts struct {
	Go, Valgrind, Processor string

	names []string
	of    map[string]cost
}

// A cost is how many instructions an operation takes: in all, and without those of
// SHA-256, which would hide a good deal of its own.
type cost struct{ all, own int }

func (c *counts) add(name string, n cost) {
	c.names = append(c.names, name)
	c.of[name] = n
}

// String returns the golden file.
func (c *counts) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Instructions of the hot paths, as valgrind counts them. Written by: %s\n", update)
	fmt.Fprintf(&b, "go: %s\nvalgrind: %s\nprocessor: %s\n\n", c.Go, c.Valgrind, c.Processor)
	fmt.Fprintf(&b, "# %-38s %8s %8s\n", "operation", "all", "own")
	for _, name := range c.names {
		fmt.Fprintf(&b, "%-40s %8d %8d\n", name, c.of[name].all, c.of[name].own)
	}
	return b.String()
}

func readGolden(file string) (*counts, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("nobody has counted on %s yet: %s writes %s", runtime.GOARCH, update, file)
	}
	if err != nil {
		return nil, err
	}
	return parseGolden(string(text))
}

func parseGolden(text string) (*counts, error) {
	c := &counts{of: map[string]cost{}}
	head := map[string]*string{"go": &c.Go, "valgrind": &c.Valgrind, "processor": &c.Processor}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if name, value, ok := strings.Cut(line, ": "); ok && head[name] != nil {
			*head[name] = value
			continue
		}
		fields := strings.Fields(line)
		last := max(0, len(fields)-2)
		n, err := parseCost(fields[last:])
		if err != nil {
			return nil, fmt.Errorf("the golden file has no counts in %q", line)
		}
		c.add(strings.Join(fields[:last], " "), n)
	}
	return c, nil
}

func parseCost(fields []string) (c cost, err error) {
	if len(fields) != 2 {
		return c, errors.New("not two numbers")
	}
	var errs [2]error
	c.all, errs[0] = strconv.Atoi(fields[0])
	c.own, errs[1] = strconv.Atoi(fields[1])
	if c.own <= 0 || c.all < c.own {
		return c, errors.New("not what anything costs")
	}
	return c, errors.Join(errs[:]...)
}

// compare returns what in now is beyond the slack, or in one of the two only, and nil
// where nothing is. Other versions and features are no failure by themselves, as most
// counts do not notice; where one does, they are told.
func (c *counts) compare(now *counts) error {
	var wrong []string
	slower := false
	for _, name := range now.names {
		was, known := c.of[name]
		is := now.of[name]
		change := was.change(is)
		switch {
		case !known:
			wrong = append(wrong, name+": not in the golden file")
		case change > slack:
			slower = true
			wrong = append(wrong, fmt.Sprintf("%s: slower by %.1f %%: %v in place of %v", name, change, is, was))
		case change < -slack:
			wrong = append(wrong, fmt.Sprintf("%s: quicker by %.1f %%: %v in place of %v", name, -change, is, was))
		}
	}
	for _, name := range c.names {
		if _, counted := now.of[name]; !counted {
			wrong = append(wrong, name+": in the golden file, and not counted")
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	wrong = append(wrong, c.differences(now)...)
	if slower {
		wrong = append(wrong, "A path has become slower. If it has to be: "+update)
	} else {
		wrong = append(wrong, "The golden file is stale: "+update)
	}
	return errors.New(strings.Join(wrong, "\n"))
}

// change returns by how many percent c has changed, in all or of its own, whichever
// has changed more.
func (c cost) change(now cost) float64 {
	all, own := percent(c.all, now.all), percent(c.own, now.own)
	if math.Abs(all) > math.Abs(own) {
		return all
	}
	return own
}

func percent(was, is int) float64 { return 100 * (float64(is)/float64(was) - 1) }

func (c cost) String() string { return fmt.Sprintf("%d (%d of its own)", c.all, c.own) }

// differences tells what else is not what the golden file was written with.
func (c *counts) differences(now *counts) []string {
	var all []string
	for _, d := range []struct{ was, is string }{{c.Go, now.Go}, {c.Valgrind, now.Valgrind}, {c.Processor, now.Processor}} {
		if d.was != d.is {
			all = append(all, fmt.Sprintf("(The golden file was written with %s, and this is %s.)", d.was, d.is))
		}
	}
	return all
}

// table returns the counts and how they have changed.
func table(golden, now *counts) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %s, %s\n\n%-40s %8s %8s\n", now.Go, now.Valgrind, now.Processor, "instructions of", "all", "own")
	for _, name := range now.names {
		is, change := now.of[name], "new"
		if was, known := golden.of[name]; known {
			change = fmt.Sprintf("%+.1f %%", was.change(is))
		}
		fmt.Fprintf(&b, "%-40s %8d %8d %9s\n", name, is.all, is.own, change)
	}
	return b.String()
}
