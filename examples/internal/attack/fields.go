package attack

import (
	"encoding/base64"
	"fmt"
	"strings"
)

// Fields returns requests to a path that a good bearer token opens, in which the
// token is anywhere but alone in one Authorization field, or that field is
// written as no grammar has it.
func Fields(path, token string) []Case {
	var all []Case
	good := "Authorization: Bearer " + token
	add := func(name string, w Want, fields ...string) {
		all = append(all, Case{Name: name, Raw: Request("GET", path, fields...), Want: w, Payload: token})
	}
	either := Want{400, 401}

	add("two fields, good and bad", either, good, "Authorization: Bearer bad")
	add("two fields, bad and good", either, "Authorization: Bearer bad", good)
	add("two fields, both good", either, good, good)
	add("two fields, another scheme first", either, "Authorization: Basic YTpi", good)
	add("two fields, another scheme last", either, good, "Authorization: Basic YTpi")
	add("two fields, an empty one first", either, "Authorization:", good)
	add("two fields, an empty one last", either, good, "Authorization:")
	add("two fields of different case", either, good, "AUTHORIZATION: Bearer bad")
	for _, list := range []string{
		"Bearer " + token + ", Bearer bad", "Bearer bad, Bearer " + token, "Bearer " + token + ",", "Bearer ," + token, ", Bearer " + token, "Basic YTpi, Bearer " + token, "Bearer " + token + ", realm=x", "Bearer " + token + ",Basic YTpi", "Bearer token=" + token, "Bearer \"" + token + "\"", "Bearer <" + token + ">", "Bearer '" + token + "'", "Bearer [" + token + "]", "Bearer realm=\"x\", token=\"" + token + "\"",
		"Bearer " + token + " x", "Bearer x " + token, "Bearer " + token + ";", "Bearer " + token + "; x=y", "Bearer " + token + "#", "Bearer " + token + "?", "Bearer " + token + "&x", "Bearer " + token + "\\", "Bearer " + token + "/", "Bearer " + token + "+", "Bearer " + token + "==", "Bearer Bearer " + token, "Bearer: " + token, "Bearer:" + token, "Bearer=" + token, "Bearer," + token, "Bearer/" + token, "Bearer" + token, "Bearer\t" + token, "Bearer \t" + token, "Bearer\u00a0" + token, "Bearer\u2003" + token, "Bearer+" + token, "Bearer%20" + token,
		token, "Token " + token, "JWT " + token, "OAuth " + token, "OAuth2 " + token, "DPoP " + token, "MAC " + token, "Negotiate " + token, "Digest " + token, "ApiKey " + token, "GNAP " + token, "Bearers " + token, "xBearer " + token, "Beare " + token, "Bearer1 " + token, "\"Bearer\" " + token, "Beareｒ " + token, "ᴮearer " + token,
		"Basic " + token, "Basic " + base64.StdEncoding.EncodeToString([]byte(":"+token)), "Basic " + base64.StdEncoding.EncodeToString([]byte(token+":")), "Basic " + base64.StdEncoding.EncodeToString([]byte("Bearer:"+token)), "Bearer " + base64.StdEncoding.EncodeToString([]byte(token)), "Bearer null", "Bearer undefined", "Bearer", "Bearer   ", "Bearer .", "Bearer ..", "Bearer ...", "Bearer =", "Bearer ====", "Bearer *", "Bearer true", "Bearer 0", "Bearer []", "Bearer {}", "Bearer [object Object]", "Bearer ${token}", "Bearer %s%n%x", "Bearer ' OR 1=1 --", "Bearer ../../etc/passwd", "Bearer \u202e" + token, "-", ",", "=", "\"", "B", "b",
	} {
		add("Authorization is "+strings.ReplaceAll(list, token, "TOKEN"), Unauthorized, "Authorization: "+list)
	}
	for _, scheme := range []string{"bearer", "BEARER", "bEaReR", "Bearer ", "Bearer     "} {
		add(fmt.Sprintf("%q may be the scheme", scheme), Admitted, "Authorization: "+scheme+" "+token)
	}
	for _, name := range []string{"authorization", "AUTHORIZATION", "aUTHORIZATION"} {
		add(name+" may be the field", Admitted, name+": Bearer "+token)
	}
	for name, field := range map[string]string{"no blank after the colon": "Authorization:Bearer " + token, "blanks after the colon": "Authorization: \t  Bearer " + token, "blanks at the end": good + " \t "} {
		add("may have "+name, Admitted, field)
	}
	for name, field := range map[string]string{
		"blank before the colon": "Authorization : Bearer " + token, "tab before the colon": "Authorization\t: Bearer " + token, "blank before the name": " " + good, "no colon": "Authorization Bearer " + token, "NUL in the name": "Authorization\x00: Bearer " + token, "two colons": "Authorization:: Bearer " + token,
		"NUL in the token": good[:len(good)-9] + "\x00" + good[len(good)-9:], "NUL at the end": good + "\x00", "carriage return inside": good[:len(good)-9] + "\r" + good[len(good)-9:], "bell": good + "\a", "escape": "Authorization: \x1b[31mBearer " + token, "delete": good + "\x7f", "folded before the token": "Authorization: Bearer\r\n " + token, "folded inside of the token": good[:len(good)-9] + "\r\n\t" + good[len(good)-9:],
		"folded at the start": "Authorization:\r\n Bearer " + token, "byte FF": good + "\xff", "soft hyphen in the name": "Author\u00adization: Bearer " + token, "underscore for the hyphen": "Authori_zation: Bearer " + token, "colon at the start": ":" + good, "line of its own": "Authorization:\r\nBearer " + token, "comma in the name": "Authorization,: Bearer " + token,
	} {
		w := Want{400, 401, Closed}
		if name == "folded before the token" || name == "folded at the start" {
			w = append(w, 200) // net/textproto mends obsolete folds: a blank takes their place
		}
		add("with "+name, w, field)
	}
	add("Authorization in a field of another", Unauthorized, "X-Forwarded-Authorization: Bearer "+token)
	for _, name := range []string{
		"X-Authorization", "X-Auth-Token", "X-Access-Token", "Access-Token", "Authentication", "Proxy-Authorization", "WWW-Authenticate", "X-JWT", "X-JWT-Assertion", "Token", "X-Amzn-Oidc-Data", "X-Forwarded-Access-Token", "X-Goog-Iap-Jwt-Assertion", "Cf-Access-Jwt-Assertion", "X-Id-Token", "X-CSRF-Token", "X-Session-Token", "Sec-WebSocket-Protocol", "HTTP_AUTHORIZATION", "Redirect-Http-Authorization", "X-HTTP-Authorization", "Authorization2", "Bearer", "DPoP", "Referer", "From",
	} {
		add("token in "+name, Unauthorized, name+": Bearer "+token)
		add("token alone in "+name, Unauthorized, name+": "+token)
	}
	add("token in Sec-WebSocket-Protocol, as a list", Unauthorized, "Sec-WebSocket-Protocol: bearer, "+token)
	for _, cookie := range []string{"session", "__session", "__Secure-session", "__host-session", "__HOST-SESSION", "access_token", "token", "jwt", "Authorization", "Bearer", "auth", "id_token", "sid", "connect.sid", "remember_me", "__Host-token"} {
		add("token in the cookie "+cookie, Unauthorized, "Cookie: "+cookie+"="+token)
	}
	for _, query := range []string{"access_token", "token", "authorization", "Authorization", "bearer", "jwt", "id_token", "auth", "key", "api_key", "apikey", "X-API-Key", "X-Amz-Security-Token", "code", "session"} {
		all = append(all, Case{Name: "token in the query as " + query, Raw: Request("GET", path+"?"+query+"="+token), Want: Unauthorized, Payload: token})
	}
	for name, request := range map[string]string{
		"token in a form":                  strings.Replace(Post(path, "application/x-www-form-urlencoded", "access_token="+token), "POST", "GET", 1),
		"token in JSON":                    strings.Replace(Post(path, "application/json", `{"access_token":"`+token+`"}`), "POST", "GET", 1),
		"token in a trailer":               "GET " + path + " HTTP/1.1\r\nHost: x\r\n" + closing + "Trailer: Authorization\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n" + good + "\r\n\r\n",
		"token in a trailer not announced": "GET " + path + " HTTP/1.1\r\nHost: x\r\n" + closing + "Transfer-Encoding: chunked\r\n\r\n0\r\n" + good + "\r\n\r\n",
		"token in a chunk extension":       "GET " + path + " HTTP/1.1\r\nHost: x\r\n" + closing + "Transfer-Encoding: chunked\r\n\r\n0;Authorization=Bearer " + token + "\r\n\r\n",
		"token in the fragment":            Request("GET", path+"#access_token="+token),
		"token in the path":                Request("GET", path+";access_token="+token),
		"token as user info":               Request("GET", "http://bearer:"+token+"@api.example"+path),
		"token in Host":                    "GET " + path + " HTTP/1.1\r\nHost: " + token + "\r\n" + closing + "\r\n",
		"token in the version":             "GET " + path + " HTTP/1.1" + token + "\r\nHost: x\r\n" + closing + "\r\n",
		"token after an announced body":    Post(path, "text/plain", good+"\r\n"),
	} {
		all = append(all, Case{Name: name, Raw: request, Want: Want{400, 401, 403, 404, 405}, Payload: token})
	}
	return all
}

