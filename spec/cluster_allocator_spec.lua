-- SPDX-License-Identifier: Apache-2.0
--
-- Who is offered what: fair shares of roles with weights, of roles in roles and of frameworks in a role; quota; filters,
-- and rounds that look only at what has changed. On a virtual clock; the agents are alike unless a test says otherwise.

local virtual_cluster = require("support.virtual_cluster")

local AGENT = "cpus:1;mem:100"

local cluster

local function start(count, text)
    local agents = {}
    for i = 1, count do
        agents[i] = text or AGENT
    end
    cluster = virtual_cluster.start(agents)
end

local function cpus(framework)
    return virtual_cluster.sum(framework:offers(), "cpus")
end

-- Frameworks with one role each, that subscribe at the same moment.
local function subscribe(...)
    local frameworks = {}
    for i, role in ipairs { ... } do
        frameworks[i] = cluster:subscribe { name = role .. i, roles = { role } }
    end
    return table.unpack(frameworks)
end

local function shares(...)
    local list = {}
    for i, framework in ipairs { ... } do
        list[i] = cpus(framework)
    end
    return list
end

describe("fair shares", function()
    -- Weights of roles, the roles of frameworks, and what each is offered of 12 agents.
    local DIVISIONS = {
        { "are equal for roles without weights", {}, { "a", "b", "c" }, { 4, 4, 4 } },
        { "are by weight", { a = 2 }, { "a", "b" }, { 8, 4 } },
        { "are by any weight", { a = 0.5, b = 2.5 }, { "a", "b" }, { 2, 10 } },
        { "are those of roles, not of frameworks", {}, { "a", "b", "b", "b" }, { 6, 2, 2, 2 } },
        { "of a role with weight are divided among its frameworks", { a = 3 }, { "a", "a", "a", "b" }, { 3, 3, 3, 3 } },
        { "of roles in a role count for the outer one", {}, { "a/x", "a/y", "b" }, { 3, 3, 6 } },
        { "of roles in a role are by their weight", { ["a/x"] = 2 }, { "a/x", "a/y", "b" }, { 4, 2, 6 } },
        { "of a role and of roles in it are those of neighbours", {}, { "a", "a/x", "b" }, { 3, 3, 6 } },
        { "of a role do not follow the weight of it when beside roles in it", { a = 2 }, { "a", "a/x", "b" }, { 4, 4, 4 } },
        { "go down as many levels as there are", {}, { "a/x/1", "a/x/2", "a/y", "b" }, { 1.5, 1.5, 3, 6 } },
    }
    for _, row in ipairs(DIVISIONS) do
        local title, weights, roles, expected = table.unpack(row)
        it(title, function()
            local scale = expected[1] % 1 == 0 and 1 or 2
            start(12 * scale)
            for role, weight in pairs(weights) do
                assert(cluster.master:weight(role, weight))
            end
            local frameworks = { subscribe(table.unpack(roles)) }
            cluster:advance()
            local got = shares(table.unpack(frameworks))
            for i in ipairs(got) do
                got[i] = got[i] / scale
            end
            assert.same(expected, got)
        end)
    end

    it("are those of the largest share of a resource", function()
        start(3, "cpus:1;mem:100")
        cluster:agent "cpus:1;mem:1000"
        local first, second = subscribe("a", "b")
        cluster:advance()
        -- In the order of the agents: one each, the third to the first; the large one to the second.
        assert.same({ 200, 1100 }, { virtual_cluster.sum(first:offers(), "mem"), virtual_cluster.sum(second:offers(), "mem") })
        cluster:agent "cpus:1;mem:100"
        cluster:agent "cpus:1;mem:100"
        cluster:advance()
        assert.same({ 400, 1100 }, { virtual_cluster.sum(first:offers(), "mem"), virtual_cluster.sum(second:offers(), "mem") })
    end)

    it("of equals go round: the one that was offered less often comes first", function()
        start(1)
        local first, second = subscribe("a", "b")
        local got = { 0, 0 }
        for _ = 1, 10 do
            cluster:advance(1)
            for i, framework in ipairs { first, second } do
                got[i] = got[i] + cpus(framework)
                framework:decline_all(0)
            end
        end
        assert.same({ 5, 5 }, got)
    end)

    it("count what tasks hold, also of a framework that left the role", function()
        start(4)
        local first = subscribe("a")
        cluster:advance()
        for _ = 1, 3 do
            first:launch(first:offers()[1], { cpus = 1, mem = 100 })
        end
        first:decline_all(0)
        local stayer, other = subscribe("a", "b")
        first:accepted("UPDATE_FRAMEWORK", { framework_info = {
            id = first.id, user = "nobody", name = "a1", roles = { "c" }, capabilities = { { type = "MULTI_ROLE" } } },
        })
        first:accepted("SUPPRESS")
        cluster:advance(1)
        assert.same({ 0, 1 }, shares(stayer, other))
        cluster.master:finish(3)
        cluster:advance(1)
        assert.same({ 2, 2 }, shares(stayer, other))
    end)

    it("change with a weight, for which all offers are taken back", function()
        start(6)
        local first, second = subscribe("a", "b")
        cluster:advance()
        assert.same({ 3, 3 }, shares(first, second))
        assert(cluster.master:weight("unused", 3))
        assert.same({ 3, 3 }, shares(first, second))
        assert(cluster.master:weight(" a ", 5))
        assert.same({ 0, 0 }, shares(first, second))
        cluster:advance(1)
        assert.same({ 5, 1 }, shares(first, second))
    end)

    it("have weights that are right, or the words of a master", function()
        start(1)
        local MISTAKES = {
            { "a b", 1, "Failed to validate update weights request JSON: Invalid role 'a b': Role component 'a b' is "
                .. "invalid because it contains backspace or whitespace" },
            { "a", 0, "Failed to validate update weights request JSON for role 'a': Invalid weight '0': Weights must be positive" },
            { "a", -1.5, "Failed to validate update weights request JSON for role 'a': Invalid weight '-1.5': Weights must be positive" },
        }
        for _, row in ipairs(MISTAKES) do
            assert.same({ false, row[3] }, { cluster.master:weight(row[1], row[2]) })
        end
    end)
end)

