
local age = tonumber(ARGV[1]) -- nil: of whatever age
for i = 2, #ARGV do
	local high, low = struct.unpack('>I4I4', ARGV[i]:sub(33))
	if not age or now - (high * 4294967296 + low) >= age then
		redis.call('ZREM', KEYS[1], ARGV[i])
	end
end
tidy(KEYS[1])
return 1
