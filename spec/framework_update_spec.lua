-- SPDX-License-Identifier: Apache-2.0
--
-- A framework that changes while it runs: each SUBSCRIBE has what the master last accepted. The scripted master, which
-- checks this, accepts what a real one accepts and refuses what a real one refuses.

local framework = require("support.framework")
local values = require("support.compare")

local logged, said, subscribed = framework.logged, framework.said, framework.subscribed

-- Runs the code that comes as a framework message.
local OBEY = [[
    scheduler.framework.name, scheduler.framework.roles = "before", { "a", "b" }
    function scheduler:frameworkMessage(driver, _, _, data)
        say("done", assert(load("local driver = ... return " .. data))(driver))
    end
    function scheduler:error(_, message) say("error", message) end
]]

local function tell(m, code)
    m:send({ type = "MESSAGE", message = { agent_id = "a", executor_id = "e", data = code } })
end

local function info(call, field)
    return values.plain(call.call[field].framework_info)
end

local DEFAULTS = { { type = "MULTI_ROLE" }, { type = "RESERVATION_REFINEMENT" } }

describe("updateFramework", function()
    after_each(framework.cleanup)

    it("fills in the capabilities where none are set, by the rule of the start", function()
        local m = subscribed(OBEY)
        tell(m, "driver:updateFramework({ name = 'after', roles = { 'a', 'c' } }, {})")
        local update = info(m:wait_for("UPDATE_FRAMEWORK"), "update_framework")
        assert.same({ "after", { "a", "c" }, DEFAULTS }, { update.name, update.roles, update.capabilities })
        tell(m, "driver:updateFramework({ name = 'single', role = 'a' }, {})")
        update = info(m:wait_for("UPDATE_FRAMEWORK", 2), "update_framework")
        assert.same({ "a", nil, { { type = "RESERVATION_REFINEMENT" } } }, { update.role, update.roles, update.capabilities })
        tell(m, "driver:updateFramework({ name = 'own', roles = { 'a' }, capabilities = { { type = 'MULTI_ROLE' } } }, {})")
        update = info(m:wait_for("UPDATE_FRAMEWORK", 3), "update_framework")
        assert.same({ { type = "MULTI_ROLE" } }, update.capabilities)
        assert.equal("own", m:wait_for("UPDATE_FRAMEWORK", 3) and m.framework.name)
    end)

    it("that the master refuses leaves the framework as the master took it", function()
        local m, run = subscribed(OBEY)
        tell(m, "driver:updateFramework({ name = 'good', roles = { 'a', 'b', 'c' } }, { 'c' })")
        m:wait_for("UPDATE_FRAMEWORK")
        tell(m, "driver:updateFramework({ name = 'bad', roles = { 'a', 'a' } }, { 'a' }, { role_constraints = {} })")
        logged(run, "the master refused UPDATE_FRAMEWORK (HTTP status 400): Supplied FrameworkInfo is not valid: "
            .. "'FrameworkInfo.roles' contains duplicate items: { a }")
        logged(run, "the framework stays as the master knows it")
        m:drop()
        local again = m:wait_for("SUBSCRIBE", 2)
        assert.same({ "good", { "a", "b", "c" } }, { info(again, "subscribe").name, info(again, "subscribe").roles })
        assert.same({ "c" }, values.plain(again.call.subscribe.suppressed_roles))
        assert.is_nil(again.call.subscribe.offer_constraints)
        logged(run, "reregistered with")
        tell(m, "driver:updateFramework({ name = 'third', roles = { 'b' } }, {})")
        assert.equal("third", info(m:wait_for("UPDATE_FRAMEWORK", 3), "update_framework").name)
        assert.is_nil(run.stdout:find("error", 1, true))
    end)

    it("of several that are on their way leaves what the master took last", function()
        for _, row in ipairs({
            { { "'good', roles = { 'a' }", "'bad', roles = { 'a', 'a' }" }, "good" },
            { { "'bad', roles = { '' }", "'good', roles = { 'a' }" }, "good" },
            { { "'bad', roles = { '' }", "'worse', roles = { '/' }" }, "before" },
            { { "'good', roles = { 'a' }", "'bad', roles = { '' }", "'better', roles = { 'b' }" }, "better" },
        }) do
            local m, run = subscribed(OBEY)
            m:hold("UPDATE_FRAMEWORK")
            for _, update in ipairs(row[1]) do
                tell(m, ("driver:updateFramework({ name = %s }, {})"):format(update))
                m:wait_for("UPDATE_FRAMEWORK")
            end
            tell(m, "driver:suppressOffers { 'a' }")
            said(run, ("done\tDRIVER_RUNNING\n"):rep(#row[1] + 1))
            m:release("UPDATE_FRAMEWORK")
            m:wait_for("SUPPRESS")
            m:drop()
            assert.equal(row[2], info(m:wait_for("SUBSCRIBE", 2), "subscribe").name)
            logged(run, "reregistered with")
            framework.cleanup()
        end
    end)

    it("that was made without a master, and is refused by the next one, is not the end", function()
        local m, run = subscribed(OBEY .. [[
            function scheduler:disconnected(driver)
                say(driver:updateFramework({ name = "bad", roles = { "-" } }, {}))
            end
            function scheduler:reregistered() say("reregistered") end
        ]])
        logged(run, "registered with")
        m:drop()
        logged(run, "the master refused the framework as it was changed, which goes on as the master knows it: "
            .. "'FrameworkInfo.roles' contains invalid role: Role component '-' is invalid because it starts with a dash")
        said(run, "reregistered")
        assert.equal("bad", info(m:wait_for("SUBSCRIBE", 2), "subscribe").name)
        assert.equal("before", info(m:wait_for("SUBSCRIBE", 3), "subscribe").name)
        assert.is_nil(run.stdout:find("error", 1, true))
    end)

    it("that was made without a master, and is taken by the next one, stays", function()
        local m, run = subscribed(OBEY .. [[
            function scheduler:disconnected(driver) driver:updateFramework({ name = "good", roles = { "c" } }, {}) end
        ]])
        logged(run, "registered with")
        m:drop()
        assert.equal("good", info(m:wait_for("SUBSCRIBE", 2), "subscribe").name)
        logged(run, "reregistered with")
        m:drop()
        assert.equal("good", info(m:wait_for("SUBSCRIBE", 3), "subscribe").name)
    end)
end)

describe("the scripted master", function()
    after_each(framework.cleanup)

    local long = ("x"):rep(256)
    for words, body in pairs({
        ["'FrameworkInfo.roles' must not be set when the framework is not MULTI_ROLE capable"] =
            [[ roles = { "a" }, capabilities = { { type = "PARTITION_AWARE" } } ]],
        ["'FrameworkInfo.role' must not be set when the framework is MULTI_ROLE capable"] =
            [[ role = "a", capabilities = { { type = "MULTI_ROLE" } } ]],
        ["'FrameworkInfo.role' is not a valid role: Role 'a/' cannot end with a slash"] = [[ role = "a/" ]],
        ["'FrameworkInfo.roles' contains duplicate items: { a, b }"] = [[ roles = { "b", "a", "a", "b", "b" } ]],
        ["'FrameworkInfo.roles' contains invalid role: Role 'a/../b' cannot include '..' as a component"] =
            [[ roles = { "a/../b" } ]],
        ["'FrameworkInfo.roles' contains invalid role: Role names cannot be the empty string"] = [[ roles = { "" } ]],
        ["'FrameworkInfo.roles' contains invalid role: Role component 'a b' is invalid because it contains backspace or "
            .. "whitespace"] = [[ roles = { "a b" } ]],
        ["ID must not be greater than 255 characters"] = ([[ id = "%s" ]]):format(long),
        ["'a/b' contains invalid characters"] = [[ id = "a/b" ]],
        ["'..' is disallowed"] = [[ id = ".." ]],
        ["The framework failover_timeout (1e+10) is invalid"] = [[ failover_timeout = 1e10 ]],
        ["Resource quantities must contain at least one quantity"] =
            [[ offer_filters = { ["*"] = { min_allocatable_resources = { quantities = { {} } } } } ]],
        ["Invalid resource quantity for 'cpus': Negative values not supported"] = [[ offer_filters = { ["*"] = {
            min_allocatable_resources = { quantities = { { quantities = { cpus = -1 } } } } } } ]],
        ["Suppressed roles { x, y } are not contained in the set of roles"] =
            [[ roles = { "a" } } scheduler.suppressedRoles = { "y", "a", "x" ]],
        ["Offer constraints specify `role_constraints` for a role 'x'not contained in the set of roles"] =
            [[ roles = { "a" } } scheduler.offerConstraints = { role_constraints = { x = {} } ]],
        ["Offer constraints are not valid: 'OfferConstraints::role_constraints' has an empty 'RoleConstraints::groups' for "
            .. "role a"] = [[ roles = { "a" } } scheduler.offerConstraints = { role_constraints = { a = {} } ]],
    }) do
        it("refuses a framework: " .. words, function()
            local _, run = framework.start(("scheduler.framework = { name = 'x', %s }"):format(body))
            assert.equal(1, run:wait())
            logged(run, "error   " .. words .. "\n")
        end)
    end

    it("takes every framework when it is lenient", function()
        local m, run = subscribed([[ scheduler.framework.roles = { "a", "a" } ]], { lenient = true })
        logged(run, "registered with")
        assert.equal(1, #m:calls_of("SUBSCRIBE"))
    end)

    it("refuses a framework that was torn down, and another principal", function()
        local m, run = subscribed([[ function scheduler:frameworkMessage(driver) driver:stop() end ]])
        local id = m:wait_for("SUBSCRIBE") and m.framework_id
        tell(m, "stop")
        assert.equal(0, run:wait())
        local _, second = framework.start(([[ scheduler.framework.id = "%s" ]]):format(id), { master = m })
        assert.equal(1, second:wait())
        logged(second, "Framework has been removed")
        m = subscribed([[ scheduler.framework.principal = "one" ]])
        local _, third = framework.start(([[ scheduler.framework.id, scheduler.framework.principal = "%s", "two" ]])
            :format(m.framework_id), { master = m })
        assert.equal(1, third:wait())
        logged(third, "Changing framework's principal is not allowed.")
    end)
end)