describe("a quota limit", function()
    it("is what the role is offered at most, with what it uses, an agent's part included", function()
        start(2, "cpus:4;mem:100")
        assert(cluster.master:quota("a", nil, { cpus = 5 }))
        local limited, other = subscribe("a", "b")
        other:accepted("SUPPRESS")
        cluster:advance()
        assert.equal(5, cpus(limited))
        assert.equal(200, virtual_cluster.sum(limited:offers(), "mem"))
        limited:launch(limited:offers()[1], { cpus = 4, mem = 10 })
        limited:decline_all(0)
        cluster:advance(1)
        assert.equal(1, cpus(limited))
        other:accepted("REVIVE")
        cluster:advance()
        assert.equal(3, cpus(other))
    end)

    it("counts reservations of the role, used or not", function()
        start(1, "cpus:4;mem:100;cpus(a):2")
        assert(cluster.master:quota("a", nil, { cpus = 3 }))
        local limited = subscribe("a")
        cluster:advance()
        assert.equal(3, cpus(limited))
    end)

    it("lets more be offered when something ends", function()
        start(2, "cpus:2;mem:100")
        assert(cluster.master:quota("a", nil, { cpus = 2 }))
        local limited = subscribe("a")
        cluster:advance()
        local function first_with_cpus()
            for _, offer in ipairs(limited:offers()) do
                if virtual_cluster.sum({ offer }, "cpus") > 0 then
                    return offer
                end
            end
        end
        limited:launch(first_with_cpus(), { cpus = 2, mem = 1 })
        limited:decline_all(0)
        cluster:advance(3)
        assert.equal(0, cpus(limited))
        limited:decline_all(3600)
        cluster:advance(1)
        cluster.master:finish(1)
        cluster:advance(1)
        assert.equal(2, cpus(limited))
    end)

    it("takes back offers that are above it", function()
        start(4)
        local limited, other = subscribe("a", "b")
        cluster:advance()
        assert.same({ 2, 2 }, shares(limited, other))
        assert(cluster.master:quota("a", nil, { cpus = 1 }))
        assert.same({ 1, 2 }, shares(limited, other))
        cluster:advance(1)
        assert.same({ 1, 3 }, shares(limited, other))
    end)
end)

