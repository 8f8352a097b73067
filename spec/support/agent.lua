-- SPDX-License-Identifier: Apache-2.0
--
-- A scripted Mesos agent in the busted process, as an executor sees it: it speaks the v1 executor API over HTTP with
-- protobuf and notes every call. Left alone it accepts a SUBSCRIBE with SUBSCRIBED, answers well-formed calls with 202
-- and each UPDATE with ACKNOWLEDGED as well, and refuses what a real one refuses with the same status and words.
--
--   local agent = require("support.agent")
--   after_each(agent.cleanup)
--   local a = agent.start()
--   local run = a:executor(script)                        -- the program, in the environment of an executor
--   a:wait_for("SUBSCRIBE")
--   a:launch("t1") / a:launch_group("t1", "t2") / a:send { type = "KILL", kill = { task_id = "t1" } }
--   local status = a:expect_update("t1", "TASK_RUNNING")  -- the next UPDATE is that
--   a.acknowledging = false, a:acknowledge(status)        -- late, or never
--   a = a:restart()                                       -- its successor at the same address
--
-- Beside that it has what support/stream_peer.lua has: answer, hold, end_stream, drop, reset, send_bytes, wait_for ...

local internals = require("internals")
local program = require("support.program")
local server = require("support.server")
local stream_peer = require("support.stream_peer")
local uv = require("luv")
local values = require("support.compare")

local M = {}

local relays = {}

-- For after_each().
function M.cleanup()
    for _, listener in ipairs(relays) do
        listener:close()
    end
    relays = {}
    server.cleanup()
end

local Agent = stream_peer.class()

Agent.CALL, Agent.EVENT, Agent.PATH = "mesos.v1.executor.Call", "mesos.v1.executor.Event", "/slave(1)/api/v1/executor"

local FRAMEWORK, EXECUTOR = "framework-1", "executor-1"

-- ---- what a real one refuses ----

local MESSAGES = { SUBSCRIBE = "subscribe", UPDATE = "update", MESSAGE = "message" }

local function invalid(call)
    local field = MESSAGES[call.type]
    local status = call.type == "UPDATE" and call.update and call.update.status
    if field and not call[field] then
        return ("Expecting '%s' to be present"):format(field)
    elseif status and not status.uuid then
        return "Expecting 'uuid' to be present"
    elseif status and #status.uuid ~= 16 then
        return "Not a valid UUID"
    elseif status and status.executor_id and status.executor_id ~= call.executor_id then
        return ("ExecutorID in Call: %s does not match ExecutorID in TaskStatus: %s"):format(call.executor_id,
            status.executor_id)
    elseif status and status.source ~= "SOURCE_EXECUTOR" then
        return ("Received Call from executor %s of framework %s with invalid source, expecting 'SOURCE_EXECUTOR'"):format(
            call.executor_id, call.framework_id)
    end
    return nil
end

function Agent:problem_with(request, call)
    if request:header("Mesos-Stream-Id") then
        return 400, "an agent knows no Mesos-Stream-Id" -- a real one does not look
    elseif invalid(call) then
        return 400, "Failed to validate Executor::Call: " .. invalid(call)
    elseif call.framework_id ~= FRAMEWORK then
        return 400, "Framework cannot be found"
    elseif call.executor_id ~= EXECUTOR then
        return 400, "Executor cannot be found"
    elseif call.type ~= "SUBSCRIBE" and not self.known then
        return 403, "Executor is not subscribed"
    end
    return nil
end

-- ---- events ----

function Agent:info()
    return { id = "agent-1", hostname = "agent1.test", port = self.server.port }
end

function Agent:subscribed()
    return {
        type = "SUBSCRIBED",
        subscribed = {
            executor_info = { executor_id = EXECUTOR, framework_id = FRAMEWORK, name = "an executor", data = "\0\1" },
            framework_info = { id = FRAMEWORK, user = "nobody", name = "a framework" },
            agent_info = self:info(), container_id = { value = "container-1" },
        },
    }
end

-- A TaskInfo; `fields` are added.
function Agent:task(id, fields)
    local task = { name = id, task_id = id, agent_id = "agent-1" }
    for name, value in pairs(fields or {}) do
        task[name] = value
    end
    return task
end

function Agent:launch(id, fields)
    self:send { type = "LAUNCH", launch = { task = self:task(id, fields) } }
