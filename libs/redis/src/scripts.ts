import { jobSummarySchema } from '@skipring/protocol';

/** Fields of a job's record that its summary has. */
export const SUMMARY_FIELDS = Object.keys(jobSummarySchema.shape);

/** What a script returns instead of writing when a later leader has taken over. */
export const NOT_LEADER = 'not-leader';

/**
 * Begins a script that only the leader may run. Its first key is the counter of leaders and its first
 * argument the caller's number, or "" for a caller without one.
 */
const FENCE = `
if ARGV[1] ~= '' and redis.call('GET', KEYS[1]) ~= ARGV[1] then return '${NOT_LEADER}' end
table.remove(KEYS, 1)
table.remove(ARGV, 1)
`;

/**
 * Takes the lease unless it is held. KEYS: leader, counter of leaders. ARGV: token, TTL in ms.
 * Returns {number of this leader, 0, ""}, or {0, remaining ms, token of the holder}.
 */
export const ACQUIRE_LEASE = `
local holder = redis.call('GET', KEYS[1])
if holder then return {0, redis.call('PTTL', KEYS[1]), holder} end
local number = redis.call('INCR', KEYS[2])
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return {number, 0, ''}
`;

/**
 * Renews a lease, also one that ran out while Redis was away, unless another has led since.
 * KEYS: leader, counter of leaders. ARGV: token, TTL in ms, number. Returns 1 when it is held.
 */
export const RENEW_LEASE = `
if redis.call('GET', KEYS[2]) ~= ARGV[3] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
`;

/** Gives a lease up. KEYS: leader, counter of leaders. ARGV: token. Returns 1 when it was held. */
export const RELEASE_LEASE = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
`;

/** The number of a new attempt. KEYS and ARGV: of FENCE, then the attempt counter. */
export const NEXT_ATTEMPT = `${FENCE}
return redis.call('INCR', KEYS[1])
`;

/**
 * Defines `exceeded`: which of an owner's limits one more job would break, or "". `limits` is the JSON of
 * TokenLimits, or "" for none.
 */
const QUOTA = `
local function exceeded(limits, open, storage, numWorkers)
  if limits == '' then return '' end
  local limit = cjson.decode(limits)
  local function over(most, used) return type(most) == 'number' and used > most end
  if over(limit.openJobs, redis.call('HLEN', open) + 1) then return 'openJobs' end
  if type(limit.workers) == 'number' then
    local sum = tonumber(numWorkers)
    for _, value in ipairs(redis.call('HVALS', open)) do sum = sum + tonumber(value) end
    if over(limit.workers, sum) then return 'workers' end
  end
  if type(limit.storageBytes) == 'number' then
    local sum = 0
    for _, value in ipairs(redis.call('HVALS', storage)) do sum = sum + tonumber(value) end
    if over(limit.storageBytes, sum) then return 'storageBytes' end
  end
  return ''
end
`;

/**
 * Defines `joined`: fields of a hash whose values are JSON as one JSON object, or nil where there is no
 * hash. What is stored as JSON is put together as it is: nobody has to parse and write it again.
 */
const JOINED = `
local function joined(key, fields)
  local values = redis.call('HMGET', key, unpack(fields))
  if not values[1] then return nil end
  local parts = {}
  for i, field in ipairs(fields) do parts[i] = '"' .. field .. '":' .. (values[i] or 'null') end
  return '{' .. table.concat(parts, ',') .. '}'
