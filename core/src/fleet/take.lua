-- Gives out the permits of a shared quota, in one round trip. The rules are those of `fleet/ledger.rs` in the engine, which
-- says why; a test holds the two together. All times in nanoseconds. What is kept are instants of this server's clock, each
-- as whole seconds and nanoseconds, so that every number is a whole one below 2^53, which Lua's doubles hold exactly.
--
-- KEYS: the quota (hash), the processes (sorted set); both of one hash tag, so of one slot.
local quota, alive = KEYS[1], KEYS[2]
local id = ARGV[1]
local interval, tolerance = tonumber(ARGV[2]), tonumber(ARGV[3])
local want, most_ahead, ahead = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local patience = tonumber(ARGV[7])
local back, back_last, back_age = tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10])
local back_s, back_n = tonumber(ARGV[11]), tonumber(ARGV[12])
local pause, away, leave = tonumber(ARGV[13]), ARGV[14] == '1', ARGV[15] == '1'
local settle, counts_for = tonumber(ARGV[16]), tonumber(ARGV[17])

local time = redis.call('TIME')
local now_s, now_n = tonumber(time[1]), tonumber(time[2]) * 1000

-- From now on; `nil` where there is none.
local function until_instant(s, n)
  return s and (tonumber(s) - now_s) * 1e9 + (tonumber(n) - now_n)
end
local function instant(from_now)
  local n = now_n + from_now
  local s = math.floor(n / 1e9)
  return string.format('%.0f', now_s + s), string.format('%.0f', n - s * 1e9)
end

-- Who is there.
local now_ms = now_s * 1000 + math.floor(now_n / 1e6)
if leave then redis.call('ZREM', alive, id) else redis.call('ZADD', alive, now_ms, id) end
redis.call('ZREMRANGEBYSCORE', alive, '-inf', '(' .. string.format('%.0f', now_ms - counts_for))
local processes = math.max(redis.call('ZCARD', alive), 1)

-- What is kept: when the last permit is paid for, the last question, until when who was away stays away, the pause.
local kept = redis.call('HMGET', quota, 'es', 'en', 'ls', 'ln', 'as', 'an', 'ps', 'pn')
local last = until_instant(kept[3], kept[4])
local known = kept[3] and true or false
local finish = until_instant(kept[1], kept[2]) or tolerance
local stay_away = until_instant(kept[5], kept[6]) or 0
local paused = until_instant(kept[7], kept[8]) or 0
last = last or 0
local end_is_mine = kept[1] and tonumber(kept[1]) == back_s and tonumber(kept[2]) == back_n
-- The clock went back: so does all.
if last > 0 then
  finish, stay_away, paused = finish - last, stay_away - last, paused - last
  end_is_mine = false
end

if back > 0 then
  local n = 0
  if finish <= tolerance then n = back elseif end_is_mine then n = back_last end
  finish = finish - math.max(n * interval - back_age, 0)
end
if away and (not known or -last > settle) then stay_away = settle end
if pause > 0 then paused = math.max(paused, pause) end
local quiet = math.max(stay_away, paused)
if quiet > 0 then finish = math.max(finish, quiet + tolerance) end
finish = math.max(finish, 0)

local first = finish - tolerance
local horizon = math.max(ahead, interval * processes)
local granted = 0
if want > 0 and first <= horizon and first <= patience then
  local most = math.max(math.floor(most_ahead / processes), 1)
  granted = math.min(want, most, math.floor((horizon - first) / interval) + 1)
  finish = finish + granted * interval
end

local es, en = instant(finish)
local as, an = instant(math.max(stay_away, 0))
local ps, pn = instant(math.max(paused, 0))
redis.call('HSET', quota, 'es', es, 'en', en, 'ls', string.format('%.0f', now_s), 'ln', string.format('%.0f', now_n),
  'as', as, 'an', an, 'ps', ps, 'pn', pn)
-- A day after it is all paid for. By then nobody remembers a burst either.
redis.call('PEXPIRE', quota, string.format('%.0f', math.floor(finish / 1e6) + 86400000))
redis.call('PEXPIRE', alive, string.format('%.0f', counts_for + 1000))
return {granted, first, tonumber(es), tonumber(en), processes, math.max(stay_away, 0), math.max(paused, 0)}
