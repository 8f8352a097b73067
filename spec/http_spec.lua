-- SPDX-License-Identifier: Apache-2.0
--
-- mesos.http: the request, byte for byte where it matters, the result, and the messages when there is no reply.

local program = require("support.program")
local server = require("support.server")
local tls = require("support.tls")


local HEAD = [[
local mesos = require "mesos"
local function show(result, message, code)
    if not result then print(message, code) return end
    local lines = {}
    for name, value in pairs(result.headers) do lines[#lines + 1] = name .. "=" .. value end
    table.sort(lines)
    print(result.status, result.body, table.concat(lines, " "))
end
local url = arg[1]
]]

local function run_spawned(text, ...)
    return program.run {
        args = {
            "-m", program.NO_MASTER, "--log-level", "debug",
            program.script(HEAD .. "mesos.spawn(function()\n" .. text .. "\nos.exit(0)\nend)\nreturn {}"), ...,
        },
    }
end

-- A server that answers each request by what handler(connection, request) does.
local function serve(handler)
    return server.start(function(connection)
        while true do
            local request = connection:read_request()
            if not request then
                return
            end
            if handler(connection, request) == false then
                return
            end
        end
    end)
end

local function answer(connection)
    connection:respond(200, "body", { Server = "spec" })
end

describe("mesos.http", function()
    after_each(function()
        program.cleanup()
        server.cleanup()
    end)

    it("gets status, headers and body", function()
        local peer = serve(answer)
        local done = run_spawned([[
            local r = mesos.http(url .. "/path?query=1")
            show(r)
            print(r.headers["Content-Type"], r.headers.SERVER, r.headers.nothing, r.headers[1])]], "http://" .. peer.address)
        assert.equal("200\tbody\tcontent-length=4 content-type=text/plain; charset=utf-8 server=spec\n"
            .. "text/plain; charset=utf-8\tspec\tnil\tnil\n", done.stdout, done:report())
        local request = peer.requests[1]
        assert.equal("GET", request.method)
        assert.equal("/path?query=1", request.path)
        assert.equal("", request.body)
        assert.matches("^mesos%-lua/", request:header("User-Agent"))
        assert.is_nil(request:header("Content-Type"))
    end)

    it("sends method, headers and body", function()
        local peer = serve(answer)
        local done = run_spawned([[
            show(mesos.http { url = url .. "/", body = "a\0b" })
            show(mesos.http { url = url .. "/", method = "PUT", body = "", headers = {
                ["Content-Type"] = "application/json", ["X-Number"] = 5, ["X-Empty"] = "" } })
            show(mesos.http { url = url .. "/", method = "DELETE" })]], "http://" .. peer.address)
        assert.equal(0, done.code, done:report())
        local post, put, delete = table.unpack(peer.requests)
        assert.equal("POST", post.method)
        assert.equal("a\0b", post.body)
        assert.is_nil(post:header("Content-Type"))
        assert.is_nil(post:header("Expect"))
        assert.equal("PUT", put.method)
        assert.equal("0", put:header("Content-Length"))
        assert.equal("application/json", put:header("Content-Type"))
        assert.equal("5", put:header("X-Number"))
        assert.equal("", put:header("X-Empty"))
        assert.equal("DELETE", delete.method)
        assert.equal(1, #peer.connections) -- kept alive
    end)

    it("understands HEAD, 1xx answers, chunks, trailers and repeated headers", function()
        local peer = serve(function(connection, request)
            if request.method == "HEAD" then
                connection:write("HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n")
            else
                connection:write("HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n")
                connection:begin_stream({ ["x-a"] = "1\r\nX-A:  2 " })
                connection:chunk("chu")
                connection:chunk("nks")
                connection:finish()
            end
        end)
        local done = run_spawned([[
            show(mesos.http { url = url, method = "HEAD" })
            show(mesos.http(url))]], "http://" .. peer.address)
        assert.equal("204\t\tx-a=1\n200\tchunks\ttransfer-encoding=chunked x-a=1, 2\n", done.stdout, done:report())
    end)

    it("follows redirects only if it is asked to, and only so far", function()
        local peer
        peer = serve(function(connection, request)
            local number = tonumber(request.path:match("%d+"))
            if number == 0 then
                answer(connection)
            else
                connection:respond(302, "", { Location = "/" .. number - 1 })
            end
        end)
        local done = run_spawned([[
            local r = mesos.http(url .. "/1")
            print(r.status, r.headers.location)
            r = mesos.http { url = url .. "/2", redirects = 2 }
            print(r.status, r.body, r.headers.location)
            show(mesos.http { url = url .. "/3?secret", redirects = 2 })
            ]], "http://" .. peer.address)
        assert.equal(("302\t/0\n200\tbody\tnil\nGET http://%s/3: too many redirects\tELOOP\n"):format(peer.address), done.stdout,
            done:report())
    end)

    it("does not follow a redirect to a file", function()
        local peer = serve(function(connection)
            connection:respond(302, "", { Location = "file:///etc/passwd" })
        end)
        local done = run_spawned([[show(mesos.http { url = url, redirects = 2 })]], "http://" .. peer.address)
        assert.matches("EPROTO\n$", done.stdout, done:report())
    end)

    local function fails(name, handler, request, pattern)
        it("tells " .. name, function()
            local peer = serve(handler)
            local done = run_spawned(request, "http://" .. peer.address)
            assert.equal(0, done.code, done:report())
            assert.matches(pattern, done.stdout)
            assert.is_nil((done.stdout .. done.stderr):find("secret"), done:report())
        end)
    end

    fails("that a body is too long", answer, [[show(mesos.http { url = url .. "/?secret", limit = 3 })]],
        "^GET http://127.0.0.1:%d+/: the body of the answer is longer than 3 bytes %(limit%)\tENOBUFS\n$")
    fails("a time-out", function() end,
        [[show(mesos.http { url = url:gsub("//", "//me:secret@"), timeout = 0.2, headers = { Authorization = "secret" } })]],
        "^GET http://127.0.0.1:%d+/: .*timed out.*\tETIMEDOUT\n$")
    fails("a connection that is closed", function() return false end, [[show(mesos.http { url = url, body = "secret" })]],
        "^POST http://127.0.0.1:%d+/: the connection was closed without an answer\tECONNRESET\n$")
    fails("half an answer", function(connection)
        connection:write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
        return false
    end, [[show(mesos.http(url))]], "the connection was closed before the end of the answer\tECONNRESET\n$")
    fails("what is not HTTP", function(connection)
        connection:write("SSH-2.0-OpenSSH\r\n")
        return false
    end, [[show(mesos.http(url))]], "\tEPROTO\n$")
    fails("that nobody listens", function() end, [[show(mesos.http "http://127.0.0.1:1/?secret")]],
        "^GET http://127.0.0.1:1/: Connection refused\tECONNREFUSED\n$")
    fails("that a host is not known", function() end, [[show(mesos.http "http://nowhere.invalid/")]],
        "the name of the host is not known\tENOTFOUND\n$")

    it("refuses what it does not understand, and repeats no password", function()
        local done = run_spawned [[
for _, request in ipairs {
    3, {}, { url = 3 }, { url = "ftp://me:secret@host/" }, { url = "http://me:secret@a b/" }, { url = "http://h", boddy = "" },
    { url = "http://h", method = "G T" }, { url = "http://h", headers = { ["a:b"] = "" } },
    { url = "http://h", headers = { a = "1\r\nb: 2" } }, { url = "http://h", headers = { a = {} } },
    { url = "http://h", body = 3 }, { url = "http://h", timeout = "x" }, { url = "http://h", redirects = -1 },
    { url = "http://h", insecure = 1 },
} do print((select(2, pcall(mesos.http, request)))) end]]
        assert.equal([[
bad argument #1 to 'mesos.http' (table expected, got number)
url: a text expected, got nothing
url: a text expected, got number
url: the address must begin with http:// or https://
url: the address cannot be read: ...
mesos.http: field 'boddy' is unknown (did you mean 'body'?)
method: a word such as 'GET' expected, got 'G T'
headers: names of headers expected as keys, got 'a:b'
headers['a']: the value is more than one line
headers['a']: a text expected, got table
body: a text expected, got number
timeout: a number of seconds above 0 expected, got x
redirects: a whole number from 0 to 50 expected, got -1
insecure: true or false expected, got number
]], (done.stdout:gsub("cannot be read: [^\n]*", "cannot be read: ...")), done:report())
    end)

    it("verifies certificates, of the authority that it is told, unless it is told not to", function()
        local peer = serve(answer)
        local authority = tls.authority("spec authority")
        local front = tls.front(peer, { certificate = authority:issue() })
        local done = run_spawned([[
            show(mesos.http(url))
            print(mesos.http { url = url, ca_file = arg[2] }.body)
            print(mesos.http { url = url, insecure = true }.body)
            show(mesos.http { url = url, ca_file = "/nowhere" })
            ]], "https://localhost:" .. front.port, authority.cert)
        assert.matches("^GET https://localhost:%d+/: SSL certificate problem[^\n]*\tETLS\nbody\nbody\n", done.stdout,
            done:report())
        assert.matches("ca_file cannot be read\tETLS\n$", done.stdout)
    end)

    it("asks many at a time, and lets go of all when the script ends", function()
        local peer = serve(function(connection, request)
            if request.path ~= "/wait" then
                connection:respond(200, request.path)
            end
        end)
        local done = run_spawned([[
local ended = 0
for i = 1, 50 do
    mesos.spawn(function()
        assert(mesos.http(url .. "/" .. i).body == "/" .. i)
        ended = ended + 1
    end)
end
for i = 1, 10 do mesos.spawn(function() mesos.http(url .. "/wait") print "never" end) end
while ended < 50 do mesos.sleep(0.01) end
mesos.sleep(0.1)
print(ended)]], "http://" .. peer.address)
        assert.equal("50\n", done.stdout, done:report())
    end)
end)
