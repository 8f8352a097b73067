-- SPDX-License-Identifier: Apache-2.0
--
-- Random requests to the real server of the local cluster: whatever clients send, and however they leave, it goes on to
-- serve, and neither memory nor descriptors grow. The fuzz target spec/fuzz/cluster_http.c does it by the million.

local client = require("support.cluster_client")
local http_client = require("support.http_client")
local program = require("support.program")
local uv = require("luv")

local BATCHES, CONNECTIONS = 300, 16
local SEED = tonumber(os.getenv("SPEC_SEED")) or os.time()

local function any(list)
    return list[math.random(#list)]
end

-- ---- requests ----

local SUBSCRIBE = '{"type":"SUBSCRIBE","subscribe":{"framework_info":{"user":"root","name":"x"}}}'
local ID = "11111111-2222-4333-8444-555555555555-0000"
local BODIES = {
    SUBSCRIBE, '{"type":"REVIVE","framework_id":{"value":"' .. ID .. '"}}', "{}", "[]", "", "null", ("["):rep(5000),
    '{"type":"ACCEPT","framework_id":{"value":"x"},"accept":{"offer_ids":[{"value":"x"}],"operations":[{"type":"LAUNCH"}]}}',
    '{"type":"GET_STATE"}', '{"type":"GET_METRICS","get_metrics":{}}', '{"type":"SUBSCRIBE"}', '{"type":"LIST_FILES"}',
    '{"type":"READ_FILE","read_file":{"path":"/../../etc/passwd","offset":-1,"length":99999999999}}',
    '{"type":"SUBSCRIBE","subscribe":{"framework_info":{"user":"root","name":"' .. ("n"):rep(20000) .. '"}}}',
    "\16\1\26\11\10\9\10\4root\18\1x", ("\8\255"):rep(300), ('{"a":'):rep(3000) .. "1" .. ("}"):rep(3000),
}
local PATHS = {
    "/api/v1/scheduler", "/api/v1/scheduler", "/api/v1/scheduler", "/master/api/v1/scheduler", "/api/v1", "/api/v1/executor",
    "/state", "/state-summary", "/metrics/snapshot", "/slaves", "/frameworks", "/tasks?limit=-1", "/roles", "/redirect",
    "/files/browse?path=/", "/files/read?path=..%2f..&offset=-1", "/files/download?path=%00", "/maintenance/schedule",
    "/machine/down", "/weights", "/quota", "/teardown", "/health", "/version", "/flags", "/", "//", "/%", "/" .. ("x"):rep(3000),
}
local METHODS = { "POST", "POST", "POST", "GET", "PUT", "DELETE", "HEAD", "OPTIONS", "\0", "X" }
local HEADERS = {
    "", "Content-Type: application/json\r\n", "Content-Type: application/json\r\n", "Content-Type: application/x-protobuf\r\n",
    "Accept: text/html\r\n", "Origin: http://evil.example\r\n", "Mesos-Stream-Id: x\r\n", "Connection: close\r\n",
    "Transfer-Encoding: chunked\r\n", "Authorization: Basic !!!\r\n", "Expect: 100-continue\r\n", ("X-Y: z\r\n"):rep(40),
    "Content-Encoding: gzip\r\n", "broken\r\n",
}

local function mutate(bytes)
    for _ = 1, math.random(0, 2) do
        local at = math.random(#bytes + 1)
        bytes = bytes:sub(1, at - 1) .. string.char(math.random(0, 255)) .. bytes:sub(at + math.random(0, 3))
    end
    return bytes
end

local function random_request()
    local body = mutate(any(BODIES))
    local length = math.random(10) == 1 and any { -1, #body + 7, 2 ^ 63, "x" } or #body
    local request = ("%s %s HTTP/1.1\r\nHost: localhost\r\n%s%sContent-Length: %s\r\n\r\n%s"):format(any(METHODS), any(PATHS),
        any(HEADERS), any(HEADERS), length, body)
    return math.random(4) == 1 and mutate(request) or request
end

-- ---- the server's processes ----

local function children(pid)
    local text = program.read(("/proc/%d/task/%d/children"):format(pid, pid)) or ""
    local list = { pid }
    for child in text:gmatch("%d+") do
        for _, each in ipairs(children(tonumber(child))) do
            list[#list + 1] = each
        end
    end
    return list
end

local function descriptors()
    local count = 0
    for _, pid in ipairs(children(client.cluster.pid)) do
        local scan = uv.fs_scandir(("/proc/%d/fd"):format(pid))
        while scan and uv.fs_scandir_next(scan) do
            count = count + 1
        end
    end
    return count
end

local function megabytes()
    local sum = 0
    for _, pid in ipairs(children(client.cluster.pid)) do
        local status = program.read(("/proc/%d/status"):format(pid)) or ""
        sum = sum + (tonumber(status:match("VmRSS:%s*(%d+)")) or 0) / 1024
    end
    return sum
end

-- Connections that send random requests, and leave once each has had an answer or a moment to get one.
local function batch()
    local connections = {}
    for i = 1, CONNECTIONS do
        connections[i] = http_client.connect(client.address)
        for _ = 1, math.random(3) do
            connections[i]:write(random_request())
        end
    end
    local start = uv.hrtime()
    program.wait_for(function()
        local answered = 0
        for _, connection in ipairs(connections) do
            answered = answered + ((connection.closed or connection.received ~= "") and 1 or 0)
        end
        return answered == CONNECTIONS or uv.hrtime() - start > 3e7
    end)
    http_client.cleanup()
end

describe("random requests", function()
    after_each(function()
        http_client.cleanup()
        client.stop()
    end)

    it("leave the local cluster serving, with its memory and its descriptors", function()
        math.randomseed(SEED)
        client.start { "--resources", "cpus:4;mem:1024" }
        local before = descriptors()
        local memory
        for i = 1, BATCHES do
            batch()
            memory = memory or (i > BATCHES / 3 and megabytes()) or nil
        end
        local seed = "SPEC_SEED=" .. SEED
        assert.equal(200, (client.request(nil, { method = "GET", path = "/health" })), seed)
        local stream = client.subscribe():subscribed()
        assert.is_truthy(stream:offer(), seed)
        stream:accepted("TEARDOWN")
        program.wait_for(function() return descriptors() <= before end, 10, function()
            return ("%d descriptors, %d before; %s"):format(descriptors(), before, seed)
        end)
        local room = program.patience > 1 and 400 or 12 -- a sanitizer keeps what was freed for a while
        assert.is_true(megabytes() - memory < room, ("from %.1f to %.1f MiB; %s"):format(memory, megabytes(), seed))
    end)
end)
