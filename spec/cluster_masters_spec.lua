-- SPDX-License-Identifier: Apache-2.0
--
-- Masters of the local cluster that a real ZooKeeper elects (--zk): the nodes that they write, and clients with a zk://
-- address that find the leader and follow it.

local cjson = require("cjson")
local client = require("support.cluster_client")
local control = require("support.control")
local program = require("support.program")
local zookeeper = require("support.zookeeper")

local SCRIPT = [[
    local mesos = require "mesos"
    local s = { framework = { name = "follower", failover_timeout = 60, checkpoint = true } }
    local launched = false
    local function say(...) print(...) io.stdout:flush() end
    function s:registered(_, _, info) say("registered", info.port, info.id) end
    function s:reregistered(driver, info)
        say("reregistered", info.port, info.id)
        mesos.every(0.2, function() driver:reconcileTasks {} end)
    end
    function s:disconnected() say("disconnected") end
    function s:resourceOffers(driver, offers)
        if launched then return driver:declineOffer(offers[1].id, { refuse_seconds = 0.1 }) end
        launched = true
        driver:launchTasks(offers[1].id, { { name = "t", task_id = "t", agent_id = offers[1].agent_id,
            command = { value = "sleep 100" }, resources = mesos.resources { cpus = 0.1, mem = 16 } } })
    end
    function s:statusUpdate(_, status) say(status.state, status.reason) end
    return s]]

describe("masters of the local cluster in ZooKeeper", function()
    local zk, path, watcher
    local paths = 0

    setup(function()
        zk = zookeeper.start()
    end)
    teardown(function()
        zk:stop()
    end)
    before_each(function()
        paths = paths + 1
        path = "/local/masters" .. paths
        watcher = zk:client { timeout = 30000 }
    end)
    after_each(function()
        client.stop()
        watcher:close()
    end)

    local function start(masters, timeout)
        client.start { "--masters", tostring(masters), "--resources", "cpus:2;mem:512", "--zk", "zk://" .. zk.address .. path,
            "--zk-session-timeout", timeout or "15" }
        client.cluster:wait_for("the master at " .. client.address:gsub("%.", "%%.") .. " is elected")
        program.wait_for(function()
            return #(watcher:children(path) or {}) == masters
        end)
    end

    local function nodes()
        local list = {}
        for _, name in ipairs(watcher:children(path)) do
            local text = watcher:get(path .. "/" .. name)
            local info = cjson.decode(text)
            info.port = math.tointeger(info.port)
            list[#list + 1] = { name = name, text = text, info = info }
        end
        return list
    end

    it("write each a node as masters of Mesos do, of which the lowest number is the leader's", function()
        start(3)
        local port = tonumber(client.address:match(":(%d+)$"))
        local list = nodes()
        for _, node in ipairs(list) do
            assert.matches("^json%.info_%d%d%d%d%d%d%d%d%d%d$", node.name)
            assert.matches('^{"address":{"hostname":"localhost","ip":"127.0.0.1","port":%d+},"capabilities":%[{"type":"AGENT_UPDATE"},'
                .. '{"type":"AGENT_DRAINING"},{"type":"QUOTA_V2"}%],"hostname":"localhost","id":"[%x-]+","ip":16777343,'
                .. '"pid":"master@127.0.0.1:%d+","port":%d+,"version":"1%.12%.0"}$', node.text)
        end
        assert.equal(port, list[1].info.port)
        local stream = client.subscribe({}):find("SUBSCRIBED").subscribed
        assert.equal(list[1].info.id, stream.master_info.id)
        client.address = "127.0.0.1:" .. list[2].info.port
        local status, _, head = client.request("", { path = "/api/v1/scheduler" })
        assert.equal(307, status)
        assert.equal("//localhost:" .. port .. "/master/api/v1/scheduler", head:match("Location: ([^\r]+)"))
    end)

    it("take their nodes along when they end", function()
        start(2)
        client.cluster:kill("sigterm")
        client.cluster:wait()
        program.wait_for(function()
            return #watcher:children(path) == 0
        end)
        client.start()
    end)

    it("are found and followed by a client with a zk:// address, whose tasks live on", function()
        start(3)
        local before = nodes()
        local run = program.start { args = { "-m", "zk://" .. zk.address .. path, "--registration-backoff", "0.1",
            program.script(SCRIPT) } }
        run:wait_for("registered\t" .. before[1].info.port .. "\t" .. before[1].info.id:gsub("%-", "%%-"))
        run:wait_for("TASK_RUNNING")
        assert.equal(0, control.ctl(client.cluster, { "fault", "failover for 200ms" }).code)
        run:wait_for("disconnected\n")
        run:wait_for("reregistered\t" .. before[2].info.port .. "\t" .. before[2].info.id:gsub("%-", "%%-"))
        run:wait_for("TASK_RUNNING\tREASON_RECONCILIATION")
        program.wait_for(function()
            return #nodes() == 3
        end)
        local after = nodes()
        assert.same({ before[2].name, before[3].name }, { after[1].name, after[2].name })
        assert.equal(before[1].info.port, after[3].info.port)
        assert.is_true(after[3].name > before[3].name)
        assert.not_equal(before[1].info.id, after[3].info.id)
        run:kill("sigterm")
        run:wait()
    end)

    it("lead no longer when ZooKeeper cannot be reached, and are elected anew when it can", function()
        start(1, "2")
        local run = program.start { args = { "-m", "zk://" .. zk.address .. path, "--registration-backoff", "0.1",
            "--zk-session-timeout", "2", program.script(SCRIPT) } }
        run:wait_for("TASK_RUNNING")
        zk:freeze()
        finally(function() zk:thaw() end)
        client.cluster:wait_for("leads no longer: its session with ZooKeeper has ended")
        local status, body = client.request("", { path = "/api/v1/scheduler" })
        assert.same({ 503, "No leader elected" }, { status, body })
        run:wait_for("disconnected\n")
        zk:thaw()
        run:wait_for("\nreregistered\t")
        run:wait_for("TASK_RUNNING\tREASON_RECONCILIATION")
        run:kill("sigterm")
        run:wait()
    end)

    it("wait as long as a master of another process leads", function()
        local other = zk:client { timeout = 30000 }
        for at in path:gmatch("()/%w+$") do
            other:create(path:sub(1, at - 1))
        end
        other:create(path)
        assert(other:create(path .. "/json.info_", '{"port":1}', { ephemeral = true, sequential = true }))
        client.start { "--masters", "2", "--resources", "cpus:2;mem:512", "--zk", "zk://" .. zk.address .. path }
        program.wait_for(function()
            return #watcher:children(path) == 3
        end)
        local status, body = client.request("", { path = "/api/v1/scheduler" })
        assert.same({ 503, "No leader elected" }, { status, body })
        other:close()
        client.cluster:wait_for("is elected")
        program.wait_for(function()
            return (client.request(nil, { method = "GET", path = "/state" })) == 200
        end)
        assert(client.subscribe({}):subscribed():offer())
    end)

    it("have an address that is right, or the program says what is wrong", function()
        client.start()
        local run = program.run { args = { "local", "--zk", "zk://nowhere" } }
        assert.equal(2, run.code, run:report())
        assert.matches("%-%-zk: ", run.stderr)
    end)
end)
