-- SPDX-License-Identifier: Apache-2.0
--
-- mesos-lua check: what it reports in functions that did not run, and what it does not report. In the texts of the rows
-- the script is main.lua, and the other files are in its folder.

local lfs = require("lfs")
local program = require("support.program")

local function check(files, args)
    local words = { "check" }
    table.move(args or {}, 1, #(args or {}), 2, words)
    words[#words + 1] = "main.lua"
    return program.run { args = words, cwd = program.files(files) }
end

-- The messages, without their times.
local function findings(done)
    local list = {}
    for line in done.stderr:gmatch("%d%d:%d%d:%d%d%.%d+ error   ([^\n]*)") do
        list[#list + 1] = line
    end
    return list
end

local HEAD = 'local mesos = require "mesos" local scheduler = { framework = { name = "x" } } '
local TAIL = "\nreturn scheduler"

-- Code inside of a function that does not run, from line 2 on, with those parameters that a callback has.
local function in_callback(code, name, parameters)
    return ("%s\nfunction scheduler:%s(driver, %s)\n%s\nend%s"):format(HEAD, name or "resourceOffers",
        parameters or "offers", code, TAIL)
end

describe("check", function()
    after_each(program.cleanup)

    local found = {
        -- globals
        { "print(conter)", "undeclared global 'conter' (a global is declared by assigning" },
        { "local counter = 1 print(conter)", "undeclared global 'conter' (did you mean 'counter'?)" },
        { "return schedular", "undeclared global 'schedular' (did you mean 'scheduler'?)" },
        { "prnt(1)", "undeclared global 'prnt' (did you mean 'print'?)" },
        { "count = #offers", "assignment to the undeclared global 'count' in a function (write 'local count'" },
        { "local launched = 0 launced = launched + 1", "'launced' in a function (did you mean 'launched'? Otherwise write" },
        { "function helper() end", "assignment to the undeclared global 'helper'" },
        { "return function() return function() return nowhere end end", "undeclared global 'nowhere'" },
        { "_G.nowhere = 1", "assignment to the undeclared global 'nowhere'" },
        { "return _ENV.nowhere", "undeclared global 'nowhere'" },
        { "if offers[1] == TASK_LOST then return end", "undeclared global 'TASK_LOST' (was the string \"TASK_LOST\" meant" },
        { "return unpack(offers)", "undeclared global 'unpack' (Lua 5.4 has none; there is table.unpack)" },
        { "return cjson.encode({})", "undeclared global 'cjson'" },
        { "for i = 1, 3 do if i > 2 then goto over end print(hidden) ::over:: end", "undeclared global 'hidden'" },
        -- functions of libraries and modules
        { "return string.fromat('%d', 1)", "string.fromat is nil: no 'fromat' is there (did you mean 'format'?)" },
        { "return ('x'):rep(2), math.roof(1.5)", "math.roof is nil: no 'roof' is there" },
        { "return string.fromat('%d', offers and 1 or 2)", "string.fromat is nil" },
        { "mesos.slep(1)", "the module mesos has no 'slep' (did you mean 'sleep'?)" },
        { "mesos.log.inof('x')", "mesos.log.inof is nil: no 'inof' is there (did you mean 'info'?)" },
        { "local t = table t.isnert({}, 1)", "table.isnert is nil: no 'isnert' is there (did you mean 'insert'?)" },
        { "while offers do mesos.nwo() end", "the module mesos has no 'nwo' (did you mean 'now'?)" },
        -- what the callback is given
        { "driver:lunchTasks({}, {})", "SchedulerDriver has no operation 'lunchTasks' (did you mean 'launchTasks'?)" },
        { "for i, offer in ipairs(offers) do driver.declinOffer(offer.id) end", "no operation 'declinOffer'" },
        { "for _, offer in ipairs(offers) do print(offer.memry) end", "Offer has no field 'memry'" },
        { "return offers[1].hostnam", "Offer has no field 'hostnam' (did you mean 'hostname'?)" },
        { "mesos.after(1, function() driver:stopp() end)", "no operation 'stopp' (did you mean 'stop'?)" },
        { "return status.task", "TaskStatus has no field 'task'", "statusUpdate", "status" },
        { "return master.hostnam", "MasterInfo has no field 'hostnam'", "registered", "id, master" },
        { "for t in driver:tasks() do print(t.taskid) end", "Task has no field 'taskid' (did you mean 'task_id'?)" },
        { "return driver:task('a').stat", "Task has no field 'stat' (did you mean 'state'?)" },
        { "for _, o in ipairs(driver:offers()) do print(o.hostnam) end", "Offer has no field 'hostnam'" },
        { "for i = 1, #offers do print(offers[i].memry) end", "Offer has no field 'memry'" },
        { "local offer = offers:best_fit { cpus = 1 } return offer.agentid", "Offer has no field 'agentid'" },
        { "return offers:filter({ cpus = 1 }):bestfit({})", "a list of offers has no 'bestfit' (did you mean 'best_fit'?)" },
        { "return offers:bestfit { cpus = 1 }", "a list of offers has no 'bestfit' (did you mean 'best_fit'?)" },
        -- values that nothing has
        { "if status.state == 'FINISHED' then driver:stop() end", "state is never 'FINISHED' (did you mean 'TASK_FINISHED'?)",
            "statusUpdate", "status" },
        { "local state = status.state return state ~= 'TASK_FINISHD'", "state is never 'TASK_FINISHD'", "statusUpdate", "status" },
        { "for t in driver:tasks() do if t.reason == 'COMMAND' then return end end", "reason is never 'COMMAND'" },
        { "for t in driver:tasks { state = 'TASK_FINISHD' } do print(t) end",
            "there is no TaskState 'TASK_FINISHD' (did you mean 'TASK_FINISHED'?)" },
        { "for t in driver:tasks { state = { 'TASK_LOST', 'RUNNING' } } do print(t) end", "there is no TaskState 'RUNNING'" },
        { "local final = { TASK_FINISHED = true, TASK_FAILD = true } return final[status.state]",
            "state is never 'TASK_FAILD' (did you mean 'TASK_FAILED'?)", "statusUpdate", "status" },
        { "driver:launchTasks('o', { { container = { type = 'DOKER' } } })",
            "there is no ContainerInfo.Type 'DOKER' (did you mean 'DOCKER'?)" },
        -- fields of tables that operations, needs and filters take
        { "driver:launchTasks('o', { { nam = 'x' } })", "unknown field 'nam' in TaskInfo (did you mean 'name'?)" },
        { "driver:launchTasks('o', { { name = 'x', taskid = 'y' } })", "unknown field 'taskid' in TaskInfo (did you mean 'task_id'?)" },
        { "driver:launchTasks('o', { { command = { valu = 'x' } } })", "unknown field 'valu' in CommandInfo (did you mean 'value'?)" },
        { "driver:launchTasks('o', { { command = { environment = { FOO = 'x' } } } })", "unknown field 'FOO' in Environment: write { " },
        { "driver:launchTasks('o', { name = 'x' })", "a list expected, got a table with the field 'name': put braces around it" },
        { "driver:launchTasks('o', {}, { refuse_sec = 1 })", "unknown field 'refuse_sec' in Filters (did you mean 'refuse_seconds'?)" },
        { "driver:declineOffer(offers:ids(), { refuse_secs = 1 })", "unknown field 'refuse_secs' in Filters" },
        { "driver:acceptOffers('o', { { type = 'LAUNCH', launch = { tasks = {} } } })", "unknown field 'tasks' in Offer.Operation.Launch" },
        { "driver:killTask('t', { agent = 'a' })", "killTask: option 'agent' is unknown (did you mean 'agent_id'?)" },
        { "for t in driver:tasks { stat = 'TASK_LOST' } do print(t) end",
            "driver:tasks: the filter 'stat' is unknown (did you mean 'state'?)" },
        { "driver:reconcileTasks { { taskid = 't' } }", "unknown field 'taskid' in TaskStatus (did you mean 'task_id'?)" },
        { "return offers:best_fit { cpu = 1 }", "cpu: no agent has such a resource (did you mean 'cpus'?)" },
        { "return offers:take(offers[1], { memory = 1 })", "memory: no agent has such a resource (did you mean 'mem'?)" },
        { "return driver:explain { atributes = {} }", "atributes: no agent has such a resource (did you mean 'attributes'?)" },
        { "return mesos.resources { memory = 1 }", "resources.memory: Mesos calls it 'mem'" },
        -- such tables on their way
        { "local task = { nam = 'x' } driver:launchTasks('o', { task })", "unknown field 'nam' in TaskInfo" },
        { "local task = {} task.nam = 'x' driver:launchTasks('o', { task })", "unknown field 'nam' in TaskInfo" },
        { "local t = { command = {} } t.command.valu = 'x' driver:launchTasks('o', { t })", "unknown field 'valu' in CommandInfo" },
        { "local list = {} for _, o in ipairs(offers) do list[#list + 1] = { nam = o.id } end driver:launchTasks('o', list)",
            "unknown field 'nam' in TaskInfo" },
        { "local list = {} for i = 1, 3 do table.insert(list, { nam = i }) end driver:launchTasks('o', list)", "unknown field 'nam'" },
        { "local function task(id) return { nam = id } end driver:launchTasks('o', { task('x') })", "unknown field 'nam' in TaskInfo" },
        { "local function task(id) if id == 1 then return nil, 'no' elseif not id then return false end return { nam = id } end " ..
            "driver:launchTasks('o', { task('x') })", "unknown field 'nam' in TaskInfo" },
        { "local list = {} mesos.after(1, function() driver:launchTasks('o', list) end) list[1] = { name = 'x' } " ..
            "list[2] = offers[1].hostnam", "Offer has no field 'hostnam'" },
        -- modules
        { "local m = require 'nowhere.to.be.found'", "module 'nowhere.to.be.found' not found, neither beside the script" },
    }
    for _, row in ipairs(found) do
        it("finds the mistake in: " .. row[1], function()
            local done = check { ["main.lua"] = in_callback(row[1], row[3], row[4]) }
            assert.equal(2, done.code, done:report())
            local list = findings(done)
            assert.equal(1, #list, done:report())
            assert.equal("main.lua:3: ", list[1]:sub(1, 12))
            assert.is_truthy(list[1]:find(row[2], 1, true), done:report())
        end)
    end

    local fine = {
        "local x = 1 x = x + 1 return x",
        "return rawget(_G, 'nowhere')",
        "local _ENV = { x = 1 } y = x return z",
        "local function f(_ENV) return anything end return f",
        "if math.pow then return math.pow(1, 2) end",
        "local wide = math.pow or function() end return wide(1, 2)",
        "local ok, cjson = pcall(require, 'nowhere')",
        "local string = { fromat = print } string.fromat()",
        "mesos = { slep = print } mesos.slep()",
        "local m = mesos m = { slep = print } m.slep()",
        "local m for i = 1, 2 do if m then m.slep() end m = { slep = print } end",
        "local s = string while offers do s.fromat() s = { fromat = print } end",
        "(offers and string or { fromat = print }).fromat()",
        "(driver and print or string.fromat)(1)",
        "driver = { lunchTasks = print } driver.lunchTasks()",
        "for _, offer in ipairs(offers) do offer = { memry = 1 } print(offer.memry) end",
        "function string.trim(s) return s end return string.trim('x')",
        "local e = setmetatable({}, { __index = function() return 1 end }) return e.anything",
        "return mesos.state.anything, mesos.state.x.y, mesos.version",
        "return offers[1].cpus, offers[1].ports, offers[1]:attribute('a'), offers[1]:table()",
        "load('made_here = 1')() return load",
        -- tables that may be something else by the time they are used
        "local t = { nam = 'x' } t.nam = nil driver:launchTasks('o', { t })",
        "local t = { nam = 'x' } for k in pairs(t) do t[k] = nil end driver:launchTasks('o', { t })",
        "local t = { nam = 'x' } scheduler.clean(t) driver:launchTasks('o', { t })",
        "local t = {} if #offers > 1 then t.nam = 1 return t end driver:launchTasks('o', { t })",
        "local t = { nam = 'x' } t = { name = 'x' } driver:launchTasks('o', { t })",
        "local function make() return {} end local a = make() a.nam = 1 driver:launchTasks('o', { make() })",
        "local t = offers[1] and { nam = 'x' } or { name = 'x' } driver:launchTasks('o', { t })",
        "driver = { launchTasks = print } driver:launchTasks({ nam = 1 })",
        "local t = { c = { valu = 1 } } scheduler.clean(t) driver:launchTasks('o', { { command = t.c } })",
        "local function make(a) if a then return { name = 'x' } end return { nam = 'x' } end make() " ..
            "local function other(a) if a then return { nam = 'x' } end return { name = 'x' } end " ..
            "driver:launchTasks('o', { make(), other(true) })",
        "local function make(a) if a then return { nam = 'x' } end return a end driver:launchTasks('o', { make(offers[1]) })",
        "local function make(a) if a then return scheduler.other(a) end return { nam = 'x' } end driver:launchTasks('o', { make() })",
        "local function make(t) t = t or { nam = 'x' } return t end driver:launchTasks('o', { make() })",
        "local function make(...) if ... then return ... end return { nam = 'x' } end driver:launchTasks('o', { make() })",
        -- what is right
        "driver:launchTasks({ offers[1].id }, { { name = 'x', resources = {} } }, { refuse_seconds = 1 })",
        "return offers:best_fit { cpus = 1, fpga = 2, attributes = { rack = 'a' }, where = print, revocable = true }",
        "for t in driver:tasks { state = { 'TASK_RUNNING', 'TASK_LOST' }, agent_id = 'a' } do print(t.task_id, t.state) end",
        "local seen = { TASK_RUNNING = 0, other = 0 } for t in driver:tasks() do seen[t.state] = 1 end",
        "local queue = { cpu = 1, nam = 2 } queue.taskid = 3 return queue",
        "driver:killTask('t', { agent_id = 'a', kill_policy = { grace_period = { nanoseconds = 1 } } })",
        "local t = { labels = { labels = { { key = 'a', value = 'b' } } } } driver:launchTasks('o', { t })",
        "return #offers, offers.n, offers[1]",
        "return arg, select('#', ...)",
    }
    for _, code in ipairs(fine) do
        it("finds nothing in: " .. code, function()
            local text = in_callback(code, nil, "offers, ...")
            local done = check { ["main.lua"] = text }
            assert.equal(0, done.code, done:report())
            assert.equal("", done.stderr)
        end)
    end

    it("knows what main chunks declare, whether they came by it or not", function()
        local done = check {
            ["main.lua"] = [[
                local pack = require "pack"
                limit = 3
                if arg[1] then verbose = true end
                rawset(_G, "raw", 1)
                local unpack = table.unpack or unpack
                function helper() return limit, verbose, raw, from_module, from_late, unpack end
                return { framework = { name = "x" }, statusUpdate = function()
                    require "late"
                    return helper(), pack.best()
                end }]],
            ["pack.lua"] = "from_module = 1 return { best = print }", ["late.lua"] = "from_late = 1",
        }
        assert.equal(0, done.code, done:report())
    end)

    it("tells of a local function that is declared too late", function()
        local done = check {
            ["main.lua"] = "local s = {}\nfunction s:registered()\n    return helper(1)\nend\nlocal function helper(x)\n" ..
                "    return x\nend\nreturn s",
        }
        assert.same({
            "main.lua:3: undeclared global 'helper' (the local 'helper' of line 5 is declared below: move its declaration " ..
                "up, in front of this function)",
        }, findings(done))
    end)

    it("tells of a local variable that ended before", function()
        local done = check { ["main.lua"] = in_callback("do\n local total = 1\nend\nreturn total") }
        assert.same({
            "main.lua:6: undeclared global 'total' (the local 'total' of line 4 cannot be seen here: declare it where both can see it)",
        }, findings(done))
    end)

    it("looks into the modules of the script, run or not, and into no others", function()
        local elsewhere = program.files { ["foreign.lua"] = "return { f = function() return from_nowhere end }" }
        local done = check {
            ["main.lua"] = ([[package.path = package.path .. ";%s/?.lua"
                local pack, foreign = require "lib.pack", require "foreign"
                return { framework = { name = "x" }, statusUpdate = function()
                    require "late"
                    require "broken"
                    pack.bestfit(foreign)
                end }]]):format(elsewhere),
            ["lib/pack.lua"] = "local M = {}\nfunction M.best_fit() return offrs end\nreturn M",
            ["late.lua"] = "return function() return wrong end", ["broken.lua"] = "return {",
        }
        assert.equal(2, done.code)
        local list = findings(done)
        assert.equal(4, #list, done:report())
        for i, start in ipairs {
            "late.lua:1: undeclared global 'wrong'", "lib/pack.lua:2: undeclared global 'offrs'",
            "main.lua:5: error loading module 'broken'",
            "main.lua:6: lib.pack.bestfit is nil: no 'bestfit' is there (did you mean 'best_fit'?)",
        } do
            assert.equal(start, list[i]:sub(1, #start))
        end
    end)

    it("knows what the sandbox leaves out", function()
        local text = in_callback("os.execute('x')\nlocal f = io.open('y')\ndofile('z')\nmesos.exec {}")
        local done = check({ ["main.lua"] = text }, { "--sandbox" })
        local list = findings(done)
        assert.equal(4, #list, done:report())
        assert.equal("main.lua:3: os.execute is not available in the sandbox (--sandbox)", list[1])
        assert.equal("main.lua:4: io.open is not available in the sandbox (--sandbox)", list[2])
        assert.equal("main.lua:5: dofile is not available in the sandbox (--sandbox)", list[3])
        assert.equal(0, check({ ["main.lua"] = text }).code)
    end)

    it("finds what is behind many constants", function()
        local lines = {}
        for i = 1, 400 do
            lines[i] = ("scheduler.x = 'constant %d'"):format(i)
        end
        lines[#lines + 1] = "print(hidden) late = 1 string.fromat(mesos.slep)"
        local done = check { ["main.lua"] = in_callback(table.concat(lines, " ")) }
        assert.equal(4, #findings(done), done:report())
    end)

    it("says no more than a hundred times the same", function()
        local done = check { ["main.lua"] = in_callback(("print(hidden) "):rep(250)) }
        local list = findings(done)
        assert.equal(101, #list)
        assert.equal("main.lua: 150 more of these", list[101])
    end)

    it("leaves a script alone that has rules of its own for globals", function()
        assert.equal(0, check { ["main.lua"] = "setmetatable(_G, nil) " .. in_callback("return nowhere") }.code)
    end)

    it("finds nothing in the library", function()
        local files, requires = {}, {}
        for name in lfs.dir("lua/mesos") do
            if name:find("%.lua$") then
                files["copy/" .. name] = program.read("lua/mesos/" .. name)
                requires[#requires + 1] = ("pcall(require, 'copy.%s')\n"):format(name:match("^[^.]+"))
            end
        end
        files["main.lua"] = table.concat(requires) .. "return { framework = { name = 'x' } }"
        local done = check(files)
        assert.equal(0, done.code, done:report())
        assert.is_true(#requires > 3)
    end)

    local arguments = {
        own_driver = { "local" }, pack = { "best_fit", "3" }, tasks = { "3", "true" },
        process = { "5", "true" }, cron = { "0 3 * * *", "true" }, pack_or_spread = { "pack", "6" },
        explicit_acknowledgements = { "/dev/null" }, -- its journal
    }
    for name in lfs.dir("examples") do
        if name:find("%.lua$") and not name:find("_spec%.lua$") then
            it("finds nothing in examples/" .. name, function()
                local args = arguments[name:match("^[^.]+")] or { "some-agent", "b" }
                local path = lfs.currentdir() .. "/examples/" .. name
                -- Some examples open the files that they are given.
                local done = program.run { args = { "check", path, table.unpack(args) }, cwd = program.directory() }
                assert.equal(0, done.code, done:report())
                assert.equal("", done.stderr)
            end)
        end
    end
end)
