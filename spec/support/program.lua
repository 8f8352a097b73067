-- SPDX-License-Identifier: Apache-2.0
--
-- Runs the real program for specs: starts build/mesos-lua (or MESOS_LUA) on libuv, collects what it prints, and waits
-- for conditions, never for a time to pass. Everything happens in the one libuv loop of the busted process, so that a
-- scripted server (support.server) answers while a spec waits.
--
-- SPEC_PATIENCE multiplies all deadlines (sanitizers, valgrind); MESOS_LUA_WRAPPER is put in front of the program;
-- MESOS_LUA_HARDSHIP is handed to it.
--
--   local program = require("support.program")
--   after_each(program.cleanup)
--   local run = program.start { args = { program.script "return {}" } }
--   assert.equal(2, run:wait())

local uv = require("luv")

local M = {}

M.path = os.getenv("MESOS_LUA") or (uv.cwd() .. "/build/mesos-lua")
M.patience = tonumber(os.getenv("SPEC_PATIENCE")) or 1

-- The address of a master that is never there: the port is reserved.
M.NO_MASTER = "127.0.0.1:1"

local DEADLINE = 30 -- seconds
local TURN = 0.02 -- seconds; a turn of the loop takes 0.01 where there is nothing else to do

local directories, runs = {}, {}

-- Runs the loop until condition() is true; returns what it returned. After `seconds` it raises, with the text that
-- `report` gives. The seconds are those in which the loop turned: a machine that stops, or that runs others, stops the
-- program as well, and what a turn took beyond the usual time is not counted.
function M.wait_for(condition, seconds, report)
    local value = condition()
    if value then
        return value
    end
    local limit, passed = (seconds or DEADLINE) * M.patience, 0
    local last = uv.hrtime()
    local tick = uv.new_timer()
    tick:start(10, 10, function() end) -- conditions may look at things that wake no loop, such as files
    repeat
        uv.run("once")
        local now = uv.hrtime()
        passed, last = passed + math.min((now - last) / 1e9, TURN), now
        value = condition()
    until value or passed > limit
    tick:close()
    if not value then
        error(("nothing after %g s: %s"):format(limit, report and report() or "the condition did not become true"), 2)
    end
    return value
end

