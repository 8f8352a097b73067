-- SPDX-License-Identifier: Apache-2.0
--
-- A scripted Mesos master in the busted process: it speaks the v1 scheduler API over HTTP with protobuf, notes every
-- call with its request, and does for the rest what a spec tells it. Left alone it accepts a SUBSCRIBE with SUBSCRIBED
-- and a HEARTBEAT, and answers well-formed calls with 202, as a real one does; what a real one refuses it refuses with
-- the same status and words, the framework of SUBSCRIBE and UPDATE_FRAMEWORK included (support/framework_rules.lua),
-- unless it is `lenient`.
--
--   local master = require("support.master")
--   after_each(master.cleanup)
--   local m = master.start()
--   local run = program.start { args = { "--master", m.address, script } }
--   local subscribe = m:wait_for("SUBSCRIBE")             -- { type =, call =, request =, connection = }
--   m:send { type = "OFFERS", offers = { offers = { m:offer() } } }
--   local accept = m:wait_for("ACCEPT")
--   m:send(m:update(accept.call.accept.operations[1].launch.task_infos[1], "TASK_RUNNING"))
--   m:expect("KILL", { task_id = "t" })                   -- waits for the next KILL and compares it field by field
--   m:answer("KILL", 400, "no")                           -- from now on; false for 400: no answer; nil: as usual
--   m:delay("KILL", 0.1) / m:hold("KILL"), m:release("KILL")
--   m:end_stream() / m:drop() / m:reset()                 -- zero chunk / FIN / RST
--   m:send_pieces(pieces) / m:send_bytes("12\n...")       -- records cut, joined and corrupted as wanted
--   m:play("04-command-task/events")                      -- the records of a real master, on a master that is `quiet`

local rules = require("support.framework_rules")
local recordings = require("support.recordings")
local internals = require("internals")
local server = require("support.server")
local stream_peer = require("support.stream_peer")
local values = require("support.compare")

local M = { cleanup = server.cleanup }

local Master = stream_peer.class()
local CALL, EVENT = "mesos.v1.scheduler.Call", "mesos.v1.scheduler.Event"
local TYPE, uuid, frame = stream_peer.TYPE, stream_peer.uuid, stream_peer.frame

Master.CALL, Master.EVENT, Master.PATH = CALL, EVENT, "/api/v1/scheduler"

-- ---- events ----

