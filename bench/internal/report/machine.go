package report

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// A Machine is where a race was run. It names no host.
type Machine struct {
	CPU   string
	Cores int
	OS    string
	Go    string
	Date  string // the day
}

// ThisMachine returns the machine that this is, today.
func ThisMachine() Machine {
	return Machine{
		CPU:   or(valueIn("/proc/cpuinfo", "model name", ":"), "an unnamed processor"),
		Cores: runtime.NumCPU(),
		OS:    or(strings.Trim(valueIn("/etc/os-release", "PRETTY_NAME", "="), `"`), runtime.GOOS) + ", " + runtime.GOOS + "/" + runtime.GOARCH,
		Go:    runtime.Version(),
		Date:  time.Now().UTC().Format(time.DateOnly),
	}
}

func (m Machine) String() string {
	return fmt.Sprintf("%s, %d cores · %s · %s · %s", m.CPU, m.Cores, m.OS, m.Go, m.Date)
}

// valueIn returns the value of the first line of a file that has the name, or
// nothing.
func valueIn(path, name, separator string) string {
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer file.Close()
	for in := bufio.NewScanner(file); in.Scan(); {
		key, value, ok := strings.Cut(in.Text(), separator)
		if ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func or(s, byDefault string) string {
	if s == "" {
		return byDefault
	}
	return s
}
