-- SPDX-License-Identifier: Apache-2.0
--
-- Several processes with --elect: one leads and runs the script, the others take over with the framework's id and
-- mesos.state. A real ZooKeeper with short sessions, and a scripted master whose tasks outlive its frameworks.

local master = require("support.master")
local program = require("support.program")
local internals = require("internals")
local uv = require("luv")
local zookeeper = require("support.zookeeper")

local TIMEOUT = 2 -- of the sessions, in seconds

-- All processes write to one journal, a line at a time.
local SCRIPT = [[
local mesos = require "mesos"
local name, path = ...
local journal = assert(io.open(path, "a"))
local function note(...) journal:write(name, " ", table.concat({ ... }, " "), "\n") journal:flush() end
local state = mesos.state
state.term, state.launched, state.tasks = (state.term or 0) + 1, state.launched or 0, state.tasks or {}
local resources = mesos.resources "cpus:0.1;mem:32"
local scheduler = { framework = { name = "elected", failover_timeout = 60 } }
note("begins", state.term, state.launched)
function scheduler:registered(_, id) note("registered", id) end
function scheduler:resourceOffers(driver, offers)
    for _, offer in ipairs(offers) do
        state.launched = state.launched + 1
        local id = "t" .. state.launched
        state.tasks[id] = "launched"
        driver:launchTasks(offer.id, { { name = id, task_id = id, agent_id = offer.agent_id,
            command = { value = "true" }, resources = resources } })
    end
end
function scheduler:statusUpdate(_, status)
    state.tasks[status.task_id] = status.state
    note("update", status.task_id, status.state)
end
function scheduler:frameworkMessage(_, _, _, data)
    if data == "grow" then state.big = ("x"):rep(1000000) return end
    if data == "shrink" then state.big = nil return end
    for id, last in pairs(state.tasks) do note("task", id, last) end
    note("told")
end
mesos.every(0.02, function() note("lives") end)
return scheduler
]]