end
`;

/** Lua: the summary of the job at KEYS[n]. */
const summaryAt = (hash: string): string =>
  `joined(${hash}, {${SUMMARY_FIELDS.map((field) => `'${field}'`).join(', ')}})`;

/**
 * Creates a job unless its idempotency key is known. Each script runs whole or not at all.
 *
 * KEYS: of FENCE, then idempotency key or "", jobs, jobs in state, job hash, events, open jobs and
 *       storage of its owner, changes of state, summaries
 * ARGV: of FENCE, then id, idempotency value, TTL in ms, event JSON, event limit, limits or "", most
 *       workers, limit of changes of state, field, value, field, value, ...
 * Returns {the stored idempotency value when the key is known, else "", the limit broken or ""}.
 */
export const CREATE_JOB = `${FENCE}${QUOTA}${JOINED}
local known = ARGV[2] ~= '' and redis.call('GET', KEYS[1])
if known then return {known, ''} end
local broken = exceeded(ARGV[6], KEYS[6], KEYS[7], ARGV[7])
if broken ~= '' then return {'', broken} end
if ARGV[2] ~= '' then redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
redis.call('ZADD', KEYS[2], 0, ARGV[1])
redis.call('ZADD', KEYS[3], 0, ARGV[1])
redis.call('HSET', KEYS[4], unpack(ARGV, 9))
redis.call('HSET', KEYS[9], ARGV[1], ${summaryAt('KEYS[4]')})
redis.call('HSET', KEYS[6], ARGV[1], ARGV[7])
redis.call('XADD', KEYS[5], 'MAXLEN', '~', ARGV[5], '*', 'event', ARGV[4])
redis.call('XADD', KEYS[8], 'MAXLEN', '~', ARGV[8], '*', 'event', ARGV[4])
return {'', ''}
`;

/**
 * Changes a job under a guard, with its event and history entry, and moves it between the lists of
 * states.
 *
 * KEYS: of FENCE, then job hash, events, series, jobs in old state (prefix), steps, evaluations, ledger,
 *       open jobs (prefix), storage (prefix), ranks, layers, layer list, last sequence, changes of state,
 *       summaries
 * ARGV: of FENCE, then id, allowed states "a,b" or "", attempt or "", JSON {field: JSON}, new state or "",
 *       event JSON or "", event limit, series score or "", series member, series limit,
 *       history TTL in ms: 0 leaves it, -1 removes it, JSON {ledger field: JSON, or false to remove it},
 *       limits of the owner for a job that is opened again, or "",
 *       ranks score or "", ranks member, ranks limit, "writer:sequence" or "",
 *       limit of changes of state
 * Returns {1, event id or ""} when done, also when it was done before; {0, current state} when the
 * guard failed, {-1, ""} when there is no such job, {-2, the limit broken} when its owner may open no
 * more.
 */
export const CHANGE_JOB = `${FENCE}${QUOTA}${JOINED}
local stored = redis.call('HMGET', KEYS[1], 'state', 'attempt', 'owner', 'spec')
if not stored[1] then return {-1, ''} end
local state = cjson.decode(stored[1])
if ARGV[2] ~= '' and not string.find(',' .. ARGV[2] .. ',', ',' .. state .. ',', 1, true) then
  return {0, state}
end
if ARGV[3] ~= '' and ARGV[3] ~= stored[2] then return {0, state} end
if ARGV[17] ~= '' then
  local writer, sequence = string.match(ARGV[17], '^(.*):(%d+)$')
  local lastWriter, last = string.match(redis.call('GET', KEYS[13]) or '', '^(.*):(%d+)$')
  if lastWriter == writer and tonumber(sequence) <= tonumber(last) then return {1, ''} end
  redis.call('SET', KEYS[13], ARGV[17])
end
local ttl = tonumber(ARGV[11])
if ttl ~= 0 then
  local owner = stored[3] and cjson.decode(stored[3]) or 'root'
  local open = KEYS[8] .. owner
  if ttl > 0 then
    redis.call('HDEL', open, ARGV[1])
  elseif redis.call('HEXISTS', open, ARGV[1]) == 0 then
    local numWorkers = cjson.decode(stored[4]).workers.max
    local broken = exceeded(ARGV[13], open, KEYS[9] .. owner, numWorkers)
    if broken ~= '' then return {-2, broken} end
    redis.call('HSET', open, ARGV[1], numWorkers)
  end
