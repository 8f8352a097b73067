-- SPDX-License-Identifier: Apache-2.0
--
-- Jobs from outside: `mesos-lua ctl TARGET submit` and the callback `submit`.

local cjson = require("cjson")
local control = require("support.control")
local master = require("support.master")
local program = require("support.program")

local HEAD = [[
local mesos = require "mesos"
local scheduler = { framework = { name = "takes" } }
local order = {}
opened = false
function scheduler:statusUpdate(driver, status) order[#order + 1] = status.task_id end
function scheduler:resourceOffers() end
]]

local ECHO = HEAD .. [[
function scheduler:submit(driver, job)
    if job.sleep then mesos.sleep(job.sleep) end
    while job.gate and not opened do mesos.sleep(0.01) end
    if job.raise then error(job.raise) end
    if job.refuse then return nil, job.refuse end
    if job.odd then return { odd = { print } } end
    if job.nothing then return end
    order[#order + 1] = job.id
    return { job = job, driver = driver:status(), order = order }
end
return scheduler
]]

local function start(text, args)
    local m = master.start()
    local words = { "--master", m.address }
    table.move(args or {}, 1, #(args or {}), 3, words)
    words[#words + 1] = program.script(text or ECHO, "policy.lua")
    local run = program.start { args = words }
    run:wait_for("registered with")
    return run, m, words[#words]
end

local function submit(run, ...)
    return control.ctl(run, { "submit", ... })
end

local function answer(run, ...)
    local done = submit(run, ...)
    assert.equal(0, done.code, done:report())
    return cjson.decode(done.stdout)
end

describe("ctl submit", function()
    after_each(function()
        control.cleanup()
        program.cleanup()
        master.cleanup()
    end)

    it("gives the job to the callback and prints what that returns", function()
        local run = start()
        local done = submit(run, '{"id": "a", "cpus": 1.5, "n": 9007199254740993, "list": [1, [], {"x": true}]}')
        assert.equal('{"driver":"DRIVER_RUNNING","job":{"cpus":1.5,"id":"a","list":[1,[],{"x":true}],"n":9007199254740993},'
            .. '"order":["a"]}\n', done.stdout)
        assert.equal(0, done.code, done:report())
        assert.same({ id = "b", list = { 1 } }, answer(run, "--lua", "{ id = 'b', list = { 1 } }").job)
        assert.equal("null\n", submit(run, '{"nothing": true}').stdout)
    end)

    it("takes a job from each line", function()
        local run = start()
        local done = control.ctl(run, { "submit", "-" }, { stdin = '{"id":"a"}\n\n{"raise":"not this one"}\n[]\n{"id":"b"}' })
        assert.equal(1, done.code)
        local lines = {}
        for line in done.stdout:gmatch("[^\n]+") do
            lines[#lines + 1] = cjson.decode(line).job.id
        end
        assert.same({ "a", "b" }, lines)
        program.assert_has(done.stderr, "not this one", "submit: line 3 was not submitted, or failed",
            "submit: a job is an object in JSON", "submit: line 4 was not submitted, or failed")
    end)

    it("says why there is no answer", function()
        local run = start()
        local rows = {
            { { '{"raise": "no cpus"}' }, "no cpus\n" },
            { { '{"refuse": "the queue is full"}' }, "the queue is full\n" },
            { { '{"odd": true}' }, "the answer.odd[1] is a function, which JSON does not have\n" },
            { { "" }, "submit: a job expected, such as:" },
            { { "7" }, 'submit: a job is an object in JSON, such as {"id": "a", "cpus": 1}' },
            { { "{" }, "submit: line 1, column 1: string or '}' expected" },
            { { '{"a": [null]}' }, "submit: the value.a[1] is null, which a list in Lua cannot hold" },
            { { "--lua", "{" }, "submit:1: unexpected symbol near <eof>" },
            { { "--lua", "7" }, "submit: a job is a table, and this is a number" },
            { { "--lua", "{ f = print }" }, "a job is plain data, and knows no name 'print'" },
            { { "--lua", "{ f = function() end }" }, "submit: the job.f: a function cannot be kept" },
            { { "--lua", "{ a = ('x'):rep(17 * 2^20) }" }, "submit: the job is too large to be kept" },
        }
        for _, row in ipairs(rows) do
            local done = submit(run, table.unpack(row[1]))
            assert.equal(1, done.code, done:report())
            assert.equal("", done.stdout)
            program.assert_has(done.stderr, row[2])
            assert.falsy(done.stderr:find("traceback", 1, true))
        end
        local failures = cjson.decode(control.ctl(run, { "status", "--json" }).stdout).callback_failures
        assert.same({ submit = 2 }, failures) -- what was refused, or was no job, is no failure of the script
        program.assert_has(run.stderr, "callback submit: ", "no cpus", "the answer.odd[1] is a function")
    end)

    it("says that the script takes no jobs", function()
        local run = start(HEAD .. "return scheduler")
        local done = submit(run, "{}")
        assert.equal(1, done.code, done:report())
        assert.equal("the script takes no jobs: its scheduler has no callback submit(driver, job)\n", done.stderr)
        local alone = program.start { args = { "local" } }
        alone:wait_for("listening on")
        program.assert_has(submit(alone, "{}").stderr, "no script runs here")
    end)

    it("calls it in turn with other callbacks, one at a time", function()
        local run, m = start()
        local first = control.start_ctl(run, { "submit", '{"id": "first", "gate": true}' })
        program.wait_for(function()
            return control.ctl(run, { "status", "--json" }).stdout:find('"callback":"submit"', 1, true)
        end)
        m:send(m:update("task", "TASK_RUNNING"))
        program.wait_for(function()
            return control.ctl(run, { "status", "--json" }).stdout:find('"scheduler_event_queue_messages":1', 1, true)
        end)
        local second = control.start_ctl(run, { "submit", '{"id": "second"}' })
        program.wait_for(function()
            return control.ctl(run, { "status", "--json" }).stdout:find('"scheduler_event_queue_messages":2', 1, true)
        end)
        control.ctl(run, { "eval", "opened = true" })
        second:wait()
        assert.same({ "first", "task", "second" }, cjson.decode(second.stdout).order)
        first:wait()
        assert.same({ "first" }, cjson.decode(first.stdout).order)
    end)

    it("keeps what waits over a reload, and begins again what waited inside of the callback", function()
        local run, _, path = start((ECHO:gsub("driver:status%(%)", "'old'")))
        local first = control.start_ctl(run, { "submit", '{"id": "first", "sleep": 60}' })
        program.wait_for(function()
            return control.ctl(run, { "status", "--json" }).stdout:find('"callback":"submit"', 1, true)
        end)
        local second = control.start_ctl(run, { "submit", '{"id": "second"}' })
        program.wait_for(function()
            return control.ctl(run, { "status", "--json" }).stdout:find('"scheduler_event_queue_messages":1', 1, true)
        end)
        local file <close> = assert(io.open(path, "w"))
        file:write((ECHO:gsub("driver:status%(%)", "'new'"):gsub("mesos.sleep%(job.sleep%)", "")))
        file:close()
        first:wait(20)
        second:wait()
        assert.equal("new", cjson.decode(first.stdout).driver, first:report())
        assert.equal("new", cjson.decode(second.stdout).driver, second:report())
        assert.same({ "first", "second" }, cjson.decode(second.stdout).order)
    end)

    it("is answered by the version that a failed one is rolled back to", function()
        local run, _, path = start()
        local file <close> = assert(io.open(path, "w"))
        file:write((ECHO:gsub("order%[#order %+ 1%] = job.id", "error('worse')")))
        file:close()
        run:wait_for("reloaded in")
        local got = answer(run, '{"id": "a"}')
        assert.same({ "a" }, got.order)
        run:wait_for("the version before is back")
    end)

    it("answers what still waits at the end", function()
        local run = start(nil, { "--no-watch" })
        local first = control.start_ctl(run, { "submit", '{"sleep": 60}' })
        program.wait_for(function()
            return control.ctl(run, { "status", "--json" }).stdout:find('"callback":"submit"', 1, true)
        end)
        local second = control.start_ctl(run, { "submit", '{"id": "second"}' })
        program.wait_for(function()
            return control.ctl(run, { "status", "--json" }).stdout:find('"scheduler_event_queue_messages":1', 1, true)
        end)
        control.ctl(run, { "eval", "mesos.exit(0)" })
        second:wait()
        assert.equal(1, second.code)
        assert.equal("the framework has ended\n", second.stderr)
        first:wait()
        assert.equal(1, first.code)
        program.assert_has(first.stderr, "the framework has ended")
        run:wait()
    end)

    it("goes on when its client has gone", function()
        local run = start()
        local client = control.connect(control.path(run))
        client:write('{"command":"submit","argument":"{\\"id\\":\\"a\\",\\"gate\\":true}"}\n')
        program.wait_for(function()
            return control.ctl(run, { "status", "--json" }).stdout:find('"callback":"submit"', 1, true)
        end)
        client:close()
        control.ctl(run, { "eval", "opened = true" })
        assert.same({ "a", "b" }, answer(run, '{"id": "b"}').order)
    end)
end)
