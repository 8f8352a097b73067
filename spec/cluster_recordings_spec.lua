-- SPDX-License-Identifier: Apache-2.0
--
-- The recorded calls of a real master's clients, sent to the local cluster in their order: it answers with the status and
-- the words of a real master, and sends the same events in the same order. What is different stands in EXCEPTIONS, each
-- with its reason; an exception that no longer occurs fails, too.

local program = require("support.program")
local recorded = require("support.recorded_calls")
local replay = require("support.cluster_replay")
local zookeeper = require("support.zookeeper")

local CREDENTIALS = { { principal = "test", secret = "s3cret" }, { principal = "other", secret = "pw" } }

-- What the recorder says that it does to agents, and the fault that it is here.
local ACTS = {
    ["agent1 gets SIGKILL"] = function(run) run:agent_fault("kill", "agent1.test") end,
    ["agent1 is started again"] = function(run) run:agent_fault("heal", "agent1.test") end,
    ["agent1 gets SIGUSR1"] = function(run) run:agent_fault("remove", "agent1.test") end,
}
-- Those of several masters. Agents are behind a broken network until the new leader has been asked about their tasks: those
-- of the recording waited as long.
local zk
local MASTERS = {
    ["==== the leader gets SIGKILL"] = function(run)
        run:fault("partition all")
        run:fault("failover for 1500ms")
    end,
    ["==== ZooKeeper is stopped"] = function() zk:kill() end,
}
local LOSSES = { options = { "--agent-timeout", "3" } }

