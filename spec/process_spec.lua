-- SPDX-License-Identifier: Apache-2.0
--
-- mesos.process: a child that runs beside the script: its end and its output, signals to it, and that it ends with its
-- script.

local program = require("support.program")

after_each(program.cleanup)

-- A command of the shell that waits until open() was called.
local HEAD = [[
local mesos = require "mesos"
local GATE = "until test -e $HOME/gate; do sleep 0.02; done"
local function open() io.open(os.getenv("HOME") .. "/gate", "w"):close() end
local function show(result, message, code)
    local r = result or {}
    print(r.status, r.signal, message, code)
end
]]

-- Runs the text in a spawned function; the program ends behind it.
local function run_spawned(text, options)
    options = options or {}
    local args = { "-m", program.NO_MASTER }
    table.move(options.args or {}, 1, #(options.args or {}), 3, args)
    args[#args + 1] = program.script(HEAD .. "mesos.spawn(function()\n" .. text .. "\nos.exit(0)\nend)\nreturn {}")
    return program.run { args = args }
end

describe("mesos.process", function()
    local rows = {
        { "gives the status", [[show(mesos.process { "sh", "-c", "exit 3" }:wait())]], "3\tnil\tnil\tnil\n" },
        { "gives the signal", [[show(mesos.process { "sh", "-c", "kill -TERM $$" }:wait())]], "nil\t15\tnil\tnil\n" },
        { "gives the end to all that wait, and again", [[
            local p = mesos.process { "sh", "-c", "sleep 0.2; exit 4" }
            for i = 1, 3 do mesos.spawn(function() print(i, p:wait().status) end) end
            mesos.sleep(0.01) show(p:wait()) show(p:wait())]], "1\t4\n2\t4\n3\t4\n4\tnil\tnil\tnil\n4\tnil\tnil\tnil\n" },
        { "waits no longer than it is told", [[
            local p = mesos.process { "sleep", "60" }
            show(p:wait(0.05)) show(p:wait(0)) print(p:kill("KILL")) show(p:wait()) print(p:kill(), p:pid(), p)]],
            "nil\tnil\t'sleep' still runs\tETIMEDOUT\nnil\tnil\t'sleep' still runs\tETIMEDOUT\ntrue\nnil\t9\tnil\tnil\n"
            .. "false\tnil\tprocess 'sleep' (ended)\n" },
        { "sends signals", [[
            local got = {}
            local p = mesos.process({ "sh", "-c", "trap 'echo usr1' USR1; trap 'echo term; exit 5' TERM; echo ready; " ..
                "while :; do sleep 0.02; done" }, { stdout = function(text) got[#got + 1] = text end })
            local function await(word) while not table.concat(got):find(word) do mesos.sleep(0.01) end end
            await("ready") print(math.type(p:pid()), p:kill("SIGUSR1")) await("usr1") print(p:kill()) show(p:wait())
            io.write(table.concat(got))]], "integer\ttrue\ntrue\n5\tnil\tnil\tnil\nready\nusr1\nterm\n" },
        { "hands its outputs on", [[
            local out, err = {}, {}
            local p = mesos.process({ "sh", "-c", "echo a; echo x >&2; " .. GATE .. "; echo b" },
                { stdout = function(text) out[#out + 1] = text open() end, stderr = function(text) err[#err + 1] = text end })
            show(p:wait())
            print(#out, table.concat(out):gsub("\n", "|"), table.concat(err))]], "0\tnil\tnil\tnil\n2\ta|b|\tx\n\n" },
        { "hands on all of it, in order, also to a function that waits", [[
            local sum, size, running = 0, 0, false
            local p = mesos.process({ "sh", "-c", "seq 1 200000" }, { stdout = function(text)
                assert(not running) running = true
                size = size + #text
                for _ in text:gmatch("\n") do sum = sum + 1 end
                mesos.sleep(0.001) running = false end })
            show(p:wait()) print(sum, size)]], "0\tnil\tnil\tnil\n200000\t1288895\n" },
        { "shares the outputs of the host otherwise", [[show(mesos.process { "sh", "-c", "echo shared; echo too >&2" }:wait())]],
            "shared\n0\tnil\tnil\tnil\n" },
        { "feeds a text, has a folder and variables", [[
            show(mesos.process({ "sh", "-c", "cat; pwd; echo $A" }, { stdin = "fed\n", cwd = "/usr", env = { A = 1 },
                stdout = io.write }):wait())]], "fed\n/usr\n1\n0\tnil\tnil\tnil\n" },
        { "goes on without anyone who holds it", [[
            local late
            mesos.process({ "sh", "-c", GATE .. "; echo late" }, { stdout = function(text) late = text end })
            for i = 1, 10 do collectgarbage() mesos.sleep(0.02) end
            open()
            while not late do collectgarbage() mesos.sleep(0.02) end
            io.write(late)]], "late\n" },
        { "tells what cannot be run", [[show(mesos.process { "no-such-program" }:wait())]],
            "nil\tnil\tcannot run 'no-such-program': no such file or directory\tENOENT\n" },
    }
    for _, row in ipairs(rows) do
        it(row[1], function()
            local run = run_spawned(row[2])
            assert.equal(0, run.code, run:report())
            assert.equal(row[3], run.stdout)
        end)
    end

    local mistakes = {
        { [[mesos.process "ls"]], "mesos.process: a list of the program and its arguments expected" },
        { [[mesos.process {}]], "mesos.process: the list of the program and its arguments is empty" },
        { [[mesos.process({ "ls" }, { stdot = print })]], "'stdot'" },
        { [[mesos.process({ "ls" }, { stdout = "file" })]], "stdout: a function of the output expected, got string" },
        { [[mesos.process { "sleep", "60" }:kill("TRM")]], "signal: a number, or a name such as SIGTERM, expected, got 'TRM'" },
        { [[mesos.process { "sleep", "60" }:stop()]], "a process has no 'stop'" },
        { [[mesos.process { "sleep", "60" }:wait(-1)]], "a number of seconds, 0 or more, expected" },
        { [[mesos:process { "ls" }]], "mesos.process is called with a dot" },
    }
    for _, row in ipairs(mistakes) do
        it("says what is wrong with " .. row[1], function()
            local run = run_spawned("print(select(2, pcall(function() " .. row[1] .. " end)))")
            program.assert_has(run.stdout, row[2])
        end)
    end

    it("is kept from a sandboxed script", function()
        local run = run_spawned([[print(select(2, pcall(function() mesos.process { "ls" } end)))]], { args = { "--sandbox" } })
        program.assert_has(run.stderr .. run.stdout, "sandbox")
    end)

    it("logs what a function of its output raises, and goes on", function()
        local run = run_spawned([[show(mesos.process({ "sh", "-c", "echo a; " .. GATE .. "; echo b" },
            { stdout = function(text) open() error("on purpose: " .. text:sub(1, 1)) end }):wait())]])
        assert.equal("0\tnil\tnil\tnil\n", run.stdout)
        program.assert_has(run.stderr, "output of a process: ", "on purpose: a", "on purpose: b", "stack traceback:")
    end)

    for _, ending in ipairs { "os.exit(0)", "mesos.exit(0)" } do
        it("ends with its script: " .. ending, function()
            local run = run_spawned([[
                local pids
                mesos.process({ "sh", "-c", "sleep 60 & echo $! $$; wait" }, { stdout = function(text) pids = text end })
                while not pids do mesos.sleep(0.02) end
                print(pids) io.stdout:flush() ]] .. ending)
            local child, shell = run.stdout:match("(%d+) (%d+)")
            program.wait_until_gone(tonumber(child))
            program.wait_until_gone(tonumber(shell))
        end)
    end
end)
