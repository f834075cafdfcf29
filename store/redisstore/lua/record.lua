-- What all scripts over a record know of it. Its header is told in value.go.

-- Numbers of 8 bytes are compared by halves: as one they are not exact, and
-- strings are compared by the server's locale.
local function after(a, b)
	local ah, al = struct.unpack('>I4I4', a)
	local bh, bl = struct.unpack('>I4I4', b)
	return ah > bh or (ah == bh and al > bl)
end

-- GETEX, as a replica does not answer it.
local function header(key) return (redis.call('GETEX', key) or ''):sub(1, 48) end
local function seen(h) return h:sub(9, 16) end
local function keep(h) return h:sub(17, 24) end
local function stamp(h) return h:sub(25, 32) end
local function home(h) return h:sub(33, 48) end

local function living(h, now) return h ~= '' and after(keep(h), now) end

local function late(deadline)
	if deadline == '' then return false end
	local t = redis.call('TIME')
	return t[1] * 1000000 + t[2] > tonumber(deadline)
end

local function past(expiry)
	if expiry == '' then return false end
	local t = redis.call('TIME')
	return t[1] * 1000 + math.floor(t[2] / 1000) >= tonumber(expiry)
end

-- What the server would not keep, although it is living, is an error. The change
-- is told first, as a script that may not tell must not write. Nobody hears of it
-- before the script is done.
local function put(key, value, expiry, now, channel, digest)
	if past(expiry) and living(value, now) then return redis.error_reply('ERR the clock is ahead by too much') end
	redis.call('PUBLISH', channel, digest)
	if expiry == '' then
		redis.call('SET', key, value)
	else
		redis.call('SET', key, value, 'PXAT', expiry)
	end
end
