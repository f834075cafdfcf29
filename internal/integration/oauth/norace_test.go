//go:build linux && !race

package oauth_test

var buildFlags []string