describe("--elect", function()
    local zk, m, journal, address, script, tasks, ticker, offered
    local paths = 0

    setup(function()
        zk = zookeeper.start()
    end)

    teardown(function()
        zk:stop()
    end)

    -- Tasks run for good; their one update is sent again until it is acknowledged.
    local function tick()
        if not m.stream or m.stream.connection.closed then
            return
        end
        for _, task in pairs(tasks) do
            if not task.acknowledged and task.stream ~= m.stream then
                task.stream = m.stream
                m:send(task.event)
            end
        end
        m:send_offers()
        offered = offered + 1
    end

    before_each(function()
        paths = paths + 1
        address = ("zk://%s/elect-%d/a"):format(zk.address, paths)
        journal, script, tasks, offered = program.directory() .. "/journal", program.script(SCRIPT), {}, 0
        m = master.start()
        m:answer("ACCEPT", function(call)
            for _, operation in ipairs(call.accept.operations) do
                for _, info in ipairs(operation.launch.task_infos) do
                    assert(not tasks[info.task_id], "launched twice: " .. info.task_id)
                    tasks[info.task_id] = { event = m:update(info, "TASK_RUNNING") }
                end
            end
            return true
        end)
        m:answer("ACKNOWLEDGE", function(call)
            tasks[call.acknowledge.task_id].acknowledged = true
            return true
        end)
        ticker = uv.new_timer()
        ticker:start(50, 50, tick)
    end)

    after_each(function()
        ticker:close()
        zk:thaw()
        program.cleanup()
        master.cleanup()
    end)

    local function start(name, options)
        options = options or {}
        return program.start { args = {
            "--master", m.address, "--elect", options.address or address, "--zk-session-timeout", tostring(TIMEOUT),
            "--registration-backoff", options.backoff or "50ms", "--answer-timeout", "10s", "--no-watch", script, name, journal,
        } }
    end

    local function lines()
        local all = {}
        for name, what in (program.read(journal) or ""):gmatch("(%S+) ([^\n]*)\n") do
            all[#all + 1] = { name = name, what = what }
        end
        return all
    end

    -- The processes that have begun so far, in order; none may do anything after another one has begun.
    local function leaders()
        local names = {}
        for _, line in ipairs(lines()) do
            if line.what:find("^begins") then
                names[#names + 1] = line.name
            else
                assert.equal(names[#names], line.name, "two lead")
            end
        end
        return names
    end

    local function wait_for_leader(n, run)
        return program.wait_for(function()
            return leaders()[n]
        end, nil, function()
            return run and run:report() or "no process leads"
        end)
    end

    -- The leader of now has been given something to do.
    local function wait_for_work()
        local before = 0
        for _ in pairs(tasks) do
            before = before + 1
        end
        program.wait_for(function()
            local count, all = 0, true
            for _, task in pairs(tasks) do
                count, all = count + 1, all and task.acknowledged
            end
            return count > before
        end)
    end

    local function check_tasks()
        m:send { type = "MESSAGE", message = { agent_id = "a", executor_id = "e", data = "tell" } }
        program.wait_for(function()
            return (program.read(journal) or ""):find(" told\n", 1, true)
        end)
        local known = {}
        for _, line in ipairs(lines()) do
            local id = line.what:match("^task (%S+)")
            known[id or ""] = true
        end
        for id in pairs(tasks) do
            assert.is_true(known[id], id .. " is lost")
        end
    end

    it("has one leader after another while each is killed, and loses nothing", function()
        local runs, number = {}, 0
        local function add()
            number = number + 1
            local name = "p" .. number
            runs[name] = start(name)
        end
        add()
        wait_for_leader(1, runs.p1)
        add()
        for _ = 1, 6 do
            wait_for_work()
            local names = leaders()
            local run = runs[names[#names]]
            run:kill("sigkill")
            run:wait()
            add()
            wait_for_leader(#leaders() + 1)
        end
        wait_for_work()
        check_tasks()
        local subscribes = m:calls_of("SUBSCRIBE")
        for i = 2, #subscribes do
            assert.equal(m.framework_id, subscribes[i].call.framework_id)
        end
        local terms = 0
        for _, line in ipairs(lines()) do
            local term = line.what:match("^begins (%d+)")
            terms = terms + (term and 1 or 0)
            assert.is_true(not term or tonumber(term) == terms, "mesos.state was not carried")
        end
        assert.is_true(terms >= 7 and terms == #leaders()) -- more, if the machine was too busy for a session
    end)

    it("hands over at once when the leader ends in an orderly way", function()
        local first = start("first")
        wait_for_leader(1, first)
        wait_for_work()
        local second = start("second")
        second:wait_for("another process leads at 127.0.0.1:%d+/elect%-%d+/a; waiting")
        first:kill()
        assert.equal(0, first:wait())
        assert.equal("second", wait_for_leader(2, second))
        wait_for_work()
        check_tasks()
        second:kill()
        assert.equal(0, second:wait())
    end)

    it("ends a process that waits, by a signal", function()
        wait_for_leader(1, start("first"))
        local second = start("second")
        second:wait_for("waiting")
        second:kill()
        assert.equal(0, second:wait())
        assert.same({ "first" }, leaders())
    end)

    -- A process that is stopped between the look at its clock and the write to its socket sends that one call when it
    -- wakes, and a master refuses it for its stream. So each offer is answered when the signal comes, and it wakes to
    -- more of them.
    local function stop_between_calls(run)
        ticker:stop()
        program.wait_for(function()
            local waits = offered - #m:calls_of("ACCEPT")
            for _, task in pairs(tasks) do
                waits = waits + (task.stream and not task.acknowledged and 1 or 0)
            end
            return waits == 0
        end)
        run:kill("sigstop")
        ticker:start(50, 50, tick)
    end

    it("stops a leader that was asleep for too long, and it waits again", function()
        local first = start("first")
        wait_for_leader(1, first)
        wait_for_work()
        local second = start("second")
        second:wait_for("waiting")
        stop_between_calls(first)
        wait_for_leader(2, second)
        m:wait_for("SUBSCRIBE", 2)
        local before, stream = #m.calls, m.stream.id
        first:kill("sigcont")
        first:wait_for("leadership lost")
        first:wait_for("waiting")
        wait_for_work()
        for i = before + 1, #m.calls do
            local call = m.calls[i] -- of the new leader alone
            assert.equal(stream, call.request:header("Mesos-Stream-Id"), call.type)
        end
        second:kill("sigkill")
        program.wait_for(function()
            local names = {}
            for _, line in ipairs(lines()) do
                names[#names + 1] = line.what:find("^begins") and line.name
            end
            return names[3] == "first"
        end)
        wait_for_work()
        check_tasks()
    end)

    it("does not let a leader subscribe that was asleep for too long", function()
        local first = start("first", { backoff = "300ms" }) -- it tries again sooner than it looks at ZooKeeper
        wait_for_leader(1, first)
        wait_for_work()
        m:answer("SUBSCRIBE", 503, "not yet")
        m:drop()
        first:wait_for("not yet.*not yet")
        first:kill("sigstop")
        local due = uv.hrtime() + 2 * TIMEOUT * 1e9
        program.wait_for(function()
            return uv.hrtime() > due
        end)
        local before = #m:calls_of("SUBSCRIBE")
        first:kill("sigcont")
        -- Whichever timer is due first, the one that looks at ZooKeeper or the one that subscribes.
        first:wait_for("leadership lost")
        assert.equal(before, #m:calls_of("SUBSCRIBE"))
        m:answer("SUBSCRIBE", nil)
        m:wait_for("SUBSCRIBE", before + 1)
    end)

    it("stops the leader when ZooKeeper falls silent, before its session can end", function()
        local first = start("first")
        wait_for_leader(1, first)
        wait_for_work()
        zk:freeze()
        first:wait_for("leadership lost: ZooKeeper did not answer in time", TIMEOUT)
        local count = #lines()
        zk:thaw()
        wait_for_leader(2, first)
        assert.is_true(count < #lines())
        wait_for_work()
        check_tasks()
    end)

    it("says so when mesos.state is too large, and goes on when it is not any more", function()
        local first = start("first")
        wait_for_leader(1, first)
        wait_for_work()
        m:send { type = "MESSAGE", message = { agent_id = "a", executor_id = "e", data = "grow" } }
        first:wait_for("mesos.state cannot be kept in ZooKeeper, and calls wait until it can: [^\n]* more than 900000 bytes")
        m:send { type = "MESSAGE", message = { agent_id = "a", executor_id = "e", data = "shrink" } }
        wait_for_work()
        check_tasks()
        first:kill()
        assert.equal(0, first:wait())
    end)

    it("ends with a status when mesos.state is too large at the end", function()
        local first = start("first")
        wait_for_leader(1, first)
        wait_for_work()
        m:send { type = "MESSAGE", message = { agent_id = "a", executor_id = "e", data = "grow" } }
        first:wait_for("more than 900000 bytes")
        first:kill()
        assert.equal(1, first:wait())
        assert.matches("mesos.state is not kept in ZooKeeper as it was at the end", first.stderr)
    end)

    it("leaves alone what it cannot read", function()
        local client = zk:client()
        client:create("/elect-" .. paths)
        client:create("/elect-" .. paths .. "/a")
        client:create("/elect-" .. paths .. "/a/state", "something else")
        local first = start("first")
        assert.equal(2, first:wait())
        assert.matches("%-%-elect: the node '[^']*/state' in ZooKeeper cannot be used: it is not a state file",
            first.stderr)
        assert.equal("something else", client:get("/elect-" .. paths .. "/a/state"))
        client:close()
    end)

    it("keeps the document that --state keeps", function()
        local first = start("first")
        wait_for_leader(1, first)
        wait_for_work()
        first:kill()
        assert.equal(0, first:wait())
        local client = zk:client()
        local ok, id, state = internals.state_file_read(client:get("/elect-" .. paths .. "/a/state"))
        client:close()
        assert.is_true(ok)
        assert.equal(m.framework_id, id)
        assert.equal(1, select(2, internals.serialize_load(state)).term)
    end)

    it("refuses a wrong address, and --state beside it", function()
        local wrong = start("first", { address = "127.0.0.1:2181" })
        assert.equal(2, wrong:wait())
        assert.matches("%-%-elect: ", wrong.stderr)
        local both = program.run { args = { "--elect", address, "--state", journal .. ".state", script } }
        assert.equal(2, both.code)
        assert.matches("with %-%-elect the state is kept in ZooKeeper", both.stderr)
    end)
end)
