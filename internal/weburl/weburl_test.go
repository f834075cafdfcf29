package weburl_test

import (
	"testing"

	"github.com/seed-077cad0b/auth/internal/weburl"
	"github.com/stretchr/testify/require"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]error{
		"https://api.example":             nil,
		"https://api.example:8443/a/b?c":  nil,
		"http://127.0.0.1:8080":           nil,
		"http://127.8.7.6":                nil,
		"http://[::1]/":                   nil,
		"http://localhost/":               nil,
		"http://LOCALHOST":                nil,
		"":                                weburl.ErrForm,
		"https://":                        weburl.ErrForm,
		"https:///path":                   weburl.ErrForm,
		"https://:443/":                   weburl.ErrForm,
		"https:api.example":               weburl.ErrForm,
		"//api.example":                   weburl.ErrScheme,
		"https://a b":                     weburl.ErrForm,
		"https://api.example/%zz":         weburl.ErrForm,
		"https://user@api.example":        weburl.ErrUser,
		"https://:secret@api.example":     weburl.ErrUser,
		"https://api.example#":            weburl.ErrFragment,
		"https://api.example/a#b":         weburl.ErrFragment,
		"http://api.example":              weburl.ErrScheme,
		"http://127.0.0.1.example":        weburl.ErrScheme,
		"http://localhost.example":        weburl.ErrScheme,
		"http://0.0.0.0":                  weburl.ErrScheme,
		"http://10.0.0.1":                 weburl.ErrScheme,
		"ftp://127.0.0.1":                 weburl.ErrScheme,
		"javascript://127.0.0.1/%0aalert": weburl.ErrScheme,
	} {
		u, err := weburl.Parse(text)
		require.ErrorIs(t, err, want, "%q", text)
		require.Equal(t, want == nil, u != nil, "%q", text)
	}
	for host, want := range map[string]bool{"127.0.0.1": true, "127.1.2.3": true, "::1": true, "localhost": false, "127.0.0.1.": false, "::ffff:127.0.0.1": true, "": false, "10.0.0.1": false} {
		require.Equal(t, want, weburl.IsLoopback(host), "%q", host)
	}
}
