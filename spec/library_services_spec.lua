-- SPDX-License-Identifier: Apache-2.0
--
-- mesos.services, and the plan of its roll-outs: mesos.rollout.

package.path = "lua/?.lua;" .. package.path

local control = require("support.control")
local library = require("support.library")
local program = require("support.program")
local rollout = require("mesos.rollout")

describe("mesos.rollout", function()
    -- A word for each instance: its version, r if it is ready, s if it is being ended. The plan, in short.
    local function plan(words, wanted)
        local instances, number = {}, 0
        for version, flags in words:gmatch("(%d)(%a*)") do
            number = number + 1
            instances["t" .. number] = {
                task_id = "t" .. number, version = tonumber(version), ready = flags:find("r") ~= nil,
                stopping = flags:find("s") ~= nil, launched = number,
            }
        end
        local result = rollout.plan({ version = 2, instances = instances }, wanted)
        local killed = {}
        for i, instance in ipairs(result.kill) do
            killed[i] = instance.task_id
        end
        return ("+%d -%s%s"):format(result.launch, table.concat(killed, ","), result.done and " done" or "")
    end

    local three = { instances = 3, surge = 1, down = 0 }
    local rows = {
        { "starts all", "", three, "+3 -" },
        { "starts what is missing", "2r 2", three, "+1 -" },
        { "is content", "2r 2r 2r", three, "+0 - done" },
        { "waits for what is not ready", "2r 2r 2", three, "+0 -" },
        { "ends what is too many, the unready first", "2r 2r 2r 2", three, "+0 -t4" },
        { "ends the oldest of what is too many", "2r 2r 2r 2r", three, "+0 -t1" },
        { "starts one before the first old one goes", "1r 1r 1r", three, "+1 -" },
        { "waits until the new one is ready", "1r 1r 1r 2", three, "+0 -" },
        { "ends an old one for it", "1r 1r 1r 2r", three, "+1 -t1" },
        { "counts those that are being ended out", "1s 1r 1r 2r", three, "+1 -" },
        { "ends the last old ones when the new ones are complete", "1r 2r 2r 2r", three, "+0 -t1" },
        { "is not done before they are gone", "1s 2r 2r 2r", three, "+0 -" },
        { "lets old ones that are not ready go at once", "1 1r 1r", three, "+2 -t1" },
        { "replaces several at a time", "1r 1r 1r", { instances = 3, surge = 2, down = 0 }, "+2 -" },
        { "goes below the number where it may", "1r 1r 1r", { instances = 3, surge = 0, down = 1 }, "+1 -t1" },
        { "never stands still", "1r", { instances = 1, surge = 0, down = 0 }, "+1 -" },
        { "ends a service", "2r 1r 2", { instances = 0, surge = 1, down = 0 }, "+0 -t2,t3,t1" },
    }
    for _, row in ipairs(rows) do
        it(row[1], function()
            assert.equal(row[4], plan(row[2], row[3]))
        end)
    end
end)

