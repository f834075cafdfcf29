//go:build linux && race

package oauth_test

// What is started is checked for races where the test is.
var buildFlags = []string{"-race"}
