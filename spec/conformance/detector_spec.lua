-- SPDX-License-Identifier: Apache-2.0
--
-- master_contender_detector_tests.cpp without ZooKeeper: finding the master by address, by file and by redirect, and
-- finding the next one.

local framework = require("support.framework")
local master = require("support.master")
local program = require("support.program")
local server = require("support.server")

local start, said = framework.start, framework.said

local function at(m, address, body)
    return select(2, start(body or framework.WATCH, { master = m, address = address }))
end

describe("a master is found", function()
    after_each(framework.cleanup)

    it("by host and port, at once", function()
        local m = master.start()
        for _, form in ipairs({ "127.0.0.1:%d", "localhost:%d", "http://127.0.0.1:%d", "http://127.0.0.1:%d/",
            "master@127.0.0.1:%d" }) do
            local run = at(m, form:format(m.server.port))
            said(run, "registered\t")
            run:kill("sigkill")
            run:wait()
        end
    end)

    it("by an address in a file", function()
        local m = master.start()
        local path = program.files({ ["master"] = "\n " .. m.address .. " \n" }) .. "/master"
        said(at(m, "file://" .. path), "registered\t")
    end)

    it("by an address in a file that comes later", function()
        local m = master.start()
        local path = program.directory() .. "/master"
        local run = at(m, "file://" .. path)
        framework.logged(run, "waiting for a master address in " .. path .. ": No such file or directory")
        local file = io.open(path, "w")
        file:write(m.address)
        file:close()
        said(run, "registered\t")
    end)

    it("among several of which the first is dead", function()
        local m = master.start()
        local run = at(m, server.unused_address() .. "," .. m.address)
        said(run, "registered\t", 20)
        assert.equal("http://" .. m.address, run.stderr:match("registered with (%S+)"))
    end)

    it("by what a standby answers, however it writes it", function()
        local m = master.start()
        for _, location in ipairs({ "//%s/api/v1/scheduler", "//%s", "%s", "http://%s/api/v1/scheduler", "http://%s" }) do
            local standby = master.start()
            standby:answer("SUBSCRIBE", 307, "", { Location = location:format(m.address) })
            local before = #m.calls
            local run = at(m, standby.address)
            said(run, "registered\t")
            assert.equal(before + 1, #m.calls)
            assert.equal(1, #standby.calls)
            run:kill("sigkill")
            run:wait()
        end
    end)

    it("when the standbys stop naming each other", function()
        local one, two = master.start(), master.start()
        one:answer("SUBSCRIBE", 307, "", { Location = "//" .. two.address })
        two:answer("SUBSCRIBE", 307, "", { Location = "//" .. one.address })
        local run = at(one, one.address)
        framework.logged(run, "HTTP status 307; trying again")
        assert.is_true(#one.calls + #two.calls <= 7)
        two:answer("SUBSCRIBE")
        said(run, "registered\t", 20)
    end)

    it("when there is a leader at last", function()
        local m = master.start()
        m:answer("SUBSCRIBE", 503, "No leader elected")
        local run = at(m, m.address)
        framework.logged(run, "HTTP status 503: No leader elected; trying again")
        m:answer("SUBSCRIBE")
        said(run, "registered\t", 20)
    end)
end)

describe("the next leader is found", function()
    after_each(framework.cleanup)

    it("when the one before it dies", function()
        local one, two = master.start(), master.start()
        local run = at(one, one.address .. "," .. two.address)
        said(run, "registered\t")
        one:stop()
        said(run, "reregistered", 20)
        assert.equal(one.framework_id, two:wait_for("SUBSCRIBE").call.framework_id)
    end)

    it("when the one before it becomes a standby", function()
        local one, two = master.start(), master.start()
        local run = at(one, one.address)
        said(run, "registered\t")
        one:answer("SUBSCRIBE", 307, "", { Location = "//" .. two.address .. "/api/v1/scheduler" })
        one:drop()
        said(run, "disconnected\t0\nreregistered\n", 20)
        assert.equal(1, #two.calls)
    end)

    it("in the file that names it now", function()
        local one, two = master.start(), master.start()
        local path = program.files({ ["master"] = one.address }) .. "/master"
        local run = at(one, "file://" .. path)
        said(run, "registered\t")
        local file = io.open(path, "w")
        file:write(two.address)
        file:close()
        one:stop()
        said(run, "reregistered", 20)
        assert.equal(1, #two.calls)
    end)
end)

describe("an address that cannot be read", function()
    after_each(framework.cleanup)

    for address, words in pairs({
        ["zk://"] = "zk://", ["zk://host:2181"] = "zk://", ["http://"] = "master", ["host:port"] = "host:port",
        ["file://relative"] = "an absolute path expected", ["::1:5050"] = "::1:5050", ["host:99999"] = "99999",
    }) do
        it(("such as %s is an error at once"):format(address), function()
            local run = program.run({ args = { "--master", address, program.script("return {}") } })
            assert.equal(2, run.code, run:report())
            assert.is_truthy(run.stderr:find(words, 1, true), run.stderr)
        end)
    end
end)
