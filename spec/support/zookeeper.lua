-- SPDX-License-Identifier: Apache-2.0
--
-- A real ZooKeeper server for specs, from Debian's package `zookeeper`, and a client with which specs act as masters.
-- Times are short: a tick is 100 ms, so sessions of a few hundred milliseconds are possible.
--
--   local zookeeper = require("support.zookeeper")
--   local zk = zookeeper.start()          -- in a setup(); it takes a second
--   zk:freeze() zk:thaw() zk:kill() zk:restart() zk:stop()
--   zk:expire("0x100004f99740000")        -- ends a session as if its client had died
--   local client = zk:client { timeout = 400, auth = "user:password" }
--   client:create("/mesos/json.info_", data, { ephemeral = true, sequential = true })   -- the path it got
--   client:close() client:expire() client:vanish()   -- it ends; as if it had died; it lives until it times out
--
-- The server dies with the process that started it, however that ends.

local peers = require("support.server")
local program = require("support.program")
local uv = require("luv")

local M = {}

local Server, Client = {}, {}
Server.__index, Client.__index = Server, Client

-- ---- the server ----

local JAVA = "java -Xshare:auto -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xmx64m -Dzookeeper.forceSync=no "
    .. "-Dzookeeper.preAllocSize=64 -Djava.net.preferIPv4Stack=true -cp /usr/share/java/zookeeper.jar "
    .. "org.apache.zookeeper.server.ZooKeeperServerMain"

-- Ends with the pipe at its standard input, and takes the server with it.
local GUARD = 'exec 3<&0; %s "$1" </dev/null >"$2" 2>&1 & echo $!; read -r _ <&3; kill -9 $!; wait'

local function directory()
    return assert(uv.fs_mkdtemp((os.getenv("TMPDIR") or "/tmp") .. "/mesos-lua-zookeeper-XXXXXX"))
end

local function write(path, text)
    local file <close> = assert(io.open(path, "w"))
    assert(file:write(text))
end

local function launch(server)
    local input, output = uv.new_pipe(false), uv.new_pipe(false)
    local words = { "-c", GUARD:format(JAVA), "sh", server.directory .. "/zoo.cfg", server.directory .. "/log" }
    local handle
    handle = assert(uv.spawn("sh", { args = words, stdio = { input, output, nil } }, function()
        server.ended = true
        handle:close()
        input:close()
        output:close()
    end))
    server.input, server.pid, server.ended = input, nil, false
    output:read_start(function(_, data)
        server.pid = server.pid or tonumber(data)
    end)
    program.wait_for(function()
        return server.pid
    end)
end

function Server:answers()
    local ok, client = pcall(Client.connect, self, { patience = 0.5 })
    if ok then
        client:close()
    end
    return ok
end

local function await(server)
    program.wait_for(function()
        return server:answers()
    end, 30, function()
        return "ZooKeeper does not answer: " .. (program.read(server.directory .. "/log") or "")
    end)
end

function M.start()
    local server = setmetatable({ port = peers.free_port(), directory = directory() }, Server)
    server.address = "127.0.0.1:" .. server.port
    write(server.directory .. "/zoo.cfg", ([[
tickTime=100
minSessionTimeout=200
maxSessionTimeout=60000
dataDir=%s/data
clientPortAddress=127.0.0.1
clientPort=%d
maxClientCnxns=0
admin.enableServer=false
]]):format(server.directory, server.port))
    launch(server)
    await(server)
    return server
end

function Server:freeze()
    uv.kill(self.pid, "sigstop")
end

function Server:thaw()
    uv.kill(self.pid, "sigcont")
end

-- Ends it at once, as a crash does.
function Server:kill()
    self.input:write("\n")
    program.wait_for(function()
        return self.ended
    end)
end

-- Brings it back after kill(), with its nodes and sessions.
function Server:restart()
    launch(self)
    await(self)
end

function Server:stop()
    if not self.ended then
        self:kill()
    end
    uv.run("nowait") -- what was closed is let go of
    os.execute("rm -rf '" .. self.directory .. "'")
end

function Server:client(options)
    return Client.connect(self, options)
end

-- ---- the client: one request at a time ----

local ERRORS = { [-101] = "NONODE", [-102] = "NOAUTH", [-110] = "NODEEXISTS", [-111] = "NOTEMPTY", [-112] = "EXPIRED" }
local CREATE, DELETE, CHILDREN, GET, SET, PING, AUTH, CLOSE = 1, 2, 8, 4, 5, 11, 100, -11
local PING_XID, AUTH_XID = -2, -4
local EPHEMERAL, SEQUENTIAL = 1, 2
local OPEN = { { 31, "world", "anyone" } }

M.READ, M.ALL = 1, 31 -- permissions

local function frame(text)
    return string.pack(">s4", text)
end

