package password_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/password"
)

const unicodeText = "Grüße, 世界 – pässword 😀"

// Row 14: what is stored is Argon2id at OWASP's cost with a salt of its own.
func TestStoredForm(t *testing.T) {
	h, err := password.NewHasher(nil)
	require.NoError(t, err)
	require.Equal(t, password.Params{Memory: 19456, Time: 2, Threads: 1}, h.Params())

	one, err := h.Hash(t.Context(), good)
	require.NoError(t, err)
	two, err := h.Hash(t.Context(), good)
	require.NoError(t, err)
	require.Regexp(t, regexp.MustCompile(`^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$`), one)
	require.NotEqual(t, one, two, "each has its own salt")
	for _, stored := range []string{one, two} {
		m, err := h.Verify(t.Context(), stored, good)
		require.NoError(t, err)
		require.Equal(t, password.Match{OK: true}, m)
	}
	m, err := h.Verify(t.Context(), one, other)
	require.NoError(t, err)
	require.Equal(t, password.Match{}, m)
}

// The hashes are other programs': the reference implementation of Argon2
// (test.c), libxcrypt, Python's hashlib.
func TestKnownAnswers(t *testing.T) {
	h := newCheapHasher(t, password.HashOptions{})
	for _, c := range []struct{ name, stored, password string }{
		{"argon2id", "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", "password"},
		{"argon2id, two lanes", "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc", "password"},
		{"bcrypt 2a", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U"},
		{"bcrypt 2y", "$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U"},
		{"bcrypt 2b", "$2b$05$abcdefghijklmnopqrstuuFiPhXf1sVd3pCCRO.uVh34H/qI/ZsuS", good},
		{"scrypt", "$scrypt$ln=14,r=8,p=1$AAECAwQFBgcICQoLDA0ODw$11kKyiyYAc8G7rp3KmncMc44YlkdllIqxOa7pq0fMaU", good},
		{"scrypt, 64 bytes", "$scrypt$ln=10,r=8,p=2$AAECAwQFBgcICQoLDA0ODw$qd6IOpb4Ve+6D/fyC5TlQkrFhqYgfvzeditL5QRy0vY3b4jhbwquli7gQjxVGvVoPLGywYmOBn/GS+SD9txu9Q", unicodeText},
		{"passlib sha256", "$pbkdf2-sha256$29000$AAECAwQFBgcICQoLDA0ODw$m/kLywdyNwK9GV2kWntRGvZzmeiVsuqehNWlLst2eWY", good},
		{"passlib sha512, with dots", "$pbkdf2-sha512$25000$AAECAwQFBgcICQoLDA0ODw$SD45rjg2efG3ODIHQeklcrq1rgpKrbMw16UwshxvBWLgNENeDWMvNiO.Lj6BUMRx4V/sPJndUTpKWVbG79Akig", good},
		{"PHC pbkdf2", "$pbkdf2-sha256$i=1000$AAECAwQFBgcICQoLDA0ODw$CqzjvW6I44gQnkGpP2yroh0oYIth1PoeeKFKewTuenY", unicodeText},
		{"Django sha256", "pbkdf2_sha256$36000$xkT7eYb3QpLm$C7xX5S/t4hOVcGjqvHHg2SdNV9vAWDJgn6vgM63KCA0=", good},
		{"Django sha512", "pbkdf2_sha512$1000$xkT7eYb3QpLm$qp5gADiMuD1auBSbxnAmMMPDCYZtGSeh2RKX/CsZBbyfIIeYSs/EflQuH9A0+faKreGNW/goGGZkBT55Y7fQfw==", unicodeText},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := h.Verify(t.Context(), c.stored, c.password)
			require.NoError(t, err)
			require.Equal(t, password.Match{OK: true, Outdated: true}, m)
			for _, near := range []string{c.password + " ", c.password + "\x00", c.password + "\x00" + c.password, c.password[1:]} {
				m, err := h.Verify(t.Context(), c.stored, near)
				require.NoError(t, err)
				require.Equal(t, password.Match{}, m, "%q", near)
			}
		})
	}
}

// Rows 14, 56, 57: every byte counts, wherever it is.
func TestNearMisses(t *testing.T) {
	h := newCheapHasher(t, password.HashOptions{})
	long := strings.Repeat("abcdefgh", 9) // 72 bytes
	for _, c := range []struct{ set, tried string }{
		{long + "x", long + "y"},
		{long + "x", long},
		{long, long + "x"},
		{strings.Repeat("a", 1023) + "x", strings.Repeat("a", 1023) + "y"},
		{"before\x00after", "before\x00other"},
		{"before\x00after", "before"},
		{"before", "before\x00"},
		{"Password", "password"},
		{"blank ", "blank"},
		{" blank", "blank"},
		{"tab\t", "tab"},
		{"ﬁ ligature", "fi ligature"}, // NFKC would make them one
		{"é", "e"},
		{"\ufeffx", "x"},
	} {
		stored, err := h.Hash(t.Context(), c.set)
		require.NoError(t, err)
		m, err := h.Verify(t.Context(), stored, c.set)
		require.NoError(t, err)
		require.True(t, m.OK, "%q", c.set)
		m, err = h.Verify(t.Context(), stored, c.tried)
		require.NoError(t, err)
		require.False(t, m.OK, "%q, tried as %q", c.set, c.tried)
	}
}

