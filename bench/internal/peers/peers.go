// Package peers has the other libraries as their documents say that they are
// used.
package peers

import (
	_ "github.com/alexedwards/scs/v2"
	_ "github.com/didip/tollbooth/v8"
	_ "github.com/go-chi/httprate"
	_ "github.com/gorilla/sessions"
	_ "github.com/seed-077cad0b/auth"
	_ "github.com/sethvargo/go-limiter"
	_ "github.com/stretchr/testify/require"
	_ "github.com/throttled/throttled/v2"
	_ "github.com/ulule/limiter/v3"
)
