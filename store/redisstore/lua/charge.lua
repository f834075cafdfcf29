-- An account is a time: when its debt is paid, in microseconds since 1970, and the
-- nanoseconds beside them. One that is paid is as good as none.

local what = ARGV[1]
local amount, amountRest = tonumber(ARGV[2]), tonumber(ARGV[3])
local burst, burstRest = tonumber(ARGV[4]), tonumber(ARGV[5])

local function above(a, aRest, b, bRest) return a > b or (a == b and aRest > bRest) end

-- normal carries the nanoseconds over. No debt is below nothing.
local function normal(a, rest)
	if rest < 0 then a, rest = a - 1, rest + 1000 end
	if rest >= 1000 then a, rest = a + 1, rest - 1000 end
	if a < 0 then return 0, 0 end
	return a, rest
end

local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local known = redis.call('GETEX', KEYS[1]) -- which a replica does not answer
local debt, rest = 0, 0
if known then
	local paid, nanos = known:match('^(%d+) (%d+)$')
	debt, rest = normal(tonumber(paid) - now, tonumber(nanos))
end

local changed, allowed = false, 1
if above(debt, rest, burst, burstRest) then -- at another rate
	debt, rest = burst, burstRest
	changed = what ~= 'ask'
end
if what == 'give' then
	debt, rest = normal(debt - amount, rest - amountRest)
	changed = known
else
	local sum, sumRest = normal(debt + amount, rest + amountRest)
	if above(sum, sumRest, burst, burstRest) then
		allowed = 0
	elseif what == 'charge' then
		debt, rest = sum, sumRest
		changed = true
	end
end

if changed then
	local paid = now + debt
	redis.call('SET', KEYS[1], string.format('%.0f %d', paid, rest), 'PXAT', string.format('%.0f', math.ceil(paid / 1000) + 1))
end
return { allowed, debt, rest }
