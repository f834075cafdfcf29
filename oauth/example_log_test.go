package oauth_test

import (
	"log/slog"
	"net/http/httptest"
	"os"
	"strings"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/oauth"
	"github.com/seed-077cad0b/auth/store/memstore"
)

// The log tells of a guess at a client's secret whose it was and where it came
// from; the client is told neither that the name was right nor why it was refused.
func ExampleLogTo() {
	withoutTime := func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == "error" {
			return slog.Attr{}
		}
		return a
	}
	log := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: withoutTime}))

	_, kept := oauth.NewClientSecret()
	server := must(oauth.NewServer(oauth.Config{
		Issuer: "https://login.example.com",
		Store:  memstore.New(),
		Keys:   must(auth.NewKeys(must(auth.GenerateKey(auth.ES256)))),
		Clients: must(oauth.NewClientList(&oauth.Client{
			ID:      "reports",
			Secrets: []oauth.ClientSecret{kept},
			Grants:  []oauth.GrantType{oauth.ClientCredentials},
		})),
		Resources: []string{"https://api.example.com"},
		Observe:   oauth.LogTo(log),
	}))
	guess := httptest.NewRequest("POST", "/oauth/token", strings.NewReader("grant_type=client_credentials"))
	guess.RemoteAddr = "127.0.0.1:4242"
	guess.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	guess.SetBasicAuth("reports", "open-sesame")
	server.ServeHTTP(httptest.NewRecorder(), guess)
	// Output:
	// level=WARN msg="oauth refused" endpoint=token client=reports code=invalid_client address=127.0.0.1
}
