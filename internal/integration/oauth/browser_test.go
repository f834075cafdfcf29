//go:build linux

package oauth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// A look is on what a page is looked at.
type look struct {
	name          string
	width, height int64
	theme         string
	phone         bool
}

var looks = []look{
	{"desktop, light", 1280, 800, "light", false},
	{"desktop, dark", 1280, 800, "dark", false},
	{"phone, light", 375, 667, "light", true},
	{"phone, dark", 375, 667, "dark", true},
}

// A tab is that of a Chromium without a window, which has no cookies yet.
type tab struct {
	testing.TB
	context.Context
	look

	mu      sync.Mutex
	console []string // what the browser has to say
}

// newTab starts one. Where some hosts are, it is told.
func newTab(tb testing.TB, hosts string, l look) *tab {
	tb.Helper()
	path, err := exec.LookPath("chromium")
	require.NoError(tb, err, "the test runs Chromium. This installs it:\n\n\tapt-get install -y --no-install-recommends chromium")
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		chromedp.NoSandbox, // which containers have none of
		chromedp.IgnoreCertErrors,
		chromedp.Flag("host-resolver-rules", hosts))
	ctx, cancel := chromedp.NewExecAllocator(tb.Context(), options...)
	tb.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	tb.Cleanup(cancel)
	require.NoError(tb, chromedp.Do(ctx)) // its life is that of this context
	t := &tab{TB: tb, Context: ctx, look: l}
	messages := chromedp.Console(ctx)
	go func() {
		for m, err := range messages {
			if err != nil {
				return
			}
			t.mu.Lock()
			t.console = append(t.console, m.String())
			t.mu.Unlock()
		}
	}()
	viewport := []chromedp.EmulateViewportOption{chromedp.EmulateScale(1)}
	if l.phone {
		viewport = []chromedp.EmulateViewportOption{chromedp.EmulateScale(2), chromedp.EmulateMobile, chromedp.EmulateTouch}
	}
	t.do(
		chromedp.EmulateViewport(l.width, l.height, viewport...),
		chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
			_, err1 := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
				Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: l.theme}},
			})
			_, err2 := cdp.Call(ctx, target, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
			return errors.Join(err1, err2)
		}))
	return t
}

func (t *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context, time.Minute)
	defer cancel()
	require.NoError(t, chromedp.Do(ctx, steps...))
}

// open goes to a URL and waits for what has the selector.
func (t *tab) open(address, selector string) {
	t.Helper()
	t.do(chromedp.Navigate(address), chromedp.WaitVisible(chromedp.CSS(selector)))
}

// press presses a key until the browser shows what has the selector.
func (t *tab) press(key, selector string) {
	t.Helper()
	t.do(chromedp.KeyEvent(key), chromedp.WaitVisible(chromedp.CSS(selector)))
}

// evaluate runs a script in a page that runs none itself.
func evaluate[T any](t *tab, script string) T {
	t.Helper()
	v, err := chromedp.Run(t.Context, chromedp.Evaluate[T](script))
	require.NoError(t, err)
	return v
}

// requireQuiet requires that the browser had nothing to object to, but for what is
// named.
func (t *tab) requireQuiet(but string) {
	t.Helper()
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, line := range t.console {
		if but == "" || !strings.Contains(line, but) {
			require.Fail(t, "the browser objects", line)
		}
	}
}

// check requires of a page what holds of all of them, and keeps its picture where
// the flag -artifacts has the test keep such.
func (t *tab) check(name string) {
	t.Helper()
	picture, err := chromedp.Run(t.Context, chromedp.FullScreenshot(100))
	require.NoError(t, err)
	dir := t.TB.(*testing.T).ArtifactDir()
	file := filepath.Join(dir, strings.ReplaceAll(t.look.name, ", ", "-")+"-"+name+".png")
	require.NoError(t, os.WriteFile(file, picture, 0o600))
	require.Empty(t, evaluate[[]string](t, faults), name)
}

