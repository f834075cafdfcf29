//go:build linux

package servertest

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// find returns the path of a program that Debian's packages install.
func find(program, packages string) (string, error) {
	folders := filepath.SplitList(os.Getenv("PATH"))
	versions, _ := filepath.Glob("/usr/lib/postgresql/*/bin") // which are in no PATH
	slices.Reverse(versions)
	return findIn(append(append(folders, versions...), "/usr/sbin", "/usr/local/sbin"), program, packages)
}

func findIn(folders []string, program, packages string) (string, error) {
	for _, folder := range folders {
		path := filepath.Join(folder, program)
		info, err := os.Stat(path)
		if err != nil || info.IsDir() || info.Mode()&0o111 == 0 {
			continue
		}
		return path, nil
	}
	return "", fmt.Errorf("no %s on this machine. It comes with:\n\n\tapt-get install -y --no-install-recommends %s", program, packages)
}
