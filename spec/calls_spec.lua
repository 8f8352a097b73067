-- SPDX-License-Identifier: Apache-2.0
--
-- Every call that the recordings hold, made once more through our operations: a script on the real program makes it,
-- and what arrives is compared with what was recorded, field by field. The scripted master first presents the offers
-- and updates that a call refers to, as the real one had.
--
-- A SUBSCRIBE begins a session, which is a driver of its own with the recorded settings; the calls behind it are its
-- steps. What the interface cannot say, or refuses to, is counted by reason.

local exchanges = require("support.recorded_calls")
local framework = require("support.framework")
local master = require("support.master")
local program = require("support.program")
local values = require("support.compare")

-- Plays the sessions of a file: each step is taken when the master says so, with a MESSAGE that holds its number.
local SCRIPT = [[
local mesos = require "mesos"
local sessions = assert(loadfile(arg[2]))()
local function say(...) print(...) io.stdout:flush() end

local function perform(driver, step, statuses)
    local arguments = step.arguments
    if step.uuid then arguments = { statuses[step.uuid] } end
    return driver[step.operation](driver, table.unpack(arguments, 1, step.count))
end

local function play(number, session)
    local statuses = {}
    local scheduler = {}
    function scheduler:registered() say("session", number) end
    function scheduler:resourceOffers() end
    function scheduler:statusUpdate(_, status) statuses[status.uuid] = status end
    function scheduler:frameworkMessage(driver, _, _, data)
        local step = session.steps[tonumber(data)]
        if not step then driver:stop(true) return end
        local ok, message = pcall(perform, driver, step, statuses)
        say("step", number .. "." .. data, ok and "done" or message)
    end
    local options = session.options
    options.scheduler, options.master, options.implicitAcknowledgements = scheduler, arg[1], false
    local ok, driver = pcall(mesos.SchedulerDriver, options)
    if ok then driver:run() else say("session", number, driver) end
end

for number, session in ipairs(sessions) do play(number, session) end
]]

-- The field of Call that holds the message of each type; types without one need none.
local FIELDS = {
    ACCEPT = "accept", DECLINE = "decline", KILL = "kill", SHUTDOWN = "shutdown", ACKNOWLEDGE = "acknowledge",
    RECONCILE = "reconcile", MESSAGE = "message", REQUEST = "request", UPDATE_FRAMEWORK = "update_framework",
    ACCEPT_INVERSE_OFFERS = "accept_inverse_offers", DECLINE_INVERSE_OFFERS = "decline_inverse_offers",
    ACKNOWLEDGE_OPERATION_STATUS = "acknowledge_operation_status", RECONCILE_OPERATIONS = "reconcile_operations",
    SUBSCRIBE = "subscribe",
}

-- ---- from a recorded call to an operation ----

local operations = {}

local function operation(name, ...)
    local arguments = table.pack(...)
    local step = { operation = name, arguments = {}, count = arguments.n }
    for i = 1, arguments.n do
        step.arguments[i] = arguments[i]
    end
    return step
end

function operations.TEARDOWN()
    return operation("stop")
end

-- launchTasks where that is all, acceptOffers where there is more.
function operations.ACCEPT(accept)
    local list = accept.operations or {}
    local only = #list == 1 and list[1]
    if only and only.type == "LAUNCH" and only.launch and not only.id then
        return operation("launchTasks", accept.offer_ids or {}, only.launch.task_infos or {}, accept.filters)
    end
    return operation("acceptOffers", accept.offer_ids or {}, list, accept.filters)
end

function operations.DECLINE(decline)
    return operation("declineOffer", decline.offer_ids or {}, decline.filters)
end

function operations.REVIVE(revive)
    return operation("reviveOffers", revive and revive.roles)
end

function operations.SUPPRESS(suppress)
    return operation("suppressOffers", suppress and suppress.roles)
end

function operations.KILL(kill)
    return operation("killTask", kill.task_id, { agent_id = kill.agent_id, kill_policy = kill.kill_policy })
end

function operations.SHUTDOWN(shutdown)
    return operation("shutdownExecutor", shutdown.executor_id, shutdown.agent_id)
end

function operations.MESSAGE(message)
    return operation("sendFrameworkMessage", message.executor_id, message.agent_id, message.data)
end

function operations.REQUEST(request)
    return operation("requestResources", request.requests or {})
end

function operations.RECONCILE(reconcile)
    return operation("reconcileTasks", reconcile.tasks)
end

function operations.UPDATE_FRAMEWORK(update)
    local info = {}
    for name, value in pairs(update.framework_info) do
        info[name] = name ~= "id" and value or nil
    end
    return operation("updateFramework", info, update.suppressed_roles or {}, update.offer_constraints)
end

-- From the update that was recorded; an acknowledgement of none is made by hand.
function operations.ACKNOWLEDGE(acknowledge, statuses)
    local step = operation("acknowledgeStatusUpdate", {
        task_id = acknowledge.task_id, agent_id = acknowledge.agent_id, uuid = acknowledge.uuid, state = "TASK_RUNNING",
    })
    local status = statuses[acknowledge.uuid]
    step.uuid = status and status.agent_id == acknowledge.agent_id and acknowledge.uuid
    return step
