package auth

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/seed-077cad0b/auth/internal/jws"
)

// DPoP has callers prove with each request that they hold the key which their
// credential is bound to (RFC 9449), so that a credential which leaks is of no
// use to whoever finds it. The credential may be a JWT, a session, an API key or
// whatever else a verifier knows: what binds it is its Confirmation, see
// [KeyConfirmation].
//
//	dpop, err := auth.NewDPoP(store, &auth.DPoPOptions{BaseURL: "https://api.example.com"})
//	guard := auth.NewGuard(auth.First(dpop.Source(tokens), auth.Bearer(tokens)), nil)
//
// A proof names the request that it is for, and is good once, in all processes
// that share the store, for about a minute. It is safe for concurrent use.
type DPoP struct {
	store      Store
	algorithms []Algorithm
	maxAge     time.Duration
	nonces     *jws.Key // nil: none are asked for
	base       *baseURI // nil: the Host field tells
}

// DPoPOptions configure [NewDPoP].
type DPoPOptions struct {
	// BaseURL is the scheme and host under which clients know the API, such as
	// "https://api.example.com", and the path that a proxy in front takes away,
	// if any: proofs for other URLs are refused. It is required, as no request
	// can be trusted to tell: the Host field is written by whoever sends it.
	BaseURL string

	// Algorithms are what proofs may be signed with, in the order in which
	// challenges name them. The default is ES256, ES384, ES512, EdDSA, Ed25519,
	// PS256 and RS256. Symmetric ones are refused.
	Algorithms []Algorithm

	// MaxAge is how far the iat of a proof may be from our clock, behind it or
	// ahead (RFC 9449 section 11.1): 1 minute by default, at least 1 second and
	// at most 10 minutes.
	MaxAge time.Duration

	// NonceKey, if not nil, has proofs hold a nonce of ours (RFC 9449 sections 8
	// and 9), so that none can be made long ahead of its use. It is 32 random
	// bytes or more, the same in all processes. Nonces are good for 5 minutes
	// and are not stored; a proof without a good one is refused with
	// [ErrUseNonce], and clients try again with the nonce of that answer. An API
	// for pages of other origins names DPoP-Nonce and WWW-Authenticate in
	// Access-Control-Expose-Headers.
	NonceKey []byte

	// InsecureHost takes the host from the Host field of each request, and https
	// for its scheme, or either one where the connection is not TLS. A server to
	// which a client sends a proof can then use it here, under its own name; so
	// this is for programs under many names that refuse all others themselves.
	InsecureHost bool
}

const schemeDPoP = "DPoP"

// fits reports whether p may have come by the scheme: what is bound to a key of
// DPoP by that one, and nothing else.
func (s Scheme) fits(p *Principal) bool {
	bound := strings.HasPrefix(p.Credential.Confirmation, confirmJKT)
	return slices.Contains(s.Kinds, p.Credential.Kind) && bound == (s.Name == schemeDPoP)
}

// defaultProofAlgorithms are secure, and what clients know.
var defaultProofAlgorithms = []Algorithm{ES256, ES384, ES512, EdDSA, Ed25519, PS256, RS256}

