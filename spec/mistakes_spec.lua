-- SPDX-License-Identifier: Apache-2.0
--
-- Mistakes that script authors make, each a file of spec/mistakes/ with the message that it gets. The head of a file says
-- when the mistake shows (check, run, reload), what it is, and, behind "says:", what is logged, each line of it a part
-- of the message. Here SCRIPT stands for the path of the script.
--
--   check    mesos-lua check finds it, and the program does not start with it
--   checked  mesos-lua check finds it; the program starts with it
--   warned   mesos-lua check warns of it
--   run      a callback runs into it; the framework goes on
--   told     a callback is warned of it, where it makes the call, which is sent all the same; there are two offers
--   stuck    a callback runs into it and does not return until an operator interrupts it
--   found    the same as run, and mesos-lua check finds it before
--   state    the same, with --state
--   reload   a framework that runs is given this version, and goes on with the one that it has

local control = require("support.control")
local master = require("support.master")
local program = require("support.program")
local lfs = require("lfs")

local FOLDER = "spec/mistakes"

local function read(name)
    local text = assert(program.read(FOLDER .. "/" .. name))
    local when, what = text:match("^%-%- SPDX[^\n]*\n%-%-\n%-%- (%l+): ([^\n]*)%.\n")
    local mistake = { name = name, text = text, when = when, what = what, says = {} }
    local head = text:match("\n%-%- says:\n(.-)\n\n") or ""
    for line in head:gmatch("%-%-   ([^\n]+)") do
        mistake.says[#mistake.says + 1] = line
    end
    return mistake
end

local function check_says(mistake, run, path)
    for _, line in ipairs(mistake.says) do
        local wanted = line:gsub("SCRIPT", (path:gsub("%%", "%%%%")))
        assert.is_truthy(run.stderr:find(wanted, 1, true), ("no '%s' in: %s"):format(wanted, run:report()))
    end
end

local function all_said(mistake, run, path)
    for _, line in ipairs(mistake.says) do
        if not run.stderr:find(line:gsub("SCRIPT", (path:gsub("%%", "%%%%"))), 1, true) then
            return false
        end
    end
    return true
end

local ways = {}

function ways.check(mistake)
    local path = program.script(mistake.text)
    for _, args in ipairs({ { "check", path }, { "--master", "127.0.0.1:1", path } }) do
        local run = program.run({ args = args })
        assert.equal(2, run.code, run:report())
        check_says(mistake, run, path)
    end
end

function ways.checked(mistake)
    local path = program.script(mistake.text)
    local run = program.run({ args = { "check", path } })
    assert.equal(2, run.code, run:report())
    check_says(mistake, run, path)
end

function ways.warned(mistake)
    local path = program.script(mistake.text)
    local run = program.run({ args = { "check", path } })
    assert.equal(0, run.code, run:report())
    check_says(mistake, run, path)
end

-- A framework with this version, which is offered something and told of a task.
local function run_into(mistake, option)
    local m = master.start()
    local path = program.script(mistake.text)
    local run = program.start({ args = { "--master", m.address, option, path } })
    m:wait_for("SUBSCRIBE")
    m:send_offers()
    m:send(m:update("t", "TASK_RUNNING"))
    run:wait_for(" error  [^\n]*\n")
    check_says(mistake, run, path)
    run:kill()
    assert.equal(0, run:wait(), run:report())
end

function ways.run(mistake)
    run_into(mistake, "--log-level=info")
end

function ways.told(mistake)
    local m = master.start()
    local path = program.script(mistake.text)
    local run = program.start({ args = { "--master", m.address, path } })
    m:wait_for("SUBSCRIBE")
    local first, second = m:offer({ id = "offer-1", agent_id = "agent-1" }), m:offer({ id = "offer-2", agent_id = "other" })
    m:send_offers({ first, second })
    m:wait_for("ACCEPT")
    run:wait_for(function()
        return all_said(mistake, run, path)
    end)
    run:kill()
    assert.equal(0, run:wait(), run:report())
    assert.is_nil(run.stderr:find(" error ", 1, true), run:report())
end

function ways.stuck(mistake)
    local m = master.start()
    local path = program.script(mistake.text)
    local run = program.start({ args = { "--master", m.address, "--callback-warn", "0.2", path } })
    m:wait_for("SUBSCRIBE")
    m:send_offers()
    run:wait_for("is slow")
    control.ctl(run, { "interrupt" })
    run:wait_for(" error  [^\n]*\n")
    check_says(mistake, run, path)
    run:kill()
    assert.equal(0, run:wait(), run:report())
end

function ways.found(mistake)
    local path = program.script(mistake.text)
    local run = program.run({ args = { "check", path } })
    assert.equal(2, run.code, run:report())
    local said = { says = {} }
    for i, line in ipairs(mistake.says) do
        said.says[i] = line:gsub("^callback %a+: ", "")
    end
    check_says(said, run, path)
    ways.run(mistake)
end

function ways.state(mistake)
    run_into(mistake, "--state=" .. program.directory() .. "/state")
end

function ways.reload(mistake)
    local m = master.start()
    local path = program.script('return { framework = { name = "x", failover_timeout = 60 } }')
    local run = program.start({ args = { "--master", m.address, path } })
    m:wait_for("SUBSCRIBE")
    run:wait_for("registered with")
    local file <close> = assert(io.open(path, "w"))
    file:write(mistake.text)
    file:close()
    run:wait_for("not reloaded")
    check_says(mistake, run, path)
    run:kill()
    assert.equal(0, run:wait())
end

describe("a mistake:", function()
    after_each(function()
        control.cleanup()
        program.cleanup()
        master.cleanup()
    end)

    local count = 0
    for name in lfs.dir(FOLDER) do
        if name:find("%.lua$") then
            local mistake = read(name)
            count = count + 1
            it(("%s (%s)"):format(mistake.what or "?", name), function()
                assert.is_truthy(ways[mistake.when], name .. " says no way to show it")
                assert.is_true(#mistake.says > 0, name .. " says nothing")
                ways[mistake.when](mistake)
            end)
        end
    end

    it("there are more than twenty of them", function()
        assert.is_true(count > 20)
    end)
end)