end
local fields = {}
for name, value in pairs(cjson.decode(ARGV[4])) do
  fields[#fields + 1] = name
  fields[#fields + 1] = value
end
if ARGV[5] ~= '' and ARGV[5] ~= state then
  redis.call('ZREM', KEYS[4] .. state, ARGV[1])
  redis.call('ZADD', KEYS[4] .. ARGV[5], 0, ARGV[1])
end
if #fields > 0 then
  redis.call('HSET', KEYS[1], unpack(fields))
  redis.call('HSET', KEYS[15], ARGV[1], ${summaryAt('KEYS[1]')})
end
local event = ''
if ARGV[6] ~= '' then
  event = redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[7], '*', 'event', ARGV[6])
  if ARGV[5] ~= '' then
    redis.call('XADD', KEYS[14], 'MAXLEN', '~', ARGV[18], '*', 'event', ARGV[6])
  end
end
if ARGV[8] ~= '' then
  redis.call('ZREMRANGEBYSCORE', KEYS[3], ARGV[8], ARGV[8])
  redis.call('ZADD', KEYS[3], ARGV[8], ARGV[9])
  redis.call('ZREMRANGEBYRANK', KEYS[3], 0, -1 - tonumber(ARGV[10]))
end
if ARGV[14] ~= '' then
  redis.call('ZREMRANGEBYSCORE', KEYS[10], ARGV[14], ARGV[14])
  redis.call('ZADD', KEYS[10], ARGV[14], ARGV[15])
  redis.call('ZREMRANGEBYRANK', KEYS[10], 0, -1 - tonumber(ARGV[16]))
end
for name, value in pairs(cjson.decode(ARGV[12])) do
  if value then redis.call('HSET', KEYS[7], name, value) else redis.call('HDEL', KEYS[7], name) end
end
for _, key in ipairs({KEYS[2], KEYS[5], KEYS[6], KEYS[7], KEYS[10], KEYS[11], KEYS[12], KEYS[13]}) do
  if ttl > 0 then redis.call('PEXPIRE', key, ttl) end
  if ttl < 0 then redis.call('PERSIST', key) end
end
return {1, event}
`;

/**
 * Takes a job that has ended out of all lists, and its record to another key: from then on nobody
 * finds it, and what is left of it is known.
 *
 * KEYS: of FENCE, then job hash, hash of the removed job, jobs, removed jobs, jobs in state (prefix),
 *       summaries
 * ARGV: of FENCE, then id, allowed states "a,b"
 * Returns {1, ""}; {0, current state} when it is in another one; {-1, ""} when there is no such job.
 */
export const BEGIN_REMOVAL = `${FENCE}
local stored = redis.call('HGET', KEYS[1], 'state')
if not stored then return {-1, ''} end
local state = cjson.decode(stored)
if not string.find(',' .. ARGV[2] .. ',', ',' .. state .. ',', 1, true) then return {0, state} end
redis.call('RENAME', KEYS[1], KEYS[2])
redis.call('ZREM', KEYS[3], ARGV[1])
redis.call('ZREM', KEYS[5] .. state, ARGV[1])
redis.call('ZADD', KEYS[4], 0, ARGV[1])
redis.call('HDEL', KEYS[6], ARGV[1])
return {1, ''}
`;

/**
 * Removes the last of a job.
 * KEYS: of FENCE, then storage and open jobs of its owner, removed jobs, then all that is only of the job
 * ARGV: of FENCE, then id
 */
export const END_REMOVAL = `${FENCE}
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[1])
redis.call('UNLINK', unpack(KEYS, 4))
redis.call('ZREM', KEYS[3], ARGV[1])
return 1
`;

/** Notes the bytes of a job's checkpoints, unless it was removed. KEYS: job hash, storage. ARGV: id, bytes. */
export const NOTE_JOB_BYTES = `
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
return 1
`;

/**
 * Moves something to another key and from one sorted set of names to another.
 * KEYS: its key, the other key, the set of names, the other set. ARGV: name. Returns 0 when there is none.
 */
export const MOVE_NAMED = `
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('RENAME', KEYS[1], KEYS[2])
redis.call('ZREM', KEYS[3], ARGV[1])
redis.call('ZADD', KEYS[4], 0, ARGV[1])
return 1
`;

/**
 * Stores a data set in place of the one of its name, if that was registered at the same moment.
 * KEYS: its key. ARGV: JSON, when the other was registered. Returns 0 when it was not.
 */
export const REPLACE_DATA_SET = `
local stored = redis.call('GET', KEYS[1])
if not stored or cjson.decode(stored).view.createdAt ~= ARGV[2] then return 0 end
redis.call('SET', KEYS[1], ARGV[1])
return 1
`;

/**
 * Adds what a step found at the layers, in place of what has the same step, unless another attempt
 * runs. KEYS: of FENCE, then job hash, layers, layer list. ARGV: of FENCE, then attempt, step, entry,
 * entry limit, JSON of the layers.
 */
export const ADD_LAYERS = `${FENCE}
if redis.call('HGET', KEYS[1], 'attempt') ~= ARGV[1] then return 0 end
redis.call('ZREMRANGEBYSCORE', KEYS[2], ARGV[2], ARGV[2])
redis.call('ZADD', KEYS[2], ARGV[2], ARGV[3])
redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -1 - tonumber(ARGV[4]))
redis.call('SET', KEYS[3], ARGV[5])
return 1
`;

/**
 * Stores something unless its name is taken.
 *
 * KEYS: its key, the sorted set of names. ARGV: name, JSON. Returns what is stored already, else false.
 */
export const CREATE_NAMED = `
local stored = redis.call('GET', KEYS[1])
if stored then return stored end
redis.call('SET', KEYS[1], ARGV[2])
redis.call('ZADD', KEYS[2], 0, ARGV[1])
return false
`;

/**
 * Stores something new, unless its idempotency key is known.
 *
 * KEYS: its key, the sorted set of names, idempotency key or "". ARGV: name, JSON, idempotency value or
 * "", TTL in ms. Returns the stored idempotency value when the key is known, else "".
 */
export const CREATE_NAMED_ONCE = `
local known = ARGV[3] ~= '' and redis.call('GET', KEYS[3])
if known then return known end
if ARGV[3] ~= '' then redis.call('SET', KEYS[3], ARGV[3], 'PX', ARGV[4]) end
redis.call('SET', KEYS[1], ARGV[2])
redis.call('ZADD', KEYS[2], 0, ARGV[1])
return ''
`;

/**
 * Some fields of many hashes whose values are JSON. KEYS: hashes. ARGV: fields, the first of which each
 * hash has. Returns for each hash a JSON object, or "" where there is none.
 */
export const JOIN_FIELDS = `${JOINED}
local objects = {}
for i, key in ipairs(KEYS) do objects[i] = joined(key, ARGV) or '' end
return objects
`;
