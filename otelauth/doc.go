// Package otelauth tells OpenTelemetry what guards decide: as events on the span
// that is active, and as metrics.
//
//	telemetry, err := otelauth.New(nil)
//	opts := &auth.GuardOptions{Observe: telemetry.Observe}
//	users, err := password.NewUsers(store, &password.Options{Notify: telemetry.Notify})
//	shared := auth.LocalShare(limiter, nodes, telemetry.Outage)
//
// Each of these is a plain function, so another observer, such as that of
// [auth.LogTo], goes beside it in a function of three lines.
//
// It opens no spans of its own: a decision takes microseconds, and belongs to the
// span of the request. That comes from the middleware of the server, such as
// otelhttp, which must be outside of the guard.
//
// # What is told
//
// Names are those of OpenTelemetry's semantic conventions where there are any,
// and else begin with "auth.".
//
//	metric                    unit        attributes
//	auth.decisions            {decision}  auth.outcome, error.type, auth.limit,
//	                                      auth.credential.kind, auth.issued.kind
//	auth.decision.duration    s           auth.outcome, auth.credential.kind
//	auth.account.events       {event}     auth.account.event
//	auth.limiter.outages      {outage}    none
//
//	span event                attributes
//	auth.decision             those of auth.decisions, http.request.method, http.route
//	auth.account              those of auth.account.events
//	auth.limiter.outage       none
//
// error.type is the code of the [auth.Reason] of a refusal or an outage, and
// absent otherwise. The status of the span stays as it is: that is the server's to
// judge, by the answer.
//
// # What is not
//
// No secret is in any of it, and by default nothing personal either: who called,
// with which credential and from where is not told, nor is the cause of an error,
// which may be the text of a database. Where the receiver of the traces may know
// what a log may, set [Options].Details. Metrics never tell it.
//
// How many series there are depends on the program alone, not on its clients:
// outcomes and reasons, the kinds of credentials, and the names that the author
// gave to limits. Methods that HTTP does not know are one.
//
// # What it costs
//
// Nothing is allocated where neither metrics nor the span are recorded, nor for
// metrics that are. This is the one package of the library with types of another
// one in its API: it is a bridge to that.
package otelauth
