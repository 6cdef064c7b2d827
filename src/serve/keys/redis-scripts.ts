/*
 * What is done in Redis at once for a key: nobody comes between. Times are Redis's own, so that the clocks of several machines
 * need not agree. A number is written out whole: Lua would write a large one as 1e+15 and the negative of nothing as -0, which
 * Redis does not take.
 */

const PRELUDE = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function whole(number) return string.format('%.0f', math.floor(number + 0.5)) end
local function count(key, field) return tonumber(redis.call('HGET', key, field) or '0') end
local requests, tokens, amounts, running, costs, day, month = unpack(KEYS)

-- Of a hash of what each id counts: what calls that are not over may come to is counted beside.
local function ran(counts, id)
  if redis.call('HDEL', counts, id .. ':runs') == 1 then
    redis.call('HINCRBY', counts, 'running', whole(-count(counts, id)))
  end
end
-- Of a set of ids by the time until which they count, and a hash of what each counts: forgets those that are over.
local function forget(ids, counts, before)
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', ids, '-inf', whole(before))) do
    ran(counts, id)
    redis.call('HINCRBY', counts, 'sum', whole(-count(counts, id)))
    redis.call('HDEL', counts, id)
    redis.call('ZREM', ids, id)
  end
end
redis.call('ZREMRANGEBYSCORE', requests, '-inf', whole(now - 60000))
forget(tokens, amounts, now - 60000)
forget(running, costs, now)

-- In the place of what the id counted before, where it was taken late and is taken again.
local function add(ids, counts, id, score, amount)
  redis.call('ZADD', ids, whole(score), id)
  redis.call('HINCRBY', counts, 'sum', whole(amount - count(counts, id)))
  redis.call('HSET', counts, id, whole(amount))
end
local function spent(key)
  local sum = 0
  for _, value in ipairs(redis.call('HVALS', key)) do sum = sum + tonumber(value) end
  return sum
end
`;

/**
 * Takes what a call needs, or says why not. ARGV: id, rpm, tpm, tokens, cost, daily and monthly budget (-1 where there is no
 * such limit), whether it is taken in any case, how long a call may run, in ms, and after how long it is worth to ask again
 * where running calls may leave some of what they took, in ms. Returns: the word `ok`, or what it was refused for; until
 * when, in ms (-1: for ever, or as the budget has it); requests and tokens of the minute, and how long until they are over,
 * in ms; what calls that were running before may cost, and what was spent of the day and of the month; and Redis's time.
 */
export const TAKE = `${PRELUDE}
local id, mine, cost, isForced = ARGV[1], tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[8] == '1'
local rpm, tpm, limits = tonumber(ARGV[2]), tonumber(ARGV[3]), { tonumber(ARGV[6]), tonumber(ARGV[7]) }

local function lastOf(ids)
  local last = redis.call('ZRANGE', ids, -1, -1, 'WITHSCORES')[2]
  return last and tonumber(last) + 60000 - now or 0
end
local held, gone = count(costs, 'sum'), { spent(day), spent(month) }
local function answer(word, retry)
  return { word, retry, redis.call('ZCARD', requests), lastOf(requests), count(amounts, 'sum'), lastOf(tokens), held, gone[1], gone[2], now }
end
-- Until no more than so many are left of ids; of a great many as far as is looked at.
local function untilLeft(ids, counts, left, most)
  local found = redis.call('ZRANGE', ids, 0, 999, 'WITHSCORES')
  for index = 1, #found, 2 do
    left = left - (counts and count(counts, found[index]) or 1)
    if left <= most or index >= #found - 1 then return tonumber(found[index + 1]) + 60000 - now end
  end
  return 0
end

local room = -1
for index, limit in ipairs(limits) do
  if limit >= 0 then
    local left = limit - gone[index] - held
    if left <= 0 and not isForced then return answer('budget', -1) end
    left = math.max(left, 0)
    if room < 0 or left < room then room = left end
  end
end
if not isForced then
  if tpm >= 0 and mine > tpm then return answer('size', -1) end
  local sent = redis.call('ZCARD', requests)
  if rpm >= 0 and sent >= rpm then return answer('requests', untilLeft(requests, nil, sent, rpm - 1)) end
  local used = count(amounts, 'sum')
  if tpm >= 0 and used + mine > tpm then
    local longest = used - count(amounts, 'running') + mine <= tpm and tonumber(ARGV[10]) or 60000
    return answer('tokens', math.min(longest, untilLeft(tokens, amounts, used, tpm - mine)))
  end
end
if rpm >= 0 then
  redis.call('ZADD', requests, whole(now), id)
  redis.call('PEXPIRE', requests, 120000)
end
if tpm >= 0 then
  add(tokens, amounts, id, now, mine)
  if redis.call('HSETNX', amounts, id .. ':runs', '1') == 1 then
    redis.call('HINCRBY', amounts, 'running', whole(mine))
  end
  redis.call('PEXPIRE', tokens, 120000)
  redis.call('PEXPIRE', amounts, 120000)
end
if room >= 0 then
  add(running, costs, id, now + tonumber(ARGV[9]), math.min(cost, room))
  redis.call('PEXPIRE', running, whole(tonumber(ARGV[9]) * 2))
  redis.call('PEXPIRE', costs, whole(tonumber(ARGV[9]) * 2))
end
return answer('ok', 0)
`;

/** Puts what a call used in the place of what it took. ARGV: id, tokens, cost, who spent it. */
export const SETTLE = `${PRELUDE}
local id, used, cost, source = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local taken = redis.call('HGET', amounts, id)
if taken then
  ran(amounts, id)
  local more = used - tonumber(taken)
  if more > 0 then
    add(tokens, amounts, id .. ':more', now, more)
    redis.call('PEXPIRE', tokens, 120000)
    redis.call('PEXPIRE', amounts, 120000)
  else
    redis.call('HSET', amounts, id, whole(used))
    redis.call('HINCRBY', amounts, 'sum', whole(more))
  end
end
if redis.call('ZREM', running, id) == 1 then
  redis.call('HINCRBY', costs, 'sum', whole(-count(costs, id)))
  redis.call('HDEL', costs, id)
end
if cost > 0 then
  redis.call('HINCRBY', day, source, whole(cost))
  redis.call('HINCRBY', month, source, whole(cost))
  redis.call('EXPIRE', day, 172800)
  redis.call('EXPIRE', month, 3456000)
end
return 1
`;

/** Raises what was spent to what a ledger has of it. KEYS: a day's or month's. ARGV: whose ledger, cost, seconds to keep it. */
export const RAISE = `
if tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or '0') < tonumber(ARGV[2]) then
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
  redis.call('EXPIRE', KEYS[1], ARGV[3])
end
return 1
`;