end

function Agent:launch_group(...)
    local tasks = {}
    for i, id in ipairs { ... } do
        tasks[i] = self:task(id)
    end
    self:send { type = "LAUNCH_GROUP", launch_group = { task_group = { tasks = tasks } } }
end

function Agent:acknowledge(status)
    self:send { type = "ACKNOWLEDGED", acknowledged = { task_id = status.task_id, uuid = status.uuid } }
end

function Agent:shutdown()
    self:send { type = "SHUTDOWN" }
end

-- ---- calls ----

local usual = {}

Agent.usual = usual

function usual.SUBSCRIBE(agent, _, connection)
    if agent.stream then
        agent.stream.connection:finish()
    end
    agent.stream, agent.known = { connection = connection }, true
    connection:begin_stream({ ["Content-Type"] = stream_peer.TYPE })
    if not agent.quiet then
        agent:send(agent:subscribed())
    end
end

function usual.UPDATE(agent, call, connection)
    connection:respond(202)
    if agent.acknowledging and agent.stream then
        agent:acknowledge(call.update.status)
    end
end

-- Waits for the next UPDATE that was not asked for yet; it must be of that task and state. Returns its status.
function Agent:expect_update(task_id, state)
    self.expected.UPDATE = (self.expected.UPDATE or 0) + 1
    local status = self:wait_for("UPDATE", self.expected.UPDATE).call.update.status
    if status.task_id ~= task_id or status.state ~= state then
        error(("%s of %s expected, got %s of %s: %s"):format(state, task_id, status.state, status.task_id,
            status.message or ""), 2)
    end
    return status
end

-- ---- the executor ----

-- What an agent sets; `changes` are on top of it (false removes).
function Agent:environment(changes)
    local environment = {
        MESOS_AGENT_ENDPOINT = self.address, MESOS_FRAMEWORK_ID = FRAMEWORK, MESOS_EXECUTOR_ID = EXECUTOR,
        MESOS_SLAVE_ID = "agent-1", MESOS_SLAVE_PID = "slave(1)@" .. self.address, MESOS_CHECKPOINT = "0",
        MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD = "5secs", MESOS_REGISTRATION_BACKOFF_FACTOR = false,
    }
    for name, value in pairs(changes or {}) do
        environment[name] = value
    end
    return environment
end

-- With checkpointing.
M.CHECKPOINT = { MESOS_CHECKPOINT = "1", MESOS_RECOVERY_TIMEOUT = "15mins", MESOS_SUBSCRIPTION_BACKOFF_MAX = "50ms" }

-- Starts the program with that text as its script. Options: env (changes of the environment), args (options).
function Agent:executor(text, options)
    options = options or {}
    local args = { "executor" }
    for _, word in ipairs(options.args or {}) do
        args[#args + 1] = word
    end
    args[#args + 1] = "executor.lua"
    local folder = program.files { ["executor.lua"] = text }
    local run = program.start { args = args, env = self:environment(options.env), cwd = folder }
    run.script = folder .. "/executor.lua"
    return run
end

-- Listens on a domain socket, and passes what comes there on to its port.
function Agent:relay(path)
    local listener = uv.new_pipe(false)
    assert(listener:bind(path))
    local function pass(from, to)
        from:read_start(function(_, data)
            if data then
                to:write(data)
            elseif not to:is_closing() then
                to:close()
            end
        end)
    end
    assert(listener:listen(8, function()
        local near, far = uv.new_pipe(false), uv.new_tcp()
        listener:accept(near)
        far:connect("127.0.0.1", self.server.port, function()
            pass(near, far)
            pass(far, near)
        end)
    end))
    relays[#relays + 1] = listener
end

-- Its process dies, and another one takes its place at the same address. Returns the new one, which knows no executor.
function Agent:restart(options)
    self:stop()
    options = options or {}
    options.port = self.server.port
    return M.start(options)
end

-- What was read leaves empty lists behind, which specs need not see.
function M.plain(call)
    return values.plain(internals.decode(Agent.CALL, internals.encode(Agent.CALL, call)))
end

-- Options: quiet (send nothing after the header of a subscription), acknowledging (true), port, host.
function M.start(options)
    options = options or {}
    return stream_peer.start(setmetatable({
        quiet = options.quiet, acknowledging = options.acknowledging ~= false,
    }, Agent), options)
end

return M
