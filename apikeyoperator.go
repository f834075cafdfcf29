package auth

import "strings"

// What operators need of keys whose prefix they do not know: those that a
// Walker finds, and those that somebody else has found.

// APIKey returns what an operator sees of the key that e is, whatever its
// prefix; LastUsed is as it is stored. It returns [ErrNotFound] where e is no key.
func (e Entry) APIKey() (*APIKey, error) {
	data, err := e.keyData()
	if err != nil {
		return nil, err
	}
	k := e.apiKey(data)
	if !isKeyPrefix(k.Prefix()) {
		return nil, ErrNotFound
	}
	return k, nil
}

// keyData reads what is beside the principal in the record of a key. It returns
// ErrNotFound where e is no key.
func (e *Entry) keyData() (data keyData, err error) {
	if e.Record.Kind != KindAPIKey || e.Record.Principal == nil {
		return data, ErrNotFound
	}
	err = unmarshalData(e.Record.Data, &data)
	return data, err
}

func (e *Entry) apiKey(data keyData) *APIKey {
	return &APIKey{
		ID:        e.Digest.String(),
		Hint:      data.Hint,
		Principal: e.Record.Principal,
		LastUsed:  e.Record.Seen,
		Disabled:  e.Record.Disabled,
	}
}

// Prefix returns the prefix that the key was made with, as [NewAPIKeys] takes it.
func (k *APIKey) Prefix() string {
	before := k.Hint[:max(0, len(k.Hint)-keyHintLen)]
	if prefix, ok := strings.CutSuffix(before, "_"); ok {
		return prefix
	}
	return ""
}

// APIKeyID returns the public id of the key whose text is given, whatever its
// prefix: of one that has leaked, and is to be revoked. It returns [ErrNotMine]
// where the text has not the form of a key, and [ErrInvalid] where the checksum
// does not hold. That there is such a key it does not tell.
func APIKeyID(text string) (string, error) {
	end := len(text) - keySecretLen - checksumLen
	if end < 1 || text[end-1] != '_' || !isKeyPrefix(text[:end-1]) {
		return "", ErrNotMine
	}
	k := APIKeys{prefix: text[:end]}
	if !k.match(text) {
		return "", ErrNotMine
	}
	if !sumHolds(text) {
		return "", ErrInvalid
	}
	return k.digest(text).String(), nil
}
