-- SPDX-License-Identifier: Apache-2.0
--
-- A framework on the Lua library in front of a scripted master, for its specs: on the clock of mesos.testing, where
-- waiting takes no time, or in the program.
--
--   local world = library.load [[ return require("mesos.jobs").queue { ... } ]] -- or library.start, for the program
--   local task = world:launched(1)                 -- waits for the first task that is launched, after offering resources
--   world:update(task, "TASK_RUNNING")
--   world:shows "job-1 finished"                   -- waits for the line on standard output

local master = require("support.master")
local program = require("support.program")
local testing = require("mesos.testing")

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

-- ---- on a clock that stands still ----

local Policy = {}
Policy.__index = Policy

-- What it prints is kept in its state, also over a new version. In one line, as errors name lines.
local PRINT = [[local function print(...) local words = table.pack(...) for i = 1, words.n do words[i] = tostring(words[i]) end ]]
    .. [[local state = require("mesos").state state.printed = (state.printed or "") .. table.concat(words, "\t") .. "\n" end ]]

-- A policy with this script, which is registered.
function M.load(text)
    local path = program.script(PRINT .. text, "main.lua")
    local self = setmetatable({ path = path, test = testing.load(path), seen = {}, log = "" }, Policy)
    self.test:register()
    return self
end

-- Takes in the calls that it made.
local function look(self)
    for _, call in ipairs(self.test:calls()) do
        self.seen[call.type] = self.seen[call.type] or {}
        table.insert(self.seen[call.type], call)
    end
end

-- Its calls of a type so far.
function Policy:calls_of(type)
    look(self)
    return self.seen[type] or {}
end

-- Lets time pass until the condition holds, a minute at most; returns what it gave.
function Policy:wait_for(condition, what)
    for _ = 1, 120 do
        local value = condition()
        if value then
            return value
        end
        self.test:advance(0.5)
    end
    error(("%s: not within a minute; it printed\n%s\nand logged\n%s"):format(what or "the condition", self:printed(),
        self:logged()), 2)
end

-- Waits for the n-th call of a type.
function Policy:calls(type, n)
    return self:wait_for(function() return self:calls_of(type)[n or 1] end, type)
end

function Policy:edit(from, to)
    local text = program.read(self.path):gsub(from, to)
    local file = assert(io.open(self.path, "w"))
    file:write(text)
    file:close()
    self.test:reload()
end

function Policy:tasks()
    local list = {}
    for _, call in ipairs(self:calls_of("ACCEPT")) do
        for _, operation in ipairs(call.accept.operations or {}) do
            for _, task in ipairs(operation.launch and operation.launch.task_infos or {}) do
                list[#list + 1] = task
            end
        end
    end
    return list
end

function Policy:offer(fields)
    local offer = { cpus = 4, mem = 4096, ports = { { 31000, 31099 } }, agent_id = "S1", hostname = "agent1.test" }
    for name, value in pairs(fields or {}) do
        offer[name] = value
    end
    self.test:offer(offer)
end

function Policy:launched(n, fields)
    return self:wait_for(function()
        if not self:tasks()[n] then
            self:offer(fields)
        end
        return self:tasks()[n]
    end, "task " .. n)
end

function Policy:update(task, state, fields)
    self.test:update(task.task_id, state, fields)
end

function Policy:message()
    self.test:message("e", "s", "x")
end

function Policy:printed()
    return self.test:state().printed or ""
end

function Policy:logged()
    for _, line in ipairs(self.test:log()) do
        self.log = self.log .. line.text .. "\n"
    end
    return self.log
end

function Policy:shows(text, times)
    local pattern = text:gsub("%p", "%%%0")
    return self:wait_for(function() return select(2, self:printed():gsub(pattern, "")) >= (times or 1) end, text)
end

function Policy:logs(text)
    return self:wait_for(function() return self:logged():find(text, 1, true) end, text)
end

function Policy:kills(task)
    return self:wait_for(function()
        for _, call in ipairs(self:calls_of("KILL")) do
            if call.kill.task_id == task.task_id then
                return true
            end
        end
    end, "KILL of " .. task.task_id)
end

function M.cleanup()
    program.cleanup()
    master.cleanup()
end

return M
