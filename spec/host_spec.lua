-- SPDX-License-Identifier: Apache-2.0
--
-- What the program says when something is wrong with a script, with what it sends, or with the master. Every message
-- has to name what was wrong and where.

local master = require("support.master")
local program = require("support.program")
local server = require("support.server")

local function run_script(text, args)
    local words = args or { "--master", "127.0.0.1:1" }
    words[#words + 1] = program.script(text)
    return program.run { args = words }
end

local function refuses(run, ...)
    assert.equal(2, run.code)
    for _, text in ipairs { ... } do
        assert.is_truthy(run.stderr:find(text, 1, true), ("no '%s' in: %s"):format(text, run.stderr))
    end
end

describe("a script that does not load", function()
    after_each(program.cleanup)

    it("is missing", function()
        refuses(program.run { args = { "/nonexistent/policy.lua" } },
            "cannot open script '/nonexistent/policy.lua': No such file or directory")
    end)

    it("does not parse", function()
        refuses(run_script("local x = = 3"), "script.lua:1:", "unexpected symbol near '='")
    end)

    it("raises", function()
        refuses(run_script("local t\nprint(t.x)"), "script.lua:2:", "attempt to index a nil value (local 't')",
            "stack traceback:")
    end)

    it("requires what is not there", function()
        refuses(run_script("require 'nowhere'"), "module 'nowhere' not found")
    end)

    it("returns nothing, or the wrong thing", function()
        refuses(run_script("local x = 1"), "script.lua: it returned nothing: a script returns its scheduler")
        refuses(run_script("return 42"), "script.lua: it returned a number: a script returns its scheduler")
    end)

    it("has a wrong framework", function()
        refuses(run_script("return { framework = 'x' }"), "framework: table expected, got string")
        refuses(run_script("return { framework = { nme = 'x' } }"),
            "framework: unknown field 'nme' in FrameworkInfo (did you mean 'name'?)")
        refuses(run_script("return { framework = { failover_timeout = '1 week' } }"),
            "framework.failover_timeout: number expected, got string")
        refuses(run_script("return { framework = { capabilities = { { type = 'MULTIROLE' } } } }"),
            "framework.capabilities[1].type:", "'MULTIROLE'", "MULTI_ROLE")
    end)

    it("has a wrong setting", function()
        refuses(run_script("return { suppressedRoles = 'x' }"), "suppressedRoles: table expected, got string")
        refuses(run_script("return { suppressedRoles = { 1 } }"), "suppressedRoles[1]: a role (a string) expected, got number")
        refuses(run_script("require('mesos').SchedulerDriver { shceduler = {} }"),
            "script.lua:1:", "unknown setting 'shceduler' (did you mean 'scheduler'?)")
        refuses(run_script("require('mesos').SchedulerDriver { }"), "scheduler: a table of callbacks expected")
    end)

    it("names a master that cannot be read", function()
        refuses(run_script("return {}", { "--master", "http://" }), "master address 'http://'")
        refuses(run_script("return {}", { "--master", "local:0" }), "master 'local:0': a number of agents from 1 to 1000")
        refuses(run_script("require('mesos').SchedulerDriver { scheduler = {}, master = 'a:b:c' }"), "script.lua:1:", "a:b:c")
    end)

    it("reads what is not there", function()
        refuses(run_script("return mesoss.x"), "script.lua:1:", "mesoss")
        refuses(run_script("return require('mesos').reources {}"), "the module mesos has no 'reources'")
    end)
end)

describe("a misspelt callback", function()
    after_each(program.cleanup)

    it("is pointed out", function()
        local run = program.start {
            args = { "--master", "127.0.0.1:1", program.script "return { resourceOffer = function() end }" },
        }
        run:wait_for("no callback 'resourceOffer'; did you mean 'resourceOffers'%?")
        run:kill()
        assert.equal(0, run:wait())
    end)
end)

describe("a wrong message", function()
    after_each(function()
        program.cleanup()
        master.cleanup()
    end)

    -- The error of each expression, evaluated with an outstanding offer at hand.
    local function errors_of(expressions)
        local m = master.start()
        local lines = {}
        for i, expression in ipairs(expressions) do
            lines[i] = ("try(function() %s end)"):format(expression)
        end
        local run = program.start {
            args = {
                "--master", m.address, program.script([[
                    local mesos = require "mesos"
                    local s = {}
                    function s:resourceOffers(driver, offers)
                        local id, agent = offers[1].id, offers[1].agent_id
                        local good = { name = "t", task_id = "t", agent_id = agent }
                        local function try(f) print((select(2, pcall(f)))) end
                        ]] .. table.concat(lines, "\n") .. [[

                        driver:stop(true)
                    end
                    return s]]),
            },
        }
        m:wait_for("SUBSCRIBE")
        m:send_offers()
        assert.equal(0, run:wait())
        local errors = {}
        for line in run.stdout:gmatch("[^\n]+") do
            errors[#errors + 1] = line
        end
        assert.equal(0, #m:calls_of("ACCEPT"))
        return errors
    end

    it("is refused with the path of the field and the line of the script", function()
        local rows = {
            { "driver:launchTasks(id, { good, { name = 't', task_id = 'u', agent_id = agent, comand = {} } })",
                "tasks[2]: unknown field 'comand' in TaskInfo (did you mean 'command'?)" },
            { "driver:launchTasks(id, { { name = 't', agent_id = agent } })", "tasks[1].task_id: ", "required" },
            { "driver:launchTasks(id, { good, { name = 't', task_id = 'u', agent_id = agent, resources = { "
                .. "{ name = 'cpus', type = 'SCALAR', scalar = '1' } } } })",
                "tasks[2].resources[1].scalar: number expected, got string" },
            { "driver:launchTasks(id, { { name = 't', task_id = 'u', agent_id = agent, command = { shell = 1 } } })",
                "tasks[1].command.shell: boolean expected, got number" },
            { "driver:launchTasks(id, { { name = 't', task_id = 'u', agent_id = agent, resources = { "
                .. "{ name = 'cpus', type = 'SCALER', scalar = 1 } } } })",
                "tasks[1].resources[1].type: ", "'SCALER'", "SCALAR" },
            { "driver:launchTasks(id, good)", "tasks: a list expected, got a table with the field" },
            { "driver:launchTasks(id, 'good')", "tasks: a list expected, got string" },
            { "driver:launchTasks(3, { good })", "offerIds: an id or a list of ids expected, got number" },
            { "driver:launchTasks({ id, 3 }, { good })", "offerIds[2]: id (a string) expected, got number" },
            { "driver:launchTasks(id, { good }, { refuse = 1 })", "filters: unknown field 'refuse' in Filters" },
            { "driver:killTask()", "task_id: ", "required" },
            { "driver:killTask('t', { agent = 'x' })", "unknown field 'agent' in Call.Kill" },
            { "driver:acknowledgeStatusUpdate({})", "implicitAcknowledgements" },
            { "driver:reconcileTasks({ 3 })", "statuses[1]: TaskStatus expected, got number" },
            { "driver:reviveOffers('x')", "roles: a list of roles expected, got string" },
            { "driver:launchTask(id, { good })", "launchTask" },
            { "return offers[1].cpu", "Offer has no field 'cpu' (did you mean 'cpus'?)" },
            { "offers[1].hostname = 'x'", "read-only" },
            { "mesos.resources { cpus = 'x' }", "resources.cpus: a number, a list of {first, last}" },
            { "mesos.resources 'cpus'", "cpus" },
        }
        local expressions = {}
        for i, row in ipairs(rows) do
            expressions[i] = row[1]
        end
        local errors = errors_of(expressions)
        assert.equal(#rows, #errors)
        for i, row in ipairs(rows) do
            for k = 2, #row do
                assert.is_truthy(errors[i]:find(row[k], 1, true), ("no '%s' in '%s'"):format(row[k], errors[i]))
            end
            assert.matches("script.lua:%d+: ", errors[i])
        end
    end)
end)

describe("a master", function()
    after_each(function()
        program.cleanup()
        server.cleanup()
        master.cleanup()
    end)

    local function says(address, pattern)
        local run = program.start {
            args = { "--master", address, program.script "return { registered = function(_, d) d:stop(true) end }" },
        }
        run:wait_for(pattern)
        return run
    end

    it("is not there", function()
        says(server.unused_address(), "cannot subscribe at http://127.0.0.1:%d+: cannot connect: Connection refused; "
            .. "trying again in %d+%.%d s, retry 1 %(%-%-registration%-backoff%)")
    end)

    it("closes at once", function()
        local s = server.start(function(connection) connection:close() end)
        says(s.address, "cannot subscribe at http://[%d.:]+: .*; trying again")
    end)

    it("is not a Mesos master", function()
        local s = server.start(server.answering "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi")
        says(s.address, "not a Mesos master: its answer 200 has Content%-Type 'text/html'")
        s = server.start(server.answering "HTTP/1.1 404 Not Found\r\nContent-Length: 14\r\n\r\n404 Not Found.")
        says(s.address, "HTTP status 404: 404 Not Found%.; trying again")
        s = server.start(server.answering "220 mail.test ESMTP\r\n")
        says(s.address, "cannot subscribe at .*; trying again")
    end)

    it("sends a cut record, or garbage, and a good one follows", function()
        for _, row in ipairs {
            { "12\n\8\1", "in the middle of a record" },
            { "hello\n", 'record length expected, got "hello' },
            { "3\n\8\4\x2a", "malformed" },
        } do
            local m = master.start()
            local run = program.start { args = { "--master", m.address, program.script "return {}" } }
            run:wait_for("registered with")
            m:send_bytes(row[1])
            if m.stream then
                m:end_stream()
            end
            run:wait_for("disconnected: [^\n]*" .. row[2])
            run:wait_for("reregistered with")
        end
    end)
end)
