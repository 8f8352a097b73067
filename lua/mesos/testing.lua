-- SPDX-License-Identifier: Apache-2.0
--
-- Tests of policies: a script on the real driver, on a clock that stands still, with no network. The test is the
-- master: it makes offers, sends updates, and looks at what the script called.
--
--     local testing = require "mesos.testing"
--     local t = testing.load("packer.lua", { args = { "10" } })
--     t:register()
--     t:offer { cpus = 8, mem = 4096, attributes = { rack = "b" } }
--     assert.equal("job-1", t:launched()[1].task_id)
--     t:update("job-1", "TASK_FAILED")
--     t:advance(30)
--
-- The script runs in a Lua state of its own, as in production, and all that it sends passes the real encoder and the
-- checks of a master. An error in one of its callbacks, timers or spawned functions is raised by the method of the test
-- that led to it. Runs in any Lua 5.4 that finds the module `mesos`, and in the program.

local mesos = require "mesos" -- in front of the two others, which build on it
local core = require "mesos.testing.core"
local internal = require "mesos.internal"

local OPEN_MOST = 16 -- open tests, above which the collector is asked to close those without a reference
local PATIENCE = 600 -- seconds of virtual time until a driver must have asked for a subscription
local START = 1767225600 -- the first second of 2026, in UTC

---@class mesos.testing
local M = {}

---@class mesos.testing.Options
---@field args? string[] the script's arguments
---@field time? number seconds since the Unix epoch when it starts (the first second of 2026)
---@field seed? integer of math.random and of the order of pairs(): the same seed, the same order in each process (1)
---@field state? table the state to begin with, as after a restart with --state
---@field stubs? table<"exec"|"http"|"process"|"serve", function> in place of these functions of mesos; plain data
---@field log? boolean the log goes to stderr as it comes, instead of t:log()

---@class mesos.testing.Cluster
---@field agents integer|(string|mesos.testing.Agent)[] so many of 4 cpus and 4096 MB; or each, as --agent or a table
---@field roles? table<string, table> weights and quota of roles, as in a --cluster file
---@field runtime? number|mesos.testing.Runtime seconds that a task lasts; nil: until it is killed or t:update() ends it

-- Seconds, or nil for no end, and the status that the task exits with.
---@alias mesos.testing.Runtime fun(task: { task_id: string, command: string }): number?, integer?

---@class mesos.testing.Agent
---@field cpus? number
---@field mem? number
---@field disk? number
---@field gpus? number
---@field ports? integer[][]
---@field attributes? table
---@field count? integer so many of them
---@field resources? string|table in place of the fields above, as in a --cluster file
---@field hostname? string
---@field domain? { region: string, zone: string }

---@class mesos.testing.Offer: mesos.Offer
---@field cpus? number
---@field mem? number
---@field disk? number
---@field gpus? number
---@field ports? integer[][] ranges, such as { { 31000, 31009 } }
---@field attributes? table<string, any> by name: a text, a number, a list of texts or of ranges; or whole
---@field resources? string|mesos.Resource[] in place of the five above
---@field role? string the role that it is made to; the framework's first

---@class mesos.testing.Test
local Test = {}
Test.__index = Test

-- ---- small things ----

local function fail(level, text, ...)
    error(select("#", ...) > 0 and text:format(...) or text, level + 1)
end