// Oversize returns requests that are too large in some way.
func Oversize(path, token string) []Case {
	good := "Authorization: Bearer " + token
	var all []Case
	for _, n := range []int{4 << 10, 16 << 10, 60 << 10} {
		for name, text := range map[string]string{"A": strings.Repeat("A", n), "A.A.A": strings.Repeat("A", n/3) + "." + strings.Repeat("A", n/3) + "." + strings.Repeat("A", n/3), "token": token + strings.Repeat("A", n), "=": strings.Repeat("=", n)} {
			all = append(all, Case{Name: fmt.Sprintf("token of %d bytes: %s", n, name), Raw: Request("GET", path, "Authorization: Bearer "+text), Want: Unauthorized})
		}
		all = append(all,
			Case{Name: fmt.Sprintf("%d blanks", n), Raw: Request("GET", path, "Authorization: Bearer"+strings.Repeat(" ", n)+"x"), Want: Unauthorized},
			Case{Name: fmt.Sprintf("scheme of %d bytes", n), Raw: Request("GET", path, "Authorization: "+strings.Repeat("B", n)+" "+token), Want: Unauthorized})
	}
	for _, n := range []int{80 << 10, 1 << 20} {
		large := Want{431, 400, Closed}
		all = append(all,
			Case{Name: fmt.Sprintf("Authorization of %d bytes", n), Raw: Request("GET", path, "Authorization: Bearer "+strings.Repeat("A", n)), Want: large},
			Case{Name: fmt.Sprintf("good token and a field of %d bytes", n), Raw: Request("GET", path, good, "X-Large: "+strings.Repeat("A", n)), Want: large},
			Case{Name: fmt.Sprintf("field name of %d bytes", n), Raw: Request("GET", path, strings.Repeat("A", n)+": x"), Want: large},
			Case{Name: fmt.Sprintf("path of %d bytes", n), Raw: Request("GET", path+"/"+strings.Repeat("A", n)), Want: append(large, 414)},
			Case{Name: fmt.Sprintf("cookies of %d bytes", n), Raw: Request("GET", path, "Cookie: "+strings.Repeat("a=b; ", n/5)), Want: large},
			Case{Name: fmt.Sprintf("method of %d bytes", n), Raw: Request(strings.Repeat("A", n), path), Want: large})
	}
	many := make([]string, 1000)
	for i := range many {
		many[i] = "Authorization: Bearer x"
	}
	other := make([]string, 1000)
	for i := range other {
		other[i] = fmt.Sprintf("X-Field-%d: x", i)
	}
	return append(all,
		Case{Name: "1,000 Authorization fields", Raw: Request("GET", path, many...), Want: Want{400, 401}},
		Case{Name: "1,000 other fields", Raw: Request("GET", path, other...), Want: Unauthorized},
		Case{Name: "1,000 cookies", Raw: Request("GET", path, "Cookie: "+strings.Repeat("__Host-session=x; ", 1000)), Want: Want{400, 401}},
		Case{Name: "10,000 cookies without names", Raw: Request("GET", path, "Cookie: "+strings.Repeat(";=", 10_000)), Want: Unauthorized})
}
