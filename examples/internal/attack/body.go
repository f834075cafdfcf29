package attack

import (
	"fmt"
	"strings"
)

// Bodies returns requests to a login that it refuses because of how their bodies
// are made. body is one that it takes, a JSON object of texts, and secret is the
// one of them that is to be found nowhere.
func Bodies(path, body, secret string) []Case {
	good, err := parseObject(body)
	if err != nil {
		panic("attack: " + err.Error())
	}
	var all []Case
	raw := func(name, raw string, w Want) {
		all = append(all, Case{Name: name, Raw: raw, Want: w, Payload: secret})
	}
	json := func(name, body string, w Want) { raw(name, Post(path, "application/json", body), w) }

	for _, m := range good {
		name := strings.Trim(m.name, `"`)
		json(name+" missing", good.without(name).String(), Malformed)
		json(name+" empty", good.set(name, `""`).String(), Malformed)
		for _, v := range append([]string{"1", "1e309", "[" + m.value + "]", `{"$ne":null}`, `{"` + name + `":` + m.value + "}", `[[]]`, "-0"}, wrongTypes...) {
			json(name+" is "+strings.ReplaceAll(v, m.value, "…"), good.set(name, v).String(), Malformed)
		}
		json(name+" twice, the same", good.add(m.name, m.value).String(), Malformed)
		json(name+" twice, another first", good.ahead(m.name, `"x"`).String(), Malformed)
		json(name+" twice, another last", good.add(m.name, `"x"`).String(), Malformed)
		json(name+" twice, once escaped", good.add(fmt.Sprintf(`"\u00%02x%s"`, name[0], name[1:]), `"x"`).String(), Malformed)
		for _, other := range []string{strings.ToUpper(name), strings.ToUpper(name[:1]) + name[1:], name + " ", name + "\x00", strings.ReplaceAll(name, "s", "ſ") + map[bool]string{true: "ſ"}[!strings.Contains(name, "s")]} {
			json(fmt.Sprintf("%q for %s", other, name), good.without(name).add(quote(other), m.value).String(), Malformed)
		}
	}
	json("nothing in it", "{}", Malformed)
	json("inside of another member", `{"user":`+good.String()+"}", Malformed)
	for _, s := range shapes(good.String()) {
		if s.text == good.String() {
			continue // a trick for objects of more than one member
		}
		json("shape: "+s.name, s.text, Malformed)
	}
	for _, s := range sound(good.String()) {
		json("sound: "+s.name, s.text, Admitted)
	}

	pad := func(n int) string {
		o := good.set("x", `""`)
		return o.set("x", quote(strings.Repeat("x", n-len(o.String())))).String()
	}
	const most = 64 << 10
	json("64 KiB", pad(most), Admitted)
	json("64 KiB and a byte", pad(most+1), Want{413})
	json("2 MiB", pad(2<<20), Want{413})
	json("64 KiB of blanks before it", strings.Repeat(" ", most)+good.String(), Want{413})
	json("64 KiB of brackets", strings.Repeat("[", most), Malformed)
	json("64 KiB of open objects", strings.Repeat(`{"":`, most/4), Malformed)
	json("64 KiB of an open string", "{"+good[0].name+`:"`+strings.Repeat("x", most-10-len(good[0].name)), Malformed)
	json("64 KiB of escapes", `{"x":"`+strings.Repeat(`\u0061`, most/6-2)+`"}`, Malformed)
	head := "POST " + path + " HTTP/1.1\r\nHost: x\r\n" + closing + "Content-Type: application/json\r\n"
	chunked := head + "Transfer-Encoding: chunked\r\n\r\n"
	chunk := fmt.Sprintf("%x\r\n%s\r\n", most, strings.Repeat(" ", most))
	raw("chunks without end", chunked+strings.Repeat(chunk, 64), Want{413})
	raw("chunks of a byte without end", chunked+strings.Repeat("1\r\n{\r\n", 6*most), Want{413})
	raw("good in chunks of a byte", chunked+"1\r\n"+strings.Join(strings.Split(good.String(), ""), "\r\n1\r\n")+"\r\n0\r\n\r\n", Admitted)
	raw("length of 1 GiB announced", head+"Content-Length: 1073741824\r\n\r\n"+good.String(), Want{413})
	raw("length beyond int64 announced", head+"Content-Length: 18446744073709551617\r\n\r\n"+good.String(), Want{400, Closed})
	raw("length of 1 GiB announced, which waits to go on", head+"Expect: 100-continue\r\nContent-Length: 1073741824\r\n\r\n", Want{413, 417})
	raw("gzip", Post(path, "application/json", "\x1f\x8b\x08\x00"+good.String(), "Content-Encoding: gzip"), Malformed)
	return all
}
