-- SPDX-License-Identifier: Apache-2.0
--
-- Standby masters: every form of redirect that masters have sent, and what a redirect must not cause.

local master = require("support.master")
local program = require("support.program")

local SCRIPT = [[
    local scheduler = { framework = { name = "test" } }
    local function say(...) print(...) io.stdout:flush() end
    function scheduler:registered(_, id, info) say("registered", info.port) end
    function scheduler:reregistered(_, info) say("reregistered", info.port) end
    return scheduler
]]

local function run(address)
    return program.start { args = { "-v", "--master", address, program.script(SCRIPT) } }
end

-- A master that sends everybody elsewhere.
local function standby(location, status)
    local m = master.start()
    m:answer("SUBSCRIBE", status or 307, "", { Location = location })
    return m
end

-- How often it gave up and waited.
local function failures(framework)
    return select(2, framework.stderr:gsub("cannot subscribe at ", ""))
end

describe("a redirect", function()
    after_each(function()
        program.cleanup()
        master.cleanup()
    end)

    it("is followed in each of its forms, with the same call", function()
        local forms = {
            "//%s/master/api/v1/scheduler", "//%s/api/v1/scheduler?x=y", "//%s/", "//%s", "%s", "%s/master/api/v1/scheduler",
            "http://%s/master/api/v1/scheduler", "http://%s/", "http://%s", "HTTP://%s", "http://master@%s/",
        }
        for _, form in ipairs(forms) do
            for _, host in ipairs { "127.0.0.1", "localhost" } do
                local leader = master.start()
                local first = standby(form:format(host .. ":" .. leader.server.port))
                local framework = run(first.address)
                framework:wait_for("registered\t" .. leader.server.port)
                local sent, repeated = first:calls_of("SUBSCRIBE"), leader:calls_of("SUBSCRIBE")
                assert.equal(1, #sent, form)
                assert.equal(1, #repeated, form)
                assert.same(sent[1].call, repeated[1].call)
                assert.equal("POST", repeated[1].request.method)
                assert.equal("/api/v1/scheduler", repeated[1].request.path)
                assert.equal(host .. ":" .. leader.server.port, repeated[1].request:header("Host"))
                framework:kill()
                assert.equal(0, framework:wait())
            end
        end
    end)

    it("is followed with the credentials", function()
        local leader = master.start()
        local first = standby("//" .. leader.address .. "/master/api/v1/scheduler")
        local framework = program.start {
            args = {
                "--master", first.address, "--principal", "test", "--secret-file", program.script("hush", "secret"),
                program.script(SCRIPT),
            },
        }
        framework:wait_for("registered\t" .. leader.server.port)
        local sent = leader:calls_of("SUBSCRIBE")[1].request:header("Authorization")
        assert.matches("^Basic ", sent)
        assert.equal(first:calls_of("SUBSCRIBE")[1].request:header("Authorization"), sent)
    end)

    local function start_with_secret(address, ...)
        return program.start {
            args = {
                "--master", address, "--principal", "test", "--secret-file", program.script("hush", "secret"), ...,
            },
        }
    end

    it("does not take credentials to a host that is not known, and says which option allows it", function()
        local leader = master.start()
        local first = standby("//localhost:" .. leader.server.port)
        local framework = start_with_secret(first.address, program.script(SCRIPT))
        framework:wait_for("warning cannot subscribe at http://127%.0%.0%.1:%d+: [^\n]*its redirect to 'localhost' is not "
            .. "followed, as that would send the credentials to a host that neither %-%-master nor ZooKeeper "
            .. "names; %-%-redirect%-hosts localhost allows it")
        framework:wait_for(function() return failures(framework) > 1 end)
        assert.equal(0, #leader:calls_of("SUBSCRIBE"))
    end)

    it("takes credentials to the hosts of --redirect-hosts, and of --master", function()
        for _, hosts in ipairs { "localhost", "other.example, LOCALHOST", "*", false } do
            local leader = master.start()
            local first = standby("//localhost:" .. leader.server.port)
            local address = hosts and first.address or first.address .. ",localhost:1"
            local words = hosts and { "--redirect-hosts", hosts } or {}
            words[#words + 1] = program.script(SCRIPT)
            start_with_secret(address, table.unpack(words)):wait_for("registered\t" .. leader.server.port)
            assert.matches("^Basic ", leader:calls_of("SUBSCRIBE")[1].request:header("Authorization"))
        end
    end)

    it("is followed with status 308 as well", function()
        local leader = master.start()
        run(standby("//" .. leader.address, 308).address):wait_for("registered\t" .. leader.server.port)
    end)

    it("is followed from master to master, a few times", function()
        local leader = master.start()
        local third = standby("//" .. leader.address)
        local second = standby("//" .. third.address)
        local first = standby("//" .. second.address)
        run(first.address):wait_for("registered\t" .. leader.server.port)
    end)

    it("may name a leader that has not noticed yet that it leads", function()
        local leader = master.start()
        local first = standby("//" .. leader.address)
        leader:answer("SUBSCRIBE", 503, "Master has not finished recovery")
        local framework = run(first.address)
        framework:wait_for("503")
        leader:answer("SUBSCRIBE", nil)
        framework:wait_for("registered\t" .. leader.server.port)
    end)

    it("may name a leader that is dead, and is asked for again", function()
        local gone, leader = master.start(), master.start()
        gone:stop()
        local first = standby("//" .. gone.address)
        local framework = run(first.address)
        framework:wait_for("cannot subscribe at http://" .. gone.address:gsub("%.", "%%.") .. ": cannot connect")
        first:answer("SUBSCRIBE", 307, "", { Location = "//" .. leader.address })
        framework:wait_for("registered\t" .. leader.server.port)
    end)

    it("that leads in a circle ends in waiting, and is tried again", function()
        local first, second = master.start(), master.start()
        first:answer("SUBSCRIBE", 307, "", { Location = "//" .. second.address })
        second:answer("SUBSCRIBE", 307, "", { Location = "//" .. first.address })
        local framework = run(first.address)
        framework:wait_for("cannot subscribe at [^\n]*HTTP status 307")
        assert.is_true(#first:calls_of("SUBSCRIBE") + #second:calls_of("SUBSCRIBE") <= 6 * (failures(framework) + 1))
        second:answer("SUBSCRIBE", nil)
        framework:wait_for("registered\t" .. second.server.port)
    end)

    it("to itself is no tight loop either", function()
        local first = master.start()
        first:answer("SUBSCRIBE", 307, "", { Location = "//" .. first.address })
        local framework = run(first.address)
        framework:wait_for("cannot subscribe at [^\n]*HTTP status 307")
        assert.is_true(#first:calls_of("SUBSCRIBE") <= 6 * (failures(framework) + 1))
        first:answer("SUBSCRIBE", nil)
        framework:wait_for("registered\t" .. first.server.port)
    end)

    it("without a place, or with one that cannot be read, is an answer like others", function()
        local masters, frameworks = {}, {}
        for i, location in ipairs { "", "//", "ftp://h:1/", "//h:99999/", "h:0", "http://", "h h:1" } do
            masters[i] = standby(location)
            frameworks[i] = run(masters[i].address)
        end
        for i, framework in ipairs(frameworks) do
            framework:wait_for("cannot subscribe at [^\n]*HTTP status 307[^\n]*; trying again")
            masters[i]:answer("SUBSCRIBE", nil)
        end
        for i, framework in ipairs(frameworks) do
            framework:wait_for("registered\t" .. masters[i].server.port)
        end
    end)

    it("never makes https out of http, unless it says so", function()
        local m = standby("//127.0.0.1:1/")
        run(m.address):wait_for("it names http://127.0.0.1:1\n")
        local other = standby("https://127.0.0.1:1/")
        run(other.address):wait_for("it names https://127.0.0.1:1\n")
    end)

    it("is forgotten with the stream: the next subscription asks the first master", function()
        local leader, other = master.start(), master.start()
        local first = standby("//" .. leader.address)
        local framework = run(first.address)
        framework:wait_for("registered\t" .. leader.server.port)
        first:answer("SUBSCRIBE", 307, "", { Location = "//" .. other.address })
        leader:drop()
        framework:wait_for("reregistered\t" .. other.server.port)
        assert.equal(2, #first:calls_of("SUBSCRIBE"))
    end)

    it("of a call is told, not followed", function()
        local m = master.start()
        m:answer("RECONCILE", 307, "", { Location = "//127.0.0.1:1/" })
        local framework = program.start {
            args = {
                "-v", "--master", m.address, program.script([[
                    local scheduler = { framework = { name = "test" } }
                    function scheduler:registered(driver) driver:reconcileTasks() end
                    return scheduler
                ]]),
            },
        }
        framework:wait_for("the master refused RECONCILE %(HTTP status 307%)")
    end)
end)
