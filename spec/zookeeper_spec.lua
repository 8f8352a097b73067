-- SPDX-License-Identifier: Apache-2.0
--
-- Finding the leading master in ZooKeeper: the real program, a real server, and scripted masters whose nodes the spec
-- writes. The servers' ticks are short, and sessions where "too long" has to come soon.

local master = require("support.master")
local program = require("support.program")
local internals = require("internals")
local tls = require("support.tls")
local zookeeper = require("support.zookeeper")

local zk, path -- each test has a path of its own
local paths = 0

local SCRIPT = [[
    local scheduler = { framework = { name = "test", failover_timeout = 60 } }
    local function say(...) print(...) io.stdout:flush() end
    function scheduler:registered(_, id, info) say("registered", info.port) end
    function scheduler:reregistered(_, info) say("reregistered", info.port) end
    function scheduler:disconnected() say("disconnected") end
    function scheduler:error(_, message) say("error", message) end
]]

-- What a master writes into its node.
local function info(port, fields)
    local values = {
        id = "6e1b5c0e-0000", ip = 16777343, port = port, pid = "master@127.0.0.1:" .. port, hostname = "localhost",
        version = "1.11.0", address = { hostname = "localhost", ip = "127.0.0.1", port = port },
    }
    for name, value in pairs(fields or {}) do
        values[name] = value or nil
    end
    return values
end

local cjson = require("cjson")

local function json(port, fields)
    return cjson.encode(info(port, fields))
end

local clients, frameworks = {}, {}