describe("a quota guarantee", function()
    it("is kept free for a role without frameworks", function()
        start(4)
        assert(cluster.master:quota("a", { cpus = 3 }))
        local other = subscribe("b")
        cluster:advance()
        assert.equal(1, cpus(other))
        local guaranteed = subscribe("a")
        cluster:advance()
        assert.same({ 3, 1 }, shares(guaranteed, other))
    end)

    it("comes first, whatever the shares are", function()
        start(4)
        assert(cluster.master:quota("z", { cpus = 2 }))
        assert(cluster.master:weight("a", 100))
        local heavy, guaranteed = subscribe("a", "z")
        cluster:advance()
        assert.same({ 2, 2 }, shares(heavy, guaranteed))
    end)

    it("is of what is not reserved, and counts the reservations of the role", function()
        start(1, "cpus:4;mem:100;cpus(a):2")
        assert(cluster.master:quota("a", { cpus = 3 }))
        local other = subscribe("b")
        cluster:advance()
        assert.equal(3, cpus(other))
    end)

    it("is freed as the role uses it, and needed again afterwards", function()
        start(3)
        assert(cluster.master:quota("a", { cpus = 2 }))
        local guaranteed, other = subscribe("a", "b")
        cluster:advance()
        for _ = 1, 2 do
            guaranteed:launch(guaranteed:offers()[1], { cpus = 1, mem = 100 })
        end
        guaranteed:accepted("SUPPRESS")
        cluster:advance(1)
        assert.equal(1, cpus(other))
        cluster.master:finish(2)
        other:decline_all(0)
        cluster:advance(1)
        assert.equal(1, cpus(other))
    end)

    it("takes offers of others back until it could be met", function()
        start(4)
        local other, guaranteed = subscribe("b", "a")
        guaranteed:accepted("SUPPRESS")
        guaranteed:decline_all(0)
        cluster:advance(1)
        assert.equal(4, cpus(other))
        assert(cluster.master:quota("a", { cpus = 3 }))
        assert.equal(1, cpus(other))
        guaranteed:accepted("REVIVE")
        cluster:advance(1)
        assert.same({ 1, 3 }, shares(other, guaranteed))
    end)

    it("ends with the quota", function()
        start(2)
        assert(cluster.master:quota("a", { cpus = 2 }))
        local other = subscribe("b")
        cluster:advance(2)
        assert.equal(0, cpus(other))
        assert(cluster.master:quota("a"))
        cluster:advance(1)
        assert.equal(2, cpus(other))
    end)
end)

