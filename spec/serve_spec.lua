-- SPDX-License-Identifier: Apache-2.0
--
-- mesos.serve: requests and answers, what is refused, handlers that wait or fail, and the socket over a reload.

local control = require("support.control")
local http_client = require("support.http_client")
local master = require("support.master")
local program = require("support.program")
local tls = require("support.tls")

local SCRIPT = [[
local mesos = require "mesos"
local version = 1
opened, begun = false, 0
local function show(value)
    if type(value) ~= "table" then return tostring(value) end
    local parts = {}
    for name, each in pairs(value) do parts[#parts + 1] = name .. "=" .. tostring(each) end
    table.sort(parts)
    return "{" .. table.concat(parts, " ") .. "}"
end
local routes = {
    ["/echo"] = function(r) return table.concat({ r.method, r.path, show(r.query), r.headers["X-MANY"] or "-", r.body }, "|") end,
    ["/peer"] = function(r) return r.peer end,
    ["/whole"] = function() return { status = 201, headers = { ["Content-Type"] = "a/b", ["X-N"] = 7 }, body = "made\0" } end,
    ["/none"] = function() return { status = 204 } end,
    ["/wait"] = function(r) begun = begun + 1 mesos.sleep(tonumber(r.query.s)) return "waited" end,
    ["/gate"] = function()
        begun = begun + 1
        while not opened do mesos.sleep(0.01) end
        return "waited"
    end,
    ["/raise"] = function() error("a secret") end,
    ["/nothing"] = function() end,
    ["/misspelt"] = function() return { staus = 200 } end,
    ["/status"] = function() return { status = 99 } end,
    ["/split"] = function() return { headers = { a = "b\r\nc: d" } } end,
    ["/own"] = function() return { headers = { ["content-length"] = "3" } } end,
    ["/number"] = function() return { body = 5 } end,
    ["/full"] = function() return { status = 204, body = "x" } end,
    ["/version"] = function() return "version " .. version end,
    ["/close"] = function() server:close() return "closed" end,
}
server = assert(mesos.serve { address = arg[1] or "127.0.0.1:0", handler = function(r) return routes[r.path](r) end, MORE })
print("at " .. server.address)
return { framework = { name = "serves" } }
]]

local function start(more, args)
    local m = master.start()
    local words = { "--master", m.address, table.unpack(args or {}) }
    local path = program.script((SCRIPT:gsub("MORE", more or "")), "web.lua")
    words[#words + 1] = path
    local run = program.start { args = words }
    return run, run:wait_for("at (%S+)"), path
end

local function send(address, text)
    local connection = http_client.connect(address)
    connection:write(text)
    return connection
end

local function answer_of(connection, no_body)
    return program.wait_for(function() return connection:answer(no_body) end)
end

local function get(address, path, method, body)
    local head = ("%s %s HTTP/1.1\r\nHost: %s\r\n"):format(method or "GET", path, address)
    return answer_of(send(address, head .. (body and ("Content-Length: %d\r\n\r\n%s"):format(#body, body) or "\r\n")), method == "HEAD")
end

-- Waits until so many handlers have begun to wait.
local function wait_until_begun(run, count)
    program.wait_for(function() return control.ctl(run, { "eval", "begun" }).stdout == count .. "\n" end)
end

local function open(run)
    assert.equal(0, control.ctl(run, { "eval", "opened = true" }).code)
end

describe("mesos.serve", function()
    after_each(function()
        http_client.cleanup()
        control.cleanup()
        program.cleanup()
        master.cleanup()
    end)

    it("gives the request to the handler, and its answer to the client", function()
        local _, address = start()
        local connection = send(address, ("PUT /echo?a=1&b=%%20x&a=2&c HTTP/1.1\r\nHost: %s\r\nx-many: 1\r\nX-Many: 2\r\n"
            .. "Content-Length: 4\r\n\r\na\0\r\n"):format(address))
        local reply = answer_of(connection)
        assert.equal("PUT|/echo|{a=2 b= x c=}|1, 2|a\0\r\n", reply.body)
        assert.equal(200, reply.status)
        assert.equal("text/plain; charset=utf-8", reply.headers["Content-Type"])
        connection:write(("GET /peer HTTP/1.1\r\nHost: %s\r\n\r\n"):format(address)) -- on the same connection
        assert.matches("^127%.0%.0%.1:%d+$", answer_of(connection).body)
        reply = get(address, "/whole")
        assert.same({ 201, "made\0", "a/b", "7" }, { reply.status, reply.body, reply.headers["Content-Type"], reply.headers["X-N"] })
        assert.equal(204, get(address, "/none", nil).status)
        assert.equal("16", get(address, "/echo", "HEAD").headers["Content-Length"])
    end)

    it("answers a failed handler without its text", function()
        local run, address = start()
        local rows = {
            ["/raise"] = "a secret", ["/nothing"] = "the handler returned nothing: a text, or a table with status, headers and body",
            ["/misspelt"] = "field 'staus' is unknown (did you mean 'status'?)", ["/status"] = "status: a whole number from 200 to 599",
            ["/split"] = "headers['a']: the value is more than one line", ["/own"] = "headers['content-length']: the server sets that",
            ["/number"] = "body: a text expected, got number", ["/full"] = "body: an answer with status 204 has none",
        }
        for path, text in pairs(rows) do
            local reply = get(address, path)
            assert.same({ 500, "500 Internal Server Error\n" }, { reply.status, reply.body })
            program.wait_for(function() return run.stderr:find(text, 1, true) end)
        end
        program.assert_has(run.stderr, "handler of mesos.serve: ", "stack traceback")
    end)

    it("lets handlers wait beside each other", function()
        local run, address = start()
        local slow = send(address, "GET /gate HTTP/1.1\r\nHost: " .. address .. "\r\n\r\n")
        wait_until_begun(run, 1)
        assert.equal("version 1", get(address, "/version").body)
        assert.falsy(slow:answer())
        open(run)
        assert.equal("waited", answer_of(slow).body)
    end)

    it("ends a handler that waits too long", function()
        local run, address = start("timeout = 0.2")
        assert.equal(504, get(address, "/wait?s=60").status)
        program.wait_for(function() return run.stderr:find("a handler of mesos.serve has waited for 0.2 s", 1, true) end)
        assert.equal("version 1", get(address, "/version").body)
    end)

    it("has caps for bodies and for requests", function()
        local run, address = start("limit = 10, requests = 2")
        assert.equal("POST|/echo|{}|-|0123456789", get(address, "/echo", "POST", "0123456789").body)
        assert.equal(413, get(address, "/echo", "POST", "0123456789a").status)
        local waiting = {}
        for i = 1, 2 do
            waiting[i] = send(address, "GET /gate HTTP/1.1\r\nHost: " .. address .. "\r\n\r\n")
        end
        wait_until_begun(run, 2)
        local refused = get(address, "/version")
        assert.same({ 503, "1" }, { refused.status, refused.headers["Retry-After"] })
        open(run)
        assert.equal("waited", answer_of(waiting[1]).body .. answer_of(waiting[2]).body:sub(7))
        assert.equal(200, get(address, "/version").status)
    end)

    it("goes on when a client leaves", function()
        local run, address = start()
        send(address, "GET /wait?s=0.1 HTTP/1.1\r\nHost: " .. address .. "\r\n\r\n"):close()
        assert.equal("waited", get(address, "/wait?s=0.3").body)
        assert.equal("", run.stderr:match("error[^\n]*") or "")
    end)

    it("counts a request until its handler has ended, also without its client", function()
        local run, address = start("requests = 1")
        local left = send(address, "GET /gate HTTP/1.1\r\nHost: " .. address .. "\r\n\r\n")
        wait_until_begun(run, 1)
        left:close()
        for _ = 1, 10 do -- the loop turns meanwhile
            assert.equal(503, get(address, "/version").status)
        end
        open(run)
        program.wait_for(function() return get(address, "/version").status == 200 end)
        left = send(address, "GET /wait?s=60 HTTP/1.1\r\nHost: " .. address .. "\r\n\r\n")
        wait_until_begun(run, 2)
        left:close()
        assert.equal(503, get(address, "/version").status)
        run:kill("sigterm") -- its handler waits behind the end of its server
        run:wait()
        assert.equal("", run.stderr:match("error[^\n]*") or "")
    end)

    it("refuses requests of web pages, and for other names than its own", function()
        local _, address = start('hosts = { "web.test" }', { "--allow-host", "other.test" })
        local function with(lines)
            return answer_of(send(address, "GET /version HTTP/1.1\r\n" .. lines .. "\r\n\r\n")).status
        end
        assert.equal(403, with("Host: evil.test"))
        assert.equal(403, with("Host: " .. address .. "\r\nOrigin: http://evil.test"))
        assert.equal(200, with("Host: web.test"))
        assert.equal(200, with("Host: other.test\r\nOrigin: http://web.test"))
    end)

    it("serves TLS", function()
        local authority = tls.authority("spec authority")
        local certificate = authority:issue { names = "DNS:localhost,IP:127.0.0.1" }
        local _, address = start(("tls = { cert = %q, key = %q }"):format(certificate.cert, certificate.key))
        local done = program.run { path = "curl", args = {
            "-sS", "--cacert", authority.cert, ("https://%s/version"):format(address), ("https://%s/wait?s=0.1"):format(address),
        } }
        assert.equal("version 1waited", done.stdout, done:report())
        done = program.run { path = "curl", args = { "-sS", ("https://%s/version"):format(address) } }
        assert.equal(60, done.code)
    end)

    it("keeps its socket and its connections over a reload", function()
        local run, address, path = start()
        local connection = send(address, "GET /version HTTP/1.1\r\nHost: " .. address .. "\r\n\r\n")
        assert.equal("version 1", answer_of(connection).body)
        local waiting = send(address, "GET /wait?s=60 HTTP/1.1\r\nHost: " .. address .. "\r\n\r\n")
        local text = program.read(path)
        local function write(new)
            local file <close> = assert(io.open(path, "w"))
            file:write(new)
        end
        wait_until_begun(run, 1)
        write((text:gsub("version = 1", "version = 2")))
        run:wait_for("reloaded in")
        assert.equal(503, answer_of(waiting).status)
        connection:write("GET /version HTTP/1.1\r\nHost: " .. address .. "\r\n\r\n")
        assert.equal("version 2", answer_of(connection).body)
        assert.equal("at " .. address .. "\nat " .. address .. "\n", run.stdout)
        write((text:gsub("version = 1", "version = 3"):gsub("\nreturn", "\nerror('no')\nreturn")))
        run:wait_for("was not reloaded")
        assert.equal("version 2", get(address, "/version").body) -- a version that does not load changes nothing
        write((text:gsub("version = 1", "version = 4"):gsub("MORE", ""):gsub("server = .-\n", "server = { address = 'none' }\n")))
        run:wait_for("at none")
        program.wait_for(function()
            local done = program.run { path = "curl", args = { "-s", "-o", "/dev/null", "http://" .. address .. "/version" } }
            return done.code == 7
        end)
    end)

    it("gets another certificate with a reload", function()
        local authority = tls.authority("spec authority")
        local old = authority:issue { names = "IP:127.0.0.1", subject = "old" }
        local new = authority:issue { names = "IP:127.0.0.1", subject = "new" }
        local run, address, path = start(("tls = { cert = %q, key = %q }"):format(old.cert, old.key))
        local function subject()
            local done = program.run { path = "curl", args = { "-sv", "--cacert", authority.cert, ("https://%s/version"):format(address) } }
            return done.stderr:match("subject: CN=(%w+)"), done.stdout
        end
        assert.equal("old", subject())
        local text = program.read(path)
        local file <close> = assert(io.open(path, "w"))
        local function replace(from, to)
            text = text:gsub(from:gsub("%p", "%%%0"), to)
        end
        replace("version = 1", "version = 2")
        replace(old.cert, new.cert)
        replace(old.key, new.key)
        file:write(text)
        file:close()
        run:wait_for("reloaded in")
        assert.same({ "new", "version 2" }, { subject() })
    end)

    it("closes", function()
        local run, address = start()
        local waiting = send(address, "GET /gate HTTP/1.1\r\nHost: " .. address .. "\r\n\r\n")
        wait_until_begun(run, 1)
        assert.equal("closed", get(address, "/close").body)
        open(run)
        assert.equal("waited", answer_of(waiting).body) -- what has begun is answered
        local done = program.run { path = "curl", args = { "-s", "http://" .. address .. "/version" } }
        assert.equal(7, done.code)
        assert.equal('server ' .. address .. ' (closed)', (control.ctl(run, { "eval", "tostring(server)" }).stdout:match('"(.*)"')))
        assert.equal(0, control.ctl(run, { "eval", "server:close()" }).code)
    end)

    it("says what is wrong with its arguments", function()
        local run, address = start()
        local rows = {
            { "{}", "address: a text such as" }, { "{ address = '127.0.0.1:0' }", "handler: a function expected, got nil" },
            { "{ adress = '' }", "mesos.serve: field 'adress' is unknown (did you mean 'address'?)" },
            { "{ address = '127.0.0.1:0', handler = print, tls = { cert = 'x' } }", "tls: cert and key, the names of files in PEM" },
            { "{ address = '127.0.0.1:0', handler = print, requests = 0 }", "requests: a whole number from 1 to 100000" },
            { "{ address = '127.0.0.1:0', handler = print, hosts = 'x' }", "hosts: a list of names expected, got string" },
            { "{ address = '127.0.0.1:0', handler = print, limit = -1 }", "limit: " },
        }
        for _, row in ipairs(rows) do
            local done = control.ctl(run, { "eval", "mesos.serve" .. row[1] })
            assert.equal(1, done.code, done:report())
            program.assert_has(done.stderr, row[2])
        end
        local function values(text)
            return control.ctl(run, { "eval", text }).stdout
        end
        program.assert_has(values(("mesos.serve { address = %q, handler = print }"):format(address)), "nil\n",
            "Address already in use", '"EADDRINUSE"')
        program.assert_has(values("mesos.serve { address = 'x', handler = print }"), "nil\n", "ADDR:PORT, are expected", '"EINVAL"')
        program.assert_has(values("mesos.serve { address = 'example.org:0', handler = print }"), "nil\n",
            "'example.org:0': an address in numbers, or localhost, is expected", '"EINVAL"')
        program.assert_has(values("tostring(mesos.serve { address = 'localhost:0', handler = print })"), "server 127.0.0.1:")
        program.assert_has(values("mesos.serve { address = '127.0.0.1:0', handler = print, tls = { cert = '/no', key = '/no' } }"),
            "tls.cert /no: ")
        program.assert_has(control.ctl(run, { "eval", "server.adress" }).stderr, "a server has no 'adress': address and close()")
    end)

    it("needs --allow-serve in the sandbox, and listens nowhere for check", function()
        local path = program.script((SCRIPT:gsub("MORE", "")), "web.lua")
        local done = program.run { args = { "--sandbox", "-m", program.NO_MASTER, path } }
        assert.equal(2, done.code)
        program.assert_has(done.stderr, "mesos.serve is not available in the sandbox (--sandbox) without --allow-serve")
        local run = program.start { args = { "--sandbox", "--allow-serve", "-m", program.NO_MASTER, path } }
        assert.equal("version 1", get(run:wait_for("at (127%.0%.0%.1:%d+)\n"), "/version").body)
        done = program.run { args = { "check", path } }
        assert.equal(0, done.code)
        program.assert_has(done.stdout, "at 127.0.0.1:0\n")
    end)
end)

describe("mesos.uuid", function()
    it("makes a new one each time", function()
        local text = [[local mesos = require "mesos" for _ = 1, 2 do print(mesos.uuid()) end return {}]]
        local done = program.run { args = { "check", program.script(text) } }
        local hex = ("%x"):rep(4)
        local pattern = hex .. hex .. "%-" .. hex .. "%-4%x%x%x%-[89ab]%x%x%x%-" .. hex .. hex .. hex
        local first, second = done.stdout:match("(" .. pattern .. ")\n(" .. pattern .. ")\n")
        assert.truthy(first, done:report())
        assert.not_equal(first, second)
        program.cleanup()
    end)
end)