// Row 56: an é is an é, typed as one character or as two.
func TestNormalisedAlways(t *testing.T) {
	h := newCheapHasher(t, password.HashOptions{})
	composed, decomposed := "caf\u00e9 \u1e9b\u0323", "cafe\u0301 \u017f\u0323\u0307"
	for _, set := range []string{composed, decomposed} {
		stored, err := h.Hash(t.Context(), set)
		require.NoError(t, err)
		for _, tried := range []string{composed, decomposed} {
			m, err := h.Verify(t.Context(), stored, tried)
			require.NoError(t, err)
			require.True(t, m.OK)
		}
	}
}

// bcrypt cannot tell some passwords from others. Those are refused, and cost
// what a refusal costs.
func TestBcryptIsNotTruncated(t *testing.T) {
	h := newCheapHasher(t, password.HashOptions{})
	long := strings.Repeat("abcdefgh", 9)
	hash := func(pw string) string {
		b, err := bcrypt.GenerateFromPassword([]byte(pw), bcrypt.MinCost)
		require.NoError(t, err)
		return string(b)
	}
	for _, c := range []struct {
		set, tried string
		ok         bool
	}{
		{long, long, true},
		{long, long + "x", false},
		{long[:71], long[:71], true},
		{long[:71], long[:71] + "\x00", false},
		{"a\x00b", "a\x00b", true}, // NUL is a byte like others
		{"a\x00b", "a", false},
		{"a", "a\x00b", false},
		{"a", "a", true},
		{"a", "a\x00a", false}, // but bcrypt repeats the password, with a NUL in between
		{"a", "a\x00a\x00a", false},
		{"a", strings.Repeat("a\x00", 36), false},
	} {
		before := h.turns.Load()
		m, err := h.Verify(t.Context(), hash(c.set), c.tried)
		require.NoError(t, err)
		require.Equal(t, c.ok, m.OK, "%q, tried as %q", c.set, c.tried)
		require.Equal(t, before+1, h.turns.Load())
	}
}

