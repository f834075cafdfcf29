package auth

import "context"

// Introspect is [Refresh.Verify] for who wants to know whether a token is still
// good (RFC 7662 section 2.2), and not to spend it: one that has been spent is
// refused with [ErrReused], which ends nothing, and one whose family has ended with
// [ErrRevoked].
func (f *Refresh) Introspect(ctx context.Context, credential string) (*Principal, error) {
	if !f.form.Match(credential) {
		return nil, ErrNotMine
	}
	r, err := f.lookup(ctx, DigestOf(KindRefresh, credential))
	if err != nil {
		return nil, err
	}
	if _, spent := spentForm(r); spent {
		return nil, ErrReused
	}
	if err := f.marks.check(ctx, r.Principal, namesOf(r.Principal)...); err != nil {
		return nil, err
	}
	return r.Principal, nil
}
