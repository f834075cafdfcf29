// Package password keeps users and their passwords.
package password
