package auth

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/seed-077cad0b/auth/internal/strictjson"
)

// Claims decodes the claims of p into a type of the caller's own, by
// encoding/json but strictly: what is not one JSON object in UTF-8, or has a
// member twice, is refused, and where T is a struct, a member goes into the
// field of exactly its name, so that "ADMIN" cannot stand in for "admin". That
// holds for the outermost object; inside nested structs encoding/json is its
// usual self.
//
// A principal without claims gives the zero T.
func Claims[T any](p *Principal) (T, error) {
	var value, none T
	if p == nil {
		return none, errors.New("auth: claims of no principal")
	}
	if len(p.Claims) == 0 {
		return none, nil
	}
	fields := fieldNames(reflect.TypeFor[T]())
	exact := []byte{'{'}
	err := strictjson.Object(p.Claims, func(name, raw []byte) error {
		n := string(name)
		if fields != nil && !fields[n] {
			return nil
		}
		if len(exact) > 1 {
			exact = append(exact, ',')
		}
		exact = append(append(exact, jsonText(n)...), ':')
		exact = append(exact, raw...)
		return nil
	})
	if err != nil {
		return none, fmt.Errorf("auth: claims: %w", err)
	}
	if err := json.Unmarshal(append(exact, '}'), &value); err != nil {
		return none, fmt.Errorf("auth: claims: %w", err)
	}
	return value, nil
}

// fieldNames returns the names that encoding/json decodes into fields of t, or
// nil where t takes any name.
func fieldNames(t reflect.Type) map[string]bool {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]()) {
		return nil
	}
	names := map[string]bool{}
	for _, f := range reflect.VisibleFields(t) {
		tag := f.Tag.Get("json")
		name, _, _ := strings.Cut(tag, ",")
		switch {
		case tag == "-", !f.IsExported():
		case name != "":
			names[name] = true
		case !f.Anonymous:
			names[f.Name] = true
		}
	}
	return names
}
