package attack

import "strings"

// Paths returns requests without a credential for a protected path, spelled in
// other ways and asked for in others. public is a path of the same program that
// everybody may read; empty for none. A redirect opens nothing.
func Paths(path, public string) []Case {
	var all []Case
	last := strings.LastIndexByte(path, '/') + 1
	tricks := []string{
		path, "/" + path, "//" + path, "/." + path, "/./." + path, "/x/.." + path, "/.." + path, "/../.." + path, path + "/", path + "//", path + "/.", path + "/..", path + "/x/..", path + "/./", path + ";", path + ";x=y", path + ";/x", "/;" + path, path + "?", path + "?x", path + "??", path + "#", path + "?/../public", path + "%", path + "%2", path + "%zz",
		path + "%00", path + "%00.png", path + ".json", path + ".css", path + "/x.css", path + "%20", path + "%09", path + "%0a", path + "%0d%0aX: y", path + "%2f", path + "%2F", path + "%5c", path + "\\", "\\" + path, strings.ReplaceAll(path, "/", "\\"), strings.ReplaceAll(path, "/", "%2f"), strings.ReplaceAll(path, "/", "%252f"), strings.ReplaceAll(path, "/", "//"), strings.ReplaceAll(path, "/", "/%2e/"),
		"/%2e" + path, "/%2e%2e" + path, "/x/%2e%2e" + path, "/x/..;" + path, "/..;" + path, "/%2e%2e%2f" + path[1:], strings.ToUpper(path), path[:last] + strings.ToUpper(path[last:last+1]) + path[last+1:], path[:last] + percent(path[last:last+1]) + path[last+1:], "/" + percent(path[1:]), path[:last] + "%25" + path[last:], path[:last] + "ｒ" + path[last+1:], path + "\u0131", path[:last] + "*", "*", "/*", "", ".", "..", "/", "?", "#",
		"http://api.example" + path, "https://api.example" + path, "HTTP://API.EXAMPLE" + path, "http://mallory.example" + path, "http://127.0.0.1" + path, "http://admin:admin@api.example" + path, "http://" + path, "http:" + path, "//mallory.example" + path, "file://" + path, "ftp://api.example" + path, "unix:" + path, "javascript:" + path, "gopher://api.example" + path, "api.example" + path, "api.example:80" + path, "http://[::1]" + path, "http://[::1%25eth0]" + path, "http://[" + path, path[1:],
	}
	if public != "" {
		tricks = append(tricks, public+"/.."+path, public+"/../.."+path, public+"/%2e%2e"+path, public+"/..;"+path, public+"%2f.."+path, public+"/../../../.."+path, public+"%00"+path, public+";"+path, public+"?"+path, public+"#"+path)
	}
	seen := map[string]bool{}
	for _, target := range tricks {
		if seen[target] {
			continue // two tricks that come to the same with this path
		}
		seen[target] = true
		w := Want{3, 4, Closed}
		if public != "" && (strings.HasPrefix(target, public+"?") || strings.HasPrefix(target, public+"#")) {
			w = append(w, 200) // the public path itself
		}
		all = append(all, Case{Name: "path " + target, Raw: Request("GET", target), Want: w})
	}
	for _, method := range []string{"HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "TRACK", "CONNECT", "FOO", "get", "Get", "gET", "GETX", "XGET", "GET\x00", "G ET", "", "-", "PRI", "PROPFIND", "LOCK", "SEARCH", "PURGE", "DEBUG", "ARBITRARY-METHOD", "GET,POST", "{}", "日本"} {
		all = append(all, Case{Name: "method " + method, Raw: Request(method, path), Want: Refused})
	}
	for _, field := range []string{"X-HTTP-Method-Override: GET", "X-HTTP-Method: GET", "X-Method-Override: GET", "_method: GET"} {
		for _, method := range []string{"GET", "POST", "OPTIONS", "HEAD"} {
			all = append(all, Case{Name: method + " with " + field, Raw: Request(method, path, field), Want: Refused})
		}
	}
	everybody := public
	if everybody == "" {
		everybody = "/"
	}
	for _, field := range []string{
		"X-Original-URL: " + everybody, "X-Rewrite-URL: " + everybody, "X-Override-URL: " + everybody, "X-Original-URI: " + everybody, "X-Forwarded-Uri: " + everybody, "X-Forwarded-Prefix: " + everybody, "X-Forwarded-Path: " + everybody, "Referer: http://api.example" + everybody, "Destination: " + everybody,
		"X-Forwarded-For: 127.0.0.1", "X-Forwarded-For: 127.0.0.1, 127.0.0.1", "X-Real-IP: 127.0.0.1", "X-Client-IP: 127.0.0.1", "True-Client-IP: 127.0.0.1", "CF-Connecting-IP: 127.0.0.1", "X-Originating-IP: 127.0.0.1", "X-Remote-IP: 127.0.0.1", "X-Remote-Addr: 127.0.0.1", "X-ProxyUser-Ip: 127.0.0.1", "Forwarded: for=127.0.0.1;proto=https", "Forwarded: for=\"[::1]\";host=localhost;proto=https", "X-Forwarded-Proto: https", "X-Forwarded-Ssl: on", "Front-End-Https: on", "X-Forwarded-Host: localhost", "X-Host: localhost", "Via: 1.1 localhost",
		"X-Forwarded-User: ada@example.com", "X-Forwarded-Email: ada@example.com", "X-Remote-User: ada@example.com", "Remote-User: ada@example.com", "X-User: ada@example.com", "X-User-Id: 1001", "X-Authenticated-User: ada@example.com", "X-Authenticated-Userid: 1001", "X-Webauth-User: ada", "X-Consumer-Username: ada", "X-Ssl-Client-Verify: SUCCESS", "X-Client-Cert: x", "X-Forwarded-Client-Cert: Subject=\"CN=ada\"", "X-Admin: true", "X-Role: admin", "X-Scope: reports:read data:read", "X-Internal: 1", "X-Middleware-Subrequest: middleware:middleware:middleware", "X-Accel-Redirect: " + path, "X-Sendfile: " + path,
		"Connection: close, Authorization", "Upgrade: websocket", "Upgrade: h2c", "Expect: 100-continue", "Content-Length: 0", "Origin: null", "Sec-Fetch-Site: same-origin", "Access-Control-Request-Method: GET", "Max-Forwards: 0", "Range: bytes=0-", "If-None-Match: *", "If-Match: *", "Cache-Control: only-if-cached", "Accept: */*", "Host: localhost",
	} {
		all = append(all, Case{Name: "spoofed " + field, Raw: Request("GET", path, field), Want: Refused})
	}
	for name, raw := range map[string]string{
		"HTTP/0.9": "GET " + path + "\r\n", "HTTP/0.9 with blank": "GET " + path + " \r\n", "HTTP/1.0": "GET " + path + " HTTP/1.0\r\n\r\n", "HTTP/1.0 kept alive": "GET " + path + " HTTP/1.0\r\nConnection: close\r\n\r\n", "HTTP/1.1 without Host": "GET " + path + " HTTP/1.1\r\n" + closing + "\r\n", "two Hosts": "GET " + path + " HTTP/1.1\r\nHost: a\r\nHost: b\r\n" + closing + "\r\n", "Host with a path": "GET " + path + " HTTP/1.1\r\nHost: a/b\r\n" + closing + "\r\n",
		"HTTP/2.0": "GET " + path + " HTTP/2.0\r\nHost: x\r\n" + closing + "\r\n", "HTTP/3.0": "GET " + path + " HTTP/3.0\r\nHost: x\r\n" + closing + "\r\n", "HTTP/1.2": "GET " + path + " HTTP/1.2\r\nHost: x\r\n" + closing + "\r\n", "HTTP/9.9": "GET " + path + " HTTP/9.9\r\nHost: x\r\n" + closing + "\r\n", "HTTP/1": "GET " + path + " HTTP/1\r\nHost: x\r\n" + closing + "\r\n", "http/1.1": "GET " + path + " http/1.1\r\nHost: x\r\n" + closing + "\r\n",
		"preface of HTTP/2": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00", "TLS": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + strings.Repeat("\x00", 600) + "\r\n\r\n", "SSH": "SSH-2.0-OpenSSH_9.9\r\n\r\n", "SOCKS": "\x05\x01\x00\r\n\r\n", "PROXY": "PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n" + Request("GET", path), "NULs": strings.Repeat("\x00", 100) + "\r\n\r\n", "line ends": strings.Repeat("\r\n", 10) + Request("GET", path), "tabs between": "GET\t" + path + "\tHTTP/1.1\r\nHost: x\r\n" + closing + "\r\n", "two blanks between": "GET  " + path + "  HTTP/1.1\r\nHost: x\r\n" + closing + "\r\n", "line feeds only": "GET " + path + " HTTP/1.1\nHost: x\nConnection: close\n\n",
		"CONNECT to the path": "CONNECT " + path + " HTTP/1.1\r\nHost: x\r\n" + closing + "\r\n", "CONNECT to a host": "CONNECT api.example:443 HTTP/1.1\r\nHost: x\r\n" + closing + "\r\n",
	} {
		w := Refused
		if strings.HasPrefix(name, "HTTP/") || name == "preface of HTTP/2" || name == "http/1.1" {
			w = append(Want{505}, Refused...) // said by net/http of other versions
		}
		all = append(all, Case{Name: name, Raw: raw, Want: w})
	}
	// net/http answers this one by itself, with nothing.
	return append(all, Case{Name: "OPTIONS *", Raw: Request("OPTIONS", "*"), Want: Want{200, 4}, Check: hasNoBody})
}

