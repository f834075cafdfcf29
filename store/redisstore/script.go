package redisstore

import (
	"context"
	"crypto/fips140"
	"crypto/sha1"
	_ "embed"
	"encoding/hex"

	"github.com/redis/rueidis"
)

// A script changes what is under one key, so that it runs on the node that has
// it, whichever that is.
type script struct{ text, sha string }

var (
	//go:embed lua/record.lua
	recordText string
	//go:embed lua/insert.lua
	insertText string
	//go:embed lua/replace.lua
	replaceText string
	//go:embed lua/take.lua
	takeText string
	//go:embed lua/touch.lua
	touchText string
	//go:embed lua/list.lua
	listText string
	//go:embed lua/enlist.lua
	enlistText string
	//go:embed lua/delist.lua
	delistText string
	//go:embed lua/charge.lua
	chargeText string

	insertScript  = newScript(recordText, insertText)
	replaceScript = newScript(recordText, replaceText)
	takeScript    = newScript(recordText, takeText)
	touchScript   = newScript(recordText, touchText)
	enlistScript  = newScript(listText, enlistText)
	delistScript  = newScript(listText, delistText)
	chargeScript  = newScript(chargeText)
)

func newScript(parts ...string) *script {
	text := ""
	for _, p := range parts {
		text += p
	}
	var name [sha1.Size]byte
	// Redis names scripts by SHA-1, on which nothing secret depends.
	fips140.WithoutEnforcement(func() { name = sha1.Sum([]byte(text)) })
	return &script{text, hex.EncodeToString(name[:])}
}

// run runs a script over a key: by its name, and with its text where the node
// does not know it, as after a restart.
func (s *Store) run(ctx context.Context, c *script, key string, args ...string) rueidis.RedisResult {
	answer := s.write(ctx, func() rueidis.Completed { return s.named(c, key, args...) })
	if isUnknown(answer) {
		answer = s.write(ctx, func() rueidis.Completed { return s.spelled(c, key, args...) })
	}
	return answer
}

func (s *Store) named(c *script, key string, args ...string) rueidis.Completed {
	return s.client.B().Evalsha().Sha1(c.sha).Numkeys(1).Key(key).Arg(args...).Build()
}

func (s *Store) spelled(c *script, key string, args ...string) rueidis.Completed {
	return s.client.B().Eval().Script(c.text).Numkeys(1).Key(key).Arg(args...).Build()
}

func isUnknown(answer rueidis.RedisResult) bool {
	e, ok := rueidis.IsRedisErr(answer.Error())
	return ok && e.IsNoScript()
}
