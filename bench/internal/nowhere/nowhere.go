// Package nowhere answers requests without a connection.
package nowhere

import "net/http"

// A Writer is a ResponseWriter that keeps the header and the status, and drops the
// body. The status is zero until it is written.
type Writer struct {
	Fields http.Header
	Status int
}

// NewWriter returns a Writer to which nothing is written yet.
func NewWriter() *Writer { return &Writer{Fields: http.Header{}} }

// Header implements [http.ResponseWriter].
func (w *Writer) Header() http.Header { return w.Fields }

// Write implements [http.ResponseWriter].
func (w *Writer) Write(p []byte) (int, error) { return len(p), nil }

// WriteHeader implements [http.ResponseWriter].
func (w *Writer) WriteHeader(status int) { w.Status = status }
