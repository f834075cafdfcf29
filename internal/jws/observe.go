package jws

// Observed returns an asymmetric key like k that calls f before it checks a
// signature. It is for tests of how often that happens.
func (k *Key) Observed(f func()) *Key {
	c, a := *k, *k.alg
	a.method = observed{a.method, f}
	c.alg = &a
	return &c
}

type observed struct {
	method
	f func()
}

func (o observed) Verify(signed string, signature []byte, key any) error {
	o.f()
	return o.method.Verify(signed, signature, key)
}
