package main

import (
	"context"
	"fmt"
	"log"
	"net/http"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/store/memstore"
)

func main() {
	keys, err := auth.NewAPIKeys(memstore.New(), "demo", nil)
	if err != nil {
		log.Fatal(err)
	}
	ada := &auth.Principal{Subject: "ada", Scopes: []string{"hello"}}
	key, err := keys.Create(context.Background(), ada, nil)
	if err != nil {
		log.Fatal(err)
	}
	guard := auth.NewGuard(auth.Header("X-API-Key", keys), nil).With(auth.Scope("hello"))
	http.Handle("GET /hello", guard.Handle(func(w http.ResponseWriter, r *http.Request, p *auth.Principal) {
		fmt.Fprintln(w, "hello,", p.Subject)
	}))
	fmt.Println("curl -H 'X-API-Key: " + key.Token.Reveal() + "' http://127.0.0.1:8080/hello")
	log.Fatal(http.ListenAndServe("127.0.0.1:8080", nil))
}
