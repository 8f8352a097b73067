-- SPDX-License-Identifier: Apache-2.0
--
-- TLS to a master: which certificates are trusted, which one is shown, and the messages when it does not work.

local master = require("support.master")
local program = require("support.program")
local server = require("support.server")
local tls = require("support.tls")
local zookeeper = require("support.zookeeper")

local SCRIPT = [[
    local scheduler = { framework = { name = "test", failover_timeout = 60 } }
    function scheduler:registered(driver) print("registered") driver:reconcileTasks() io.stdout:flush() end
    return scheduler
]]

describe("TLS", function()
    local authority

    before_each(function()
        authority = tls.authority("spec authority")
    end)

    after_each(function()
        program.cleanup()
        master.cleanup()
    end)

    local function start(address, args, env)
        local all = { "--master", address, "--registration-backoff", "20ms" }
        table.move(args or {}, 1, #(args or {}), #all + 1, all)
        all[#all + 1] = program.script(SCRIPT)
        return program.start { args = all, env = env }
    end

    local function front(options)
        local m = master.start()
        options = options or {}
        options.certificate = options.certificate or authority:issue()
        return m, tls.front(m.server, options)
    end

    local function registers(run, m)
        run:wait_for("registered\n")
        m:wait_for("RECONCILE")
    end

    -- It says so, does not fall back to HTTP, and retries.
    local function refused(run, m, message)
        program.wait_for(function()
            return run.stderr:find(message, 1, true)
        end, nil, function()
            return message .. "; " .. run:report()
        end)
        assert.equal(0, #m.server.requests)
        assert.is_nil(run.code)
        local _, before = run.stderr:gsub("cannot subscribe", "")
        program.wait_for(function()
            return select(2, run.stderr:gsub("cannot subscribe", "")) > before
        end, nil, function()
            return run:report()
        end)
    end

    it("trusts the authorities of a file", function()
        local m, f = front()
        registers(start(f.address, { "--ca-file", authority.cert }), m)
        assert.equal("localhost:" .. f.port, m:wait_for("SUBSCRIBE").request:header("Host"))
    end)

    it("trusts the authorities of a folder", function()
        local m, f = front()
        assert.equal(0, program.run({ path = "openssl", args = { "rehash", authority.directory } }).code)
        registers(start(f.address, { "--ca-path", authority.directory }), m)
    end)

    it("takes it from the environment, for an address without a scheme", function()
        local m, f = front()
        registers(start("localhost:" .. f.port, nil, {
            LIBPROCESS_SSL_ENABLED = "true", LIBPROCESS_SSL_CA_FILE = authority.cert,
        }), m)
    end)

    it("takes the old names from the environment, and says that they are old", function()
        local m, f = front()
        local run = start("localhost:" .. f.port, nil, { SSL_ENABLED = "1", SSL_CA_FILE = authority.cert })
        registers(run, m)
        assert.matches("SSL_ENABLED is a deprecated name: set LIBPROCESS_SSL_ENABLED", run.stderr)
        assert.matches("SSL_CA_FILE is a deprecated name: set LIBPROCESS_SSL_CA_FILE", run.stderr)
    end)

    it("leaves OpenSSL's own variables alone", function()
        local run = start(server.unused_address(), { "-v" }, { SSL_CERT_FILE = "/nowhere" })
        run:wait_for("cannot subscribe")
        assert.is_nil(run.stderr:find("SSL_CERT_FILE", 1, true))
    end)

    it("puts --tls before addresses without a scheme only", function()
        local m, f = front()
        registers(start("localhost:" .. f.port, { "--tls", "--ca-file", authority.cert }), m)
        local plain = master.start()
        registers(start("http://" .. plain.address, { "--tls" }), plain)
        local list = ("https://localhost:%d,%s"):format(f.port, server.unused_address())
        registers(start(list, { "--tls", "--ca-file", authority.cert }), m)
    end)

    it("has no meaning for the local cluster", function()
        local run = program.run {
            args = { "--tls", program.script [[
                local scheduler = { framework = { name = "test" } }
                function scheduler:registered(driver) print("registered") driver:stop() end
                return scheduler
            ]] },
        }
        assert.equal("registered\n", run.stdout, run:report())
    end)

    it("verifies the name of a master whose ip is known", function()
        local m, f = front { certificate = authority:issue { names = "DNS:master1.invalid" } }
        registers(start(("https://master1.invalid:%d#127.0.0.1"):format(f.port), { "--ca-file", authority.cert }), m)
        assert.equal("master1.invalid:" .. f.port, m:wait_for("RECONCILE").request:header("Host"))
    end)

    it("verifies the name that a master has in ZooKeeper, at its ip", function()
        local m, f = front { certificate = authority:issue { names = "DNS:master1.invalid" } }
        local zk = zookeeper.start()
        local client = zk:client { timeout = 30000 }
        assert(client:create("/mesos", ""))
        assert(client:create("/mesos/json.info_", ([[{ "id": "x", "ip": 16777343, "port": %d, "hostname":
            "master1.invalid", "address": { "hostname": "master1.invalid", "ip": "127.0.0.1", "port": %d } }]])
            :format(f.port, f.port), { ephemeral = true, sequential = true }))
        local run = start("zk://" .. zk.address .. "/mesos", { "--tls", "--ca-file", authority.cert })
        registers(run, m)
        assert.equal("master1.invalid:" .. f.port, m:wait_for("RECONCILE").request:header("Host"))
        client:close()
        zk:stop()
    end)

    it("keeps to TLS and the name over redirects", function()
        local m, f = front()
        local standby = master.start()
        standby:answer("SUBSCRIBE", 307, "", { Location = ("//localhost:%d/api/v1/scheduler"):format(f.port) })
        local standby_front = tls.front(standby.server, { certificate = authority:issue() })
        registers(start(standby_front.address, { "--ca-file", authority.cert }), m)
    end)

    it("does not follow a redirect that leads out of TLS", function()
        local m, f = front()
        local plain = master.start()
        m:answer("SUBSCRIBE", 307, "", { Location = ("http://localhost:%d/"):format(plain.server.port) })
        local run = start(f.address, { "--ca-file", authority.cert })
        run:wait_for("its redirect leads out of TLS and is not followed")
        assert.equal(0, #plain.server.requests)
    end)

    it("refuses an expired certificate", function()
        local m, f = front { certificate = authority:issue { days = -1 } }
        local run = start(f.address, { "--ca-file", authority.cert })
        refused(run, m, "the master's certificate (CN = master) expired on ")
        assert.matches("expired on %d+%-%d%d%-%d%d %d%d:%d%d:%d%d UTC: it has to be renewed there", run.stderr)
    end)

    it("refuses a certificate for another name", function()
        local m, f = front { certificate = authority:issue { names = "DNS:master7.example,IP:10.0.0.7" } }
        refused(start(f.address, { "--ca-file", authority.cert }), m, "the master's certificate is for "
            .. "master7.example, 10.0.0.7 and not for localhost: use the name that the certificate has")
    end)

    it("refuses an address that stands among the names of a certificate", function()
        local m, f = front { certificate = authority:issue { names = "DNS:127.0.0.1" } }
        local address = f.address:gsub("localhost", "127.0.0.1")
        refused(start(address, { "--ca-file", authority.cert }), m, "the master's certificate is for "
            .. "127.0.0.1 (as a DNS name, not as an IP address) and not for 127.0.0.1: use the name that the certificate has")
    end)

    it("refuses an authority that it does not know", function()
        local m, f = front()
        refused(start(f.address), m, "the master's certificate (CN = master) was issued by CN = spec authority, which "
            .. "is not trusted: give the certificate of that authority with --ca-file or --ca-path")
        local other = tls.authority("another authority")
        refused(start(f.address, { "--ca-file", other.cert }), m, "issued by CN = spec authority, which is not trusted")
    end)

    it("shows a client certificate to a master that wants one", function()
        local m, f = front { clients = authority }
        local own = authority:issue { subject = "framework" }
        registers(start(f.address, { "--ca-file", authority.cert, "--cert", own.cert, "--key", own.key }), m)
    end)

    it("says that a client certificate is wanted", function()
        for _, versions in ipairs { "openssl-min-proto-version=TLS1.3", "openssl-max-proto-version=TLS1.2" } do
            local m, f = front { clients = authority, versions = versions }
            refused(start(f.address, { "--ca-file", authority.cert }), m,
                "give --cert and --key")
        end
    end)

    it("says that a client certificate is not accepted", function()
        local m, f = front { clients = authority }
        local own = tls.authority("another authority"):issue()
        refused(start(f.address, { "--ca-file", authority.cert, "--cert", own.cert, "--key", own.key }), m,
            "the master does not accept the client certificate " .. own.cert)
    end)

    it("says that a master does not speak TLS", function()
        local answers = { "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", "" }
        for _, answer in ipairs(answers) do
            local peer = server.start(function(connection)
                connection:more()
                connection:write(answer)
            end)
            refused(start("https://" .. peer.address), { server = peer }, "it does not answer in TLS")
        end
    end)

    it("says that a master may want TLS", function()
        local m, f = front()
        refused(start("http://localhost:" .. f.port), m, "https:// or --tls")
    end)

    it("says that a silent master does not speak TLS", function()
        local peer = server.start(function(connection)
            connection:wait_close()
        end)
        local run = start("https://" .. peer.address, { "--connect-timeout", "200ms" })
        run:wait_for("it does not answer in TLS %(no connection within 0%.2 seconds%)")
    end)

    it("agrees on a version, or says that there is none in common", function()
        local m, f = front { versions = "openssl-max-proto-version=TLS1.2" }
        local args = { "--ca-file", authority.cert }
        registers(start(f.address, args), m)
        local m2, f2 = front { versions = "openssl-max-proto-version=TLS1.2" }
        refused(start(f2.address, args, { LIBPROCESS_SSL_ENABLE_TLS_V1_2 = "false" }), m2, "in common")
    end)

    it("limits the depth of verification", function()
        local m, f = front()
        registers(start(f.address, { "--ca-file", authority.cert }, { LIBPROCESS_SSL_VERIFICATION_DEPTH = "1" }), m)
    end)

    it("verifies nothing with --insecure, and says so", function()
        local m, f = front { certificate = authority:issue { names = "DNS:elsewhere", days = -1 } }
        local run = start(f.address, { "--insecure" })
        registers(run, m)
        assert.matches("the certificate of https://localhost:%d+ is not verified", run.stderr)
        local m2, f2 = front()
        registers(start(f2.address, nil, { LIBPROCESS_SSL_VERIFY_SERVER_CERT = "false" }), m2)
    end)

    local mistakes = {
        { { "--ca-file", "/nowhere/ca.pem" }, "--ca-file /nowhere/ca.pem: No such file or directory" },
        { { "--ca-path", "/nowhere" }, "--ca-path /nowhere: No such file or directory" },
        { { "--ca-file", "SCRIPT" }, "there is no certificate in PEM in it" },
        { { "--key", "SCRIPT" }, "--key needs --cert" },
        { { "--cert", "SCRIPT" }, "there is no certificate in PEM in it" },
        { { "--cert", "CERT" }, "there is no private key in PEM in it, or it is encrypted" },
        { { "--cert", "CERT", "--key", "OTHER" }, "the key does not belong to the certificate" },
    }
    for _, row in ipairs(mistakes) do
        it(("says '%s'"):format(row[2]), function()
            local own, other, script = authority:issue(), authority:issue(), program.script(SCRIPT)
            local args = { "--master", "https://localhost:1" }
            for _, word in ipairs(row[1]) do
                args[#args + 1] = ({ SCRIPT = script, CERT = own.cert, OTHER = other.key })[word] or word
            end
            args[#args + 1] = script
            local run = program.run { args = args }
            assert.equal(2, run.code, run:report())
            assert.truthy(run.stderr:find(row[2], 1, true), run:report())
        end)
    end

    it("says that versions or ciphers leave nothing", function()
        local script = program.script(SCRIPT)
        local run = program.run {
            args = { "--master", "https://localhost:1", script },
            env = { LIBPROCESS_SSL_ENABLE_TLS_V1_2 = "0", LIBPROCESS_SSL_ENABLE_TLS_V1_3 = "0" },
        }
        assert.equal(2, run.code, run:report())
        assert.matches("TLS 1.2 and TLS 1.3 are both switched off", run.stderr)
        run = program.run {
            args = { "--master", "https://localhost:1", script }, env = { LIBPROCESS_SSL_CIPHERS = "none-such" },
        }
        assert.matches("no cipher in 'none%-such'", run.stderr)
    end)
end)
