package storetest

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	mathrand "math/rand/v2"
	"net/netip"
	"reflect"
	"time"

	"github.com/seed-077cad0b/auth"
)

// digest returns a digest that nobody else has.
func digest() (d auth.Digest) {
	_, _ = rand.Read(d[:])
	return d
}

func digests(n int) []auth.Digest {
	ds := make([]auth.Digest, n)
	for i := range ds {
		ds[i] = digest()
	}
	return ds
}

// kind returns a kind that nobody else has.
func kind() auth.Kind { return auth.Kind("kit-" + rand.Text()) }

// record returns a record of an owner and a kind of its own, which is kept for an
// hour. It has little in it, so that a store which loses a field fails where that
// is what matters, see whole.
func record() auth.Record {
	return auth.Record{
		Kind:      kind(),
		Owner:     digest(),
		Principal: &auth.Principal{Subject: rand.Text()},
		Revision:  auth.NewRevision(),
		Created:   now(),
		Expires:   now().Add(time.Minute),
		KeepUntil: now().Add(time.Hour),
		Seen:      now(),
		Data:      []byte(rand.Text()),
	}
}

// whole returns a record with something of its own in every field.
func whole(t *trial) (r auth.Record) {
	t.Helper()
	fill(t, reflect.ValueOf(&r).Elem())
	r.Kind = kind()
	r.Revision = auth.NewRevision()
	r.KeepUntil = now().Add(time.Hour)
	return r
}

// changed returns r as f changes it, its Principal being its own.
func changed(r auth.Record, f func(*auth.Record)) auth.Record {
	if r.Principal != nil {
		p := *r.Principal
		r.Principal = &p
	}
	f(&r)
	return r
}

// next returns what may replace r: another record of the same kind and owner,
// which is kept as long and was seen when r was.
func next(r auth.Record) auth.Record {
	n := record()
	n.Kind, n.Owner, n.Revision, n.KeepUntil, n.Seen = r.Kind, r.Owner, r.Revision+1, r.KeepUntil, r.Seen
	return n
}

// now is the time as stores keep it.
func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// fill puts something random and not zero into v, and into every exported field
// of a structure. Fields that come to the contract's types later are filled, too.
func fill(t *trial, v reflect.Value) {
	t.Helper()
	switch v.Addr().Interface().(type) {
	case *time.Time:
		v.Set(reflect.ValueOf(time.UnixMicro(1e15 + mathrand.Int64N(1e15)).UTC()))
		return
	case *json.RawMessage:
		v.SetBytes([]byte(`{"kit": "` + rand.Text() + `"}`))
		return
	case **auth.Networks:
		v.Set(reflect.ValueOf(networks(t)))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString("kit " + rand.Text())
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(1 + mathrand.Int64N(1e6))
	case reflect.Uint8, reflect.Uint64:
		v.SetUint(1 + mathrand.Uint64N(255))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 3, 3))
		fillAll(t, v)
	case reflect.Array:
		fillAll(t, v)
	case reflect.Struct:
		for field, value := range v.Fields() {
			if field.IsExported() {
				fill(t, value)
			}
		}
	default:
		t.Fatalf("the kit cannot fill in a %v", v.Type())
	}
}

func fillAll(t *trial, v reflect.Value) {
	t.Helper()
	for i := range v.Len() {
		fill(t, v.Index(i))
	}
}

func networks(t *trial) *auth.Networks {
	t.Helper()
	var a [4]byte
	_, _ = rand.Read(a[:])
	n, err := auth.NewNetworks(netip.PrefixFrom(netip.AddrFrom4(a), 32), netip.MustParsePrefix("2001:db8::/32"))
	t.must(err, "NewNetworks")
	return n
}

// diff returns how got differs from what went in, or nothing. What a contract
// lets come back either way, nil and empty lists, is the same.
func diff[V any](want, got V) string {
	return differs("", reflect.ValueOf(&want).Elem(), reflect.ValueOf(&got).Elem())
}

func differs(path string, want, got reflect.Value) string {
	if w, ok := want.Interface().(time.Time); ok {
		g := got.Interface().(time.Time)
		return unless(w.Equal(g) && g.Location() == time.UTC, path, w, g)
	}
	if w, ok := want.Interface().(*auth.Networks); ok {
		g := got.Interface().(*auth.Networks)
		return unless((w == nil) == (g == nil) && w.String() == g.String(), path, w, g)
	}
	if w, ok := want.Interface().([]byte); ok {
		return unless(bytes.Equal(w, got.Bytes()), path, w, got.Bytes())
	}
	switch want.Kind() {
	case reflect.Interface: // the caller's to compare
		return ""
	case reflect.Pointer:
		if want.IsNil() || got.IsNil() {
			return unless(want.IsNil() == got.IsNil(), path, want, got)
		}
		return differs(path, want.Elem(), got.Elem())
	case reflect.Slice:
		if want.Len() != got.Len() {
			return unless(false, path, want, got)
		}
		for i := range want.Len() {
			if d := differs(fmt.Sprintf("%s[%d]", path, i), want.Index(i), got.Index(i)); d != "" {
				return d
			}
		}
		return ""
	case reflect.Struct:
		for i := range want.NumField() {
			field := want.Type().Field(i)
			if !field.IsExported() {
				continue
			}
			if d := differs(path+"."+field.Name, want.Field(i), got.Field(i)); d != "" {
				return d
			}
		}
		return ""
	default:
		return unless(reflect.DeepEqual(want.Interface(), got.Interface()), path, want, got)
	}
}

func unless(ok bool, path string, want, got any) string {
	if ok {
		return ""
	}
	return fmt.Sprintf("%s is %.100q, went in as %.100q", path, fmt.Sprint(got), fmt.Sprint(want))
}