end

local function settings(subscribe)
    local info = {}
    for name, value in pairs(subscribe.framework_info) do
        info[name] = value
    end
    info.capabilities, info.roles = info.capabilities or {}, info.roles or {}
    return {
        framework = info, suppressedRoles = subscribe.suppressed_roles, offerConstraints = subscribe.offer_constraints,
    }
end

-- Why a call cannot be expressed at all, or nil.
local function inexpressible(call)
    local field = FIELDS[call.type]
    if not call.type or call.type == "UNKNOWN" then
        return "has no type"
    elseif field and not call[field] then
        return "lacks the message of its type"
    elseif call.type == "SUBSCRIBE" and (call.framework_id or "") ~= (call.subscribe.framework_info.id or "") then
        return "has two framework ids"
    end
    return nil
end

-- Divides the calls of a scenario into sessions: { options =, steps =, subscribe =, calls = }.
local function divide(scenario, statuses, count)
    local sessions = {}
    local function open(options, exchange)
        sessions[#sessions + 1] = { options = options, steps = {}, exchanges = {}, subscribe = exchange }
    end
    for _, exchange in ipairs(exchanges.of(scenario)) do
        local call = exchange.call
        local reason = not call and "is no Call" or inexpressible(call)
        if reason then
            count(reason)
        elseif call.type == "SUBSCRIBE" then
            open(settings(call.subscribe), exchange)
        else
            local last = sessions[#sessions]
            if not last or last.over then
                open({ framework = { name = "after" } })
                last = sessions[#sessions]
            end
            last.steps[#last.steps + 1] = operations[call.type](call[FIELDS[call.type] or call.type:lower()], statuses)
            last.exchanges[#last.exchanges + 1] = exchange
            last.over = call.type == "TEARDOWN"
        end
    end
    return sessions
end

-- ---- what has to arrive ----

-- The message as it was recorded, but for what does not matter or is ours to fill in.
local function wanted_message(call, session_info)
    local message = values.plain(call[FIELDS[call.type] or call.type:lower()])
    if message and next(message) == nil and (call.type == "REVIVE" or call.type == "SUPPRESS") then
        return nil -- the same as none
    elseif call.type == "UPDATE_FRAMEWORK" then
        local info = message.framework_info
        info.id = nil
        for _, name in ipairs({ "user", "principal", "hostname", "checkpoint" }) do
            info[name] = info[name] == nil and session_info[name] or info[name]
        end
        if info.capabilities == nil then
            info.capabilities = { { type = "MULTI_ROLE" }, { type = "RESERVATION_REFINEMENT" } }
            info.roles = info.roles or { "*" }
        end
    end
    return message
end

local function check_call(exchange, got, m, session_info)
    local field = FIELDS[exchange.call.type] or exchange.call.type:lower()
    local wanted, message = wanted_message(exchange.call, session_info), values.plain(rawget(got.call, field))
    assert.equal(exchange.call.type, got.type)
    if got.type == "UPDATE_FRAMEWORK" then
        assert.equal(m.framework_id, message.framework_info.id)
        message.framework_info.id = nil
    end
    if got.type ~= "TEARDOWN" then
        assert.equal(m.framework_id, got.call.framework_id)
    end
    return values.difference(wanted, message, got.type)
end

local function check_subscribe(exchange, got)
    local wanted, message = values.plain(exchange.call.subscribe), values.plain(got.call.subscribe)
    for _, name in ipairs({ "hostname", "user", "name" }) do
        if wanted.framework_info[name] == nil then
            assert.is_string(message.framework_info[name])
            message.framework_info[name] = nil
        end
    end
    if wanted.framework_info.id == "" then
        wanted.framework_info.id = nil -- an empty id is none
    end
    return values.difference(wanted, message, "SUBSCRIBE")
        or values.difference(wanted.framework_info.id, got.call.framework_id, "framework_id")
end

-- ---- playing ----

-- Which words an operation has to refuse this call with, or nil if it must not; and by which reason it counts. Presents
-- the offers that are referred to for the first time.
local function present(m, call, known, used)
    local ids = (call.accept or call.decline or {}).offer_ids or {}
    local fresh, seen = {}, {}
    local refusal, reason
    for _, id in ipairs(ids) do
        if seen[id] then
            refusal, reason = refusal or "is named twice", reason or "names an offer twice"
        elseif used[id] then
            refusal, reason = "cannot be used", "names an offer that was used"
        elseif not known[id] then
            refusal, reason = "no such offer is outstanding", "names an unknown offer"
        else
            fresh[#fresh + 1] = m:offer({ id = id, agent_id = known[id].agent_id })
        end
        seen[id] = true
    end
    if #fresh > 0 then
        m:send_offers(fresh)
    end
    if call.type == "KILL" and not call.kill.task_id then
        return "task_id: ", "lacks a required field"
    end
    if not refusal then
        for _, id in ipairs(ids) do
            used[id] = true
        end
    end
    return refusal, reason
end

-- Lets the script take one step. Returns what it said, and the call that arrived, if one did.
local function take(m, run, name, number)
    local before = #m.calls
    m:send({ type = "MESSAGE", message = { agent_id = "a", executor_id = "e", data = tostring(number) } })
    local said
    run:wait_for(function()
        said = run.stdout:match("\nstep\t" .. name:gsub("%.", "%%.") .. "\t([^\n]*)\n")
        return said
    end)
    if said == "done" then
        program.wait_for(function() return #m.calls > before end, 2, function()
            return "no call came of step " .. name
        end)
    end
    return said, m.calls[before + 1]
end

local Player = {}
Player.__index = Player

function Player:note(exchange, problem)
    if problem then
        self.problems[#self.problems + 1] = ("exchange %d: %s"):format(exchange.number, problem)
    end
end

function Player:step(number, session, i, info)
    local exchange, step = session.exchanges[i], session.steps[i]
    if step.uuid then
        self.m:send({ type = "UPDATE", update = { status = self.statuses[step.uuid] } })
    end
    local refusal, reason = present(self.m, exchange.call, self.offers, self.used)
    local empty = (step.operation == "declineOffer" or step.operation == "acceptOffers" or step.operation == "launchTasks")
        and #step.arguments[1] == 0
    if empty and step.operation == "declineOffer" then
        self.count("declines nothing") -- and sends nothing
        return
    end
    local said, got = take(self.m, self.run, ("%d.%d"):format(number, i), i)
    if refusal then
        self.count(reason)
        self:note(exchange, not said:find(refusal, 1, true) and "not refused: " .. said)
    elseif said ~= "done" then
        self:note(exchange, "refused: " .. said)
    else
        self.count("the same")
        self:note(exchange, check_call(exchange, got, self.m, info))
    end
end

function Player:session(number, session)
    local m, run = self.m, self.run
    local mark = ("session\t%d"):format(number)
    run:wait_for(function() return ("\n" .. run.stdout):find("\n" .. mark .. "[\t\n]") end)
    local refused = ("\n" .. run.stdout):match("\n" .. mark .. "\t([^\n]*)\n")
    if refused then
        self.count("lacks a required field")
        return self:note(session.subscribe, not refused:find("required", 1, true) and refused)
    end
    self.subscribed = self.subscribed + 1
    local got = m:wait_for("SUBSCRIBE", self.subscribed)
    if session.subscribe then
        self.count("the same")
        self:note(session.subscribe, check_subscribe(session.subscribe, got))
    end
    for i in ipairs(session.steps) do
        self:step(number, session, i, got.call.subscribe.framework_info)
    end
    if not session.over then
        m:send({ type = "MESSAGE", message = { agent_id = "a", executor_id = "e", data = "end" } })
    end
end

local function play(scenario, count)
    local offers, statuses = exchanges.known(scenario)
    local sessions = divide(scenario, statuses, count)
    local lists = {}
    for i, session in ipairs(sessions) do
        lists[i] = { options = session.options, steps = session.steps }
    end
    local folder = program.files({ ["script.lua"] = SCRIPT, ["steps.lua"] = "return " .. values.source(lists) })
    local m = master.start({ lenient = true })
    local run = program.start({ args = { folder .. "/script.lua", m.address, folder .. "/steps.lua" } })
    local player = setmetatable({
        m = m, run = run, offers = offers, statuses = statuses, used = {}, subscribed = 0, problems = {}, count = count,
    }, Player)
    for number, session in ipairs(sessions) do
        player:session(number, session)
    end
    assert.equal(0, run:wait(), run:report())
    return player.problems
end

-- How many calls of all recordings came to what.
local COUNTS = {
    ["the same"] = 720,

    -- These the interface cannot say.
    ["is no Call"] = 63,                    -- malformed bodies, other methods and paths, calls to the operator API
    ["has no type"] = 4,
    ["has two framework ids"] = 2,          -- there is one place for it
    ["lacks the message of its type"] = 15, -- an operation always makes it

    -- These it refuses, with words that name what is wrong.
    ["names an unknown offer"] = 4,
    ["names an offer that was used"] = 3,
    ["names an offer twice"] = 2,
    ["lacks a required field"] = 1,

    -- This needs no call.
    ["declines nothing"] = 1,
}

describe("the recorded calls", function()
    after_each(framework.cleanup)

    local counts, played = {}, {}
    local function count(reason)
        counts[reason] = (counts[reason] or 0) + 1
    end

    for _, scenario in ipairs(exchanges.scenarios()) do
        it("of " .. scenario .. " are those that our operations make", function()
            played[scenario] = true
            assert.same({}, play(scenario, count))
        end)
    end

    it("were all made, but for those that are no calls or that we refuse", function()
        for _, scenario in ipairs(exchanges.scenarios()) do
            if not played[scenario] then
                play(scenario, count)
            end
        end
        assert.same(COUNTS, counts)
    end)
end)
