-- SPDX-License-Identifier: Apache-2.0
--
-- An HTTP client that writes the bytes that it is given and keeps all that comes back, for specs that look at a server
-- byte by byte. It runs in the loop of support.program.
--
--   local connection = http_client.connect("127.0.0.1:5050")
--   connection:write("POST /api/v1/scheduler HTTP/1.1\r\n...")
--   local answer = connection:answer()     -- nil until it is whole: { status =, headers = { name = value }, body = }
--   answer.stream                          -- of an answer in chunks: { pieces = { bytes... }, ended = "last-chunk" }

require("support.server") -- a peer that is gone is an error of a write, with it
local uv = require("luv")

local M = {}

local Connection = {}
Connection.__index = Connection

local connections = {}

function M.connect(address)
    local ip, port = address:match("^(.*):(%d+)$")
    local connection = setmetatable({ received = "", queued = {}, handle = uv.new_tcp() }, Connection)
    connections[#connections + 1] = connection
    connection.handle:connect(ip, tonumber(port), function(err)
        if err then
            connection.closed = err
            return
        end
        connection.open = true
        for _, bytes in ipairs(connection.queued) do
            connection.handle:write(bytes)
        end
        connection.handle:read_start(function(why, data)
            connection.closed = connection.closed or why or (not data and "EOF") or nil
            connection.received = connection.received .. (data or "")
            if connection.stream then
                connection:read_chunks()
            end
        end)
    end)
    return connection
end

function Connection:write(bytes)
    if self.open then
        self.handle:write(bytes)
    else
        self.queued[#self.queued + 1] = bytes
    end
end

function Connection:close()
    if not self.handle:is_closing() then
        self.handle:close()
    end
end

-- Takes whole chunks off what was received.
function Connection:read_chunks()
    local stream = self.stream
    while not stream.ended do
        local size, first = self.received:match("^(%x+)\r\n()")
        local last = size and first + tonumber(size, 16) - 1
        if not last or #self.received < last + 2 then
            break
        end
        stream.pieces[#stream.pieces + 1] = self.received:sub(first, last)
        stream.ended = tonumber(size, 16) == 0 and "last-chunk" or nil
        self.received = self.received:sub(last + 3)
    end
    stream.ended = stream.ended or (self.closed and "EOF") or nil
end

local function headers_of(text)
    local headers = {}
    for name, value in text:gmatch("\r\n([^:\r\n]+): *([^\r\n]*)") do
        headers[name] = value
    end
    return headers
end

-- The next answer, taken off what was received; nil if it is not whole yet. `no_body`: it is an answer to HEAD.
function Connection:answer(no_body)
    local head, rest = self.received:match("^(HTTP/1.1 .-)\r\n\r\n(.*)$")
    if not head then
        return nil
    end
    local answer = { status = math.tointeger(tonumber(head:match("^HTTP/1.1 (%d+)"))), headers = headers_of(head) }
    if answer.headers["Transfer-Encoding"] == "chunked" then
        self.received, self.stream = rest, { pieces = {} }
        answer.stream = self.stream
        self:read_chunks()
        return answer
    end
    local length = no_body and 0 or tonumber(answer.headers["Content-Length"] or 0)
    if #rest < length then
        return nil
    end
    answer.body, self.received = rest:sub(1, length), rest:sub(length + 1)
    return answer
end

function M.cleanup()
    for _, connection in ipairs(connections) do
        connection:close()
    end
    connections = {}
    uv.run("nowait")
end

return M
