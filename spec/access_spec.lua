-- SPDX-License-Identifier: Apache-2.0
--
-- Who may use a local cluster: only the script that started it, or, if the cluster is there for other clients, those with
-- its credentials.

local cjson = require("cjson")
local program = require("support.program")

local SCRIPT = [[
    local mesos = require "mesos"
    local scheduler = { framework = { name = "access" } }
    function scheduler:registered(driver) print("registered") io.stdout:flush() end
    function scheduler:resourceOffers(driver, offers) driver:declineOffer(offers:ids()) end
]]

local function curl(address, path, ...)
    local run = program.run { path = "/usr/bin/curl", args = { "-s", "-i", "--max-time", "5", "http://" .. address .. path, ... } }
    local head, body = run.stdout:match("^(.-)\r\n\r\n(.*)$")
    assert(head, run:report())
    return tonumber(head:match("^HTTP/%S+ (%d+)")), body, head
end

local function subscribe(address, info, ...)
    local call = { type = "SUBSCRIBE", subscribe = { framework_info = info or { user = "root", name = "x" } } }
    return curl(address, "/api/v1/scheduler", "-H", "Content-Type: application/json", "--data-binary", cjson.encode(call), ...)
end

local function secret(text)
    local path = program.script(text, "secret")
    assert(require("luv").fs_chmod(path, tonumber("600", 8)))
    return path
end

