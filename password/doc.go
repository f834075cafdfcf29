// Package password logs people in with a password and keeps their passwords.
//
// [Users.JSON], [Users.Form] and [Users.Basic] are authenticators for a guard;
// with Guard.Exchange, a password becomes a session or a token:
//
//	users, err := password.NewUsers(store, &password.Options{Sessions: …})
//	login := auth.NewGuard(users.JSON("email", "password"), nil)
//	mux.Handle("POST /login", login.Exchange(sessions))
//
// # What is kept
//
// Passwords are hashed with Argon2id at OWASP's cost, in PHC string form, each
// with its own salt, and optionally with a [Pepper], a key that is not in the
// store. Hashes of bcrypt, scrypt and PBKDF2 are verified for those who come
// from elsewhere ([Users.Import]), and like Argon2id hashes of another cost
// they are made anew at the next login.
//
// # What is taken
//
// Passwords follow NIST SP 800-63B-4 section 3.1.1.2: at least 15 code points,
// up to [MaxBytes] bytes, any characters, a blocklist if there is one, and no
// other rules. They are compared in Unicode's form NFC and otherwise as
// received: nothing is trimmed, folded or cut.
//
// # What is told
//
// An unknown login and a wrong password get the same answer after the same
// work. Hashes are computed on all processors but one at once, so memory stays
// flat, and other requests are answered meanwhile; who waits longer than
// [HashOptions].MaxWait is told auth.ErrUnavailable, 503 with Retry-After.
//
// # How lock-out works
//
// Failed logins are counted; successes are not, nor is what could not be
// judged, such as an outage. By default, see [Throttle], one may fail
//
//   - 60 times from one address, whatever the logins, and once more every second,
//   - 45 times from one address with one login, and 45 more every minute,
//   - 90 times with one login from all addresses, and once more every minute.
//
// Whoever goes on is answered 429 with Retry-After, whatever the password,
// before a user is looked up or anything is hashed, and whether or not somebody
// has that login. A stranger's guesses in quick succession end before the
// hundredth (NIST SP 800-63B-4 section 3.2.2); patient ones go on at one a
// minute, some 1,500 on the first day, at which a password of 15 characters need
// not fear for itself.
// [EventThrottled] tells of it. To stop it for good, call [Users.Disable] from
// [Options].Notify.
//
// Nobody keeps a user out by failing in their place. An address from which the
// login has succeeded in the last 30 days is not held to the failures of
// others: it has 90 of its own, so its user gets in during an attack, and who
// shares it with them has 90 guesses beside those of strangers. From
// anywhere else they get in a minute after it, and until then compete with the
// attacker for the one attempt a minute.
//
// An address is an IPv4 address, or the /64 of an IPv6 one. Behind a reverse
// proxy, name it in auth.GuardOptions.TrustedProxies: otherwise all clients have
// the proxy's address, and one who guesses locks out all. Where there is no
// address, as over a Unix socket and with [Users.Verify], logins alone are
// counted, and any may be locked out.
//
// Right passwords are not counted, however many. A login that is open to the
// world wants a limit by address as well, see auth.Guard.Limit.
//
// The counts are those of one [Users], and end with the process. Where several
// processes serve the same users, give their Throttle limiters that they share.
package password
