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
// work. At most as many hashes as there are processors are computed at once,
// so memory stays flat; who waits longer than [HashOptions].MaxWait is told
// auth.ErrUnavailable, 503 with Retry-After.
package password
