// Package published answers with documents that are the same for everybody, such
// as metadata that clients look for.
package published

import (
	"fmt"
	"net/http"
	"time"
)

// Serve answers GET and HEAD with the document, which caches keep for as long as
// maxAge, and 405 to all else but the preflights of browsers. Pages of every origin
// may read it, as clients that run in a browser have to.
func Serve(w http.ResponseWriter, r *http.Request, contentType string, maxAge time.Duration, document []byte) {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		h.Set("Content-Type", contentType)
		h.Set("Cache-Control", fmt.Sprintf("public, max-age=%d", int64(maxAge/time.Second)))
		h.Set("X-Content-Type-Options", "nosniff")
		_, _ = w.Write(document)
	case http.MethodOptions:
		// Some clients send a field of their protocol along, which browsers ask
		// about first.
		h.Set("Access-Control-Allow-Methods", "GET, HEAD")
		h.Set("Access-Control-Allow-Headers", "*")
		h.Set("Access-Control-Max-Age", "3600")
		w.WriteHeader(http.StatusNoContent)
	default:
		h.Set("Allow", "GET, HEAD, OPTIONS")
		w.WriteHeader(http.StatusMethodNotAllowed)
	}
}
