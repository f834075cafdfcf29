package main

import (
	"strings"
	"time"

	"github.com/seed-077cad0b/auth"
)

// A keyView is a key as it is printed.
type keyView struct {
	ID       string         `json:"id"`
	Hint     string         `json:"hint"`
	State    string         `json:"state"` // active, disabled or expired
	Name     string         `json:"name,omitempty"`
	Issuer   string         `json:"issuer,omitempty"`
	Tenant   string         `json:"tenant,omitempty"`
	Subject  string         `json:"subject"`
	Tier     string         `json:"tier,omitempty"`
	Scopes   []string       `json:"scopes,omitempty"`
	Networks *auth.Networks `json:"networks,omitempty"` // absent: anywhere; empty: nowhere
	Quota    string         `json:"quota,omitempty"`
	Family   string         `json:"family"` // the id of the first of those rotated
	Created  time.Time      `json:"created"`
	Expires  time.Time      `json:"expires,omitzero"`
	LastUsed time.Time      `json:"last_used,omitzero"`
}

func viewKey(k *auth.APIKey) keyView {
	p := k.Principal
	v := keyView{
		ID: k.ID, Hint: k.Hint, State: "active", Name: p.Credential.Name,
		Issuer: p.Issuer, Tenant: p.Tenant, Subject: p.Subject, Tier: p.Tier, Scopes: p.Scopes,
		Networks: p.Networks, Quota: pace(p.Rate), Family: p.Credential.Family,
		Created: p.Credential.Created, Expires: p.Credential.Expires, LastUsed: k.LastUsed,
	}
	switch {
	case k.Disabled:
		v.State = "disabled"
	case !v.Expires.IsZero() && !time.Now().Before(v.Expires):
		v.State = "expired"
	}
	return v
}

func (a *app) showKey(v keyView) error {
	return a.show(v,
		field{"id", v.ID},
		field{"hint", v.Hint + "…"},
		field{"state", v.State},
		field{"name", v.Name},
		field{"issuer", v.Issuer},
		field{"tenant", v.Tenant},
		field{"subject", v.Subject},
		field{"tier", v.Tier},
		field{"scopes", strings.Join(v.Scopes, " ")},
		field{"from", whence(v.Networks)},
		field{"quota", v.Quota},
		field{"family", v.Family},
		field{"created", when(v.Created)},
		field{"expires", when(v.Expires)},
		field{"last used", when(v.LastUsed)},
	)
}
