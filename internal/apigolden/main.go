// Apigolden compares the exported API of the packages of each module that is named, or of this one, with its api.txt, one
// line a symbol, so that a change to it cannot pass a review unseen. With -update it writes the files instead.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	update := flag.Bool("update", false, "write the files instead of comparing with them")
	flag.Parse()
	modules := flag.Args()
	if len(modules) == 0 {
		modules = []string{"."}
	}
	var errs []error
	for _, dir := range modules {
		errs = append(errs, run(dir, *update))
	}
	if err := errors.Join(errs...); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(dir string, update bool) error {
	file := filepath.Join(dir, "api.txt")
	lines, err := surface(dir)
	if err != nil {
		return err
	}
	if update {
		return os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o644)
	}
	golden, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if changes := difference(strings.Split(strings.TrimSuffix(string(golden), "\n"), "\n"), lines); len(changes) > 0 {
		return errors.New(strings.Join(changes, "\n") + "\nThe exported API differs from " + file + ": if it should, run make api and commit the file.")
	}
	return nil
}

// difference lists what was removed from the golden lines and what was added to them.
func difference(golden, now []string) []string {
	var changes []string
	for _, side := range []struct {
		sign       string
		has, lacks []string
	}{{"-", golden, now}, {"+", now, golden}} {
		known := make(map[string]bool, len(side.lacks))
		for _, line := range side.lacks {
			known[line] = true
		}
		for _, line := range side.has {
			if !known[line] {
				changes = append(changes, side.sign+" "+line)
			}
		}
	}
	return changes
}
