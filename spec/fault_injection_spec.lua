-- SPDX-License-Identifier: Apache-2.0
--
-- Fault injection: an allocator that refuses each request in turn, a full collection at every chance, an error at every
-- call into Lua. Nothing crashes, only what failed is lost, and in the end no byte is leaked: Lua's bytes are counted
-- here, those of C by LeakSanitizer when the suite runs with it.
--
-- A seed that failed is in the message; SPEC_SEED=N runs that one alone.

local plays = require("support.lifecycles")
local program = require("support.program")
local internals = require("internals")

local CALL = "mesos.v1.scheduler.Call"

-- Lives that life, to its end or a little further than the phase `to`; the phases for which hard_in(phase, number) is
-- true under that hardship. Returns how many requests were refused and how many errors raised.
local function live(play, hardship, hard_in, to)
    local refused, raised, phases = 0, 0, 0
    local before = select(4, internals.hardship_report())
    local world = plays.live(play, function(phase, run)
        phases = phases + 1
        local hard = hard_in(phase, phases)
        internals.hardship(hard and hardship or nil)
        run()
        local report = { internals.hardship_report() }
        refused, raised = refused + (hard and report[2] or 0), raised + report[3]
        internals.hardship()
    end, to)
    world:close()
    local _, _, _, bytes = internals.hardship_report()
    assert(bytes == before, ("%s, %s: %d bytes of Lua are left"):format(play.name, hardship, bytes - before))
    return refused, raised
end

local function seeds(count)
    local one = tonumber(os.getenv("SPEC_SEED"))
    return one or 1, one or count
end

local function count_calls(world)
    local counts = {}
    for _, bytes in ipairs(world:calls()) do
        local type = internals.decode(CALL, bytes).type
        counts[type] = (counts[type] or 0) + 1
    end
    return counts
end

describe("an allocator that refuses each request in turn", function()
    after_each(function()
        internals.hardship()
        internals.log()
    end)

    -- Each request alone, and some with all that follow in the phase, those of error messages and finalizers included.
    local function sweep(play, phase, burst, step)
        local number = 1
        repeat
            local refused = live(play, ("refuse=%d,burst=%d"):format(number, burst), function(name)
                return name == phase
            end, phase)
            number = number + step
        until refused == 0
        return number
    end

    for _, play in ipairs(plays.list) do
        it("leaves nothing behind in any phase of " .. play.name, function()
            for _, phase in ipairs(play) do
                if phase[1] == (play.only or phase[1]) then
                    sweep(play, phase[1], 0, 1)
                    sweep(play, phase[1], 1000000, 7)
                    internals.log()
                end
            end
        end)
    end

    local function started(text)
        local world = internals.world {}
        assert(world:load(text))
        world:start()
        world:calls()
        return world
    end

    it("is an error of the callback: the update is not acknowledged, and what comes next is", function()
        local world, failures = started(plays.policy), 0
        for number = 1, 300 do
            local before = world:failed("statusUpdate")
            internals.hardship("refuse=" .. number)
            world:event(plays.update())
            internals.hardship()
            local failed = world:failed("statusUpdate") - before
            failures = failures + failed
            assert.equal(1 - failed, count_calls(world).ACKNOWLEDGE or 0)
            world:event(plays.update())
            assert.equal(1, count_calls(world).ACKNOWLEDGE)
        end
        assert.is_true(failures > 10)
        assert.match("callback statusUpdate: not enough memory", internals.log())
        world:close()
    end)

    it("is an error of the callback: offers that it had not answered are declined", function()
        local world, failures = started(plays.policy), 0
        for number = 1, 500 do
            local a, b, c = "a" .. number, "b" .. number, "c" .. number
            local before = world:failed("resourceOffers")
            internals.hardship("refuse=" .. number)
            world:event(plays.offers(a, b, c))
            internals.hardship()
            local failed = world:failed("resourceOffers") - before
            failures = failures + failed
            assert.equal(1 - failed, world:offers())
            world:event(internals.encode("mesos.v1.scheduler.Event", { type = "RESCIND", rescind = { offer_id = c } }))
            assert.equal(0, world:offers())
        end
        assert.is_true(failures > 10)
        world:close()
    end)

    it("keeps the version that runs when there is no memory for another", function()
        local world = started(plays.policy)
        local number, swapped, why = 0
        repeat
            number = number + 1
            internals.hardship("refuse=" .. number)
            swapped, why = world:reload(plays.policy)
            local _, refused = internals.hardship_report()
            internals.hardship()
            assert.is_true(swapped or why:find("not enough memory") ~= nil or why:find("stack overflow") ~= nil, why)
            world:calls()
            world:event(plays.update())
            assert.equal(1, count_calls(world).ACKNOWLEDGE)
        until refused == 0
        assert.is_true(number > 500)
        world:close()
    end)
end)

