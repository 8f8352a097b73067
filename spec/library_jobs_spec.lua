-- SPDX-License-Identifier: Apache-2.0
--
-- mesos.jobs, and what it is made of: mesos.fair, mesos.backoff, mesos.schedules.

package.path = "lua/?.lua;" .. package.path

local backoff = require("mesos.backoff")
local control = require("support.control")
local fair = require("mesos.fair")
local library = require("support.library")
local program = require("support.program")

describe("mesos.backoff", function()
    it("doubles up to the limit, with jitter", function()
        local options = { first = 2, most = 30 }
        assert.equal(0, backoff.delay(0, options))
        for failures, whole in ipairs { 2, 4, 8, 16, 30, 30 } do
            for _ = 1, 20 do
                local delay = backoff.delay(failures, options)
                assert.is_true(delay > whole / 2 - 0.001 and delay <= whole, ("%d: %g"):format(failures, delay))
            end
        end
        assert.equal(300, backoff.delay(1000, { jitter = 0 }))
    end)

    it("checks its options", function()
        assert.has_error(function() backoff.check({ frist = 1 }, "queue.backoff") end)
    end)
end)

describe("mesos.fair", function()
    local function order(queue, count, cost)
        local list = {}
        for entry in queue:each() do
            list[#list + 1] = (entry.user or "") .. entry.number
            if #list == count then
                break
            end
            queue:remove(entry)
            queue:use(entry.user, cost or { cpus = 1 })
        end
        return table.concat(list, " ")
    end

    local function queue_of(rows, weights)
        local queue = fair.new { weights = weights }
        queue:of { cpus = 10, mem = 1000 }
        for i, row in ipairs(rows) do
            queue:add { number = i, user = row[1], priority = row[2] }
        end
        return queue
    end

    it("takes turns between users", function()
        assert.equal("a1 b4 a2 b5 a3", order(queue_of { { "a" }, { "a" }, { "a" }, { "b" }, { "b" } }, 5))
    end)

    it("serves one user in order", function()
        local queue = fair.new()
        for _, number in ipairs { 3, 1, 2 } do
            queue:add { number = number }
        end
        assert.equal("1 2 3", order(queue, 3))
    end)

    it("knows weights", function()
        assert.equal("a1 b4 a2 a3 b5", order(queue_of({ { "a" }, { "a" }, { "a" }, { "b" }, { "b" } }, { a = 2 }), 5))
    end)

    it("puts priority before shares", function()
        assert.equal("a3 b2 a1", order(queue_of { { "a", 0 }, { "b", 1 }, { "a", 2 } }, 3))
    end)

    it("compares dominant shares", function()
        local queue = queue_of { { "a" }, { "b" } }
        queue:use("a", { cpus = 1, mem = 500 }) -- half of the memory
        queue:use("b", { cpus = 3, mem = 10 })
        assert.equal(0.5, queue:share("a"))
        assert.equal(0.3, queue:share("b"))
        assert.equal("b2", order(queue, 1))
        queue:use("a", { cpus = 1, mem = 500 }, -1)
        assert.equal(0, queue:share("a"))
        assert.equal("a1", order(queue, 1))
    end)

    it("passes over what stays, and visits each once", function()
        local queue, seen = queue_of { { "a" }, { "b", 1 }, { "a" }, { "c" }, { "b" } }, {}
        for entry in queue:each() do
            seen[#seen + 1] = entry.number
            if entry.number == 3 then
                assert.is_true(queue:remove(entry))
            end
        end
        table.sort(seen)
        assert.same({ 1, 2, 3, 4, 5 }, seen)
        assert.equal(4, queue.count)
        assert.is_false(queue:remove { number = 3, user = "a" })
    end)
end)

describe("mesos.jobs", function()
    after_each(library.cleanup)

    local HEAD = [[
local mesos = require "mesos"
local jobs = require "mesos.jobs"
local function out(...) print(...) io.stdout:flush() end
local function tell(job) out(job.id, job.state, job.message or "") end
]]

    local function script(options, body)
        return HEAD .. ([[
local queue = jobs.queue { name = "spec", on_end = tell, refuse = 0, %s }
%s
return queue]]):format(options, body)
    end

    local function start(options, body) -- in virtual time
        return library.load(script("backoff = { first = 8, most = 20, jitter = 0 }, " .. options, body))
    end

    local function run(options, body, arguments) -- in the program
        return library.start(script("backoff = { first = 0.02, most = 0.1 }, " .. options, body), arguments)
    end

    it("launches a job, and tells that it finished", function()
        local world = start("on_empty = function(_, driver) driver:stop() end",
            "queue:add { command = 'true', cpus = 2, labels = { a = 'b' } }")
        local task = world:launched(1)
        assert.equal("job-1.1", task.task_id)
        assert.equal("true", task.command.value)
        assert.equal("a", task.labels.labels[1].key)
        world:update(task, "TASK_RUNNING")
        world:update(task, "TASK_FINISHED", { message = "well" })
        assert.equal("DRIVER_STOPPED", world.test:status())
        assert.equal("job-1\tfinished\twell\n", world:printed())
    end)

    it("tries again what fails, and gives up after its retries", function()
        local world = start("retries = 1", "queue:add { id = 'a', command = 'false' }")
        world:update(world:launched(1), "TASK_FAILED", { message = "one" })
        local second = world:launched(2)
        assert.equal("a.2", second.task_id)
        world:update(second, "TASK_FAILED", { message = "two" })
        world:shows("a\tfailed\ttwo")
    end)

    it("waits longer and longer before it tries again", function()
        local world = start("retries = 4", "queue:add { id = 'a', command = 'false' }")
        for try, pause in ipairs { 8, 16, 20, 20 } do
            world:update(world:launched(try), "TASK_FAILED")
            local failed = world.test:now()
            world:launched(try + 1)
            local waited = world.test:now() - failed
            assert.is_true(waited >= pause and waited < pause + 2, ("try %d after %g s"):format(try + 1, waited))
        end
    end)

    it("tries again what was lost, without counting it", function()
        local world = start("losses = 2", "queue:add { id = 'a', command = 'true' }")
        for i = 1, 2 do
            world:update(world:launched(i), "TASK_LOST", { reason = "REASON_AGENT_REMOVED", message = "gone" })
        end
        assert.equal("a.3", world:launched(3).task_id)
        world:update(world:launched(3), "TASK_DROPPED", { reason = "REASON_INVALID_OFFERS", message = "too late" })
        world:shows("a\tfailed\ttoo late")
    end)

    it("gives up at once what can never run", function()
        local world = start("retries = 5", "queue:add { id = 'a', command = 'true' }")
        world:update(world:launched(1), "TASK_ERROR", { reason = "REASON_TASK_INVALID", message = "no such thing" })
        world:shows("a\tfailed\tno such thing")
    end)

    it("runs a job after those that it comes after", function()
        local world = start("", [[
queue:add { id = "a", command = "a" } queue:add { id = "b", command = "b" }
queue:add { id = "c", command = "c", after = { "a", "b" } } queue:add { id = "d", command = "d", after = "c" }
out(queue:explain("c"))]])
        local a, b = world:launched(1), world:launched(2)
        world:shows("c waits for a, which is waiting")
        assert.same({ "a.1", "b.1" }, { a.task_id, b.task_id })
        world:update(b, "TASK_FINISHED")
        world:shows("b\tfinished")
        world:update(a, "TASK_FINISHED")
        local c = world:launched(3)
        assert.equal("c.1", c.task_id)
        world:update(c, "TASK_FAILED")
        world:shows("c\tfailed")
        world:shows("d\tfailed\t'c', which it comes after, has not finished")
    end)

    it("keeps to the number at once, wants no offers meanwhile, and more when one ends", function()
        local world = start("at_once = 2", "for _ = 1, 3 do queue:add { command = 'true' } end")
        local first = world:launched(2)
        world:calls("SUPPRESS")
        assert.equal(2, #world:tasks())
        world:update(first, "TASK_FINISHED")
        world:calls("REVIVE")
        assert.equal("job-3.1", world:launched(3).task_id)
    end)

    it("goes by priority and by fair shares of users", function()
        local world = start("", [[
for i = 1, 3 do queue:add { id = "a" .. i, user = "a", command = "true", cpus = 1 } end
queue:add { id = "b1", user = "b", command = "true", cpus = 1 }
queue:add { id = "c1", user = "a", priority = 5, command = "true", cpus = 1 }]])
        world:launched(4) -- an offer has four cpus
        local ids = {}
        for i, task in ipairs(world:tasks()) do
            ids[i] = task.task_id
        end
        assert.equal("c1.1 b1.1 a1.1 a2.1", table.concat(ids, " "))
    end)

    it("runs as the user that it says", function()
        local world = start("", "queue:add { id = 'a', user = 'alice', run_as = 'nobody', command = 'true' }")
        assert.equal("nobody", world:launched(1).command.user)
    end)

    it("says what is short", function()
        local world = start("", [[
queue:add { id = "large", command = "true", cpus = 64 }
queue:add { id = "small", command = "true", cpus = 1 }
function queue:statusUpdate(driver, status)
    out((self:explain "large")) out((self:explain "small")) out((self:explain "smal"))
end]])
        world:update(world:launched(1), "TASK_RUNNING")
        world:shows("large waits for an offer: cpus: 64 needed, most on one offer 4")
        world:shows("small is running")
        world:shows("there is no job 'smal' (did you mean 'small'?)")
    end)

    it("tells an operator why a job does not run", function()
        local world = run("at_once = 1", [[
queue:add { id = "first", command = "true", cpus = 1 }
queue:add { id = "second", command = "true", after = "first" }
queue:add { id = "large", command = "true", cpus = 64 }]])
        local first = world:launched(1)
        local function why(id)
            local asked = control.ctl(world.process, { "why", id })
            assert.equal(0, asked.code, asked:report())
            return asked.stdout
        end
        assert.equal("second waits for first, which is running\n", why("second"))
        assert.equal("large waits for its turn: 1 jobs run, which is the most\n", why("large"))
        assert.equal("there is no job 'larg' (did you mean 'large'?)\n", why("larg"))
        world:update(first, "TASK_FINISHED")
        world:update(world:launched(2), "TASK_FINISHED")
        world:offer()
        program.wait_for(function() return why("large"):find("large waits for an offer: cpus: 64 needed", 1, true) end)
        program.assert_has(why("large"), "\n- cpus: 64 needed; ")
    end)

    it("keeps constraints between jobs", function()
        local world = start("", [[
for i = 1, 2 do queue:add { id = "j" .. i, command = "true", constraints = { "hostname:UNIQUE" } } end]])
        world:launched(1)
        local other = world:launched(2, { hostname = "agent2.test", agent_id = "S2" })
        assert.equal("S2", other.agent_id)
    end)

    it("runs a job again whose agent is out of reach for too long, and kills what comes back", function()
        local world = start("unreachable = 40", "queue:add { id = 'a', command = 'true' }")
        local first = world:launched(1)
        world:update(first, "TASK_RUNNING")
        world:update(first, "TASK_UNREACHABLE", { reason = "REASON_AGENT_REMOVED" })
        assert.equal("a.2", world:launched(2).task_id)
        world:update(first, "TASK_RUNNING")
        world:kills(first)
    end)

    it("cancels jobs that wait, and those that run", function()
        local world = start("at_once = 1", [[
queue:add { id = "a", command = "true" } queue:add { id = "b", command = "true" }
function queue:frameworkMessage() out(self:cancel("a"), self:cancel("b"), self:cancel("c")) end]])
        local a = world:launched(1)
        world:message()
        world:shows("true\ttrue\tfalse")
        world:shows("b\tcancelled")
        world:kills(a)
        world:update(a, "TASK_KILLED")
        world:shows("a\tcancelled")
    end)

    it("goes on after a reload: what ran runs, what waits has the new definition", function()
        local world = start("at_once = 1", "queue:add { id = 'a', command = 'one' } queue:add { id = 'b', command = 'one' }")
        local a = world:launched(1)
        world:update(a, "TASK_RUNNING")
        world:edit("'one'", "'two'")
        world:update(a, "TASK_FINISHED")
        world:shows("a\tfinished")
        assert.equal("two", world:launched(2).command.value)
        assert.equal(2, #world:tasks())
    end)

    it("goes on after a crash: the master is asked for what ran, and what was lost runs again", function()
        local world = run("", [[
queue:add { id = "a", command = "true" } queue:add { id = "b", command = "true" }]],
            { "--state", program.directory() .. "/state" })
        local a, b = world:launched(1), world:launched(2)
        world:update(a, "TASK_RUNNING")
        world:update(b, "TASK_RUNNING")
        world.master:wait_for("ACKNOWLEDGE", 2)
        world.process:kill("sigkill")
        world.process:wait()
        local asked = #world.master:calls_of("RECONCILE")
        world:run()
        local call = world.master:wait_for("RECONCILE", asked + 1)
        assert.equal(2, #call.call.reconcile.tasks)
        world:update(a, "TASK_FINISHED")
        world:shows("a\tfinished")
        world:update(b, "TASK_UNKNOWN", { reason = "REASON_RECONCILIATION" })
        assert.equal("b.2", world:launched(3).task_id)
    end)

    it("takes jobs from outside", function()
        local world = run("", "queue:add { id = 'a', command = 'true' }")
        world:launched(1)
        local done = control.ctl(world.process, { "submit", '{"id":"x","duration":3,"cpus":0.5}' })
        assert.equal(0, done.code, done:report())
        assert.is_truthy(done.stdout:find('{"id":"x"}', 1, true), done:report())
        assert.equal("sleep 3", world:launched(2).command.value)
    end)

    it("runs scheduled jobs, never beside themselves", function()
        local world = start("", "queue:schedule { id = 's', every = 10, command = 'true' }")
        local first = world:launched(1)
        assert.matches("^s@%d+%-%d%d%-%d%dT%d%d:%d%d:%d%dZ%.1$", first.task_id)
        world:logs("this time is left out, as s@")
        assert.equal(1, #world:tasks())
        world:update(first, "TASK_FINISHED")
        world:shows("finished")
        assert.not_equal(first.task_id, world:launched(2).task_id)
    end)

    it("says when a schedule comes, and what became of its last job", function()
        local world = start("", [[
queue:schedule { id = "s", cron = "*/10 * * * *", command = "true" }
function queue:frameworkMessage() out((self:explain "s")) end]])
        world:message()
        world:shows("s is a schedule; its next job comes: 2026-01-01 00:10:00 UTC\n")
        world.test:advance(600)
        world:launched(1)
        world:message()
        world:shows("s is a schedule; its next job comes: 2026-01-01 00:20:00 UTC; s@2026-01-01T00:10:00Z is running\n")
    end)

    it("forgets schedules that the script has no more", function()
        local world = start("", [[
queue:schedule { id = "s", every = 1000, command = "x" }
queue:schedule { id = "t", every = 1000, command = "x" }
function queue:frameworkMessage()
    local kept = mesos.state.jobs.schedules
    out("kept", kept.s ~= nil, kept.t ~= nil)
end]])
        world:edit('queue:schedule { id = "t"[^}]*}', "")
        world:message()
        world:shows("kept\ttrue\tfalse")
    end)

    it("forgets the oldest jobs that ended", function()
        local world = start("keep = 2, at_once = 200", [[
queue:add { id = "listed", command = "true", cpus = 0.01, mem = 1 }
function queue:registered(driver)
    self:start(driver)
    for _ = 1, 104 do queue:add { command = "true", cpus = 0.01, mem = 1 } end
end
queue.options.on_end = function() out(#queue:list(), queue:counts().finished, queue:get("listed") ~= nil) end]])
        world:launched(105)
        for _, task in ipairs(world:tasks()) do
            world:update(task, "TASK_FINISHED")
        end
        world:shows("105\t102\ttrue")
        world:shows("4\t4\ttrue") -- what the main chunk lists stays, as it would run again after a reload
    end)

    it("does not run again at once what failed while it was disconnected", function()
        local world = start("retries = 0", "queue:add { id = 'a', command = 'true' }")
        world:update(world:launched(1), "TASK_FAILED", { reason = "REASON_RECONCILIATION", message = "latest state" })
        world:shows("a\tfailed\tlatest state")
    end)

    local REFUSE = [[
local function refuse(driver, message)
    local real = driver.launchTasks
    return setmetatable({}, { __index = function(_, name)
        if name == "launchTasks" then
            return function(_, id, tasks, filters)
                if tasks[1].task_id == "a.1" then error(message, 0) end
                return real(driver, id, tasks, filters)
            end
        end
        return function(_, ...) return driver[name](driver, ...) end
    end })
end
]]

    it("fails the jobs of a launch that is refused, and goes on", function()
        local world = start("", REFUSE .. [[
queue:add { id = "a", command = "true", cpus = 4 } queue:add { id = "b", command = "true", cpus = 4 }
function queue:resourceOffers(driver, offers)
    self:place(refuse(driver, "no such field"), offers)
    driver:declineOffer(offers:ids(), { refuse_seconds = 0 })
end]])
        assert.equal("b.1", world:launched(1).task_id)
        world:shows("a\tfailed\tno such field")
    end)

    it("tries again what was to be launched on an offer that was rescinded", function()
        local world = start("", REFUSE .. [[
queue:add { id = "a", command = "true" }
function queue:resourceOffers(driver, offers)
    self:place(refuse(driver, "offer 'o' was rescinded"), offers)
    driver:declineOffer(offers:ids(), { refuse_seconds = 0 })
end]])
        assert.equal("a.2", world:launched(1).task_id)
    end)

    it("asks the master for what runs after a reload, too, and of each agent that is out of reach", function()
        local world = start("", "queue:add { id = 'a', command = 'one' }")
        world:update(world:launched(1), "TASK_RUNNING")
        local asked = #world:calls_of("RECONCILE")
        world:edit("'one'", "'two'")
        assert.equal("a.1", world:calls("RECONCILE", asked + 1).reconcile.tasks[1].task_id)
        local names = {}
        for _, capability in ipairs(world:calls_of("SUBSCRIBE")[1].subscribe.framework_info.capabilities) do
            names[#names + 1] = capability.type
        end
        assert.equal("MULTI_ROLE RESERVATION_REFINEMENT PARTITION_AWARE", table.concat(names, " "))
    end)

    it("goes on with the other schedules when one cannot add its job", function()
        local world = start("", [[
queue:add { id = "first", command = "true", not_before = mesos.now() + 1000 }
queue:schedule { id = "s", every = 5, command = "true", after = "first" }
queue:schedule { id = "t", every = 5, command = "true" }
queue.jobs.first = nil]])
        assert.matches("^t@", world:launched(1).task_id)
        world:logs("schedule s: this time is left out: ")
    end)

    it("cancels in the main chunk", function()
        local world = start("", "queue:add { id = 'a', command = 'true' } queue:add { id = 'b', command = 'true' } --[=[x]=]")
        local a = world:launched(1)
        world:launched(2)
        world:update(a, "TASK_RUNNING")
        world:edit("%-%-%[=%[x%]=%]", "queue:cancel 'a'")
        world:kills(a)
    end)

    it("takes an earlier time, and keeps definitions of its own", function()
        local world = start("", [[
local job = { id = "a", command = "late", not_before = mesos.now() + 1000 }
queue:add(job)
job.not_before, job.command = nil, "early"
queue:add(job)
job.command = "changed"]])
        assert.equal("early", world:launched(1).command.value)
    end)

    it("does not run what was cancelled again when the master forgets the framework", function()
        local world = start("", [[
queue:add { id = "a", command = "true" }
function queue:frameworkMessage(driver) self:cancel("a") self:frameworkRemoved(driver, "x") end]])
        world:launched(1)
        world:message()
        world:logs("as a new framework")
        assert.equal("cancelled", world.test:state().jobs.jobs.a.state)
    end)

    it("lets on_end wait, and raise, and is empty only behind it", function()
        local world = run([[on_empty = function() out("empty") end, on_end = function(job)
            mesos.sleep(0.05) out("end", job.id) if job.id == "a" then error("oh") end
        end]], "queue:add { id = 'a', command = 'true' } queue:add { id = 'b', command = 'true', after = 'a' }")
        world:update(world:launched(1), "TASK_FINISHED")
        world:update(world:launched(2), "TASK_FINISHED")
        world:shows("empty")
        assert.equal("end\ta\nend\tb\nempty\n", world.process.stdout)
    end)

    local refused = {
        { "a misspelt option", [[jobs.queue { at_onec = 1 }]], "queue.at_onec: unknown field (did you mean 'at_once'?)" },
        { "an option of the backoff", [[jobs.queue { backoff = { mots = 1 } }]],
            "queue.backoff.mots: unknown field (did you mean 'most'?)" },
        { "a misspelt field", [[jobs.queue():add { id = "a", comand = "x" }]], "job 'a'.comand: unknown field (did you mean 'command'?)" },
        { "a job without a command", [[jobs.queue():add { id = "a" }]], "job 'a': a command, argv, image or executor expected" },
        { "a job after none", [[jobs.queue():add { id = "a", command = "x", after = "b" }]],
            "job 'a': there is no job 'b' to come after; jobs are added in their order" },
        { "a constraint", [[jobs.queue():add { id = "a", command = "x", constraints = { "rack" } }]],
            'constraints[1]: "FIELD:OPERATOR"' },
        { "a schedule without a time", [[jobs.queue():schedule { id = "a", command = "x" }]],
            "schedule 'a': either cron or every is expected" },
        { "a schedule with a wrong time", [[jobs.queue():schedule { id = "a", command = "x", cron = "x" }]],
            "schedule 'x': five fields" },
        { "a schedule in a zone", [[jobs.queue():schedule { id = "a", command = "x", cron = "@daily", zone = "CET" }]],
            "schedule '@daily': 'CET' is no zone ('utc' or 'local')" },
        { "a schedule after none", [[jobs.queue():schedule { id = "a", command = "x", every = 1, after = "b" }]],
            "schedule 'a': there is no job 'b' to come after" },
        { "a schedule without an id", [[jobs.queue():schedule { every = 1, command = "x" }]], "schedule.id: a string expected, got nil" },
    }
    for _, row in ipairs(refused) do
        it("refuses " .. row[1], function()
            local done = program.run { args = { "check", program.script(HEAD .. row[2] .. "\nreturn {}", "main.lua") } }
            assert.equal(2, done.code, done:report())
            assert.is_truthy(done.stderr:find("main.lua:5: " .. row[3], 1, true), done:report())
        end)
    end
end)
