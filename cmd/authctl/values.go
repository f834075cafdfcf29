package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/seed-077cad0b/auth"
)

// The values of flags that package pflag does not know. All of them implement
// its Value.

// days is a time.Duration that may be written in days, such as 90d.
type days time.Duration

func (d *days) Type() string { return "duration" }

func (d *days) String() string {
	const day = 24 * time.Hour
	if t := time.Duration(*d); t != 0 && t%day == 0 {
		return fmt.Sprintf("%dd", t/day)
	} else if t != 0 {
		return brief(t)
	}
	return ""
}

// brief is a duration without the zeros at its end.
func brief(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

func (d *days) Set(s string) error {
	if n, ok := strings.CutSuffix(s, "d"); ok {
		count, err := strconv.ParseUint(n, 10, 16)
		*d = days(time.Duration(count) * 24 * time.Hour)
		return err
	}
	t, err := time.ParseDuration(s)
	if err == nil && t < 0 {
		err = fmt.Errorf("%v is negative", t)
	}
	*d = days(t)
	return err
}

// networks are separated by commas; that there are none says "nowhere".
type networks struct{ *auth.Networks }

func (n *networks) Type() string { return "networks" }

func (n *networks) String() string {
	if n.Networks == nil {
		return ""
	}
	return whence(n.Networks)
}

func (n *networks) Set(s string) (err error) {
	switch s {
	case "anywhere":
		n.Networks = nil
		return nil
	case "nowhere":
		s = ""
	case "":
		return fmt.Errorf("no network; say anywhere or nowhere")
	}
	n.Networks, err = auth.ParseNetworks(s)
	return err
}

// whence tells for people where something may be used from.
func whence(n *auth.Networks) string {
	switch {
	case n == nil:
		return "anywhere"
	case len(n.Prefixes()) == 0:
		return "nowhere"
	default:
		return n.String()
	}
}

// rate is written as 100/1m or, with a burst, 100/1m+20.
type rate struct{ auth.Rate }

func (r *rate) Type() string   { return "rate" }
func (r *rate) String() string { return pace(r.Rate) }

func (r *rate) Set(s string) error {
	text, burst, hasBurst := strings.Cut(s, "+")
	limit, per, ok := strings.Cut(text, "/")
	if !ok {
		return fmt.Errorf("%q is not like 100/1m", s)
	}
	var err error
	var next auth.Rate
	if next.Limit, err = strconv.Atoi(limit); err != nil {
		return fmt.Errorf("%q is not like 100/1m", s)
	}
	if next.Per, err = time.ParseDuration(per); err != nil {
		return fmt.Errorf("%q is not like 100/1m", s)
	}
	if hasBurst {
		if next.Burst, err = strconv.Atoi(burst); err != nil {
			return fmt.Errorf("%q is not like 100/1m+20", s)
		}
	}
	r.Rate = next
	return next.Validate()
}

func pace(r auth.Rate) string {
	if r == (auth.Rate{}) {
		return ""
	}
	text := fmt.Sprintf("%d/%s", r.Limit, brief(r.Per))
	if r.Burst != 0 {
		text += fmt.Sprintf("+%d", r.Burst)
	}
	return text
}
