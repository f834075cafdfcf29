// Package integration runs the library against real servers.
package integration
