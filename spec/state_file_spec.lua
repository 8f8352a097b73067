-- SPDX-License-Identifier: Apache-2.0
--
-- What survives the process: the framework id and mesos.state in the file of --state, and what becomes of a framework
-- that the master has completed meanwhile.

local framework = require("support.framework")
local master = require("support.master")
local program = require("support.program")
local internals = require("internals")
local uv = require("luv")

local read = program.read

local function write(path, text)
    local file <close> = assert(io.open(path, "wb"))
    assert(file:write(text))
end

local function kept_in(path)
    local ok, id, state = internals.state_file_read(assert(read(path), "there is no " .. path))
    assert(ok, id)
    if state == "" then
        return id, nil
    end
    local loaded, value = internals.serialize_load(state)
    assert(loaded, value)
    return id, value
end

local function fresh_path()
    return program.directory() .. "/kept"
end

local function start(path, body, options)
    options = options or {}
    options.args = { "--state", path }
    return framework.start(body, options)
end

local function ends(run, status)
    assert.equal(status, run:wait(), run:report())
end

local function stop(run, status)
    run:kill("sigterm")
    ends(run, status or 0)
end

local REGISTERED = [[function scheduler:registered(_, id) say("registered", id) end]]

describe("--state", function()
    after_each(framework.cleanup)

    it("keeps the framework id: a restart subscribes with it and reconciles", function()
        local path = fresh_path()
        local m, run = start(path, REGISTERED)
        framework.said(run, "registered")
        local id = m.framework_id
        assert.equal(id, (kept_in(path)))
        assert.equal(0, #m:calls_of("RECONCILE"))
        stop(run)
        assert.equal(0, #m:calls_of("TEARDOWN"))
        assert.equal(id, (kept_in(path)))

        run = select(2, start(path, REGISTERED, { master = m }))
        framework.said(run, "registered\t" .. id)
        local subscribe = m:calls_of("SUBSCRIBE")[2].call
        assert.equal(id, subscribe.framework_id)
        assert.equal(id, subscribe.subscribe.framework_info.id)
        assert.equal(0, #m:wait_for("RECONCILE").call.reconcile.tasks)
        stop(run)
    end)

    it("has the id on the disk before the script hears of it", function()
        local path = fresh_path()
        local m, run = start(path, ([[
            function scheduler:registered(_, id)
                local file <close> = io.open(%q, "rb")
                say("kept", file:read("a"):find("framework-id " .. id .. "\n", 1, true) ~= nil)
            end
        ]]):format(path))
        framework.said(run, "kept\ttrue")
        assert.equal(m.framework_id, (kept_in(path)))
    end)

    it("keeps mesos.state, with all that it may hold", function()
        local path = fresh_path()
        local m, run = start(path, [[
            local shared = { 1, 2.5, "three\0" }
            mesos.state = { count = 1, a = shared, b = { shared } }
            mesos.state.self = mesos.state
            function scheduler:registered(driver) driver:stop(true) end
        ]])
        ends(run, 0)
        run = select(2, start(path, [[
            local state = require("mesos").state
            say(state.count, state.a[1], state.a[2], state.a[3] == "three\0", state.a == state.b[1], state.self == state)
            function scheduler:registered(driver) state.count = 2 driver:stop(true) end
        ]], { master = m }))
        ends(run, 0)
        assert.equal("1\t1\t2.5\ttrue\ttrue\ttrue\n", run.stdout)
        assert.equal(2, select(2, kept_in(path)).count)
    end)

    it("keeps a change that no call follows within a second or two, and once", function()
        local path = fresh_path()
        local _, run = start(path, [[
            function scheduler:registered()
                for i = 1, 50 do mesos.after(i / 100, function() mesos.state.count = i say("count", i) end) end
            end
        ]])
        framework.said(run, "count\t50")
        local inode, writes = nil, 0
        run:wait_for(function()
            local stat = uv.fs_stat(path)
            if stat and stat.ino .. "." .. stat.mtime.nsec ~= inode then
                inode, writes = stat.ino .. "." .. stat.mtime.nsec, writes + 1
            end
            local _, state = kept_in(path)
            return state and state.count == 50
        end, 4)
        assert.is_true(writes <= 3, writes .. " writes")
        run:kill("sigkill")
        run:wait()
        assert.equal(50, select(2, kept_in(path)).count)
    end)

    it("forgets the id when the framework was torn down, and nothing else", function()
        local path = fresh_path()
        local m, run = start(path, [[
            mesos.state.x = 1
            function scheduler:registered(driver) driver:stop() end
        ]])
        ends(run, 0)
        assert.equal(1, #m:calls_of("TEARDOWN"))
        local id, state = kept_in(path)
        assert.equal("", id)
        assert.same({ x = 1 }, state)
    end)

    it("keeps the id when no master confirmed the end", function()
        local path = fresh_path()
        local m = master.start()
        m:answer("TEARDOWN", 503, "No leader elected")
        local _, run = start(path, "function scheduler:registered(driver) driver:stop() end", { master = m })
        ends(run, 0)
        assert.equal(m.framework_id, (kept_in(path)))
    end)

    it("warns of a framework that cannot come back", function()
        local _, run = start(fresh_path(), "scheduler.framework.failover_timeout = nil")
        framework.logged(run, "framework.failover_timeout is 0")
    end)

    it("acknowledges and launches only when what the script noted of it is on the disk", function()
        local path = fresh_path()
        local m = master.start()
        local seen = {}
        local function look(call, connection)
            local _, state = kept_in(path)
            seen[#seen + 1] = call.type .. " " .. tostring(state and state.note)
            connection:respond(202)
        end
        m:answer("ACKNOWLEDGE", look)
        m:answer("ACCEPT", look)
        m:answer("KILL", look)
        local _, run = start(path, [[
            function scheduler:resourceOffers(driver, offers)
                mesos.state.note = "launched"
                driver:launchTasks(offers[1].id, { task("t", offers[1]) })
                mesos.after(0, function() mesos.state.note = "killed" driver:killTask("t") end)
            end
            function scheduler:statusUpdate(driver, status)
                mesos.state.note = status.state
            end
        ]], { master = m })
        m:wait_for("SUBSCRIBE")
        m:send_offers()
        m:wait_for("KILL")
        for _, state in ipairs { "TASK_STARTING", "TASK_RUNNING", "TASK_FINISHED" } do
            m:send(m:update("t", state))
            program.wait_for(function() return seen[#seen] == "ACKNOWLEDGE " .. state end)
        end
        -- The note that is on the disk may be a later one, never an earlier one.
        assert.matches("^ACCEPT [lk]", seen[1])
        assert.equal("KILL killed", seen[2])
        run:kill("sigkill")
    end)

    it("keeps the order of calls, and delivers those before a stop", function()
        local path = fresh_path()
        local m, run = start(path, [[
            function scheduler:registered(driver)
                for i = 1, 200 do mesos.state[i] = i driver:killTask("t" .. i) end
                driver:stop(true)
            end
        ]])
        ends(run, 0)
        local kills = m:calls_of("KILL")
        assert.equal(200, #kills)
        for i, kill in ipairs(kills) do
            assert.equal("t" .. i, kill.call.kill.task_id)
        end
        assert.equal(200, #select(2, kept_in(path)))
    end)

    it("names what cannot be kept, once, keeps what could be, and holds up nothing", function()
        local path = fresh_path()
        local m, run = start(path, [[
            mesos.state.good = 1
            function scheduler:registered(driver)
                driver:killTask("a")
                mesos.after(0.05, function()
                    mesos.state.jobs = { 1, 2, { callback = print } }
                    driver:killTask("b")
                    mesos.after(0.05, function() driver:killTask("c") end)
                end)
            end
        ]])
        m:wait_for("KILL", 3)
        framework.logged(run, "mesos.state.jobs[3].callback: a function cannot be kept")
        stop(run)
        assert.equal(1, select(2, run.stderr:gsub("a function cannot be kept", "")))
        assert.same({ good = 1 }, select(2, kept_in(path)))
    end)

    it("lets calls wait while the disk refuses, and goes on when it can", function()
        local path = fresh_path()
        local m, run = start(path, [[
            function scheduler:registered(driver) say("registered") end
            function scheduler:resourceOffers(driver, offers)
                mesos.state.note = "launched"
                driver:launchTasks(offers[1].id, { task("t", offers[1]) })
            end
        ]])
        framework.said(run, "registered")
        uv.fs_mkdir(path .. ".new", 493) -- in the way of the next version
        m:send_offers()
        framework.logged(run, "mesos.state cannot be kept, and calls wait until it can: cannot write '" .. path)
        assert.equal(0, #m:calls_of("ACCEPT"))
        uv.fs_rmdir(path .. ".new")
        m:wait_for("ACCEPT")
        framework.logged(run, "is kept in '" .. path .. "' again")
        assert.same({ note = "launched" }, select(2, kept_in(path)))
    end)

    it("ends with an error if the state of the end cannot be kept", function()
        local path = fresh_path()
        local _, run = start(path, ([[
            function scheduler:registered(driver) say("registered") end
            mesos.every(0.05, function()
                local file <close> = io.open(%q)
                mesos.state.late = file and true
            end)
        ]]):format(path .. ".new"))
        framework.said(run, "registered")
        uv.fs_mkdir(path .. ".new", 493)
        framework.logged(run, "cannot be kept")
        run:kill("sigterm")
        ends(run, 1)
        framework.logged(run, "mesos.state is not kept: cannot write")
        uv.fs_rmdir(path .. ".new")
    end)

    it("aborts before registered if the id cannot be kept", function()
        local path = fresh_path()
        local m = master.start({ quiet = true })
        local _, run = start(path, framework.WATCH, { master = m })
        m:wait_for("SUBSCRIBE")
        uv.fs_mkdir(path .. ".new", 493)
        m:send({
            type = "SUBSCRIBED", subscribed = { framework_id = "new-id", heartbeat_interval_seconds = 15 },
        })
        ends(run, 1)
        assert.matches("^error\tregistered as framework new%-id, whose id cannot be kept: cannot write '", run.stdout)
        uv.fs_rmdir(path .. ".new")
    end)

    it("serves a script that runs its drivers itself, one after the other", function()
        local path = fresh_path()
        local m = master.start()
        local script = program.script [[
            local mesos = require "mesos"
            mesos.state.runs = (mesos.state.runs or 0) + 1
            local function run(failover)
                local driver = mesos.SchedulerDriver {
                    framework = { name = "own", failover_timeout = 60 },
                    scheduler = { registered = function(_, driver, id) print(id) driver:stop(failover) end },
                }
                print(driver:run())
            end
            run(true)
            run(false)
            os.exit(0)
        ]]
        for i = 1, 2 do
            local run = program.run { args = { "-q", "--master", m.address, "--state", path, script } }
            assert.equal(0, run.code, run:report())
            local first, second = run.stdout:match("^(%S+)\nDRIVER_STOPPED\n(%S+)\nDRIVER_STOPPED\n$")
            assert.equal(first, second)
            local id, state = kept_in(path)
            assert.equal("", id)
            assert.same({ runs = i }, state)
        end
    end)

    it("is left alone by mesos-lua check", function()
        local path = fresh_path()
        local run = program.run { args = { "check", "--state", path, program.script "return {}" } }
        assert.equal(0, run.code, run:report())
        assert.is_nil(uv.fs_stat(path))
        assert.is_nil(uv.fs_stat(path .. ".lock"))
    end)

    it("does not keep what a script left that did not load", function()
        local path = fresh_path()
        write(path, internals.state_file_write("id-1", internals.serialize_save({ good = 1 })))
        local _, run = start(path, "mesos.state.half = true error('no')")
        ends(run, 2)
        local id, state = kept_in(path)
        assert.equal("id-1", id)
        assert.same({ good = 1 }, state)
    end)

    it("follows a symbolic link, and keeps the mode of the file", function()
        local path = fresh_path()
        local real = program.directory() .. "/real"
        write(real, internals.state_file_write(nil, ""))
        uv.fs_chmod(real, tonumber("640", 8))
        uv.fs_symlink(real, path)
        local m, run = start(path, "function scheduler:registered(driver) driver:stop(true) end")
        ends(run, 0)
        assert.equal("link", uv.fs_lstat(path).type)
        assert.equal(m.framework_id, (kept_in(real)))
        assert.equal(tonumber("640", 8), uv.fs_stat(real).mode & 511)
    end)

    it("is private when it is new", function()
        local path = fresh_path()
        local _, run = start(path, "function scheduler:registered(driver) driver:stop(true) end")
        ends(run, 0)
        assert.equal(tonumber("600", 8), uv.fs_stat(path).mode & 511)
    end)
end)

describe("mesos.state", function()
    after_each(framework.cleanup)

    it("is one table, which may be replaced by another", function()
        local run = program.run { args = { "-q", program.script [[
            local mesos = require "mesos"
            local first = mesos.state
            first.x = 1
            print(type(first), first == require("mesos").state, next(first))
            mesos.state = { y = 2 }
            print(mesos.state == first, mesos.state.y)
            print(pcall(function() mesos.state = 5 end))
            print(pcall(function() mesos.state = { jobs = { print } } end))
            print(mesos.state.y)
            os.exit(0)
        ]] } }
        assert.equal(0, run.code, run:report())
        local output = run.stdout:gsub("/%S-:(%d+): ", "%1: ")
        assert.equal("table\ttrue\tx\t1\nfalse\t2\nfalse\t7: mesos.state: a table expected, got number\n"
            .. "false\t8: mesos.state.jobs[1]: a function cannot be kept\n2\n", output)
    end)
end)

describe("a state file", function()
    after_each(framework.cleanup)

    local function refused(path, reason)
        local m = master.start()
        local before = uv.fs_stat(path) and uv.fs_stat(path).type == "file" and read(path)
        local run = program.run {
            args = { "--master", m.address, "--state", path, program.script "print 'loaded' return {}" },
        }
        assert.equal(2, run.code, run:report())
        assert.is_truthy(run.stderr:find(reason, 1, true), run:report())
        assert.equal("", run.stdout)
        assert.equal(0, #m.calls)
        if before then
            assert.equal(before, read(path))
        end
        return run
    end

    it("is refused when it is in use, naming the process", function()
        local path = fresh_path()
        local _, run = start(path, REGISTERED)
        framework.said(run, "registered")
        refused(path, ("'%s' is in use by the process %d"):format(path, run.pid))
        run:kill("sigkill")
        run:wait()
        _, run = start(path, REGISTERED)
        framework.said(run, "registered")
    end)

    for name, row in pairs {
        ["empty"] = { "", "it is empty" },
        ["a file of another program"] = { "#!/bin/sh\necho hello\n", "it is not a state file of mesos-lua" },
        ["of a newer version"] = { "mesos-lua state 2\nwhatever", "it has format 2, this version of mesos-lua reads format 1" },
        ["one with a wrong end"] = { "mesos-lua state 1\nsaved x\nstate 0\n\n", "it is cut off, or was changed" },
    } do
        it("is refused, and left as it is, when it is " .. name, function()
            local path = fresh_path()
            write(path, row[1])
            local run = refused(path, row[2])
            assert.is_truthy(run.stderr:find("It is left as it is; to start anew", 1, true))
        end)
    end

    it("is refused when its state is malformed, although its checksum is right", function()
        local path = fresh_path()
        write(path, internals.state_file_write("id", "mls\1{"))
        refused(path, "mesos.state: kept data is damaged: it ends too early at byte 5")
        write(path, internals.state_file_write("id", "mls\1i\2"))
        refused(path, "mesos.state: it is no table")
    end)

    it("is refused when there can be none", function()
        local folder = program.directory()
        refused(folder, ("'%s' is not an ordinary file"):format(folder))
        refused(folder .. "/", "not an ordinary file")
        refused(folder .. "/missing/kept", "cannot open the folder of")
        refused("/proc/kept", "cannot lock '/proc/kept'")
        refused("/dev/null", "'/dev/null' is not an ordinary file")
        uv.fs_symlink(folder .. "/nowhere", folder .. "/link")
        refused(folder .. "/link", "cannot find")
        uv.fs_mkdir(folder .. "/kept.new", 493)
        refused(folder .. "/kept", "cannot write beside")
        if uv.getuid() ~= 0 then
            local closed = program.directory()
            uv.fs_chmod(closed, 365)
            refused(closed .. "/kept", "cannot lock")
            uv.fs_chmod(closed, 493)
        end
    end)

    it("is refused when it is another framework's than the script says", function()
        local path = fresh_path()
        write(path, internals.state_file_write("kept-id", ""))
        local _, run = start(path, "scheduler.framework.id = 'other-id'")
        ends(run, 2)
        framework.logged(run, "framework.id is 'other-id', but the id that was kept (--state) is 'kept-id'")
        assert.equal("kept-id", (kept_in(path)))

        local m = master.start()
        _, run = start(path, "scheduler.framework.id = 'kept-id' " .. REGISTERED, { master = m })
        framework.said(run, "registered\tkept-id")
    end)

    it("takes on an id that the script gave", function()
        local path = fresh_path()
        local _, run = start(path, "scheduler.framework.id = 'my-id' " .. REGISTERED)
        framework.said(run, "registered\tmy-id")
        assert.equal("my-id", (kept_in(path)))
    end)

    it("is refused by a hard link as well, naming the process", function()
        local path = fresh_path()
        local early, late = path .. "-early", path .. "-late"
        write(path, internals.state_file_write(nil, ""))
        assert(uv.fs_link(path, early))
        local _, run = start(path, REGISTERED)
        framework.said(run, "registered")
        assert(uv.fs_link(path, late))
        for _, link in ipairs { early, late } do
            refused(link, ("'%s' is in use by the process %d"):format(link, run.pid))
        end
        stop(run)
        assert.is_true(internals.state_file_read(read(late)))
        run = select(2, start(late, REGISTERED))
        framework.said(run, "registered")
    end)

    it("is never written into a file that is in the way", function()
        local path = fresh_path()
        local _, run = start(path, REGISTERED .. [[
            mesos.every(0.05, function() mesos.state.n = (mesos.state.n or 0) + 1 end)
        ]])
        framework.said(run, "registered")
        local function n()
            local _, state = kept_in(path)
            return state and state.n
        end
        write(path .. "-planted", "") -- by another user, say, who keeps it open
        local planted = assert(io.open(path .. "-planted", "r"))
        program.wait_for(function() return uv.fs_link(path .. "-planted", path .. ".new") end)
        local before = n()
        run:wait_for(function() return n() ~= before end)
        assert.not_equal(uv.fs_stat(path .. "-planted").ino, uv.fs_stat(path).ino)
        assert.equal("", planted:read("a"))
        planted:close()
        stop(run)
    end)

    it("does not follow a link that is in the way of its new version", function()
        local path, victim = fresh_path(), program.directory() .. "/victim"
        write(victim, "precious")
        assert(uv.fs_symlink(victim, path .. ".new"))
        local _, run = start(path, "function scheduler:registered(driver) driver:stop(true) end")
        ends(run, 0)
        assert.equal("precious", read(victim))
    end)

    it("is not locked by a file that has another name", function()
        local path, victim = fresh_path(), program.directory() .. "/victim"
        write(victim, "precious")
        assert(uv.fs_link(victim, path .. ".lock"))
        refused(path, "cannot lock '" .. path .. "' by its file 'kept.lock', which is not an ordinary file of this user")
        assert.equal("precious", read(victim))
    end)

    it("is refused when another user could replace it", function()
        if uv.getuid() ~= 0 then
            return pending("only root can give files away")
        end
        local path = fresh_path()
        write(path, internals.state_file_write(nil, ""))
        assert(uv.fs_chown(path, 65534, 65534))
        refused(path, "'" .. path .. "' belongs to another user (65534)")
        assert(uv.fs_chown(path, 0, 0))
        local folder = path:match("^(.*)/")
        assert(uv.fs_chown(folder, 65534, 65534))
        refused(path, "the folder of '" .. path .. "' belongs to another user (65534), who can replace all files in it")
        assert(uv.fs_chown(folder, 0, 0))
    end)

    it("is warned of when others can write to it or to its folder", function()
        for mode, warned in pairs { ["777"] = true, ["1777"] = false, ["755"] = false } do
            local path = fresh_path()
            assert(uv.fs_chmod(path:match("^(.*)/"), tonumber(mode, 8)))
            local _, run = start(path, "function scheduler:registered(driver) driver:stop(true) end")
            ends(run, 0)
            local text = "other users can write to the folder of '" .. path .. "', and so replace or remove it"
            assert.equal(warned, run.stderr:find(text, 1, true) ~= nil, run:report())
        end
        local path = fresh_path()
        write(path, internals.state_file_write(nil, ""))
        assert(uv.fs_chmod(path, tonumber("666", 8)))
        local _, run = start(path, "function scheduler:registered(driver) driver:stop(true) end")
        ends(run, 0)
        framework.logged(run, "all users can write to '" .. path .. "'")
    end)

    it("may have left a half-written new version beside it", function()
        local path = fresh_path()
        write(path, internals.state_file_write("kept-id", ""))
        write(path .. ".new", "mesos-lua state 1\nframew")
        local _, run = start(path, "mesos.state.x = 1 " .. REGISTERED)
        framework.said(run, "registered\tkept-id")
        stop(run)
        assert.same({ x = 1 }, select(2, kept_in(path)))
        assert.is_nil(uv.fs_stat(path .. ".new"))
    end)

    it("is refused when it is cut anywhere, or any byte of it changed", function()
        local whole = internals.state_file_write("20ee6b2e-a37c-4b9d-9d3a-6f2d5f1c9a10-0003", internals.serialize_save({ 1, a = { "x" } }))
        assert.is_true((internals.state_file_read(whole)))
        for length = 0, #whole - 1 do
            assert.is_nil((internals.state_file_read(whole:sub(1, length))))
        end
        for at = 1, #whole do
            for _, bits in ipairs { 1, 32, 128 } do
                local changed = whole:sub(1, at - 1) .. string.char(whole:byte(at) ~ bits) .. whole:sub(at + 1)
                assert.is_nil((internals.state_file_read(changed)), ("byte %d"):format(at))
            end
        end
        assert.is_nil((internals.state_file_read(whole .. "\n")))
        local path = fresh_path()
        for length = 0, #whole - 1, 23 do
            write(path, whole:sub(1, length))
            refused(path, "the state file '" .. path .. "' cannot be used: it is ")
        end
    end)

    it("is written only with an id that fits in its line", function()
        assert.is_nil((internals.state_file_write("a\nsaved x", "")))
        local ok, id, state = internals.state_file_read(internals.state_file_write(nil, ""))
        assert.same({ true, "", "" }, { ok, id, state })
    end)
end)

describe("a framework that the master has completed", function()
    after_each(framework.cleanup)

    local REREGISTER = [[
        function scheduler:frameworkRemoved(driver, message)
            say("removed", message, driver:status())
            return "reregister"
        end
        function scheduler:reregistered(_, id) say("reregistered") end
        function scheduler:error(driver, message) say("error", message, driver:status()) end
        function scheduler:disconnected() say("disconnected") end
    ]] .. REGISTERED

    -- A master that has completed every framework that comes with an id, until it made a new one itself.
    local function forgetful(on_subscribe)
        local m = master.start()
        m:answer("SUBSCRIBE", function(call, connection)
            if on_subscribe then
                on_subscribe(call)
            end
            if not call.framework_id or call.framework_id == m.made then
                m.framework_id = m.made and m.framework_id or nil
                m.made = m.made or m.id .. "-0000"
                return true
            end
            connection:begin_stream({ ["Mesos-Stream-Id"] = "x", ["Content-Type"] = "application/x-protobuf" })
            local event = internals.encode("mesos.v1.scheduler.Event", {
                type = "ERROR", error = { message = "Framework has been removed" },
            })
            connection:chunk(#event .. "\n" .. event)
            connection:finish()
        end)
        return m
    end

    it("goes on as a new one if frameworkRemoved says so", function()
        local path = fresh_path()
        write(path, internals.state_file_write("old-id", internals.serialize_save({ x = 1 })))
        local kept = {}
        local m = forgetful(function()
            kept[#kept + 1] = kept_in(path)
        end)
        local _, run = start(path, REREGISTER, { master = m })
        framework.said(run, "registered")
        assert.equal("removed\tFramework has been removed\tDRIVER_RUNNING\nregistered\t" .. m.made .. "\n", run.stdout)
        local second = m:calls_of("SUBSCRIBE")[2].call
        assert.is_nil(second.framework_id)
        assert.is_nil(second.subscribe.framework_info.id)
        assert.same({ "old-id", "" }, kept)
        local id, state = kept_in(path)
        assert.equal(m.made, id)
        assert.same({ x = 1 }, state)
        assert.equal(0, #m:calls_of("RECONCILE"))
        stop(run)
    end)

    it("is an error if it does not, or raises, or there is none", function()
        for body, words in pairs {
            ["function scheduler:frameworkRemoved() end"] = "",
            ["function scheduler:frameworkRemoved() return true end"] = "frameworkRemoved returned a boolean",
            ["function scheduler:frameworkRemoved() return 'reregistered' end"] = "frameworkRemoved returned a string",
            ["function scheduler:frameworkRemoved() error('oh') end"] = "callback frameworkRemoved: ",
            [""] = "let a callback frameworkRemoved return \"reregister\"",
        } do
            local path = fresh_path()
            write(path, internals.state_file_write("old-id", ""))
            local m = forgetful()
            local _, run = start(path, framework.WATCH .. body, { master = m })
            ends(run, 1)
            assert.equal("error\tFramework has been removed\tDRIVER_ABORTED\n", run.stdout)
            assert.is_truthy(run.stderr:find(words, 1, true), run:report())
            assert.equal("old-id", (kept_in(path)))
            assert.equal(1, #m:calls_of("SUBSCRIBE"))
        end
    end)

    it("is asked about also with an id that the script gave, and while the callback waits", function()
        local m = forgetful()
        local _, run = framework.start([[
            scheduler.framework.id = "given-id"
            function scheduler:frameworkRemoved(driver)
                mesos.sleep(0.05)
                say("decided", driver:killTask("t"), driver:reconnect())
                return "reregister"
            end
            function scheduler:registered(driver, id) say(driver:frameworkId() == id) driver:stop(true) end
        ]], { master = m })
        ends(run, 0)
        assert.equal("decided\tDRIVER_RUNNING\tDRIVER_RUNNING\ntrue\n", run.stdout)
        assert.same({ "SUBSCRIBE", "SUBSCRIBE" }, m:call_types())
    end)

    it("may be one that was registered in this process", function()
        local path = fresh_path()
        local m, run = start(path, REREGISTER)
        framework.said(run, "registered")
        local first = m.framework_id
        m:answer("SUBSCRIBE", function(call, connection)
            m:answer("SUBSCRIBE", nil)
            m.framework_id = nil
            m.id = "second"
            assert(call.framework_id == first)
            connection:begin_stream({ ["Mesos-Stream-Id"] = "x", ["Content-Type"] = "application/x-protobuf" })
            local event = internals.encode("mesos.v1.scheduler.Event", {
                type = "ERROR", error = { message = "Framework has been removed" },
            })
            connection:chunk(#event .. "\n" .. event)
            connection:finish()
        end)
        m:end_stream()
        framework.said(run, ("registered\t%s\ndisconnected\nremoved\tFramework has been removed\tDRIVER_RUNNING\n"
            .. "registered\tsecond-0000\n"):format(first))
        assert.equal("second-0000", (kept_in(path)))
    end)

    it("may be stopped inside the callback", function()
        local m = forgetful()
        local _, run = framework.start([[
            scheduler.framework.id = "given-id"
            function scheduler:frameworkRemoved(driver) driver:stop() return "reregister" end
            function scheduler:error() say("error") end
        ]], { master = m })
        ends(run, 0)
        assert.equal("", run.stdout)
        assert.same({ "SUBSCRIBE" }, m:call_types())
    end)

    it("is not mistaken for one that another instance took over", function()
        local m, run = framework.start(REREGISTER)
        framework.said(run, "registered")
        m:send { type = "ERROR", error = { message = "Framework failed over" } }
        m:end_stream()
        ends(run, 1)
        assert.matches("error\tFramework failed over\tDRIVER_ABORTED\n$", run.stdout)
    end)
end)

describe("a host that is killed at any moment", function()
    after_each(framework.cleanup)

    it("loses no job and runs none twice", function()
        local JOBS, KILLS = 120, 20
        local seed = tonumber(os.getenv("SPEC_SEED")) or os.time()
        math.randomseed(seed)
        local cluster = program.start { args = { "local", "--resources", "cpus:1;mem:1024" } }
        local address = cluster:wait_for("listening on (%S+)\n")
        local path, ran = fresh_path(), program.directory() .. "/ran"
        local arguments = { "--master", address, "--state", path, "examples/state.lua" }
        for number = 1, JOBS do
            arguments[#arguments + 1] = ("echo %d >> %s; sleep 0.%d"):format(number, ran, math.random(0, 9))
        end
        local id
        for i = 1, KILLS do
            local run = program.start { args = arguments }
            local registered = i == 1 or math.random(4) > 1
            if registered then
                run:wait_for("registered with")
            end
            if i == 1 then -- the log tells of the registration before the id is on disk, the callback after it
                program.wait_for(function() return read(path) end)
            end
            local timer, over = uv.new_timer(), false
            timer:start(math.random(0, registered and 250 or 30), 0, function() over = true end)
            program.wait_for(function() return over end)
            timer:close()
            run:kill("sigkill")
            run:wait()
            id = id or kept_in(path)
            assert.equal(id, (kept_in(path)))
        end
        local last = program.run { args = arguments, seconds = 60 }
        assert.equal(0, last.code, ("SPEC_SEED=%d: %s"):format(seed, last:report()))
        assert.is_truthy(last.stdout:find(("%d done, 0 failed"):format(JOBS), 1, true), last:report())
        local times = {}
        for number in read(ran):gmatch("%d+") do
            times[number] = (times[number] or 0) + 1
        end
        for number = 1, JOBS do
            assert.equal(1, times[tostring(number)], ("job %d, SPEC_SEED=%d"):format(number, seed))
        end
        assert.equal(id, last.stderr:match("as framework (%S+)"))
        cluster:kill("sigterm")
        cluster:wait()
    end)
end)
