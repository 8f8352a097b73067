-- SPDX-License-Identifier: Apache-2.0
--
-- The registry of tasks by itself: single rules as examples, and all of them together against a naive model, over
-- random launches, updates and kills.

local internals = require("internals")
local values = require("support.compare")

local STATES = internals.descriptors().enums["mesos.v1.TaskState"]
local ENDED = {
    TASK_FINISHED = true, TASK_FAILED = true, TASK_KILLED = true, TASK_ERROR = true, TASK_LOST = true,
    TASK_DROPPED = true, TASK_GONE = true, TASK_GONE_BY_OPERATOR = true, TASK_UNKNOWN = true,
}
local FINAL = { TASK_FINISHED = true, TASK_FAILED = true, TASK_KILLED = true }

local NAMES, ACTIVE, ALL = {}, 0, 0
for name, number in pairs(STATES) do
    NAMES[#NAMES + 1] = name
    ALL = ALL | 1 << number
    ACTIVE = ACTIVE | (ENDED[name] and 0 or 1 << number)
end
table.sort(NAMES)

local function bit(...)
    local bits = 0
    for _, name in ipairs({ ... }) do
        bits = bits | 1 << STATES[name]
    end
    return bits
end

local function task_info(id, fields)
    local info = { name = "name of " .. id, task_id = id, agent_id = "a1" }
    for name, value in pairs(fields or {}) do
        info[name] = value
    end
    return info
end

local function accept(...)
    return internals.encode("mesos.v1.scheduler.Call.Accept", {
        offer_ids = { "o" }, operations = { { type = "LAUNCH", launch = { task_infos = { ... } } } },
    })
end

local function status(id, state, fields)
    local message = { task_id = id, state = state }
    for name, value in pairs(fields or {}) do
        message[name] = value
    end
    return internals.encode("mesos.v1.TaskStatus", message)
end

local function kill(id)
    return internals.encode("mesos.v1.scheduler.Call.Kill", { task_id = id })
end

local function ids(selected)
    local list = {}
    for i, each in ipairs(selected) do
        list[i] = each[1]
    end
    return list
end

local function uuid(number)
    return string.pack("<I16", number)
end

describe("the registry of tasks", function()
    local tasks

    before_each(function()
        tasks = internals.tasks()
    end)

    it("notes a launch", function()
        assert.equal(2, tasks:launch(accept(task_info("t1"), task_info("t2", { agent_id = "a2" })), true))
        assert.same({
            task_id = "t1", name = "name of t1", agent_id = "a1", state = "TASK_STAGING", launched_at = 1000.0,
            killing = false, active = true,
        }, tasks:find("t1"):table())
        assert.same({ "t1", "t2" }, ids(tasks:select({ states = ACTIVE })))
        assert.same({ "t2" }, ids(tasks:select({ states = ACTIVE, agent_id = "a2" })))
        assert.is_nil(tasks:find("t3"))
    end)

    it("knows the executor of a task and of a group", function()
        local executor = { executor_id = "e1", framework_id = "f", command = { value = "true" } }
        assert.equal(3, tasks:launch(internals.encode("mesos.v1.scheduler.Call.Accept", {
            offer_ids = { "o" },
            operations = {
                { type = "UNRESERVE" },
                { type = "LAUNCH", launch = { task_infos = { task_info("t1", { executor = executor }) } } },
                { type = "LAUNCH_GROUP",
                    launch_group = { executor = { executor_id = "e2" }, task_group = { tasks = {
                        task_info("t2"), task_info("t3"),
                    } } } },
            },
        }), true))
        assert.same({ "e1", "e2", "e2" },
            { tasks:find("t1").executor_id, tasks:find("t2").executor_id, tasks:find("t3").executor_id })
        tasks:launch(accept(task_info("t4")), true)
        tasks:update(status("t4", "TASK_RUNNING", { executor_id = "t4" }))
        assert.equal("t4", tasks:find("t4").executor_id)
    end)

    it("notes what an update says", function()
        tasks:launch(accept(task_info("t1")), true)
        tasks:update(status("t1", "TASK_RUNNING", { timestamp = 1005.5, healthy = true, uuid = uuid(1) }))
        assert.same({
            task_id = "t1", name = "name of t1", agent_id = "a1", state = "TASK_RUNNING", launched_at = 1000.0,
            updated_at = 1005.5, killing = false, active = true, healthy = true,
        }, tasks:find("t1"):table())
        tasks:kill(kill("t1"))
        tasks:kill(kill("nobody"))
        tasks:advance(10)
        tasks:update(status("t1", "TASK_FAILED", { reason = "REASON_CONTAINER_LIMITATION_MEMORY", healthy = false }))
        assert.same({
            task_id = "t1", name = "name of t1", agent_id = "a1", state = "TASK_FAILED", launched_at = 1000.0,
            updated_at = 1010.0, killing = true, active = false, healthy = false,
            reason = "REASON_CONTAINER_LIMITATION_MEMORY",
        }, tasks:find("t1"):table())
    end)

    it("keeps a task that is launched again, whatever the answers to the later launches are", function()
        local answers = {
            { "TASK_ERROR", "REASON_TASK_INVALID" }, { "TASK_ERROR", "REASON_TASK_GROUP_INVALID" },
            { "TASK_ERROR", "REASON_TASK_UNAUTHORIZED" }, { "TASK_LOST", "REASON_INVALID_OFFERS" },
            { "TASK_DROPPED", "REASON_MASTER_DISCONNECTED" },
        }
        for _, first in ipairs({ "TASK_STAGING", "TASK_RUNNING" }) do
            tasks:clear()
            tasks:launch(accept(task_info("t1")), true)
            tasks:update(status("t1", first))
            for _, answer in ipairs(answers) do
                tasks:launch(accept(task_info("t1", { name = "other", agent_id = "a2" })), true)
                tasks:update(status("t1", answer[1], { reason = answer[2] }))
                assert.same({ first, "a1", "name of t1" },
                    { tasks:find("t1").state, tasks:find("t1").agent_id, tasks:find("t1").name })
            end
            tasks:launch(accept(task_info("t1"), task_info("t1")), true)
            for _ = 1, 2 do
                tasks:update(status("t1", "TASK_ERROR", { reason = "REASON_TASK_INVALID" }))
                assert.equal(first, tasks:find("t1").state)
            end
            tasks:update(status("t1", "TASK_ERROR", { reason = "REASON_TASK_INVALID" }))
            assert.equal("TASK_ERROR", tasks:find("t1").state)
        end
    end)

    it("takes every other end of a task that was launched again for its own", function()
        for _, fields in ipairs({
            { "TASK_ERROR", { reason = "REASON_TASK_INVALID", uuid = uuid(7) } }, { "TASK_ERROR", {} },
            { "TASK_LOST", { reason = "REASON_AGENT_REMOVED" } }, { "TASK_FAILED", { reason = "REASON_TASK_INVALID" } },
            { "TASK_LOST", { reason = "REASON_RECONCILIATION" } },
        }) do
            tasks:clear()
            tasks:launch(accept(task_info("t1")), true)
            tasks:launch(accept(task_info("t1")), true)
            tasks:update(status("t1", fields[1], fields[2]))
            assert.equal(fields[1], tasks:find("t1").state)
        end
    end)

    it("keeps a task that runs when it is launched again while there is no master", function()
        tasks:launch(accept(task_info("t1")), true)
        tasks:update(status("t1", "TASK_RUNNING", { uuid = uuid(1) }))
        tasks:launch(accept(task_info("t1")), false)
        tasks:update(status("t1", "TASK_LOST", { reason = "REASON_MASTER_DISCONNECTED" }))
        assert.equal("TASK_RUNNING", tasks:find("t1").state)
        tasks:launch(accept(task_info("t2")), false)
        tasks:update(status("t2", "TASK_LOST", { reason = "REASON_MASTER_DISCONNECTED" }))
        assert.equal("TASK_LOST", tasks:find("t2").state)
    end)

    it("has a task in a state that it does not know, which is active, until another update", function()
        tasks:update(status("t1", 99, { reason = 1 << 30 }))
        tasks:update(status("t2", -1, {}))
        assert.same({ 99, 1 << 30, true }, { tasks:find("t1").state, tasks:find("t1").reason, tasks:find("t1").active })
        assert.equal(2, tasks:in_slot(12345))
        assert.equal(2, tasks:count({ states = ACTIVE | 1 << 14 }))
        tasks:update(status("t1", "TASK_FINISHED"))
        assert.equal(1, tasks:in_slot(99))
        tasks:update(status("t1", 99))
        assert.equal("TASK_FINISHED", tasks:find("t1").state)
    end)

    it("takes in tasks of which it hears first in an update", function()
        tasks:update(status("t1", "TASK_RUNNING", { agent_id = "a9", executor_id = "e" }))
        tasks:update(status("t2", "TASK_LOST"))
        assert.same({
            task_id = "t1", agent_id = "a9", executor_id = "e", state = "TASK_RUNNING", updated_at = 1000.0,
            killing = false, active = true,
        }, tasks:find("t1"):table())
        assert.same({ "t1" }, ids(tasks:select({ states = ACTIVE })))
        assert.equal("TASK_LOST", tasks:find("t2").state)
    end)

    it("counts an update once", function()
        tasks:update(status("t1", "TASK_RUNNING", { uuid = uuid(1), timestamp = 5, healthy = true }))
        tasks:update(status("t1", "TASK_RUNNING", { uuid = uuid(2), timestamp = 6, healthy = false }))
        tasks:update(status("t1", "TASK_RUNNING", { uuid = uuid(2), timestamp = 7, healthy = true }))
        assert.same({ 6.0, false }, { tasks:find("t1").updated_at, tasks:find("t1").healthy })
    end)

    it("does not let an update of the task before it end one of the same id", function()
        tasks:launch(accept(task_info("t1")), true)
        tasks:update(status("t1", "TASK_FINISHED", { uuid = uuid(1) }))
        tasks:advance(5)
        tasks:launch(accept(task_info("t1", { agent_id = "a2" })), true)
        tasks:update(status("t1", "TASK_FINISHED", { uuid = uuid(1) }))
        assert.same({ "TASK_STAGING", 1005.0, "a2" },
            { tasks:find("t1").state, tasks:find("t1").launched_at, tasks:find("t1").agent_id })
        tasks:update(status("t1", "TASK_RUNNING", { uuid = uuid(2) }))
        assert.equal("TASK_RUNNING", tasks:find("t1").state)
    end)

    for state in pairs(ENDED) do
        it(("%s what became of a task after %s"):format(FINAL[state] and "does not revise" or "revises", state), function()
            tasks:launch(accept(task_info("t1")), true)
            tasks:update(status("t1", state))
            assert.is_false(tasks:find("t1").active)
            assert.equal(0, tasks:count({ states = ACTIVE }))
            tasks:update(status("t1", "TASK_RUNNING"))
            assert.equal(FINAL[state] and state or "TASK_RUNNING", tasks:find("t1").state)
            assert.equal(FINAL[state] and 0 or 1, tasks:count({ states = ACTIVE }))
        end)
    end

    it("leaves an active task alone that is launched again", function()
        tasks:launch(accept(task_info("t1")), true)
        tasks:update(status("t1", "TASK_RUNNING", { uuid = uuid(1) }))
        assert.equal(1, tasks:launch(accept(task_info("t1", { agent_id = "a2" })), true))
        assert.same({ "TASK_RUNNING", "a1" }, { tasks:find("t1").state, tasks:find("t1").agent_id })
    end)

    it("remembers the last 4,096 that ended", function()
        for i = 1, 5000 do
            tasks:update(status("t" .. i, i % 2 == 0 and "TASK_FINISHED" or "TASK_LOST", { agent_id = "a" .. i % 7 }))
        end
        assert.equal(4096, tasks:count({ states = ALL }))
        assert.equal(2048, tasks:in_slot(STATES.TASK_FINISHED))
        assert.is_nil(tasks:find("t904"))
        assert.equal("TASK_LOST", tasks:find("t905").state)
        assert.equal("t905", tasks:select({ states = ALL })[1][1])
    end)

    it("has room for so many, rather for active ones", function()
        tasks = internals.tasks(3)
        for i = 1, 3 do
            tasks:update(status("t" .. i, i == 2 and "TASK_FAILED" or "TASK_RUNNING"))
        end
        tasks:update(status("t4", "TASK_RUNNING"))
        assert.is_nil(tasks:find("t2"))
        assert.equal(0, tasks:left_out())
        tasks:update(status("t5", "TASK_RUNNING"))
        assert.equal(1, tasks:launch(accept(task_info("t6")), true))
        assert.is_nil(tasks:find("t5"))
        assert.is_nil(tasks:find("t6"))
        assert.equal(2, tasks:left_out())
        tasks:update(status("t1", "TASK_FINISHED"))
        tasks:update(status("t5", "TASK_RUNNING"))
        assert.same({ "t3", "t4", "t5" }, ids(tasks:select({ states = ALL })))
    end)

    it("takes no id that is empty or too long, and cuts names", function()
        tasks:update(status(("x"):rep(1025), "TASK_RUNNING"))
        tasks:launch(accept(task_info(("x"):rep(1025)), task_info("")), true)
        assert.equal(0, tasks:count({ states = ALL }))
        local long = ("x"):rep(1024)
        tasks:launch(accept(task_info(long, { name = ("y"):rep(70000), agent_id = ("z"):rep(2000) })), true)
        assert.same({ long, ("y"):rep(1024) }, { tasks:find(long).task_id, tasks:find(long).name })
        assert.is_nil(tasks:find(long).agent_id)
    end)

    it("tells a task from another in the same place", function()
        tasks:update(status("t1", "TASK_RUNNING"))
        local _, place, generation = table.unpack(tasks:select({ states = ALL })[1])
        assert.equal("t1", tasks:at(place, generation))
        tasks:clear()
        assert.is_nil(tasks:at(place, generation))
        tasks:update(status("t2", "TASK_RUNNING"))
        assert.equal(place, tasks:select({ states = ALL })[1][2])
        assert.is_nil(tasks:at(place, generation))
        assert.is_nil(tasks:at(1 << 20, 0))
    end)

    it("names tasks in a RECONCILE, and of those that are uncertain no others", function()
        tasks:launch(accept(task_info("sent")), true)
        tasks:launch(accept(task_info("unsent")), false)
        tasks:update(status("running", "TASK_RUNNING"))
        tasks:update(status("killing", "TASK_RUNNING", { agent_id = "a2" }))
        tasks:update(status("killed", "TASK_RUNNING"))
        tasks:kill(kill("killing"))
        tasks:kill(kill("killed"))
        tasks:update(status("killed", "TASK_KILLED"))
        local bytes, count = tasks:reconcile({ states = ALL, uncertain = true })
        assert.equal(2, count)
        assert.equal(2, tasks:count({ states = ALL, uncertain = true }))
        assert.same({ tasks = { { task_id = "killing", agent_id = "a2" }, { task_id = "sent", agent_id = "a1" } } },
            values.plain(internals.decode("mesos.v1.scheduler.Call.Reconcile", bytes)))
        assert.same({ "", 0 }, { tasks:reconcile({ states = bit("TASK_ERROR") }) })
        bytes, count = tasks:reconcile({ states = ACTIVE }, 64)
        assert.is_true(count < 4 and #bytes <= 64)
        assert.equal(count, #internals.decode("mesos.v1.scheduler.Call.Reconcile", bytes).tasks)
    end)

    it("gives a task as a read-only copy", function()
        tasks:update(status("t1", "TASK_RUNNING", { agent_id = "a1" }))
        local task = tasks:find("t1")
        tasks:update(status("t1", "TASK_FINISHED"))
        tasks:clear()
        assert.equal("TASK_RUNNING", task.state)
        assert.equal("Task t1: TASK_RUNNING on a1", tostring(task))
        assert.has_error(function() task.state = "TASK_LOST" end, "Task is read-only; use :table() for a copy")
        assert.error_matches(function() return task.stat end, "Task has no field 'stat' %(did you mean 'state'%?%)")
        local copy = {}
        for name, value in pairs(task) do
            copy[name] = value
        end
        assert.same(task:table(), copy)
    end)
end)

-- ---- against a model ----

local Model = {}
Model.__index = Model

local function new_model(most)
    return setmetatable({ most = most, known = {}, count = 0, steps = 0, left_out = 0 }, Model)
end

function Model:step()
    self.steps = self.steps + 1
    return self.steps
end

function Model:drop(id)
    self.known[id] = nil
    self.count = self.count - 1
end

function Model:make_room()
    if self.count < self.most then
        return true
    end
    local oldest
    for _, task in pairs(self.known) do
        if ENDED[task.state] and (not oldest or task.entered < oldest.entered) then
            oldest = task
        end
    end
    if oldest then
        self:drop(oldest.task_id)
    else
        self.left_out = self.left_out + 1
    end
    return oldest ~= nil
end

function Model:add(id)
    if not self:make_room() then
        return nil
    end
    self.count = self.count + 1
    self.known[id] = { task_id = id, killing = false }
    return self.known[id]
end

function Model:enter(task, state)
    if ENDED[state] ~= ENDED[task.state or ""] or task.state ~= state then
        task.entered = self:step()
    end
    task.state = state
end

function Model:move(task, agent_id)
    if agent_id and task.agent_id ~= agent_id then
        task.agent_id, task.moved = agent_id, self:step()
    end
end

function Model:launch(info, sent, now)
    local old = self.known[info.task_id]
    if old and not ENDED[old.state] then
        return
    elseif old then
        self:drop(info.task_id)
    end
    local task = self:add(info.task_id)
    if task then
        task.name, task.launched_at, task.heard, task.uuid = info.name, now, not sent, old and old.uuid
        self:move(task, info.agent_id)
        self:enter(task, "TASK_STAGING")
    end
end

function Model:update(message, now)
    local task = self.known[message.task_id]
    if task and (FINAL[task.state] or (message.uuid and message.uuid == task.uuid)) then
        return
    end
    task = task or self:add(message.task_id)
    if task then
        task.uuid, task.heard, task.reason = message.uuid, true, message.reason
        task.updated_at = message.timestamp or now
        if message.healthy ~= nil then
            task.healthy = message.healthy
        end
        task.executor_id = message.executor_id or task.executor_id
        self:move(task, message.agent_id)
        self:enter(task, message.state)
    end
end

function Model:kill(id)
    if self.known[id] and not ENDED[self.known[id].state] then
        self.known[id].killing = true
    end
end

-- The ids of those that match, in the order of the registry.
function Model:select(filter)
    local list = {}
    for _, task in pairs(self.known) do
        local uncertain = not ENDED[task.state] and (task.killing or not task.heard)
        if filter.states & 1 << STATES[task.state] ~= 0 and (uncertain or not filter.uncertain)
            and (not filter.agent_id or filter.agent_id == task.agent_id) then
            list[#list + 1] = task
        end
    end
    local function group(task)
        return filter.agent_id and 0 or ENDED[task.state] and 100 or STATES[task.state]
    end
    table.sort(list, function(a, b)
        if group(a) ~= group(b) then
            return group(a) < group(b)
        elseif filter.agent_id then
            return a.moved < b.moved
        end
        return a.entered < b.entered
    end)
    for i, task in ipairs(list) do
        list[i] = task.task_id
    end
    return list
end

local FIELDS = { "task_id", "name", "agent_id", "executor_id", "state", "reason", "healthy", "killing", "launched_at",
    "updated_at" }

local function compare_task(model, tasks, id)
    local wanted, found = model.known[id], tasks:find(id)
    if not wanted then
        return assert.is_nil(found)
    end
    for _, name in ipairs(FIELDS) do
        if wanted[name] ~= found[name] then
            error(("%s of %s is %s in place of %s"):format(name, id, found[name], wanted[name]))
        end
    end
    assert.equal(not ENDED[wanted.state], found.active)
end

local function compare_selections(model, tasks, random)
    local filters = {
        { states = ALL }, { states = ACTIVE }, { states = ALL, agent_id = "a" .. random(5) }, { states = random(0, ALL) },
        { states = random(0, ALL), agent_id = "a" .. random(5) }, { states = ALL, uncertain = true },
    }
    for _, filter in ipairs(filters) do
        local wanted = model:select(filter)
        assert.same(wanted, ids(tasks:select(filter)))
        assert.equal(#wanted, tasks:count(filter))
        assert.equal(#wanted, select(2, tasks:reconcile(filter)))
    end
    assert.equal(model.left_out, tasks:left_out())
end

local REASONS = { false, "REASON_RECONCILIATION", "REASON_CONTAINER_LIMITATION_MEMORY" }

local function maybe(random, value)
    if random(3) > 1 then
        return value
    end
    return nil
end

local function random_step(model, tasks, random, now)
    local id, agent_id, kind = "t" .. random(40), "a" .. random(5), random(20)
    if kind <= 6 then
        local info, sent = task_info(id, { agent_id = agent_id }), random(2) == 1
        tasks:launch(accept(info), sent)
        model:launch(info, sent, now)
    elseif kind <= 17 then
        local message = {
            task_id = id, state = NAMES[random(#NAMES)], uuid = maybe(random, uuid(random(3))),
            agent_id = maybe(random, agent_id), executor_id = maybe(random, random(2) == 1 and id or "e" .. random(3)),
            reason = REASONS[random(#REASONS)] or nil, timestamp = maybe(random, now + random(100)),
        }
        if random(3) == 1 then
            message.healthy = random(2) == 1
        end
        tasks:update(internals.encode("mesos.v1.TaskStatus", message))
        model:update(message, now)
    else
        tasks:kill(kill(id))
        model:kill(id)
    end
    compare_task(model, tasks, id)
end

describe("the registry of tasks and its model", function()
    for _, most in ipairs({ 5, 20, 100 }) do
        it(("agree on random steps with room for %d"):format(most), function()
            local seed = tonumber(os.getenv("SPEC_SEED")) or os.time()
            local random = math.random
            math.randomseed(seed)
            local tasks, now = internals.tasks(most), 1000.0
            for round = 1, 10 do
                local model = new_model(most)
                model.left_out = tasks:left_out()
                for step = 1, 300 do
                    local fine, why = pcall(random_step, model, tasks, random, now)
                    assert(fine, ("seed %d, round %d, step %d: %s"):format(seed, round, step, tostring(why)))
                    if step % 20 == 0 then
                        fine, why = pcall(compare_selections, model, tasks, random)
                        assert(fine, ("seed %d, round %d, step %d: %s"):format(seed, round, step, tostring(why)))
                    end
                    tasks:advance(1)
                    now = now + 1
                end
                tasks:clear()
                assert.equal(0, tasks:count({ states = ALL }))
            end
        end)
    end
end)