describe("a collection at every chance", function()
    for _, play in ipairs(plays.list) do
        it("changes nothing in " .. play.name, function()
            local plain, hard = {}, {}
            for hardship, said in pairs { [false] = plain, ["collect=1,doors=1"] = hard } do
                local world = plays.live(play, function(_, run)
                    internals.hardship(hardship or nil)
                    run()
                end)
                for i, call in ipairs(world:calls()) do
                    said[i] = internals.decode(CALL, call).type .. " " .. #call
                end
                world:close()
                said.log = internals.log():gsub("%d%.%d+", "?")
                internals.hardship()
            end
            assert.same(plain, hard)
        end)
    end
end)

describe("errors out of nowhere at the calls into Lua", function()
    after_each(function()
        internals.hardship()
        internals.log()
    end)

    for _, play in ipairs(plays.list) do
        it("end " .. play.name .. " in order, or it goes on", function()
            local first, last = seeds(60)
            for seed = first, last do
                local spared = seed % 3 -- phases at the front
                local hardship = ("errors=%g,collect=50,doors=%d,seed=%d"):format(0.5 / (1 + seed % 5), seed % 2, seed)
                live(play, hardship, function(_, number)
                    return number > spared
                end)
                internals.log()
            end
        end)
    end

    it("acknowledge no update of a failed callback, and each of another", function()
        local first, last = seeds(200)
        local failures = 0
        for seed = first, last do
            local world = internals.world {}
            assert(world:load(plays.policy))
            world:start()
            world:calls()
            internals.hardship(("errors=0.3,seed=%d"):format(seed))
            for _ = 1, 10 do
                local before = world:failed("statusUpdate")
                world:event(plays.update())
                world:pass(0.01)
                local failed = world:failed("statusUpdate") - before
                failures = failures + failed
                assert.equal(1 - failed, count_calls(world).ACKNOWLEDGE or 0, "seed " .. seed)
            end
            internals.hardship()
            world:close()
        end
        assert.is_true(failures > 100 or first == last)
    end)
end)

describe("a finalizer", function()
    after_each(function()
        internals.hardship()
        internals.log()
    end)

    it("may end the program while the coroutine of a callback is made", function()
        local world = internals.world {}
        assert(world:load [[
            local mesos = require "mesos"
            local room, callback = { 1, 2, 3, 4 }, function() error("its coroutine is not used again") end
            local function get(_, name)
                if name == "registered" then
                    return callback
                elseif name == "disconnected" then
                    setmetatable({}, { __gc = function() mesos.exit(3) end })
                    collectgarbage("incremental", 100, 1000, 30)
                    collectgarbage("restart")
                    room[5] = true -- Lua owes a collection now
                    return callback
                end
            end
            collectgarbage("stop")
            return setmetatable({}, { __index = get })
        ]])
        world:start()
        world:break_stream()
        assert.is_true(world:ended())
        world:close()
    end)

    -- AddressSanitizer sees a timer that wakes what is gone.
    it("may end the program while a callback falls asleep", function()
        local world = internals.world {}
        assert(world:load [[
            local mesos = require "mesos"
            local scheduler, room = {}, { 1, 2, 3, 4 }
            function scheduler:statusUpdate()
                setmetatable({}, { __gc = function() mesos.exit(3) end })
                collectgarbage("incremental", 100, 1000, 30)
                collectgarbage("restart")
                room[5] = true -- Lua owes a collection now
                mesos.sleep(0.01)
                error("it is not woken again")
            end
            collectgarbage("stop")
            return scheduler
        ]])
        world:start()
        world:event(plays.update())
        assert.is_true(world:ended())
        world:pass(1)
        assert.equal(0, world:failed("statusUpdate"))
        world:close()
    end)

    it("cannot wait for the end of a driver that waits for the finalizer", function()
        local world = internals.world {}
        assert(world:load [[
            local mesos = require "mesos"
            local scheduler = {}
            function scheduler:slaveLost(driver)
                setmetatable({}, { __gc = function() driver:join() end })
            end
            return scheduler
        ]])
        world:start()
        world:event(plays.events.agent_lost)
        internals.hardship("doors=1")
        world:event(plays.update())
        assert.match("error in __gc.*call it in the main chunk of the script", internals.log())
        world:close()
    end)

    -- LeakSanitizer sees what is left.
    it("that there is no memory for leaves nothing behind", function()
        local before, skipped = select(4, internals.hardship_report()), false
        local world = internals.world {}
        assert(world:load [[
            local scheduler = {}
            function scheduler:statusUpdate(_, status)
                for _ = 1, 3 do
                    pcall(function() return tostring(status) end)
                    coroutine.wrap(function() pcall(collectgarbage) end)()
                end
            end
            return scheduler
        ]])
        world:start()
        for number = 1, 200 do
            internals.hardship(("refuse=%d,burst=1000000"):format(number))
            world:event(plays.update())
            internals.hardship()
            skipped = skipped or internals.log():find("error in __gc", 1, true) ~= nil
        end
        assert.is_true(skipped)
        world:close()
        assert.equal(before, (select(4, internals.hardship_report())))
    end)

    it("takes the name of a spawned function away, but not from the message about its __close", function()
        local world = internals.world { callback_limit = 0.05 }
        assert(world:load [[
            local mesos = require "mesos"
            local scheduler = {}
            function scheduler:statusUpdate()
                mesos.spawn(function()
                    local _ <close> = setmetatable({}, { __close = function()
                        collectgarbage()
                        collectgarbage()
                        while true do end
                    end })
                    error("first")
                end)
            end
            return scheduler
        ]])
        world:start()
        world:event(plays.update())
        world:pass(0.1)
        local log = internals.log()
        assert.match("spawned function of script.lua:4: script.lua:10: first", log)
        assert.match("spawned function of script.lua:4: script.lua:%d+: stopped after", log)
        world:close()
    end)
end)