describe("a quota that is not right", function()
    local function text(...)
        local good, words = cluster.master:quota(...)
        assert.is_false(good)
        return words
    end

    before_each(function()
        start(4)
    end)

    -- Role, guarantees, limits, what a master says.
    local MISTAKES = {
        { "a/b", { cpus = 1 }, nil, "Updating quota on nested role 'a/b' is not supported yet" },
        { "a b", { cpus = 1 }, nil, "Invalid QuotaConfig: Invalid 'QuotaConfig.role': Role component 'a b' is invalid because it "
            .. "contains backspace or whitespace" },
        { "a", { cpus = 2 }, { cpus = 1 }, "Invalid QuotaConfig: 'QuotaConfig.guarantees' { cpus: 2 } is not contained within the "
            .. "'QuotaConfig.limits' { cpus: 1 }" },
        { "a", { cpus = -1 }, nil, "Invalid QuotaConfig: Invalid guarantee configuration {'cpus': -1}: Negative values not supported" },
        { "a", nil, { mem = 1 / 0 }, "Invalid QuotaConfig: Invalid 'QuotaConfig.limits': {'mem': inf} is invalid: values greater than 1 "
            .. "exabyte (1099511627776) are not supported" },
        { "a", nil, { cpus = 2e12 }, "Invalid QuotaConfig: Invalid 'QuotaConfig.limits': {'cpus': 2000000000000} is invalid: values "
            .. "greater than 1 trillion (1000000000000) are not supported" },
        { "a", { cpus = 5 }, nil, "Invalid QuotaConfig: total quota guarantees 'cpus:5' exceed cluster capacity 'cpus:4; mem:400' (use "
            .. "'force' flag to bypass this check)" },
    }
    for _, row in ipairs(MISTAKES) do
        it("is refused: " .. row[4]:sub(1, 60), function()
            assert.equal(row[4], text(row[1], row[2], row[3]))
        end)
    end

    it("may exceed the cluster, or what is used, by force", function()
        assert(cluster.master:quota("a", { cpus = 5 }, nil, true))
        local framework = subscribe("b")
        assert(cluster.master:quota("a"))
        cluster:advance(1)
        framework:launch(framework:offers()[1], { cpus = 1, mem = 1 })
        framework:launch(framework:offers()[1], { cpus = 1, mem = 1 })
        assert.equal("Invalid QuotaConfig: Role 'b' is already consuming 'cpus:2; mem:2'; this is more than the requested "
            .. "limits 'cpus:1' (use 'force' flag to bypass this check)", text("b", nil, { cpus = 1 }))
        assert(cluster.master:quota("b", nil, { cpus = 1 }, true))
        cluster:advance(1)
        framework:decline_all(0)
        cluster:advance(1)
        assert.equal(0, cpus(framework))
    end)

    it("is refused in the older form, which sets a limit as well", function()
        local refusals = {
            { "a", "cpus(b):1", "Failed to validate set quota request: QuotaInfo must not contain any ReservationInfo" },
            { "a", "ports:[1-2]", "Failed to validate set quota request: QuotaInfo must not include non-scalar resources" },
            { "a", "", "Failed to validate set quota request: QuotaInfo with empty 'guarantee'" },
            { "a//b", "cpus:1", "Failed to validate set quota request: QuotaInfo with invalid role: Role 'a//b' cannot contain two "
                .. "adjacent slashes" },
            { "a/b", "cpus:1", "Setting quota on nested role 'a/b' is not supported yet" },
        }
        for _, row in ipairs(refusals) do
            assert.same({ false, row[3], false }, { cluster.master:set_quota(row[1], row[2]) })
        end
        assert.same({ false, "Quota guarantees overcommit the cluster (use 'force' to bypass this check): Total quota guarantees "
            .. "'cpus:9' exceed cluster capacity 'cpus:4; mem:400'", true }, { cluster.master:set_quota("a", "cpus:9") })
        assert.same({ false, "Role 'a' has no quota set" }, { cluster.master:remove_quota "a" })
        assert(cluster.master:set_quota("a", "cpus:2"))
        assert.same({ false, "Failed to validate set quota request: Cannot set quota for role 'a' which already has quota", false },
            { cluster.master:set_quota("a", "cpus:1") })
        local guaranteed, other = subscribe("a", "b")
        cluster:advance()
        assert.same({ 2, 2 }, shares(guaranteed, other))
        assert.is_true((cluster.master:remove_quota "a"))
        guaranteed:decline_all(100)
        cluster:advance(1)
        assert.same({ 0, 4 }, shares(guaranteed, other))
    end)
end)

