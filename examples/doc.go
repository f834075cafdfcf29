// Package examples holds programs that show package auth at work. Each folder is one program with a README whose
// commands its test runs.
package examples
