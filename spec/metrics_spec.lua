-- SPDX-License-Identifier: Apache-2.0
--
-- What monitoring sees: the text that Prometheus reads, checked line by line against its grammar and by the rules of
-- promtool's check, and the JSON beside it.

local cjson = require("cjson")
local control = require("support.control")
local master = require("support.master")
local program = require("support.program")
local uv = require("luv")

local function start(args, text)
    local m = master.start()
    local words = { "--master", m.address, "--metrics", "127.0.0.1:0" }
    table.move(args or {}, 1, #(args or {}), #words + 1, words)
    words[#words + 1] = program.script(text or [[
        return { framework = { name = "measured" }, statusUpdate = function(_, _, status)
            if status.state == "TASK_LOST" then error("lost") end
        end, resourceOffers = function(_, driver, offers)
            require("mesos").sleep(0.02)
            driver:launchTasks(offers[1].id, { { name = "t", task_id = "t", agent_id = offers[1].agent_id,
                command = { value = "true" }, resources = require("mesos").resources { cpus = 0.1, mem = 32 } } })
        end }
    ]])
    local run = program.start { args = words }
    local url = run:wait_for("metrics are at (http://[%d.:]+)/metrics")
    run:wait_for("registered with")
    return run, m, url
end

-- { status =, type =, body = }
local function get(url, ...)
    local done = program.run { path = "/usr/bin/curl", args = { url, "-s", "-i", "--max-time", "5", ... } }
    local head, body = done.stdout:match("^(.-)\r\n\r\n(.*)$")
    assert(head, done:report())
    return { status = tonumber(head:match("^HTTP/%S+ (%d+)")), type = head:match("Content%-Type: ([^\r]+)"), body = body }
end