-- Sends the records of a recording on the live stream, byte for byte, and takes on the ids in it. Options: `from` and
-- `to`, numbers of records; `cut`, a function that cuts the bytes into pieces. Returns the events, decoded.
function Master:play(name, options)
    options = options or {}
    local stream = recordings.stream(name)
    local first = stream.records[options.from or 1]
    local last = stream.records[options.to or #stream.records]
    local bytes = stream.bytes:sub(first.offset + 1, last.offset + #tostring(last.length) + 1 + last.length)
    local events = {}
    for i, record in ipairs(internals.recordio():feed(bytes)) do
        events[i] = internals.decode(EVENT, record)
        if events[i].type == "SUBSCRIBED" then
            self.framework_id = events[i].subscribed.framework_id
        end
    end
    self:send_pieces(options.cut and options.cut(bytes) or { bytes })
    return events
end

-- An offer with a new id; the fields given replace the usual ones.
function Master:offer(fields)
    self.offers = self.offers + 1
    local offer = {
        id = ("%s-O%d"):format(self.id, self.offers), framework_id = self.framework_id, agent_id = self.id .. "-S0",
        hostname = "agent1.test", allocation_info = { role = "*" },
        resources = {
            { name = "cpus", type = "SCALAR", scalar = 4, allocation_info = { role = "*" } },
            { name = "mem", type = "SCALAR", scalar = 4096, allocation_info = { role = "*" } },
            {
                name = "ports", type = "RANGES", ranges = { range = { { begin = 31000, ["end"] = 32000 } } },
                allocation_info = { role = "*" },
            },
        },
    }
    for name, value in pairs(fields or {}) do
        offer[name] = value
    end
    return offer
end

-- Sends OFFERS with these, or with one usual offer; returns the list.
function Master:send_offers(offers)
    offers = offers or { self:offer() }
    self:send({ type = "OFFERS", offers = { offers = offers } })
    return offers
end

-- An UPDATE event for a task (a TaskInfo, or a task id) with a new uuid; `fields` replace those of the status.
function Master:update(task, state, fields)
    local bytes = {}
    for i = 1, 16 do
        bytes[i] = string.char(math.random(0, 255))
    end
    local status = {
        task_id = type(task) == "table" and task.task_id or task, state = state, uuid = table.concat(bytes),
        agent_id = type(task) == "table" and task.agent_id or self.id .. "-S0", source = "SOURCE_EXECUTOR",
        timestamp = 1700000000.5,
    }
    for name, value in pairs(fields or {}) do
        status[name] = value or nil
    end
    return { type = "UPDATE", update = { status = status } }
end

-- An UPDATE_OPERATION_STATUS event with a new uuid; `fields` replace those of the status.
function Master:operation_update(operation_id, state, fields)
    local status = {
        operation_id = operation_id, state = state, uuid = self:update("t", "TASK_RUNNING").update.status.uuid,
        agent_id = self.id .. "-S0",
    }
    for name, value in pairs(fields or {}) do
        status[name] = value or nil
    end
    return { type = "UPDATE_OPERATION_STATUS", update_operation_status = { status = status } }
end

-- What a real one does to the old stream when another instance of the framework subscribes.
function Master:fail_over()
    self:send({ type = "ERROR", error = { message = "Framework failed over" } })
    self:end_stream()
end

-- Its process dies, and another one takes its place at the same address. Returns the new one, which knows no framework.
function Master:restart(options)
    self:stop()
    options = options or {}
    options.port = self.server.port
    return M.start(options)
end

-- ---- calls ----

-- The message that calls of a type must have, and where a real master asks for it.
local MESSAGES = {
    ACCEPT = "accept", DECLINE = "decline", KILL = "kill", SHUTDOWN = "shutdown", ACKNOWLEDGE = "acknowledge",
    RECONCILE = "reconcile", MESSAGE = "message", REQUEST = "request", UPDATE_FRAMEWORK = "update_framework",
    ACCEPT_INVERSE_OFFERS = "accept_inverse_offers", DECLINE_INVERSE_OFFERS = "decline_inverse_offers",
    ACKNOWLEDGE_OPERATION_STATUS = "acknowledge_operation_status", RECONCILE_OPERATIONS = "reconcile_operations",
}

local function invalid(call)
    local field = MESSAGES[call.type]
    local message = field and call[field]
    if field and not message then
        return ("Failed to validate scheduler::Call: Expecting '%s' to be present"):format(field)
    elseif message and rawget(message, "uuid") and #message.uuid ~= 16 then
        return "Failed to validate scheduler::Call: Not a valid UUID"
    end
    return nil
end

function Master:problem_with(request, call)
    local stream_id = request:header("Mesos-Stream-Id")
    if call.type == "SUBSCRIBE" then
        if stream_id then
            return 400, "Subscribe calls should not include the 'Mesos-Stream-Id' header"
        elseif call.framework_id ~= call.subscribe.framework_info.id then
            return 400, "Failed to validate scheduler::Call: 'framework_id' differs from "
                .. "'subscribe.framework_info.id'"
        end
        return nil
    end
    if not call.framework_id then
        return 400, "Failed to validate scheduler::Call: Expecting 'framework_id' to be present"
    elseif invalid(call) then
        return 400, invalid(call)
    elseif call.framework_id ~= self.framework_id then
        return 400, "Framework cannot be found"
    elseif not self.stream then
        return 403, "Framework is not subscribed"
    elseif not stream_id then
        return 400, "All non-subscribe calls should include the 'Mesos-Stream-Id' header"
    elseif stream_id ~= self.stream.id then
        return 400, ("The stream ID '%s' included in this request didn't match the stream ID currently associated "
            .. "with framework ID %s"):format(stream_id, call.framework_id)
    end
    return nil
end

-- What is read of it leaves empty lists behind, which specs need not see.
local function copy(call)
    return internals.decode(CALL, internals.encode(CALL, call))
end

local function subscribe(master, call, connection)
    local old = master.stream
    master.stream = { id = uuid(), connection = connection }
    if old then
        old.connection:chunk(frame(internals.encode(EVENT, {
            type = "ERROR", error = { message = "Framework failed over" },
        })))
        old.connection:finish()
    end
    local id = call.framework_id or call.subscribe.framework_info.id
    master:know(copy(call).subscribe.framework_info)
    master.framework_id = id ~= nil and id ~= "" and id or master.framework_id
        or ("%s-%04d"):format(master.id, master.torn_down)
    connection:begin_stream({ ["Mesos-Stream-Id"] = master.stream.id, ["Content-Type"] = TYPE })
    if master.quiet then
        return
    end
    master:send({
        type = "SUBSCRIBED",
        subscribed = {
            framework_id = master.framework_id, heartbeat_interval_seconds = master.heartbeat_interval,
            master_info = master:info(),
        },
    })
    master:heartbeat()
end

-- Of a framework that it knows a real one keeps user and checkpoint as they were.
function Master:know(info)
    local known = self.framework
    if known and info.id ~= nil and info.id == self.framework_id then
        info = setmetatable({ user = known.user, checkpoint = known.checkpoint }, { __index = info })
    end
    self.framework = info
end

-- Refuses a SUBSCRIBE: 200, an ERROR event, and the end of the stream.
local function refuse(connection, text)
    connection:begin_stream({ ["Mesos-Stream-Id"] = uuid(), ["Content-Type"] = TYPE })
    connection:chunk(frame(internals.encode(EVENT, { type = "ERROR", error = { message = text } })))
    connection:finish()
end

local function known_framework(master, info)
    return info.id ~= nil and info.id == master.framework_id and master.framework or nil
end

function Master:info()
    return {
        id = self.id, ip = 16777343, port = self.server.port, pid = "master@" .. self.address, hostname = "localhost",
        version = "1.11.0", address = { hostname = "localhost", ip = "127.0.0.1", port = self.server.port },
    }
end

local usual = {}

Master.usual = usual

function usual.SUBSCRIBE(master, call, connection)
    local wanted = copy(call).subscribe
    local fault = not (master.lenient or master.quiet)
        and rules.subscribe(wanted, known_framework(master, wanted.framework_info), master.completed)
    if fault then
        refuse(connection, fault)
    else
        subscribe(master, call, connection)
    end
end

function usual.TEARDOWN(master, _, connection)
    master:end_stream()
    master.completed[master.framework_id] = true
    master.torn_down = master.torn_down + 1
    master.framework_id = nil
    master.framework = nil
    connection:respond(202)
end

function usual.UPDATE_FRAMEWORK(master, call, connection)
    local known, wanted = master.framework, copy(call).update_framework
    local fault = known and not master.lenient and rules.update(wanted, known)
    if fault then
        connection:respond(400, fault)
    else
        master.framework = wanted.framework_info
        connection:respond(200)
    end
end

-- Waits for the next call of that type that was not asked for yet, and compares all of its message with `wanted` (nil:
-- it must have none), and its framework id. Returns the message.
function Master:expect(type, wanted, seconds)
    local n = (self.expected[type] or 0) + 1
    self.expected[type] = n
    local call = values.plain(self:wait_for(type, n, seconds).call)
    local field = MESSAGES[type] or type:lower()
    local found = values.difference(wanted, call[field], ("%s %d"):format(type, n), true)
    if not found and call.framework_id ~= self.framework_id and type ~= "TEARDOWN" then
        found = ("%s %d: the framework id is %s"):format(type, n, call.framework_id)
    end
    if found then
        error(found, 2)
    end
    return call[field]
end

-- Options: quiet (send nothing after the header of a subscription), lenient (take every framework), heartbeat_interval
-- (15), port, host, framework_id.
function M.start(options)
    options = options or {}
    return stream_peer.start(setmetatable({
        id = uuid(), offers = 0, quiet = options.quiet, framework_id = options.framework_id, lenient = options.lenient,
        completed = {}, torn_down = 0, heartbeat_interval = options.heartbeat_interval or 15.0,
    }, Master), options)
end

return M
