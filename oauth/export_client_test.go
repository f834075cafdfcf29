package oauth

import "time"

// HasSecret is what authenticates clients by a secret.
func (c *Client) HasSecret(text string, at time.Time) bool { return c.hasSecret(text, at) }
