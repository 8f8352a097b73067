-- SPDX-License-Identifier: Apache-2.0
--
-- update_framework_tests.cpp and offer_constraints_filter_tests.cpp: changing a framework that is registered, and what
-- it wants to be offered.

local framework = require("support.framework")
local values = require("support.compare")

local subscribed, start, said = framework.subscribed, framework.start, framework.said

local HEAD = [[
scheduler.framework = { name = "before", user = "u", hostname = "h", principal = "p", checkpoint = true,
    failover_timeout = 60, roles = { "dev", "web" }, capabilities = { { type = "MULTI_ROLE" } } }
function scheduler:error(driver, message) say("error", message, driver:status()) end
]]

-- Runs `updateFramework(ARGUMENTS)` when registered; returns the master, the run and the call's message.
local function updating(arguments, more)
    local m, run = subscribed(HEAD .. (more or "") .. ([[
        function scheduler:registered(driver) say(driver:updateFramework(%s)) end
    ]]):format(arguments))
    return m, run, values.plain(m:wait_for("UPDATE_FRAMEWORK").call.update_framework)
end

describe("updateFramework", function()
    after_each(framework.cleanup)

    for field, value in pairs({ user = '"another"', principal = '"another"', checkpoint = "false" }) do
        it("shows the master's refusal of another " .. field, function()
            local m, run = start(HEAD .. ([[
                function scheduler:registered(driver)
                    driver:updateFramework({ name = "after", %s = %s }, {}, nil)
                    driver:killTask("next")
                end
            ]]):format(field, value))
            local words = ("FrameworkInfo update is not valid: Updating 'FrameworkInfo.%s' is unsupported"):format(field)
            m:answer("UPDATE_FRAMEWORK", 400, words)
            local info = m:wait_for("UPDATE_FRAMEWORK").call.update_framework.framework_info
            assert.equal(load("return " .. value)(), info[field])
            framework.logged(run, "the master refused UPDATE_FRAMEWORK (HTTP status 400): " .. words)
            m:expect("KILL", { task_id = "next" })
            assert.equal(1, #m:calls_of("SUBSCRIBE"))
        end)
    end

    it("replaces all that may change, and fills in the rest", function()
        local m, run, update = updating([[{
            name = "after", roles = { "dev", "new" }, failover_timeout = 5, hostname = "h2", webui_url = "http://w",
            capabilities = { { type = "MULTI_ROLE" }, { type = "PARTITION_AWARE" } },
            labels = { labels = { { key = "k" } } },
        }, {}, nil]])
        said(run, "DRIVER_RUNNING")
        assert.same({
            id = m.framework_id, user = "u", principal = "p", checkpoint = true, name = "after", hostname = "h2",
            roles = { "dev", "new" }, failover_timeout = 5.0, webui_url = "http://w",
            capabilities = { { type = "MULTI_ROLE" }, { type = "PARTITION_AWARE" } },
            labels = { labels = { { key = "k" } } },
        }, update.framework_info)
        m:drop()
        local info = values.plain(m:wait_for("SUBSCRIBE", 2).call.subscribe.framework_info)
        assert.same(update.framework_info, info)
    end)

    it("sends an update that changes nothing all the same", function()
        local m, _, update = updating([[{ name = "before", roles = { "dev", "web" }, failover_timeout = 60,
            capabilities = { { type = "MULTI_ROLE" } } }, {}, nil]])
        local info = values.plain(m:wait_for("SUBSCRIBE").call.subscribe.framework_info)
        info.id = m.framework_id
        assert.same(info, update.framework_info)
    end)

    it("adds a role, and offers for it come", function()
        local m, run, update = updating([[{ name = "n", roles = { "dev", "web", "new" } }, {}, nil]], framework.WATCH)
        assert.same({ "dev", "web", "new" }, update.framework_info.roles)
        m:send_offers({ m:offer({ id = "o", allocation_info = { role = "new" } }) })
        said(run, "offer\to")
    end)

    it("removes roles, and their offers are rescinded", function()
        local m, run = updating([[{ name = "n", roles = { "dev" } }, {}, nil]], framework.WATCH)
        m:send_offers({ m:offer({ id = "o", allocation_info = { role = "web" } }) })
        m:send({ type = "RESCIND", rescind = { offer_id = "o" } })
        said(run, "offer\to\nrescinded\to\n")
    end)

    it("sets the suppressed roles, and keeps them for the next registration", function()
        local m, _, update = updating([[{ name = "n", roles = { "dev", "web" } }, { "web" }, nil]])
        assert.same({ "web" }, update.suppressed_roles)
        m:drop()
        assert.same({ "web" }, values.plain(m:wait_for("SUBSCRIBE", 2).call.subscribe.suppressed_roles))
    end)

    it("takes roles out of the suppressed ones", function()
        local m, _, update = updating([[{ name = "n", roles = { "dev", "web" } }, {}, nil]],
            [[ scheduler.suppressedRoles = { "dev", "web" } ]])
        assert.same({ "dev", "web" }, values.plain(m:wait_for("SUBSCRIBE").call.subscribe.suppressed_roles))
        assert.is_nil(update.suppressed_roles)
        m:drop()
        assert.same({}, values.plain(m:wait_for("SUBSCRIBE", 2).call.subscribe.suppressed_roles))
    end)

    it("sets the offer constraints, and keeps them for the next registration", function()
        local constraints = [[{ role_constraints = { dev = { groups = { { attribute_constraints = { {
            selector = { attribute_name = "rack" }, predicate = { exists = {} } } } } } } } }]]
        local m, _, update = updating([[{ name = "n", roles = { "dev" } }, {}, ]] .. constraints)
        local wanted = load("return " .. constraints)()
        assert.same(wanted, update.offer_constraints)
        m:drop()
        assert.same(wanted, values.plain(m:wait_for("SUBSCRIBE", 2).call.subscribe.offer_constraints))
    end)

    it("shows the refusal of constraints for a role that is not subscribed", function()
        local m, run = start(HEAD .. [[
            function scheduler:registered(driver)
                driver:updateFramework({ name = "n", roles = { "dev" } }, {}, { role_constraints = { other = {} } })
            end
        ]])
        local words = "Offer constraints specify `role_constraints` for a role 'other'not contained in the set of roles"
        m:answer("UPDATE_FRAMEWORK", 400, words)
        framework.logged(run, "the master refused UPDATE_FRAMEWORK (HTTP status 400): " .. words)
        assert.equal(1, #m:calls_of("SUBSCRIBE"))
    end)

    it("is an error before the framework is registered", function()
        local m = require("support.master").start({ quiet = true })
        local run = require("support.program").start({ args = { require("support.program").script([[
            local mesos = require "mesos"
            local driver = mesos.SchedulerDriver { master = arg[1], framework = { name = "n" },
                scheduler = { error = function(_, d, message) print(message, d:status()) end } }
            driver:start()
            print(driver:updateFramework({ name = "n" }, {}, nil))
            print(driver:join())
        ]]), m.address } })
        assert.equal(1, run:wait())
        assert.matches("^DRIVER_ABORTED\nupdateFramework must not be called before the framework is registered\t"
            .. "DRIVER_ABORTED\nDRIVER_ABORTED\n$", run.stdout)
    end)

    it("is an error with another framework id", function()
        local m, run = subscribed(HEAD .. [[
            function scheduler:registered(driver)
                say(driver:updateFramework({ name = "n", id = "another" }, {}, nil))
            end
        ]])
        assert.equal(1, run:wait())
        assert.equal("DRIVER_ABORTED\nerror\tupdateFramework: the id in the FrameworkInfo is 'another', the framework's is '"
            .. m.framework_id .. "'\tDRIVER_ABORTED\n", run.stdout)
        assert.equal(0, #m:calls_of("UPDATE_FRAMEWORK"))
    end)

    it("of no role leaves the empty lists alone", function()
        local m = subscribed(HEAD .. [[
            function scheduler:registered(driver)
                say(driver:suppressOffers {}, driver:reviveOffers {})
                driver:killTask("next")
            end
        ]])
        m:expect("KILL", { task_id = "next" })
        assert.same({ "SUBSCRIBE", "KILL" }, m:call_types())
    end)
end)

-- One constraint, as a script writes it.
local PREDICATES = {
    ["that an attribute exists"] = [[ { exists = {} } ]],
    ["that an attribute does not exist"] = [[ { not_exists = {} } ]],
    ["that a text is equal"] = [[ { text_equals = "r1" } ]],
    ["that a text is not equal"] = [[ { text_not_equals = "r1" } ]],
    ["that a text matches"] = [[ { text_matches = { regex = "r[1-3]" } } ]],
    ["that a text does not match"] = [[ { text_not_matches = { regex = "r[1-3]" } } ]],
}

describe("offer constraints can say", function()
    after_each(framework.cleanup)

    -- Subscribes with them; returns them as they arrive.
    local function sent(constraints)
        local m = subscribed(([[
            scheduler.framework.roles = { "dev", "web" }
            scheduler.offerConstraints = %s
        ]]):format(constraints))
        return values.plain(m:wait_for("SUBSCRIBE").call.subscribe.offer_constraints),
            load("return " .. constraints)()
    end

    local function constraint(selector, predicate)
        return ("{ selector = { %s }, predicate = %s }"):format(selector, predicate)
    end

    local function group(...)
        return "{ attribute_constraints = { " .. table.concat({ ... }, ", ") .. " } }"
    end

    local function role(name, ...)
        return ("{ role_constraints = { %s = { groups = { %s } } } }"):format(name, table.concat({ ... }, ", "))
    end

    for title, predicate in pairs(PREDICATES) do
        it(title, function()
            local got, wanted = sent(role("dev", group(constraint('attribute_name = "rack"', predicate))))
            assert.is_nil(values.difference(wanted, got, "constraints", true))
        end)
    end

    it("the same of host name, region and zone", function()
        for _, pseudo in ipairs({ "HOSTNAME", "REGION", "ZONE" }) do
            local got, wanted = sent(role("dev", group(constraint(('pseudoattribute_type = "%s"'):format(pseudo),
                "{ text_equals = 'x' }"))))
            assert.is_nil(values.difference(wanted, got, "constraints", true))
        end
    end)

    it("that several must hold, or one of several groups, for each role", function()
        local one = constraint('attribute_name = "rack"', "{ text_equals = 'r1' }")
        local two = constraint('attribute_name = "os"', "{ exists = {} }")
        for _, text in ipairs({
            role("dev", group(one, two)),
            role("dev", group(one), group(two)),
            ("{ role_constraints = { dev = { groups = { %s } }, web = { groups = { %s } } } }"):format(group(one), group(two)),
        }) do
            local got, wanted = sent(text)
            assert.is_nil(values.difference(wanted, got, "constraints", true))
        end
    end)

    it("nothing, which filters nothing", function()
        local m = subscribed("")
        assert.is_nil(m:wait_for("SUBSCRIBE").call.subscribe.offer_constraints)
        assert.same({}, (sent("{}")))
    end)

    for title, message in pairs({
        ["what is no pattern, which is an error"] = "Failed to construct regex from pattern '(': missing ): (",
        ["a pattern that is too complex, which is an error"] = "Regex is too complex",
    }) do
        it(title, function()
            local m, run = start(([[ scheduler.offerConstraints = %s ]]):format(
                role("dev", group(constraint('attribute_name = "a"', "{ text_matches = { regex = '(' } }"))))
                .. framework.WATCH, { quiet = true })
            m:wait_for("SUBSCRIBE")
            m:send({ type = "ERROR", error = { message = message } })
            m:end_stream()
            assert.equal(1, run:wait())
            assert.equal("error\t" .. message .. "\tDRIVER_ABORTED\n", run.stdout)
        end)
    end

    it("no field that there is not", function()
        local run = require("support.program").run({ args = { "--master", "127.0.0.1:1", require("support.program").script(
            "return { offerConstraints = { role_constraints = { dev = { group = {} } } } }") } })
        assert.equal(2, run.code)
        assert.matches("did you mean 'groups'", run.stderr)
    end)
end)
