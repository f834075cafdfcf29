package auth

// ReadRemoteKeys is the reader of JWK Sets of others.
func ReadRemoteKeys(document []byte) (keys []*Key, leftOut, err error) {
	return readRemoteKeys(document, RS256)
}

// ReadMetadata is the reader of an issuer's metadata.
var ReadMetadata = readMetadata

// IsSymmetric reports whether who verifies with k can sign.
func IsSymmetric(k *Key) bool { return k.jws.Symmetric() }
