package cases

import (
	"slices"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/bench/internal/measure"
	"github.com/seed-077cad0b/auth/bench/internal/peers"
)

func jwtCases() []measure.Case {
	return slices.Concat(coldCases(), repeatedCases(), manyCases(), refusedCases())
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
		switch algorithm {
		case "HS256":
			c.Contenders = append(c.Contenders, work.peers(everybody(), 5)...)
			c.Contenders = append(c.Contenders, work.oursWrapped(&auth.JWTOptions{CacheSize: -1}))
		case "RS512": // the like of RS256
			c.Contenders = append(c.Contenders, bareCheck(work.spec))
			c.Contenders = append(c.Contenders, work.peers(only(golangStruct), 0)...)
		default:
			c.Contenders = append(c.Contenders, bareCheck(work.spec))
			c.Contenders = append(c.Contenders, work.peers(everybody(golangMap), 0)...)
		}
		if algorithm != "HS256" {
			c.Rounds = 9 // the signature takes the time, and differences are small
		}
		cases = append(cases, c)
	}
	return cases
}

// repeatedCases check one token again and again. For those without a cache that is
// the cold case, so only with the first algorithm do all of them take part.
func repeatedCases() []measure.Case {
	var cases []measure.Case
	for i, algorithm := range algorithms {
		work := tokenWork{tokenSpec{Algorithm: algorithm}, repeated}
		c := tokenCase(algorithm+", repeated", 1, work.ours(nil))
		others := only(golangStruct, guardianCached)
		if i == 0 {
			others = peers.JWTs()
		}
		c.Contenders = append(c.Contenders, work.peers(others, 0)...)
		if i == 0 {
			c.Contenders = append(c.Contenders, work.oursWrapped(nil))
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
	ours := work.ours(&auth.JWTOptions{CacheSize: 2 * many})
	one := tokenCase("65,536 tokens, HS256, 1 core", 1, ours)
	one.Contenders = append(one.Contenders, work.peers(only(golangStruct, guardianCached), 0)...)
	two := tokenCase("65,536 tokens, HS256, 2 cores", 2, ours)
	two.Contenders = append(two.Contenders, work.peers(only(golangStruct), 0)...)
	two.Contenders = append(two.Contenders, work.peers(only(guardianCached), 4)...)
	return []measure.Case{one, two}
}

// refusedCases refuse what strangers send.
func refusedCases() []measure.Case {
	forged := tokenWork{tokenSpec{}, refused((*issuer).forged)}
	cheap := tokenCase("HS256, forged", 1, forged.ours(nil))
	cheap.Contenders = append(cheap.Contenders, forged.peers(only(golangStruct, golangMap), 8)...)
	cheap.Contenders = append(cheap.Contenders, forged.peers(everybody(golangStruct, golangMap), 0)...)

	forged.spec.Algorithm = "RS256"
	dear := tokenCase("RS256, forged", 1, forged.ours(nil))
	dear.Contenders = append(dear.Contenders, forged.peers(only(golangStruct, "go-jose", "jwx"), 0)...)

	cases := []measure.Case{cheap, dear}
	text := func(s string) func(*issuer) string { return func(*issuer) string { return s } }
	for _, bad := range []struct {
		name  string
		token func(*issuer) string
	}{
		{"alg none", (*issuer).unsigned},
		{"random text", text("2f7a51c09e4bd8d36c85f0e1b97a4d26")},
		{"3 parts of junk", text(junk(300))},
		{"16 KiB of junk", text(junk(16 << 10))},
	} {
		work := tokenWork{tokenSpec{}, refused(bad.token)}
		c := tokenCase(bad.name, 1, work.ours(nil))
		c.Contenders = append(c.Contenders, work.peers(everybody(golangMap), 0)...)
		cases = append(cases, c)
	}
	return cases
}

func tokenCase(name string, cores int, ours measure.Contender) measure.Case {
	return measure.Case{Table: "JWT", Name: name, Cores: cores, Processor: cores == 1, Contenders: []measure.Contender{ours}}
}

// everybody returns the peers that check each token, but for those named.
func everybody(but ...string) []peers.JWT {
	return slices.DeleteFunc(peers.JWTs(), func(p peers.JWT) bool { return p.Caches || slices.Contains(but, p.Name) })
}

// only returns the peers of those names.
func only(names ...string) []peers.JWT {
	return slices.DeleteFunc(peers.JWTs(), func(p peers.JWT) bool { return !slices.Contains(names, p.Name) })
}
