-- SPDX-License-Identifier: Apache-2.0
--
-- What the scripted master and the scripted agent have in common: one event stream that a SUBSCRIBE opens, calls
-- beside it that are noted and answered, and what a spec does to both.

local program = require("support.program")
local internals = require("internals")
local server = require("support.server")

local M = {}

local Peer = {}
Peer.__index = Peer

M.TYPE = "application/x-protobuf"

function M.uuid()
    return (("xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx"):gsub("x", function()
        return ("%x"):format(math.random(0, 15))
    end))
end

function M.frame(record)
    return #record .. "\n" .. record
end

-- ---- events ----

-- Sends an event (a table by the mapping of the contract) as one chunk on the live stream.
function Peer:send(event)
    self:send_record(internals.encode(self.EVENT, event))
end

function Peer:send_record(record)
    self:send_bytes(M.frame(record))
end

-- Sends bytes of the stream as they are: cut records, several, garbage.
function Peer:send_bytes(bytes)
    assert(self.stream, "nothing is subscribed").connection:chunk(bytes)
end

-- Sends the bytes of each piece as a chunk of its own.
function Peer:send_pieces(pieces)
    for _, piece in ipairs(pieces) do
        self:send_bytes(piece)
    end
end

function Peer:heartbeat()
    self:send({ type = "HEARTBEAT" })
end

-- ---- the end of a stream ----

local function take_stream(peer)
    local stream = assert(peer.stream, "nothing is subscribed")
    peer.stream = nil
    return stream.connection
end

function Peer:end_stream()
    take_stream(self):finish()
end

function Peer:drop()
    take_stream(self):close()
end

function Peer:reset()
    take_stream(self):reset()
end

-- ---- calls ----

-- From now on calls of that type get this answer. status false: none at all; status nil: the usual one. A function in
-- place of the status is called with the call and its connection and answers itself, or returns true for the usual.
function Peer:answer(type, status, body, headers)
    self.answers[type] = { status = status, body = body, headers = headers }
end

-- From now on calls of that type are answered as usual, but late; so is what comes behind them on the connection.
function Peer:delay(type, seconds)
    self:answer(type, function(_, connection)
        connection:pause(seconds)
        return true
    end)
end

-- From now on calls of that type wait for release().
function Peer:hold(type)
    local held = {}
    self.held[type] = held
    self:answer(type, function(_, connection)
        held[#held + 1] = connection
        connection:sleep()
        return true
    end)
end

function Peer:release(type)
    self:answer(type)
    local held = self.held[type]
    self.held[type] = nil
    for _, connection in ipairs(held) do
        connection:wake()
    end
end

-- What a request is refused with before its call is looked at: status and text, or nil.
function Peer:refusal(request)
    if request.path ~= self.PATH then
        return 404, "404 Not Found."
    elseif request.method ~= "POST" then
        return 405, ("405 Method Not Allowed. Expecting one of { 'POST' }, but received '%s'."):format(request.method)
    elseif not request:header("Content-Type") then
        return 400, "Expecting 'Content-Type' to be present"
    elseif request:header("Content-Type") ~= M.TYPE then
        return 415, "Expecting 'Content-Type' of application/json or application/x-protobuf"
    end
    return nil
end

local function answer_usually(peer, call, connection)
    local answer = peer.usual[call.type]
    if answer then
        answer(peer, call, connection)
    else
        connection:respond(202)
    end
end

function Peer:answer_call(call, connection)
    local answer = self.answers[call.type] or {}
    if type(answer.status) == "function" then
        if answer.status(call, connection) then
            answer_usually(self, call, connection)
        end
    elseif answer.status then
        connection:respond(answer.status, answer.body, answer.headers)
    elseif answer.status == nil then
        answer_usually(self, call, connection)
    end
end

-- The n-th call of that type (1 if not given), as soon as it is there.
function Peer:wait_for(type, n, seconds)
    n = n or 1
    return program.wait_for(function()
        assert(not self.server.error, self.server.error)
        return self:calls_of(type)[n]
    end, seconds, function()
        return ("%d calls %s; the calls were %s"):format(n, type, table.concat(self:call_types(), " "))
    end)
end

function Peer:calls_of(type)
    local found = {}
    for _, call in ipairs(self.calls) do
        if call.type == type then
            found[#found + 1] = call
        end
    end
    return found
end

function Peer:call_types()
    local types = {}
    for i, call in ipairs(self.calls) do
        types[i] = call.type
    end
    return types
end

local function handle(peer, request, connection)
    local status, text = peer:refusal(request)
    if status then
        return connection:respond(status, text)
    end
    local read, call = pcall(internals.decode, peer.CALL, request.body)
    if not read then
        return connection:respond(400, "Failed to parse body into Call protobuf")
    elseif call.type == "SUBSCRIBE" and request:header("Accept") ~= M.TYPE then
        return connection:respond(406, "Expecting 'Accept' to allow 'application/x-protobuf' or 'application/json'")
    end
    peer.calls[#peer.calls + 1] = {
        type = call.type, call = call, request = request, connection = connection,
    }
    local special = peer.answers[call.type]
    status, text = peer:problem_with(request, call)
    if status and not (special and special.status ~= nil) then
        return connection:respond(status, text)
    end
    peer:answer_call(call, connection)
end

-- Makes a peer of `peer`, whose class derives from M.class() and has EVENT and CALL (message types), PATH, usual (answers
-- by type of call) and problem_with(request, call), and listens. Options: port, host.
function M.start(peer, options)
    peer.calls, peer.answers, peer.expected, peer.held = {}, {}, {}, {}
    peer.server = server.start(function(connection)
        while true do
            local request = connection:read_request()
            if not request then
                break
            end
            handle(peer, request, connection)
        end
        if peer.stream and peer.stream.connection == connection then
            peer.stream = nil
        end
    end, options.port, options.host)
    peer.address = peer.server.address
    return peer
end

function Peer:stop()
    self.server:stop()
end

function M.class()
    local class = setmetatable({}, Peer)
    class.__index = class
    return class
end

return M
