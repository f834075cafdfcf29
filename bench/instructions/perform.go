package main

import (
	"fmt"
	"reflect"
	"runtime"
	"strings"

	"golang.org/x/sys/cpu"
)

// An operation is what is counted.
type operation struct {
	name string

	// times is how often it is done between the marks: often enough for what happens
	// now and then, such as the allocator's next page, to come out even.
	times int

	// prepare makes all that it needs, and returns it. Its error is that what was
	// done is not what is meant.
	prepare func() (func() error, error)
}

// Thread 1 of the process, which alone is counted, is that of main. What goes on
// in the background has other threads.
func init() { runtime.LockOSThread() }

// mark is where valgrind writes down what it has counted, and begins anew.
//
//go:noinline
func mark() {}

// An operation is prepared several times and done by each in turn, as maps and caches
// have random seeds: what is counted is as good as their average.
const instances = 8

// warmUp is how often each does it before it is counted.
const warmUp = 16

func perform(name string) error {
	for _, o := range operations {
		if o.name == name {
			return o.perform()
		}
	}
	return fmt.Errorf("no operation is called %q", name)
}

func (o *operation) perform() error {
	var do [instances]func() error
	for i := range do {
		var err error
		if do[i], err = o.prepare(); err != nil {
			return err
		}
	}
	for i := range warmUp * instances {
		if err := do[i%instances](); err != nil {
			return err
		}
	}
	mark()
	var err error
	for i := range o.times {
		err = do[i%instances]()
	}
	mark()
	return err
}

// processor returns the optional features of the processor that the program may use, after
// what GODEBUG takes away.
func processor() string {
	names := []string{runtime.GOARCH}
	for _, features := range []any{cpu.X86, cpu.ARM64} {
		v := reflect.ValueOf(features)
		for i := range v.NumField() {
			if f := v.Field(i); f.Kind() == reflect.Bool && f.Bool() {
				names = append(names, strings.ToLower(strings.TrimPrefix(v.Type().Field(i).Name, "Has")))
			}
		}
	}
	return strings.Join(names, " ")
}
