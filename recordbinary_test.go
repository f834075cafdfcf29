package auth_test

import (
	"encoding/hex"
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
)

// binaryRecords are records that differ in every field.
func binaryRecords(tb testing.TB) map[string]auth.Record {
	tb.Helper()
	at := time.Date(2026, 11, 22, 8, 0, 0, 123456000, time.UTC)
	networks, err := auth.ParseNetworks("192.0.2.0/24, 2001:db8::/32, 198.51.100.7")
	require.NoError(tb, err)
	none, err := auth.NewNetworks([]netip.Prefix{}...)
	require.NoError(tb, err)
	full := auth.Record{
		Kind: auth.KindSession, Owner: auth.DigestOf("owner", "ada"), Revision: 1<<64 - 1,
		Created: at, Expires: at.Add(time.Hour), KeepUntil: at.Add(2 * time.Hour), Seen: at.Add(time.Minute),
		Disabled: true, Data: []byte("\x00\xff data"),
		Principal: &auth.Principal{
			Issuer: "https://issuer.example", Tenant: "tenant", Subject: "su\x00bject \U0001F511", Tier: "gold",
			Scopes: []string{"read", "", "write"},
			Origin: auth.Origin{Kind: auth.KindAPIKey, ID: "origin", Time: at.Add(-time.Hour)},
			Credential: auth.Credential{
				ID: "id", Kind: auth.KindSession, Name: "name", Family: "family", Confirmation: "jkt",
				Created: at.Add(time.Second), Expires: at.Add(time.Hour),
			},
			Claims:   json.RawMessage(`{"a": 1}`),
			Networks: networks,
			Rate:     auth.Rate{Limit: 10, Per: time.Minute, Burst: 20},
		},
	}
	nowhere := full
	p := *full.Principal
	p.Networks = none
	nowhere.Principal = &p
	client := full
	q := *full.Principal
	q.Credential.ClientID, q.Credential.Audience, q.Origin.ACR = "web", []string{"https://api.example", "https://other.example"}, "urn:example:mfa"
	client.Principal = &q
	early := full
	early.Created, early.Expires = time.Time{}, time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC)
	return map[string]auth.Record{
		"empty": {}, "full": full, "nowhere": nowhere, "edges of time": early, "client": client,
		"client alone":   {Principal: &auth.Principal{Subject: "ada", Credential: auth.Credential{ClientID: "web"}}},
		"audience alone": {Principal: &auth.Principal{Subject: "ada", Credential: auth.Credential{Audience: []string{"https://api.example"}}}},
		"ACR alone":      {Principal: &auth.Principal{Subject: "ada", Origin: auth.Origin{ACR: "urn:example:mfa"}}},
		"mark":           {Kind: auth.KindMark, Revision: 1, Created: at},
		"principal":      {Principal: &auth.Principal{Subject: "ada"}},
	}
}

func TestRecordComesBackFromItsBinaryForm(t *testing.T) {
	for name, r := range binaryRecords(t) {
		t.Run(name, func(t *testing.T) {
			data, err := r.MarshalBinary()
			require.NoError(t, err)
			var got auth.Record
			require.NoError(t, got.UnmarshalBinary(data))
			require.Equal(t, r, got)
			clear(data)
			require.Equal(t, r, got, "something of the form was kept")
		})
	}
}

func TestBinaryRecordIsTakenWholeOrNotAtAll(t *testing.T) {
	kept := auth.Record{Kind: "kept"}
	for _, name := range []string{"full", "client"} {
		data, err := binaryRecords(t)[name].MarshalBinary()
		require.NoError(t, err)
		for n := range data {
			require.Error(t, kept.UnmarshalBinary(data[:n]), "cut after %d of %d bytes", n, len(data))
		}
		require.Error(t, kept.UnmarshalBinary(append(data, 0)))
		for version := range byte(5) {
			other := append([]byte{version}, data[1:]...)
			if version != data[0] {
				require.Error(t, kept.UnmarshalBinary(other), "%s in version %d", name, version)
			}
		}
	}
	require.Equal(t, auth.Record{Kind: "kept"}, kept)
}