-- What the executor of the recordings does, which was written in Python.
local EXECUTOR = [[
local mesos = require "mesos"
local running, executor = {}, {}

local function update(driver, id, state, message)
    running[id] = state == "TASK_RUNNING" or nil
    local data = running[id] and "\0\1binary\255" or nil
    driver:sendStatusUpdate { task_id = id, state = state, message = message, data = data }
end

local function own_process()
    local stat <close> = io.open("/proc/self/stat")
    return stat:read("n")
end

function executor:launchTask(driver, task)
    update(driver, task.task_id, "TASK_RUNNING", "running in the custom executor")
end

function executor:killTask(driver, id)
    update(driver, id, "TASK_KILLED", "killed by the custom executor")
end

function executor:shutdown(driver)
    local ids = {}
    for id in pairs(running) do ids[#ids + 1] = id end
    table.sort(ids)
    for _, id in ipairs(ids) do update(driver, id, "TASK_KILLED", "killed on SHUTDOWN") end
end

function executor:frameworkMessage(driver, data)
    local task, status = data:match("^finish (%w+)$"), data:match("^exit (%d+)$")
    if task then
        update(driver, task, "TASK_FINISHED", "finished on request")
    elseif status or data == "signal" then
        driver:sendFrameworkMessage("bye")
        mesos.sleep(0.2)
        if status then os.exit(tonumber(status)) end
        mesos.exec { "kill", "-SEGV", tostring(own_process()) }
    else
        driver:sendFrameworkMessage("echo:" .. data)
    end
end

return executor]]

-- See support/cluster_replay.lua.
local SCENARIOS = {
    { name = "01-subscribe-offers", agents = { 1, 2, 3 } },
    { name = "02-roles-constraints", agents = { 1, 2, 3 } },
    {
        name = "03-decline-revive-suppress", agents = { 1, 2 },
        restarts = { [24] = { agents = { 1 }, options = { "--offer-timeout", "3" } } },
    },
    { name = "04-command-task", agents = { 1, 2 } },
    { name = "04b-update-retry", agents = { 1 } },
    { name = "05-failed-killed", agents = { 1, 2 }, pauses = { [22] = 0 } },
    { name = "06-launch-errors", agents = { 1, 2 } },
    {
        name = "08-custom-executor", agents = { 1 },
        commands = {
            ['exec /usr/bin/python3 "$TEST_EXECUTOR"'] = ("exec %s executor -q %s"):format(program.path,
                program.script(EXECUTOR, "executor.lua")),
        },
    },
    {
        name = "09-agent-lost", agents = { 2, 1 }, options = LOSSES.options, acts = ACTS,
        restarts = {
            [10] = LOSSES, [19] = LOSSES, [28] = LOSSES, [37] = LOSSES, [43] = LOSSES,
            [49] = { options = { "--agent-timeout", "20" } },
        },
    },
    { name = "10-reconcile", agents = { 1, 2 } },
    { name = "14-failover", agents = { 2, 1 }, together = 35, pauses = { [18] = 6.5, [9] = 1 } },
    {
        name = "15-http-errors", agents = { 1 }, options = { "--allow-host", "x" },
        restarts = { [139] = { credentials = CREDENTIALS }, [155] = { credentials = CREDENTIALS }, [161] = {} },
    },
    {
        name = "16-ha", agents = { 2, 1 }, masters = { "127.0.0.1:15050", "127.0.0.1:15060" }, acts = MASTERS,
        polls = { [6] = true, [28] = true, [29] = true },
        after = { [5] = function() zk:thaw() end, [33] = function(run) run:fault("heal all") end },
    },
}

-- What may differ: the differences of a scenario (without one: of each) that have one of the `words` in them, and why. The
-- reasons stand in CONFORMANCE.md. `sometimes`: it is a matter of chance.
local EXCEPTIONS = {
    {
        scenario = "02-roles-constraints", words = { "Failed to construct regex from pattern '('" },
        reason = "regular expressions are POSIX's, not RE2's, and so are the words about a wrong one",
    },
    {
        scenario = "03-decline-revive-suppress", words = { "stream 1, OFFERS", "stream 1: agent" }, sometimes = true,
        reason = "a real master takes the agents in random order, so that of two roles either may get the first one",
    },
    {
        scenario = "05-failed-killed", words = { "UPDATE no-such-binary" },
        reason = "a command that cannot be started has no process whose number could be told, and its message says why",
    },
    {
        scenario = "05-failed-killed", words = { "UPDATE killed-early" }, sometimes = true,
        reason = "the executor of commands starts at once, so that a task can hardly be killed before it is there",
    },
    {
        scenario = "09-agent-lost", words = { "UPDATE short" },
        reason = "a task that ends while its agent is down ends as it does; a real agent only finds its executor gone",
    },
    {
        scenario = "10-reconcile", words = { "UPDATE fresh" }, sometimes = true,
        reason = "the executor of commands starts at once, so that a task is hardly ever seen as TASK_STAGING",
    },
    {
        scenario = "15-http-errors", words = { "exchange 89:" },
        reason = "a path below /api/v1/ that there is not is 404; a real master hands it to its operator's API",
    },
    {
        scenario = "15-http-errors", words = { "exchange 92:" },
        reason = "the answer to a request of HTTP/1.0 says Connection: close",
    },
    {
        scenario = "15-http-errors", words = { "exchange 94:" },
        reason = "the recorded bytes cut the framework's id, which is another one here, into two chunks",
    },
    {
        scenario = "15-http-errors", words = { "exchange 97:", "exchange 99:", "exchange 102:" },
        reason = "what is no HTTP, or a header of 100 kB, is answered in HTTP or left alone; a real master closes at once",
    },
    {
        scenario = "15-http-errors", words = { "exchange 103:", "exchange 104:" },
        reason = "a body with Content-Encoding: gzip is taken as it is",
    },
    {
        scenario = "15-http-errors",
        words = { "stream 50", "exchange 159:", "stream 51", "stream 52", "exchange 161:", "stream 53" },
        reason = "there are no rules of who may use which role or user",
    },
    {
        scenario = "15-http-errors", words = { "exchange 163:", "exchange 164:", "exchange 165:" },
        reason = "it listens once it can answer: no 404 and no 503 at its start",
    },
    {
        scenario = "15-http-errors", words = { "exchange 167:", "stream 54 ends" },
        reason = "a Call of type UNKNOWN is answered; it ends a real master",
    },
    {
        scenario = "16-ha", words = { "stream 8, UPDATE unacked TASK_RUNNING" },
        sometimes = true, -- ten seconds later the agent repeats it, which a busy machine may take for the second one
        reason = "an agent that registers with a new master sends an update that is not acknowledged once, not twice",
    },
}

local function concerns(exception, scenario)
    return not exception.scenario or exception.scenario == scenario
end

local function find_exception(scenario, difference)
    for _, exception in ipairs(EXCEPTIONS) do
        for i, words in ipairs(concerns(exception, scenario) and exception.words or {}) do
            if difference:find(words, 1, true) then
                return exception, i
            end
        end
    end
end

local function unexpected(scenario, differences)
    local list = {}
    for _, difference in ipairs(differences) do
        local exception, i = find_exception(scenario, difference)
        if exception then
            exception.used = exception.used or {}
            exception.used[i] = true
        else
            list[#list + 1] = difference
        end
    end
    return list
end

describe("the recording", function()
    if program.patience > 1 then
        it("is replayed at the pace of a real cluster", function()
            pending("a program with sanitizers does not keep that pace")
        end)
        return
    end
    local differences

    -- ZooKeeper cannot be reached at first.
    local function run(scenarios)
        for _, scenario in ipairs(scenarios) do
            if scenario.masters then
                zk = zookeeper.start()
                zk:freeze()
                scenario.options = { "--masters", "2", "--zk", "zk://" .. zk.address .. "/mesos", "--zk-session-timeout", "3",
                    "--agent-timeout", "60" }
            end
        end
        local found = replay.run(scenarios)
        if zk then
            zk:stop()
            zk = nil
        end
        return found
    end

    -- How the rounds of the allocator lay to the calls is not recorded, and changes what is in an offer: a difference
    -- counts if it comes again.
    setup(function()
        differences = run(SCENARIOS)
        local again = {}
        for _, scenario in ipairs(SCENARIOS) do
            if #unexpected(scenario.name, differences[scenario.name]) > 0 then
                again[#again + 1] = scenario
            end
        end
        for name, list in pairs(run(again)) do
            differences[name] = list
        end
    end)

    teardown(program.cleanup)

    for _, scenario in ipairs(SCENARIOS) do
        it(scenario.name .. " gets the same answers and events from the local cluster", function()
            local list = unexpected(scenario.name, differences[scenario.name])
            assert.equal("", table.concat(list, "\n"))
        end)
    end

    it("of each scenario takes part", function()
        local named = {}
        for _, scenario in ipairs(SCENARIOS) do
            named[scenario.name] = true
        end
        for _, name in ipairs(recorded.scenarios()) do
            assert.is_truthy(named[name], name)
        end
    end)

    it("has no exception that does not occur, and none that CONFORMANCE.md does not name", function()
        local list = program.read("spec/CONFORMANCE.md")
        for _, exception in ipairs(EXCEPTIONS) do
            for i, words in ipairs(exception.words) do
                assert.is_truthy(exception.sometimes or (exception.used and exception.used[i]), words)
            end
            program.assert_has(list, exception.reason)
        end
    end)
end)
