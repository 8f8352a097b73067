-- SPDX-License-Identifier: Apache-2.0
--
-- What a host goes through, from its start to its end, in phases: whole lives of a framework inside this process
-- (internals.world), for specs that make them hard. A phase must bear that anything fails in it, and in those before.

local internals = require("internals")

local EVENT = "mesos.v1.scheduler.Event"

local M = {}

local function event(value)
    return internals.encode(EVENT, value)
end

local function offer(id)
    return {
        id = id, framework_id = "f", agent_id = "a-" .. id, hostname = "host", allocation_info = { role = "*" },
        resources = {
            { name = "cpus", type = "SCALAR", scalar = 4, allocation_info = { role = "*" } },
            { name = "mem", type = "SCALAR", scalar = 1024, allocation_info = { role = "*" } },
            {
                name = "ports", type = "RANGES", allocation_info = { role = "*" },
                ranges = { range = { { begin = 31000, ["end"] = 31010 } } },
            },
        },
        attributes = { { name = "rack", type = "TEXT", text = "r1" } },
    }
end

function M.offers(...)
    local list = {}
    for i, id in ipairs { ... } do
        list[i] = offer(id)
    end
    return event { type = "OFFERS", offers = { offers = list } }
end

function M.update(state)
    return event {
        type = "UPDATE", update = {
            status = {
                task_id = "t1", agent_id = "a1", executor_id = "t1", state = state or "TASK_RUNNING",
                source = "SOURCE_EXECUTOR", timestamp = 1.8e9, uuid = ("u"):rep(16), message = "it runs",
                labels = { labels = { { key = "k", value = "v" } } },
            },
        },
    }
end

-- One of each other kind.
M.events = {
    rescind = event { type = "RESCIND", rescind = { offer_id = "o3" } },
    message = event { type = "MESSAGE", message = { agent_id = "a1", executor_id = "e1", data = "hello\0" } },
    agent_lost = event { type = "FAILURE", failure = { agent_id = "a1" } },
    executor_lost = event { type = "FAILURE", failure = { agent_id = "a1", executor_id = "e1", status = 9 } },
    inverse_offers = event {
        type = "INVERSE_OFFERS", inverse_offers = {
            inverse_offers = {
                { id = "i1", framework_id = "f", agent_id = "a1", unavailability = { start = { nanoseconds = 1 } }, resources = {} },
            },
        },
    },
    inverse_rescind = event { type = "RESCIND_INVERSE_OFFER", rescind_inverse_offer = { inverse_offer_id = "i1" } },
    operation = event {
        type = "UPDATE_OPERATION_STATUS", update_operation_status = {
            status = { operation_id = "op1", state = "OPERATION_FINISHED", uuid = ("v"):rep(16), agent_id = "a1" },
        },
    },
    error = event { type = "ERROR", error = { message = "the end" } },
}

-- A policy that uses all that it is given.
M.policy = [[
local mesos = require "mesos"
local scheduler = { framework = { name = "hard", failover_timeout = 60, labels = { labels = { { key = "k", value = "v" } } } } }
local seen = {}
mesos.state.count = mesos.state.count or 0
mesos.state.nested = { 1, 2, { three = "3" }, [0.5] = true }

local function task(offer, name)
    return {
        name = name, task_id = name, agent_id = offer.agent_id, command = { value = "true", environment = {
            variables = { { name = "A", value = "1" } } } },
        resources = mesos.resources { cpus = 0.1, mem = 32 },
    }
end

function scheduler:registered(driver, id, info)
    seen.registered = id .. tostring(info) .. tostring(driver)
    driver:reconcileTasks { { task_id = "t1" } }
end

function scheduler:reregistered(_, info) seen.reregistered = tostring(info) end

function scheduler:disconnected(driver)
    seen.disconnected = driver:status()
end

function scheduler:resourceOffers(driver, offers)
    mesos.state.count = mesos.state.count + #offers
    for i, offer in ipairs(offers) do
        local copy = offer:table()
        local text = tostring(offer) .. offer.id .. offer.cpus .. offer.mem .. #offer.ports .. copy.hostname
        for name, value in pairs(offer) do
            text = text .. name .. tostring(value)
        end
        seen[offer.id] = text .. tostring(offer:attribute("rack"))
        if i == 1 then
            driver:launchTasks({ offer.id }, { task(offer, "one"), task(offer, "two") }, { refuse_seconds = 1 })
        elseif i == 2 then
            driver:declineOffer(offer.id, { refuse_seconds = 5 })
        end
    end
    seen.outstanding = driver:offers()
end

function scheduler:offerRescinded(_, id) seen.rescinded = id end

function scheduler:statusUpdate(driver, status)
    local copy = status:table()
    mesos.state.last = copy.task_id .. status.state .. #status.labels.labels
    for task in driver:tasks() do
        seen.task = tostring(task) .. task.state
    end
    if status.state == "TASK_FAILED" then
        driver:killTask(status.task_id)
        driver:reconcileTasks { status }
    end
end

function scheduler:frameworkMessage(driver, executor, agent, data)
    driver:sendFrameworkMessage(executor, agent, data)
end

function scheduler:slaveLost(driver, agent) driver:reviveOffers { "*" } seen.lost = agent end

function scheduler:executorLost(driver, executor, agent, status)
    driver:shutdownExecutor(executor, agent)
    driver:suppressOffers { "*" }
    seen.status = status
end

function scheduler:inverseOffers(driver, offers)
    for _, offer in ipairs(offers) do
        driver:acceptInverseOffers(offer.id)
    end
end

function scheduler:inverseOfferRescinded(_, id) seen.inverse = id end
function scheduler:operationStatusUpdate(_, status) seen.operation = tostring(status) end
function scheduler:error(_, message) seen.error = message end
function scheduler:reloaded(driver) driver:updateFramework({ name = "harder" }, {}, nil) end
return scheduler
]]