// A corrupt or hostile hash does no work, takes no memory, and is no wrong
// password.
func TestUnusableHashes(t *testing.T) {
	h := newCheapHasher(t, password.HashOptions{})
	const (
		salt = "AAECAwQFBgcICQoLDA0ODw"
		key  = "11kKyiyYAc8G7rp3KmncMc44YlkdllIqxOa7pq0fMaU"
	)
	for _, stored := range []string{
		"", "x", "$", "$$$$$", "plain text", good,
		"$argon2i$v=19$m=65536,t=2,p=1$" + salt + "$" + key,
		"$argon2id$m=65536,t=2,p=1$" + salt + "$" + key,
		"$argon2id$v=16$m=65536,t=2,p=1$" + salt + "$" + key,
		"$argon2id$v=19$m=4294967295,t=2,p=1$" + salt + "$" + key,
		"$argon2id$v=19$m=42949672960,t=2,p=1$" + salt + "$" + key,
		"$argon2id$v=19$m=262145,t=1,p=1$" + salt + "$" + key,
		"$argon2id$v=19$m=262144,t=5,p=1$" + salt + "$" + key,
		"$argon2id$v=19$m=64,t=4294967295,p=1$" + salt + "$" + key,
		"$argon2id$v=19$m=64,t=0,p=1$" + salt + "$" + key,
		"$argon2id$v=19$m=64,t=1,p=0$" + salt + "$" + key,
		"$argon2id$v=19$m=64,t=1,p=257$" + salt + "$" + key,
		"$argon2id$v=19$m=7,t=1,p=1$" + salt + "$" + key,
		"$argon2id$v=19$m=064,t=1,p=1$" + salt + "$" + key,
		"$argon2id$v=19$m=+64,t=1,p=1$" + salt + "$" + key,
		"$argon2id$v=19$m=-64,t=1,p=1$" + salt + "$" + key,
		"$argon2id$v=19$t=1,m=64,p=1$" + salt + "$" + key,
		"$argon2id$v=19$m=64,t=1,p=1,data=AA$" + salt + "$" + key,
		"$argon2id$v=19$m=64,t=1,p=1$" + salt + "$",
		"$argon2id$v=19$m=64,t=1,p=1$$" + key,
		"$argon2id$v=19$m=64,t=1,p=1$" + salt + "$" + key[:8],
		"$argon2id$v=19$m=64,t=1,p=1$" + salt + "$" + key + "=",
		"$argon2id$v=19$m=64,t=1,p=1$" + salt + "$" + key[:20] + "\n" + key[20:],
		"$argon2id$v=19$m=64,t=1,p=1$" + salt + "$" + key + "$",
		"$argon2id$v=19$m=64,t=1,p=1$" + strings.Repeat("A", 400) + "$" + key,
		"$argon2id$v=19$m=64,t=1,p=1$" + salt + "$" + strings.Repeat("A", 4000),
		"$hmac-sha256$k=gone$argon2id$v=19$m=64,t=1,p=1$" + salt + "$" + key,
		"$hmac-sha256$k=$argon2id$v=19$m=64,t=1,p=1$" + salt + "$" + key,
		"$hmac-sha256$k=a$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
		"$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOe",
		"$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeWW",
		"$2a$17$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
		"$2a$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
		"$2a$03$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
		"$2a$00$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
		"$2a$5$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeWx",
		"$2x$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
		"$2$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeWx",
		"$2a$05$CCCCCCCCCCCCCCCCCCCC!.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
		"$scrypt$ln=30,r=8,p=1$" + salt + "$" + key,
		"$scrypt$ln=18,r=16,p=1$" + salt + "$" + key,
		"$scrypt$ln=14,r=8,p=1000$" + salt + "$" + key,
		"$scrypt$ln=4294967295,r=4294967295,p=4294967295$" + salt + "$" + key,
		"$scrypt$ln=0,r=8,p=1$" + salt + "$" + key,
		"$scrypt$ln=14,r=8,p=1$" + salt,
		"$pbkdf2-sha256$5000001$" + salt + "$" + key,
		"$pbkdf2-sha256$0$" + salt + "$" + key,
		"$pbkdf2-sha1$1000$" + salt + "$" + key,
		"$pbkdf2-md5$1000$" + salt + "$" + key,
		"$pbkdf2-sha256$1000$" + salt + "$" + strings.Repeat("A", 44), // 33 bytes: twice the work
		"pbkdf2_sha256$1000$$" + key + "=",
		"pbkdf2_sha256$1000$salt$" + key, // no padding
		"pbkdf2_sha1$1000$salt$" + key + "=",
		"pbkdf2_sha256$99999999999$salt$" + key + "=",
	} {
		_, err := h.Verify(t.Context(), stored, good)
		require.ErrorIs(t, err, password.ErrUnusable, "%q", stored)
		if len(stored) > 20 {
			require.NotContains(t, err.Error(), stored[len(stored)-8:], "errors do not show hashes")
		}
	}
	require.Zero(t, h.turns.Load(), "no work was done")
}

// Row 57: a megabyte costs nothing to speak of.
func TestOverlongIsRefusedCheaply(t *testing.T) {
	w := newWorld(t, nil)
	w.register(t)
	before := w.hasher.turns.Load()
	megabyte := strings.Repeat("a", 1<<20)

	_, err := w.hasher.Hash(t.Context(), megabyte)
	require.ErrorIs(t, err, password.ErrTooLong)
	m, err := w.hasher.Verify(t.Context(), w.stored(t).Hash, megabyte)
	require.NoError(t, err)
	require.False(t, m.OK)

	least := testing.AllocsPerRun(10, func() { _, err = w.Verify(t.Context(), login, "") })
	known := testing.AllocsPerRun(10, func() { _, err = w.Verify(t.Context(), login, megabyte) })
	require.Equal(t, auth.ErrInvalid, err)
	require.LessOrEqual(t, known, least)
	_, err = w.Verify(t.Context(), "nobody@example.com", megabyte)
	require.Equal(t, auth.ErrInvalid, err)
	_, err = w.Register(t.Context(), password.User{Login: "new@example.com"}, megabyte)
	require.ErrorIs(t, err, password.ErrTooLong)
	require.Equal(t, before, w.hasher.turns.Load(), "nothing was hashed")
}

