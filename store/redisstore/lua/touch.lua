
-- What is past its KeepUntil is not brought back by it.
local last = ARGV[1]
local h = header(KEYS[1])
if h ~= '' and after(last, seen(h)) then
	redis.call('SETRANGE', KEYS[1], 8, last)
end
return 1
