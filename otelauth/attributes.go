package otelauth

import (
	"strings"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/seed-077cad0b/auth"
)

// labels are what a decision is counted by.
type labels struct {
	outcome auth.Outcome
	reason  auth.Reason
	limit   string
	kind    auth.Kind
	issued  auth.Kind
}

func (l labels) attributes() []attribute.KeyValue {
	attrs := make([]attribute.KeyValue, 0, 16) // room for what a span is told
	attrs = appendText(attrs, "auth.outcome", string(l.outcome))
	attrs = appendText(attrs, semconv.ErrorTypeKey, string(l.reason))
	attrs = appendText(attrs, "auth.limit", l.limit)
	attrs = appendText(attrs, "auth.credential.kind", string(l.kind))
	return appendText(attrs, "auth.issued.kind", string(l.issued))
}

// coarse are those that a duration depends on.
func (l labels) coarse() labels { return labels{outcome: l.outcome, kind: l.kind} }

// A series is a set of labels in the form that instruments take.
type series struct {
	add    []metric.AddOption
	record []metric.RecordOption
}

func newSeries(l labels) *series {
	return &series{
		add:    []metric.AddOption{optionOf(l)},
		record: []metric.RecordOption{optionOf(l.coarse())},
	}
}

func optionOf(l labels) metric.MeasurementOption {
	return metric.WithAttributeSet(attribute.NewSet(l.attributes()...))
}

// seen remembers the series that there have been: making one sorts and hashes.
type seen struct {
	mu sync.RWMutex
	m  map[labels]*series
}

// maxSeen bounds what is remembered, should an author make reasons or limits up
// as they go.
const maxSeen = 1000

func (s *seen) series(l labels) *series {
	s.mu.RLock()
	known := s.m[l]
	s.mu.RUnlock()
	if known != nil {
		return known
	}
	made := newSeries(l)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.m == nil {
		s.m = map[labels]*series{}
	}
	if len(s.m) < maxSeen {
		s.m[l] = made
	}
	return made
}

// method is any text that a client sends: what HTTP does not know is one value.
func method(m string) attribute.KeyValue {
	switch m {
	case "CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE":
		return semconv.HTTPRequestMethodKey.String(m)
	default:
		return semconv.HTTPRequestMethodOther
	}
}

// route returns the path of a pattern of http.ServeMux, which may begin with a
// method and a host.
func route(pattern string) string {
	if i := strings.IndexByte(pattern, '/'); i >= 0 {
		return pattern[i:]
	}
	return ""
}

func appendText(attrs []attribute.KeyValue, key attribute.Key, text string) []attribute.KeyValue {
	if text == "" {
		return attrs
	}
	return append(attrs, key.String(text))
}

func appendCause(attrs []attribute.KeyValue, err error) []attribute.KeyValue {
	if err == nil {
		return attrs
	}
	return append(attrs, semconv.ExceptionMessage(err.Error()))
}
