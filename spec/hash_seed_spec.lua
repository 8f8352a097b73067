-- SPDX-License-Identifier: Apache-2.0
--
-- The order of pairs(): Lua makes it differ from run to run, and tests and the simulator need it to be the same in each
-- process. What is compared are processes at random addresses with different environments, in stock lua5.4 with
-- mesos.so and in the program.

local internals = require("internals")
local program = require("support.program")

after_each(program.cleanup)

local root = require("luv").cwd()
local build = os.getenv("MESOS_LUA_BUILD") or "build"
local CPATH = (build:find("^/") and build or root .. "/" .. build) .. "/?.so;;"

-- There are places for heaps; under AddressSanitizer there is none.
local placed = internals.allocator(0, true) ~= nil

-- A policy that launches on what pairs() gives first: names in the order of its decisions.
local POLICY = [[
    local mesos = require "mesos"
    local s, weights = {}, {}
    for i = 1, 40 do weights["user-" .. i] = i end
    weights[("long"):rep(20)] = 41
    local objects, ids = {}, {}
    for i = 1, 20 do
        local object = i % 3 == 0 and {} or i % 3 == 1 and function() return i end or coroutine.create(print)
        ids[object], objects[object] = i, true
    end
    local function churn() -- through several collections; returns what they have left, and in what order
        local weak, left, marked = setmetatable({}, { __mode = "k" }), {}, 0
        for i = 1, 5000 do
            weak[{ text = ("x"):rep(i % 500) }] = i
            if i % 50 == 0 then setmetatable({}, { __gc = function() marked = marked * 31 % 65521 + i end }) end
        end
        for _, i in pairs(weak) do left[#left + 1] = i end
        return ("%d %d %s"):format(marked, #left, table.concat(left, " ", 1, 20))
    end
    function s:resourceOffers(driver, offers)
        local tasks = {}
        for user in pairs(weights) do
            local name = #user > 40 and "long" or user
            tasks[#tasks + 1] = { name = name, task_id = name, agent_id = offers[1].agent_id,
                command = { value = "true" }, resources = mesos.resources { cpus = 0.1, mem = 32 } }
            if #tasks == 12 then break end
        end
        driver:launchTasks(offers[1].id, tasks)
        mesos.state.objects = {}
        for object in pairs(objects) do table.insert(mesos.state.objects, ids[object]) end
        mesos.state.text = tostring({}) .. " " .. churn()
    end
    return s ]]

local TEST = [[
    local testing = require "mesos.testing"
    local function run()
        local t = testing.load(arg[1], { seed = tonumber(arg[2]) })
        t:register()
        t:offer { cpus = 8, mem = 8192 }
        local names = {}
        for i, task in ipairs(t:launched()) do names[i] = task.name end
        print(table.concat(names, " "))
        print(table.concat(t:state().objects, " "))
        print(t:state().text)
    end ]]
local IN_LUA = TEST .. "run()"
local IN_PROGRAM = TEST .. [[
    local mesos = require "mesos"
    mesos.spawn(function() run() mesos.exit(0) end)
    return {} ]]

-- What the policy decides with that seed in a new process: three lines. The path of the policy is part of its state.
local function decide(files, path, args, seed, number)
    local environment = { LUA_CPATH = CPATH, FILLER = ("x"):rep(number * 77), LD_PRELOAD = os.getenv("LD_PRELOAD") }
    args = { table.unpack(args) }
    table.move({ files .. "/policy.lua", tostring(seed) }, 1, 2, #args + 1, args)
    local run = program.run { path = path, args = args, env = environment, seconds = 20 }
    assert.equal(0, run.code, run:report())
    local lines = {}
    for line in run.stdout:gmatch("[^\n]+") do
        lines[#lines + 1] = line
    end
    assert.equal(3, #lines, run:report())
    return lines
end

local function in_lua(files, seed, number)
    return decide(files, "/usr/bin/lua5.4", { files .. "/lua.lua" }, seed, number)
end

local function new_files()
    return program.files { ["policy.lua"] = POLICY, ["lua.lua"] = IN_LUA, ["program.lua"] = IN_PROGRAM }
end

describe("the order of pairs()", function()
    it("is the same in each process with the same seed, for keys that are texts and for others", function()
        assert.equal("2\n", program.read("/proc/sys/kernel/randomize_va_space"), "addresses are not random here")
        local files = new_files()
        local first = in_lua(files, 1, 0)
        for number = 1, 19 do
            local lines = in_lua(files, 1, number)
            assert.equal(first[1], lines[1])
            if placed then
                assert.same(first, lines)
            end
        end
    end)

    it("is the same on each machine with this version of Lua", function()
        assert.equal("Lua 5.4", _VERSION)
        assert.equal("user-18 user-3 user-1 user-25 user-29 user-30 user-34 user-4 user-31 user-32 user-13 user-36",
            in_lua(new_files(), 1, 0)[1])
    end)

    it("is the same in the program as in stock Lua with the module", function()
        local files = new_files()
        local theirs = in_lua(files, 7, 0)
        local ours = decide(files, program.path, { "-m", program.NO_MASTER, files .. "/program.lua" }, 7, 3)
        assert.equal(theirs[1], ours[1])
        if placed then
            assert.equal(theirs[2], ours[2])
        end
    end)

    it("is another one with another seed", function()
        local files, seen, orders = new_files(), {}, 0
        for seed = 1, 5 do
            local order = in_lua(files, seed, 0)[1]
            orders = orders + (seen[order] and 0 or 1)
            seen[order] = true
        end
        assert.equal(5, orders)
    end)

    it("differs from run to run without a seed, as Lua has it", function()
        local seen, orders = {}, 0
        local script = program.script [[
            local t = {}
            for i = 1, 40 do t["user-" .. i] = i end
            for user in pairs(t) do io.write(user, " ") end
            os.exit(0) ]]
        for _ = 1, 20 do
            local run = program.run { args = { "-m", program.NO_MASTER, script } }
            assert.equal(0, run.code, run:report())
            orders = orders + (seen[run.stdout] and 0 or 1)
            seen[run.stdout] = true
        end
        assert.is_true(orders > 10, orders .. " orders in 20 runs")
    end)

    it("is the same in the states of one process, wherever they are", function()
        local orders, worlds = {}, {}
        for i = 1, 70 do -- more than there are places
            local world = internals.world { hash_seed = 5 + i % 2 }
            assert(world:load "return {}")
            orders[i] = world:eval [[
                local t, order = {}, {}
                for i = 1, 40 do t["user-" .. i] = i end
                for user in pairs(t) do order[#order + 1] = user end
                print(table.concat(order, " ")) ]]
            worlds[i] = world
        end
        for _, world in ipairs(worlds) do
            world:close()
        end
        for i = 3, 70 do
            assert.equal(orders[i - 2], orders[i])
        end
        assert.not_equal(orders[1], orders[2])
        assert.matches("user%-40", orders[1])
    end)

    it("is not promised where the seed cannot be chosen, and the log says so once", function()
        -- What is refused is the first block of the state that is made to find the seed, and then that of the real one.
        local script = program.script([[
            local internals = require "internals"
            internals.hardship "refuse=1"
            print(internals.world { hash_seed = 1 }:load "return {}")
            internals.hardship()
            for _ = 1, 2 do print(internals.world { hash_seed = 1 }:load "return {}") end
            io.write(internals.log()) ]], "fallback.lua")
        local run = program.run { path = "/usr/bin/lua5.4", args = { script },
            env = { LUA_CPATH = CPATH:gsub("%?", "spec/?"), LD_PRELOAD = os.getenv("LD_PRELOAD") } }
        assert.equal(0, run.code, run:report())
        assert.equal("false\tnot enough memory for a Lua state\ntrue\tnil\ntrue\tnil\n" ..
            "the seed of this Lua's hashes cannot be chosen: the order of pairs() over keys that are texts differs " ..
            "from run to run\n", run.stdout)
    end)
end)

describe("a heap with a place", function()
    local SIZES = { 16, 40, 512, 513, 700, 4096, 20000, 300000, 1500000 }

    -- Blocks of all sizes that come, change and go; their addresses at the end.
    local function use(heap)
        local random = 1
        local function draw(n)
            random = random * 48271 % 2147483647
            return random % n
        end
        local sizes, used = {}, 0
        for _ = 1, 3000 do
            local number = draw(40)
            local size = draw(4) == 0 and 0 or SIZES[draw(#SIZES) + 1] - draw(8)
            assert(heap:resize(number, size)) -- which checks what is in the blocks
            used = used - (sizes[number] or 0) + size
            sizes[number] = size
            assert(used == heap:used())
        end
        local addresses = {}
        for number = 0, 39 do
            addresses[number] = sizes[number] > 0 and heap:address(number)
        end
        return addresses
    end

    it("gives the same addresses for the same requests, and keeps blocks apart", function()
        local first = internals.allocator(0, true)
        if not first then
            assert.is_truthy(os.getenv("ASAN_OPTIONS"))
            return
        end
        local addresses = use(first)
        assert.same(addresses, use(internals.allocator(0, true)))
        assert.is_true(first:resize(0, 1))
    end)

    it("keeps to its limit", function()
        local heap = internals.allocator(100000, true)
        if placed then
            assert.is_true(heap:resize(1, 60000))
            assert.is_false(heap:resize(2, 60000))
            assert.is_false(heap:resize(1, 100001))
            assert.is_true(heap:resize(1, 30000))
            assert.is_true(heap:resize(2, 70000))
            assert.equal(100000, heap:used())
        end
    end)
end)
