// Package faults breaks what stores stand on, and looks at what is left: processes
// and servers that are killed, servers that go away, come back and hang, disks that
// are full, and a hundred who want the same. What was promised and what was seen
// is in docs/reliability.md.
package faults
