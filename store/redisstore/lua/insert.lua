
local value, expiry, now, channel, digest, deadline = unpack(ARGV)
if living(header(KEYS[1]), now) then return 'exists' end
if late(deadline) then return 'late' end
return put(KEYS[1], value, expiry, now, channel, digest) or 'inserted'
