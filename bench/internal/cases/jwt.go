package cases

import (
	"slices"
	"strings"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/bench/internal/measure"
	"github.com/seed-077cad0b/auth/bench/internal/peers"
)

func jwtCases() []measure.Case {
	return slices.Concat(coldCases(), repeatedCases(), manyCases(), refusedCases())
}

func tokenCase(name string, cores int, contenders ...measure.Contender) measure.Case {
	return measure.Case{Table: "JWT", Name: name, Cores: cores, Processor: cores == 1, Contenders: contenders}
}

var algorithms = []string{"HS256", "RS256", "RS512", "ES256", "EdDSA"}

// Those that more is wanted of, or that stand for the others.
const (
	golangStruct   = "golang-jwt, struct"
	golangMap      = "golang-jwt, map"
	guardianCached = "go-guardian, cache"
)

// coldCases check a token whole every time, so ours has no cache.
func coldCases() []measure.Case {
	var cases []measure.Case
	for _, algorithm := range algorithms {
		work := tokenWork{tokenSpec{Algorithm: algorithm}, repeated}
		c := tokenCase(algorithm+", cold", 1, work.ours(&auth.JWTOptions{CacheSize: -1}, "CacheSize: -1"))
		wanted := 5.0
		if algorithm != "HS256" {
			wanted = 0 // it is the signature that takes the time
			c.Rounds = 11
			c.Contenders = append(c.Contenders, bareCheck(work.spec))
		}
		for _, p := range peers.JWTs() {
			if !p.Caches && (algorithm != "RS512" || p.Name == golangStruct) {
				c.Contenders = append(c.Contenders, work.peer(p, wanted))
			}
		}
		cases = append(cases, c)
	}
	return cases
}

// repeatedCases check one token again and again. For most of the others that is
// the cold case, so only with the first algorithm do all of them take part.
func repeatedCases() []measure.Case {
	var cases []measure.Case
	for i, algorithm := range algorithms {
		work := tokenWork{tokenSpec{Algorithm: algorithm}, repeated}
		c := tokenCase(algorithm+", repeated", 1, work.ours(nil))
		for _, p := range peers.JWTs() {
			if i == 0 || p.Caches || p.Name == golangStruct {
				c.Contenders = append(c.Contenders, work.peer(p, 0))
			}
		}
		cases = append(cases, c)
	}
	return cases
}

// many is how many tokens are in use at a time.
const many = 65536

// manyCases check many tokens in turn, which those with a cache have seen before,
// and have the room for.
func manyCases() []measure.Case {
	work := tokenWork{tokenSpec{}, inTurn}
	one := tokenCase("65,536 tokens, HS256, 1 core", 1)
	two := tokenCase("65,536 tokens, HS256, 2 cores", 2)
	for _, c := range []*measure.Case{&one, &two} {
		c.Contenders = append(c.Contenders, work.ours(&auth.JWTOptions{CacheSize: 2 * many}))
		for _, p := range peers.JWTs() {
			wanted := 0.0
			if p.Name == guardianCached && c == &two {
				wanted = 4
			}
			if p.Caches || p.Name == golangStruct {
				c.Contenders = append(c.Contenders, work.peer(p, wanted))
			}
		}
	}
	return []measure.Case{one, two}
}

// refusedCases refuse what strangers send.
func refusedCases() []measure.Case {
	text := func(s string) func(*issuer) string { return func(*issuer) string { return s } }
	var cases []measure.Case
	for _, what := range []struct {
		name  string
		token func(*issuer) string
	}{
		{"HS256, forged", (*issuer).forged},
		{"RS256, forged", (*issuer).forged},
		{"alg none", (*issuer).unsigned},
		{"random text", text("2f7a51c09e4bd8d36c85f0e1b97a4d26")},
		{"3 parts of junk", text(junk(300))},
		{"16 KiB of junk", text(junk(16 << 10))},
	} {
		algorithm, forged := strings.CutSuffix(what.name, ", forged")
		if !forged {
			algorithm = "HS256"
		}
		work := tokenWork{tokenSpec{Algorithm: algorithm}, refused(what.token)}
		c := tokenCase(what.name, 1, work.ours(nil))
		for _, p := range peers.JWTs() {
			wanted := 0.0
			if what.name == "HS256, forged" && (p.Name == golangStruct || p.Name == golangMap) {
				wanted = 8
			}
			if !p.Caches {
				c.Contenders = append(c.Contenders, work.peer(p, wanted))
			}
		}
		cases = append(cases, c)
	}
	return cases
}
