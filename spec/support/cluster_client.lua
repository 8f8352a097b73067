-- SPDX-License-Identifier: Apache-2.0
--
-- The local cluster as any client sees it, with curl as the client: `mesos-lua local` is started, and spoken to in JSON.
--
--   local client = require("support.cluster_client")
--   client.start { "--resources", "cpus:4;mem:1024" }      -- client.cluster is the program, with its work_dir
--   local stream = client.subscribe({ roles = { "a" } }):subscribed()
--   stream:launch(stream:offer(), { client.task(offer, "id", "true") })
--   after_each(client.stop)

local assert = require("luassert")
local json = require("cjson")
local program = require("support.program")

local TERMINAL = { TASK_FINISHED = true, TASK_FAILED = true, TASK_KILLED = true, TASK_ERROR = true, TASK_LOST = true }

local M = {}

local function url(path)
    return "http://" .. M.address .. (path or "/api/v1/scheduler")
end

local function curl(args)
    return program.start { path = "/usr/bin/curl", args = args }
end

-- Status, body and headers of one request. Options: method, path, headers; body is a table or text.
function M.request(body, options)
    options = options or {}
    local args = { "-s", "-i", "--path-as-is", "-X", options.method or "POST" }
    local headers = { ["Content-Type"] = "application/json", Expect = "" }
    for name, value in pairs(options.headers or {}) do
        headers[name] = value
    end
    for name, value in pairs(headers) do
        args[#args + 1] = "-H"
        args[#args + 1] = name .. ":" .. (value and value ~= "" and " " .. value or "")
    end
    if body then
        args[#args + 1] = "--data-binary"
        args[#args + 1] = type(body) == "table" and json.encode(body) or body
    end
    args[#args + 1] = url(options.path)
    local run = curl(args)
    assert.equal(0, run:wait())
    local head, text = run.stdout:match("^(.-)\r\n\r\n(.*)$")
    return tonumber(head:match("^HTTP/1.1 (%d+)")), text, head
end

function M.answered(status, text, body, options)
    local got, words = M.request(body, options)
    assert.same({ status, text }, { got, words })
end

M.refused = M.answered

-- ---- subscriptions ----

local Stream = {}
Stream.__index = Stream

-- The stream of events that answers a call. `headers` are more headers.
function M.open(call, path, headers)
    local stream = setmetatable({ at = 1, ahead = {}, passed = {}, failures = {} }, Stream)
    local args = { "-s", "-N", "-i", "-H", "Content-Type: application/json", "-H", "Expect:" }
    for name, value in pairs(headers or {}) do
        table.move({ "-H", name .. ": " .. value }, 1, 2, #args + 1, args)
    end
    table.move({ "--data-binary", json.encode(call), url(path) }, 1, 3, #args + 1, args)
    stream.run = curl(args)
    stream.run:wait_for(function()
        local head, rest = stream.run.stdout:match("^(.-\r\n\r\n)()")
        stream.head, stream.at = head, rest
        return head
    end)
    stream.id = stream.head:match("Mesos%-Stream%-Id: (%S+)")
    return stream
end

function M.subscribe(info, more)
    local framework = { user = os.getenv("USER") or "root", name = "spec" }
    for key, value in pairs(info or {}) do
        framework[key] = value
    end
    local call = { type = "SUBSCRIBE", subscribe = { framework_info = framework }, framework_id = framework.id }
    for key, value in pairs(more or {}) do
        call.subscribe[key] = value
    end
    return M.open(call)
end

-- The next event that is not a heartbeat; nil when the stream has ended or, with `seconds`, when nothing comes.
function Stream:next(seconds)
    local event
    local function look()
        while not event do
            local length, first = self.run.stdout:match("^(%d+)\n()", self.at)
            local last = length and first + length - 1
            if not last or #self.run.stdout < last then
                return self.run.code ~= nil
            end
            self.at = last + 1
            event = json.decode(self.run.stdout:sub(first, last))
            event = event.type ~= "HEARTBEAT" and event or nil
        end
        return true
    end
    local good, why = pcall(program.wait_for, look, seconds)
    if not good and not seconds then
        error(why .. "\n" .. self.run:report(), 0)
    end
    return event
end

-- An offer that was passed over is none any more when it is rescinded.
local function forget(stream, id)
    for i = #stream.passed, 1, -1 do
        local offers = stream.passed[i].offers.offers
        for k = #offers, 1, -1 do
            if offers[k].id.value == id.value then
                table.remove(offers, k)
            end
        end
        if #offers == 0 then
            table.remove(stream.passed, i)
        end
    end
end

-- The next event of that type, or nil; others are passed over.
function Stream:find(kind, seconds)
    repeat
        local event = self:next(seconds)
        if event and event.type == "RESCIND" then
            forget(self, event.rescind.offer_id)
        end
        if not event or event.type == kind then
            return event
        end
        if event.type == "OFFERS" then
            table.insert(self.passed, event)
        elseif event.type == "FAILURE" then
            table.insert(self.failures, event)
        end
    until false
end

function Stream:subscribed()
    self.framework_id = assert(self:find("SUBSCRIBED")).subscribed.framework_id
    return self
end

-- The first offer of the next OFFERS event, or of one that was passed over while something else was looked for.
function Stream:offer()
    return (table.remove(self.passed, 1) or self:find("OFFERS")).offers.offers[1]
end

-- The next failure, or one that was passed over while something else was looked for.
function Stream:failure(seconds)
    return (table.remove(self.failures, 1) or self:find("FAILURE", seconds)).failure
end

function Stream:call(kind, message, headers)
    local call = { type = kind, framework_id = self.framework_id, [kind:lower()] = message }
    return M.request(call, { headers = headers or { ["Mesos-Stream-Id"] = self.id } })
end

-- A call that is answered with an empty 202.
function Stream:accepted(...)
    local status, text, head = self:call(...)
    assert.same({ 202, "" }, { status, text })
    assert.matches("\r\nContent%-Length: 0", head)
    assert.is_nil(head:match("Content%-Type"))
end

function Stream:acknowledge(status)
    if status.uuid then
        self:accepted("ACKNOWLEDGE", { agent_id = status.agent_id, task_id = status.task_id, uuid = status.uuid })
    end
end

-- The next update, acknowledged.
function Stream:update(seconds)
    local event = self:find("UPDATE", seconds)
    if event then
        self:acknowledge(event.update.status)
        return event.update.status
    end
end

-- Updates until that many tasks have ended: for each task id the list of states, and its last update.
function Stream:results(count)
    local states, last = {}, {}
    while count > 0 do
        local status = self:update()
        local id = status.task_id.value
        states[id] = states[id] or {}
        table.insert(states[id], status.state)
        last[id] = status
        count = count - (TERMINAL[status.state] and 1 or 0)
    end
    return states, last
end

function M.task(offer, id, command, more)
    local info = {
        name = id, task_id = { value = id }, agent_id = offer.agent_id,
        command = type(command) == "string" and { value = command } or command,
        resources = {
            { name = "cpus", type = "SCALAR", scalar = { value = 0.1 } },
            { name = "mem", type = "SCALAR", scalar = { value = 8 } },
        },
    }
    for key, value in pairs(more or {}) do
        info[key] = value or nil -- false: without it
    end
    return info
end

function Stream:launch(offer, tasks)
    self:accepted("ACCEPT", {
        offer_ids = { offer.id }, operations = { { type = "LAUNCH", launch = { task_infos = tasks } } },
        filters = { refuse_seconds = 0 },
    })
end

function M.sandbox(offer, stream, id)
    return ("%s/slaves/%s/frameworks/%s/executors/%s/runs/latest/"):format(M.cluster.work_dir, offer.agent_id.value,
        stream.framework_id.value, id)
end

-- Starts a cluster with these options in front of a fresh work folder, and with these variables besides the usual ones.
function M.start(options, env)
    local work_dir = program.directory()
    local args = { "local", "--work-dir", work_dir }
    table.move(options or {}, 1, #(options or {}), #args + 1, args)
    M.cluster = program.start { args = args, env = env }
    M.cluster.work_dir = work_dir
    M.address = M.cluster:wait_for("listening on ([%d.:]+)\n")
end

-- It ends its tasks, which a cluster that is killed cannot.
function M.stop()
    M.cluster:kill("sigterm")
    M.cluster:wait()
    program.cleanup()
end

return M
