package storetest_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"

	"github.com/seed-077cad0b/auth"
)

// key is what a digest is found by.
func (s *mapStore) key(d auth.Digest) auth.Digest {
	switch s.fault {
	case "has digests without case":
		for i, b := range d {
			if b >= 'a' && b <= 'z' {
				d[i] = b - 'a' + 'A'
			}
		}
	case "trims blanks from digests":
		return auth.Digest(append(bytes.TrimRight(d[:], " \x00"), make([]byte, len(d))...)[:len(d)])
	}
	return d
}

// written is what becomes of a record on its way in.
func (s *mapStore) written(r auth.Record) auth.Record {
	if r.Principal != nil {
		p := *r.Principal
		r.Principal = &p
		s.writtenPrincipal(&p)
	}
	for _, t := range []*time.Time{&r.Created, &r.Expires, &r.KeepUntil, &r.Seen} {
		*t = s.writtenTime(*t)
	}
	switch s.fault {
	case "cuts data at a zero byte":
		r.Data, _, _ = bytes.Cut(r.Data, []byte{0})
	case "cuts data at 65,535 bytes":
		r.Data = r.Data[:min(len(r.Data), 65535)]
	case "loses Disabled":
		r.Disabled = false
	case "makes a principal for a mark":
		if r.Principal == nil {
			r.Principal = &auth.Principal{}
		}
	}
	return r
}

func (s *mapStore) writtenPrincipal(p *auth.Principal) {
	switch s.fault {
	case "loses a tier":
		p.Tier = ""
	case "loses the client":
		p.Credential.ClientID = ""
	case "loses the audience":
		p.Credential.Audience = nil
	case "loses the ACR":
		p.Origin.ACR = ""
	case "loses the origin's time":
		p.Origin.Time = time.Time{}
	case "loses a burst":
		p.Rate.Burst = 0
	case "takes no networks for any":
		if p.Networks != nil && len(p.Networks.Prefixes()) == 0 {
			p.Networks = nil
		}
	case "drops empty scopes":
		p.Scopes = strings.Fields(strings.Join(p.Scopes, " "))
	case "mends texts that are not UTF-8":
		p.Subject = strings.ToValidUTF8(p.Subject, "\ufffd")
	case "compacts claims":
		var b bytes.Buffer
		if json.Compact(&b, p.Claims) == nil {
			p.Claims = b.Bytes()
		}
	}
}

func (s *mapStore) writtenTime(t time.Time) time.Time {
	t = t.UTC().Truncate(time.Microsecond)
	switch {
	case s.fault == "keeps times in seconds" && t.Year() < 9999:
		t = t.Truncate(time.Second)
	case s.fault == "keeps times in nanoseconds":
		if !t.IsZero() {
			t = time.Unix(0, t.UnixNano()).UTC()
		}
	}
	return t
}

// read is what becomes of a record on its way out.
func (s *mapStore) read(r auth.Record) auth.Record {
	switch s.fault {
	case "has times in another zone":
		r.Created = r.Created.In(time.FixedZone("", 3600))
	case "has 1970 for no time":
		if r.Expires.IsZero() {
			r.Expires = time.Unix(0, 0).UTC()
		}
	}
	return r
}
