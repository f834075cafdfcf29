//go:build linux

package servertest

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A process is a server's first; what it forks is found when it is wanted.
type process struct {
	pid    int
	exited chan struct{} // closed when it has
}

const (
	pidFile = "pid" // what the watchdog reads
	logFile = "log"
)

// run starts a program in a folder of the yard. What it says goes to the log
// there.
func run(dir, program string, args ...string) (*process, error) {
	log, err := os.OpenFile(filepath.Join(dir, logFile), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	// The id is written by the process itself, before it is the program: there is
	// no moment at which the watchdog does not know what runs.
	cmd := exec.Command("/bin/sh", append([]string{"-c", `echo $$ >` + pidFile + ` && exec "$@"`, "sh", program}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C", "HOME="+dir)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: unprivileged()}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{pid: cmd.Process.Pid, exited: make(chan struct{})}
	go func() {
		_ = cmd.Wait()
		_ = os.Remove(filepath.Join(dir, pidFile))
		close(p.exited)
	}()
	return p, nil
}

// finish runs a program to its end.
func finish(ctx context.Context, dir, program string, args ...string) error {
	p, err := run(dir, program, args...)
	if err != nil {
		return err
	}
	select {
	case <-p.exited:
		return nil
	case <-ctx.Done():
		p.kill()
		return fmt.Errorf("%s: %w", filepath.Base(program), ctx.Err())
	}
}

func (p *process) signal(s syscall.Signal) error { return syscall.Kill(p.pid, s) }

// family returns the process and what it forked. PostgreSQL's are no process
// group: each is a session of its own.
func (p *process) family() []int {
	pids := []int{p.pid}
	b, err := os.ReadFile(fmt.Sprintf("/proc/%[1]d/task/%[1]d/children", p.pid))
	if err != nil {
		return pids // it has exited
	}
	for _, f := range strings.Fields(string(b)) {
		if pid, err := strconv.Atoi(f); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// freeze stops the process before it looks for what that has forked, so that no
// more come, and returns all.
func (p *process) freeze() []int {
	freeze(p.pid)
	pids := p.family()
	for _, pid := range pids {
		freeze(pid)
	}
	return pids
}

// freeze returns when the process has stopped, or has gone.
func freeze(pid int) {
	_ = syscall.Kill(pid, syscall.SIGSTOP)
	for state(pid) != 'T' && state(pid) != 0 {
		<-time.After(time.Millisecond)
	}
}

func (p *process) thaw() {
	for _, pid := range p.family() {
		_ = syscall.Kill(pid, syscall.SIGCONT)
	}
}

// kill ends the process and what it forked, and waits until they are gone: a
// database does not start while another holds its memory.
func (p *process) kill() {
	pids := p.freeze()
	for _, pid := range pids {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	<-p.exited
	for _, pid := range pids {
		for state(pid) != 0 {
			<-time.After(time.Millisecond)
		}
	}
}

// state returns the letter for what a process does, or 0 where it is gone. One
// that nobody has waited for yet is gone.
func state(pid int) byte {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	i := bytes.LastIndexByte(b, ')') // ends the name, which may hold anything
	if err != nil || len(b) < i+3 || b[i+2] == 'Z' || b[i+2] == 'X' {
		return 0
	}
	return b[i+2]
}
