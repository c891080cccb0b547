-- Adds a message to the stream of every group, all or none.
-- KEYS: the id's mark, then of each group its stream and its set of delayed messages.
-- ARGV: id, key, payload, most messages of a group, milliseconds the id is remembered, then the groups' names.
if redis.call('EXISTS', KEYS[1]) == 1 then return 'duplicate' end
for at = 2, #KEYS, 2 do
  if redis.call('XLEN', KEYS[at]) + redis.call('ZCARD', KEYS[at + 1]) >= tonumber(ARGV[4]) then return 'full' end
end
for at = 2, #KEYS, 2 do
  -- Who consumes finds its group, also before it has taken anything.
  if redis.call('EXISTS', KEYS[at]) == 0 then redis.call('XGROUP', 'CREATE', KEYS[at], ARGV[5 + at / 2], '0', 'MKSTREAM') end
  redis.call('XADD', KEYS[at], '*', 'id', ARGV[1], 'key', ARGV[2], 'payload', ARGV[3], 'taken', '0')
end
redis.call('SET', KEYS[1], '1', 'PX', ARGV[5])
return 'stored'
