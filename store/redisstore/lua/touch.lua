
local now, last = unpack(ARGV)
local h = header(KEYS[1])
if living(h, now) and after(last, seen(h)) then
	redis.call('SETRANGE', KEYS[1], 8, last)
end
return 1
