package measure

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// What a process tells the one that has started it, a line each.
type report struct {
	Notes   []string `json:",omitempty"` // the first line
	Version string   `json:",omitempty"` // the first line
	Sample  Sample
	Failure string `json:",omitempty"`
}

// Environment by which a process is told that it is a contender.
const (
	caseVariable      = "BENCH_CASE"
	contenderVariable = "BENCH_CONTENDER"
)

// Contend makes this process the contender that it was started as, if it was, and
// reports whether it was.
func Contend(cases []Case) (bool, error) {
	id, name := os.Getenv(caseVariable), os.Getenv(contenderVariable)
	if id == "" {
		return false, nil
	}
	for _, c := range cases {
		for _, contender := range c.Contenders {
			if c.id() == id && contender.Name == name {
				return true, contender.contend(c.Processor, os.Stdin, os.Stdout)
			}
		}
	}
	return true, fmt.Errorf("nobody is %q in %q", name, id)
}

func (c *Case) id() string { return c.Table + "/" + c.Name }

// contend enters, and does a round for each line that comes.
func (c *Contender) contend(processor bool, commands io.Reader, reports io.Writer) error {
	out := json.NewEncoder(reports)
	entry, err := c.Enter()
	if err != nil {
		return out.Encode(report{Failure: err.Error()})
	}
	if err := out.Encode(report{Notes: entry.Notes, Version: version(c.Module)}); err != nil {
		return err
	}
	for in := bufio.NewScanner(commands); in.Scan(); {
		var r report
		if r.Sample, err = entry.Round(); err != nil {
			r.Failure = err.Error()
		}
		if processor {
			r.Sample.Value = r.Sample.Processor
		}
		if err := out.Encode(r); err != nil {
			return err
		}
	}
	if entry.Close == nil {
		return nil
	}
	return entry.Close()
}

// Run has the contenders of a case do so many rounds. Who fails is left out of
// those that follow, and the outcome says why.
func (c *Case) Run(ctx context.Context, rounds int) (*Result, error) {
	r := &Result{Table: c.Table, Name: c.Name, Unit: c.Unit, Cores: max(1, c.Cores), Larger: c.Larger, Axis: c.Axis}
	if r.Unit == "" {
		r.Unit = "ns/op"
	}
	if c.Rounds > 0 {
		rounds = c.Rounds
	}
	processes := make([]*process, len(c.Contenders))
	for i, contender := range c.Contenders {
		r.Outcomes = append(r.Outcomes, Outcome{Name: contender.Name, Wanted: contender.Wanted, X: contender.X})
		o := &r.Outcomes[i]
		p, err := start(ctx, c, contender.Name)
		if err != nil {
			return nil, err
		}
		defer p.end()
		processes[i] = p
		entered, err := p.next()
		o.Notes, o.Version = entered.Notes, entered.Version
		o.fail(err)
	}
	for round := range rounds {
		for i := range processes {
			// Who comes first is another one each time.
			i = (i + round) % len(processes)
			o := &r.Outcomes[i]
			if o.Failure != "" {
				continue
			}
			report, err := processes[i].round()
			if err != nil {
				o.fail(err)
				continue
			}
			o.Samples = append(o.Samples, report.Sample)
		}
	}
	return r, ctx.Err()
}

func (o *Outcome) fail(err error) {
	if err != nil {
		o.Failure, o.Samples = strings.Join(strings.Fields(err.Error()), " "), nil // on one line
	}
}

// A process is a contender.
type process struct {
	command *exec.Cmd
	in      io.WriteCloser
	out     *json.Decoder
}

func start(ctx context.Context, c *Case, contender string) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	command := exec.CommandContext(ctx, self)
	command.Env = append(os.Environ(),
		caseVariable+"="+c.id(), contenderVariable+"="+contender, "GOMAXPROCS="+strconv.Itoa(max(1, c.Cores)))
	command.Stderr = os.Stderr
	command.WaitDelay = 10 * time.Second
	in, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	return &process{command, in, json.NewDecoder(out)}, command.Start()
}

func (p *process) round() (report, error) {
	if _, err := io.WriteString(p.in, "\n"); err != nil {
		return report{}, err
	}
	return p.next()
}

func (p *process) next() (r report, err error) {
	if err := p.out.Decode(&r); err != nil {
		return r, fmt.Errorf("the process ended: %w", err)
	}
	if r.Failure != "" {
		return r, errors.New(r.Failure)
	}
	return r, nil
}

// end waits for the process, which has been told all that it needs to know by its
// reports.
func (p *process) end() {
	_ = p.in.Close()
	_ = p.command.Wait()
}
