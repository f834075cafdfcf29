
local now, channel, digest = unpack(ARGV)
if not living(header(KEYS[1]), now) then return false end
local value = redis.call('GET', KEYS[1])
redis.call('PUBLISH', channel, digest)
redis.call('DEL', KEYS[1])
return value
