package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What a reader copies from the README compiles, because it is this program.
func TestTheREADMEShowsThisProgram(t *testing.T) {
	program, err := os.ReadFile("main.go")
	require.NoError(t, err)
	markdown, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	_, after, ok := strings.Cut(string(markdown), "\n```go\n")
	require.True(t, ok, "the README has no Go block")
	block, rest, ok := strings.Cut(after, "```\n")
	require.True(t, ok)
	require.Equal(t, string(program), block)
	require.NotContains(t, rest, "```go", "a second block that nothing compiles")
}

// It is what it takes, and no more than that.
func TestItIsFifteenLines(t *testing.T) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, "main.go", nil, 0)
	require.NoError(t, err)
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok {
			require.LessOrEqual(t, files.Position(f.Body.Rbrace).Line-files.Position(f.Body.Lbrace).Line-1, 15)
		}
	}
}
