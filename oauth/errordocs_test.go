package oauth_test

import (
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// Each code that a client may be told is in docs/errors.md, and no other.
func TestErrorCodesAreDocumented(t *testing.T) {
	code, err := os.ReadFile("error.go")
	require.NoError(t, err)
	page, err := os.ReadFile("../docs/errors.md")
	require.NoError(t, err)
	var codes, documented []string
	for _, m := range regexp.MustCompile(`ErrorCode = "(\w+)"`).FindAllSubmatch(code, -1) {
		codes = append(codes, string(m[1]))
	}
	for _, row := range regexp.MustCompile("(?m)^\\| (`[^|]*)\\|").FindAllSubmatch(page, -1) {
		for _, m := range regexp.MustCompile("`([a-z_]+)`").FindAllSubmatch(row[1], -1) {
			if string(m[1]) != "error" {
				documented = append(documented, string(m[1]))
			}
		}
	}
	require.NotEmpty(t, codes)
	require.ElementsMatch(t, codes, documented)
}
