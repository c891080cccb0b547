-- What a holder does with a message: only if it still has it.
-- KEYS: stream, delayed. ARGV: group, consumer, entry, times, lease in ms, what ('ack', 'nack', 'extend'), delay in ms.
-- Answers 1, or 0 where the message belongs to another or is gone.
local stream, delayed = KEYS[1], KEYS[2]
local group, consumer, entry, times, what = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[6]
local pending = redis.call('XPENDING', stream, group, entry, entry, 1)[1]
if not pending or pending[2] ~= consumer or tostring(pending[4]) ~= times or pending[3] > tonumber(ARGV[5]) then
  return 0
end
if what == 'extend' then
  redis.call('XCLAIM', stream, group, consumer, 0, entry, 'JUSTID')
  return 1
end
if what == 'nack' then
  local kept = redis.call('XRANGE', stream, entry, entry)[1]
  if not kept then return 0 end
  local field = {}
  for at = 1, #kept[2], 2 do field[kept[2][at]] = kept[2][at + 1] end
  local taken = tostring(tonumber(field['taken']) + tonumber(times))
  if tonumber(ARGV[7]) <= 0 then
    redis.call('XADD', stream, '*', 'id', field['id'], 'key', field['key'], 'payload', field['payload'], 'taken', taken)
  else
    local time = redis.call('TIME')
    local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
    redis.call('ZADD', delayed, now + tonumber(ARGV[7]), cmsgpack.pack({field['id'], field['key'], field['payload'], taken, entry}))
  end
end
redis.call('XACK', stream, group, entry)
redis.call('XDEL', stream, entry)
return 1
