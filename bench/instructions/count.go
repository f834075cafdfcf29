package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
)

// settled is what the program is built and counted with, whatever the environment
// says: the same instructions on every machine of an architecture. GODEBUG has each
// optional feature of the processor off, and preemption by signals; sysmon and the
// collector are on other threads or off.
var settled = []string{
	"CGO_ENABLED=0", "GOAMD64=v1", "GOARM64=v8.0", "GOEXPERIMENT=", "GOFLAGS=", "GOWORK=off",
	"GOMAXPROCS=1", "GOGC=off", "GOMEMLIMIT=off", "GODEBUG=cpu.all=off,asyncpreemptoff=1",
}

// measure builds this package and counts each operation in a process of its own,
// as many at a time as there are processors. The folder is the package's own.
func measure(ctx context.Context, all []operation) (*counts, error) {
	valgrind, err := exec.LookPath("valgrind")
	if err != nil {
		return nil, errors.New("no valgrind on this machine. It comes with:\n\n\tapt-get install -y --no-install-recommends valgrind")
	}
	folder, err := os.MkdirTemp("", "instructions")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	binary := filepath.Join(folder, "hot")
	if _, err := output(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-w", "-o", binary, "."); err != nil {
		return nil, err
	}
	c := &counts{Go: runtime.Version(), of: make(map[string]cost, len(all))}
	if c.Valgrind, err = output(ctx, valgrind, "--version"); err != nil {
		return nil, err
	}
	if c.Processor, err = output(ctx, valgrind, "--quiet", "--tool=none", binary, "-features"); err != nil {
		return nil, err
	}
	var (
		work sync.WaitGroup
		turn = make(chan struct{}, runtime.NumCPU())
		errs = make([]error, len(all))
		each = make([]cost, len(all))
	)
	for i, o := range all {
		work.Go(func() {
			turn <- struct{}{}
			defer func() { <-turn }()
			each[i], errs[i] = count(ctx, valgrind, binary, filepath.Join(folder, strconv.Itoa(i)), o.name)
		})
	}
	work.Wait()
	for i, o := range all {
		c.add(o.name, cost{each[i].all / o.times, each[i].own / o.times})
	}
	return c, errors.Join(errs...)
}

// count returns what thread 1 has done between the first two marks.
func count(ctx context.Context, valgrind, binary, file, name string) (cost, error) {
	if _, err := output(ctx, valgrind, "--quiet", "--tool=callgrind", "--separate-threads=yes", "--compress-strings=no",
		"--compress-pos=no", "--dump-before=main.mark", "--callgrind-out-file="+file, binary, "-do", name); err != nil {
		return cost{}, fmt.Errorf("%s: %w", name, err)
	}
	profile, err := os.Open(file + ".2-01")
	if err != nil {
		return cost{}, fmt.Errorf("%s: %w", name, err)
	}
	defer profile.Close()
	c, err := parseProfile(profile)
	if err != nil {
		return cost{}, fmt.Errorf("%s: %w", name, err)
	}
	return c, nil
}

// hashing is the functions that are not an operation's own: SHA-256 of a block.
const hashing = "crypto/internal/fips140/sha256.block"

// byChance is the functions that do more or less by chance, and are left out: what a
// type assertion has found is remembered about one time in a thousand.
var byChance = map[string]bool{
	"runtime.typeAssert": true, "runtime.interfaceSwitch": true, "runtime.getitab": true,
	"runtime.(*itabTableType).find": true, "runtime.itabHashFunc": true,
	"runtime.buildTypeAssertCache": true, "runtime.buildInterfaceSwitchCache": true,
}

// parseProfile adds up what the functions of callgrind's profile have done themselves.
// After "calls=" comes what the one that is called has done, which it tells itself.
func parseProfile(r io.Reader) (c cost, err error) {
	function, called, done, total := "", false, 0, 0
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		line := lines.Text()
		switch key, value, _ := strings.Cut(line, "="); {
		case key == "fn":
			function = value
		case key == "calls":
			called = true
		case strings.HasPrefix(line, "totals: "):
			if total, err = strconv.Atoi(line[len("totals: "):]); err != nil {
				return cost{}, err
			}
		case line == "" || line[0] < '0' || line[0] > '9':
		case called:
			called = false
		default:
			_, number, _ := strings.Cut(line, " ")
			n, err := strconv.Atoi(number)
			if err != nil {
				return cost{}, err
			}
			done += n
			if byChance[function] {
				continue
			}
			c.all += n
			if !strings.HasPrefix(function, hashing) {
				c.own += n
			}
		}
	}
	if total == 0 || done != total {
		return cost{}, fmt.Errorf("the functions of the profile have done %d of %d", done, total)
	}
	return c, lines.Err()
}

func output(ctx context.Context, program string, arguments ...string) (string, error) {
	command := exec.CommandContext(ctx, program, arguments...)
	command.Env = append(os.Environ(), settled...)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s", filepath.Base(program), err, stderr.Bytes())
	}
	return strings.TrimSpace(string(out)), nil
}
