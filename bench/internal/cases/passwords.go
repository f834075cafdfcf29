package cases

import (
	"fmt"

	"github.com/seed-077cad0b/auth/bench/internal/measure"
	"github.com/seed-077cad0b/auth/bench/internal/peers"
)

// Many log in at once with the right password, while somebody else, who has logged
// in, asks for something.
func passwordCases() []measure.Case {
	unbounded := peers.Passwords[0]
	several := []measure.Contender{{Name: "auth", Enter: logIns(oursLogin, 64, (*crowd).rate)}}
	for _, p := range peers.Passwords {
		several = append(several, measure.Contender{Name: p.Name, Enter: logIns(handWritten(p), 64, (*crowd).rate)})
	}
	return []measure.Case{
		{
			Table: "Passwords", Name: "64 log in at once", Unit: "logins/s", Larger: true, Cores: 2, Rounds: 3,
			Contenders: several[:3],
		},
		{
			Table: "Passwords", Name: "64 log in at once, bcrypt of cost 12", Unit: "logins/s", Larger: true, Cores: 2, Rounds: 3, Full: true,
			Contenders: []measure.Contender{several[0], several[3]},
		},
		{
			Table: "Passwords", Name: "300 log in at once", Unit: "logins/s", Larger: true, Cores: 2, Rounds: 3, Full: true,
			Contenders: []measure.Contender{
				{Name: "auth", Enter: logIns(oursLogin, 300, (*crowd).rate)},
				{Name: unbounded.Name, Enter: logIns(handWritten(unbounded), 300, (*crowd).rate)},
			},
		},
		{
			Table: "Passwords", Name: "peak memory", Unit: "MiB", Cores: 2, Rounds: 3,
			Contenders: []measure.Contender{
				{Name: "auth, 300 at once", Enter: logIns(oursLogin, 300, (*crowd).memory)},
				{Name: "auth, 64 at once", Wanted: 1 / 1.25, Enter: logIns(oursLogin, 64, (*crowd).memory)},
				{Name: unbounded.Name + ", 64 at once", Wanted: 4, Enter: logIns(handWritten(unbounded), 64, (*crowd).memory)},
			},
		},
		{
			Table: "Passwords", Name: "p99 of other requests", Unit: "ms", Cores: 2, Rounds: 3,
			Contenders: []measure.Contender{
				{Name: "auth, 300 at once", Enter: logIns(oursLogin, 300, (*crowd).tail)},
				bound("the bound", 5),
				{Name: "auth, 64 at once", Enter: logIns(oursLogin, 64, (*crowd).tail)},
				{Name: "nobody logs in", Enter: logIns(oursLogin, 0, (*crowd).tail)},
			},
		},
		{
			Table: "Passwords", Name: "p99 of other requests, 64 at once", Unit: "ms", Cores: 2, Rounds: 3, Full: true, // it takes seconds
			Contenders: []measure.Contender{
				{Name: "auth", Enter: logIns(oursLogin, 64, (*crowd).tail)},
				{Name: unbounded.Name, Enter: logIns(handWritten(unbounded), 64, (*crowd).tail)},
			},
		},
	}
}

func logIns(makeLogin makeLogin, n int, measured func(*crowd) (float64, error)) func() (*measure.Entry, error) {
	return func() (*measure.Entry, error) {
		c, err := newCrowd(makeLogin, n)
		if err != nil {
			return nil, err
		}
		round := func() (measure.Sample, error) {
			value, err := measured(c)
			if err == nil && c.failures.Load() > 0 {
				err = fmt.Errorf("%d logins failed, one with %d", c.failures.Load(), c.failure.Load())
			}
			return measure.Sample{Value: value}, err
		}
		return &measure.Entry{Round: round, Close: c.loopback.Close, Notes: c.notes}, nil
	}
}
