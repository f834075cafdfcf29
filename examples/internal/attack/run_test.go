package attack

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A catalogue that passes proves nothing if its judge lets everything pass.
func TestJudge(t *testing.T) {
	challenged := http.Header{"Www-Authenticate": {"Bearer"}, "Cache-Control": {"no-store"}}
	payload := strings.Repeat("payload", 3)
	for name, c := range map[string]struct {
		want   Want
		answer Answer
		fails  string
	}{
		"refused":                 {Unauthorized, Answer{Status: 401, Header: challenged}, ""},
		"any refusal":             {Refused, Answer{Status: 431}, ""},
		"a redirect":              {Want{3}, Answer{Status: 307}, ""},
		"admitted":                {Unauthorized, Answer{Status: 200}, "wants one of"},
		"admitted where refused":  {Refused, Answer{Status: 200}, "wants one of"},
		"an outage":               {Refused, Answer{Status: 503}, "wants one of"},
		"another refusal":         {Unauthorized, Answer{Status: 403}, "wants one of"},
		"no challenge":            {Unauthorized, Answer{Status: 401}, "without a challenge"},
		"a refusal that is kept":  {Unauthorized, Answer{Status: 401, Header: http.Header{"Www-Authenticate": {"Bearer"}}}, "caches may keep"},
		"an echo in the body":     {Malformed, Answer{Status: 400, Body: "bad: " + payload}, "repeats the payload"},
		"an echo in the header":   {Malformed, Answer{Status: 400, Header: http.Header{"X": {payload}}}, "repeats the payload"},
		"an answer that is wrong": {Want{204}, Answer{Status: 204, Body: "x"}, "has a body"},
	} {
		t.Run(name, func(t *testing.T) {
			err := Case{Want: c.want, Payload: payload, Check: hasNoBody}.judge(c.answer)
			if c.fails == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, c.fails)
			}
		})
	}
}

// serve answers every connection with text and closes it.
func serve(t *testing.T, text string) (addr string) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Read(make([]byte, 1<<10))
			_, _ = io.WriteString(conn, text)
			_ = conn.Close()
		}
	}()
	return listener.Addr().String()
}

const empty = " x\r\nContent-Length: 0\r\n\r\n"

func TestSendReadsEveryAnswer(t *testing.T) {
	answers, err := Send(serve(t, "HTTP/1.1 100 x\r\n\r\nHTTP/1.1 401"+empty+"HTTP/1.1 200"+empty), Request("GET", "/"))
	require.NoError(t, err)
	require.Len(t, answers, 2, "a request in disguise was answered")
	require.Equal(t, 200, answers[1].Status)
}

func TestAnswersThatTellCasesApartFail(t *testing.T) {
	header := func(date string) http.Header { return http.Header{"Www-Authenticate": {"Bearer"}, "Date": {date}} }
	r := &Runner{alike: map[string]Answer{}}
	c := Case{Alike: "login"}
	require.NoError(t, r.compare(c, Answer{Status: 401, Header: header("1"), Body: "no"}))
	require.NoError(t, r.compare(c, Answer{Status: 401, Header: header("2"), Body: "no"}))
	require.NoError(t, r.compare(c, Answer{Status: 400, Header: header("2"), Body: "what?"}))
	require.NoError(t, r.compare(Case{}, Answer{Status: 401, Body: "who?"}))
	require.Error(t, r.compare(c, Answer{Status: 401, Header: header("1"), Body: "who?"}))
	require.Error(t, r.compare(c, Answer{Status: 401, Header: http.Header{}, Body: "no"}))
}

func TestAnAttackThatHarmsOthersFails(t *testing.T) {
	r := &Runner{probe: Request("GET", "/"), probes: line{addr: serve(t, "HTTP/1.1 401"+empty)}}
	require.ErrorContains(t, r.judge(Case{Want: Refused}, []Answer{{Status: 404}}), "probe is answered 401")
	r = &Runner{probe: Request("GET", "/"), probes: line{addr: serve(t, "")}}
	require.ErrorContains(t, r.judge(Case{Want: Refused}, nil), "probe is not answered")
	require.ErrorContains(t, r.judge(Case{Want: Unauthorized}, nil), "closed without an answer")
	r = &Runner{probe: Request("GET", "/"), probes: line{addr: serve(t, "HTTP/1.1 200"+empty)}}
	require.NoError(t, r.judge(Case{Want: Refused}, nil))
}

// What is logged about thousands of cases is searched for all that they sent.
func TestRequireLog(t *testing.T) {
	fails := func(log string, secrets ...string) bool {
		r := &Runner{payloads: map[string]bool{}}
		r.remember([]Case{{Payload: strings.Repeat("payload", 3)}})
		inner := &failing{TB: t}
		r.RequireLog(inner, log, secrets...)
		return inner.failed
	}
	require.False(t, fails("time=1 msg=refused\ntime=2 msg=refused\n", "secret-that-is-long"))
	require.True(t, fails("time=1 msg=refused by=xpayloadpayloadpayloadx\n"))
	require.True(t, fails("time=1 msg=secret-that-is-long\n", "secret-that-is-long"))
	require.True(t, fails("time=1 msg=panic\n"))
}

// failing notes that a test has failed instead of ending it.
type failing struct {
	testing.TB
	failed bool
}

func (f *failing) Errorf(string, ...any) { f.failed = true }
func (f *failing) FailNow()              { f.failed = true }