// NewDPoP returns a DPoP that remembers in store which proofs have been used. The
// store keeps each for some minutes: at a thousand requests a second, about
// 200,000 records. The error joins all that is wrong.
func NewDPoP(store Store, o *DPoPOptions) (*DPoP, error) {
	if o == nil {
		o = &DPoPOptions{}
	}
	var errs []error
	require := func(ok bool, what string) {
		if !ok {
			errs = append(errs, errors.New("auth: NewDPoP: "+what))
		}
	}
	d := &DPoP{
		store:      store,
		algorithms: slices.Clone(o.Algorithms),
		maxAge:     or(o.MaxAge, time.Minute),
	}
	if len(d.algorithms) == 0 {
		d.algorithms = slices.Clone(defaultProofAlgorithms)
	}
	require(!isNil(store), "store is nil")
	require(d.maxAge >= time.Second && d.maxAge <= 10*time.Minute, "MaxAge is not within 1 second and 10 minutes")
	for i, a := range d.algorithms {
		require(a.isAsymmetric(), fmt.Sprintf("%q is no asymmetric algorithm", a))
		require(!slices.Contains(d.algorithms[:i], a), fmt.Sprintf("%q appears twice", a))
	}
	if o.NonceKey != nil {
		var err error
		d.nonces, err = jws.NewSymmetric("", string(HS256), o.NonceKey)
		require(err == nil, fmt.Sprintf("NonceKey: %v", err))
	}
	if o.InsecureHost {
		require(o.BaseURL == "", "both BaseURL and InsecureHost")
	} else {
		var err error
		d.base, err = parseBaseURI(o.BaseURL)
		require(err == nil, fmt.Sprintf("BaseURL: %v", err))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return d, nil
}

// Algorithms returns what proofs may be signed with, for the metadata of servers
// (RFC 9449 section 5.1) and of APIs ([ResourceOptions].DPoPAlgorithms).
func (d *DPoP) Algorithms() []Algorithm { return slices.Clone(d.algorithms) }

// Source looks for "Authorization: DPoP TOKEN" (RFC 9449 section 7.1), has the
// verifiers judge the token and demands a proof, in the field DPoP, of the key
// that it is bound to. A credential that is bound to none is refused here, as one
// that is bound is refused by [Bearer]; [First] takes both, each under its own
// scheme.
//
// Proving uses up the proof, as the last step: nothing is written for a stranger,
// and what happens afterwards, such as a policy that refuses, does not bring the
// proof back. So one guard and those derived from it decide about a request, not
// two: the second would see a proof that has been used. Where the store's answer
// is lost, the proof may be used up with nobody admitted, and the client makes
// another one.
//
// It panics as [Bearer] does.
func (d *DPoP) Source(verifiers ...Verifier) *Source {
	s := newSource(Scheme{Name: schemeDPoP, In: InHeader, Field: "Authorization", Algorithms: d.algorithms}, verifiers,
		func(r *http.Request) (string, error) { return authorization(r, "dpop") })
	s.confirm = d.confirm
	return s
}

// Prove checks the proof that r carries, uses it up, and returns the confirmation
// of its key, fit for [IssueOptions].Confirmation. credential is what the request
// presents along with the proof, which must be for it, and empty for none, as at
// a token endpoint. Whoever calls Prove compares the confirmation with the one
// that the credential is bound to, if it is, and calls it after all that could
// refuse the request without it: it writes into the store.
//
// The error is [ErrNoCredential] where r has no field DPoP; other errors are as
// in [Verifier].
func (d *DPoP) Prove(r *http.Request, credential string) (confirmation string, err error) {
	text, err := proofField(r)
	if err != nil {
		return "", err
	}
	p, err := d.open(text, "")
	if err != nil {
		return "", err
	}
	if err := d.use(r, p, credential); err != nil {
		return "", err
	}
	return confirmJKT + p.thumbprint, nil
}

var (
	errNotBound   = fmt.Errorf("%w: bound to no key of DPoP", ErrInvalid)
	errAnotherKey = fmt.Errorf("%w: bound to another key than the proof's", ErrInvalid)
)

// confirm refuses a credential without a proof of its key. No signature is
// checked, and nothing written, but for who has shown a good credential and names
// its key.
func (d *DPoP) confirm(r *http.Request, credential string, p *Principal) error {
	thumbprint, ok := strings.CutPrefix(p.Credential.Confirmation, confirmJKT)
	if !ok || thumbprint == "" {
		return errNotBound
	}
	text, err := proofField(r)
	if errors.Is(err, ErrNoCredential) {
		return errNoProof
	}
	if err != nil {
		return err
	}
	proof, err := d.open(text, thumbprint)
	if err != nil {
		return err
	}
	return d.use(r, proof, credential)
}

// proofMargin is how long the use of a proof is remembered beyond its end:
// processes, and a server that sweeps by its own clock, may differ from each
// other by less.
const proofMargin = 2 * time.Minute

// kindProof is the kind of the records of proofs that have been used.
const kindProof Kind = "dpop_proof"

// use judges a proof whose signature holds and marks it as used: of all who try,
// in all processes, one succeeds. Proofs are told apart by their key, too, so that
// nobody can use up what somebody else will sign.
func (d *DPoP) use(r *http.Request, p *proof, credential string) error {
	t := now()
	if err := d.judge(r, p, credential, t); err != nil {
		return err
	}
	issued := instantOf(p.iat)
	err := d.store.Insert(r.Context(), nameDigest("proof", p.thumbprint, p.jti), Record{
		Kind:      kindProof,
		Revision:  NewRevision(),
		Created:   t,
		Expires:   issued.Add(d.maxAge),
		KeepUntil: issued.Add(d.maxAge + proofMargin),
	})
	if errors.Is(err, ErrExists) {
		return errProofUsed
	}
	return err
}