// faults lists what is wrong with a page: what cannot be read, reached or touched.
const faults = `(() => {
  const found = []
  const require = (ok, what) => { if (!ok) found.push(what) }
  const root = document.documentElement
  require(root.lang, 'no language')
  require(document.title, 'no title')
  require(document.querySelectorAll('h1').length === 1, 'not one h1')
  require(document.querySelectorAll('main').length === 1, 'not one main')
  require(document.scripts.length === 0, 'a script')
  require(root.scrollWidth <= innerWidth, 'it scrolls sideways: ' + root.scrollWidth + ' in ' + innerWidth)

  const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true })
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1)
    canvas.fillStyle = color
    canvas.fillRect(0, 0, 1, 1)
    return canvas.getImageData(0, 0, 1, 1).data
  }
  const background = (e) => {
    for (; e; e = e.parentElement) {
      const color = rgba(getComputedStyle(e).backgroundColor)
      if (color[3] === 255) return color
      if (color[3] !== 0) found.push('half a background')
    }
    found.push('no background')
    return [255, 255, 255]
  }
  const luminance = (c) => [0.2126, 0.7152, 0.0722].reduce((sum, weight, i) => {
    const v = c[i] / 255
    return sum + weight * (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
  }, 0)
  const contrast = (a, b) => {
    const [x, y] = [luminance(a), luminance(b)].sort((p, q) => q - p)
    return (x + 0.05) / (y + 0.05)
  }
  const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  while (words.nextNode()) {
    const e = words.currentNode.parentElement
    const text = words.currentNode.textContent.trim()
    if (!text || !e.checkVisibility()) continue
    const ratio = contrast(rgba(getComputedStyle(e).color), background(e))
    require(ratio >= 4.5, 'contrast ' + ratio.toFixed(2) + ': ' + text) // WCAG 2.2, 1.4.3
  }
  for (const e of document.querySelectorAll('input:not([type=hidden]), button, .button')) {
    const box = e.getBoundingClientRect()
    const name = e.id || e.textContent
    require(box.height >= 44, name + ' is ' + box.height + ' high') // 2.5.5
    require(parseFloat(getComputedStyle(e).fontSize) >= 16, name + ' is small, so phones zoom in')
    if (e.matches('input')) {
      require(e.labels.length === 1, name + ' has no label')
      require(contrast(rgba(getComputedStyle(e).borderTopColor), background(e.parentElement)) >= 3, name + ' is hard to see') // 1.4.11
    }
  }
  return found
})()`

// focused returns what has the focus, by its id or its text.
const focused = `document.activeElement.id || document.activeElement.textContent.trim()`

// requireFocus requires that the keyboard reaches these in order, and that one can
// see where one is.
func (t *tab) requireFocus(names ...string) {
	t.Helper()
	for _, name := range names {
		require.Equal(t, name, evaluate[string](t, focused))
		require.True(t, evaluate[bool](t, `(() => {
			const s = getComputedStyle(document.activeElement)
			return s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2
		})()`), "no outline around %s", name)
		t.do(chromedp.KeyEvent("\t"))
	}
}

// sites are those that people come from and go back to: the client's, which listens
// on this host and as https://web.example. A page there says where it was reached.
func newSites(t *testing.T) (app *httptest.Server, hosts string) {
	site := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		switch r.URL.Path {
		case "/callback":
			_, _ = w.Write([]byte(`<!doctype html><title>Back</title><link rel="icon" href="data:,"><h1 id="back">Back</h1>`))
		case "/frame":
			_, _ = w.Write([]byte(`<!doctype html><title>Frame</title><link rel="icon" href="data:,"><h1 id="framed">Frame</h1><iframe id="frame"></iframe>`))
		default:
			http.NotFound(w, r)
		}
	})
	app = httptest.NewServer(site)
	web := httptest.NewTLSServer(site)
	t.Cleanup(app.Close)
	t.Cleanup(web.Close)
	return app, "MAP web.example " + web.Listener.Addr().String()
}

// location returns the URL that the tab shows.
func (t *tab) location() *url.URL {
	t.Helper()
	text, err := chromedp.Run(t.Context, chromedp.Location())
	require.NoError(t, err)
	return must(url.Parse(text))
}

// click clicks on something, or taps it on a phone, and waits for what comes of
// it.
func (t *tab) click(selector, next string) {
	t.Helper()
	act := chromedp.Click[chromedp.CSS]
	if t.phone {
		act = chromedp.Tap[chromedp.CSS]
	}
	t.do(act(chromedp.CSS(selector)), chromedp.WaitVisible(chromedp.CSS(next)))
}

// framed puts a URL into the frame of the page and returns the URL of what comes
// of it, which is empty where the browser keeps that to itself.
func (t *tab) framed(address string) (got string) {
	t.Helper()
	t.do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf("document.querySelector('#frame').src = %q", address)))
	for deadline := time.Now().Add(time.Minute); ; <-time.After(50 * time.Millisecond) {
		tree, err := chromedp.Call(t.Context, page.GetFrameTree, cdp.Empty{})
		require.NoError(t, err)
		frames := tree.FrameTree.ChildFrames
		switch {
		case len(frames) == 0:
			return ""
		case frames[0].Frame.URL != "" && frames[0].Frame.URL != "about:blank":
			return frames[0].Frame.URL
		}
		require.True(t, time.Now().Before(deadline), "nothing in the frame")
	}
}
