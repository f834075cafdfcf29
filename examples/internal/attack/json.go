package attack

import (
	"encoding/json"
	"fmt"
	"strings"
)

// An object is a JSON object whose members have an order, and may come twice.
// Names and values are JSON text.
type object []member

type member struct{ name, value string }

// parseObject reads what a friend wrote.
func parseObject(text string) (object, error) {
	d := json.NewDecoder(strings.NewReader(text))
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	var o object
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, err
		}
		o = append(o, member{quote(name), string(value)})
	}
	return o, nil
}

func (o object) String() string {
	parts := make([]string, len(o))
	for i, m := range o {
		parts[i] = m.name + ":" + m.value
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// get returns the value of a member as JSON text.
func (o object) get(name string) string {
	for _, m := range o {
		if m.name == quote(name) {
			return m.value
		}
	}
	return ""
}

// set gives a member another value, JSON text, or adds it.
func (o object) set(name, value string) object {
	next := append(object{}, o...)
	for i, m := range next {
		if m.name == quote(name) {
			next[i].value = value
			return next
		}
	}
	return append(next, member{quote(name), value})
}

func (o object) without(name string) object {
	var next object
	for _, m := range o {
		if m.name != quote(name) {
			next = append(next, m)
		}
	}
	return next
}

// add adds a member at the end, whether or not there is one. The name is JSON
// text, so that it can be spelled with escapes.
func (o object) add(name, value string) object {
	return append(append(object{}, o...), member{name, value})
}

// ahead adds a member at the beginning.
func (o object) ahead(name, value string) object {
	return append(object{{name, value}}, o...)
}

// quote returns a value as JSON text.
func quote(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("attack: %v", err)) // texts and lists of texts only
	}
	return string(text)
}