-- One that waits, in every way that there is without a world around it.
M.waiting = [[
local mesos = require "mesos"
local scheduler = {}
local log = {}

local function close(text)
    return setmetatable({}, { __close = function() log[#log + 1] = text end })
end

function scheduler:resourceOffers(driver, offers)
    local generator = coroutine.wrap(function()
        local _ <close> = close("inner")
        for _, offer in ipairs(offers) do
            mesos.sleep(0.001)
            coroutine.yield(offer)
        end
    end)
    for offer in generator do
        mesos.spawn(function(id)
            local _ <close> = close("spawned")
            mesos.sleep(0.001)
            log[#log + 1] = id
        end, offer.id)
    end
    for _, offer in ipairs(offers) do
        driver:declineOffer(offer.id)
    end
end

function scheduler:statusUpdate(_, status)
    local ok, why = pcall(function()
        local _ <close> = close("outer")
        mesos.sleep(0.001)
        error({ code = status.task_id })
    end)
    log[#log + 1] = tostring(ok) .. tostring(why)
    mesos.after(0.001, function() log[#log + 1] = "after" end)
    local every
    every = mesos.every(0.001, function()
        mesos.sleep(0.001)
        if #log > 20 then every:cancel() end
        error("in a timer")
    end)
    mesos.after(0.02, function() every:cancel() end)
    select(2, xpcall(mesos.sleep, debug.traceback, 0.001))
end

return scheduler
]]

M.outside = [[
local mesos = require "mesos"
local scheduler = {}
function scheduler:statusUpdate(driver, status)
    local result = mesos.exec({ "sh", "-c", "echo " .. status.task_id .. "; exit 3" }, { timeout = 5, env = { A = "1" } })
    assert(result.status == 3 and result.stdout == "t1\n")
    local reply, message, code = mesos.http { url = "http://127.0.0.1:1/", timeout = 1, headers = { a = "b" } }
    assert(reply == nil and message and code)
    mesos.exec({ "sleep", "10" }, { timeout = 0.01 })
end
return scheduler
]]

local function pass(seconds)
    return function(world)
        world:pass(seconds)
    end
end

local function deliver(...)
    local list = { ... }
    return function(world)
        for _, bytes in ipairs(list) do
            world:event(bytes)
        end
        world:pass(0.05)
    end
end

local function load(text)
    return function(world)
        world:load(text)
    end
end

local function start(world)
    world:start()
end

-- Name, settings, and the phases in order, each with its name; `only`: the one that differs from those of other plays.
M.list = {
    {
        name = "a policy", settings = {},
        { "load", load(M.policy) }, { "start", start },
        { "offers", deliver(M.offers("o1", "o2", "o3")) },
        { "an update", deliver(M.update()) }, { "a failed task", deliver(M.update("TASK_FAILED")) },
        { "rescind", deliver(M.events.rescind) }, { "message", deliver(M.events.message) },
        { "failures", deliver(M.events.agent_lost, M.events.executor_lost) },
        { "inverse offers", deliver(M.events.inverse_offers, M.events.inverse_rescind) },
        { "operation", deliver(M.events.operation) },
        { "eval", function(world)
            world:eval("print(scheduler.framework.name, #driver:offers(), state.count)")
            world:eval("state.count + ")
            world:eval("error({})")
        end },
        { "save", function(world)
            local bytes = world:save()
            if bytes then
                world:restore(bytes)
            end
        end },
        { "reload", function(world) world:reload((M.policy:gsub("hard", "harder"))) end },
        { "a broken version", function(world) world:reload("error('broken')") end },
        { "disconnect", function(world)
            world:break_stream()
            world:pass(5)
        end },
        { "again offers", deliver(M.offers("o4", "o5")) },
        { "error", deliver(M.events.error) },
        { "the end", pass(1) },
    },
    {
        name = "a policy in the sandbox", settings = { sandbox = true, memory_limit = 4 << 20, callback_limit = 10 },
        { "load", load(M.policy) }, { "start", start }, { "offers", deliver(M.offers("o1", "o2", "o3")) },
        { "an update", deliver(M.update()) },
    },
    {
        name = "waiting", settings = {},
        { "load", load(M.waiting) }, { "start", start }, { "offers", deliver(M.offers("o1", "o2")) },
        { "an update", deliver(M.update()) }, { "the rest", pass(1) },
    },
    {
        name = "processes and requests", settings = { real = true }, only = "an update",
        { "load", load(M.outside) }, { "start", start },
        { "an update", function(world)
            world:event(M.update())
            world:settle(5)
        end },
    },
    {
        name = "a script that runs its drivers", settings = {},
        { "load", load [[
            local mesos = require "mesos"
            for i = 1, 3 do
                local driver = mesos.SchedulerDriver {
                    scheduler = { registered = function(_, driver)
                        mesos.sleep(0.01)
                        driver:stop(i == 2)
                    end },
                    framework = { name = "own" .. i }, credential = { principal = "p", secret = "s" },
                }
                assert(driver:run() == mesos.DRIVER_STOPPED)
            end
        ]] },
    },
}

-- A life, up to its last phase or the second one behind that of the name `to`. `around(phase name, run)` runs each
-- phase. Returns the world, which is the caller's to close.
function M.live(play, around, to)
    local world, left = internals.world(play.settings), #play
    for _, phase in ipairs(play) do
        if left > 0 then
            around(phase[1], function()
                phase[2](world)
            end)
        end
        left = phase[1] == to and 2 or left - 1
    end
    return world
end

return M
