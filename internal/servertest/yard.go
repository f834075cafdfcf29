//go:build linux

package servertest

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"sync"
	"syscall"
)

// A yard is the folder of all the servers of a test binary, and the watchdog over
// it.
type yard struct {
	dir      string
	leash    io.Closer
	watchdog *exec.Cmd
}

// watch waits until its input ends, which is when the test binary does, by
// whatever means. Then it kills what runs in the folders of the yard, and removes
// them. A process is stopped before its children are looked for, so that no more
// come.
const watch = `
read -r _
for file in "$1"/*/` + pidFile + `; do
  pid=$(cat "$file") || continue
  kill -STOP "$pid"
  kill -KILL $(cat "/proc/$pid/task/$pid/children")
  kill -KILL "-$pid"
done
for _ in 1 2 3 4 5 6 7 8 9 10; do
  rm -rf "$1" && exit
  sleep 1
done
`

var openYard = sync.OnceValues(func() (*yard, error) {
	dir, err := os.MkdirTemp("", "servertest-")
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(dir, 0o711); err != nil { // for nobody to pass through
		return nil, err
	}
	cmd := exec.Command("/bin/sh", "-c", watch, "watchdog", dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // not to be interrupted from the terminal
	leash, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &yard{dir: dir, leash: leash, watchdog: cmd}, nil
})

// close ends all servers and removes their folders.
func (y *yard) close() {
	_ = y.leash.Close()
	_ = y.watchdog.Wait()
}

// folder makes one for a server.
func (y *yard) folder() (string, error) {
	dir, err := os.MkdirTemp(y.dir, "")
	if err != nil {
		return "", err
	}
	return dir, disown(dir)
}

// unprivileged returns whom servers run as: databases refuse to be root. Nil is
// who runs the tests.
var unprivileged = sync.OnceValue(func() *syscall.Credential {
	if os.Getuid() != 0 {
		return nil
	}
	c := &syscall.Credential{Uid: 65534, Gid: 65534}
	if nobody, err := user.Lookup("nobody"); err == nil {
		if uid, err := strconv.ParseUint(nobody.Uid, 10, 32); err == nil {
			c.Uid = uint32(uid)
		}
		if gid, err := strconv.ParseUint(nobody.Gid, 10, 32); err == nil {
			c.Gid = uint32(gid)
		}
	}
	return c
})

// disown gives a file to whom servers run as.
func disown(path string) error {
	if c := unprivileged(); c != nil {
		return os.Chown(path, int(c.Uid), int(c.Gid))
	}
	return nil
}

// freePort returns a port at which nobody listens. It is none that the kernel
// hands out: while a server is down, the outgoing connection of somebody else
// could get its port, and a client that tries to reconnect could meet itself
// there.
func freePort() (int, error) {
	var err error
	for range 100 {
		var l net.Listener
		port := 10_000 + rand.IntN(22_000)
		if l, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			return port, l.Close()
		}
	}
	return 0, err
}

// Folder makes a folder of which the same holds as of those of servers: it does
// not outlive the test binary. It is for what tests build.
func Folder() (string, error) {
	yard, err := openYard()
	if err != nil {
		return "", err
	}
	return yard.folder()
}