-- A fresh directory, removed by cleanup().
function M.directory()
    local path = assert(uv.fs_mkdtemp((os.getenv("TMPDIR") or "/tmp") .. "/mesos-lua-spec-XXXXXX"))
    directories[#directories + 1] = path
    return path
end

local function write_file(path, text)
    local file <close> = assert(io.open(path, "wb"))
    assert(file:write(text))
end

-- Writes files into a fresh directory and returns its path: M.files { ["main.lua"] = "...", ["lib/x.lua"] = "..." }
function M.files(files)
    local directory = M.directory()
    for name, text in pairs(files) do
        local parent = name:match("^(.*)/[^/]*$")
        local path = directory
        for part in (parent or ""):gmatch("[^/]+") do
            path = path .. "/" .. part
            uv.fs_mkdir(path, tonumber("755", 8))
        end
        write_file(directory .. "/" .. name, text)
    end
    return directory
end

-- The path of a file with that text, script.lua if it has no other name.
function M.script(text, name)
    name = name or "script.lua"
    return M.files { [name] = text } .. "/" .. name
end

function M.read(path)
    local file <close> = io.open(path, "rb")
    return file and file:read("a")
end

local function environment(extra, home)
    local values = {
        PATH = os.getenv("PATH"), LANG = os.getenv("LANG"), USER = os.getenv("USER"), HOME = home, TMPDIR = home,
        XDG_RUNTIME_DIR = home, MESOS_REGISTRATION_BACKOFF_FACTOR = "200ms", ASAN_OPTIONS = os.getenv("ASAN_OPTIONS"),
        MESOS_LUA_HARDSHIP = os.getenv("MESOS_LUA_HARDSHIP"),
        UBSAN_OPTIONS = os.getenv("UBSAN_OPTIONS"), LSAN_OPTIONS = os.getenv("LSAN_OPTIONS"),
    }
    for name, value in pairs(extra or {}) do
        values[name] = value or nil
    end
    local list = {}
    for name, value in pairs(values) do
        list[#list + 1] = name .. "=" .. value
    end
    return list
end

-- Under hardship even a short script may take longer to load than it is given, where nothing else is said.
local function with_time_to_load(args)
    local at = args[1] == "executor" and 2 or 1
    local first = args[at] or ""
    if first:find("^%-") or first:find("%.lua$") then
        for _, word in ipairs(args) do
            if word == "--load-limit" then
                return args
            end
        end
        args = table.move(args, at, #args, at + 2, table.move(args, 1, #args, 1, {}))
        args[at], args[at + 1] = "--load-limit", "60"
    end
    return args
end

local function command_line(path, args)
    local words = {}
    if path == M.path then
        args = os.getenv("MESOS_LUA_HARDSHIP") and args and with_time_to_load(args) or args
        for word in (os.getenv("MESOS_LUA_WRAPPER") or ""):gmatch("%S+") do
            words[#words + 1] = word
        end
    end
    words[#words + 1] = path
    for _, word in ipairs(args or {}) do
        words[#words + 1] = word
    end
    return table.remove(words, 1), words
end

local Run = {}
Run.__index = Run

-- A pipe that is read into run[name]; with `given`, a descriptor that the spec reads itself, or does not read.
local function collect(run, name, given)
    if given then
        return given, function() end
    end
    local pipe = uv.new_pipe(false)
    run.open = run.open + 1
    return pipe, function()
        pipe:read_start(function(err, data)
            if data then
                run[name] = run[name] .. data
                return
            end
            run.open = run.open - 1
            run.failure = err or run.failure
            pipe:close()
        end)
    end
end

-- Starts the program. Options: args, env (added to a clean environment; false removes), stdin (text; without it,
-- empty), keep_stdin (leave it open), cwd, path (another program), stdout and stderr (descriptors in place of pipes that
-- are read).
function M.start(options)
    options = options or {}
    local run = setmetatable({ stdout = "", stderr = "", open = 0, pipes = {} }, Run)
    run.home = M.directory()
    local input = uv.new_pipe(false)
    local output, read_output = collect(run, "stdout", options.stdout)
    local errors, read_errors = collect(run, "stderr", options.stderr)
    local path, args = command_line(options.path or M.path, options.args)
    local handle, pid = uv.spawn(path, {
        args = args, env = environment(options.env, run.home), cwd = options.cwd, stdio = { input, output, errors },
    }, function(code, signal)
        run.code, run.signal = code, signal
        run.handle:close()
    end)
    if not handle then
        input:close()
        for name, pipe in pairs { stdout = output, stderr = errors } do
            if not options[name] then
                pipe:close()
            end
        end
        error(("cannot start %s: %s"):format(path, pid), 2)
    end
    run.handle, run.pid, run.input = handle, pid, input
    run.pipes = { input, not options.stdout and output or nil, not options.stderr and errors or nil }
    runs[#runs + 1] = run
    read_output()
    read_errors()
    if options.stdin then
        input:write(options.stdin)
    end
    if not options.keep_stdin then
        input:shutdown(function()
            if not input:is_closing() then
                input:close()
            end
        end)
    end
    return run
end

function Run:report()
    return ("%s\n--- stdout\n%s--- stderr\n%s"):format(
        self.code and ("ended with status %d, signal %d"):format(self.code, self.signal) or "still runs", self.stdout,
        self.stderr)
end

-- Waits until it has ended and all its output is here. Returns exit status and signal.
function Run:wait(seconds)
    M.wait_for(function()
        return self.code and self.open == 0
    end, seconds, function()
        return self:report() .. (self.code and "\n(another process holds its stdout or stderr open)" or "")
    end)
    return self.code, self.signal
end

-- Waits for a condition, or for a Lua pattern in stderr or stdout; returns what it matched.
function Run:wait_for(condition, seconds)
    local pattern = type(condition) == "string" and condition
    if pattern then
        condition = function()
            return self.stderr:match(pattern) or self.stdout:match(pattern)
        end
    end
    return M.wait_for(function()
        local value = condition()
        if not value and self.code and self.open == 0 then
            error("it ended before: " .. self:report(), 0)
        end
        return value
    end, seconds, function()
        return (pattern and ("no '%s'; "):format(pattern) or "") .. self:report()
    end)
end

function Run:kill(signal)
    if not self.code then
        self.handle:kill(signal or "sigterm")
    end
end

-- Runs to the end; returns the finished run.
function M.run(options)
    local run = M.start(options)
    run:wait(options and options.seconds)
    return run
end

-- True if there is a process with that id.
function M.alive(pid)
    local stat = M.read(("/proc/%d/stat"):format(pid))
    return stat ~= nil and stat:match("%) (%a)") ~= "Z"
end

-- Waits until the process with that id has ended.
function M.wait_until_gone(pid, seconds)
    M.wait_for(function() return not M.alive(pid) end, seconds, function()
        return "process " .. pid .. " lives: " .. (M.read("/proc/" .. pid .. "/cmdline") or ""):gsub("\0", " ")
    end)
end

-- Raises unless each of the parts is in the text, to the letter.
function M.assert_has(text, ...)
    for _, part in ipairs { ... } do
        if not text:find(part, 1, true) then
            error(("no '%s' in: %s"):format(part, text), 2)
        end
    end
end

local function remove(path)
    for name, kind in (function()
        local scan = uv.fs_scandir(path)
        return function()
            if scan then
                return uv.fs_scandir_next(scan)
            end
        end
    end)() do
        local child = path .. "/" .. name
        if kind == "directory" then
            remove(child)
        else
            uv.fs_unlink(child)
        end
    end
    uv.fs_rmdir(path)
end

-- Ends what still runs and removes the directories: for after_each().
function M.cleanup()
    for _, run in ipairs(runs) do
        run:kill("sigkill")
    end
    for _, run in ipairs(runs) do
        pcall(M.wait_for, function()
            return run.code
        end)
        for _, pipe in pairs(run.pipes) do
            if not pipe:is_closing() then
                pipe:close()
            end
        end
    end
    for _, directory in ipairs(directories) do
        remove(directory)
    end
    runs, directories = {}, {}
    uv.run("nowait")
end

return M
