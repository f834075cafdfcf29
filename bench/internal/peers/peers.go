// Package peers has the other libraries as their documents say that they are
// used.
package peers

import (
	_ "github.com/seed-077cad0b/auth"
	_ "github.com/stretchr/testify/require"
)
