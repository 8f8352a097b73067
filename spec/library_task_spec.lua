-- SPDX-License-Identifier: Apache-2.0
--
-- The modules that make and compare messages: mesos.task, mesos.resources, mesos.json. All rows of a block run in one
-- script; each prints what its row expects.

local program = require("support.program")

local HEAD = [[
local mesos = require "mesos"
local json = require "mesos.json"
local resources = require "mesos.resources"
local task = require "mesos.task"
local function fails(f, ...)
    local ok, message = pcall(f, ...)
    return ok and "no error" or message
end
local function plain(value)
    if type(value) ~= "table" then return value end
    local copy = {}
    for key, item in pairs(value) do copy[key] = plain(item) end
    return copy
end
local RESOURCES = mesos.resources { cpus = 1, ports = { { 31000, 31001 }, { 31005, 31005 } } }
local function info(spec, name)
    local built = plain(task.build(spec, "t", "a", RESOURCES))
    return json.encode(built[name])
end
]]

-- A block of rows { name, code of an expression, text it is to be }.
local function block(rows)
    local results
    setup(function()
        local lines = { HEAD }
        for i, row in ipairs(rows) do
            lines[#lines + 1] = ("io.write(%d, '\\1', tostring(%s), '\\2')"):format(i, row[2])
        end
        lines[#lines + 1] = "return { framework = { name = 'x' } }"
        local run = program.run { args = { "check", program.script(table.concat(lines, "\n"), "rows.lua") } }
        assert.equal(0, run.code, run:report())
        results = {}
        for number, text in run.stdout:gmatch("(%d+)\1(.-)\2") do
            results[tonumber(number)] = text
        end
    end)
    for i, row in ipairs(rows) do
        it(row[1], function()
            if row[4] then
                assert.is_truthy(results[i]:find(row[3], 1, true), results[i])
            else
                assert.equal(row[3], results[i])
            end
        end)
    end
end

describe("mesos.task", function()
    after_each(program.cleanup)

    block {
        { "makes a shell command", [[info({ command = "echo $A" }, "command")]],
            '{"environment":{"variables":[{"name":"PORT","value":"31000"},{"name":"PORT0","value":"31000"},'
            .. '{"name":"PORT1","value":"31001"},{"name":"PORT2","value":"31005"}]},"shell":true,"value":"echo $A"}' },
        { "makes a program with arguments", [[json.encode(plain(task.build({ argv = { "a", "b c" } }, "t", "a", {}).command))]],
            '{"arguments":["a","b c"],"shell":false,"value":"a"}' },
        { "sets variables, and ports by their names",
            [[info({ command = "x", ports = { "http", "admin-ui" }, env = { B = 2, A = true, PORT = 1 } }, "command")]],
            '{"environment":{"variables":[{"name":"A","value":"true"},{"name":"B","value":"2"},{"name":"PORT","value":"1"},'
            .. '{"name":"PORT0","value":"31000"},{"name":"PORT1","value":"31001"},{"name":"PORT2","value":"31005"},'
            .. '{"name":"PORT_ADMIN_UI","value":"31001"},{"name":"PORT_HTTP","value":"31000"}]},"shell":true,"value":"x"}' },
        { "fetches URIs", [[json.encode(task.build({ command = "x", uris = { "http://a/b", { value = "c", extract = false } } },
            "t", "a", {}).command.uris)]], '[{"value":"http://a/b"},{"extract":false,"value":"c"}]' },
        { "has labels", [[info({ command = "x", labels = { b = 1, a = "c" } }, "labels")]],
            '{"labels":[{"key":"a","value":"c"},{"key":"b","value":"1"}]}' },
        { "has an image", [[info({ image = "busybox" }, "container")]],
            '{"mesos":{"image":{"docker":{"name":"busybox"},"type":"DOCKER"}},"type":"MESOS"}' },
        { "has an image of Docker", [[info({ command = "x", image = "busybox", docker = true }, "container")]],
            '{"docker":{"image":"busybox"},"type":"DOCKER"}' },
        { "is checked over HTTP at its first port", [[info({ command = "x", ports = 1, health = { http = "/" } }, "health_check")]],
            '{"delay_seconds":0,"http":{"path":"/","port":31000},"type":"HTTP"}' },
        { "is checked at a port by its name", [[info({ command = "x", ports = { "a", "b" }, health = { tcp = true, port = "b",
            failures = 2, grace = 1, interval = 3, timeout = 4, delay = 5 } }, "health_check")]],
            '{"consecutive_failures":2,"delay_seconds":5,"grace_period_seconds":1,"interval_seconds":3,'
            .. '"tcp":{"port":31001},"timeout_seconds":4,"type":"TCP"}' },
        { "is checked by a command", [[info({ command = "x", health = { command = "true" }, check = { command = "ls" } },
            "health_check") .. info({ command = "x", check = { command = "ls" } }, "check")]],
            '{"command":{"value":"true"},"delay_seconds":0,"type":"COMMAND"}'
            .. '{"command":{"command":{"value":"ls"}},"delay_seconds":0,"type":"COMMAND"}' },
        { "has a grace period and a time-out", [[info({ command = "x", grace = 1.5 }, "kill_policy")
            .. info({ command = "x", timeout = 60 }, "max_completion_time")]],
            '{"grace_period":{"nanoseconds":1500000000}}{"nanoseconds":60000000000}' },
        { "is called as its id, or by its name", [[task.build({ command = "x" }, "t", "a", {}).name
            .. task.build({ command = "x", name = "n" }, "t", "a", {}).name]], "tn" },
        { "needs a tenth of a cpu and 32 MB by default", [[json.encode(task.need { command = "x" })]], '{"cpus":0.1,"mem":32}' },
        { "needs what it says", [[json.encode(task.need { command = "x", cpus = 2, mem = 64, disk = 1, gpus = 1, ports = { "a", "b" },
            attributes = { rack = "a" }, role = "r", revocable = true, resources = { fpga = 1 } })]],
            '{"attributes":{"rack":"a"},"cpus":2,"disk":1,"fpga":1,"gpus":1,"mem":64,"ports":2,"revocable":true,"role":"r"}' },
        -- what is wrong
        { "refuses a misspelt field", [[fails(task.check, { comand = "x" })]],
            "task.comand: unknown field (did you mean 'command'?)", true },
        { "names the line", [[fails(function() task.check({}) end)]], "rows.lua:", true },
        { "wants something to run", [[fails(task.check, {}, "jobs.a")]], "jobs.a: a command, argv, image or executor expected", true },
        { "wants one thing to run", [[fails(task.check, { command = "x", argv = { "y" } })]],
            "task: command is for a shell, argv for none; it has both", true },
        { "wants a program", [[fails(task.check, { argv = {} })]], "task.argv: a program expected, got an empty list", true },
        { "wants texts as arguments", [[fails(task.check, { argv = { "a", 1 } })]], "task.argv[2]: a string expected, got 1", true },
        { "wants texts in the environment", [[fails(task.check, { command = "x", env = { A = {} } })]],
            "task.env.A: a string or a number or a boolean expected, got a table", true },
        { "wants names in the environment", [[fails(task.check, { command = "x", env = { "A=1" } })]],
            "task.env: a name: a string expected, got 1", true },
        { "wants one kind of check", [[fails(task.check, { command = "x", health = {} })]],
            "task.health: one of command, http and tcp expected, got none", true },
        { "wants one kind of check, not two", [[fails(task.check, { command = "x", health = { command = "a", tcp = true } })]],
            "task.health: one of command, http and tcp expected, got several", true },
        { "knows the names of ports", [[fails(task.check, { command = "x", ports = { "http" }, health = { http = "/", port = "htp" } })]],
            "task.health.port: 'htp' is no name of the task's ports (did you mean 'http'?)", true },
        { "misses ports", [[fails(task.check, { command = "x", health = { http = "/" } })]],
            "task.health: which port? The task has no ports", true },
        { "refuses a misspelt URI", [[fails(task.check, { command = "x", uris = { { valu = "a" } } })]],
            "task.uris[1].valu: unknown field (did you mean 'value'?)", true },
        { "refuses an image beside a container", [[fails(task.check, { image = "x", container = {} })]],
            "task: image makes a container, and there is one already", true },
    }
end)

describe("mesos.resources", function()
    after_each(program.cleanup)

    block {
        { "reads and writes text", [[resources.format "ports:[31000-31001,31005-31005]; cpus:0.5;mem(web):64"]],
            "ports:[31000-31001, 31005-31005];cpus:0.5;mem(web):64" },
        { "takes amounts", [[resources.format { cpus = 0.5, ports = { { 1, 2 } } }]], "cpus:0.5;ports:[1-2]" },
        { "adds in thousandths", [[(function() local sum = {} for _ = 1, 10 do sum = resources.add(sum, "cpus:0.1") end
            return resources.format(sum) end)()]], "cpus:1" },
        { "adds several", [[resources.format(resources.add("cpus:1", { mem = 1 }, "cpus:2;ports:[1-2]"))]], "cpus:3;mem:1;ports:[1-2]" },
        { "subtracts down to nothing", [[resources.format(resources.subtract("cpus:1;ports:[1-4]", "cpus:2;ports:[2-3];mem:1"))]],
            "ports:[1-1, 4-4]" },
        { "keeps kinds apart", [[resources.format(resources.subtract("cpus:1;cpus(web):2", "cpus(web):1"))]], "cpus:1;cpus(web):1" },
        { "knows what contains what", [[table.concat({ tostring(resources.contains("cpus:1;mem:2", { cpus = 1 })),
            tostring(resources.contains("cpus:1", "cpus:1.001")), tostring(resources.contains("cpus:1", "cpus(web):1")),
            tostring(resources.contains("ports:[1-9]", "ports:[3-4]")) }, " ")]], "true false false true" },
        { "sums and counts", [[table.concat({ resources.quantity("cpus:1;cpus(web):2", "cpus"),
            resources.quantity("ports:[1-3,7-7]", "ports"), resources.quantity("cpus:1", "mem") }, " ")]], "3.0 4.0 0.0" },
        { "compares", [[tostring(resources.equal("cpus:1;mem:1", { mem = 1, cpus = 1 })) .. tostring(resources.equal("cpus:1", "cpus:2"))]],
            "truefalse" },
        { "names what is wrong", [[fails(resources.add, "cpus:1", { { name = "cpus", typ = "SCALAR" } })]],
            "b[1]: unknown field 'typ' in Resource (did you mean 'type'?)", true },
        { "uses Mesos's words", [[fails(resources.add, { { name = "cpus", type = "SCALAR", scalar = -1 } }, "cpus:1")]],
            "a[1]: Resource 'cpus:-1' is invalid: Invalid scalar resource: value <= 0", true },
        { "names what is wrong in a text", [[fails(resources.parse, "cpu:1")]], "mesos.resources: ", true },
        { "wants resources", [[fails(resources.format, 7)]], "table expected, got number", true },
    }
end)

describe("mesos.json", function()
    after_each(program.cleanup)

    block {
        { "writes and reads", [[json.encode(json.decode '{"b":[1,2.5,{}],"a":null}')]], '{"b":[1,2.5,[]]}' },
        { "indents", [[json.encode({ a = 1 }, { indent = 2 })]], '{\n  "a": 1\n}' },
        { "writes null", [[json.encode { a = json.null }]], '{"a":null}' },
        { "reads null as it is told", [[tostring(json.decode("[null]", json.null)[1] == json.null)]], "true" },
        { "tells where a text is wrong", [[select(2, json.decode '{"a":}')]], "line 1, column 6: unexpected token near '}'" },
        { "tells what it cannot write", [[fails(json.encode, { a = { print } })]], "the value.a[1] is a function", true },
    }
end)
