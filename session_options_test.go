package auth_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
)

func TestSessionLimit(t *testing.T) {
	for name, c := range map[string]struct {
		refuse bool
		alive  []bool // of four sessions, opened one after the other
	}{
		"ends the oldest":    {false, []bool{false, true, true, true}},
		"refuses the newest": {true, []bool{true, true, true, false}},
	} {
		t.Run(name, func(t *testing.T) {
			authtest.At(t, begin, func(t *testing.T) {
				s := newSessions(t, newStore(t), &auth.SessionOptions{Limit: 3, RefuseNewest: c.refuse})
				p := authtest.Principal("42")
				var alive []bool
				var open []*auth.Grant
				for i := range c.alive {
					must(s.Issue(t.Context(), authtest.Principal(fmt.Sprint(i)), nil)) // others do not count
					authtest.Advance(time.Minute)
					g, err := s.Issue(t.Context(), p, nil)
					if !c.alive[i] && c.refuse {
						require.ErrorIs(t, err, auth.ErrSessionLimit)
						g = &auth.Grant{Token: auth.NewSecret("none")}
					} else {
						require.NoError(t, err)
					}
					open = append(open, g)
				}
				for _, g := range open {
					alive = append(alive, verify(s, g) == nil)
				}
				require.Equal(t, c.alive, alive)

				// The expired ones take no place.
				authtest.Advance(24 * time.Hour)
				for range 3 {
					must(s.Issue(t.Context(), p, nil))
				}
				require.Len(t, listed(t, s, p), 3)
			})
		})
	}
}

func TestSessionOfADisabledKeyIsNeitherListedNorCounted(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		store := newTap(t)
		s := newSessions(t, store, &auth.SessionOptions{Limit: 1, RefuseNewest: true})
		keys := newKeys(t, store, nil)
		key := must(keys.Create(t.Context(), authtest.Principal("42"), nil))
		id := key.Principal.Credential.ID
		must(s.Issue(t.Context(), key.Principal.ProvedAt(time.Now()), nil))
		require.NoError(t, keys.Disable(t.Context(), id))
		require.NoError(t, keys.Enable(t.Context(), id))
		require.Empty(t, listed(t, s, key.Principal))

		authtest.Advance(tick)
		g := must(s.Issue(t.Context(), key.Principal.ProvedAt(time.Now()), nil))
		require.Len(t, listed(t, s, g.Principal), 1)
	})
}

func TestNewSessionsRefuses(t *testing.T) {
	store := newStore(t)
	form := auth.TokenForm("")
	constant := auth.Form{New: func() string { return "x" }, Match: func(s string) bool { return s == "x" }}
	stranger := auth.Form{New: form.New, Match: auth.UUIDForm().Match}
	greedy := auth.Form{New: form.New, Match: func(string) bool { return true }}
	for name, c := range map[string]struct {
		store auth.Store
		o     auth.SessionOptions
		want  []string
	}{
		"no store":           {nil, auth.SessionOptions{}, []string{"no store"}},
		"no lister":          {bareStore{store}, auth.SessionOptions{}, []string{"no Lister"}},
		"idle and untouched": {listerStore{store, store}, auth.SessionOptions{Idle: time.Hour}, []string{"no Toucher"}},
		"negative lifetime":  {store, auth.SessionOptions{Lifetime: -1}, []string{"lifetime -1ns"}},
		"endless lifetime":   {store, auth.SessionOptions{Lifetime: 400*24*time.Hour + 1}, []string{"lifetime"}},
		"negative idle":      {store, auth.SessionOptions{Idle: -1}, []string{"idle time -1ns"}},
		"idle for too long":  {store, auth.SessionOptions{Idle: 25 * time.Hour}, []string{"idle time"}},
		"negative limit":     {store, auth.SessionOptions{Limit: -1}, []string{"limit -1"}},
		"no New":             {store, auth.SessionOptions{Form: auth.Form{Match: form.Match}}, []string{"form"}},
		"no Match":           {store, auth.SessionOptions{Form: auth.Form{New: form.New}}, []string{"form"}},
		"one token":          {store, auth.SessionOptions{Form: constant}, []string{"form"}},
		"another's token":    {store, auth.SessionOptions{Form: stranger}, []string{"form"}},
		"any token":          {store, auth.SessionOptions{Form: greedy}, []string{"form"}},
		"all at once": {
			nil, auth.SessionOptions{Lifetime: -1, Limit: -1, Form: constant},
			[]string{"NewSessions", "no store", "lifetime", "limit", "form"},
		},
	} {
		s, err := auth.NewSessions(c.store, &c.o)
		require.Nil(t, s, name)
		for _, want := range c.want {
			require.ErrorContains(t, err, want, name)
		}
	}
	s := newSessions(t, listerStore{store, store}, nil)
	require.NoError(t, verify(s, must(s.Issue(t.Context(), authtest.Principal("42"), nil))), "last use is a luxury")
}

func TestSessionsTellWhatTheyAre(t *testing.T) {
	s := newSessions(t, newStore(t), &auth.SessionOptions{Form: auth.UUIDForm()})
	require.Equal(t, auth.KindSession, s.Kind())
	require.True(t, s.Form().Match(must(s.Issue(t.Context(), authtest.Principal("42"), nil)).Token.Reveal()))
	require.True(t, slices.Contains(auth.Bearer(s).Schemes()[0].Kinds, auth.KindSession))
}