describe("a round", function()
    it("offers again what was declined, when its filter has ended and not before", function()
        start(1)
        local framework = subscribe("a")
        cluster:advance()
        framework:decline_all(3)
        cluster:advance(2.5)
        assert.equal(0, #framework:offers())
        cluster:advance(1.5)
        assert.equal(1, #framework:offers())
    end)

    it("offers what one framework declined to another", function()
        start(1)
        local first, second = subscribe("a", "b")
        cluster:advance()
        first:decline_all(100)
        cluster:advance(1)
        assert.same({ 0, 1 }, shares(first, second))
    end)

    it("offers at once to a framework that revives, and only what changed to others", function()
        start(2)
        local framework = subscribe("a")
        cluster:advance()
        framework:decline_all(100)
        framework:accepted("SUPPRESS")
        cluster:advance(5)
        assert.equal(0, #framework:offers())
        framework:accepted("REVIVE")
        cluster:advance()
        assert.equal(2, #framework:offers())
    end)

    it("offers a new agent at once, and what was declined before not with it", function()
        start(1)
        local framework = subscribe("a")
        cluster:advance(0.1)
        framework:decline_all(0)
        cluster:agent(AGENT)
        cluster:advance()
        assert.equal(1, #framework:offers())
        cluster:advance(1)
        assert.equal(2, #framework:offers())
    end)

    it("looks at agents in the order of their start, whichever was woken first", function()
        start(130)
        local framework = subscribe("a")
        local function agents()
            local list = {}
            for i, offer in ipairs(framework:offers()) do
                list[i] = offer.agent_id.value
            end
            return list
        end
        cluster:advance()
        local before = agents()
        assert.equal(130, #before)
        for i = #before, 1, -1 do
            framework:decline(framework:offers()[i], 0)
        end
        cluster:advance(1)
        assert.same(before, agents())
    end)

    it("keeps the times of filters when those of other frameworks are dropped", function()
        local first, second, third
        local function decline(seconds)
            for _ = 1, 4 do
                cluster:advance(1)
                for framework, time in pairs(seconds) do
                    framework:decline_all(time)
                end
            end
        end
        local function counts()
            return { #first:offers(), #second:offers(), #third:offers() }
        end
        start(4)
        first, second, third = subscribe("a", "b", "c")
        decline { [first] = 100, [second] = 200, [third] = 300 }
        assert.same({ 0, 0, 0 }, counts())
        second:accepted("REVIVE")
        third:accepted("REVIVE")
        decline { [second] = 50, [third] = 1000 }
        assert.same({ 0, 0, 0 }, counts())
        cluster:advance(40)
        assert.same({ 0, 0, 0 }, counts())
        cluster:advance(10)
        assert.same({ 0, 4, 0 }, counts())
        second:decline_all(1000)
        cluster:advance(30)
        assert.same({ 0, 0, 0 }, counts())
        cluster:advance(20)
        assert.same({ 4, 0, 0 }, counts())
    end)

    it("knows an offer by all of its id", function()
        start(1)
        local framework = subscribe("a")
        cluster:advance()
        local offer = framework:offers()[1]
        local prefix, number = offer.id.value:match("^(.*%-O)(%d+)$")
        for _, other in ipairs {
            prefix .. "0" .. number, prefix .. number .. "0", prefix, "O" .. number, "O", number, "x" .. offer.id.value,
            offer.id.value .. "x", prefix .. "O" .. number, prefix .. "18446744073709551616" .. number,
        } do
            framework:accepted("DECLINE", { offer_ids = { { value = other } }, filters = { refuse_seconds = 1000 } })
        end
        framework:decline(offer, 0)
        cluster:advance(1)
        assert.equal(1, #framework:offers())
    end)

    it("offers the same to others that a launch left over", function()
        start(1, "cpus:2;mem:200;ports:[1-9]")
        local first, second = subscribe("a", "b")
        cluster:advance()
        first:launch(first:offers()[1], { cpus = 1, mem = 100 })
        cluster:advance(1)
        local left = second:offers()[1]
        second:decline(left, 1000)
        cluster:advance(1)
        assert.same({ 1, 0 }, shares(first, second))
        assert.equal(3, #first:offers()[1].resources)
        first:decline_all(0)
        cluster:advance(1)
        assert.same({ 1, 0 }, shares(first, second))
    end)

    it("offers what is more than was declined", function()
        start(1, "cpus:2;mem:200")
        local first, second = subscribe("a", "b")
        cluster:advance()
        first:launch(first:offers()[1], { cpus = 1, mem = 100 })
        cluster:advance(1)
        second:decline_all(1000)
        first:decline_all(1000)
        cluster:advance(1)
        first:decline_all(1000)
        cluster:advance(1)
        assert.same({ 0, 0 }, shares(first, second))
        cluster.master:finish(1)
        cluster:advance(1)
        assert.equal(2, cpus(first) + cpus(second))
    end)

    it("keeps GPUs, revocable and refined resources for frameworks that know them", function()
        start(1, "cpus:1;mem:100;gpus:1")
        local plain = subscribe("a")
        local able = cluster:subscribe { name = "able", roles = { "b" }, capabilities = {
            { type = "MULTI_ROLE" }, { type = "GPU_RESOURCES" } } }
        cluster:advance()
        assert.same({ 0, 1 }, shares(plain, able))
    end)
end)

describe("agents in another region", function()
    local function hosts(framework)
        local list = {}
        for _, offer in ipairs(framework:offers()) do
            list[#list + 1] = offer.hostname
        end
        return list
    end

    before_each(function()
        cluster = virtual_cluster.start({ AGENT }, "eu", "eu-1")
        cluster:agent(AGENT, "near", "eu", "eu-2")
        cluster:agent(AGENT, "far", "us", "us-1")
    end)

    it("are offered to frameworks that are aware of regions", function()
        local plain = subscribe("a")
        cluster:advance()
        assert.same({ "localhost", "near" }, hosts(plain))
        assert.is_nil(plain:offers()[1].domain)
        assert.same({ fault_domain = { region = { name = "eu" }, zone = { name = "eu-2" } } }, plain:offers()[2].domain)
        local aware = cluster:subscribe { roles = { "b" }, capabilities = { { type = "MULTI_ROLE" }, { type = "REGION_AWARE" } } }
        assert.same({ fault_domain = { region = { name = "eu" }, zone = { name = "eu-1" } } }, aware.master_info.domain)
        cluster:advance()
        assert.same({ "far" }, hosts(aware))
    end)

    -- Predicates on host names, regions and zones, and the agents that meet them.
    local CONSTRAINTS = {
        { "HOSTNAME", "text_equals", { value = "near" }, { "near" } },
        { "REGION", "text_equals", { value = "eu" }, { "near" } },
        { "REGION", "exists", { dummy = 1 }, { "near", "far" } },
        { "ZONE", "text_matches", { regex = "..-1" }, { "far" } },
        { "ZONE", "not_exists", { dummy = 1 }, { "localhost" } },
    }
    for _, row in ipairs(CONSTRAINTS) do
        it(("are selected by offer constraints: %s %s"):format(row[1], row[2]), function()
            local aware = cluster:subscribe({ roles = { "a" }, capabilities = { { type = "MULTI_ROLE" }, { type = "REGION_AWARE" } } }, {
                offer_constraints = { role_constraints = { a = { groups = { { attribute_constraints = {
                    { selector = { pseudoattribute_type = row[1] }, predicate = { [row[2]] = row[3] } } } } } } } },
            })
            assert.same({}, aware.errors)
            cluster:advance()
            assert.same(row[4], hosts(aware))
        end)
    end
end)

describe("a framework", function()
    it("has up to 1,000 roles", function()
        start(1)
        local roles = {}
        for i = 1, 1001 do
            roles[i] = "r" .. i
        end
        local framework = cluster:subscribe { roles = roles }
        assert.same({ "'FrameworkInfo.roles' has 1001 roles; the local cluster takes up to 1000" }, framework.errors)
    end)

    it("may have a role as deep as it likes", function()
        start(1)
        local framework = subscribe(("a/"):rep(20000) .. "a")
        cluster:advance()
        assert.equal(1, #framework:offers())
    end)
end)

describe("what is left of an agent", function()
    it("is what Mesos computes, in thousandths and to the last bit", function()
        start(1, "cpus:2.118;mem:100.5")
        local framework = subscribe("a")
        cluster:advance()
        local whole = framework:offers()
        assert.equal(2.118, virtual_cluster.sum(whole, "cpus"))
        framework:launch(whole[1], { cpus = 1, mem = 0.1 }, 1)
        cluster:advance(6)
        local rest = framework:offers()
        assert.equal(1 + 118 / 1000, virtual_cluster.sum(rest, "cpus"))
        assert.not_equal(1.118, virtual_cluster.sum(rest, "cpus"))
        assert.equal(100 + 400 / 1000, virtual_cluster.sum(rest, "mem"))
        framework:launch(rest[1], { cpus = 1.1184, mem = 1 }, 1) -- which is rounded, and fits
        cluster:advance(6)
        assert.equal(0, virtual_cluster.sum(framework:offers(), "cpus"))
    end)
end)