// storedRecord is the full record as version 1 keeps it in databases.
const storedRecord = "" +
	"010773657373696f6ef8c575d784c9710b3313ca9e561de3ba4b992ac65d12ce2b9aa7b8becc9be1bfffffffffffffffff000660d8dd2c22" +
	"40000660d9b3bfc640000660da8a536a40000660d8e0bfa940010700ff2064617461011668747470733a2f2f6973737565722e6578616d70" +
	"6c650674656e616e740d737500626a65637420f09f949104676f6c6403047265616400057772697465076170695f6b6579066f726967696e" +
	"000660d806987e400269640773657373696f6e046e616d650666616d696c79036a6b74000660d8dd3b6480000660d9b3bfc640087b226122" +
	"3a20317d1480e0ba84bf0328010304c00002001804c6336407201020010db800000000000000000000000020"

// storedClientRecord is what version 2 adds to the full record: a client, two
// audiences and an ACR.
const storedClientRecord = "" +
	"03776562021368747470733a2f2f6170692e6578616d706c651568747470733a2f2f6f746865722e6578616d706c650f75726e3a6578616d706c653a6d6661"

// A record without client, audience and ACR has the form of version 1, which
// processes read that do not know the second; one with any of them has not, as
// they would pass over it.
func TestBinaryRecordHasTheLeastVersion(t *testing.T) {
	for name, r := range binaryRecords(t) {
		data, err := r.MarshalBinary()
		require.NoError(t, err)
		want := byte(1)
		if strings.HasPrefix(name, "client") || strings.HasSuffix(name, "alone") {
			want = 2
		}
		require.Equal(t, want, data[0], name)
	}
	r := binaryRecords(t)["full"]
	data, err := r.MarshalBinary()
	require.NoError(t, err)
	require.Equal(t, storedRecord, hex.EncodeToString(data), "as before there was a second")
	client, err := binaryRecords(t)["client"].MarshalBinary()
	require.NoError(t, err)
	require.Equal(t, "02"+storedRecord[2:]+storedClientRecord, hex.EncodeToString(client))

	// Version 2 with nothing new in it is a second form of the same.
	require.Error(t, new(auth.Record).UnmarshalBinary(append(append([]byte{2}, data[1:]...), 0, 0, 0)))

	p := *r.Principal
	p.Credential.Audience = []string{}
	r.Principal = &p
	again, err := r.MarshalBinary()
	require.NoError(t, err)
	require.Equal(t, data, again, "an empty list is none")
}

func TestStoredRecordsStayReadable(t *testing.T) {
	data, err := hex.DecodeString(storedRecord)
	require.NoError(t, err)
	var r auth.Record
	require.NoError(t, r.UnmarshalBinary(data))
	require.Equal(t, binaryRecords(t)["full"], r)
}

func FuzzRecordBinary(f *testing.F) {
	seeds := 0
	for _, r := range binaryRecords(f) {
		data, err := r.MarshalBinary()
		require.NoError(f, err)
		f.Add(data)
		seeds++
	}
	require.Equal(f, 10, seeds)
	f.Fuzz(func(t *testing.T, data []byte) {
		var r, again auth.Record
		if r.UnmarshalBinary(data) != nil {
			return
		}
		form, err := r.MarshalBinary()
		require.NoError(t, err)
		require.NoError(t, again.UnmarshalBinary(form))
		require.Equal(t, r, again)
	})
}

func BenchmarkRecordBinary(b *testing.B) {
	r := binaryRecords(b)["full"]
	p := *r.Principal
	p.Networks, r.Principal = nil, &p
	data, err := r.MarshalBinary()
	require.NoError(b, err)
	b.Run("append", func(b *testing.B) {
		b.ReportAllocs()
		buf := make([]byte, 0, 1024)
		for b.Loop() {
			_, _ = r.AppendBinary(buf)
		}
	})
	b.Run("unmarshal", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := r.UnmarshalBinary(data); err != nil {
				b.Fatal(err)
			}
		}
	})
}
