-- SPDX-License-Identifier: Apache-2.0
--
-- Asks the master what became of tasks, as Mesos's guide for highly available frameworks wants it: after each
-- registration for every task, again for those that got no answer, at growing intervals for each of them, and from time
-- to time for all. A master that was just elected may be silent for a while, as agents have not come back to it.
--
--     local reconciler = require("mesos.reconcile").new()
--     function scheduler:registered(driver) reconciler:start(driver) end
--     function scheduler:reregistered(driver) reconciler:start(driver) end
--     function scheduler:statusUpdate(driver, status) reconciler:answered(status) ... end

local mesos = require "mesos"
local fields = require "mesos.fields"

---@class mesos.reconcile
local M = {}

---@class mesos.reconcile.Options
---@field tasks (fun(driver: mesos.SchedulerDriver): { task_id: mesos.TaskID, agent_id: mesos.AgentID? }[])? the tasks to ask for; default: the active tasks of the driver
---@field first number? seconds until a task without an answer is asked for again; default: 2
---@field most number? the longest of these intervals, which double each time; default: 300
---@field every number? seconds from one question for all tasks to the next; default: 900
---@field batch integer? tasks in one call; default: 1000

local OPTIONS = { tasks = "function", first = "positive", most = "positive", every = "positive", batch = "count" }

---@class mesos.Reconciler
---@field waiting table<mesos.TaskID, table> the tasks that have no answer yet
local Reconciler = {}
Reconciler.__index = Reconciler

local function active_tasks(driver)
    local list = {}
    for task in driver:tasks() do
        list[#list + 1] = { task_id = task.task_id, agent_id = task.agent_id }
    end
    return list
end

-- Does nothing until start().
---@param options mesos.reconcile.Options?
---@return mesos.Reconciler
function M.new(options)
    options = fields.check(options or {}, OPTIONS, "reconcile")
    return setmetatable({
        tasks = options.tasks or active_tasks, first = options.first or 2, most = options.most or 300,
        every = options.every or 900, batch = math.max(options.batch or 1000, 1), waiting = {},
    }, Reconciler)
end

-- Asks for those whose time has come, in batches. The intervals double, and are a little random, though alike for all
-- that are asked for together, so that they stay together.
local function ask_due(self, driver, now)
    local list, stretch = {}, 0.75 + math.random() / 2
    for id, task in pairs(self.waiting) do
        if task.due <= now then
            list[#list + 1] = { task_id = id, agent_id = task.agent_id }
            task.due = now + task.delay * stretch
            task.delay = math.min(task.delay * 2, self.most)
        end
    end
    table.sort(list, function(a, b) return a.task_id < b.task_id end)
    for i = 1, #list, self.batch do
        driver:reconcileTasks(table.move(list, i, math.min(i + self.batch - 1, #list), 1, {}))
    end
end

local function first_due(self)
    local due
    for _, task in pairs(self.waiting) do
        due = math.min(due or task.due, task.due)
    end
    return due
end

local function go_on(self, driver)
    ask_due(self, driver, mesos.now())
    local due = first_due(self)
    self.timer = due and mesos.after(math.max(due - mesos.now(), 0.05), function() go_on(self, driver) end)
end

-- Asks for all tasks now. To be called whenever the framework has registered.
---@param driver mesos.SchedulerDriver
function Reconciler:start(driver)
    self:stop()
    for _, task in ipairs(self.tasks(driver)) do
        self.waiting[task.task_id] = { agent_id = task.agent_id, delay = self.first, due = 0 }
    end
    self.repeated = mesos.after(self.every, function() self:start(driver) end)
    go_on(self, driver)
end

-- A status came: its task needs no further question. To be called with each.
---@param status mesos.TaskStatus|{ task_id: mesos.TaskID }
function Reconciler:answered(status)
    self.waiting[status.task_id] = nil
end

-- Asks nothing more, until the next start.
function Reconciler:stop()
    for _, timer in ipairs { self.timer or false, self.repeated or false } do
        if timer then
            timer:cancel()
        end
    end
    self.timer, self.repeated, self.waiting = nil, nil, {}
end

return M
