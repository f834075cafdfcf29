package memstore_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/store/memstore"
)

// full returns a Principal with something in every field that can be copied, all
// of it following from seed. It knows every type that a field has: one that a
// field gets one day must be taught here, and to the store's copier.
func full(t testing.TB, seed int) *auth.Principal {
	p, n := new(auth.Principal), 0
	var fill func(v reflect.Value, name string)
	fill = func(v reflect.Value, name string) {
		n++
		text := func(i int) string { return strings.Repeat(fmt.Sprintf("%s %d.%d ", name, seed, i), 1+n%3) }
		switch x := v.Addr().Interface().(type) {
		case *time.Time:
			*x = time.UnixMicro(1_800_000_000_000_000 + int64(1000*seed+n)).UTC()
		case *[]string:
			for i := range 1 + seed%3 {
				*x = append(*x, text(i))
			}
		case *int:
			*x = seed + n
		case *time.Duration:
			*x = time.Duration(seed + n)
		default:
			switch {
			case v.Kind() == reflect.String:
				v.SetString(text(0))
			case v.Type().ConvertibleTo(reflect.TypeFor[[]byte]()):
				v.SetBytes([]byte(text(0)))
			case v.Kind() == reflect.Struct:
				for i := range v.NumField() {
					if f := v.Type().Field(i); f.IsExported() && f.Type != reflect.TypeFor[*auth.Networks]() {
						fill(v.Field(i), name+f.Name)
					}
				}
			default:
				t.Fatalf("%s is of a type unknown here: %v", name, v.Type())
			}
		}
	}
	fill(reflect.ValueOf(p).Elem(), "")
	return p
}

// memory returns the address of all that v points to.
func memory(v reflect.Value) (at []unsafe.Pointer) {
	switch {
	case v.Kind() == reflect.String && v.Len() > 0:
		at = append(at, unsafe.Pointer(unsafe.StringData(v.String())))
	case v.Kind() == reflect.Slice && !v.IsNil():
		at = append(at, v.UnsafePointer())
		for i := range v.Len() {
			at = append(at, memory(v.Index(i))...)
		}
	case v.Kind() == reflect.Pointer && !v.IsNil():
		at = append(append(at, v.UnsafePointer()), memory(v.Elem())...)
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			at = append(at, memory(v.Field(i))...)
		}
	}
	return at
}

func TestEveryFieldIsCopied(t *testing.T) {
	s, ctx := memstore.New(), t.Context()
	for i := range 2000 { // in each shard several, that share with each other
		r := session(full(t, i/500), i)
		require.NoError(t, s.Insert(ctx, numbered(i), r))
		got, err := s.Lookup(ctx, numbered(i))
		require.NoError(t, err)
		require.Equal(t, r.Principal, got.Principal)
		if i%100 == 0 {
			const most = 64 << 10 // of a chunk
			for _, at := range memory(reflect.ValueOf(got.Principal)) {
				require.NotContains(t, memory(reflect.ValueOf(r.Principal)), at)
				require.Less(t, max(uintptr(at), uintptr(unsafe.Pointer(got.Principal)))-
					min(uintptr(at), uintptr(unsafe.Pointer(got.Principal))), uintptr(most))
			}
		}
	}
}

// A field that holds a pointer to something new is kept apart. That is right, but
// it may be worth more: change this when it is.
func TestWhatIsKeptApart(t *testing.T) {
	var want []uintptr
	for _, name := range []string{"Networks", "presented"} {
		field, ok := reflect.TypeFor[auth.Principal]().FieldByName(name)
		require.True(t, ok)
		want = append(want, field.Offset)
	}
	require.Equal(t, want, memstore.Strange)
}

func TestEmptyFieldsComeBackAsTheyAre(t *testing.T) {
	s, ctx := memstore.New(), t.Context()
	text := "text"
	for i, p := range []*auth.Principal{
		{},
		{Scopes: []string{}, Claims: []byte{}, Credential: auth.Credential{Audience: []string{}}},
		{Scopes: []string{""}, Subject: text[:0], Tier: text},
		{Scopes: []string{"", "a", ""}, Claims: []byte(text)[:0:2]},
		full(t, 1),
	} {
		for range 2 { // the second has one before that is the same
			d := auth.Digest{byte(i)}
			r := auth.Record{Kind: auth.KindSession, Principal: p, Revision: 1}
			require.NoError(t, s.Insert(ctx, d, r))
			got, err := s.Take(ctx, d)
			require.NoError(t, err)
			require.Equal(t, r, got)
			for _, at := range memory(reflect.ValueOf(got.Principal)) {
				require.NotContains(t, memory(reflect.ValueOf(p)), at)
			}
			require.Equal(t, len(got.Principal.Scopes), cap(got.Principal.Scopes)) // appending makes a copy
			require.Equal(t, len(got.Principal.Claims), cap(got.Principal.Claims))
		}
	}
}

func TestTimesOfPrincipalsAreInUTC(t *testing.T) {
	s, ctx := memstore.New(), t.Context()
	at := time.Now().In(time.FixedZone("somewhere", 3600))
	r := session(&auth.Principal{Subject: "somebody", Origin: auth.Origin{Time: at}}, 0)
	require.NoError(t, s.Insert(ctx, numbered(0), r))
	runtime.GC()
	got, err := s.Lookup(ctx, numbered(0))
	require.NoError(t, err)
	require.Equal(t, at.UTC(), got.Principal.Origin.Time)
	require.Equal(t, time.UTC, got.Principal.Origin.Time.Location())
}

