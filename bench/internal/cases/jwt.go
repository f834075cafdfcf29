package cases

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/bench/internal/measure"
	"github.com/seed-077cad0b/auth/bench/internal/peers"
)

func jwtCases() []measure.Case {
	cold := measure.Case{Table: "JWT", Name: "HS256, cold"}
	forged := measure.Case{Table: "JWT", Name: "HS256, forged"}
	enter := func(guard func(peers.Check) (peers.Middleware, error), forge bool) func() (*measure.Entry, error) {
		return func() (*measure.Entry, error) {
			secret := make([]byte, 32)
			_, _ = rand.Read(secret)
			c := peers.Check{Algorithm: "HS256", Private: secret, Public: secret, Issuer: "https://issuer.example", Audience: "https://api.example"}
			m, err := guard(c)
			if err != nil {
				return nil, err
			}
			now := time.Now()
			token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"iss": c.Issuer, "aud": c.Audience, "sub": "user-1234567890",
				"iat": now.Unix(), "exp": now.Add(time.Hour).Unix(), "jti": "f1e2d3c4b5a6", "scope": "data:read data:write"}).SignedString(secret)
			if err != nil {
				return nil, err
			}
			want := 200
			if forge {
				want = 401
				token = token[:len(token)-10] + "AAAA" + token[len(token)-6:]
			}
			r := httptest.NewRequest("GET", "/", nil)
			r.Header.Set("Authorization", "Bearer "+token)
			h := m(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
			return &measure.Entry{Round: measure.Serve(h, want, r)}, nil
		}
	}
	us := func(c peers.Check) (peers.Middleware, error) {
		key, err := auth.NewHMACKey("", auth.HS256, c.Public.([]byte))
		if err != nil {
			return nil, err
		}
		keys, err := auth.NewKeys(key)
		if err != nil {
			return nil, err
		}
		j, err := auth.NewJWT(c.Issuer, c.Audience, keys, &auth.JWTOptions{CacheSize: -1})
		if err != nil {
			return nil, err
		}
		_ = context.Background()
		g := auth.NewGuard(auth.Bearer(j), &auth.GuardOptions{InsecureHTTP: true})
		return g.Wrap, nil
	}
	for _, c := range []*measure.Case{&cold, &forged} {
		forge := c == &forged
		c.Contenders = append(c.Contenders, measure.Contender{Name: "auth", Enter: enter(us, forge)})
		for _, p := range peers.JWTs {
			c.Contenders = append(c.Contenders, measure.Contender{Name: p.Name, Module: p.Module, Wanted: 5, Enter: enter(p.Guard, forge)})
		}
	}
	_ = fmt.Sprint
	return []measure.Case{cold, forged}
}
