-- SPDX-License-Identifier: Apache-2.0
--
-- How programs are started: by a process of its own that shares no memory with the host, passes on only what was asked
-- for, and leaves nothing behind, however the host or it ends. Also what the program itself inherits at its start.

local master = require("support.master")
local program = require("support.program")
local uv = require("luv")

local is_root = uv.getuid() == 0
local host = (os.getenv("MESOS_LUA_BUILD") or "build") .. "/libexec/mesos-lua" -- the program without its launcher

local function parent_of(pid)
    local stat = program.read(("/proc/%s/stat"):format(pid))
    return stat and math.tointeger(tonumber(stat:match("%) %a (%d+)")))
end

local function processes()
    local list, scan = {}, assert(uv.fs_scandir("/proc"))
    for name in uv.fs_scandir_next, scan do
        if name:match("^%d+$") then
            list[#list + 1] = math.tointeger(tonumber(name))
        end
    end
    return list
end

-- The pid of the process that starts the host's programs.
local function spawner_of(pid)
    for _, each in ipairs(processes()) do
        if parent_of(each) == pid and (program.read(("/proc/%d/comm"):format(each)) or "") == "mesos-spawner\n" then
            return each
        end
    end
end

local function kill_spawner(run)
    local spawner = program.wait_for(function() return spawner_of(run.pid) end)
    uv.kill(spawner, "sigkill")
    program.wait_until_gone(spawner)
end

-- All processes that carry the mark in their environment.
local function marked(mark)
    local list = {}
    for _, pid in ipairs(processes()) do
        local environment = program.read(("/proc/%d/environ"):format(pid))
        if environment and environment:find(mark, 1, true) and program.alive(pid) then
            list[#list + 1] = pid
        end
    end
    return list
end

-- A script that runs the text in a spawned function and then ends.
local function spawned(text)
    return program.script([[
local mesos = require "mesos"
local function show(result, message, code)
    local r = result or {}
    print(r.status, r.signal, r.stdout, r.stderr, message, code)
end
mesos.spawn(function()
]] .. text .. "\nmesos.exit(0)\nend)\nreturn {}")
end

local function run_spawned(text, options)
    options = options or {}
    return program.run { args = { "-m", program.NO_MASTER, spawned(text), table.unpack(options.args or {}) }, env = options.env,
        seconds = options.seconds }
end

-- A script for the local cluster: `tasks` is the text of a list of { id =, command =, user = }, launched on the first
-- offer; each update is printed; the driver stops when all have ended.
local function tasks_script(tasks, more)
    return program.script(([[
local mesos = require "mesos"
local s, left, launched = { framework = { name = "tasks" } }, 0, false
local function info(offer, t)
    return { name = t.id, task_id = t.id, agent_id = offer.agent_id, resources = mesos.resources { cpus = 0.001, mem = 1 },
        command = { value = t.command, user = t.user, shell = t.shell, arguments = t.arguments, uris = t.uris,
            environment = { variables = { { name = "MARK", value = arg[1] or "" } } } } }
end
function s:resourceOffers(driver, offers)
    if launched then return driver:declineOffer(offers:ids()) end
    launched = true
    local list = {}
    for i, t in ipairs(%s) do list[i] = info(offers[1], t) end
    left = #list
    driver:launchTasks(offers[1].id, list)
end
local ENDS = { TASK_FINISHED = true, TASK_FAILED = true, TASK_KILLED = true, TASK_ERROR = true, TASK_LOST = true }
function s:statusUpdate(driver, status)
    print(status.task_id, status.state, status.message)
    io.stdout:flush()
    left = left - (ENDS[status.state] and 1 or 0)
    if left == 0 then driver:stop() end
end
%s
return s]]):format(tasks, more or ""))
end

-- The descriptors of a shell's child, as a list of numbers.
local LIST_FILES = "for f in /proc/self/fd/*; do echo ${f##*/}; done | sort -n | tr '\\n' ' '"

describe("starting programs", function()
    after_each(function()
        program.cleanup()
        master.cleanup()
    end)

    local failures = {
        { "no program", [[{ "no-such-program" }]], "cannot run 'no-such-program': no such file or directory\tENOENT" },
        { "no permission", [[{ "/etc/passwd" }]], "cannot run '/etc/passwd': permission denied\tEACCES" },
        { "no folder", [[{ "ls" }, { cwd = "/nowhere" }]],
            "cannot run 'ls' in the folder '/nowhere': No such file or directory\tENOENT" },
        { "a folder that is none", [[{ "ls" }, { cwd = "/etc/passwd" }]],
            "cannot run 'ls' in the folder '/etc/passwd': Not a directory\tENOTDIR" },
        { "an argument that is too long", [[{ "true", ("x"):rep(200000) }]],
            "cannot run 'true': argument list too long\tE2BIG" },
        { "arguments that are too many", [[(function()
            local list = { "true" }
            for i = 1, 100 do list[i + 1] = ("x"):rep(100000) end
            return list
        end)()]], "cannot run 'true': argument list too long\tE2BIG" },
        { "a PATH of the child's own", [[{ "true" }, { env = { PATH = "/nowhere" } }]],
            "cannot run 'true': no such file or directory\tENOENT" },
    }
    for _, row in ipairs(failures) do
        it("tells the fault of " .. row[1] .. ", and goes on", function()
            local done = run_spawned("show(mesos.exec(" .. row[2] .. "))\nshow(mesos.exec { 'echo', 'on' })")
            assert.equal("nil\tnil\tnil\tnil\t" .. row[3] .. "\n0\tnil\ton\n\t\tnil\tnil\n", done.stdout, done:report())
        end)
    end

    it("runs a file without a format as a shell script, as execvp does", function()
        local directory = program.files { script = "echo plain $1\n" }
        assert(uv.fs_chmod(directory .. "/script", tonumber("755", 8)))
        local done = run_spawned(("show(mesos.exec { %q, 'x' })"):format(directory .. "/script"))
        assert.equal("0\tnil\tplain x\n\t\tnil\tnil\n", done.stdout, done:report())
    end)

    it("does so in another process than the host", function()
        local done = run_spawned [[
local me = tonumber(io.open("/proc/self/stat"):read("a"):match("^%d+"))
local parent = tonumber(mesos.exec { "sh", "-c", "echo $PPID" }.stdout)
local name = io.open("/proc/" .. parent .. "/cmdline"):read("a"):gsub("%z+$", "")
local session = tonumber(mesos.exec { "sh", "-c", "cut -d ' ' -f 6 /proc/$$/stat; echo $$" }.stdout:match("%d+"))
print(parent ~= me, name, session ~= me)]]
        assert.equal("true\tmesos-lua: spawner\ttrue\n", done.stdout, done:report())
    end)

    it("hands on nothing that was not asked for", function()
        local secret = program.script("secret", "secret")
        local script = spawned(([[
print(mesos.exec { "sh", "-c", %q }.stdout)
print(mesos.exec { "sh", "-c", "grep -E '^Sig(Blk|Ign)' /proc/self/status | tr -d '\n'" }.stdout)
print(mesos.exec({ "env" }, { env = { A = "b" } }).stdout:find("A=b", 1, true) ~= nil)]]):format(LIST_FILES))
        local run = program.run { path = "/bin/bash", args = { "-c", ("trap '' USR1; exec 7<%s 100<%s; exec %s -m %s %s"):format(
            secret, secret, program.path, program.NO_MASTER, script) } }
        -- 3 is the folder that the shell reads.
        assert.equal("0 1 2 3 \nSigBlk:\t0000000000000000SigIgn:\t0000000000000000\ntrue\n", run.stdout, run:report())
    end)

    it("hands on the limits that the program was started with, also when it had to begin anew", function()
        local run = program.start { path = "/bin/sh", args = { "-c", ("ulimit -S -n 200; ulimit -H -n 300; exec %s -m %s %s"):format(
            program.path, program.NO_MASTER, spawned [[
io.stdin:read("l")
print((mesos.exec { "sh", "-c", "ulimit -S -n; ulimit -H -n" }.stdout:gsub("\n", " ")), (io.open("/proc/self/limits"):read("a")
    :match("Max open files +(%d+)")))]]) }, keep_stdin = true }
        kill_spawner(run)
        run.input:write("\n")
        run:wait()
        assert.equal("200 300 \t300\n", run.stdout, run:report())
    end)

    it("hands on nothing to os.execute either", function()
        local secret = program.script("secret", "secret")
        local run = program.run { path = "/bin/bash", args = { "-c", ("exec 7<%s; exec %s -m %s %s"):format(secret,
            program.path, program.NO_MASTER, spawned("os.execute [[cat <&7 && echo read]]")) } }
        assert.equal("", run.stdout)
        assert.equal(0, run.code, run:report())
    end)

    it("takes thousands at once, in turn, and refuses what is too much", function()
        local done = run_spawned([[
local good, refused, ended = 0, 0, 0
for i = 1, 2000 do
    mesos.spawn(function()
        local r, _, code = mesos.exec { "true" }
        good, refused = good + (r and r.status == 0 and 1 or 0), refused + (code == "EAGAIN" and 1 or 0)
        ended = ended + 1
    end)
end
while ended < 2000 do mesos.sleep(0.01) end
print(good >= 256, good + refused)]])
        assert.equal("true\t2000\n", done.stdout, done:report())
    end)

    it("says so when descriptors run out, and goes on when there are some", function()
        local script = spawned [[
local files, file = {}, io.open("/dev/null")
while file do
    files[#files + 1], file = file, io.open("/dev/null")
end
show(mesos.exec { "echo", "x" })
for _, file in ipairs(files) do file:close() end
show(mesos.exec { "echo", "x" })]]
        local run = program.run { path = "/bin/sh", args = { "-c", ("ulimit -n 60; exec %s -m %s %s"):format(program.path,
            program.NO_MASTER, script) } }
        assert.equal("nil\tnil\tnil\tnil\tcannot run 'echo': too many open files\tEMFILE\n0\tnil\tx\n\t\tnil\tnil\n",
            run.stdout, run:report())
    end)
end)

describe("the end of the host", function()
    after_each(function()
        program.cleanup()
        master.cleanup()
    end)

    -- Tasks of all kinds: the mark is in the environment of each, and of their children.
    local MIXED = [[(function()
        local list, kinds = {}, {
            "sleep 600",
            "trap '' TERM INT HUP; while :; do sleep 600; done",
            "sh -c 'sleep 600 & sleep 600' & sleep 600",
            "setsid sleep 600 & sleep 600",
            "setsid sh -c 'trap \"\" TERM; setsid sh -c \"sleep 600 & sleep 600\" & sleep 600' & exec sleep 600",
        }
        for i = 1, 50 do list[i] = { id = "t" .. i, command = kinds[i % #kinds + 1] } end
        return list
    end)()]]
    local MANY = 50 + 10 + 10 * 3 + 10 * 2 + 10 * 4 -- processes at the least

    local function start_mixed(mark)
        local script = tasks_script(MIXED, [[
mesos.spawn(function()
    mesos.exec({ "sh", "-c", "setsid sleep 600 & sleep 600" }, { env = { MARK = arg[1] } })
end)]])
        local run = program.start { args = { "--resources", "cpus:2;mem:1000", script, mark } }
        program.wait_for(function() return #marked("MARK=" .. mark) >= MANY end, nil, function()
            return #marked("MARK=" .. mark) .. " processes; " .. run:report()
        end)
        return run
    end

    for _, row in ipairs { { "SIGKILL", "sigkill" }, { "a crash", "sigsegv" }, { "an orderly end", "sigterm" } } do
        it("leaves no process behind: " .. row[1], function()
            local mark = "spawner-spec-" .. row[2] .. "-" .. uv.os_getpid()
            local run = start_mixed(mark)
            local spawner = spawner_of(run.pid)
            assert.truthy(spawner)
            run:kill(row[2])
            run:wait()
            program.wait_for(function() return #marked("MARK=" .. mark) == 0 end, nil, function()
                return #marked("MARK=" .. mark) .. " processes are left"
            end)
            program.wait_until_gone(spawner)
        end)
    end

    it("reaps orphans, also as process 1", function()
        local script = spawned [[
for i = 1, 20 do mesos.exec { "sh", "-c", "setsid sh -c 'sleep 0.05' &" } end
local function zombies()
    local list = io.popen "cat /proc/[0-9]*/stat 2>/dev/null"
    local _, count = list:read("a"):gsub("%) Z ", "")
    list:close()
    return count
end
mesos.sleep(0.3)
local waited = 0
while zombies() > 0 and waited < 200 do waited = waited + 1 mesos.sleep(0.1) end
print("zombies", zombies())]]
        local probe = program.run { path = "/usr/bin/unshare", args = { "--pid", "--fork", "--mount-proc", "true" } }
        if probe.code ~= 0 then
            return pending("unshare is not permitted here")
        end
        local run = program.run { path = "/usr/bin/unshare", args = { "--pid", "--fork", "--mount-proc", program.path, "-m",
            program.NO_MASTER, script } }
        assert.equal("zombies\t0\n", run.stdout, run:report())
    end)

    it("does not end it by a signal, and a terminal does not reach it", function()
        local run = program.start { args = { "-m", program.NO_MASTER, spawned [[
mesos.exec { "true" }
print "ready"
io.stdout:flush()
io.stdin:read("l")
show(mesos.exec { "echo", "still" })]] }, keep_stdin = true }
        run:wait_for("ready\n")
        local spawner = program.wait_for(function() return spawner_of(run.pid) end)
        local stat = program.read(("/proc/%d/stat"):format(spawner))
        assert.equal(spawner, math.tointeger(tonumber(stat:match("%) %a %d+ %d+ (%d+)")))) -- its session
        for _, signal in ipairs { "sigint", "sigterm", "sighup", "sigpipe", "sigusr1" } do
            uv.kill(spawner, signal)
        end
        run.input:write("\n")
        run:wait()
        assert.equal("ready\n0\tnil\tstill\n\t\tnil\tnil\n", run.stdout, run:report())
    end)
end)

describe("the process that starts programs", function()
    after_each(program.cleanup)

    it("is forked by the launcher, which is a small program", function()
        local run = program.start { args = { "-m", program.NO_MASTER, program.script "return {}" } }
        local spawner = program.wait_for(function() return spawner_of(run.pid) end)
        assert.equal(uv.fs_realpath(program.path), uv.fs_readlink(("/proc/%d/exe"):format(spawner)))
        assert.not_equal(uv.fs_realpath(program.path), uv.fs_readlink(("/proc/%d/exe"):format(run.pid)))
        run:kill()
        assert.equal(0, run:wait(), run:report())
    end)

    it("is not what a variable of the environment says", function()
        for _, text in ipairs { "0:1", "2:" .. uv.os_getpid(), "3:1", "99:0", "x", "" } do
            local run = program.run { path = host, args = { "-m", program.NO_MASTER, spawned [[
print(os.getenv("MESOS_LUA_SPAWNER"))
show(mesos.exec { "sh", "-c", "echo ${MESOS_LUA_SPAWNER-none}" })]] }, env = { MESOS_LUA_SPAWNER = text } }
            assert.equal("nil\n0\tnil\tnone\n\t\tnil\tnil\n", run.stdout, text .. run:report())
        end
    end)

    it("is not kept by a program that starts nothing", function()
        local control = program.directory() .. "/control"
        local run = program.start { args = { "-m", program.NO_MASTER, "--control", control, program.script "return {}" } }
        program.wait_for(function() return spawner_of(run.pid) end)
        run:wait_for("cannot subscribe")
        local repl = program.start { args = { "ctl", control, "repl" }, keep_stdin = true }
        repl.input:write("40 + 2\n")
        repl:wait_for("42")
        assert.is_nil(spawner_of(repl.pid))
        repl.input:shutdown()
        repl:wait()
        run:kill()
        assert.equal(0, run:wait(), run:report())
    end)
end)

describe("the end of the process that starts programs", function()
    after_each(program.cleanup)

    it("is told, ends what it had started, and is made good", function()
        local run = program.start { args = { tasks_script([[{ { id = "one", command = "sleep 600" } }]], [[
local update = s.statusUpdate
function s:statusUpdate(driver, status)
    if status.state ~= "TASK_RUNNING" then return update(self, driver, status) end
    mesos.spawn(function()
        left = left + 1
        print(select(2, mesos.exec { "sleep", "601" }))
        print(mesos.exec { "echo", "again" }.stdout)
        io.stdout:flush()
        left = left - 1
        if left == 0 then driver:stop() end
    end)
    -- The answers come in order: once this program has ended, the host knows that the one before it runs.
    mesos.spawn(function()
        mesos.exec { "true" }
        print "running"
        io.stdout:flush()
    end)
end]]) } }
        run:wait_for("running")
        local spawner = spawner_of(run.pid)
        local child = program.wait_for(function()
            for _, pid in ipairs(processes()) do
                if parent_of(pid) == spawner and program.read(("/proc/%d/cmdline"):format(pid)) == "sleep\0" .. "601\0" then
                    return pid
                end
            end
        end)
        uv.kill(spawner, "sigkill")
        run:wait_for("again")
        program.wait_until_gone(child)
        run:wait()
        assert.matches("'sleep' was killed: the process that had started it ended unexpectedly\tECANCELED", run.stdout)
        assert.matches("one\tTASK_FAILED\tCommand terminated with signal Killed: the process that had started it ended", run.stdout)
        assert.matches("error +the process that starts programs %(%d+%) ended unexpectedly: Killed; 2 programs", run.stderr)
        assert.equal(0, run.code, run:report())
    end)

    it("does no harm while nothing runs", function()
        local run = program.start { args = { "-m", program.NO_MASTER, spawned [[
io.stdin:read("l")
show(mesos.exec { "echo", "x" })]] }, keep_stdin = true }
        kill_spawner(run)
        run.input:write("\n")
        run:wait()
        assert.equal("0\tnil\tx\n\t\tnil\tnil\n", run.stdout, run:report())
    end)
end)

describe("what the program is started with", function()
    after_each(program.cleanup)

    for _, closed in ipairs { ">&-", "<&-", "2>&-", "<&- >&- 2>&-" } do
        it("may lack descriptors: " .. closed, function()
            local directory = program.directory()
            local script = spawned(([[
local file = io.open("%s/files", "w")
for i = 0, 2 do file:write(io.popen("readlink /proc/" .. mesos.exec { "sh", "-c", "echo $PPID" }.stdout:match("%%d+") ..
    "/fd/" .. i):read("l"), "\n") end
print "printed"
io.stderr:write "printed"
file:close()
mesos.exit(7)]]):format(directory))
            local run = program.run { path = "/bin/sh", args = { "-c", ("exec %s -m %s %s %s"):format(program.path, program.NO_MASTER,
                script, closed) } }
            assert.equal(7, run.code, run:report())
            assert.equal(("/dev/null\n"):rep(3), program.read(directory .. "/files"))
        end)
    end

    it("may allow too few descriptors: a text and a status, at any number", function()
        for count = 7, 32 do
            local run = program.run { path = "/bin/sh", args = { "-c", ("ulimit -n %d; exec %s %s"):format(count, program.path,
                spawned "") } }
            local refused = run.code == 2 and run.stderr:find("descriptors that this process may have %(ulimit %-n%)") ~= nil
            assert(refused or run.code == 0, count .. ": " .. run:report())
            assert(count > 8 or refused, count .. ": " .. run:report())
        end
    end)

    it("may bring a SIGHUP that waits: it is a reload when one is possible", function()
        -- A signal that was blocked and sent before exec is pending from the first instruction on.
        local run = program.start { path = "/usr/bin/perl", args = { "-MPOSIX", "-e", [[
sigprocmask(SIG_BLOCK, POSIX::SigSet->new(SIGHUP));
kill HUP => $$;
exec @ARGV;]], program.path, "-m", program.NO_MASTER, program.script "return {}" } }
        run:wait_for("reloaded")
        run:kill()
        assert.equal(0, run:wait(), run:report())
    end)

    it("may get a SIGHUP as soon as the launcher has blocked it", function()
        -- It is sent when SigBlk says that it is blocked, while the libraries of the host are linked.
        for _ = 1, 20 do
            local run = program.start { args = { "-m", program.NO_MASTER, program.script "return {}" } }
            repeat
                local mask = (program.read(("/proc/%d/status"):format(run.pid)) or ""):match("SigBlk:\t(%x+)")
                local catches = (program.read(("/proc/%d/status"):format(run.pid)) or ""):match("SigCgt:\t(%x+)")
            until tonumber(mask, 16) & 1 ~= 0 or tonumber(catches, 16) & 1 ~= 0
            run:kill("sighup")
            run:wait_for("reloaded")
            run:kill()
            assert.equal(0, run:wait(), run:report())
        end
    end)
end)

describe("the sandbox of a task", function()
    after_each(program.cleanup)

    local function mode(path)
        return ("%03o"):format(assert(uv.fs_stat(path), path).mode & 511)
    end

    it("is closed to other users, and the way to it can be passed through", function()
        local umask = "umask 077; exec "
        local work = program.directory() .. "/a/work"
        local run = program.run { path = "/bin/sh", args = { "-c", umask .. program.path .. " --work-dir " .. work .. " " ..
            tasks_script([[{ { id = "one", command = "pwd; id -u", user = ]] .. (is_root and [["nobody"]] or "nil") .. [[ } }]]) } }
        assert.matches("one\tTASK_FINISHED", run.stdout, 1, false)
        local find = io.popen("find " .. work .. " -name stdout")
        local path = find:read("l"):match("(.*)/stdout$")
        find:close()
        assert.equal("750", mode(path))
        local way = path:match("(.*)/")
        repeat
            assert.equal("711", mode(way), way)
            way = way:match("(.*)/")
        until #way < #work
        for _, name in ipairs { "stdout", "stderr" } do
            local stat = uv.fs_stat(path .. "/" .. name)
            assert.equal(is_root and "65534" or tostring(uv.getuid()), ("%d"):format(stat.uid))
            assert.equal(0, stat.mode & tonumber("137", 8))
        end
        assert.equal(path .. "\n" .. (is_root and 65534 or uv.getuid()) .. "\n", program.read(path .. "/stdout"))
    end)

    -- Files that an archive, fetched before the command starts, leaves in the place of its output.
    local traps = {
        { "a FIFO", "mkfifo stdout", "it is not a regular file" },
        { "a symbolic link", "ln -s /etc/hostname stdout", "it is a symbolic link" },
        { "a hard link", "touch stdout; ln stdout another", "it has other names (hard links)" },
    }
    for _, row in ipairs(traps) do
        it("cannot catch the cluster with " .. row[1], function()
            local folder = program.directory()
            assert(os.execute(("cd %s && %s && tar -cf /tmp/trap.$$.tar * && mv /tmp/trap.$$.tar trap.tar"):format(folder, row[2])))
            local run = program.run { args = { tasks_script(([[{ { id = "one", command = "true", uris = { { value = "%s/trap.tar" } } } }]])
                :format(folder)) } }
            assert.equal(0, run.code, run:report())
            assert(run.stdout:find("TASK_FAILED\tFailed to launch container: Failed to open '", 1, true), run:report())
            assert(run.stdout:find(row[3], 1, true), run:report())
        end)
    end

    it("lies where an agent of Mesos has it, a new one for each run, and `latest` leads to the last", function()
        local work = program.directory()
        local script = tasks_script([[{ { id = "one", command = "echo $MESOS_SANDBOX" } }]], [[
local update, runs = s.statusUpdate, 0
function s:statusUpdate(driver, status)
    if status.state == "TASK_FINISHED" then
        print(status.container_status.container_id.value)
        runs = runs + 1
        if runs == 1 then launched = false return end
    end
    update(self, driver, status)
end]])
        local run = program.run { args = { "--work-dir", work, script } }
        assert.equal(0, run.code, run:report())
        local first, second = run.stdout:match("\n(%S+)\none.-\n(%S+)\none\tTASK_FINISHED")
        local pipe <close> = io.popen("find " .. work .. " -name stdout")
        local runs = {}
        for path in pipe:lines() do
            local id = path:match("^" .. work:gsub("%-", "%%-") ..
                "/slaves/[^/]+%-S0/frameworks/[^/]+%-0000/executors/one/runs/([^/]+)/stdout$")
            runs[assert(id, path)] = path:match("(.*)/")
            assert.equal(runs[id] .. "\n", program.read(path))
        end
        assert.is_string(runs[first], run:report())
        assert.not_equal(first, second)
        assert.equal(runs[second], uv.fs_realpath(runs[first] .. "/../latest"))
    end)

    it("says why a command could not be executed, in the message too", function()
        local run = program.run { args = { tasks_script([[{
            { id = "long", command = "true " .. ("x"):rep(3 << 20) },
            { id = "longest", command = "true " .. ("x"):rep(9 << 20) },
            { id = "none", command = "/no/such", shell = false } }]]) } }
        assert.matches("long\tTASK_FAILED\tCommand exited with status 1: Failed to execute '/bin/sh': Argument list too long " ..
            "%(an argument, such as the command of a shell, or a variable has at most 131071 bytes, all together %d+%)\n", run.stdout)
        assert.matches("longest\tTASK_FAILED\tCommand exited with status 1: Failed to execute '/bin/sh': Argument list too long",
            run.stdout)
        assert.matches("none\tTASK_FAILED\tCommand exited with status 1: Failed to execute '/no/such': No such file", run.stdout)
        assert.equal(0, run.code)
    end)

    it("is not given to a user that there is not", function()
        local run = program.run { args = { tasks_script [[{ { id = "one", command = "true", user = "no-such-user" } }]] } }
        assert.matches("one\tTASK_%u+\t[^\n]*There is no user 'no%-such%-user' on this machine", run.stdout)
    end)
end)

describe("the work folder of a cluster that named none", function()
    after_each(program.cleanup)

    local function folders(run)
        local scan, list = assert(uv.fs_scandir(run.home)), {}
        for name in uv.fs_scandir_next, scan do
            list[#list + 1] = name:match("^mesos%-lua%-%w+$")
        end
        return list
    end

    it("is gone if no task ran, and else the log says that it stays", function()
        local run = program.run { args = { program.script [[require("mesos").after(0.1, os.exit) return {}]] } }
        assert.equal(0, run.code, run:report())
        assert.same({}, folders(run))
        assert.is_nil(run.stderr:find("stay in", 1, true))
        run = program.run { args = { tasks_script [[{ { id = "one", command = "true" } }]] } }
        assert.equal(1, #folders(run))
        assert.matches("info +the sandboxes of the tasks that ran stay in " .. (run.home .. "/" .. folders(run)[1]):gsub("%-", "%%-") ..
            " %(%-%-keep%)", run.stderr)
    end)

    -- Runs a cluster with a task; its folder.
    local function run_cluster(home, keep)
        local run = program.run { args = { "--keep", keep, tasks_script [[{ { id = "one", command = "sleep 0.3; touch x" } }]] },
            env = { TMPDIR = home } }
        assert.equal(0, run.code, run:report())
        return run.stderr:match("stay in (%S+)")
    end

    local function exists(path)
        return uv.fs_stat(path) ~= nil
    end

    -- Folders are removed while a cluster runs; the next one goes on with what is left.
    local function wait_until_removed(home, keep, ...)
        local paths = { ... }
        program.wait_for(function()
            run_cluster(home, keep)
            for _, path in ipairs(paths) do
                if exists(path) then return false end
            end
            return true
        end)
    end

    it("is kept with the latest of earlier ones, of which the others are removed", function()
        local home, all = program.directory(), {}
        for i = 1, 4 do
            all[i] = run_cluster(home, "4")
        end
        for i = 1, 4 do assert.is_true(exists(all[i])) end
        all[5] = run_cluster(home, "5")
        wait_until_removed(home, "4", all[1], all[2])
        for i = 4, 5 do assert.is_true(exists(all[i])) end
        wait_until_removed(home, "1", all[3], all[4], all[5])
        assert.equal(1, #folders { home = home })
    end)

    it("is removed after a program that was killed, and never while one runs, or if another has made it", function()
        local home = program.directory()
        local live = program.start { args = { tasks_script [[{ { id = "one", command = "sleep 600" } }]] }, env = { TMPDIR = home } }
        live:wait_for("TASK_RUNNING")
        local dead = program.start { args = { tasks_script [[{ { id = "one", command = "sleep 600" } }]] }, env = { TMPDIR = home } }
        dead:wait_for("TASK_RUNNING")
        dead:kill("sigkill")
        dead:wait()
        local of_live, of_dead = live.stderr:match("sandboxes are in (%S+)"), dead.stderr:match("sandboxes are in (%S+)")
        local strange = home .. "/mesos-lua-abcdef"
        assert(uv.fs_mkdir(strange, 448))
        wait_until_removed(home, "0", of_dead)
        assert.is_true(exists(of_live) and exists(strange))
        live:kill("sigkill")
        live:wait()
    end)
end)

describe("tasks that are killed", function()
    after_each(program.cleanup)

    it("before they have started, end without having run", function()
        local run = program.run { args = { "--resources", "cpus:2;mem:4000", tasks_script([[(function()
            local list = {}
            for i = 1, 300 do list[i] = { id = "t" .. i, command = "sleep 600" } end
            return list
        end)()]], [[
local offer = s.resourceOffers
function s:resourceOffers(driver, offers)
    local first = not launched
    offer(self, driver, offers)
    for i = 1, first and 300 or 0 do driver:killTask("t" .. i) end
end]]) } }
        assert.equal(0, run.code, run:report():sub(1, 3000))
        local _, killed = run.stdout:gsub("\tTASK_KILLED\t", "")
        assert.equal(300, killed)
    end)
end)
