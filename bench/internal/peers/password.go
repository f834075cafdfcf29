package peers

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
)

// A Password is the few lines that people write around a hash function: a login
// that is right gets a random token.
type Password struct {
	Name  string
	hash  func(password string, salt []byte) []byte
	equal func(hash, salt []byte, password string) bool
}

// Passwords are ways to hash, none of which bounds how many are hashed at once.
var Passwords = []Password{
	{"argon2id, no bound", argon2id, func(hash, salt []byte, password string) bool {
		return subtle.ConstantTimeCompare(hash, argon2id(password, salt)) == 1
	}},
	bcryptOf(10),
	bcryptOf(12),
}

// argon2id has the parameters that OWASP recommends first.
func argon2id(password string, salt []byte) []byte {
	return argon2.IDKey([]byte(password), salt, 2, 19456, 1, 32)
}

func bcryptOf(cost int) Password {
	return Password{
		fmt.Sprintf("bcrypt, cost %d", cost),
		func(password string, _ []byte) []byte {
			hash, _ := bcrypt.GenerateFromPassword([]byte(password), cost)
			return hash
		},
		func(hash, _ []byte, password string) bool {
			return bcrypt.CompareHashAndPassword(hash, []byte(password)) == nil
		},
	}
}

// Handler returns the login of users that all have the same password.
func (p Password) Handler(logins []string, password string) http.Handler {
	salt := make([]byte, 16)
	_, _ = rand.Read(salt)
	hash := p.hash(password, salt)
	users := make(map[string][]byte, len(logins))
	for _, login := range logins {
		users[login] = hash
	}
	var sessions sync.Map // of tokens, to logins
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body struct{ Login, Password string }
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10)).Decode(&body); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		if hash, ok := users[body.Login]; !ok || !p.equal(hash, salt, body.Password) {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		token := rand.Text()
		sessions.Store(token, body.Login)
		_ = json.NewEncoder(w).Encode(map[string]string{"access_token": token})
	})
}
