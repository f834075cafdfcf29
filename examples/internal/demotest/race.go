//go:build race

package demotest

// The program is checked for races where its test is.
var buildFlags = []string{"-race"}
