
local digest, expiry, stamp = unpack(ARGV)
if stamp == '' then
	local at = now
	repeat
		stamp = struct.pack('>I8', at)
		at = at + 1
	until not redis.call('ZSCORE', KEYS[1], digest .. stamp)
end
redis.call('ZADD', KEYS[1], 'GT', expiry, digest .. stamp)
tidy(KEYS[1])
return stamp
