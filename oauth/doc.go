// Package oauth is an authorization server: OAuth 2.1, which is OAuth 2.0 (RFC
// 6749) by the rules of RFC 9700. What those forbid, such as the implicit and
// the password grant, does not exist here.
//
// [NewServer] validates a [Config] and returns a [Server], whose endpoints are
// http.Handlers to be mounted, one by one or all at once. Clients live in a
// [ClientRegistry], of which [ClientRecords] is one that any auth.Store can
// keep. How people sign in, and how they are asked for consent, are two sockets,
// [Login] and [Consent], with a pair of pages for who has none.
//
// What the server issues are access tokens for the API's guard: JSON Web Tokens
// (RFC 9068), which auth.NewJWT verifies, or opaque ones, see
// auth.NewOpaqueTokens; and refresh tokens, which are auth.Refresh's.
package oauth
