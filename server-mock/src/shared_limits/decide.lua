-- Decides about one call: all of its limits are used, or none. What `Question::decide` does in Rust (question.rs); a test
-- holds the two together.
--
-- Instants are nanoseconds times the count of a rate, up to 30 decimal digits, which no double holds. So the gateway does
-- all multiplying, and what is left to do here is adding and comparing: of numbers of 30 digits, in two halves of 15, each a
-- whole number below 2^53 before and after adding. Everything else is below 2^53 by itself.
--
-- KEYS: the counts (hash), the calls in progress (sorted set, by the end of their leases in milliseconds of this server's
-- clock); both of one hash tag, so of one slot.
local counts, calls = KEYS[1], KEYS[2]
local today, per_day = tonumber(ARGV[1]), tonumber(ARGV[2])
local most, lease, lasts = tonumber(ARGV[3]), ARGV[4], tonumber(ARGV[5])
local kept_for, room = ARGV[6], tonumber(ARGV[7])
local ended, lines = tonumber(ARGV[8]), tonumber(ARGV[9])
local at = 10

local HALF = 1e15
local function read(text)
  return tonumber(string.sub(text, 1, 15)), tonumber(string.sub(text, 16, 30))
end

for i = at, at + ended - 1 do redis.call('ZREM', calls, ARGV[i]) end
at = at + ended

local at_once, now_ms = 0, 0
if most >= 0 then
  local time = redis.call('TIME')
  now_ms = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
  redis.call('ZREMRANGEBYSCORE', calls, '-inf', '(' .. string.format('%.0f', now_ms))
  at_once = redis.call('ZCARD', calls)
end

local names = {'day'}
for i = 0, lines - 1 do names[i + 2] = ARGV[at + i * 5] end
local kept = redis.call('HMGET', counts, unpack(names))

local admitted = most < 0 or at_once < most
local fresh = false
local after = {}

-- The day: its number and the calls in it. A clock that went back gets no day anew.
local day, used = 0, 0
if kept[1] then
  local number, calls_of_day = string.match(kept[1], '^(%d+) (%d+)$')
  day, used = tonumber(number), tonumber(calls_of_day)
end
if today > day then day, used = today, 0 end
if per_day >= 0 then
  if used >= per_day then admitted = false end
  after[1] = string.format('%.0f %.0f', day, used + 1)
end

for i = 1, lines do
  local from = at + (i - 1) * 5
  local name, kind, a, b, c = ARGV[from], ARGV[from + 1], ARGV[from + 2], ARGV[from + 3], ARGV[from + 4]
  local value = kept[i + 1]
  if not value and i > 1 then fresh = true end
  if kind == 'r' then
    -- Rolling: a is now, b what the call costs, c the latest the next call's time may be.
    local high, low = read(a)
    if value then
      local kept_high, kept_low = read(value)
      if kept_high > high or (kept_high == high and kept_low > low) then high, low = kept_high, kept_low end
    end
    local cost_high, cost_low = read(b)
    high, low = high + cost_high, low + cost_low
    if low >= HALF then high, low = high + 1, low - HALF end
    local last_high, last_low = read(c)
    if high > last_high or (high == last_high and low > last_low) then admitted = false end
    after[i + 1] = string.format('%015.0f%015.0f', high, low)
  else
    -- Fixed: a is the period, b what the call costs, c the most of a period.
    local period, of_period = 0, 0
    if value then
      local number, units = string.match(value, '^(%d+) (%d+)$')
      period, of_period = tonumber(number), tonumber(units)
    end
    if tonumber(a) > period then period, of_period = tonumber(a), 0 end
    of_period = of_period + tonumber(b)
    if of_period > tonumber(c) then admitted = false end
    after[i + 1] = string.format('%.0f %.0f', period, of_period)
  end
end

local answer = {admitted and '1' or '0', string.format('%.0f', at_once)}
if not admitted then
  for i = 1, lines + 1 do answer[i + 2] = kept[i] or '' end
  return answer
end

if fresh and redis.call('HLEN', counts) >= room then
  -- Too many partitions: those of the policies begin anew.
  local burst = redis.call('HGET', counts, 'burst')
  redis.call('DEL', counts)
  if burst then redis.call('HSET', counts, 'burst', burst) end
end
for i = 1, lines + 1 do
  if after[i] then redis.call('HSET', counts, names[i], after[i]) end
  answer[i + 2] = after[i] or ''
end
redis.call('PEXPIRE', counts, kept_for)
if most >= 0 then
  redis.call('ZADD', calls, string.format('%.0f', now_ms + lasts), lease)
  redis.call('PEXPIRE', calls, string.format('%.0f', lasts + 1000))
end
return answer