local function on_bytes(client, bytes)
    client.received = client.received .. bytes
    while #client.received >= 4 and #client.received >= 4 + string.unpack(">I4", client.received) do
        local reply, next = string.unpack(">s4", client.received)
        client.received = client.received:sub(next)
        client.replies[#client.replies + 1] = reply
    end
end

local function next_reply(client, patience)
    return program.wait_for(function()
        return table.remove(client.replies, 1) or client.closed and error("ZooKeeper closed the connection", 0)
    end, patience)
end

local function open(client, address)
    local tcp, connected = uv.new_tcp(), nil
    client.tcp = tcp
    tcp:connect("127.0.0.1", address.port, function(err)
        connected = err or true
        if err then
            return
        end
        tcp:read_start(function(_, bytes)
            if bytes then
                on_bytes(client, bytes)
            else
                client.closed = true
            end
        end)
    end)
    program.wait_for(function()
        return connected
    end, client.patience)
    assert(connected == true, connected)
end

local function connect_request(timeout, id, password)
    return frame(string.pack(">i4i8i4i8s4B", 0, 0, timeout, id, password, 0))
end

local function begin_session(client)
    client.tcp:write(connect_request(client.timeout, 0, ("\0"):rep(16)))
    local _, timeout, session, secret = string.unpack(">i4i4i8s4", next_reply(client, client.patience))
    assert(session ~= 0, "EXPIRED")
    client.timeout, client.session, client.password = timeout, session, secret
end

local function keep_alive(client)
    client.timer = uv.new_timer()
    local interval = client.timeout // 3
    client.timer:start(interval, interval, function()
        if not client.closed then
            client.tcp:write(frame(string.pack(">i4i4", PING_XID, PING)))
        end
    end)
end

-- Options: timeout (ms, 2000), auth ("user:password"), patience (seconds to connect).
function Client.connect(server, options)
    options = options or {}
    local client = setmetatable({
        server = server, received = "", replies = {}, xid = 0, timeout = options.timeout or 2000,
        patience = options.patience,
    }, Client)
    local ok, message = pcall(function()
        open(client, server)
        begin_session(client)
    end)
    if not ok then
        client.tcp:close()
        error(message, 0)
    end
    keep_alive(client)
    if options.auth then
        client:request(AUTH, string.pack(">i4s4s4", 0, "digest", options.auth), AUTH_XID)
    end
    return client
end

local function let_go(client)
    if client.tcp:is_closing() then
        return
    end
    client.timer:close()
    client.tcp:close()
    client.closed = true
end

-- Sends it and waits for the answer: the bytes behind its header, or nil and the error's name.
function Client:request(op, payload, xid)
    self.xid = self.xid + 1
    xid = xid or self.xid
    self.tcp:write(frame(string.pack(">i4i4", xid, op) .. payload))
    while true do
        local reply = next_reply(self)
        local got, _, code, next = string.unpack(">i4i8i4", reply)
        if got == xid then
            if code ~= 0 then
                return nil, ERRORS[code] or tostring(code)
            end
            return reply:sub(next)
        end
    end
end

local function acl(entries)
    local parts = { string.pack(">i4", #entries) }
    for _, entry in ipairs(entries) do
        parts[#parts + 1] = string.pack(">i4s4s4", entry[1], entry[2], entry[3])
    end
    return table.concat(parts)
end

-- Options: ephemeral, sequential, acl (a list of { permissions, scheme, id }). Returns the path, or nil and an error.
function Client:create(path, data, options)
    options = options or {}
    local flags = (options.ephemeral and EPHEMERAL or 0) + (options.sequential and SEQUENTIAL or 0)
    local reply, err = self:request(CREATE, string.pack(">s4s4", path, data or "") .. acl(options.acl or OPEN)
        .. string.pack(">i4", flags))
    return reply and string.unpack(">s4", reply), err
end

function Client:delete(path)
    return self:request(DELETE, string.pack(">s4i4", path, -1))
end

function Client:set(path, data)
    return self:request(SET, string.pack(">s4s4i4", path, data, -1))
end

function Client:get(path)
    local reply, err = self:request(GET, string.pack(">s4B", path, 0))
    return reply and string.unpack(">s4", reply), err
end

-- A sorted list of names, or nil and an error.
function Client:children(path)
    local reply, err = self:request(CHILDREN, string.pack(">s4B", path, 0))
    if not reply then
        return nil, err
    end
    local names, count, next = {}, string.unpack(">i4", reply)
    for i = 1, count do
        names[i], next = string.unpack(">s4", reply, next)
    end
    table.sort(names)
    return names
end

-- Removes the node and what is under it; nothing there is fine.
function Client:remove(path)
    for _, name in ipairs(self:children(path) or {}) do
        self:remove(path .. "/" .. name)
    end
    self:delete(path)
end

-- Ends the session properly: its ephemeral nodes go.
function Client:close()
    if not self.closed then
        self:request(CLOSE, "")
    end
    let_go(self)
end

-- Leaves the server without a word: the session expires there.
function Client:vanish()
    let_go(self)
end

-- Ends the session at the server behind the client's back.
function Client:expire()
    self.server:expire(self.session)
    let_go(self)
end

-- The 16 bytes that the server hands out with a session: it draws them from Java's generator, seeded with the id.
local function password_of(session)
    local mask, factor = (1 << 48) - 1, 0x5DEECE66D
    local state, parts = (session ~ 0xB3415C00 ~ factor) & mask, {}
    for i = 1, 4 do
        state = (state * factor + 11) & mask
        parts[i] = string.pack("<I4", (state >> 16) & 0xffffffff)
    end
    return table.concat(parts)
end

-- The holder of the session is disconnected when another client takes it, and takes it back if it can: a live program
-- has to be stopped meanwhile.
function Server:expire(session)
    session = math.tointeger(tonumber(session))
    local thief = setmetatable({ server = self, received = "", replies = {} }, Client)
    open(thief, self)
    thief.tcp:write(connect_request(2000, session, password_of(session)) .. frame(string.pack(">i4i4", 1, CLOSE)))
    program.wait_for(function()
        return thief.closed
    end)
    thief.tcp:close()
end

return M