describe("a metamethod that a script calls by itself", function()
    it("checks what it is given", function()
        local world = internals.world { sandbox = true }
        local good, why = world:load [[
            local mesos = require "mesos"
            for _, object in ipairs { mesos, _G, mesos.resources("cpus:1")[1] } do
                for name, method in pairs(getmetatable(object)) do
                    for _, first in ipairs { false, 1, "x", print } do
                        if type(method) == "function" then
                            pcall(method)
                            pcall(method, first)
                            pcall(method, first, "x")
                            pcall(method, first, "x", first)
                            pcall(method, object)
                        end
                    end
                end
            end
            return {}
        ]]
        assert.is_true(good, why)
        world:close()
        internals.log()
    end)
end)

describe("a driver that has ended", function()
    it("may have several objects, each of which says so when it is gone", function()
        local world = internals.world {}
        assert(world:load [[
            local scheduler = {}
            function scheduler:slaveLost(driver)
                kept = kept or driver
                driver:stop()
            end
            rawset(_G, "kept", false)
            return scheduler
        ]])
        world:start()
        world:event(plays.events.agent_lost)
        world:pass(1)
        assert.equal("SchedulerDriver (DRIVER_STOPPED)\tSchedulerDriver (DRIVER_STOPPED)\n", world:eval("print(kept, driver)"))
        world:eval("scheduler.other = driver")
        world:close()
        internals.log()
    end)
end)

-- The program itself, made hard by its environment, with a cluster that runs real tasks.
describe("the program", function()
    local path = program.path:gsub("mesos%-lua$", "spec/mesos-lua-hard")

    after_each(program.cleanup)

    local SCRIPT = [[
        local mesos = require "mesos"
        local scheduler = { framework = { name = "hard" } }
        local launched
        function scheduler:resourceOffers(driver, offers)
            for _, offer in ipairs(offers) do
                if not launched then
                    driver:launchTasks(offer.id, { { name = "t", task_id = "t", agent_id = offer.agent_id,
                        command = { value = "true" }, resources = mesos.resources { cpus = 0.1, mem = 32 } } })
                    launched = true
                end
            end
        end
        function scheduler:statusUpdate(driver, status)
            if status.state == "TASK_FINISHED" then driver:stop() end
        end
        mesos.after(5, function() mesos.exit(9) end)
        return scheduler
    ]]

    local function run(hardship)
        local it = program.run {
            path = path, args = { "--resources", "cpus:1;mem:64", program.script(SCRIPT) },
            env = { MESOS_LUA_HARDSHIP = hardship .. ",tell=1" }, seconds = 20,
        }
        assert.equal(0, it.signal, it:report())
        assert.match("hardship: %d+ requests, %d+ refused, %d+ errors, 0 bytes left", it.stderr)
        return it
    end

    it("runs its task with a collection at every chance", function()
        assert.equal(0, run("collect=1,doors=1").code)
    end)

    it("ends in order, or goes on, when a request is refused", function()
        for _, number in ipairs { 1, 50, 333, 700, 900, 1200, 1500 } do
            local it = run(("refuse=%d,burst=%d"):format(number, number % 3))
            assert.is_true(({ [0] = true, [2] = true, [9] = true })[it.code] ~= nil, it:report())
        end
    end)

    it("ends in order, or goes on, when errors come out of nowhere", function()
        local first, last = seeds(6)
        for seed = first, last do
            local it = run(("errors=0.2,seed=%d"):format(seed))
            assert.is_true(({ [0] = true, [2] = true, [9] = true })[it.code] ~= nil, it:report())
        end
    end)
end)
