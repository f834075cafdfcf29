package auth_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
)

// partnersPage returns the fenced texts of the page for partners, in order, each
// with its language in front.
func partnersPage(t *testing.T) [][2]string {
	page, err := os.ReadFile(filepath.Join("docs", "platforms.md"))
	require.NoError(t, err)
	var blocks [][2]string
	for _, m := range regexp.MustCompile("(?ms)^```([a-z]*)\n(.*?)^```$").FindAllStringSubmatch(string(page), -1) {
		blocks = append(blocks, [2]string{m[1], m[2]})
	}
	return blocks
}

// tool returns the first of the commands that is installed and can do what the
// page asks of it. An absent one is told, with the Debian package that has it.
func tool(t *testing.T, debian string, check []string, commands ...string) string {
	for _, c := range commands {
		if path, err := exec.LookPath(c); err == nil && exec.Command(path, check...).Run() == nil {
			return path
		}
	}
	t.Logf("not run: nothing that does %s %q is installed (Debian: %s)", commands[0], check, debian)
	return ""
}

// The programs of the page sign in, as they stand there.
func TestPartnersPrograms(t *testing.T) {
	d := newDesk(newTap(t)).open()
	server := httptest.NewServer(d.handler)
	defer server.Close()
	key, err := filepath.Abs(filepath.Join("testdata", "platform", "private.pem"))
	require.NoError(t, err)
	programs := map[string]struct {
		file, path string
		args       []string
	}{
		"sh":     {"sign.sh", tool(t, "openssl", []string{"-c", "openssl version"}, "sh"), nil},
		"python": {"sign.py", tool(t, "python3-jwt", []string{"-c", "import jwt, cryptography"}, "python3", "/usr/bin/python3"), nil},
		"js":     {"sign.js", tool(t, "nodejs", []string{"--version"}, "node"), nil},
		"go":     {"sign.go", tool(t, "golang-go", []string{"version"}, "go"), []string{"run"}},
	}
	found := 0
	for _, b := range partnersPage(t) {
		p, ok := programs[b[0]]
		if !ok {
			continue
		}
		found++
		if p.path == "" {
			continue
		}
		t.Run(p.file, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), p.file)
			require.NoError(t, os.WriteFile(file, []byte(b[1]), 0o600))
			for _, email := range []string{"ada@example.com", "ada@example.com", "o'hara+x@example.com"} {
				cmd := exec.CommandContext(t.Context(), p.path, append(p.args, file, key, email)...)
				cmd.Dir, cmd.Stderr = filepath.Dir(file), os.Stderr
				cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=")
				out, err := cmd.Output()
				require.NoError(t, err)

				r, err := http.NewRequest("POST", server.URL+"/login/acme", nil)
				require.NoError(t, err)
				r.Header.Set("Token", strings.TrimSpace(string(out)))
				answer, err := server.Client().Do(r)
				require.NoError(t, err)
				require.NoError(t, answer.Body.Close())
				require.Equal(t, http.StatusOK, answer.StatusCode, "%s", out)
				require.Equal(t, email, d.asked[len(d.asked)-1].Email)
			}
		})
	}
	require.Equal(t, len(programs), found)
}

// The vectors of the page are what the key signs, and good for as long as the
// page says.
func TestPartnersVectors(t *testing.T) {
	blocks := partnersPage(t)
	vectors := blocks[len(blocks)-5:]
	public, err := auth.ParsePEM(auth.RS512, []byte(vectors[0][1]))
	require.NoError(t, err)
	var assertions []string
	for i := 1; i < len(vectors); i += 2 {
		payload := strings.TrimSpace(vectors[i][1])
		assertion := strings.ReplaceAll(vectors[i+1][1], "\n", "")
		require.Equal(t, signPlatform(platformKey(), rs512, payload), assertion)
		assertions = append(assertions, assertion)
	}
	for at, want := range map[string]int{
		"2026-03-01T11:55:59Z": 401, "2026-03-01T11:56:00Z": 200, "2026-03-01T12:00:59Z": 200, "2026-03-01T12:01:00Z": 401,
	} {
		authtest.At(t, must(time.Parse(time.RFC3339, at)), func(t *testing.T) {
			d := newDesk(newTap(t))
			d.acme().Keys = must(auth.NewKeys(nil, public))
			d.open()
			require.Equal(t, want, d.login("acme", assertions[0]).Code, at)
			d.acme().Audience = apiAudience
			require.Equal(t, want, d.grant(assertions[1]).Code, at)
		})
	}
}
