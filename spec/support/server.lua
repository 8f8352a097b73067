-- SPDX-License-Identifier: Apache-2.0
--
-- A TCP server in the busted process that does what a spec tells it, down to the byte: for peers that are no Mesos
-- master, close at once, cut records or send garbage, and as the ground that support.master stands on.
--
-- A handler runs as a coroutine for each connection:
--
--   local server = require("support.server")
--   after_each(server.cleanup)
--   local peer = server.start(function(connection)
--       local request = connection:read_request() -- nil: the other side closed
--       connection:write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
--   end)                                          -- closes when the handler returns
--   ... peer.address, peer.requests[1].headers, peer.connections[1].received

local uv = require("luv")

local M = {}

local Connection, Request, Server = {}, {}, {}
Request.__index, Server.__index = Request, Server

-- `received` is all that has arrived. It is put together when it is asked for: a large body arrives in many pieces.
function Connection.__index(connection, name)
    if name ~= "received" then
        return Connection[name]
    end
    if #connection.pieces > 1 then
        connection.pieces = { table.concat(connection.pieces) }
    end
    return connection.pieces[1] or ""
end

local servers, unused = {}, {}

-- A peer that is gone is an error of a write, not the end of busted.
local sigpipe = uv.new_signal()
sigpipe:start("sigpipe")
sigpipe:unref()

local function resume(connection, ...)
    local ok, message = coroutine.resume(connection.thread, ...)
    if not ok then
        connection.server.error = debug.traceback(connection.thread, message)
        connection:close()
    elseif coroutine.status(connection.thread) == "dead" then
        connection:close()
    end
end

local function on_read(connection, err, data)
    if data and connection.take_bytes then
        connection.take_bytes(data)
        return
    elseif data then
        table.insert(connection.pieces, data)
        connection.size = connection.size + #data
    else
        connection.ended = err or "closed"
    end
    if connection.waiting then
        connection.waiting = nil
        resume(connection)
    end
end

-- Suspends the handler until more bytes are here; false when none will come.
function Connection:more()
    if self.ended or self.closed then
        return false
    end
    self.waiting = true
    coroutine.yield()
    return not self.ended
end

-- Suspends the handler until wake() is called; what arrives meanwhile waits as well.
function Connection:sleep()
    self.asleep = true
    coroutine.yield()
end

function Connection:wake()
    if self.asleep then
        self.asleep = nil
        resume(self)
    end
end

-- Suspends the handler for that long.
function Connection:pause(seconds)
    local timer = uv.new_timer()
    timer:start(math.ceil(seconds * 1000), 0, function()
        timer:close()
        self:wake()
    end)
    self:sleep()
end

-- From now on `take(bytes)` gets what arrives, as it arrives, and nothing is kept: for floods. Suspends the handler
-- until the other side closes.
function Connection:take_over(take)
    take(self.received:sub(self.taken + 1))
    self.take_bytes = take
    self:wait_close()
end

-- The next `count` bytes, or nil if the other side closed before.
function Connection:read(count)
    while self.size - self.taken < count do
        if not self:more() then
            return nil
        end
    end
    local bytes = self.received:sub(self.taken + 1, self.taken + count)
    self.taken = self.taken + count
    return bytes
end

-- The bytes up to and with `mark`, or nil.
function Connection:read_until(mark)
    while true do
        local _, last = self.received:find(mark, self.taken + 1, true)
        if last then
            return self:read(last - self.taken)
        elseif not self:more() then
            return nil
        end
    end
end

-- The value of the one header of that name (any case), or nil. Raises if there are several.
function Request:header(name)
    local found
    for _, header in ipairs(self.headers) do
        if header.name:lower() == name:lower() then
            assert(not found, "the header " .. name .. " came twice")
            found = header.value
        end
    end
    return found
end