// apart returns records that are too large to be copied, or cannot be.
func apart(t *testing.T) map[string]auth.Record {
	networks, err := auth.NewNetworks(netip.MustParsePrefix("192.0.2.0/24"))
	require.NoError(t, err)
	limited, large := *full(t, 1), *full(t, 2)
	limited.Networks, large.Claims = networks, bytes.Repeat([]byte("large "), 20_000)
	data := session(full(t, 3), 3)
	data.Data = large.Claims
	return map[string]auth.Record{"networks": session(&limited, 1), "claims": session(&large, 2), "data": data}
}

func TestWhatCannotBeCopiedIsHandedOutAsItIs(t *testing.T) {
	for name, r := range apart(t) {
		t.Run(name, func(t *testing.T) {
			s, ctx, d := memstore.New(), t.Context(), numbered(0)
			for range 3 { // numbers are given anew
				requireSame := func() {
					t.Helper()
					got, err := s.Lookup(ctx, d)
					require.NoError(t, err)
					require.Same(t, r.Principal, got.Principal)
					require.Equal(t, r.Data, got.Data)
				}
				require.NoError(t, s.Insert(ctx, d, r))
				requireSame()

				small := session(full(t, 4), 4)
				small.Revision = r.Revision + 1
				require.NoError(t, s.Replace(ctx, d, small))
				got, err := s.Lookup(ctx, d)
				require.NoError(t, err)
				require.Equal(t, small.Principal, got.Principal)

				r.Revision += 2
				require.NoError(t, s.Replace(ctx, d, r))
				requireSame()
				require.NoError(t, second(s.Take(ctx, d)))
			}
		})
	}
}

func TestWhatIsUnchangedStaysWhereItIs(t *testing.T) {
	s, ctx := memstore.New(), t.Context()
	d, r := owned(1)
	require.NoError(t, s.Insert(ctx, d, r))
	first, err := s.Lookup(ctx, d)
	require.NoError(t, err)
	replaced := func(change func(*auth.Record)) auth.Record {
		r, err := s.Lookup(ctx, d)
		require.NoError(t, err)
		r.Revision++
		r.Data = slices.Clone(r.Data)
		change(&r)
		require.NoError(t, s.Replace(ctx, d, r))
		require.NoError(t, s.Touch(ctx, map[auth.Digest]time.Time{d: time.Now().Add(time.Hour)}))
		got, err := s.Lookup(ctx, d)
		require.NoError(t, err)
		require.Equal(t, r.Principal, got.Principal)
		require.Equal(t, r.Data, got.Data)
		require.Equal(t, r.Disabled, got.Disabled)
		return got
	}
	same := replaced(func(r *auth.Record) { r.Disabled = true })
	require.Same(t, first.Principal, same.Principal)
	require.Same(t, &first.Data[0], &same.Data[0])
	for name, change := range map[string]func(*auth.Record){
		"data":          func(r *auth.Record) { r.Data = append(r.Data, "more"...) },
		"shorter data":  func(r *auth.Record) { r.Data = r.Data[:len(r.Data)/2] },
		"empty data":    func(r *auth.Record) { r.Data = []byte{} },
		"no data":       func(r *auth.Record) { r.Data = nil },
		"principal":     func(r *auth.Record) { r.Principal = full(t, 1) },
		"no principal":  func(r *auth.Record) { r.Principal = nil },
		"kind disabled": func(r *auth.Record) { r.Kind, r.Disabled = auth.KindAPIKey, !r.Disabled },
	} {
		t.Run(name, func(*testing.T) { replaced(change) })
	}
}

// What a look-up has handed out stays as it was, whatever becomes of its record,
// while the garbage collector does nothing but collect.
func TestWhatIsHandedOutStaysAsItIs(t *testing.T) {
	s, ctx := memstore.New(), t.Context()
	const digests, principals = 1500, 40
	want := make([]*auth.Principal, principals)
	for i := range want {
		want[i] = full(t, i)
	}
	// made returns a record all of whose content follows from its revision, in
	// memory that nothing else keeps alive.
	made := func(n uint64) auth.Record {
		r := session(full(t, int(n%principals)), int(n%7))
		r.Revision, r.Data = n, bytes.Repeat([]byte{byte(n)}, int(n%90))
		return r
	}
	check := func(r *auth.Record) bool {
		return reflect.DeepEqual(want[r.Revision%principals], r.Principal) &&
			len(r.Data) == int(r.Revision%90) && bytes.Count(r.Data, []byte{byte(r.Revision)}) == len(r.Data)
	}
	var wrong, seen atomic.Int64
	end, stop := context.WithTimeout(ctx, time.Second)
	defer stop()
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(uint64(g), 0))
			held := make([]auth.Record, 200)
			for i := 0; end.Err() == nil; i++ {
				d := numbered(random.IntN(digests))
				switch r, err := s.Lookup(ctx, d); {
				case err != nil:
					_ = s.Insert(ctx, d, made(random.Uint64N(1e6)))
				case random.IntN(8) == 0:
					_ = s.Replace(ctx, d, made(r.Revision+1))
				case random.IntN(8) == 0:
					_, _ = s.Take(ctx, d)
				default:
					seen.Add(1)
					old := &held[random.IntN(len(held))]
					if !check(&r) || old.Principal != nil && !check(old) {
						wrong.Add(1)
					}
					*old = r
				}
			}
		})
	}
	for end.Err() == nil {
		runtime.GC()
	}
	wg.Wait()
	require.Zero(t, wrong.Load())
	require.NotZero(t, seen.Load())
}
