-- SPDX-License-Identifier: Apache-2.0
--
-- A client of control sockets in the busted process, and `mesos-lua ctl` for a program under test.
--
--   local control = require("support.control")
--   local client = control.connect(control.path(run))
--   client:write('{"command":"status"}\n')
--   local reply = client:reply()                       -- decoded; nil: it was closed
--   local done = control.ctl(run, { "eval", "1 + 1" }) -- a finished run of mesos-lua ctl

local cjson = require("cjson")
local program = require("support.program")
local uv = require("luv")

local M = {}

local Client = {}
Client.__index = Client

local clients = {}

function M.path(run)
    return ("%s/mesos-lua/%d.sock"):format(run.home, run.pid)
end

function M.connect(path)
    local pipe = uv.new_pipe(false)
    local client = setmetatable({ pipe = pipe, received = "" }, Client)
    local connected, failure
    clients[#clients + 1] = client
    pipe:connect(path, function(err)
        connected, failure = true, err
    end)
    program.wait_for(function() return connected end)
    if failure then
        return nil, failure
    end
    pipe:read_start(function(err, data)
        if data then
            client.received = client.received .. data
        else
            client.closed = err or "closed"
        end
    end)
    return client
end

function Client:write(text)
    self.pipe:write(text)
end

-- No more will be written; replies still come.
function Client:shutdown()
    self.pipe:shutdown()
end

function Client:close()
    if not self.pipe:is_closing() then
        self.pipe:close()
    end
end

-- The next line that arrives, decoded, or nil if none will.
function Client:reply()
    program.wait_for(function() return self.received:find("\n", 1, true) or self.closed end)
    local line, rest = self.received:match("^([^\n]*)\n(.*)$")
    if not line then
        return nil, self.closed
    end
    self.received = rest
    return cjson.decode(line)
end

function Client:ask(command, argument)
    self:write(cjson.encode({ command = command, argument = argument }) .. "\n")
    return self:reply()
end

function M.start_ctl(run, args, options)
    options = options or {}
    return program.start {
        args = { "ctl", options.target or tostring(run.pid), table.unpack(args) }, stdin = options.stdin,
        keep_stdin = options.keep_stdin, env = { XDG_RUNTIME_DIR = run.home },
    }
end

function M.ctl(run, args, options)
    local done = M.start_ctl(run, args, options)
    done:wait()
    return done
end

function M.cleanup()
    for _, client in ipairs(clients) do
        client:close()
    end
    clients = {}
end

return M
