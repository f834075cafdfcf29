package attack

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/seed-077cad0b/auth"
)

// APIKeys returns texts that are not the good key that they are made of, whose
// prefix ends with the underscore. They belong into the key's own header field.
func APIKeys(key, prefix string) []Token {
	body := strings.TrimPrefix(key, prefix)
	secret, sum := body[:len(body)-6], body[len(body)-6:]
	var all []Token
	add := func(name, text string) { all = append(all, newToken(name, text, Unauthorized)) }
	for i := range len(key) {
		if i > 0 {
			add(fmt.Sprintf("the first %d", i), key[:i])
			add(fmt.Sprintf("from byte %d", i), key[i:])
		}
		add(fmt.Sprintf("without byte %d", i), key[:i]+key[i+1:])
		add(fmt.Sprintf("byte %d twice", i), key[:i+1]+key[i:])
		add(fmt.Sprintf("byte %d another", i), key[:i]+string(rotated(key[i]))+key[i+1:])
		add(fmt.Sprintf("byte %d in the other case", i), key[:i]+swapCase(key[i])+key[i+1:])
	}
	for _, end := range []string{"0", "A", "=", "_", ".", ",", ";", "%00", "\t0", " 0", "/", "+", "é"} {
		add("ends with "+end, key+end)
		add("begins with "+end, end+key)
	}
	for _, p := range []string{"", "_", "x_", "prod_", "live_", strings.ToUpper(prefix), prefix + prefix, "x" + prefix, prefix[1:], strings.TrimSuffix(prefix, "_") + "-", strings.TrimSuffix(prefix, "_") + "__", "sk_" + prefix} {
		add(fmt.Sprintf("prefix %q", p), p+body)
	}
	add("secret without checksum", prefix+secret)
	add("checksum before the secret", prefix+sum+secret)
	add("checksum of zeros", prefix+secret+"000000")
	add("secret of zeros", prefix+strings.Repeat("0", len(secret))+sum)
	add("secret reversed", prefix+reversed(secret)+sum)
	add("key twice", key+key)
	add("key twice with a comma", key+","+key)
	add("key twice with a comma and a blank", key+", "+key)
	add("key and another in a list", key+",x")
	add("another and key in a list", "x,"+key)
	add("key in quotes", `"`+key+`"`)
	add("key in angles", "<"+key+">")
	add("key with its name", "api_key="+key)
	add("key as JSON", `{"api_key":"`+key+`"}`)
	add("key as a scheme", "Bearer "+key)
	add("key as another scheme", "ApiKey "+key)
	add("key in base64", base64.StdEncoding.EncodeToString([]byte(key)))
	add("key in base64url", encode(key))
	add("key in hexadecimal", hex.EncodeToString([]byte(key)))
	add("key percent-encoded", percent(key))
	add("pattern", prefix+strings.Repeat("?", len(body)))
	add("star", "*")
	add("prefix and star", prefix+"*")
	add("SQL", "' OR '1'='1")
	add("SQL after the prefix", prefix+"' OR 1=1 --"+body[11:])
	add("NoSQL", `{"$gt":""}`)
	add("null", "null")
	for name, digested := range map[string]string{"digest": key[:len(key)-6], "digest of all of it": key, "digest of the secret": secret} {
		d := auth.DigestOf(auth.KindAPIKey, digested).String()
		add(name, d)
		all[len(all)-1].Public = true
		add(name+" after the prefix", prefix+d+sum)
		add(name+" in full after the prefix", prefix+(d + sum)[:len(body)])
	}
	for _, n := range []int{1000, 10_000, 60_000} {
		add(fmt.Sprintf("%d bytes", n), prefix+strings.Repeat("A", n))
		add(fmt.Sprintf("key and %d bytes", n), key+strings.Repeat("0", n))
		add(fmt.Sprintf("%d bytes and key", n), strings.Repeat("0", n)+key)
	}
	return all
}

// KeyFields returns requests that bring a good key in any way but alone in its
// one field, X-API-Key.
func KeyFields(path, key string) []Case {
	var all []Case
	good := "X-API-Key: " + key
	add := func(name string, w Want, fields ...string) {
		all = append(all, Case{Name: name, Raw: Request("GET", path, fields...), Want: w, Payload: key})
	}
	add("two fields, good and bad", Want{400, 401}, good, "X-API-Key: x")
	add("two fields, bad and good", Want{400, 401}, "X-API-Key: x", good)
	add("two fields, both good", Want{400, 401}, good, good)
	add("two fields, an empty one first", Want{400, 401}, "X-API-Key:", good)
	add("two fields, an empty one last", Want{400, 401}, good, "X-API-Key:")
	add("two fields of different case", Want{400, 401}, good, "x-api-key: x")
	add("empty field", Unauthorized, "X-API-Key:")
	add("blank field", Unauthorized, "X-API-Key:  \t ")
	add("blank before the colon", Want{400, 401, Closed}, "X-API-Key : "+key)
	add("NUL in it", Want{400, Closed}, good+"\x00")
	for _, name := range []string{"X-API-Keys", "X-ApiKey", "API-Key", "ApiKey", "Key", "X-Key", "X_API_KEY", "X-API_Key", "Api_Key", "X-Auth-Key", "X-Access-Key", "X-Secret-Key", "X-Api-Token", "Ocp-Apim-Subscription-Key", "Proxy-Authorization", "X-Forwarded-Api-Key", "Cookie", "Referer", "User-Agent"} {
		add("key in "+name, Unauthorized, name+": "+key)
	}
	add("key as a bearer token", Unauthorized, "Authorization: Bearer "+key)
	add("key alone in Authorization", Unauthorized, "Authorization: "+key)
	add("key of another scheme", Unauthorized, "Authorization: ApiKey "+key)
	add("key as a password", Unauthorized, "Authorization: Basic "+base64.StdEncoding.EncodeToString([]byte(key+":")))
	for _, name := range []string{"api_key", "X-API-Key", "x-api-key", "__Host-session", "session"} {
		add("key in the cookie "+name, Unauthorized, "Cookie: "+name+"="+key)
	}
	for _, name := range []string{"api_key", "apikey", "key", "X-API-Key", "x-api-key", "access_token"} {
		all = append(all, Case{Name: "key in the query as " + name, Raw: Request("GET", path+"?"+name+"="+key), Want: Unauthorized, Payload: key})
	}
	// What a source finds bad is final: the next is not asked (contract 1).
	add("bad token beside a good key", Unauthorized, "Authorization: Bearer x", good)
	add("bad token after a good key", Unauthorized, good, "Authorization: Bearer x")
	add("two bad tokens beside a good key", Want{400, 401}, good, "Authorization: Bearer x", "Authorization: Bearer y")
	add("another scheme may be beside a good key", Admitted, good, "Authorization: Basic YTpi")
	for _, name := range []string{"x-api-key", "X-Api-Key", "X-API-KEY"} {
		add(name+" may be the field", Admitted, name+": "+key)
	}
	return all
}

// rotated returns another byte of base62.
func rotated(c byte) byte {
	if c == 'z' || c == 'Z' || c == '9' || c == '_' {
		return '0'
	}
	return c + 1
}

// swapCase returns a letter in its other case, and what is none with its eighth
// bit set.
func swapCase(c byte) string {
	if c|0x20 >= 'a' && c|0x20 <= 'z' {
		return string([]byte{c ^ 0x20})
	}
	return string([]byte{c | 0x80})
}
