package jws

import (
	"crypto/ed25519"
	"sync"

	"github.com/golang-jwt/jwt/v5"
)

// An edMethod verifies as the method does, less a copy of what is signed that is
// garbage at once: as much memory as the token takes.
type edMethod struct {
	*jwt.SigningMethodEd25519
	messages *sync.Pool // of *[]byte
}

func newEdMethod() edMethod {
	return edMethod{jwt.SigningMethodEdDSA, &sync.Pool{New: func() any { return new([]byte) }}}
}

func (m edMethod) Verify(signed string, signature []byte, key any) error {
	public, ok := key.(ed25519.PublicKey)
	if !ok || len(public) != ed25519.PublicKeySize {
		return ErrSignature
	}
	message := m.messages.Get().(*[]byte)
	*message = append((*message)[:0], signed...)
	ok = ed25519.Verify(public, *message, signature)
	m.messages.Put(message)
	if !ok {
		return ErrSignature
	}
	return nil
}
