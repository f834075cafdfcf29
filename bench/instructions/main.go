// Command instructions counts the instructions of the hot paths, by valgrind, and
// compares them with a golden file: what a busy machine does to times it does not do
// to counts, so a path that has become slower is seen on any machine.
//
//	go run .            prints the counts beside the golden ones
//	go run . -update    makes them the golden ones
//
// What is counted is one thread of one fixed binary: no cgo, no optional feature of
// the processor, no collector, one operation over and over. SHA-256, which hardware
// does in a tenth of the instructions, is most of what an operation with a digest
// counts here; what the paths have of their own shows where there is none.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "instructions:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	write := flag.Bool("update", false, "make what is counted the golden counts")
	do := flag.String("do", "", "do the `operation`, as what is counted")
	features := flag.Bool("features", false, "print the features of the processor, as what is counted sees them")
	flag.Parse()
	switch {
	case *do != "":
		return perform(*do)
	case *features:
		fmt.Println(processor())
		return nil
	}
	now, err := measure(ctx, operations)
	if err != nil {
		return err
	}
	if *write {
		fmt.Print(now)
		return os.WriteFile(goldenFile, []byte(now.String()), 0o644)
	}
	golden, err := readGolden(goldenFile)
	if err != nil {
		return err
	}
	fmt.Print(table(golden, now))
	return golden.compare(now)
}
