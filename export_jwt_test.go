package auth

import (
	"context"
	"sync/atomic"

	"github.com/seed-077cad0b/auth/internal/jws"
)

// VerifyJWS checks a token below the claims: its form, its header, and the
// signature by the key of the set that the header names.
func VerifyJWS(text string, keys KeySet) error {
	token, ok := jws.Split(text)
	if !ok {
		return ErrNotMine
	}
	h, err := jws.ParseHeader(token.Header)
	if err != nil {
		return err
	}
	found, err := keys.Lookup(context.Background(), h.KeyID, Algorithm(h.Algorithm))
	if err != nil {
		return err
	}
	_, err = new(buffer).open(&token, Algorithm(h.Algorithm), found)
	return err
}

// CountChecks returns a key like k and the number of signatures that it is
// asked to check.
func CountChecks(k *Key, before func()) (*Key, *atomic.Int64) {
	n := new(atomic.Int64)
	counted := k.jws.Observed(func() {
		n.Add(1)
		before()
	})
	return &Key{counted}, n
}

// NumericDate is the reader of dates.
var NumericDate = numericDate

// CachedTokens returns how many tokens j remembers.
func CachedTokens(j *JWT) (n int) {
	table := j.cache.table.Load()
	if table == nil {
		return 0
	}
	for i := range *table {
		for k := range ways {
			if (*table)[i].slots[k].Load() != nil {
				n++
			}
		}
	}
	return n
}

// CachedTexts returns the texts under which j remembers tokens.
func CachedTexts(j *JWT) (texts []string) {
	for i := range *j.cache.table.Load() {
		for k := range ways {
			if t := (*j.cache.table.Load())[i].slots[k].Load(); t != nil {
				texts = append(texts, t.text)
			}
		}
	}
	return texts
}

// KnownHeaders returns how many headers j has learned.
func KnownHeaders(j *JWT) int { return len(*j.headers.Load()) }