local function script(args, body)
    local words = { "-v" }
    table.move(args, 1, #args, #words + 1, words)
    words[#words + 1] = program.script(SCRIPT .. (body or "return scheduler"))
    local run = program.start { args = words }
    return run, run:wait_for("registered with http://([%d.:]+)")
end

local function cluster(args)
    local words = { "local" }
    table.move(args, 1, #args, #words + 1, words)
    local run = program.start { args = words }
    return run, run:wait_for("listening on ([%d.:]+)")
end

describe("a local cluster", function()
    after_each(program.cleanup)

    local function closed(address, scheme)
        for _, headers in ipairs { {}, { "-H", "Authorization: Bearer x" }, { "-H", "Authorization: Basic eDp5" } } do
            local status, text, head = subscribe(address, nil, table.unpack(headers))
            assert.same({ 401, "401 Unauthorized." }, { status, text })
            assert.matches(('\r\nWWW%%-Authenticate: %s realm="mesos%%-master%%-scheduler"'):format(scheme), head)
            assert.equal(401, (curl(address, "/state", table.unpack(headers))))
            assert.equal(401, (curl(address, "/nothing", table.unpack(headers))))
        end
        assert.equal(200, (curl(address, "/health")))
    end

    it("that a script brings along is for that script", function()
        local run, address = script {}
        closed(address, "Bearer")
        assert.is_nil(run.stderr:match("without TLS"))
        local file <close> = assert(io.popen(("cat /proc/%d/cmdline /proc/%d/environ | tr '\\0' ' '"):format(run.pid, run.pid)))
        local seen = file:read("a") .. run.stderr
        for token in seen:gmatch("%x+") do
            assert.is_true(#token < 64, token) -- nothing that could be the token
        end
    end)

    it("is the same for all drivers of its script, whatever credentials these have", function()
        local run, address = script({ "--principal", "alice" }, [[
            local all = { master = "local", scheduler = scheduler }
            function scheduler:registered(driver)
                print("registered")
                driver:stop()
            end
            print(mesos.SchedulerDriver(all):run())
            all.credential = { principal = "bob", secret = "sesame" }
            print(mesos.SchedulerDriver(all):run())
        ]])
        assert.equal(0, run:wait())
        assert.equal("registered\nDRIVER_STOPPED\nregistered\nDRIVER_STOPPED\n", run.stdout)
        assert.is_string(address)
    end)

    it("takes no body of those that it does not know", function()
        local run, address = script {}
        local huge = program.script(("x"):rep(20 << 20), "body")
        local status = curl(address, "/api/v1/scheduler", "-H", "Content-Type: application/json", "-H", "Expect:",
            "--data-binary", "@" .. huge)
        assert.equal(401, status)
        if program.patience == 1 then
            local most = tonumber(program.read(("/proc/%d/status"):format(run.pid)):match("VmHWM:%s+(%d+)"))
            assert.is_true(most < 20 << 10, most)
        end
    end)

    it("is for other clients too when a script says where it listens", function()
        local _, address = script { "--listen", "127.0.0.1:0" }
        assert.equal(200, (curl(address, "/state")))
        local token = secret("abc")
        _, address = script { "--listen", "127.0.0.1:0", "--token-file", token }
        closed(address, "Bearer")
        assert.equal(200, (curl(address, "/state", "-H", "Authorization: Bearer abc")))
    end)

    it("for other clients may ask for a token", function()
        local run, address = cluster { "--token-file", secret("abc\n") }
        closed(address, "Bearer")
        assert.equal(200, (curl(address, "/state", "-H", "Authorization: Bearer abc")))
        local text = program.script(SCRIPT .. "return scheduler")
        local client = program.start { args = { "--master", address, "--token-file", secret("abc"), text } }
        client:wait_for("registered\n")
        client = program.run { args = { "--master", address, text } }
        assert.equal(1, client.code)
        assert.matches("the master asks for credentials %(401, Bearer realm=", client.stderr)
        assert.is_nil(run.stderr:match("warning"))
    end)

    it("may ask for one of several principals, which its frameworks have to be", function()
        local list = { credentials = { { principal = "alice", secret = "sesame" }, { principal = "bob", secret = "open" } } }
        for _, text in ipairs { cjson.encode(list), cjson.encode(list.credentials[1]), "alice sesame\n" } do
            local _, address = cluster { "--credential", secret(text) }
            closed(address, "Basic")
            local several = text:find("bob") and true or false
            assert.equal(several and 200 or 401, (curl(address, "/state", "-u", "bob:open")))
            assert.equal(200, (curl(address, "/state", "-u", "alice:sesame")))
            assert.equal(401, (curl(address, "/state", "-u", "alice:open")))
            local status, words = subscribe(address, { user = "root", name = "x", principal = "mallory" }, "-u", "alice:sesame")
            assert.same({ 400, "Failed to validate scheduler::Call: Authenticated principal 'alice' does not match "
                .. "principal 'mallory' set in `FrameworkInfo`" }, { status, words })
            local client = program.start {
                args = { "--master", address, "--credential", secret("alice sesame"), program.script(SCRIPT .. [[
                    function scheduler:registered(driver, id) print("registered", id) io.stdout:flush() end
                    return scheduler]]) },
            }
            local id = client:wait_for("registered\t(%S+)\n")
            status, words = curl(address, "/api/v1/scheduler", "-u", several and "bob:open" or "alice:sesame", "-H",
                "Content-Type: application/json", "--data-binary",
                cjson.encode { type = "REVIVE", framework_id = { value = id } })
            assert.equal(400, status)
            assert.equal(several and "Authenticated principal 'bob' does not match principal 'alice' set in `FrameworkInfo`"
                or "All non-subscribe calls should include the 'Mesos-Stream-Id' header", words)
        end
    end)

    it("fills in the principal that a framework leaves out", function()
        local _, address = cluster { "--credential", secret("alice sesame") }
        local stream = program.start { path = "/usr/bin/curl", args = {
            "-s", "-N", "-i", "-u", "alice:sesame", "-H", "Content-Type: application/json", "--data-binary",
            '{"type":"SUBSCRIBE","subscribe":{"framework_info":{"user":"root","name":"x"}}}', "http://" .. address .. "/api/v1/scheduler",
        } }
        local id = stream:wait_for("Mesos%-Stream%-Id: (%S+)")
        local framework = stream:wait_for('"framework_id":{"value":"([^"]+)"}')
        local call = cjson.encode { type = "REVIVE", framework_id = { value = framework } }
        assert.equal(202, (curl(address, "/api/v1/scheduler", "-u", "alice:sesame", "-H", "Mesos-Stream-Id: " .. id, "-H",
            "Content-Type: application/json", "--data-binary", call)))
    end)

    it("says what is wrong with its credentials", function()
        for text, words in pairs {
            ['{"credentials":[]}'] = "it names no principal",
            ['{"credentials":[{"principal":"a"}]}'] = 'credentials%[1%]: {"principal": "...", "secret": "..."} expected',
            ["alice"] = "a principal and its secret expected",
        } do
            local path = secret(text)
            local run = program.run { args = { "local", "--credential", path } }
            assert.equal(2, run.code)
            assert.matches("%-%-credential " .. path:gsub("%-", "%%-") .. ": " .. words, run.stderr)
        end
        local run = program.run { args = { "local", "--credential", secret("a b"), "--token-file", secret("c") } }
        assert.equal(2, run.code)
        assert.matches("exclude each other", run.stderr)
        local two = secret('{"credentials":[{"principal":"a","secret":"b"},{"principal":"c","secret":"d"}]}')
        run = program.run { args = { "--credential", two, "--master", "127.0.0.1:1",
            program.script("return { framework = { name = 'x' } }") } }
        assert.matches("it names 2 principals, and a client is one", run.stderr)
    end)

    it("warns when other machines can use it", function()
        local words = "any client that can reach 0%.0%.0%.0:%d+ may run commands on this machine"
        local run = program.start { args = { "local", "--listen", "0.0.0.0:0" } }
        run:wait_for("listening on")
        run:wait_for(words)
        run = program.start { args = { "local", "--listen", "0.0.0.0:0", "--token-file", secret("abc") } }
        run:wait_for("listening on")
        run:wait_for("brought a local cluster")
        assert.is_nil(run.stderr:match(words))
    end)
end)
