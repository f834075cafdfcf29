package jws

import "crypto"

// PublicOf returns the public part of an asymmetric key.
func PublicOf(k *Key) crypto.PublicKey { return k.public }
