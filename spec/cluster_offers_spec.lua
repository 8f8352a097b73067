-- SPDX-License-Identifier: Apache-2.0
--
-- Who holds the offers of the local cluster, for how long, and why a framework has none: in the cluster's status, in its
-- log, and with --offer-timeout, which takes offers without an answer back.

local cjson = require("cjson")
local client = require("support.cluster_client")
local control = require("support.control")
local program = require("support.program")

local subscribe = client.subscribe

local function status_of(name)
    local text = control.ctl(client.cluster, { "status" }).stdout
    local state = cjson.decode(control.ctl(client.cluster, { "status", "--json" }).stdout)
    for _, framework in ipairs(state.frameworks) do
        if framework.name == name then
            return framework, text
        end
    end
end

-- The lines of the cluster's log with that text.
local function logged(text)
    local count = 0
    for line in client.cluster.stderr:gmatch("[^\n]+") do
        count = count + (line:find(text, 1, true) and 1 or 0)
    end
    return count
end

local function wait_for_log(text)
    program.wait_for(function()
        return logged(text) > 0
    end, nil, function()
        return client.cluster:report()
    end)
end

describe("the offers of the local cluster", function()
    after_each(client.stop)

    it("are in its status with who holds them and for how long", function()
        client.start { "--resources", "cpus:1;mem:64", "--agents", "12" }
        local stream = subscribe({ name = "hoarder" }):subscribed()
        local first = stream:offer()
        local framework, text = status_of "hoarder"
        assert.equal(12, #framework.offers)
        local offer = framework.offers[1]
        assert.same({ first.id.value, first.agent_id.value, "*" }, { offer.id, offer.agent_id, offer.role })
        assert.matches("^cpus:1;mem:64;", offer.resources)
        assert.is_true(offer.held_seconds >= 0 and offer.held_seconds < 60)
        assert.is_nil(framework.no_offers_because)
        assert.matches("\n  offer +" .. first.agent_id.value:gsub("%-", "%%-") .. " cpus:1;mem:64;%S+, for %d+ s\n", text)
        assert.matches("\n +and 2 more offers\n", text)
    end)

    it("are rescinded without an answer, and go round, with --offer-timeout", function()
        client.start { "--resources", "cpus:1;mem:64", "--offer-timeout", "1" }
        local first = subscribe({ name = "first" }):subscribed()
        local second = subscribe({ name = "second" }):subscribed()
        local offer = first:offer()
        assert.same(offer.id, first:find("RESCIND").rescind.offer_id)
        local other = second:offer()
        assert.same(other.agent_id, offer.agent_id)
        first:launch(offer, { client.task(offer, "late", "true") })
        assert.equal("Task launched with invalid offers: Offer " .. offer.id.value .. " is no longer valid", first:update().message)
        assert.same(other.id, second:find("RESCIND").rescind.offer_id)
        assert.is_truthy(first:offer())
        local last
        repeat -- an offer may be taken back while its answer is on its way
            other = second:offer()
            second:launch(other, { client.task(other, "early", "true") })
            last = select(2, second:results(1)).early
        until last.reason ~= "REASON_INVALID_OFFERS"
        assert.equal("TASK_FINISHED", last.state)
    end)

    it("are named as held by another framework when one goes without for long", function()
        client.start { "--resources", "cpus:1;mem:64" }
        local hoarder = subscribe({ name = "hoarder" }):subscribed()
        hoarder:offer()
        subscribe({ name = "starved" }):subscribed()
        wait_for_log "framework 'starved'"
        assert.equal(1, logged("framework 'hoarder' (" .. hoarder.framework_id.value .. ") holds 1 offer without an answer"))
        assert.equal(1, logged "--offer-timeout S rescinds such offers")
        local framework, text = status_of "starved"
        assert.matches("^framework 'hoarder' %(%S+%) holds 1 offer", framework.no_offers_because)
        assert.matches("\n  no offers +framework 'hoarder'", text)
    end)

    -- What the framework says of itself, how the cluster is, what is said, at which level.
    local reasons = {
        { "names the capability that a framework lacks for agents with GPUs", {}, "cpus:1;mem:64;gpus:1",
            "1 agent with free resources has GPUs, and is offered to frameworks with the capability GPU_RESOURCES only", "warning" },
        { "says that a framework is in no role", { roles = {}, capabilities = { { type = "MULTI_ROLE" } } }, "cpus:1;mem:64",
            "it is in no role", "warning" },
        { "says that all is reserved for other roles", { role = "a" }, "cpus(b):1;mem(b):64;disk:0;ports:[]",
            "1 agent with free resources has them reserved for other roles", "info" },
        { "says that agents have less than offer_filters ask for",
            { offer_filters = { ["*"] = { min_allocatable_resources = { quantities = { { quantities = { cpus = { value = 2 } } } } } } } },
            "cpus:1;mem:64", "1 agent with free resources has less than its offer_filters ask for", "info" },
    }
    for _, row in ipairs(reasons) do
        local title, info, resources, words, level = table.unpack(row)
        it(title, function()
            client.start { "--resources", resources }
            if info.roles then
                info.roles = nil -- JSON has no empty list of ours; absent is the same
            end
            info.name = "lonely"
            local stream = subscribe(info):subscribed()
            wait_for_log(words)
            local line = client.cluster.stderr:match("[^\n]*framework 'lonely'[^\n]*")
            assert.matches(level .. " +framework 'lonely' %(" .. stream.framework_id.value:gsub("%-", "%%-") .. "%) gets no offers: ", line)
            assert.truthy(status_of("lonely").no_offers_because:find(words, 1, true))
            assert.is_nil(stream:find("OFFERS", 1.2)) -- a round more
            assert.equal(1, logged(words))
        end)
    end

    it("are explained in the status where a framework chose it itself, without a line in the log", function()
        client.start { "--resources", "cpus:1;mem:64" }
        local stream = subscribe({ name = "modest" }):subscribed()
        stream:accepted("DECLINE", { offer_ids = { stream:offer().id }, filters = { refuse_seconds = 1000 } })
        program.wait_for(function()
            return (status_of("modest").no_offers_because or ""):find("was declined by it", 1, true)
        end)
        stream:accepted("SUPPRESS")
        assert.matches("all its roles are suppressed, until it revives one", status_of("modest").no_offers_because)
        assert.equal(0, logged "gets no offers")
    end)
end)

describe("a script with a cluster of its own", function()
    after_each(program.cleanup)

    it("is told in its own log why it gets no offers", function()
        local script = program.script [[
            local s = { framework = { name = "nogpu" } }
            function s:resourceOffers() print "offers" end
            return s]]
        local run = program.start { args = { "--resources", "cpus:1;mem:64;gpus:1", script } }
        run:wait_for("framework 'nogpu' %(%S+%) gets no offers: 1 agent with free resources has GPUs[^\n]*GPU_RESOURCES")
        run:kill("sigterm")
        assert.equal(0, run:wait())
        assert.equal("", run.stdout)
    end)

    it("gets offers again that it did not answer, with --offer-timeout", function()
        local script = program.script [[
            local s, count = { framework = { name = "slow" } }, 0
            function s:offerRescinded() print "rescinded" end
            function s:resourceOffers(driver)
                count = count + 1
                print "offers"
                if count == 2 then driver:stop() end
            end
            return s]]
        local run = program.run { args = { "--resources", "cpus:1;mem:64", "--offer-timeout", "0.2", script } }
        assert.equal("offers\nrescinded\noffers\n", run.stdout, run:report())
        assert.equal(0, run.code)
    end)
end)
