//go:build linux

package integration_test

import "testing"

// scenarios is what holds whichever store the two servers share.
var scenarios = []struct {
	name string
	run  func(w *world)
}{
	{"log in with a password", logInWithPassword},
	{"be refused with a password", beRefusedWithPassword},
	{"change the password", changePassword},
	{"disable a user", disableUser},
	{"reset the password once", resetPasswordOnce},
	{"exchange a key for a session", exchangeKey},
	{"exchange an assertion for a session", exchangeAssertion},
	{"exchange a password for tokens", exchangePasswordForTokens},

	{"sign a session out", signSessionOut},
	{"sign a token out", signTokenOut},
	{"sign out often at once", signOutAtOnce},
	{"end all sessions", endAllSessions},
	{"end all other sessions", endOtherSessions},
	{"end all while logins are under way", endAllUnderWay},
	{"disable a key", disableKey},
	{"suspend a platform", suspendPlatform},

	{"refresh in turns", refreshInTurns},
	{"refresh often at once", refreshAtOnce},
	{"refresh with a copied token", refreshWithCopy},
	{"rotate a key with overlap", rotateKey},
	{"rotate a key without overlap", rotateKeyAtOnce},

	{"present an assertion often at once", presentAssertionAtOnce},
	{"present an assertion again", presentAssertionAgain},

	{"list sessions", listSessions},
	{"limit sessions", limitSessions},
	{"limit sessions that open at once", limitSessionsAtOnce},
	{"end a session that is idle", endIdleSession},
	{"remember the last use", rememberLastUse},

	{"refuse nobody in an outage", refuseNobodyInOutage},
	{"refuse nobody when answers are lost", refuseNobodyWithoutAnswer},
}

func TestEndToEnd(t *testing.T) {
	for _, s := range stores {
		t.Run(s.name, func(t *testing.T) {
			open := s.open(t)
			for _, scenario := range scenarios {
				t.Run(scenario.name, func(t *testing.T) { scenario.run(newWorld(t, s, open)) })
			}
		})
	}
}
