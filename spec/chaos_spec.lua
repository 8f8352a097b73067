-- SPDX-License-Identifier: Apache-2.0
--
-- Hundreds of random faults, one after another and on top of each other, between the real program, two scripted
-- masters and a real ZooKeeper, while a script launches tasks and follows them. The masters share one cluster, which
-- outlives them as agents do: its tasks go on whatever happens, and an update is sent again until it is acknowledged.
-- When the faults end nothing may be missing on either side.
--
-- The faults follow from a seed, which is printed. CHAOS_SEED repeats a run, CHAOS_SECONDS (20) makes it longer, and
-- CHAOS_LOG=1 has the program say more, should it fail.

local cjson = require("cjson")
local master = require("support.master")
local program = require("support.program")
local internals = require("internals")
local uv = require("luv")
local zookeeper = require("support.zookeeper")

local SECONDS = tonumber(os.getenv("CHAOS_SECONDS")) or 20
local SEED = tonumber(os.getenv("CHAOS_SEED")) or (os.time() * 1000 + uv.hrtime() // 1000 % 1000) % 1000000007
local ID, PATH = "chaos-0000", "/chaos"

local MOST_OPEN = 30        -- tasks at a time
local TRIES_MOST = 40       -- to subscribe, in any second
local REDIRECTS_MOST = 5    -- that a try follows
local CALLS_MOST = 1000     -- in any second; the masters ask for half of it
local AGAIN = 0.4           -- seconds until an update is sent again

-- Writes down what it does, each line before anything of it can reach a master, and where the driver's registry of tasks
-- differs from its own table. Its failover time-out keeps the waits between two tries short: they grow to a tenth of it.
local SCRIPT = [[
local mesos = require "mesos"
local scheduler = { framework = { name = "chaos", failover_timeout = 3 } }
local journal = assert(io.open((...), "w"))
local open, launched = {}, 0
local resources = mesos.resources "cpus:0.1;mem:32"
local terminal = { TASK_FINISHED = true, TASK_FAILED = true, TASK_LOST = true, TASK_DROPPED = true }
local function note(...) journal:write(table.concat({ ... }, " "), "\n") journal:flush() end
function scheduler:resourceOffers(driver, offers)
    for _, offer in ipairs(offers) do
        launched = launched + 1
        local id = "t" .. launched
        open[id] = mesos.now()
        note("launch", id)
        driver:launchTasks(offer.id, { { name = id, task_id = id, agent_id = offer.agent_id,
            command = { value = "true" }, resources = resources } })
    end
end
local function compare(driver)
    local count = 0
    for _ in pairs(open) do count = count + 1 end
    for task in driver:tasks() do
        count = count - 1
        if not open[task.task_id] then note("registry", "has", task.task_id, task.state) end
    end
    if count ~= 0 then note("registry", "lacks", count) end
end
function scheduler:statusUpdate(driver, status)
    local uuid = status.uuid and status.uuid:gsub(".", function(c) return ("%02x"):format(c:byte()) end) or "-"
    note("update", status.task_id, status.state, uuid)
    open[status.task_id] = not terminal[status.state] and open[status.task_id] and mesos.now() or nil
    compare(driver)
end
function scheduler:registered() note("registered") end
function scheduler:reregistered() note("reregistered") end
function scheduler:error(_, message) note("error", message) end
function scheduler:frameworkMessage(driver) driver:stop(true) end
mesos.every(0.3, function()
    local old = {}
    for id, since in pairs(open) do
        if mesos.now() - since > 1 then old[#old + 1] = { task_id = id, state = "TASK_STAGING" } end
    end
    if #old > 0 and scheduler.driver then scheduler.driver:reconcileTasks(old) end
end)
local function remember(name)
    local callback = scheduler[name]
    scheduler[name] = function(self, driver, ...)
        self.driver = driver
        return callback(self, driver, ...)
    end
end
remember "registered"
return scheduler
]]

local function now()
    return uv.hrtime() / 1e9
end

-- ---- chance: of our own, so that nothing else draws from it ----

local Dice = {}
Dice.__index = Dice

function Dice.new(seed)
    return setmetatable({ state = seed * 2654435761 + 88172645463325252 }, Dice)
end

function Dice:roll() -- xorshift; from 0 up to 1
    local x = self.state
    x = x ~ (x << 13)
    x = x ~ (x >> 7)
    x = x ~ (x << 17)
    self.state = x
    return (x >> 11) / (1 << 53)
end

function Dice:between(low, high)
    return low + self:roll() * (high - low)
end

-- ---- the cluster behind the masters ----

local NEXT = { TASK_STAGING = "TASK_STARTING", TASK_STARTING = "TASK_RUNNING", TASK_RUNNING = "TASK_FINISHED" }

local Cluster = {}
Cluster.__index = Cluster

function Cluster.new(journal)
    return setmetatable({
        tasks = {}, order = {}, updates = {}, offers = {}, delivered = {}, lines = {}, early = 0, open = 0, calls = 0,
        subscribes = 0, tries = 0, redirects = 0, offering = true, journal = journal,
    }, Cluster)
end

-- Takes in what the script has written down since.
function Cluster:read_journal()
    self.file = self.file or io.open(self.journal)
    for line in self.file and self.file:lines() or function() end do
        local words = {}
        for word in line:gmatch("%S+") do
            words[#words + 1] = word
        end
        self.lines[#self.lines + 1] = words
        if words[1] == "update" and words[4] ~= "-" then
            self.delivered[words[4]] = (self.delivered[words[4]] or 0) + 1
        end
    end
end

local function hex(bytes)
    return (bytes:gsub(".", function(c)
        return ("%02x"):format(c:byte())
    end))
end

function Cluster:launch(info)
    self.tasks[info.task_id] = { id = info.task_id, agent_id = info.agent_id, state = "TASK_STAGING", pending = {} }
    self.order[#self.order + 1] = self.tasks[info.task_id]
    self.open = self.open + 1
end

function Cluster:acknowledge(task_id, uuid)
    self:read_journal()
    uuid = hex(uuid)
    local update = self.updates[uuid]
    assert(update and update.task == task_id, "an acknowledgement of no update")
    self.early = self.early + (self.delivered[uuid] and 0 or 1)
    update.acknowledged = true
    local pending = self.tasks[task_id].pending
    if pending[1] and pending[1].uuid == uuid then
        table.remove(pending, 1)
    end
end

function Cluster:advance(task, m)
    task.state = NEXT[task.state]
    local event = m:update({ task_id = task.id, agent_id = task.agent_id }, task.state)
    local uuid = hex(event.update.status.uuid)
    local update = { task = task.id, event = event, uuid = uuid, sent_at = 0 }
    self.updates[uuid] = update
    task.pending[#task.pending + 1] = update
    if not NEXT[task.state] then
        self.open = self.open - 1
    end
end

-- What a master says of its own accord: no uuid, nothing to acknowledge.
function Cluster.tell(m, task_id, state, agent_id)
    if m.stream then
        m:send(m:update(task_id, state, {
            uuid = false, source = "SOURCE_MASTER", reason = "REASON_RECONCILIATION", agent_id = agent_id,
        }))
    end
end

function Cluster:send_updates(m)
    local sent = 0
    for _, task in ipairs(self.order) do
        local update = task.pending[1]
        if update and sent < 15 and (update.stream ~= m.stream or now() - update.sent_at > AGAIN) then
            update.stream, update.sent_at = m.stream, now()
            m:send(update.event)
            sent = sent + 1
        end
    end
end

function Cluster:send_offers(m)
    if not self.offering or self.open >= MOST_OPEN then
        return
    end
    local offers = { m:offer(), m:offer(), m:offer(), m:offer() }
    for _, offer in ipairs(offers) do
        self.offers[offer.id] = m.stream
    end
    m:send_offers(offers)
end

-- ---- the masters ----

local Chaos = {}
Chaos.__index = Chaos

local function on_accept(chaos, m, call)
    local cluster = chaos.cluster
    local good = true
    for _, id in ipairs(call.accept.offer_ids) do
        good = good and cluster.offers[id] == m.stream
        cluster.offers[id] = nil
    end
    for _, operation in ipairs(call.accept.operations) do
        for _, info in ipairs(operation.launch.task_infos) do
            if good then
                cluster:launch(info)
            else
                cluster.tell(m, info.task_id, "TASK_LOST")
            end
        end
    end
end

local function on_acknowledge(chaos, _, call)
    chaos.cluster:acknowledge(call.acknowledge.task_id, call.acknowledge.uuid)
end

local function on_reconcile(chaos, m, call)
    for _, asked in ipairs(call.reconcile.tasks) do
        local task = chaos.cluster.tasks[asked.task_id]
        chaos.cluster.tell(m, asked.task_id, task and task.state or "TASK_LOST", task and task.agent_id)
    end
end

-- A call passes the fault of the moment, then what a real master asks for, then it takes effect.
local function take_call(chaos, m, type, effect)
    m:answer(type, function(call, connection)
        local stream_id = m.calls[#m.calls].request:header("Mesos-Stream-Id")
        local fault = chaos.fault.calls
        chaos.cluster.calls = chaos.cluster.calls + 1
        if fault == "refuse" then
            return connection:respond(503, "not now")
        elseif fault == "ignore" then
            return nil
        elseif fault == "slow" then
            connection:pause(0.15)
        end
        if not m.stream or m.stream.id ~= stream_id then
            return connection:respond(400, "The stream ID didn't match")
        end
        effect(chaos, m, call)
        return fault ~= "swallow"
    end)
end

-- A SUBSCRIBE is another try, or follows the redirect that the last one was answered with.
function Cluster:count_subscribe()
    self.calls, self.subscribes = self.calls + 1, self.subscribes + 1
    if self.redirected and self.redirects < REDIRECTS_MOST then
        self.redirects = self.redirects + 1
    else
        self.tries, self.redirects = self.tries + 1, 0
    end
    self.redirected = false
end

local function take_subscribe(chaos, m)
    m:answer("SUBSCRIBE", function(_, connection)
        local fault, leader = chaos.fault.subscribe, chaos.leader
        chaos.cluster:count_subscribe()
        if fault == "loop" then
            leader = chaos:other(m)
        elseif fault == "refuse" then
            return connection:respond(503, "not now")
        elseif fault == "ignore" then
            return nil
        elseif fault == "slow" then
            connection:pause(0.1)
        end
        if leader ~= m then
            chaos.cluster.redirected = leader ~= nil
            return connection:respond(leader and 307 or 503, "",
                leader and { Location = "//" .. leader.address .. "/api/v1/scheduler" })
        end
        m.quiet = fault == "quiet"
        chaos.silent = m.quiet and connection
        return true
    end)
end

function Chaos:other(m)
    return self.masters[m == self.masters[1] and 2 or 1]
end

function Chaos:prepare(m)
    take_subscribe(self, m)
    take_call(self, m, "ACCEPT", on_accept)
    take_call(self, m, "ACKNOWLEDGE", on_acknowledge)
    take_call(self, m, "RECONCILE", on_reconcile)
    return m
end

function Chaos:contend(m)
    m.node = assert(self.client:create(PATH .. "/json.info_", cjson.encode(m:info()), { sequential = true }))
    self.leader = self.leader or m
end

function Chaos:withdraw(m)
    self.client:delete(m.node)
    m.node = nil
    local other = self:other(m)
    self.leader = other.node and other or nil
end

-- The live stream of the leader, if it may speak.
function Chaos:speaker()
    local m = self.leader
    local able = m and m.stream and not self.fault.mute and self.silent ~= m.stream.connection
        and not m.stream.connection.closed
    return able and m or nil
end

function Chaos:tick()
    local m = self:speaker()
    self.ticks = self.ticks + 1
    for _, task in ipairs(self.cluster.order) do
        if NEXT[task.state] and math.random() < 0.1 then
            self.cluster:advance(task, m or self.masters[1])
        end
    end
    if m then
        self.cluster:send_updates(m)
        if self.ticks % 2 == 0 then
            m:heartbeat()
            self.cluster:send_offers(m)
        end
    end
end

-- ---- faults: each begins at once and returns what ends it, if it lasts ----

local function end_stream(m, way)
    if m.stream then
        m[way < 0.4 and "drop" or way < 0.8 and "reset" or "end_stream"](m)
    end
end

local function lasting(field, value)
    return function(chaos)
        chaos.fault[field] = value
        return function()
            chaos.fault[field] = nil
        end
    end
end

local faults = {}

function faults.kill_leader(chaos, way)
    local m = chaos.leader
    if not m then
        return nil
    end
    chaos:withdraw(m)
    end_stream(m, way)
    return function()
        chaos:contend(m)
    end
end

-- The process ends, its port is closed, and then it is back.
function faults.crash_leader(chaos)
    local m = chaos.leader
    if not m then
        return nil
    end
    chaos:withdraw(m)
    m:stop()
    return function()
        local new = chaos:prepare(m:restart { framework_id = ID, heartbeat_interval = m.heartbeat_interval })
        chaos.masters[m == chaos.masters[1] and 1 or 2] = new
        chaos:contend(new)
    end
end

function faults.end_stream(chaos, way)
    if chaos.leader then
        end_stream(chaos.leader, way)
    end
end

-- Some of an update arrives, the stream ends; anywhere in the record or in front of it.
function faults.cut_stream(chaos, way, where)
    local m = chaos:speaker()
    if not m then
        return
    end
    local record = internals.encode("mesos.v1.scheduler.Event", m:update("t1", "TASK_RUNNING"))
    local bytes = #record .. "\n" .. record
    m:send_bytes(bytes:sub(1, 1 + math.floor(where * (#bytes - 1))))
    end_stream(m, way)
end

-- A whole event, byte by byte.
function faults.trickle(chaos)
    local m = chaos:speaker()
    if m then
        local record = internals.encode("mesos.v1.scheduler.Event", { type = "HEARTBEAT" })
        local pieces = {}
        for byte in (#record .. "\n" .. record):gmatch(".") do
            pieces[#pieces + 1] = byte
        end
        m:send_pieces(pieces)
    end
end

function faults.rescind(chaos)
    local m = chaos:speaker()
    for id, stream in pairs(chaos.cluster.offers) do
        if m and stream == m.stream then
            chaos.cluster.offers[id] = nil
            return m:send { type = "RESCIND", rescind = { offer_id = id } }
        end
    end
end

function faults.freeze_zookeeper(chaos)
    chaos.zk:freeze()
    chaos.reachable = false
    return function()
        chaos.zk:thaw()
        chaos.reachable = true
    end
end

function faults.restart_zookeeper(chaos)
    chaos.client:vanish()
    chaos.zk:kill()
    chaos.reachable = false
    return function()
        chaos.zk:restart()
        chaos.client = chaos.zk:client { timeout = 60000 }
        chaos.reachable = true
    end
end

faults.refuse_calls = lasting("calls", "refuse")
faults.ignore_calls = lasting("calls", "ignore")
faults.swallow_answers = lasting("calls", "swallow")
faults.slow_answers = lasting("calls", "slow")
faults.refuse_subscribe = lasting("subscribe", "refuse")
faults.ignore_subscribe = lasting("subscribe", "ignore")
faults.slow_subscribe = lasting("subscribe", "slow")
faults.quiet_subscribe = lasting("subscribe", "quiet")
faults.redirect_loop = lasting("subscribe", "loop")
faults.mute = lasting("mute", true)

-- How often, how long at most (seconds), which part of the world one fault at a time may hold, and whether it needs
-- ZooKeeper to answer. What concerns subscribing ends the stream as well, so that there is one.
local KINDS = {
    { name = "kill_leader", weight = 14, most = 0.4, zk = true },
    { name = "crash_leader", weight = 6, most = 0.5, zk = true },
    { name = "end_stream", weight = 6 },
    { name = "cut_stream", weight = 20 },
    { name = "trickle", weight = 5 },
    { name = "rescind", weight = 5 },
    { name = "refuse_calls", weight = 9, most = 0.3, part = "calls" },
    { name = "ignore_calls", weight = 6, most = 0.3, part = "calls" },
    { name = "swallow_answers", weight = 6, most = 0.3, part = "calls" },
    { name = "slow_answers", weight = 8, most = 0.5, part = "calls" },
    { name = "refuse_subscribe", weight = 5, most = 0.3, part = "subscribe" },
    { name = "ignore_subscribe", weight = 3, most = 0.2, part = "subscribe" },
    { name = "slow_subscribe", weight = 5, most = 0.5, part = "subscribe" },
    { name = "quiet_subscribe", weight = 3, most = 0.2, part = "subscribe" },
    { name = "redirect_loop", weight = 5, most = 0.4, part = "subscribe" },
    { name = "mute", weight = 1, least = 2.8, most = 3.2, part = "mute" },
    { name = "freeze_zookeeper", weight = 5, most = 1, part = "zookeeper" },
    { name = "restart_zookeeper", weight = 1, most = 0.5, part = "zookeeper" },
}

local function draw_kind(dice)
    local sum = 0
    for _, kind in ipairs(KINDS) do
        sum = sum + kind.weight
    end
    local left = dice:roll() * sum
    for _, kind in ipairs(KINDS) do
        left = left - kind.weight
        if left < 0 then
            return kind
        end
    end
    return KINDS[1]
end

-- The whole course, known before it begins.
local function plan(seed, seconds)
    local dice, steps, at = Dice.new(seed), {}, 0.5
    while at < seconds do
        local kind = draw_kind(dice)
        steps[#steps + 1] = {
            at = at, kind = kind, way = dice:roll(), where = dice:roll(),
            lasts = kind.most and dice:between(kind.least or 0.02, kind.most),
        }
        at = at + dice:between(0.02, 0.11)
    end
    return steps
end

function Chaos:begin(step)
    local kind = step.kind
    if kind.part and self.busy[kind.part] or kind.zk and not self.reachable then
        return
    end
    local finish = faults[kind.name](self, step.way, step.where)
    self.counts[kind.name] = (self.counts[kind.name] or 0) + 1
    self.faults = self.faults + 1
    if kind.part == "subscribe" then
        faults.end_stream(self, step.way)
    end
    if finish then
        self.busy[kind.part or step] = { until_ = now() + step.lasts, finish = finish, zk = kind.zk }
    end
end

-- Ends what has lasted long enough, or everything.
function Chaos:finish(all)
    local over = {}
    for part, fault in pairs(self.busy) do
        if (all or now() > fault.until_) and (self.reachable or not fault.zk) then
            over[#over + 1] = part
        end
    end
    for _, part in ipairs(over) do
        local fault = self.busy[part]
        self.busy[part] = nil
        fault.finish()
    end
end

-- ---- looking at it ----

local function resident(pid)
    return tonumber(program.read(("/proc/%d/statm"):format(pid)):match("^%d+ (%d+)")) * 4096
end

local function seconds_of_processor(pid)
    local user, system = program.read(("/proc/%d/stat"):format(pid)):match("%) %a" .. (" %S+"):rep(10) .. " (%d+) (%d+)")
    return (user + system) / 100
end

-- The most that a counter grew within a second.
local function watch_rate()
    local samples, most = {}, 0
    return function(value)
        local time = now()
        samples[#samples + 1] = { time = time, value = value }
        while time - samples[1].time > 1 do
            table.remove(samples, 1)
        end
        most = math.max(most, value - samples[1].value)
        return most
    end
end

local function pass(seconds)
    local limit = now() + seconds
    program.wait_for(function()
        return now() >= limit
    end, seconds + 5)
end

-- ---- the spec ----

describe("chaos", function()
    local chaos, ticker

    before_each(function()
        local journal = program.directory() .. "/journal"
        chaos = setmetatable({
            zk = zookeeper.start(), fault = {}, busy = {}, counts = {}, faults = 0, ticks = 0, reachable = true,
            cluster = Cluster.new(journal), masters = {},
        }, Chaos)
        chaos.client = chaos.zk:client { timeout = 60000 }
        chaos.client:create(PATH)
        for i = 1, 2 do
            chaos.masters[i] = chaos:prepare(master.start { framework_id = ID, heartbeat_interval = 0.1 })
            chaos:contend(chaos.masters[i])
        end
        ticker = uv.new_timer()
        ticker:start(50, 50, function()
            local ok, message = xpcall(chaos.tick, debug.traceback, chaos)
            chaos.failure = chaos.failure or not ok and message
        end)
    end)

    after_each(function()
        ticker:close()
        chaos.zk:thaw()
        chaos.client:vanish()
        program.cleanup()
        pcall(master.cleanup)
        chaos.zk:stop()
    end)

    local function start()
        return program.start { args = {
            "--master", ("zk://%s%s"):format(chaos.zk.address, PATH), "--zk-session-timeout", "0.5", "--answer-timeout",
            "0.4", "--connect-timeout", "0.4", "--registration-backoff", "20ms", "--no-watch", program.script(SCRIPT),
            chaos.cluster.journal,
        }, env = { GLOG_v = os.getenv("CHAOS_LOG") or false } }
    end

    local function check_alive(run)
        assert(not chaos.failure, chaos.failure)
        assert(not run.code, "it ended: " .. run:report())
        for _, m in ipairs(chaos.masters) do
            assert(not m.server.error, m.server.error)
        end
    end

    -- Plays the faults; returns the highest rates of tries to subscribe and of all calls, and the memory at a third.
    local function play(run, steps)
        local begin, rate_of_tries, rate_of_calls, third = now(), watch_rate(), watch_rate(), nil
        local tries, calls
        for _, step in ipairs(steps) do
            while now() - begin < step.at do
                pass(math.min(0.02, math.max(0.001, step.at - (now() - begin))))
                chaos:finish()
                tries, calls = rate_of_tries(chaos.cluster.tries), rate_of_calls(chaos.cluster.calls)
            end
            check_alive(run)
            chaos:begin(step)
            third = third or step.at > SECONDS / 3 and resident(run.pid)
        end
        return tries, calls, third
    end

    -- No more faults and no more offers: everything comes to its end.
    local function settle(run)
        chaos.cluster.offering = false
        chaos:finish(true)
        chaos:finish(true) -- what needed ZooKeeper
        local cluster = chaos.cluster
        run:wait_for(function()
            check_alive(run)
            cluster:read_journal()
            for _, update in pairs(cluster.updates) do
                if not update.acknowledged then
                    return false
                end
            end
            return cluster.open == 0 and chaos:speaker() and cluster:accounted()
        end, 30)
    end

    -- The last state of each launched task in the script's eyes.
    local function states(cluster)
        local last = {}
        for _, words in ipairs(cluster.lines) do
            if words[1] == "launch" then
                last[words[2]] = "launched"
            elseif words[1] == "update" then
                local over = last[words[2]] == "TASK_FINISHED"
                last[words[2]] = over and "TASK_FINISHED" or words[3]
            end
        end
        return last
    end

    local GONE = { TASK_LOST = true, TASK_DROPPED = true }

    function Cluster:accounted()
        local last = states(self)
        for id, state in pairs(last) do
            local task = self.tasks[id]
            if task and state ~= task.state or not task and not GONE[state] then
                return false
            end
        end
        return true
    end

    it("does no harm: nothing is lost, nothing spins, nothing grows (seed " .. SEED .. ")", function()
        io.write(("chaos: CHAOS_SEED=%d CHAOS_SECONDS=%g\n"):format(SEED, SECONDS))
        local run = start()
        run:wait_for(function()
            return chaos:speaker()
        end)
        local begin, cluster = now(), chaos.cluster
        local tries, calls, third = play(run, plan(SEED, SECONDS))
        settle(run)
        local final, processor = resident(run.pid), seconds_of_processor(run.pid) / (now() - begin)
        chaos.leader:send { type = "MESSAGE", message = { agent_id = "a", executor_id = "e", data = "end" } }
        assert.equal(0, run:wait(), run:report())
        cluster:read_journal()

        local updates, missing = 0, 0
        for uuid in pairs(cluster.updates) do
            updates = updates + 1
            missing = missing + (cluster.delivered[uuid] and 0 or 1)
        end
        local told = ("%d faults, %d tasks, %d updates, %d SUBSCRIBE; at most %d tries and %d calls in a second, "
            .. "%.0f%% of a processor, %d bytes at a third, %d at the end"):format(chaos.faults, #cluster.order, updates,
            cluster.subscribes, tries, calls, processor * 100, third, final)
        if os.getenv("CHAOS_SEED") then
            print(told, cjson.encode(chaos.counts))
        end
        assert.equal(0, missing, told)
        assert.equal(0, cluster.early, "updates acknowledged before they were delivered")
        assert.is_true(#cluster.order > SECONDS and chaos.faults > 4 * SECONDS, told)
        for _, words in ipairs(cluster.lines) do
            assert.not_equal("error", words[1], table.concat(words, " "))
            assert.not_equal("registry", words[1], table.concat(words, " "))
        end
        assert.is_true(tries <= TRIES_MOST and calls <= CALLS_MOST, told)
        -- Sanitizers and valgrind take time, and keep what was freed for a while.
        if not os.getenv("ASAN_OPTIONS") and not os.getenv("MESOS_LUA_WRAPPER") then
            assert.is_true(processor < 0.5, told)
            assert.is_true(final < third * 1.25 + (4 << 20), told)
        end
    end)
end)
