package storetest

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"

	"github.com/seed-077cad0b/auth"
)

const everyField = "Every field of it and of the Principal comes back as it went in"

// recordClaims hold that records come back whole.
var recordClaims = []claim[opener]{
	{"Record, every field", everyField, func(t *trial, open opener) {
		comesBack := roundTrips(t, open)
		for range 3 {
			comesBack(whole(t))
		}
	}},
	{"Record, one field alone", everyField, func(t *trial, open opener) {
		comesBack := roundTrips(t, open)
		r := whole(t)
		bare := auth.Record{Kind: r.Kind, Revision: r.Revision, Principal: &auth.Principal{Subject: "subject"}}
		comesBack(bare)
		comesBack(auth.Record{Kind: r.Kind})
		for _, f := range []func(*auth.Record){
			func(b *auth.Record) { b.Owner = r.Owner },
			func(b *auth.Record) { b.Created = r.Created },
			func(b *auth.Record) { b.Expires = r.Expires },
			func(b *auth.Record) { b.KeepUntil = r.KeepUntil },
			func(b *auth.Record) { b.Seen = r.Seen },
			func(b *auth.Record) { b.Disabled = true },
			func(b *auth.Record) { b.Data = r.Data },
			func(b *auth.Record) { b.Principal.Origin = r.Principal.Origin },
			func(b *auth.Record) { b.Principal.Origin.ACR = r.Principal.Origin.ACR },
			func(b *auth.Record) { b.Principal.Credential = r.Principal.Credential },
			func(b *auth.Record) { b.Principal.Credential.ClientID = r.Principal.Credential.ClientID },
			func(b *auth.Record) { b.Principal.Credential.Audience = r.Principal.Credential.Audience },
			func(b *auth.Record) { b.Principal.Rate = r.Principal.Rate },
		} {
			comesBack(changed(bare, f))
		}
	}},
	{"Record, times", "Times are in UTC and exact to the microsecond, from the year 1 to 9999.", func(t *trial, open opener) {
		comesBack := roundTrips(t, open)
		for _, at := range []time.Time{
			{},
			time.Date(1, 1, 1, 0, 0, 0, 1000, time.UTC),
			time.Date(1582, 10, 10, 12, 0, 0, 0, time.UTC),
			time.Date(1969, 12, 31, 23, 59, 59, 999_999_000, time.UTC),
			time.Unix(0, 0).UTC(),
			time.Date(2001, 2, 3, 4, 5, 6, 123_456_000, time.UTC),
			time.Date(2038, 1, 19, 3, 14, 8, 999_000, time.UTC),
			time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC),
		} {
			comesBack(changed(whole(t), func(r *auth.Record) {
				r.Created, r.Expires, r.Seen = at, at, at
				r.Principal.Origin.Time, r.Principal.Credential.Created, r.Principal.Credential.Expires = at, at, at
				if at.IsZero() || at.After(time.Now().Add(time.Hour)) {
					r.KeepUntil = at
				}
			}))
		}
	}},
	{"Record, times of other zones", "Times are in UTC and exact to the microsecond", func(t *trial, open opener) {
		s := open(t)
		at := time.Date(2031, 2, 3, 4, 5, 6, 7008, time.FixedZone("east", 5*3600+1800))
		d, r := digest(), record()
		r.Created, r.Expires, r.Seen = at, at, at
		t.insert(s, d, r)
		got, err := s.Lookup(t.ctx, d)
		t.must(err, "Lookup")
		for _, back := range []time.Time{got.Created, got.Expires, got.Seen} {
			equal(t, back.Location(), time.UTC, "zone")
			if off := back.Sub(at).Abs(); off >= time.Microsecond {
				t.Fatalf("%v went in, %v came back", at, back)
			}
		}
	}},
	{"Record, empty and nil", everyField, func(t *trial, open opener) {
		comesBack := roundTrips(t, open)
		nowhere, err := auth.NewNetworks()
		t.must(err, "NewNetworks")
		for _, f := range []func(*auth.Record){
			func(r *auth.Record) { r.Data = nil },
			func(r *auth.Record) { r.Data = []byte{} },
			func(r *auth.Record) { r.Principal = nil },
			func(r *auth.Record) { r.Principal = &auth.Principal{Subject: "alone"} },
			func(r *auth.Record) { r.Principal.Scopes, r.Principal.Claims = nil, nil },
			func(r *auth.Record) { r.Principal.Scopes, r.Principal.Claims = []string{}, json.RawMessage{} },
			func(r *auth.Record) { r.Principal.Scopes = []string{"", "a", "", "a"} },
			func(r *auth.Record) { r.Principal.Credential.Audience = nil },
			func(r *auth.Record) { r.Principal.Credential.Audience = []string{} },
			func(r *auth.Record) { r.Principal.Credential.ClientID, r.Principal.Origin.ACR = "", "" },
			func(r *auth.Record) { r.Principal.Networks = nil },
			func(r *auth.Record) { r.Principal.Networks = nowhere },
			func(r *auth.Record) { r.Owner = auth.Digest{} },
			func(r *auth.Record) { r.Disabled = false },
			func(r *auth.Record) { r.Revision = 0 },
		} {
			comesBack(changed(whole(t), f))
		}
	}},
	{"Record, data of 64 KiB", everyField, func(t *trial, open opener) {
		comesBack := roundTrips(t, open)
		every := make([]byte, 256)
		for i := range every {
			every[i] = byte(i)
		}
		for _, data := range [][]byte{
			{0}, {0, 0}, []byte("\x00ends in zeros\x00\x00"), []byte("ends in blanks  "), []byte(`\x00\\`),
			bytes.Repeat(every, 256), bytes.Repeat([]byte{0xff}, 64<<10),
		} {
			comesBack(changed(record(), func(r *auth.Record) { r.Data = data }))
		}
	}},
	{"Record, texts of any bytes", everyField, func(t *trial, open opener) {
		comesBack := roundTrips(t, open)
		for _, text := range []string{
			"\x00", "a\x00b", "\U0001F511 \u00e9 e\u0301", "\xff\xfe not UTF-8 \xed\xa0\x80", " blanks ", "\r\n\t",
			`'; DROP TABLE records; --`, `"\'` + "`", "%s %_ {}[]<>&", strings.Repeat("long", 5000),
		} {
			comesBack(changed(whole(t), func(r *auth.Record) {
				p := r.Principal
				p.Issuer, p.Tenant, p.Subject, p.Tier, p.Scopes = text, text, text, text, []string{text, "", text}
				p.Origin.ID, p.Credential.ID, p.Credential.Name = text, text, text
				p.Credential.Family, p.Credential.Confirmation, p.Credential.ClientID = text, text, text
				p.Credential.Audience, p.Origin.ACR = []string{text, "", text}, text
			}))
		}
	}},
	{"Record, claims verbatim", everyField, func(t *trial, open opener) {
		comesBack := roundTrips(t, open)
		for _, claims := range []string{`{}`, `{ "b":1, "a" : 1.0, "b":2,` + "\n\t" + `"n":12345678901234567890, "e":"\u00e9/\/" }`, `null`} {
			comesBack(changed(record(), func(r *auth.Record) { r.Principal.Claims = json.RawMessage(claims) }))
		}
	}},
	{"Record, digests alike", "A Store remembers credentials: typed records by digest.", func(t *trial, open opener) {
		s := open(t)
		records := map[auth.Digest]auth.Record{}
		d := digest()
		for _, last := range []string{"\x00", "\x01", " ", "a", "A", "\xe4", "\xff", "%", "_", "'", "\\"} {
			for _, at := range []int{0, 16, len(d) - 1} {
				d := d
				d[at] = last[0]
				if _, there := records[d]; !there {
					records[d] = record()
					t.insert(s, d, records[d])
				}
			}
		}
		for d, r := range records {
			t.present(s, d, r)
			t.take(s, d, r)
		}
	}},
}

// roundTrips returns a function that holds that a record comes back from Lookup
// and Take, whether it came by Insert or by Replace, and through which handle.
func roundTrips(t *trial, open opener) func(auth.Record) {
	a, b := open(t), open(t)
	return func(r auth.Record) {
		t.Helper()
		d := digest()
		t.insert(a, d, r)
		t.present(b, d, r)
		t.take(a, d, r)

		before := record()
		before.Revision, before.Seen = r.Revision-1, time.Time{}
		t.insert(a, d, before)
		t.replace(b, d, r)
		t.present(a, d, r)
		t.take(b, d, r)
	}
}
