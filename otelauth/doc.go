// Package otelauth tells OpenTelemetry what guards decide.
package otelauth