local function client(options)
    local one = zk:client(options)
    clients[#clients + 1] = one
    return one
end

-- The node of a master in the way of today; returns its path. The node lives as long as the client's session.
local function announce(who, port, fields)
    return assert(who:create(path .. "/json.info_", json(port, fields), { ephemeral = true, sequential = true }))
end

local function contender(port)
    local one = client { timeout = 30000 }
    return one, announce(one, port)
end

-- Runs the framework; options: timeout (seconds), credentials, servers, body (more of the script), master (all of it),
-- args (more of them).
local function run(options)
    options = options or {}
    local address = options.master or ("zk://%s%s%s"):format(options.credentials and options.credentials .. "@" or "",
        options.servers or zk.address, path)
    local args = { "-v", "--zk-session-timeout", tostring(options.timeout or 5), "--master", address }
    table.move(options.args or {}, 1, #(options.args or {}), #args + 1, args)
    args[#args + 1] = program.script(SCRIPT .. (options.body or "") .. "\nreturn scheduler")
    local framework = program.start { args = args }
    frameworks[#frameworks + 1] = framework
    return framework
end

local function named(port)
    return "names http://127%.0%.0%.1:" .. port .. " as the leading master"
end

local function count(text, pattern)
    return select(2, text:gsub(pattern, ""))
end

local function session_of(framework, n)
    return framework:wait_for(function()
        local ids = {}
        for id in framework.stderr:gmatch("session establishment complete on server [^\n]-sessionId=(0x%x+)") do
            ids[#ids + 1] = id
        end
        return ids[n or 1]
    end)
end

-- Ends the framework's session while it is stopped, and does that as well.
local function expire_session(framework, action)
    local id = session_of(framework)
    framework:kill("sigstop")
    zk:expire(id)
    if action then
        action()
    end
    framework:kill("sigcont")
end

describe("ZooKeeper", function()
    setup(function()
        zk = zookeeper.start()
    end)

    teardown(function()
        zk:stop()
    end)

    before_each(function()
        paths = paths + 1
        path = "/test-" .. paths
        local one = zk:client()
        one:create(path)
        one:close()
    end)

    -- Whatever happened, SIGTERM ends a framework, and it has cleaned up (which a build with sanitizers tells).
    local function end_frameworks()
        for _, framework in ipairs(frameworks) do
            framework:kill()
            assert.is_true(framework:wait() <= 1, framework:report())
        end
    end

    after_each(function()
        local ok, message = pcall(end_frameworks)
        program.cleanup()
        master.cleanup()
        for _, one in ipairs(clients) do
            one:vanish()
        end
        clients, frameworks = {}, {}
        assert(ok, message)
    end)

    describe("leader detection", function()
        it("finds a master by its JSON node and subscribes there", function()
            local m = master.start()
            contender(m.server.port)
            local framework = run()
            m:wait_for("SUBSCRIBE")
            framework:wait_for("registered\t" .. m.server.port)
            framework:kill()
            assert.equal(0, framework:wait())
        end)

        it("reads the older forms: protobuf, and the address alone", function()
            local forms = {
                ["info_"] = internals.encode("mesos.v1.MasterInfo", info(4711)), [""] = "master@127.0.0.1:4711",
            }
            for label, data in pairs(forms) do
                local one = client()
                local node = assert(one:create(path .. "/" .. label, data, { sequential = true }))
                run():wait_for(named(4711))
                one:delete(node)
            end
        end)

        it("takes what address there is", function()
            local one = client()
            local rows = {
                { {}, "http://127.0.0.1:5050" },
                { { address = false }, "http://127.0.0.1:5050" },
                { { address = false, pid = "master@10.1.2.3:5051" }, "http://10.1.2.3:5051" },
                { { address = false, pid = false, ip = 0x0403020a }, "http://10.2.3.4:5050" },
                { { address = false, pid = false, ip = 0, hostname = "m.test" }, "http://m.test:5050" },
                { { address = { hostname = "m.test", port = 5052 }, pid = false, ip = 0 }, "http://m.test:5052" },
                { { address = { ip = "fd00::7", port = 5053, hostname = "x" } }, "http://[fd00::7]:5053" },
                { { address = { ip = "not an ip", port = 5053 }, pid = false, ip = 0 }, "http://localhost:5050" },
            }
            local node = assert(one:create(path .. "/json.info_", json(5050), { sequential = true }))
            local framework = run()
            for _, row in ipairs(rows) do
                one:set(node, json(5050, row[1]))
                framework:wait_for(function()
                    return framework.stderr:match(".*names (%S+) as the leading master") == row[2]
                end)
            end
        end)

        it("takes the lowest number, whatever the label, and no notice of the others", function()
            local first, second, third = client(), client(), client()
            local m = master.start()
            assert(first:create(path .. "/info_", internals.encode("mesos.v1.MasterInfo", info(m.server.port)),
                { ephemeral = true, sequential = true }))
            announce(second, 4712)
            local framework = run()
            framework:wait_for("registered\t" .. m.server.port)
            announce(third, 4713)
            second:expire()
            third:expire()
            first:close()
            framework:wait_for("disconnected")
            assert.equal(1, count(framework.stderr, "as the leading master"))
        end)

        it("counts numbers that wrapped around as lower", function()
            local one = client()
            one:create(path .. "/json.info_2147483647", json(4711))
            one:create(path .. "/json.info_-2147483648", json(4712))
            run():wait_for(named(4712))
        end)

        it("ignores other nodes, and warns once of labels that it does not know", function()
            local one = client()
            one:create(path .. "/log_replicas")
            one:create(path .. "/json.info_99999999999", json(4713))
            one:create(path .. "/other_0000000000", "x")
            one:create(path .. "/other_0000000001", "x")
            one:create(path .. "/json.info_0000000007", json(4711))
            local framework = run()
            framework:wait_for(named(4711))
            one:create(path .. "/json.info_0000000003", json(4712))
            framework:wait_for(named(4712))
            assert.equal(1, count(framework.stderr, "other_%d+ in ZooKeeper is not the node of a master"))
            assert.is_nil(framework.stderr:find("log_replicas", 1, true))
        end)

        it("waits for a node that cannot be read to change", function()
            local one = client()
            local node = one:create(path .. "/json.info_", "{ no json", { sequential = true })
            local framework = run()
            framework:wait_for("json.info_0000000000 in ZooKeeper: it is not a JSON object: [^\n]*; waiting for it to change")
            one:set(node, "[]")
            framework:wait_for("it is not a JSON object: something else")
            one:set(node, "{}")
            framework:wait_for("the MasterInfo has no address that can be read")
            one:set(node, json(4711))
            framework:wait_for(named(4711))
        end)

        it("waits for the first master, and says so", function()
            local framework = run()
            framework:wait_for("no master leads at 127.0.0.1:%d+" .. path:gsub("%-", "%%-") .. " in ZooKeeper yet; waiting")
            local m = master.start()
            contender(m.server.port)
            framework:wait_for("registered\t" .. m.server.port)
        end)

        it("follows to the next master, with the framework's id", function()
            local m1, m2 = master.start(), master.start()
            local leader = contender(m1.server.port)
            contender(m2.server.port)
            local framework = run()
            framework:wait_for("registered\t" .. m1.server.port)
            leader:expire()
            local subscribe = m2:wait_for("SUBSCRIBE")
            framework:wait_for("disconnected\nreregistered\t" .. m2.server.port)
            assert.equal(m1.framework_id, subscribe.call.framework_id)
            assert.equal(1, #m1:calls_of("SUBSCRIBE"))
        end)

        it("lets go of a leader whose node is gone, and takes the one that comes", function()
            local m = master.start()
            local leader, node = contender(m.server.port)
            local framework = run()
            framework:wait_for("registered\t" .. m.server.port)
            leader:delete(node)
            framework:wait_for("disconnected")
            announce(leader, m.server.port)
            framework:wait_for("reregistered\t" .. m.server.port)
        end)

        it("survives races with nodes that go while they are read", function()
            local one, two = client(), client()
            local framework = run()
            session_of(framework)
            for i = 1, 60 do
                local node = announce(i % 2 == 0 and one or two, 4000 + i)
                one:delete(node)
            end
            announce(two, 4711)
            framework:wait_for(named(4711))
        end)

        it("notices that the whole path went and came back", function()
            local one = client()
            local node = announce(one, 4711)
            local framework = run()
            framework:wait_for(named(4711))
            one:delete(node)
            one:delete(path)
            program.wait_for(function()
                return one:children(path) -- the framework creates it again
            end)
            assert.equal(node, announce(one, 4712))
            framework:wait_for(named(4712))
        end)

        it("connects to the master's ip and verifies its name, with TLS", function()
            local authority = tls.authority("spec authority")
            local right, wrong = master.start(), master.start()
            local certificate = authority:issue { names = "DNS:master1.invalid" }
            local fronts = {}
            for i, m in ipairs { wrong, right } do
                fronts[i] = tls.front(m.server, { certificate = certificate })
            end
            local address = { hostname = "other.invalid", ip = "127.0.0.1", port = fronts[1].port }
            local one = client()
            local node = announce(one, fronts[1].port, { address = address, hostname = "other.invalid" })
            local framework = run { args = { "--tls", "--ca-file", authority.cert } }
            framework:wait_for("cannot subscribe at https://other.invalid:[^\n]*certificate")
            address.hostname, address.port = "master1.invalid", fronts[2].port
            announce(one, fronts[2].port, { address = address, hostname = "master1.invalid" })
            one:delete(node)
            framework:wait_for("registered\t" .. right.server.port)
            assert.equal(0, #wrong.calls)
        end)

        it("works through a file that contains the address", function()
            local m = master.start()
            contender(m.server.port)
            local framework = run { master = "file://" .. program.script(("zk://%s%s\n"):format(zk.address, path)) }
            framework:wait_for("registered\t" .. m.server.port)
        end)
    end)

    describe("the path", function()
        it("is created with all above it, open to everybody", function()
            path = path .. "/a/b/c/"
            local framework = run()
            local one = client()
            program.wait_for(function()
                return one:children(path:sub(1, -2))
            end)
            path = path:sub(1, -2)
            announce(one, 4711)
            framework:wait_for(named(4711))
        end)

        it("is created so that all may read and only its creator may write, if there are credentials", function()
            path = path .. "/a"
            run { credentials = "creator:secret" }
            local other, same = client(), client { auth = "creator:secret" }
            program.wait_for(function()
                return other:children(path)
            end)
            local _, err = other:create(path .. "/x")
            assert.equal("NOAUTH", err)
            assert.equal(path .. "/x", same:create(path .. "/x"))
        end)

        it("ends the driver if it is not there and may not be created", function()
            local one = client()
            one:create(path .. "/shut", "", { acl = { { zookeeper.READ, "world", "anyone" } } })
            path = path .. "/shut/mesos"
            local framework = run()
            assert.equal(1, framework:wait())
            assert.matches("error\t[^\n]*cannot create the path, which is not there: permission denied", framework.stdout)
        end)
    end)

    describe("authentication", function()
        before_each(function()
            local one = client { auth = "mesos:s3cret" }
            path = assert(one:create(path .. "/shut", "", { acl = { { zookeeper.ALL, "auth", "" } } }))
            assert(one:create(path .. "/json.info_0000000000", json(4711), { acl = { { zookeeper.ALL, "auth", "" } } }))
        end)

        it("opens what is closed to others, and is never logged", function()
            local framework = run { credentials = "mesos:s3cret" }
            framework:wait_for(named(4711))
            framework:kill()
            framework:wait()
            assert.is_nil(framework.stderr:find("s3cret", 1, true))
            assert.is_nil(framework.stderr:find("mesos:", 1, true))
        end)

        it("ends the driver if it is wrong", function()
            local framework = run { credentials = "mesos:wr0ng" }
            assert.equal(1, framework:wait())
            assert.matches("error\t[^\n]*ZooKeeper at 127.0.0.1:%d+/[^:]*: cannot read the path: permission denied "
                .. "%(with the user and password of its address%)", framework.stdout)
            assert.is_nil((framework.stdout .. framework.stderr):find("wr0ng", 1, true))
        end)

        it("ends the driver if it is missing", function()
            local framework = run()
            assert.equal(1, framework:wait())
            assert.matches("permission denied %(its address has no user and password: zk://user:password@host:port/path%)",
                framework.stdout)
        end)
    end)

    describe("the session", function()
        it("expires without a word to the framework while the leader stays", function()
            local m = master.start()
            local leader = contender(m.server.port)
            local framework = run()
            framework:wait_for("registered")
            expire_session(framework)
            framework:wait_for("the ZooKeeper session expired")
            session_of(framework, 2)
            leader:expire() -- told of by the new session
            framework:wait_for("disconnected")
            assert.equal(1, count(framework.stderr, "as the leading master"))
            assert.equal(1, #m:calls_of("SUBSCRIBE"))
        end)

        it("expires while the leader changes", function()
            local m1, m2 = master.start(), master.start()
            local leader = contender(m1.server.port)
            contender(m2.server.port)
            local framework = run()
            framework:wait_for("registered\t" .. m1.server.port)
            expire_session(framework, function()
                leader:expire()
            end)
            framework:wait_for("reregistered\t" .. m2.server.port)
        end)

        it("is not lost over a script that is busy for longer", function()
            local m = master.start()
            contender(m.server.port)
            local framework = run {
                timeout = 2, body = [[
                    function scheduler:frameworkMessage(driver)
                        os.execute("sleep 4")
                        say("busy no more")
                    end
                ]],
            }
            framework:wait_for("registered")
            m:send({ type = "MESSAGE", message = { agent_id = "a", executor_id = "e", data = "x" } })
            framework:wait_for("busy no more")
            session_of(framework, 2)
            framework:kill()
            framework:wait()
            assert.is_nil(framework.stdout:find("disconnected", 1, true))
            assert.equal(1, #m:calls_of("SUBSCRIBE"))
        end)
    end)

    describe("a server", function()
        it("that is frozen for too long makes the leader unknown until it is back", function()
            local m = master.start()
            contender(m.server.port)
            local framework = run { timeout = 2 }
            framework:wait_for("registered")
            zk:freeze()
            local ok, message = pcall(framework.wait_for, framework, "disconnected")
            zk:thaw()
            assert(ok, message)
            assert.matches("was not reached for 2 seconds: no answer in time: the leader is not known now",
                framework.stderr)
            framework:wait_for("reregistered\t" .. m.server.port)
        end)

        it("that is frozen does not hold up the end", function()
            local framework = run()
            session_of(framework)
            zk:freeze()
            framework:kill()
            local ok, status = pcall(framework.wait, framework, 5)
            zk:thaw()
            assert(ok, status)
            assert.equal(0, status)
        end)

        it("that is gone for a moment changes nothing", function()
            local m = master.start()
            client():create(path .. "/json.info_0000000000", json(m.server.port))
            local framework = run { timeout = 30 } -- longer than a busy machine takes to start the server again
            framework:wait_for("registered")
            zk:kill()
            zk:restart()
            session_of(framework, 2)
            local m2 = master.start()
            local one = client()
            one:create(path .. "/json.info_0000000001", json(m2.server.port))
            one:delete(path .. "/json.info_0000000000")
            framework:wait_for("reregistered\t" .. m2.server.port)
            assert.equal(1, #m:calls_of("SUBSCRIBE"))
        end)

        it("that is gone for long makes the leader unknown until it is back", function()
            local m = master.start()
            client():create(path .. "/json.info_0000000000", json(m.server.port))
            local framework = run { timeout = 2 }
            framework:wait_for("registered")
            zk:kill()
            framework:wait_for("disconnected")
            zk:restart()
            framework:wait_for("reregistered\t" .. m.server.port)
            assert.matches("was not reached for 2 seconds: Connection refused", framework.stderr)
        end)

        it("that is not there yet is waited for, and the log says why", function()
            zk:kill()
            local framework = run()
            framework:wait_for("no connection to ZooKeeper at 127.0.0.1:%d+/%S+ yet: Connection refused; still trying")
            zk:restart()
            contender(4711)
            framework:wait_for(named(4711))
        end)

        it("may be one of several, the others dead or without an address", function()
            contender(4711)
            run { servers = "127.0.0.1:1," .. zk.address }:wait_for(named(4711))
            run { servers = "nowhere.invalid:2181,localhost:" .. zk.port .. ",127.0.0.1:1" }:wait_for(named(4711))
        end)

        it("without an address at all is looked up again and again", function()
            run { servers = "nowhere.invalid:2181" }:wait_for(
                "no connection to ZooKeeper at nowhere.invalid:2181/%S+ yet: nowhere.invalid: [^\n]+; still trying")
        end)
    end)
end)
