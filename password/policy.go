package password

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// A Rule says why a new password, or a login, is not taken. It is an error and
// its own stable code, and safe to show; compare with errors.Is. It is about
// what somebody wants to set: a login tells nobody which rule a guess broke.
type Rule string

// The rules. There are none about upper case, digits or signs, and none that
// makes a password expire (NIST SP 800-63B-4 section 3.1.1.2).
const (
	// ErrTooShort: less than [Options].MinLength code points, after
	// normalisation.
	ErrTooShort Rule = "password_too_short"

	// ErrTooLong: more than [MaxBytes] bytes.
	ErrTooLong Rule = "password_too_long"

	// ErrNotText: the password is not UTF-8.
	ErrNotText Rule = "password_not_text"

	// ErrSameAsLogin: the password is the login name, or all of it but the
	// part from the @ on, in whatever case.
	ErrSameAsLogin Rule = "password_same_as_login"

	// ErrBlocked: [Options].Blocklist knows it.
	ErrBlocked Rule = "password_blocked"

	// ErrLogin: the login name cannot be one, see [NormalizeLogin].
	ErrLogin Rule = "invalid_login"
)

// Error returns the code with the package's name in front.
func (r Rule) Error() string { return "password: " + string(r) }

// Title returns a sentence for the user.
func (r Rule) Title() string {
	switch r {
	case ErrTooShort:
		return "The password is too short."
	case ErrTooLong:
		return "The password is too long."
	case ErrNotText:
		return "The password is not valid text."
	case ErrSameAsLogin:
		return "The password must differ from the login name."
	case ErrBlocked:
		return "The password is too common or has been seen in a leak."
	case ErrLogin:
		return "The login name is not valid."
	default:
		return "This is not allowed."
	}
}

// MaxBytes is how long a password may be, in bytes of UTF-8 before
// normalisation: at least 256 code points. A longer one is refused before any
// work is done with it, and never cut.
const MaxBytes = 1024

// normalize returns the password as it is hashed: in Unicode's form NFC, so
// that an é is the same from every keyboard, and otherwise as received.
func normalize(password string) ([]byte, error) {
	switch {
	case len(password) > MaxBytes:
		return nil, ErrTooLong
	case !utf8.ValidString(password):
		return nil, ErrNotText
	default:
		return norm.NFC.Bytes([]byte(password)), nil
	}
}

// policy is what new passwords are held against.
type policy struct {
	minLength int
	blocklist func(ctx context.Context, password string) (bool, error)
}

// check returns the first Rule that a new password breaks, or why that cannot
// be told. It costs little, the blocklist aside.
func (p *policy) check(ctx context.Context, login, password string) error {
	text, err := normalize(password)
	if err != nil {
		return err
	}
	if utf8.RuneCount(text) < p.minLength {
		return ErrTooShort
	}
	local, _, _ := strings.Cut(login, "@")
	if s := string(text); strings.EqualFold(s, login) || strings.EqualFold(s, local) {
		return ErrSameAsLogin
	}
	if p.blocklist == nil {
		return nil
	}
	blocked, err := p.blocklist(ctx, string(text))
	switch {
	case err != nil:
		return fmt.Errorf("password: blocklist: %w", err)
	case blocked:
		return ErrBlocked
	default:
		return nil
	}
}

// maxLogin is the length in bytes of the longest address of mail (RFC 5321
// section 4.5.3.1).
const maxLogin = 254

// NormalizeLogin is the default of [Options].NormalizeLogin: it removes blanks
// around the name, puts it into lower case and into Unicode's form NFC. It
// refuses a name that is empty, longer than 254 bytes, not UTF-8, or has
// characters that cannot be seen, such as control characters, zero-width ones
// and blanks other than U+0020: nobody could tell two such names apart.
//
// It does not know that providers of mail ignore dots or what follows a plus
// sign, and letters of two scripts that look alike stay two letters.
func NormalizeLogin(login string) (string, error) {
	const most = 4 * maxLogin // before anything is done with it
	if len(login) > most || !utf8.ValidString(login) {
		return "", ErrLogin
	}
	name := norm.NFC.String(strings.Trim(login, " "))
	// Go's simple mapping makes a plain i of the capital one with a dot, which
	// is another letter.
	name = strings.ToLower(strings.ReplaceAll(name, "\u0130", "i\u0307"))
	name = norm.NFC.String(name)
	if name == "" || len(name) > maxLogin {
		return "", ErrLogin
	}
	for _, c := range name {
		if !unicode.IsPrint(c) {
			return "", ErrLogin
		}
	}
	return name, nil
}

// ruleOr returns err if it is a Rule, and otherwise err as r: the author's own
// function need not know ours.
func ruleOr(err error, r Rule) error {
	var rule Rule
	if errors.As(err, &rule) {
		return err
	}
	return fmt.Errorf("%w: %w", r, err)
}
