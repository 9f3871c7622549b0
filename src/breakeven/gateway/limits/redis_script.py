"""Redis scripts: the rules of `key_state.py` in Lua, so that Redis carries out each reservation as one step.

Of each key there are two values, in one slot of a cluster: a hash of numbers, and a sorted set of the reservations of
requests that are under way, by the time at which they are given up as those of a process that died. What was given up
is remembered for a day under `!`, so that a request that ends after all is still counted. Money is whole nano-USD
(exact to 9 million USD in Lua's numbers).
"""

from __future__ import annotations

from typing import Final

NUMBERS: Final = ("period", "period_s", "spent", "reserved", "before", "requests", "tokens", "updated")
"""Fields of the hash, in the order of `KeyState`."""

_READ: Final = """
local read = redis.call('HMGET', KEYS[1], 'period', 'period_s', 'spent', 'reserved', 'before',
  'requests', 'tokens', 'updated')
for i = 1, 8 do read[i] = tonumber(read[i] or 0) end
local period, period_s, spent, reserved, before, requests, tokens, updated = unpack(read)
local function whole(number) return string.format('%.0f', number) end
local function exact(number) return string.format('%.17g', number) end
local function store()
  redis.call('HSET', KEYS[1], 'period', whole(period), 'period_s', exact(period_s), 'spent', whole(spent),
    'reserved', whole(reserved), 'before', whole(before), 'requests', exact(requests), 'tokens', exact(tokens),
    'updated', exact(updated))
end
"""

RESERVE: Final = (
    _READ
    + """
local now, id, nano, count = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local budget, length = tonumber(ARGV[5]), tonumber(ARGV[6])
local requests_rate, requests_max, tokens_rate = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local expires = tonumber(ARGV[10])
local since = math.max(now - updated, 0)
if requests_rate < 0 then requests = 0 else requests = math.max(requests - since * (requests_rate / 60), 0) end
if tokens_rate < 0 then tokens = 0 else tokens = math.max(tokens - since * (tokens_rate / 60), 0) end
updated = now
if budget >= 0 then
  local current = math.floor(now / length)
  if period_s ~= length then
    spent, reserved, period, period_s = spent + reserved, 0, current, length
  elseif current > period then
    before = current == period + 1 and spent or 0
    period, spent, reserved = current, 0, 0
  end
end
for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now)) do
  redis.call('ZREM', KEYS[2], member)
  local of_period, held = string.match(member, '^[^!:]+:(%-?%d+):(%d+)$')
  if held then
    if tonumber(of_period) == period then reserved = math.max(reserved - tonumber(held), 0) end
    redis.call('ZADD', KEYS[2], exact(now + 86400), '!' .. member)
  end
end
local mark = id .. ':' .. whole(period) .. ':' .. whole(nano)
local found = 0
if budget >= 0 and redis.call('ZSCORE', KEYS[2], mark) then return {0, whole(period)} end
if budget >= 0 and spent + reserved + nano > budget then found = 1
elseif requests_rate >= 0 and requests + 1 > requests_max + 1e-6 then found = 2
elseif tokens_rate >= 0 and count > 0 and tokens + count > tokens_rate + 1e-6 then found = 3
else
  if budget >= 0 then
    reserved = reserved + nano
    redis.call('ZADD', KEYS[2], exact(expires), mark)
  end
  if requests_rate >= 0 then requests = requests + 1 end
  if tokens_rate >= 0 then tokens = tokens + count end
end
store()
local keep = whole(math.max(length * 2, 172800))
redis.call('EXPIRE', KEYS[1], keep)
redis.call('EXPIRE', KEYS[2], keep)
return {found, whole(period), exact(period_s), whole(spent), whole(reserved), whole(before), exact(requests),
  exact(tokens), exact(updated)}
"""
)
"""Returns which limit is spent (0: none), the period, and the other numbers. Asked again for the same id it says the
same and takes nothing, so that an answer that was lost on its way can be asked for again."""

SETTLE: Final = (
    _READ
    + """
local mark, of_period, held = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local used, change = tonumber(ARGV[4]), tonumber(ARGV[5])
if mark ~= '' then
  if redis.call('ZREM', KEYS[2], mark) == 0 then
    held = 0
    if redis.call('ZREM', KEYS[2], '!' .. mark) == 0 then return 0 end
  end
  if of_period == period then
    spent, reserved = spent + used, math.max(reserved - held, 0)
  elseif of_period == period - 1 then
    before = before + used
  end
end
if tokens > 0 then tokens = math.max(tokens + change, 0) end
store()
return 1
"""
)
"""Returns 1, or 0 where that reservation was settled before: an answer that was lost on its way can be asked again."""
