-- Hands messages of one group out: first what other consumers lost, then what is new.
-- KEYS: stream, delayed. ARGV: group, consumer, lease in ms, most, where the last search for lost ones ended.
-- Answers {where this search ended, the stream's last id, ms until the next delayed one or -1, {{entry, taken, times, id, key, payload}, …}}.
local stream, delayed = KEYS[1], KEYS[2]
local group, consumer, lease, most = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

for _, member in ipairs(redis.call('ZRANGEBYSCORE', delayed, '-inf', now, 'LIMIT', 0, 256)) do
  local message = cmsgpack.unpack(member)
  redis.call('XADD', stream, '*', 'id', message[1], 'key', message[2], 'payload', message[3], 'taken', message[4])
  redis.call('ZREM', delayed, member)
end

local taken = {}
local function hand_out(entries)
  for _, entry in ipairs(entries) do
    if entry and entry[2] then
      local field = {}
      for at = 1, #entry[2], 2 do field[entry[2][at]] = entry[2][at + 1] end
      local pending = redis.call('XPENDING', stream, group, entry[1], entry[1], 1)
      local times = pending[1] and pending[1][4] or 1
      taken[#taken + 1] = {entry[1], tostring(tonumber(field['taken']) + times), tostring(times), field['id'], field['key'], field['payload']}
    end
  end
end

local lost = redis.call('XAUTOCLAIM', stream, group, consumer, lease, ARGV[5], 'COUNT', most)
hand_out(lost[2])
if #lost[2] > 0 then
  -- Consumers that died and have nothing left are not kept for ever.
  for _, known in ipairs(redis.call('XINFO', 'CONSUMERS', stream, group)) do
    local field = {}
    for at = 1, #known, 2 do field[known[at]] = known[at + 1] end
    if field['pending'] == 0 and field['idle'] > 10 * tonumber(lease) and field['name'] ~= consumer then
      redis.call('XGROUP', 'DELCONSUMER', stream, group, field['name'])
    end
  end
end
if #taken < most then
  local fresh = redis.call('XREADGROUP', 'GROUP', group, consumer, 'COUNT', most - #taken, 'STREAMS', stream, '>')
  if fresh and fresh[1] then hand_out(fresh[1][2]) end
end

local last = '0-0'
local info = redis.call('XINFO', 'STREAM', stream)
for at = 1, #info, 2 do
  if info[at] == 'last-generated-id' then last = info[at + 1] end
end
local wait = -1
local next = redis.call('ZRANGE', delayed, 0, 0, 'WITHSCORES')
if next[2] then wait = math.max(0, tonumber(next[2]) - now) end
return {lost[1], last, tostring(wait), taken}
