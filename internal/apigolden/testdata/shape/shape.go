package shape

import (
	"io"
	"time"
)

const Limit = 3

const hidden = 4

type Colour string

const Red Colour = "red"

var ErrShape error

type Point struct {
	X, Y int
	note string
	io.Reader
}

func (p Point) Area(scale int) float64 { return 0 }

func (p *Point) Move(by time.Duration) { _ = p.note + string(rune(hidden)) }

func (p *Point) secret() {}

type Box[T any] struct{ Value T }

func (b Box[T]) Open() (T, error) { b.close(); return b.Value, nil }

func (b Box[T]) close() { (&Point{}).secret() }

type Shape interface {
	Area(scale int) float64
	sealed()
}

type Dot = Point

func Make[T any](value T, rest ...string) *Box[T] { return &Box[T]{Value: value} }