describe("mesos.services", function()
    after_each(library.cleanup)

    local HEAD = [[
local mesos = require "mesos"
local services = require "mesos.services"
local function out(...) print(...) io.stdout:flush() end
]]

    local function script(options, definition)
        return HEAD .. ([[
local keeper = services.keeper { name = "spec", on_ready = function(id) out(id, "is ready") end, refuse = 0, %s }
%s
function keeper:frameworkMessage() out((self:explain "web")) end
return keeper]]):format(options, definition)
    end

    local function start(options, definition) -- in virtual time
        return library.load(script("backoff = { first = 8, most = 20, jitter = 0 }, " .. options, definition))
    end

    local function run(options, definition, arguments) -- in the program
        return library.start(script("backoff = { first = 0.02, most = 0.1 }, " .. options, definition), arguments)
    end

    local function run_all(world, first, last, fields)
        for i = first, last do
            world:update(world:launched(i), "TASK_RUNNING", fields)
        end
    end

    local WEB = 'keeper:service { id = "web", instances = %d, command = "serve %d", cpus = 0.1, mem = 32, %s }'

    it("tells an operator how a service stands", function()
        local world = run("", [[
keeper:service { id = "web", instances = 2, command = "serve", cpus = 3 }]])
        world:update(world:launched(1), "TASK_RUNNING")
        local asked
        program.wait_for(function()
            asked = control.ctl(world.process, { "why", "web" })
            return asked.stdout:find("web: 1 of 2 ready in version 1; 1 wait for an offer", 1, true)
        end, 5, function() return asked:report() end)
        program.assert_has(asked.stdout, "offer")
        assert.equal("there is no service 'wob' (did you mean 'web'?)\n",
            control.ctl(world.process, { "why", "wob" }).stdout)
    end)

    it("keeps so many instances alive", function()
        local world = start("", WEB:format(3, 1, ""))
        run_all(world, 1, 3)
        world:shows("web\tis ready")
        world:update(world:tasks()[2], "TASK_LOST", { reason = "REASON_AGENT_REMOVED" })
        assert.equal("web.4", world:launched(4).task_id)
        assert.equal(4, #world:tasks())
    end)

    it("waits longer and longer for one that does not stay up, and says so", function()
        local world = start("", WEB:format(1, 1, ""))
        for i, pause in ipairs { 8, 16, 20 } do
            world:update(world:launched(i), "TASK_FAILED", { message = "no such file" })
            local failed = world.test:now()
            world:launched(i + 1)
            local waited = world.test:now() - failed
            assert.is_true(waited >= pause and waited < pause + 2, ("instance %d after %g s"):format(i + 1, waited))
        end
        world:update(world:tasks()[4], "TASK_FAILED", { message = "no such file" })
        world:message()
        world:shows("after 4 failures: no such file")
    end)

    it("counts an instance as ready when it is healthy", function()
        local world = start("", WEB:format(1, 1, "health = { command = 'true' }"))
        local task = world:launched(1)
        assert.equal("true", task.health_check.command.value)
        world:update(task, "TASK_RUNNING")
        world:message()
        world:shows("web: 0 of 1 ready in version 1")
        world:update(task, "TASK_RUNNING", { healthy = true })
        world:shows("web\tis ready")
        world:update(task, "TASK_RUNNING", { healthy = false })
        world:message()
        world:shows("web: 0 of 1 ready", 2)
    end)

    it("replaces the instances one by one when the definition is edited", function()
        local world = start("", WEB:format(2, 1, ""))
        run_all(world, 1, 2)
        world:shows("web\tis ready")
        world:edit("serve 1", "serve 2")
        local old = { world:tasks()[1], world:tasks()[2] }
        for i = 1, 2 do
            local new = world:launched(2 + i)
            assert.equal("serve 2", new.command.value)
            assert.equal(i - 1, #world:calls_of("KILL"))
            world:update(new, "TASK_RUNNING")
            world:kills(old[i])
            world:update(old[i], "TASK_KILLED")
        end
        world:shows("web\tis ready", 2)
        assert.equal(4, #world:tasks())
    end)

    it("leaves the old version alone while the new one does not become ready", function()
        local world = start("", WEB:format(2, 1, ""))
        run_all(world, 1, 2)
        world:edit("serve 1", "serve 2")
        for i = 3, 5 do
            world:update(world:launched(i), "TASK_FAILED")
        end
        world:edit("serve 2", "serve 3")
        world:update(world:launched(6), "TASK_RUNNING")
        assert.equal("serve 3", world:tasks()[6].command.value)
        world:kills(world:tasks()[1])
        assert.equal(1, #world:calls_of("KILL"))
    end)

    it("scales without replacing, and ends what the script has no more", function()
        local world = start("", WEB:format(1, 1, ""))
        run_all(world, 1, 1)
        world:edit("instances = 1", "instances = 2")
        run_all(world, 2, 2)
        world:shows("web\tis ready", 2)
        assert.equal(0, #world:calls_of("KILL"))
        world:edit("keeper:service {[^}]*}", "")
        world:kills(world:tasks()[1])
        world:kills(world:tasks()[2])
        world:message()
        world:shows("there is no service 'web'")
    end)

    it("replaces an instance whose agent is out of reach for too long, and kills it when it is back", function()
        local world = start("unreachable = 40,", WEB:format(1, 1, ""))
        local first = world:launched(1)
        world:update(first, "TASK_RUNNING")
        world:update(first, "TASK_UNREACHABLE")
        world:launched(2)
        world:update(first, "TASK_RUNNING")
        world:kills(first)
    end)

    it("finds its instances again after a crash", function()
        local world = run("framework = { failover_timeout = 60 },", WEB:format(2, 1, ""),
            { "--state", program.directory() .. "/state" })
        run_all(world, 1, 2)
        world:shows("web\tis ready")
        world.process:kill("sigkill")
        world.process:wait()
        local asked = #world.master:calls_of("RECONCILE")
        world:run()
        assert.equal(2, #world.master:wait_for("RECONCILE", asked + 1).call.reconcile.tasks)
        world:update(world:tasks()[1], "TASK_RUNNING")
        world:update(world:tasks()[2], "TASK_UNKNOWN", { reason = "REASON_RECONCILIATION" })
        assert.equal("web.3", world:launched(3).task_id)
    end)

    it("spreads, and keeps constraints", function()
        local world = start("", WEB:format(2, 1, 'constraints = { "hostname:UNIQUE" }'))
        world:launched(1)
        assert.equal(1, #world:tasks())
        world:message()
        world:shows("1 wait for an offer: constraint hostname:UNIQUE")
        assert.equal("S2", world:launched(2, { hostname = "agent2.test", agent_id = "S2" }).agent_id)
    end)

    it("replaces all instances under a constraint that only they fill", function()
        local world = start("", WEB:format(1, 1, 'constraints = { "hostname:UNIQUE" }'))
        local old = world:launched(1)
        world:update(old, "TASK_RUNNING")
        world:edit("serve 1", "serve 2")
        local new = world:launched(2) -- on the only agent
        assert.equal(old.agent_id, new.agent_id)
        world:update(new, "TASK_RUNNING")
        world:kills(old)
    end)

    it("counts a launch that is refused as a failure, and starts another", function()
        local world = start("", [[
local definition = { id = "web", command = "serve", cpus = 0.1, mem = 32, labels = { a = "\xff" } }
keeper:service(definition)
definition.command = nil
function keeper:resourceOffers(driver, offers)
    local refusing = setmetatable({}, { __index = function(_, name)
        return function(_, ...)
            if name == "launchTasks" and self:get("web").serial == 1 then error("no such field", 0) end
            return driver[name](driver, ...)
        end
    end })
    self:place(refusing, offers)
    out(self:get("web").failures, self:get("web").message)
    driver:declineOffer(offers:ids(), { refuse_seconds = 0 })
end]])
        world:offer()
        world:shows("1\tno such field")
    end)

    local refused = {
        { "a misspelt option", [[services.keeper { stabel = 1 }]], "keeper.stabel: unknown field (did you mean 'stable'?)" },
        { "a misspelt field", [[services.keeper():service { id = "a", instance = 1 }]],
            "service.instance: unknown field (did you mean 'instances'?)" },
        { "a service without an id", [[services.keeper():service { command = "x" }]], "service.id: a string expected, got nil" },
        { "a service without a command", [[services.keeper():service { id = "a" }]],
            "service 'a': a command, argv, image or executor expected" },
    }
    for _, row in ipairs(refused) do
        it("refuses " .. row[1], function()
            local done = program.run { args = { "check", program.script(HEAD .. row[2] .. "\nreturn {}", "main.lua") } }
            assert.equal(2, done.code, done:report())
            assert.is_truthy(done.stderr:find("main.lua:4: " .. row[3], 1, true), done:report())
        end)
    end
end)
