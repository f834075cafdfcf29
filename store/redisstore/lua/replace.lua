
local value, expiry, now, channel, digest, revision, deadline, listed = unpack(ARGV)
local old = header(KEYS[1])
if not living(old, now) then return 'absent' end
if old:sub(1, 8) ~= revision then return 'conflict' end
local mark = stamp(value)
if listed == '' then
	local unlisted = stamp(old) == string.rep('\0', 8)
	if home(old) ~= home(value) or (not unlisted and after(keep(value), keep(old))) then
		return redis.call('GET', KEYS[1])
	end
	mark = stamp(old)
elseif mark ~= stamp(old) and late(deadline) then
	return 'late'
end
local last = seen(value)
if after(seen(old), last) then last = seen(old) end
value = value:sub(1, 8) .. last .. keep(value) .. mark .. value:sub(33)
return put(KEYS[1], value, expiry, now, channel, digest) or 'replaced'