local function sorted(set)
    local list = {}
    for key in pairs(set) do
        list[#list + 1] = tostring(key)
    end
    table.sort(list)
    return list
end

-- Raises if the table has another field than these.
local function check_fields(what, given, known)
    for key in pairs(given) do
        if not known[key] then
            fail(3, "%s has no field '%s'; it has %s", what, tostring(key), table.concat(sorted(known), ", "))
        end
    end
end

local function merge(fields, more)
    for key, value in pairs(more or {}) do
        fields[key] = value
    end
    return fields
end

-- Raises what the policy failed with, since the last time.
local function check(self)
    local failure = self.bed:failure()
    if failure then
        error(failure, 0)
    end
end

-- Hands an event over; what is wrong with it is wrong at that level.
local function send(self, event, level)
    local good, message = pcall(self.bed.event, self.bed, event)
    if not good then
        fail(level + 1, message)
    end
end

-- ---- what it called ----

local readers = {}

local function note(self, kind, value)
    local list = self.seen[kind]
    list[#list + 1] = value
end

local function spend(self, ids)
    for _, id in ipairs(ids or {}) do
        self.offers[id] = nil
    end
end

local function note_tasks(self, tasks)
    for _, task in ipairs(tasks or {}) do
        self.tasks[task.task_id] = { agent_id = task.agent_id, executor_id = (task.executor or {}).executor_id }
        note(self, "launched", task)
    end
end

readers.SUBSCRIBE = function(self, call)
    local info = call.subscribe.framework_info
    self.info = info
    self.framework_id = info.id or self.framework_id
end

readers.UPDATE_FRAMEWORK = function(self, call)
    self.info = call.update_framework.framework_info
end

readers.ACCEPT = function(self, call)
    spend(self, call.accept.offer_ids)
    for _, operation in ipairs(call.accept.operations or {}) do
        note_tasks(self, operation.launch and operation.launch.task_infos)
        note_tasks(self, operation.launch_group and operation.launch_group.task_group.tasks)
    end
    if #(call.accept.operations or {}) == 0 then
        for _, id in ipairs(call.accept.offer_ids or {}) do
            note(self, "declined", id)
        end
    end
end

readers.DECLINE = function(self, call)
    spend(self, call.decline.offer_ids)
    for _, id in ipairs(call.decline.offer_ids or {}) do
        note(self, "declined", id)
    end
end

readers.KILL = function(self, call)
    note(self, "killed", call.kill.task_id)
end

-- Takes in the calls that were made.
local function read_calls(self)
    for _, call in ipairs(self.bed:calls()) do
        note(self, "calls", call)
        if readers[call.type] then
            readers[call.type](self, call)
        end
    end
end

local function take(self, kind)
    read_calls(self)
    local list = self.seen[kind]
    self.seen[kind] = {}
    return list
end

-- The tasks that it launched since the last look, in groups as well: as mesos.TaskInfo, in order.
---@return mesos.TaskInfo[]
function Test:launched()
    return take(self, "launched")
end

-- The ids of the offers that it declined since the last look.
---@return string[]
function Test:declined()
    return take(self, "declined")
end

-- The ids of the tasks that it asked to kill since the last look.
---@return string[]
function Test:killed()
    return take(self, "killed")
end

-- All calls since the last look, as tables of the v1 scheduler API: { type = "ACCEPT", accept = { ... } }; with a type,
-- those of it, and the others are still to be looked at.
---@param type? string such as "REVIVE"
---@return table[]
function Test:calls(type)
    local all = take(self, "calls")
    if not type then
        return all
    end
    local wanted = {}
    for _, call in ipairs(all) do
        if call.type == type then
            wanted[#wanted + 1] = call
        else
            note(self, "calls", call)
        end
    end
    return wanted
end

-- ---- the subscription ----

local function subscribe(self, what, options)
    if not self.bed:await(PATIENCE) then
        check(self)
        fail(3, "%s: the driver does not ask for a subscription (%s%s)", what, self:status(),
            self.bed:connected() and ", and it is subscribed" or "")
    end
    read_calls(self)
    self.framework_id = options.framework_id or self.framework_id or "framework-1"
    self.offers = {}
    self.bed:accept {
        type = "SUBSCRIBED",
        subscribed = {
            framework_id = self.framework_id, heartbeat_interval_seconds = 15.0,
            master_info = merge({ id = "master-1", ip = 0x0100007F, port = 5050, hostname = "localhost",
                address = { hostname = "localhost", ip = "127.0.0.1", port = 5050 }, version = "1.12.0" },
                options.master),
        },
    }
    check(self)
end

-- The master accepts the framework: `registered` is called, or `reregistered` if it came with its id.
---@param options? { framework_id?: string, master?: mesos.MasterInfo }
function Test:register(options)
    check_fields("register", options or {}, { framework_id = true, master = true })
    subscribe(self, "register", options or {})
end

-- The subscription is lost: `disconnected` is called, and the driver asks for another one until t:reregister().
function Test:disconnect()
    if not self.bed:connected() then
        fail(2, "disconnect: the framework is not connected")
    end
    self.bed:disconnect()
    check(self)
end

-- The master, or the next one, accepts the framework again: `reregistered` is called, and all offers are void.
---@param options? { master?: mesos.MasterInfo }
function Test:reregister(options)
    check_fields("reregister", options or {}, { master = true })
    if self.bed:connected() then
        self:disconnect()
    end
    subscribe(self, "reregister", options or {})
end

local function check_connected(self, what)
    if not self.bed:connected() then
        fail(3, "%s: the framework is not connected; t:register() comes first", what)
    end
end

-- Any event, as a table of mesos.v1.scheduler.Event: for those that have no method here, such as inverse offers.
---@param event table
function Test:event(event)
    check_connected(self, "event")
    read_calls(self)
    send(self, event, 2)
    check(self)
end

-- ---- offers ----

local RESOURCES = { cpus = true, mem = true, disk = true, gpus = true, ports = true }
local SHORT = "cpus, mem, disk, gpus, ports, attributes, role"

local function ranges(value)
    local list = {}
    for i, range in ipairs(type(value[1]) == "table" and value or { value }) do
        list[i] = { begin = range.begin or range[1], ["end"] = range["end"] or range[2] }
    end
    return list
end

-- An attribute from its value: a text, a number, a list of texts, a range or a list of ranges.
local function attribute(name, value)
    if type(value) == "string" then
        return { name = name, type = "TEXT", text = value }
    elseif type(value) == "number" then
        return { name = name, type = "SCALAR", scalar = value }
    elseif type(value) == "table" and type(value[1]) == "string" then
        return { name = name, type = "SET", set = { item = value } }
    elseif type(value) == "table" and value[1] ~= nil then
        return { name = name, type = "RANGES", ranges = { range = ranges(value) } }
    end
    fail(5, "attributes.%s: a text, a number, a list of texts or ranges expected, got %s", name, type(value))
end

local function attributes(given)
    local list = {}
    for _, name in ipairs(sorted(given)) do
        list[#list + 1] = attribute(name, given[name])
    end
    return list
end

local function is_list(value)
    return type(value) == "table" and value[1] ~= nil
end

-- The resources of an offer to that role, from the short fields, which are taken out of `offer`, or from `resources`.
local function resources(offer, role)
    local amounts = {}
    for name in pairs(RESOURCES) do
        amounts[name], offer[name] = offer[name], nil
    end
    local list = offer.resources
    if type(list) ~= "table" then
        list = mesos.resources(list or amounts)
    end
    for i, resource in ipairs(list) do
        list[i] = merge({ allocation_info = { role = role } }, resource)
    end
    return list
end

local function roles(self)
    return self.info.roles or { self.info.role or "*" }
end

local function complete_offer(self, given)
    local offer, role = merge({}, given), given.role or roles(self)[1]
    self.offer_count = self.offer_count + 1
    offer.role = nil
    offer.resources = resources(offer, role)
    offer.attributes = is_list(offer.attributes) and offer.attributes or attributes(offer.attributes or {})
    offer.id = offer.id or "offer-" .. self.offer_count
    offer.agent_id = offer.agent_id or "agent-" .. self.offer_count
    offer.hostname = offer.hostname or offer.agent_id
    offer.framework_id = offer.framework_id or self.framework_id
    offer.allocation_info = offer.allocation_info or { role = role }
    return offer
end

-- Offers of one event, each in short form or whole; returns their ids. An offer is of an agent of its own unless it
-- names `agent_id`.
--
--     t:offer { cpus = 4, mem = 1024, ports = { { 31000, 31009 } }, attributes = { rack = "b" } }
---@param ... mesos.testing.Offer
---@return string ... ids
function Test:offer(...)
    check_connected(self, "offer")
    if self.cluster_options then
        fail(2, "offer: with t:cluster() the master makes the offers; t:advance(1) lets it")
    end
    read_calls(self)
    local list, ids = {}, {}
    for i, given in ipairs { ... } do
        list[i] = complete_offer(self, given)
        ids[i] = list[i].id
        self.offers[ids[i]] = list[i].agent_id
    end
    local good, message = pcall(self.bed.event, self.bed, { type = "OFFERS", offers = { offers = list } })
    if not good then
        spend(self, ids)
        message = message:gsub("event%.offers%.offers%[(%d+)%]", "offer[%1]")
        fail(2, message:find("in Offer", 1, true) and message .. " (in short form: " .. SHORT .. ")" or message)
    end
    check(self)
    return table.unpack(ids)
end

-- An offer ends: `offerRescinded` is called.
---@param id string
function Test:rescind(id)
    check_connected(self, "rescind")
    read_calls(self)
    if not self.offers[id] then
        fail(2, "rescind: no offer '%s' is outstanding; there are: %s", tostring(id),
            table.concat(sorted(self.offers), ", "))
    end
    self.offers[id] = nil
    self.bed:event { type = "RESCIND", rescind = { offer_id = id } }
    check(self)
end

-- ---- tasks and agents ----

local function uuid(self)
    self.update_count = self.update_count + 1
    return (">I8I8"):pack(0x4000, 1 << 63 | self.update_count) -- of version 4, as a master checks
end

local function send_update(self, status)
    send(self, { type = "UPDATE", update = { status = status } }, 3)
end

local EXITS = { TASK_FINISHED = 0, TASK_FAILED = 1 }

local function end_task(self, id, state, fields)
    if not EXITS[state] or next(fields) then
        fail(3, "update: tasks of a cluster end as TASK_FINISHED or TASK_FAILED, and their agent fills in the rest")
    elseif not self.bed:end_task(id, EXITS[state]) then
        fail(3, "update: no task '%s' runs on the cluster", id)
    end
end

-- A status update of a task that was launched: `statusUpdate` is called. Agent, executor, source, time stamp and uuid
-- are filled in where they are not given; uuid = false: it has none, and needs no acknowledgement. With a cluster it
-- ends the task's run.
---@param id string
---@param state mesos.TaskState
---@param fields? mesos.TaskStatus
function Test:update(id, state, fields)
    check_connected(self, "update")
    read_calls(self)
    fields = merge({}, fields)
    local task = self.tasks[id]
    if self.cluster_options then
        end_task(self, id, state, fields)
    elseif not task and not fields.agent_id then
        fail(2, "update: no task '%s' was launched; there are: %s", tostring(id),
            table.concat(sorted(self.tasks), ", "))
    else
        local status = merge({
            task_id = id, state = state, timestamp = self.bed:now(), source = "SOURCE_EXECUTOR", uuid = uuid(self),
            agent_id = task and task.agent_id, executor_id = task and task.executor_id or id,
        }, fields)
        status.uuid = status.uuid or nil
        send_update(self, status)
        self.tasks[id] = task or { agent_id = fields.agent_id }
        self.tasks[id].state = state
    end
    check(self)
end

local ENDED = {
    TASK_FINISHED = true, TASK_FAILED = true, TASK_KILLED = true, TASK_ERROR = true, TASK_LOST = true,
    TASK_DROPPED = true, TASK_GONE = true, TASK_GONE_BY_OPERATOR = true,
}

local function is_partition_aware(self)
    for _, capability in ipairs(self.info.capabilities or {}) do
        if capability.type == "PARTITION_AWARE" then
            return true
        end
    end
    return false
end

local function lose_tasks(self, id)
    local state = is_partition_aware(self) and "TASK_UNREACHABLE" or "TASK_LOST"
    for _, name in ipairs(sorted(self.tasks)) do
        local task = self.tasks[name]
        if task.agent_id == id and not ENDED[task.state] then
            task.state = state
            send_update(self, {
                task_id = name, state = state, agent_id = id, timestamp = self.bed:now(), source = "SOURCE_MASTER",
                reason = "REASON_AGENT_REMOVED", message = "Agent " .. id .. " removed: the test has lost it",
            })
        end
    end
end

-- An agent is lost, as the master reports it: its tasks are TASK_LOST, or TASK_UNREACHABLE for a framework with
-- PARTITION_AWARE, its offers are rescinded, and `slaveLost` is called.
---@param id string
function Test:lose_agent(id)
    check_connected(self, "lose_agent")
    read_calls(self)
    if self.cluster_options then
        local good, message = self.bed:lose_agent(id)
        check(self)
        if not good then
            fail(2, "lose_agent: %s", message)
        end
        return
    end
    lose_tasks(self, id)
    for _, offer in ipairs(sorted(self.offers)) do
        if self.offers[offer] == id then
            self.offers[offer] = nil
            self.bed:event { type = "RESCIND", rescind = { offer_id = offer } }
        end
    end
    self.bed:event { type = "FAILURE", failure = { agent_id = id } }
    check(self)
end

-- A message of an executor: `frameworkMessage` is called.
---@param executor_id string
---@param agent_id string
---@param data string
function Test:message(executor_id, agent_id, data)
    self:event { type = "MESSAGE", message = { executor_id = executor_id, agent_id = agent_id, data = data } }
end

-- ---- the cluster ----

local CLUSTER_FIELDS = { agents = true, roles = true, runtime = true }
local AGENT_FIELDS = {
    cpus = true, mem = true, disk = true, gpus = true, ports = true, attributes = true, count = true,
    resources = true, hostname = true, domain = true,
}

-- An agent as --agent has it: "cpus:4;mem:1024 rack=b zone=7".
local function agent_of_text(text)
    local agent = { attributes = {} }
    for word in text:gmatch("%S+") do
        local name, value = word:match("^([^=:;]+)=(.*)$")
        if name then
            agent.attributes[name] = tonumber(value) or value
        else
            agent.resources = word
        end
    end
    return agent
end

local function agent_group(given, number)
    if type(given) == "string" then
        given = agent_of_text(given)
    elseif type(given) ~= "table" then
        fail(4, "agents[%d]: a text or a table expected, got %s", number, type(given))
    end
    check_fields(("agents[%d]"):format(number), given, AGENT_FIELDS)
    local group, amounts = merge({}, given), {}
    for name in pairs(RESOURCES) do
        amounts[name], group[name] = given[name], nil
    end
    group.resources = given.resources or amounts
    group.attributes = given.attributes and next(given.attributes) and given.attributes or nil
    return group
end

local function agent_groups(agents)
    if math.type(agents) == "integer" then
        return { { count = agents, resources = "cpus:4;mem:4096" } }
    elseif not is_list(agents) then
        fail(3, "cluster: agents: a number or a list expected, got %s", type(agents))
    end
    local groups = {}
    for i, agent in ipairs(agents) do
        groups[i] = agent_group(agent, i)
    end
    return groups
end

-- Puts the embedded master with these agents in place of the scripted one, in front of t:register(): it makes offers as
-- time passes, and tasks last as long as `runtime` says.
--
--     t:cluster { agents = { "cpus:4;mem:1024 rack=a", { cpus = 8, mem = 4096, count = 3 } }, runtime = 30 }
---@param options mesos.testing.Cluster
function Test:cluster(options)
    check_fields("cluster", options, CLUSTER_FIELDS)
    local plan = { agents = agent_groups(options.agents), roles = options.roles }
    local good, message = self.bed:cluster(internal.json_encode(plan, { empty = "object" }))
    if not good then
        fail(2, "cluster: %s", message)
    end
    self.cluster_options = options
    self.functions.runtime = options.runtime
end

-- ---- time, and the policy itself ----

-- Lets time pass: timers fire in order, mesos.sleep ends, and the master of a cluster makes offers.
---@param seconds number
function Test:advance(seconds)
    self.bed:advance(seconds)
    check(self)
end

-- The time, as mesos.now() gives it.
---@return number
function Test:now()
    return self.bed:now()
end

-- The driver's status, as driver:status() gives it.
---@return string
function Test:status()
    return self.bed:status()
end

-- A copy of mesos.state.
---@return table
function Test:state()
    return self.bed:state()
end

-- What was logged since the last look.
---@return { level: string, text: string }[]
function Test:log()
    return self.bed:log()
end

-- Hands a job to the callback `submit`. Returns what that returned: the answer; nil and a message if it refused the
-- job; nothing if it waits.
---@param job table plain data
---@return any answer, string? message
function Test:submit(job)
    local ended, good, text = self.bed:submit(job)
    check(self)
    if not ended then
        return
    elseif not good then
        return nil, text
    end
    return internal.json_decode(text)
end

-- Another version takes over, of this file or of the same one: what the host does when a file changes. Raises if it
-- cannot; the version before goes on then.
---@param path? string
function Test:reload(path)
    local good, message = self.bed:reload(path)
    check(self)
    if not good then
        fail(2, message)
    end
end

-- Ends the test: the script's Lua state, its timers and its driver are gone. It is not needed, as the collector does
-- it as well.
function Test:close()
    if self.bed then
        self.bed:close()
        self.bed = nil
    end
end

Test.__close = Test.close

-- ---- loading ----

local OPTIONS = { args = true, time = true, seed = true, state = true, stubs = true, log = true }
local STUBS = { exec = true, http = true, process = true, serve = true }
local open = setmetatable({}, { __mode = "k" })

-- Tests without a reference hold memory that the collector does not count.
local function collect()
    local count = 0
    for _ in pairs(open) do
        count = count + 1
    end
    if count >= OPEN_MOST then
        collectgarbage()
    end
end

-- What the bed asks the test for. They know nothing of the test, which so can be collected.
local function make_functions(stubs)
    local functions = {}

    function functions.stub(name, arguments)
        if not stubs[name] then
            error(("a test has no world outside: give testing.load() a function for it, "
                .. "{ stubs = { %s = function(...) ... end } }"):format(name), 0)
        end
        return table.pack(stubs[name](table.unpack(arguments, 1, arguments.n)))
    end

    function functions.last(task_id, command)
        local runtime = functions.runtime
        if type(runtime) == "function" then
            return runtime { task_id = task_id, command = command }
        end
        return runtime
    end

    return functions
end

-- Runs a script as the host would, up to where its driver asks for a subscription.
---@param path string
---@param options? mesos.testing.Options
---@return mesos.testing.Test
function M.load(path, options)
    options = options or {}
    check_fields("load", options, OPTIONS)
    check_fields("stubs", options.stubs or {}, STUBS)
    collect()
    local functions = make_functions(options.stubs or {})
    local self = setmetatable({
        functions = functions, tasks = {}, offers = {}, offer_count = 0, update_count = 0, info = {},
        seen = { calls = {}, launched = {}, declined = {}, killed = {} },
        bed = core.create {
            time = options.time or START, seed = options.seed or 1, state = options.state, functions = functions,
            show = options.log,
        },
    }, Test)
    open[self] = true
    local good, message = self.bed:load(path, options.args or {})
    if not good then
        fail(2, message)
    end
    check(self)
    return self
end

return M