// Row 122: the stored form is of no use without the key, and keys rotate.
func TestPepper(t *testing.T) {
	old := password.Pepper{ID: "2025", Key: []byte(strings.Repeat("o", 32))}
	current := password.Pepper{ID: "2026", Key: []byte(strings.Repeat("c", 32))}
	plain := newCheapHasher(t, password.HashOptions{})
	first := newCheapHasher(t, password.HashOptions{Peppers: []password.Pepper{old}})
	both := newCheapHasher(t, password.HashOptions{Peppers: []password.Pepper{current, old}})
	last := newCheapHasher(t, password.HashOptions{Peppers: []password.Pepper{current}})

	bare, err := plain.Hash(t.Context(), good)
	require.NoError(t, err)
	stored, err := first.Hash(t.Context(), good)
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(stored, "$hmac-sha256$k=2025$argon2id$v=19$m=64,t=1,p=1$"), stored)

	// The answer, put together by hand.
	part := strings.Split(stored, "$")
	salt, err := base64.RawStdEncoding.DecodeString(part[6])
	require.NoError(t, err)
	mac := hmac.New(sha256.New, old.Key)
	mac.Write([]byte(good))
	key := argon2.IDKey(mac.Sum(nil), salt, 1, 64, 1, 32)
	require.Equal(t, base64.RawStdEncoding.EncodeToString(key), part[7])

	renewed, err := both.Hash(t.Context(), good)
	require.NoError(t, err)
	for _, c := range []struct {
		name   string
		h      *cheapHasher
		stored string
		want   password.Match
	}{
		{"before rotation", first, stored, password.Match{OK: true}},
		{"after it", both, stored, password.Match{OK: true, Outdated: true}},
		{"renewed", both, renewed, password.Match{OK: true}},
		{"renewed, old one gone", last, renewed, password.Match{OK: true}},
		{"introduced", first, bare, password.Match{OK: true, Outdated: true}},
	} {
		m, err := c.h.Verify(t.Context(), c.stored, good)
		require.NoError(t, err, c.name)
		require.Equal(t, c.want, m, c.name)
		m, err = c.h.Verify(t.Context(), c.stored, other)
		require.NoError(t, err, c.name)
		require.False(t, m.OK, c.name)
	}
	for _, h := range []*cheapHasher{last, plain} {
		_, err = h.Verify(t.Context(), stored, good)
		require.ErrorIs(t, err, password.ErrUnusable, "a pepper that is not configured is no wrong password")
	}
	// Without its prefix, or under another key, the hash is another one.
	m, err := plain.Verify(t.Context(), strings.TrimPrefix(stored, "$hmac-sha256$k=2025"), good)
	require.NoError(t, err)
	require.False(t, m.OK)
	m, err = both.Verify(t.Context(), strings.Replace(stored, "2025", "2026", 1), good)
	require.NoError(t, err)
	require.False(t, m.OK)

	// The key is the caller's no longer.
	key32 := []byte(strings.Repeat("k", 32))
	own := newCheapHasher(t, password.HashOptions{Peppers: []password.Pepper{{ID: "a", Key: key32}}})
	stored, err = own.Hash(t.Context(), good)
	require.NoError(t, err)
	clear(key32)
	m, err = own.Verify(t.Context(), stored, good)
	require.NoError(t, err)
	require.True(t, m.OK)
}

func TestNewHasherValidatesAll(t *testing.T) {
	key := make([]byte, 32)
	for _, c := range []struct {
		name string
		o    password.HashOptions
		want []string
	}{
		{"weak", password.HashOptions{Params: password.Params{Memory: 7167, Time: 10}}, []string{"weaker"}},
		{"weak in passes", password.HashOptions{Params: password.Params{Memory: 7168, Time: 4}}, []string{"weaker"}},
		{"strong", password.HashOptions{Params: password.Params{Memory: 1 << 20}}, []string{"bounds"}},
		{"slow", password.HashOptions{Params: password.Params{Time: 1 << 20}}, []string{"bounds"}},
		{"many threads", password.HashOptions{Params: password.Params{Threads: 17}}, []string{"bounds"}},
		{"thin lanes", password.HashOptions{Params: password.Params{Memory: 8, Threads: 2}, InsecureParams: true}, []string{"bounds"}},
		{"negative", password.HashOptions{Concurrency: -1, PerSecond: -1, MaxWait: -1}, []string{"Concurrency", "PerSecond", "MaxWait"}},
		{"pepper", password.HashOptions{Peppers: []password.Pepper{{ID: "a$", Key: key}, {ID: "b", Key: key[:31]}, {ID: "b", Key: key}, {Key: key}}},
			[]string{`"a$"`, "31 bytes", `"b" comes twice`, `""`}},
		{"all at once", password.HashOptions{Params: password.Params{Memory: 8}, MaxWait: -1, Peppers: []password.Pepper{{}}}, []string{"weaker", "MaxWait", "Pepper.ID"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			h, err := password.NewHasher(&c.o)
			require.Nil(t, h)
			require.Error(t, err)
			for _, want := range c.want {
				require.Contains(t, err.Error(), want)
			}
			require.NotContains(t, err.Error(), fmt.Sprint(key), "no key is shown")
		})
	}
	for _, p := range []password.Params{{}, {Memory: 47104, Time: 1}, {Memory: 12288, Time: 3}, {Memory: 9216, Time: 4}, {Memory: 7168, Time: 5}} {
		_, err := password.NewHasher(&password.HashOptions{Params: p})
		require.NoError(t, err, "OWASP's own %+v", p)
	}
}
