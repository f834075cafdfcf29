
local digest, expiry, stamp = unpack(ARGV)
if stamp == '' then
	local at = now
	repeat
		stamp = struct.pack('>I8', at)
		at = at + 1
	until not redis.call('ZSCORE', KEYS[1], digest .. stamp)
	redis.call('ZADD', KEYS[1], expiry, digest .. stamp)
else -- unless it is gone, as its record is then
	redis.call('ZADD', KEYS[1], 'XX', 'GT', expiry, digest .. stamp)
end
tidy(KEYS[1])
return stamp