-- Parses "name{label="value",...} number": name, labels, value.
local function sample(line)
    local name, rest = line:match("^([%a_][%w_]*)(.*)$")
    assert(name, line)
    local labels = {}
    if rest:sub(1, 1) == "{" then
        local inside, behind = rest:match("^{(.-)}(.*)$")
        for label, value, separator in inside:gmatch('([%a_][%w_]*)="([^"\\\n]*)"(,?)') do
            assert(not labels[label], line)
            labels[label], inside = value, inside:sub(#label + #value + 4 + #separator)
        end
        assert.equal("", inside, line)
        rest = behind
    end
    local value = rest:match("^ (%S+)$")
    return name, labels, assert(value == "+Inf" and math.huge or tonumber(value), line)
end

-- Families by name: { type =, help =, samples = { { name =, labels =, value = }, ... } }, in the strict form.
local function parse(text)
    local families, current = {}, nil
    assert.equal("\n", text:sub(-1))
    for line in text:gmatch("([^\n]*)\n") do
        local name, rest = line:match("^# HELP (%S+) (.+)$")
        if name then
            assert.is_nil(families[name], name .. " comes twice")
            current = { name = name, help = rest, samples = {} }
            families[name] = current
        elseif line:find("^# TYPE ") then
            local typed, kind = line:match("^# TYPE (%S+) (%a+)$")
            assert.equal(current.name, typed)
            assert.is_nil(current.type)
            current.type = kind
        else
            local metric, labels, value = sample(line)
            local base = current.type == "histogram" and metric:gsub("_bucket$", ""):gsub("_sum$", ""):gsub("_count$", "") or metric
            assert.equal(current.name, base)
            table.insert(current.samples, { name = metric, labels = labels, value = value })
        end
    end
    return families
end

-- What promtool's check of metrics complains about.
local function lint(family)
    local name = family.name
    assert.is_truthy(family.help and family.type, name)
    assert.is_truthy(name:find("^[a-z][a-z0-9_]*$"), name .. ": snake case")
    assert.equal(family.type == "counter", name:find("_total$") ~= nil, name .. ": counters end with _total, nothing else does")
    if family.type ~= "histogram" then
        for _, suffix in ipairs { "_bucket", "_count", "_sum" } do
            assert.is_nil(name:find(suffix .. "$"), name)
        end
    end
    for _, word in ipairs { "gauge", "counter", "histogram", "summary" } do
        assert.is_nil(("_" .. name .. "_"):find("_" .. word .. "_", 1, true), name .. ": the type is in the name")
    end
    for _, word in ipairs {
        "milliseconds", "ms", "s", "sec", "secs", "us", "minutes", "hours", "kilobytes", "kb", "mb", "bits", "percent", "b",
    } do
        assert.is_nil(("_" .. name .. "_"):find("_" .. word .. "_", 1, true), name .. ": unit")
    end
end

-- Each series once, its samples one behind the other, and the same labels in all of a family.
local function check_series(family)
    local seen, keys = {}, nil
    for _, one in ipairs(family.samples) do
        local words, names = {}, {}
        for label, value in pairs(one.labels) do
            words[#words + 1] = label .. "=" .. value
            if label ~= "le" then
                names[#names + 1] = label
            end
        end
        table.sort(words)
        table.sort(names)
        local series, shape = one.name .. "{" .. table.concat(words, ",") .. "}", table.concat(names, ",")
        assert.is_nil(seen[series], series .. " comes twice")
        seen[series], keys = true, keys or shape
        assert.equal(keys, shape, series)
    end
end

-- Debian's package prometheus has it, which is too large to be installed for this.
local function promtool()
    for folder in (os.getenv("PATH") or ""):gmatch("[^:]+") do
        if uv.fs_stat(folder .. "/promtool") then
            return folder .. "/promtool"
        end
    end
end

local function check_histogram(family)
    local last = {}
    for _, one in ipairs(family.samples) do
        local key = one.labels.callback
        local seen = last[key] or { count = -1, bound = -1 }
        last[key] = seen
        if one.name:find("_bucket$") then
            local bound = one.labels.le == "+Inf" and math.huge or tonumber(one.labels.le)
            assert.is_true(bound > seen.bound and one.value >= seen.count)
            seen.bound, seen.count = bound, one.value
        elseif one.name:find("_count$") then
            assert.equal(math.huge, seen.bound)
            assert.equal(seen.count, one.value)
        end
    end
end

local function value_of(families, name, label)
    for _, one in ipairs(assert(families[name], name).samples) do
        if not label or one.labels.type == label or one.labels.callback == label or one.labels.state == label then
            return one.value
        end
    end
end

describe("metrics", function()
    after_each(function()
        control.cleanup()
        program.cleanup()
        master.cleanup()
    end)

    it("are text as Prometheus reads and promtool accepts it", function()
        local _, m, url = start()
        m:send_offers { m:offer() }
        m:wait_for("ACCEPT")
        local answer = get(url .. "/metrics")
        assert.equal(200, answer.status)
        assert.equal("text/plain; version=0.0.4; charset=utf-8", answer.type)
        local families = parse(answer.body)
        local count = 0
        for _, family in pairs(families) do
            lint(family)
            check_series(family)
            count = count + 1
        end
        assert.is_true(count >= 20)
        check_histogram(families.mesos_lua_callback_duration_seconds)
        if promtool() then
            local done = program.run { path = promtool(), args = { "check", "metrics" }, stdin = answer.body }
            assert.equal(0, done.code, done:report())
            assert.equal("", done.stdout .. done.stderr)
        end
    end)

    it("are the same before there is a master, and for a script that makes its driver itself", function()
        local text = 'local mesos = require "mesos" mesos.sleep = nil io.stdout:write("ready\\n") io.stdout:flush() ' ..
            'mesos.SchedulerDriver { scheduler = {}, master = "127.0.0.1:1" }:run()'
        local names
        for _, script in ipairs { "return {}", text } do
            local run = program.start { args = { "-m", "127.0.0.1:1", "--metrics", "127.0.0.1:0", program.script(script) } }
            local families = parse(get(run:wait_for("metrics are at (http://[%d.:]+)/metrics") .. "/metrics").body)
            local list = {}
            for name, family in pairs(families) do
                lint(family)
                check_series(family)
                list[#list + 1] = name
            end
            table.sort(list)
            names = names or list
            assert.same(names, list)
            run:kill("sigkill")
        end
    end)

    it("count calls, events, tasks, failures and times", function()
        local run, m, url = start()
        local before = parse(get(url .. "/metrics").body)
        assert.equal(0, value_of(before, "mesos_lua_calls_total", "ACCEPT"))
        m:send_offers { m:offer(), m:offer() }
        local task = m:wait_for("ACCEPT").call.accept.operations[1].launch.task_infos[1]
        m:send(m:update(task, "TASK_RUNNING"))
        m:wait_for("ACKNOWLEDGE")
        m:answer("DECLINE", 400, "no")
        control.ctl(run, { "eval", "driver:declineOffer(driver:offers()[1].id)" })
        run:wait_for("the master refused DECLINE")
        m:send(m:update(task, "TASK_LOST"))
        run:wait_for("callback statusUpdate: ")
        local families = parse(get(url .. "/metrics").body)
        for _, row in ipairs {
            { "calls_total", "ACCEPT", 1 }, { "calls_total", "SUBSCRIBE", 1 }, { "calls_total", "KILL", 0 },
            { "calls_refused_total", "DECLINE", 1 }, { "callbacks_total", "statusUpdate", 2 },
            { "callback_failures_total", "statusUpdate", 1 }, { "status_updates_total", "TASK_LOST", 1 },
            { "tasks_launched_total", nil, 1 }, { "outstanding_offers", nil, 0 }, { "connected", nil, 1 },
            { "scheduler_event_queue_messages", nil, 0 }, { "driver_running", nil, 1 }, { "script_errors_total", nil, 1 },
        } do
            assert.equal(row[3], value_of(families, "mesos_lua_" .. row[1], row[2]), row[1])
        end
        local sum
        for _, one in ipairs(families.mesos_lua_callback_duration_seconds.samples) do
            if one.labels.callback == "resourceOffers" and one.name:find("_sum$") then
                sum = one.value
            end
        end
        assert.is_true(sum > 0.015 and sum < 60, sum)
        assert.is_true(value_of(families, "process_resident_memory_bytes") > 1e6)
        assert.is_true(math.abs(value_of(families, "process_start_time_seconds") - os.time()) < 60)
    end)

    it("tell of events that wait for a callback, and of a lost master", function()
        local run, m, url = start(nil, [[
            local mesos = require "mesos"
            return { statusUpdate = function() mesos.sleep(1000) end }
        ]])
        for i = 1, 4 do
            m:send(m:update({ task_id = "t" .. i, agent_id = "a" }, "TASK_RUNNING"))
        end
        program.wait_for(function()
            return value_of(parse(get(url .. "/metrics").body), "mesos_lua_scheduler_event_queue_messages") == 3
        end)
        assert.equal("statusUpdate", cjson.decode(get(url .. "/status").body).callback)
        m:stop()
        program.wait_for(function()
            return value_of(parse(get(url .. "/metrics").body), "mesos_lua_scheduler_event_queue_messages") == 4
        end)
        run:kill("sigkill")
    end)

    it("come as JSON, too, and by ctl", function()
        local run, _, url = start()
        local answer = get(url .. "/status")
        assert.equal("application/json", answer.type)
        local status = cjson.decode(answer.body)
        assert.equal("measured", status.framework_name)
        assert.equal(1, status.connected)
        assert.same({ SUBSCRIBE = 1 }, status.calls)
        local done = control.ctl(run, { "metrics" })
        assert.equal(1, value_of(parse(done.stdout), "mesos_lua_calls_total", "SUBSCRIBE"))
    end)

    it("answer nothing else", function()
        local _, _, url = start()
        assert.equal(404, get(url .. "/").status)
        assert.equal(404, get(url .. "/metrics/x").status)
        assert.equal(405, get(url .. "/metrics", "-X", "POST").status)
        assert.equal(413, get(url .. "/metrics", "-X", "POST", "-d", ("x"):rep(1000)).status)
        assert.equal(200, get(url .. "/metrics").status)
        local head = get(url .. "/metrics", "-I")
        assert.equal(200, head.status)
        assert.equal("", head.body)
    end)

    it("need an address that is free", function()
        local _, _, url = start()
        local address = url:match("//(.*)$")
        local done = program.run { args = { "--master", "127.0.0.1:1", "--metrics", address, program.script "return {}" } }
        assert.equal(2, done.code)
        assert.is_truthy(done.stderr:find("--metrics: cannot listen on '" .. address .. "': Address already in use", 1, true),
            done.stderr)
        done = program.run { args = { "--metrics", "here", "x.lua" } }
        assert.is_truthy(done.stderr:find("--metrics: ADDR:PORT expected", 1, true))
        assert.equal(2, done.code)
    end)
end)
