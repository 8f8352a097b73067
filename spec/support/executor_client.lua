-- SPDX-License-Identifier: Apache-2.0
--
-- An executor whose calls a spec makes itself, with curl, while the process that the agent started for it only waits.
--
--   local executor = require("support.executor_client")
--   stream:launch(offer, { executor.task(offer, "t", executor.info("e")) })
--   local e = executor.subscribe(stream, "e")
--   assert(e:find("LAUNCH"))
--   e:update("t", "TASK_RUNNING")

local base64 = require("support.base64")
local client = require("support.cluster_client")

local M = {}

local PATH = "/slave(1)/api/v1/executor"

-- An ExecutorInfo. Its process leaves its environment in the file `env`, and waits for a file `end`, whose number is its
-- exit status.
function M.info(id, more)
    local info = {
        type = "CUSTOM", executor_id = { value = id }, name = "spec",
        command = { value = "env > fresh; mv fresh env; while ! test -s end; do sleep 0.05; done; exit $(cat end)" },
        resources = {
            { name = "cpus", type = "SCALAR", scalar = { value = 0.1 } },
            { name = "mem", type = "SCALAR", scalar = { value = 32 } },
        },
    }
    for key, value in pairs(more or {}) do
        info[key] = value or nil -- false: without it
    end
    return info
end

function M.task(offer, id, info, more)
    local task = client.task(offer, id, nil, more)
    task.executor = info
    return task
end

local Executor = {}
Executor.__index = Executor

local running = {}

-- The process of an executor, as soon as it has left its environment, and its sandbox.
function M.started(offer, stream, id)
    local executor = setmetatable({ framework_id = stream.framework_id, id = id }, Executor)
    executor.sandbox = client.sandbox(offer, stream, id)
    client.cluster:wait_for(function()
        local file = io.open(executor.sandbox .. "env")
        executor.environment = file and file:read("a")
        return file and file:close()
    end)
    running[#running + 1] = executor
    return executor
end

-- Ends the processes of all executors, and the cluster, which would wait for them.
function M.stop()
    for _, executor in ipairs(running) do
        executor:exit("0")
    end
    running = {}
    client.stop()
end

function Executor:variable(name)
    return (("\n" .. self.environment):match("\n" .. name .. "=([^\n]*)"))
end

-- Ends its process with that status.
function Executor:exit(status)
    local file = io.open(self.sandbox .. "fresh", "w") -- nil: the sandbox is gone
    if file then
        file:write(status):close()
        os.rename(self.sandbox .. "fresh", self.sandbox .. "end")
    end
end

-- Status and body of a call.
function Executor:call(kind, message, options)
    options = options or {}
    options.path = options.path or PATH
    return client.request({
        type = kind, executor_id = { value = self.id }, framework_id = self.framework_id, [kind:lower()] = message,
    }, options)
end

function Executor:accepted(...)
    local status, text = self:call(...)
    assert(status == 202, text)
end

-- Subscribes; `unacknowledged` are its tasks and updates.
function Executor:subscribe(unacknowledged, headers)
    unacknowledged = unacknowledged or {}
    self.events = client.open({
        type = "SUBSCRIBE", executor_id = { value = self.id }, framework_id = self.framework_id, subscribe = unacknowledged,
    }, PATH, headers)
    return self
end

function Executor:find(kind, seconds)
    return self.events:find(kind, seconds)
end

local count = 0

function M.status(task, state, more)
    count = count + 1
    local status = {
        task_id = { value = task }, state = state, source = "SOURCE_EXECUTOR",
        uuid = base64.encode(("%08d"):format(count) .. "\x80" .. ("%07d"):format(count)),
    }
    for key, value in pairs(more or {}) do
        status[key] = value or nil
    end
    return status
end

-- Reports a state, and waits until the agent has acknowledged it.
function Executor:update(task, state, more)
    local status = M.status(task, state, more)
    self:accepted("UPDATE", { status = status })
    local event = self:find("ACKNOWLEDGED")
    assert(event.acknowledged.uuid == status.uuid)
    return status
end

return M