-- Reads one HTTP request: method, path, version, headers (in order, as they were written), body, head (its raw bytes).
-- Nil once either side has closed, whatever came before that.
function Connection:read_request()
    local head = not self.closed and self:read_until("\r\n\r\n")
    if not head then
        return nil
    end
    local request = setmetatable({ head = head, headers = {}, connection = self }, Request)
    request.method, request.path, request.version = head:match("^(%S+) (%S+) (HTTP/%d%.%d)\r\n")
    assert(request.method, "not an HTTP request: " .. head)
    for name, value in head:gmatch("\r\n([^:\r\n]+):[ \t]*([^\r\n]*)") do
        request.headers[#request.headers + 1] = { name = name, value = value }
    end
    assert(not request:header("Transfer-Encoding"), "chunked requests are not expected here")
    request.body = self:read(tonumber(request:header("Content-Length") or 0))
    if not request.body then
        return nil
    end
    local requests = self.server.requests
    requests[#requests + 1] = request
    return request
end

function Connection:write(bytes)
    if not self.closed then
        self.tcp:write(bytes)
    end
end

-- Writes one byte at a time, each in a segment of its own as far as the system goes along.
function Connection:write_slowly(bytes)
    for i = 1, #bytes do
        self:write(bytes:sub(i, i))
    end
end

local REASONS = {
    [200] = "OK", [202] = "Accepted", [307] = "Temporary Redirect", [400] = "Bad Request", [401] = "Unauthorized",
    [403] = "Forbidden", [404] = "Not Found", [405] = "Method Not Allowed", [406] = "Not Acceptable",
    [415] = "Unsupported Media Type", [503] = "Service Unavailable",
}

-- Writes a whole HTTP response: respond(202), respond(400, "text"), respond(307, "", { Location = "//host:port/" }).
function Connection:respond(status, body, headers)
    local lines = { ("HTTP/1.1 %d %s"):format(status, REASONS[status] or "Status") }
    for name, value in pairs(headers or {}) do
        lines[#lines + 1] = name .. ": " .. value
    end
    if body and body ~= "" and not (headers and headers["Content-Type"]) then
        lines[#lines + 1] = "Content-Type: text/plain; charset=utf-8"
    end
    lines[#lines + 1] = "Content-Length: " .. #(body or "")
    self:write(table.concat(lines, "\r\n") .. "\r\n\r\n" .. (body or ""))
end

-- Begins an endless response, as the master does for SUBSCRIBE; chunk() adds to it, finish() ends it properly.
function Connection:begin_stream(headers)
    local lines = { "HTTP/1.1 200 OK", "Transfer-Encoding: chunked" }
    for name, value in pairs(headers or {}) do
        lines[#lines + 1] = name .. ": " .. value
    end
    self:write(table.concat(lines, "\r\n") .. "\r\n\r\n")
end

function Connection:chunk(bytes)
    self:write(("%x\r\n%s\r\n"):format(#bytes, bytes))
end

function Connection:finish()
    self:write("0\r\n\r\n")
end

-- Suspends the handler until the other side closes.
function Connection:wait_close()
    while self:more() do end -- luacheck: ignore 542
end

-- Closes after all that was written has been sent.
function Connection:close()
    if self.closed then
        return
    end
    self.closed = true
    self.tcp:shutdown(function()
        if not self.tcp:is_closing() then
            self.tcp:close()
        end
    end)
end

-- Closes with a RST.
function Connection:reset()
    if not self.closed then
        self.closed = true
        self.tcp:close_reset()
    end
end

local function accept(server)
    local tcp = uv.new_tcp()
    assert(server.tcp:accept(tcp))
    tcp:nodelay(true)
    local connection = setmetatable({ tcp = tcp, server = server, pieces = {}, size = 0, taken = 0 }, Connection)
    server.connections[#server.connections + 1] = connection
    connection.thread = coroutine.create(server.handler)
    tcp:read_start(function(err, data)
        on_read(connection, err, data)
    end)
    resume(connection, connection)
end

-- Listens on 127.0.0.1 (or `host`) and on a free port, or on the one given.
function M.start(handler, port, host)
    local tcp = uv.new_tcp()
    assert(tcp:bind(host or "127.0.0.1", port or 0))
    local server = setmetatable({ tcp = tcp, handler = handler, connections = {}, requests = {} }, Server)
    assert(tcp:listen(64, function(err)
        assert(not err, err)
        accept(server)
    end))
    server.port = tcp:getsockname().port
    server.address = "127.0.0.1:" .. server.port
    servers[#servers + 1] = server
    return server
end

function Server:stop()
    if not self.tcp:is_closing() then
        self.tcp:close()
    end
    for _, connection in ipairs(self.connections) do
        connection.closed = true
        if not connection.tcp:is_closing() then
            connection.tcp:close()
        end
    end
end

-- A handler that reads a request, answers with these bytes as they are, and closes.
function M.answering(bytes)
    return function(connection)
        if connection:read_request() then
            connection:write(bytes)
        end
    end
end

-- An address at which nothing listens until cleanup(), unless the spec itself does: the port is kept bound, so that
-- no other process gets it, and no connection to it starts from it.
function M.unused_address()
    local tcp = uv.new_tcp()
    assert(tcp:bind("127.0.0.1", 0))
    unused[#unused + 1] = tcp
    return "127.0.0.1:" .. tcp:getsockname().port
end

-- A port for a server of another program: below those that the system gives to connections, one of which could take it
-- at any moment, and without a listener now.
function M.free_port()
    local file <close> = assert(io.open("/proc/sys/net/ipv4/ip_local_port_range"))
    local first, last = 10000, math.min(file:read("n"), 31000) - 1
    for attempt = 1, 100 do
        local port = first + (uv.os_getpid() * 7919 + uv.hrtime() // 1000 + attempt) % (last - first)
        local tcp = uv.new_tcp()
        local free = tcp:bind("127.0.0.1", math.tointeger(port)) and tcp:listen(1, function() end)
        tcp:close()
        if free then
            return math.tointeger(port)
        end
    end
    error("there is no free port")
end

-- Stops all servers, and raises if a handler has raised: for after_each().
function M.cleanup()
    local failure
    for _, server in ipairs(servers) do
        failure = failure or server.error
        server:stop()
    end
    for _, tcp in ipairs(unused) do
        tcp:close()
    end
    servers, unused = {}, {}
    uv.run("nowait")
    if failure then
        error("a server's handler raised: " .. failure, 0)
    end
end

return M
