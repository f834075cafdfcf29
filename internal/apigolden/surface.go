package main

import (
	"fmt"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
)

// surface lists the exported symbols of every importable package of the module in dir. The types come from the
// compiler's own export data, so what is listed is what a user's build sees.
func surface(dir string) ([]string, error) {
	list := exec.Command("go", "list", "-deps", "-export", "-f",
		"{{.ImportPath}}\t{{.Export}}\t{{.Name}}\t{{with .Module}}{{if .Main}}{{.Path}}{{end}}{{end}}", "./...")
	list.Dir = dir
	list.Env = append(os.Environ(), "GOWORK=off")
	list.Stderr = os.Stderr
	out, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("list the packages: %w", err)
	}

	export := make(map[string]string)
	own := make(map[string]string) // import path of a public package of the module → what it is called in the file
	for line := range strings.Lines(string(out)) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		importPath, module := fields[0], fields[3]
		export[importPath] = fields[1]
		if module != "" && fields[2] != "main" && !internal(importPath) {
			own[importPath] = path.Base(module) + strings.TrimPrefix(importPath, module)
		}
	}
	load := importer.ForCompiler(token.NewFileSet(), "gc", func(path string) (io.ReadCloser, error) {
		return os.Open(export[path])
	})

	var lines []string
	for importPath, name := range own {
		pkg, err := load.Import(importPath)
		if err != nil {
			return nil, err
		}
		for _, symbol := range symbols(pkg) {
			lines = append(lines, "pkg "+name+", "+symbol)
		}
	}
	slices.Sort(lines)
	return slices.Compact(lines), nil
}

func internal(importPath string) bool {
	return slices.Contains(strings.Split(importPath, "/"), "internal")
}

// symbols lists the exported symbols of one package. What belongs to a type carries the type's name on its own line.
func symbols(pkg *types.Package) []string {
	short := func(other *types.Package) string {
		if other == pkg {
			return ""
		}
		return other.Name()
	}
	var lines []string
	add := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	text := func(t types.Type) string { return types.TypeString(t, short) }
	signature := func(f types.Object) string { return f.Name() + strings.TrimPrefix(text(f.Type()), "func") }

	for _, name := range pkg.Scope().Names() {
		object := pkg.Scope().Lookup(name)
		if !object.Exported() {
			continue
		}
		switch object := object.(type) {
		case *types.Const:
			add("const %s %s = %s", name, text(object.Type()), object.Val().ExactString())
		case *types.Var:
			add("var %s %s", name, text(object.Type()))
		case *types.Func:
			add("func %s", signature(object))
		case *types.TypeName:
			if object.IsAlias() {
				add("type %s = %s", name, text(types.Unalias(object.Type())))
				continue
			}
			for _, line := range typeLines(object, text, signature) {
				add("%s", line)
			}
		}
	}
	return lines
}

func typeLines(object *types.TypeName, text func(types.Type) string, signature func(types.Object) string) []string {
	name, named := object.Name(), object.Type().(*types.Named)
	head := "type " + text(named) // with its type parameters
	var lines []string
	switch under := named.Underlying().(type) {
	case *types.Struct:
		lines = append(lines, head+" struct")
		for field := range under.Fields() {
			switch {
			case !field.Exported():
			case field.Embedded():
				lines = append(lines, fmt.Sprintf("type %s struct, embeds %s", name, text(field.Type())))
			default:
				lines = append(lines, fmt.Sprintf("type %s struct, %s %s", name, field.Name(), text(field.Type())))
			}
		}
	case *types.Interface:
		lines = append(lines, head+" interface")
		for method := range under.Methods() {
			if method.Exported() {
				lines = append(lines, fmt.Sprintf("type %s interface, %s", name, signature(method)))
			} else {
				lines = append(lines, fmt.Sprintf("type %s interface, unexported methods", name))
			}
		}
		return lines
	default:
		lines = append(lines, head+" "+text(under))
	}

	values := types.NewMethodSet(named)
	for method := range types.NewMethodSet(types.NewPointer(named)).Methods() {
		if !method.Obj().Exported() {
			continue
		}
		receiver := "*" + name
		if values.Lookup(nil, method.Obj().Name()) != nil {
			receiver = name
		}
		lines = append(lines, fmt.Sprintf("method (%s) %s", receiver, signature(method.Obj())))
	}
	return lines
}
