-- SPDX-License-Identifier: Apache-2.0
--
-- A framework on the Lua library in front of a scripted master, for its specs.
--
--   local world = library.start [[ return require("mesos.jobs").queue { ... } ]]
--   local task = world:launched(1)                 -- waits for the first task that is launched, after offering resources
--   world:update(task, "TASK_RUNNING")
--   world:shows "job-1 finished"                   -- waits for the line on standard output

local master = require("support.master")
local program = require("support.program")

local World = {}
World.__index = World

local M = {}

-- A framework with this script; `arguments` come before it.
function M.start(text, arguments)
    local self = setmetatable({ master = master.start(), path = program.script(text, "main.lua"), arguments = arguments }, World)
    self:run()
    return self
end

-- Starts the program, again if it ended.
function World:run()
    local args = { "-m", self.master.address }
    for _, argument in ipairs(self.arguments or {}) do
        args[#args + 1] = argument
    end
    args[#args + 1] = self.path
    self.process = program.start { args = args }
    self.subscribed = (self.subscribed or 0) + 1
    self.master:wait_for("SUBSCRIBE", self.subscribed)
end

-- Gives the script another text, and waits until it runs.
function World:edit(from, to)
    local text = program.read(self.path):gsub(from, to)
    local file <close> = assert(io.open(self.path, "w"))
    file:write(text)
    file:close()
    local before = select(2, self.process.stderr:gsub("reloaded in", ""))
    program.wait_for(function() return select(2, self.process.stderr:gsub("reloaded in", "")) > before end, nil,
        function() return self.process:report() end)
end

function World:tasks()
    local list = {}
    for _, call in ipairs(self.master:calls_of("ACCEPT")) do
        for _, operation in ipairs(call.call.accept.operations) do
            for _, task in ipairs(operation.launch and operation.launch.task_infos or {}) do
                list[#list + 1] = task
            end
        end
    end
    return list
end

function World:offer(fields)
    return self.master:send_offers { self.master:offer(fields) }[1]
end

-- The n-th task that was launched. It offers resources until then, whenever the offer before was answered.
function World:launched(n, fields)
    local answers = -1
    return program.wait_for(function()
        local now = #self.master:calls_of("ACCEPT") + #self.master:calls_of("DECLINE")
        if not self:tasks()[n] and now > answers then
            answers = now
            self:offer(fields)
        end
        return self:tasks()[n]
    end, 10, function() return ("no task %d; "):format(n) .. self.process:report() end)
end

function World:update(task, state, fields)
    self.master:send(self.master:update(task, state, fields))
end

function World:shows(text)
    return program.wait_for(function() return self.process.stdout:find(text, 1, true) end, 10,
        function() return ("no '%s': "):format(text) .. self.process:report() end)
end

function World:kills(task)
    return program.wait_for(function()
        for _, call in ipairs(self.master:calls_of("KILL")) do
            if call.call.kill.task_id == task.task_id then
                return true
            end
        end
    end, 10, function() return ("no KILL of %s; "):format(task.task_id) .. self.process:report() end)
end

function M.cleanup()
    program.cleanup()
    master.cleanup()
end

return M
