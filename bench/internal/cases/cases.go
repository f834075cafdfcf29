// Package cases is what is measured.
package cases

import (
	"slices"

	"github.com/seed-077cad0b/auth/bench/internal/measure"
)

// All returns all cases, in the order of the tables.
func All() []measure.Case {
	return slices.Concat(jwtCases(), sessionCases(), keyCases(), limiterCases(), memoryCases(), requestCases(), passwordCases(), serverCases(),
		attackCases(), curveCases())
}
