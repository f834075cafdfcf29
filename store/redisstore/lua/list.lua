-- What both scripts over a list know of it: a sorted set of digests and stamps, by
-- when the server lets go of their records, in milliseconds.

local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]

-- The list lives as long as what is in it.
local function tidy(key)
	redis.call('ZREMRANGEBYSCORE', key, '-inf', string.format('(%.0f', math.floor(now / 1000)))
	local last = redis.call('ZRANGE', key, -1, -1, 'WITHSCORES')[2]
	if last == 'inf' then
		redis.call('PERSIST', key)
	elseif last then
		redis.call('PEXPIREAT', key, string.format('%.0f', tonumber(last)))
	end
end
