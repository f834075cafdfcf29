package auth

// ReadRemoteKeys is the reader of JWK Sets of others.
func ReadRemoteKeys(document []byte) (keys []*Key, leftOut, err error) {
	return readRemoteKeys(document, RS256)
}

// ReadMetadata is the reader of an issuer's metadata.
var ReadMetadata = readMetadata

// IsSymmetric reports whether who verifies with k can sign.
func IsSymmetric(k *Key) bool { return k.jws.Symmetric() }

// Join returns which fetch somebody goes by who has waited since the one of that
// number had begun.
func (r *RemoteKeys) Join(before uint64) (number uint64, err error) {
	f, err := r.join(before)
	if err != nil {
		return 0, err
	}
	<-f.done
	return f.number, f.err
}
