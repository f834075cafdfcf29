package auth

import (
	"fmt"
	"log/slog"
)

const redacted = "[redacted]"

// A Secret is a text that must not be printed: a token, a key, a password. It
// prints as [redacted] through fmt, log/slog and encoding/json, also inside
// other values. The zero value is an absent secret.
type Secret struct {
	// A pointer, because fmt does not call the methods of unexported fields
	// and would print a string there.
	text *string
}

// NewSecret returns a Secret that holds text.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{&text}
}

// Reveal returns the text. Where it is called, the secret leaves.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// IsZero reports whether the secret is absent.
func (s Secret) IsZero() bool { return s.text == nil }

// String returns "[redacted]".
func (s Secret) String() string { return redacted }

// Format prints "[redacted]" for every verb and flag.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// MarshalText returns "[redacted]", so encoders of any format print that.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue returns "[redacted]".
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }
