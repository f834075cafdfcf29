package auth

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"time"
)

// A version begins every binary record. Fields that are added make a new one: a
// process that does not know a restriction must not pass over it. The second
// version has a client, audiences and an ACR. Records without are still written
// in the first, so that processes of both go on beside each other.
const (
	recordVersion       = 1
	recordVersionClient = 2
)

var errRecord = errors.New("auth: malformed or unknown binary form of a record")

// AppendBinary appends the binary form of the record, which is how a [Store] may
// keep it without knowing its fields: it is compact, and [Record.UnmarshalBinary]
// reads it without reflection. It implements [encoding.BinaryAppender]; the error
// is always nil.
func (r Record) AppendBinary(b []byte) ([]byte, error) {
	version := r.version()
	b = append(b, version)
	b = appendText(b, r.Kind)
	b = append(b, r.Owner[:]...)
	b = binary.BigEndian.AppendUint64(b, r.Revision)
	for _, t := range []time.Time{r.Created, r.Expires, r.KeepUntil, r.Seen} {
		b = appendTime(b, t)
	}
	b = appendBool(b, r.Disabled)
	b = appendText(b, r.Data)
	b = appendBool(b, r.Principal != nil)
	if r.Principal != nil {
		b = r.Principal.appendBinary(b)
	}
	if version == recordVersionClient {
		b = r.Principal.appendClient(b)
	}
	return b, nil
}

func (r *Record) version() byte {
	if p := r.Principal; p != nil && (p.Credential.ClientID != "" || len(p.Credential.Audience) > 0 || p.Origin.ACR != "") {
		return recordVersionClient
	}
	return recordVersion
}

// MarshalBinary returns the binary form, see [Record.AppendBinary].
func (r Record) MarshalBinary() ([]byte, error) { return r.AppendBinary(nil) }

// UnmarshalBinary sets r to the record whose binary form is data, of which it
// keeps nothing. Empty Data, Scopes, Audience and Claims become nil; networks stay as they
// were, nil or an empty set. It returns an error for anything else than what
// AppendBinary has made, such as a form that a later version of this package
// writes.
func (r *Record) UnmarshalBinary(data []byte) error {
	// One conversion for all texts: they share its memory.
	d := decoder{text: string(data)}
	version := d.byte()
	if version != recordVersion && version != recordVersionClient {
		return errRecord
	}
	var n Record
	n.Kind = Kind(d.string())
	copy(n.Owner[:], d.take(len(n.Owner)))
	n.Revision = d.uint64()
	for _, t := range []*time.Time{&n.Created, &n.Expires, &n.KeepUntil, &n.Seen} {
		*t = d.time()
	}
	n.Disabled = d.bool()
	n.Data = d.bytes()
	if d.bool() {
		n.Principal = &Principal{}
		n.Principal.decode(&d)
		if version == recordVersionClient {
			n.Principal.decodeClient(&d)
		}
	}
	if n.version() != version {
		d.fail() // each record has one form
	}
	if d.bad || d.text != "" {
		return errRecord
	}
	*r = n
	return nil
}

func (p *Principal) appendBinary(b []byte) []byte {
	for _, text := range []string{p.Issuer, p.Tenant, p.Subject, p.Tier} {
		b = appendText(b, text)
	}
	b = appendList(b, p.Scopes)
	b = appendText(b, p.Origin.Kind)
	b = appendText(b, p.Origin.ID)
	b = appendTime(b, p.Origin.Time)
	c := &p.Credential
	for _, text := range []string{c.ID, string(c.Kind), c.Name, c.Family, c.Confirmation} {
		b = appendText(b, text)
	}
	b = appendTime(b, c.Created)
	b = appendTime(b, c.Expires)
	b = appendText(b, p.Claims)
	b = binary.AppendVarint(b, int64(p.Rate.Limit))
	b = binary.AppendVarint(b, int64(p.Rate.Per))
	b = binary.AppendVarint(b, int64(p.Rate.Burst))
	b = appendBool(b, p.Networks != nil)
	if p.Networks != nil {
		b = p.Networks.appendBinary(b)
	}
	return b
}

func (p *Principal) decode(d *decoder) {
	for _, text := range []*string{&p.Issuer, &p.Tenant, &p.Subject, &p.Tier} {
		*text = d.string()
	}
	p.Scopes = d.strings()
	p.Origin = Origin{Kind: Kind(d.string()), ID: d.string(), Time: d.time()}
	p.Credential = Credential{
		ID: d.string(), Kind: Kind(d.string()), Name: d.string(), Family: d.string(), Confirmation: d.string(),
		Created: d.time(), Expires: d.time(),
	}
	p.Claims = d.bytes()
	p.Rate = Rate{Limit: int(d.varint()), Per: time.Duration(d.varint()), Burst: int(d.varint())}
	if d.bool() {
		p.Networks = d.networks()
	}
}

func (p *Principal) appendClient(b []byte) []byte {
	b = appendText(b, p.Credential.ClientID)
	b = appendList(b, p.Credential.Audience)
	return appendText(b, p.Origin.ACR)
}

func (p *Principal) decodeClient(d *decoder) {
	p.Credential.ClientID = d.string()
	p.Credential.Audience = d.strings()
	p.Origin.ACR = d.string()
}

func (n *Networks) appendBinary(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(n.prefixes)))
	for _, p := range n.prefixes {
		address := p.Addr().AsSlice()
		b = append(b, byte(len(address)))
		b = append(b, address...)
		b = append(b, byte(p.Bits()))
	}
	return b
}

func appendText[T ~string | ~[]byte](b []byte, s T) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendList(b []byte, list []string) []byte {
	b = binary.AppendUvarint(b, uint64(len(list)))
	for _, s := range list {
		b = appendText(b, s)
	}
	return b
}

func appendTime(b []byte, t time.Time) []byte {
	return binary.BigEndian.AppendUint64(b, uint64(t.UnixMicro()))
}

func appendBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

// A decoder reads a binary form from its beginning. From the first thing that is
// not as it should be on, it is bad and reads zeros.
type decoder struct {
	text string
	bad  bool
}

// fail makes the decoder bad.
func (d *decoder) fail() { d.text, d.bad = "", true }

// take reads the next n bytes.
func (d *decoder) take(n int) string {
	if n < 0 || n > len(d.text) {
		d.fail()
		return ""
	}
	s := d.text[:n]
	d.text = d.text[n:]
	return s
}

func (d *decoder) byte() byte {
	if s := d.take(1); s != "" {
		return s[0]
	}
	return 0
}

func (d *decoder) bool() bool {
	b := d.byte()
	if b > 1 {
		d.fail()
	}
	return b == 1
}

func (d *decoder) uint64() uint64 {
	var n uint64
	for _, b := range []byte(d.take(8)) {
		n = n<<8 | uint64(b)
	}
	return n
}

func (d *decoder) time() time.Time { return time.UnixMicro(int64(d.uint64())).UTC() }

func (d *decoder) uvarint() uint64 {
	var n uint64
	for shift := 0; shift < 64; shift += 7 {
		b := d.byte()
		n |= uint64(b&0x7f) << shift
		if b < 0x80 {
			if shift > 0 && b == 0 || shift == 63 && b > 1 {
				break // longer than it needs to be, or too large
			}
			return n
		}
	}
	d.fail()
	return 0
}

func (d *decoder) varint() int64 {
	n := d.uvarint()
	return int64(n>>1) ^ -int64(n&1)
}

// count reads how many elements follow, each of at least one byte.
func (d *decoder) count() int {
	n := d.uvarint()
	if n > uint64(len(d.text)) {
		d.fail()
		return 0
	}
	return int(n)
}

func (d *decoder) string() string { return d.take(d.count()) }

func (d *decoder) strings() []string {
	n := d.count()
	if n == 0 {
		return nil
	}
	list := make([]string, n)
	for i := range list {
		list[i] = d.string()
	}
	return list
}

func (d *decoder) bytes() []byte {
	if s := d.string(); s != "" {
		return []byte(s)
	}
	return nil
}

func (d *decoder) networks() *Networks {
	n := d.count()
	if n > maxNetworks {
		d.fail()
		return nil
	}
	var prefixes []netip.Prefix
	for range n {
		address, _ := netip.AddrFromSlice([]byte(d.take(int(d.byte()))))
		p, err := normalPrefix(netip.PrefixFrom(address, int(d.byte())))
		if err != nil {
			d.fail()
			return nil
		}
		prefixes = append(prefixes, p)
	}
	return newNetworks(prefixes)
}