// Smuggling returns requests whose length is told twice. A good request to path
// follows in the body, which must not be taken for one of its own: it would be
// answered, and answers to these are refusals.
func Smuggling(path, good string) []Case {
	inner := Request("GET", path, good)
	var all []Case
	for name, v := range map[string]struct{ fields, body string }{
		"two lengths":                 {"Content-Length: 0\r\nContent-Length: 5\r\n", "hello"},
		"two lengths in a list":       {"Content-Length: 0, 5\r\n", "hello"},
		"negative length":             {"Content-Length: -1\r\n", ""},
		"length with a sign":          {"Content-Length: +5\r\n", "hello"},
		"length in hexadecimal":       {"Content-Length: 0x5\r\n", "hello"},
		"length with a blank":         {"Content-Length: 5 5\r\n", "hello"},
		"length beyond int64":         {"Content-Length: 99999999999999999999\r\n", "hello"},
		"empty length":                {"Content-Length: \r\n", ""},
		"blank before the colon":      {"Content-Length : 5\r\n", "hello"},
		"length and chunks":           {"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"},
		"chunks and length":           {"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"},
		"chunks twice":                {"Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n"},
		"chunks in two fields":        {"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"},
		"chunks and identity":         {"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "0\r\n\r\n"},
		"identity":                    {"Transfer-Encoding: identity\r\nContent-Length: 5\r\n", "hello"},
		"gzip and chunks":             {"Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"},
		"chunks in quotes":            {"Transfer-Encoding: \"chunked\"\r\n", "0\r\n\r\n"},
		"chunks with a vertical tab":  {"Transfer-Encoding: \vchunked\r\n", "0\r\n\r\n"},
		"chunks with x":               {"Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"},
		"chunks, folded":              {"Transfer-Encoding:\r\n chunked\r\n", "0\r\n\r\n"},
		"chunks, a blank before":      {"Transfer-Encoding : chunked\r\n", "0\r\n\r\n"},
		"chunks, NUL":                 {"Transfer-Encoding: chunked\x00\r\n", "0\r\n\r\n"},
		"chunk with a negative size":  {"Transfer-Encoding: chunked\r\n", "-1\r\n\r\n"},
		"chunk with 0x":               {"Transfer-Encoding: chunked\r\n", "0x5\r\nhello\r\n0\r\n\r\n"},
		"chunk size beyond uint64":    {"Transfer-Encoding: chunked\r\n", "10000000000000000\r\nhello\r\n0\r\n\r\n"},
		"chunk size with a sign":      {"Transfer-Encoding: chunked\r\n", "+5\r\nhello\r\n0\r\n\r\n"},
		"chunk longer than its size":  {"Transfer-Encoding: chunked\r\n", "1\r\nhello\r\n0\r\n\r\n"},
		"chunk without an end":        {"Transfer-Encoding: chunked\r\n", "5\r\nhelloX\r\n0\r\n\r\n"},
		"chunk extension of 20,000":   {"Transfer-Encoding: chunked\r\n", "1;" + strings.Repeat("x", 20_000) + "\r\nx\r\n0\r\n\r\n"},
		"chunk extension, line feed":  {"Transfer-Encoding: chunked\r\n", "2;\nxx\r\n4c\r\n0\r\n\r\n"},
		"trailer that is a length":    {"Transfer-Encoding: chunked\r\nTrailer: Content-Length\r\n", "0\r\nContent-Length: 5\r\n\r\n"},
		"length covers the next":      {"Content-Length: " + quote(len(inner)) + "\r\n", ""},
		"HTTP/1.0 with chunks":        {"\x00", ""},
		"carriage return in a length": {"Content-Length: 5\rX: y\r\n", "hello"},
		"line feed in a name":         {"X\nContent-Length: 5\r\n", "hello"},
	} {
		// The outer request has no credential and asks to close: whatever comes
		// after it is not to be read.
		raw := "POST " + path + " HTTP/1.1\r\nHost: x\r\n" + closing + v.fields + "\r\n" + v.body + inner
		if v.fields == "\x00" {
			raw = "POST " + path + " HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + inner
		}
		all = append(all, Case{Name: name, Raw: raw, Want: append(Want{501}, Refused...), Payload: good}) // 501: net/http, of another Transfer-Encoding
	}
	return all
}

func percent(s string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for _, c := range []byte(s) {
		b.WriteString("%" + string([]byte{digits[c>>4], digits[c&15]}))
	}
	return b.String()
}
