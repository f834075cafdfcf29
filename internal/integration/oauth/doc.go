// Package oauth runs package oauth, and the resource servers of package auth,
// against what others wrote: clients and an authorization server from npm and the
// Go module proxy, and a browser. What others are is listed in go.mod, and in
// testdata/npm/package.json.
//
// .ci/setup installs what is missing.
package oauth
