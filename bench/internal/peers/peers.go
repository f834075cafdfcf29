// Package peers has the other libraries as their documents say that they are
// used.
package peers
