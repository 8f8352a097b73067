-- SPDX-License-Identifier: Apache-2.0
--
-- Operations on resources, as frameworks see them: what a real master refuses is refused in its words, what it carries
-- out is carried out, seen by the operations and launches behind it and by the next offers, and reported until it is
-- acknowledged.

local client = require("support.cluster_client")
local operations = require("support.operations")
local virtual_cluster = require("support.virtual_cluster")

local scalar, reserved, volume, described = operations.scalar, operations.reserved, operations.volume, operations.described

local REFINED = { { type = "MULTI_ROLE" }, { type = "RESERVATION_REFINEMENT" } }
local RESOURCES = "cpus:4;mem:1024;disk:1000;ports:[31000-31099]"

local function subscribe(info)
    return client.subscribe(info or { roles = { "web" }, capabilities = REFINED }):subscribed()
end

-- Makes the operations, each with an id, of the offer.
local function operate(stream, offer, list)
    for i, operation in ipairs(list) do
        operation.id = operation.type:find("LAUNCH") == nil and { value = operation.type .. i } or nil
    end
    stream:accepted("ACCEPT", { offer_ids = { offer.id }, operations = list, filters = { refuse_seconds = 0 } })
end

local function result(stream)
    return stream:find("UPDATE_OPERATION_STATUS").update_operation_status.status
end

-- The next report, acknowledged.
local function finished(stream)
    local status = result(stream)
    assert.equal("OPERATION_FINISHED", status.state, status.message)
    stream:accepted("ACKNOWLEDGE_OPERATION_STATUS", {
        agent_id = status.agent_id, operation_id = status.operation_id, uuid = status.uuid.value,
    })
    return status
end

local function do_all(stream, offer, list)
    operate(stream, offer, list)
    for _ = 1, #list do
        finished(stream)
    end
    return stream:offer()
end

describe("an operation on resources", function()
    setup(function()
        client.start { "--resources", RESOURCES }
    end)

    teardown(client.stop)

    -- A row: what is made of the offer, what is wrong with it. "AGENT" stands for how a master names the agent.
    local wrong = {
        { { type = "RESERVE" },
            "Operation attempted with invalid resources: A RESERVE offer operation must have the Offer.Operation.reserve field set." },
        { { type = "UNRESERVE" },
            "Operation attempted with invalid resources: An UNRESERVE offer operation must have the Offer.Operation.unreserve field set." },
        { { type = "GROW_VOLUME" },
            "Operation attempted with invalid resources: A GROW_VOLUME operation must have the Offer.Operation.grow_volume field set" },
        { { type = "SHRINK_VOLUME" },
            "Operation attempted with invalid resources: A SHRINK_VOLUME offer operation must have the " ..
            "Offer.Operation.shrink_volume field set" },
        { operations.reserve { reserved("cpus", -1, "web") },
            "Operation attempted with invalid resources: Resource 'cpus(reservations: [(DYNAMIC,web)]):-1' is invalid: " ..
            "Invalid scalar resource: value <= 0" },
        { { type = "RESERVE", reserve = { resources = { reserved("cpus", 1, "web") }, source = { scalar("cpus", 1) } } },
            "Operation attempted with invalid resources: Reservation updates are not yet implemented for the scheduler API." },
        { operations.reserve { scalar("cpus", 1) }, "Resource cpus(allocated: web):1 is not dynamically reserved; on agent AGENT" },
        { operations.reserve { reserved("gpus", 0.5, "web") },
            "Invalid resources: Invalid 'gpus' resource: The 'gpus' resource must be an unsigned integer; on agent AGENT" },
        { { type = "RESERVE", reserve = {} },
            "Invalid resources: The resources have multiple resource providers: ; on agent AGENT" },
        { operations.reserve { reserved("cpus", 1, "web"), reserved("mem", 1, "web", { provider_id = { value = "p" } }) },
            "Invalid resources: Some resources have a resource provider and some do not; on agent AGENT" },
        { operations.reserve { reserved("cpus", 1, "web", { revocable = { _ = nil } }) },
            "Invalid resources: Invalid ReservationInfo: Dynamically reserved resource cpus(allocated: web)(reservations: " ..
            "[(DYNAMIC,web)]){REV}:1 cannot be created from revocable resources; on agent AGENT" },
        { operations.reserve { reserved("cpus", 1, "dev") },
            "A reserve operation was attempted for a resource with role 'dev', but the resource was allocated to role 'web'; " ..
            "on agent AGENT" },
        { operations.reserve { reserved("cpus", 1, "dev", { allocation_info = { role = "dev" } }) },
            "A reserve operation was attempted for a resource allocated to role 'dev', but the framework only has roles " ..
            "'{ web }'; on agent AGENT" },
        { operations.reserve { reserved("cpus", 8, "web") },
            "^cpus%(allocated: web%):4; mem.* does not contain cpus%(allocated: web%):8$" },
        { operations.reserve { reserved("cpus", 1, "web", { provider_id = { value = "p" } }) }, " does not contain cpus" },
        { operations.unreserve { scalar("cpus", 1) }, "Resource cpus(allocated: web):1 is not dynamically reserved; on agent AGENT" },
        { operations.unreserve { reserved("cpus", 1, "web") },
            "^cpus%(allocated: web%):4; .* does not contain cpus%(allocated: web%)%(reservations: %[%(DYNAMIC,web%)%]%):1$" },
        { operations.unreserve { volume("v", 1, "web") },
            "A dynamically reserved persistent volume disk(allocated: web)(reservations: [(DYNAMIC,web)])[v:data]:1 cannot be " ..
            "unreserved directly. Please destroy the persistent volume first then unreserve the resource; on agent AGENT" },
        { operations.create { scalar("disk", 1) },
            "Not a persistent volume: Resource disk(allocated: web):1 does not have DiskInfo; on agent AGENT" },
        { operations.create { volume("v", 1, "web", { mode = "RO" }) },
            "Not a persistent volume: Read-only persistent volume not supported; on agent AGENT" },
        { operations.create { volume("a/b", 1, "web") },
            "Invalid resources: Invalid DiskInfo: Invalid persistence ID for persistent volume: 'a/b' contains invalid characters; " ..
            "on agent AGENT" },
        { operations.create { volume("v", 1, "web"), volume("v", 2, "web") }, "Persistence ID 'v' is not unique; on agent AGENT" },
        { operations.create { volume("v", 1, "web", { shared = true }) },
            "^Create volume operation for 'disk.*%[v:data%]<SHARED>:1' has been attempted by framework '%S+' with no " ..
            "SHARED_RESOURCES capability; on agent " },
        { operations.create { volume("v", 1, "web") },
            "^cpus.* does not contain disk%(allocated: web%)%(reservations: %[%(DYNAMIC,web%)%]%):1$" },
        { operations.destroy { volume("v", 1, "web") }, "Persistent volumes not found; on agent AGENT" },
        { operations.destroy { reserved("cpus", 1, "web") },
            "Not a persistent volume: Resource cpus(reservations: [(DYNAMIC,web)]):1 does not have DiskInfo; on agent AGENT" },
        { operations.grow(volume("v", 1, "web"), reserved("disk", 0, "web")),
            "The size of 'GrowVolume.addition' field must be greater than zero; on agent AGENT" },
        { operations.grow(volume("v", 1, "web"), scalar("disk", 1)),
            "Incompatible resources in the 'GrowVolume.volume' and 'GrowVolume.addition' fields; on agent AGENT" },
        { operations.grow(volume("v", 1, "web", { shared = true }), reserved("disk", 1, "web")),
            "Growing a shared persistent volume is not supported; on agent AGENT" },
        { operations.grow(volume("v", 1, "web", { provider_id = { value = "p" } }), reserved("disk", 1, "web")),
            "Growing a volume from a resource provider is not supported; on agent AGENT" },
        { operations.grow(reserved("disk", 1, "web"), reserved("disk", 1, "web")),
            "^Invalid persistent volume in the 'GrowVolume.volume' field: Resource disk.* does not have DiskInfo; on agent " },
        { operations.grow(volume("v", 1, "web"), reserved("disk", 1, "web")), "^Invalid GROW_VOLUME operation: .* does not contain " },
        { operations.shrink(volume("v", 1, "web"), 0), "Value of 'ShrinkVolume.subtract' must be greater than zero; on agent AGENT" },
        { operations.shrink(volume("v", 1, "web"), 1),
            "Value of 'ShrinkVolume.subtract' must be smaller than the size of 'ShrinkVolume.volume'; on agent AGENT" },
        { operations.shrink(volume("v", 2, "web", { shared = true }), 1),
            "Shrinking a shared persistent volume is not supported; on agent AGENT" },
        { operations.shrink(volume("v", 2, "web"), 1), "^Invalid SHRINK_VOLUME operation: .* does not contain " },
        { { type = "CREATE_DISK", create_disk = { source = scalar("disk", 1), target_type = "MOUNT" } },
            "'source' is not managed by a resource provider; on agent AGENT" },
        { { type = "CREATE_DISK", create_disk = { source = operations.raw("p"), target_type = "PATH" } },
            "'target_type' is neither MOUNT or BLOCK; on agent AGENT" },
        { { type = "CREATE_DISK", create_disk = { source = operations.raw("p"), target_type = "MOUNT" } },
            "'target_profile' must be set when 'source' has no profile; on agent AGENT" },
        { { type = "CREATE_DISK", create_disk = { source = operations.raw("p"), target_type = "MOUNT", target_profile = "x" } },
            "^Invalid CREATE_DISK Operation: cpus.* does not contain disk%(allocated: web%)%[RAW%]:10$" },
        { { type = "DESTROY_DISK", destroy_disk = { source = operations.raw("p") } },
            "'source' is not backed by a CSI volume; on agent AGENT" },
        { { type = "DESTROY_DISK", destroy_disk = { source = operations.raw("p", "id") } },
            "^Invalid DESTROY_DISK Operation: cpus.* does not contain disk%(allocated: web%)%[RAW%(,id,%)%]:10$" },
    }

    it("is refused in the words of a real master, and leaves the rest of the offer to the next", function()
        local stream = subscribe()
        local list = {}
        for i, row in ipairs(wrong) do
            list[i] = row[1]
        end
        list[#list + 1] = operations.reserve { reserved("cpus", 1, "web") }
        local offer = stream:offer()
        local agent = ("%s at slave(1)@%s (localhost)"):format(offer.agent_id.value, client.address)
        operate(stream, offer, list)
        local words = {}
        for _ = 1, #list do
            local status = result(stream)
            words[status.operation_id.value] = status
        end
        for i, row in ipairs(wrong) do
            local status = words[row[1].type .. i]
            assert.equal("OPERATION_ERROR", status.state, row[2])
            assert.is_nil(status.uuid)
            assert.is_nil(status.agent_id)
            if row[2]:find("^%^") or row[2]:find("^ ") then
                assert.matches(row[2], status.message)
            else
                assert.equal((row[2]:gsub("AGENT", function() return agent end)), status.message)
            end
        end
        assert.equal("OPERATION_FINISHED", words["RESERVE" .. #list].state)
        stream:accepted("TEARDOWN")
    end)
end)

describe("operations on resources", function()
    before_each(function()
        client.start { "--resources", RESOURCES }
    end)

    after_each(client.stop)

    it("are seen by the operations and launches behind them, by the next offers, and can be taken back", function()
        local stream = subscribe()
        local offer = stream:offer()
        assert.same({ "cpus:4", "disk:1000", "mem:1024", "ports:[31000-31099]" }, described(offer))
        operate(stream, offer, {
            operations.reserve { reserved("cpus", 1, "web"), reserved("mem", 64, "web"), reserved("disk", 100, "web") },
            operations.create { volume("v", 40, "web") },
            { type = "LAUNCH", launch = { task_infos = {
                client.task(offer, "writer", "echo written > data/file", {
                    resources = { reserved("cpus", 1, "web"), reserved("mem", 64, "web"), volume("v", 40, "web") },
                }),
            } } },
        })
        local first, second = finished(stream), finished(stream)
        assert.same({ "RESERVE1", "CREATE2" }, { first.operation_id.value, second.operation_id.value })
        assert.same(offer.agent_id, first.agent_id)
        assert.is_nil(first.converted_resources)
        assert.equal("TASK_FINISHED", select(2, stream:results(1)).writer.state)
        local after = stream:offer()
        while #after.resources < 8 do -- made while the task ran, or of what it had alone
            stream:accepted("DECLINE", { offer_ids = { after.id }, filters = { refuse_seconds = 0 } })
            after = stream:offer()
        end
        assert.same({
            "cpus(web):1", "cpus:3", "disk(web):60", "disk(web)[v]:40", "disk:900", "mem(web):64", "mem:960",
            "ports:[31000-31099]",
        }, described(after))
        after = do_all(stream, after, {
            operations.destroy { volume("v", 40, "web") },
            operations.unreserve { reserved("cpus", 1, "web"), reserved("mem", 64, "web") },
            operations.unreserve { reserved("disk", 100, "web") },
        })
        assert.same({ "cpus:4", "disk:1000", "mem:1024", "ports:[31000-31099]" }, described(after))
    end)

    it("without an id are carried out without a report", function()
        local stream = subscribe()
        stream:accepted("ACCEPT", {
            offer_ids = { stream:offer().id }, operations = { operations.reserve { reserved("cpus", 1, "web") } },
        })
        local offer = stream:offer()
        assert.same({ "cpus(web):1" }, described(offer, "cpus%("))
        assert.same({}, stream.passed)
        stream:accepted("RECONCILE_OPERATIONS", {})
        assert.is_nil(stream:find("UPDATE_OPERATION_STATUS", 0.3))
    end)

    it("grow and shrink volumes, which later operations of the call do not see", function()
        local stream = subscribe()
        local offer = do_all(stream, stream:offer(), {
            operations.reserve { reserved("disk", 100, "web") }, operations.create { volume("v", 40, "web") },
        })
        offer = do_all(stream, offer, { operations.grow(volume("v", 40, "web"), reserved("disk", 20, "web")) })
        assert.same({ "disk(web):40", "disk(web)[v]:60", "disk:900" }, described(offer, "^disk"))
        operate(stream, offer, {
            operations.shrink(volume("v", 60, "web"), 50), operations.destroy { volume("v", 10, "web") },
        })
        assert.matches("^cpus.* does not contain disk.*%[v:data%]:10$", result(stream).message)
        finished(stream)
        offer = stream:offer()
        assert.same({ "disk(web):90", "disk(web)[v]:10", "disk:900" }, described(offer, "^disk"))
    end)

    it("refine reservations, which frameworks that cannot read them are not offered", function()
        client.stop()
        client.start { "--resources", "cpus:4;mem:1024;cpus(web):2;mem(web):64;disk:0;ports:[]" }
        local stream = subscribe { roles = { "web/app" }, capabilities = REFINED }
        local refined = {
            scalar("cpus", 1, { reservations = {
                { type = "STATIC", role = "web" },
                { type = "DYNAMIC", role = "web/app", labels = { labels = { { key = "why", value = "x" } } } },
            } }),
        }
        local offer = stream:offer()
        assert.same({ "cpus(web):2", "cpus:4" }, described(offer, "^cpus"))
        offer = do_all(stream, offer, { operations.reserve(refined) })
        assert.same({ "cpus(web)(web/app):1", "cpus(web):1", "cpus:4" }, described(offer, "^cpus"))
        for _, resource in ipairs(offer.resources) do
            if #(resource.reservations or {}) == 2 then
                assert.same(refined[1].reservations, resource.reservations)
            end
        end
        operate(stream, offer, { operations.unreserve { scalar("cpus", 1, { reservations = {
            { type = "STATIC", role = "web" }, { type = "DYNAMIC", role = "web/app" } } }) } })
        assert.matches("does not contain", result(stream).message) -- without the label it is another
        stream:accepted("SUPPRESS")
        local plain = subscribe { roles = { "web/app" }, capabilities = { { type = "MULTI_ROLE" } } }
        assert.same({ "cpus(web):1", "cpus:4" }, described(plain:offer(), "^cpus"))
    end)

    it("can be in the format of frameworks without RESERVATION_REFINEMENT, which get it, too", function()
        local stream = subscribe { role = "web", principal = "me" }
        local offer = do_all(stream, stream:offer(), {
            operations.reserve { scalar("cpus", 1, { role = "web", reservation = { principal = "me" } }) },
        })
        for _, resource in ipairs(offer.resources) do
            if resource.role == "web" then
                assert.same({ principal = "me" }, resource.reservation)
                assert.is_nil(resource.reservations)
                assert.is_nil(resource.allocation_info)
            else
                assert.same({ "*" }, { resource.role, resource.reservation })
            end
        end
        assert.same({ "cpus(web):1", "cpus:3" }, described(offer, "^cpus"))
    end)

    it("have the principal of their framework", function()
        local stream = subscribe { roles = { "web" }, capabilities = REFINED, principal = "me" }
        local offer = stream:offer()
        local other = reserved("cpus", 1, "web", { reservations = { { type = "DYNAMIC", role = "web", principal = "you" } } })
        local own = reserved("disk", 8, "web", { reservations = { { type = "DYNAMIC", role = "web", principal = "me" } } })
        operate(stream, offer, {
            operations.reserve { reserved("cpus", 1, "web") }, operations.reserve { other }, operations.reserve { own },
            operations.create { volume("v", 8, "web", { reservations = own.reservations }) },
            operations.create { volume("v", 8, "web", { reservations = own.reservations, principal = "you" }) },
            operations.create { volume("v", 8, "web", { reservations = own.reservations, principal = "me" }) },
        })
        local words = {
            "^A reserve operation was attempted by principal 'me', but there is a reserved resource in the request with no " ..
                "principal set; on agent ",
            "^A reserve operation was attempted by authenticated principal 'me', which does not match a reserved resource in the " ..
                "request with principal 'you'; on agent ",
            "^Create volume operation attempted by principal 'me', but there is a volume in the operation with no principal " ..
                "set in 'disk.persistence'; on agent ",
            "^Create volume operation attempted by authenticated principal 'me', which does not match a volume in the operation " ..
                "with principal 'you' set in 'disk.persistence'; on agent ",
        }
        for _, text in ipairs(words) do
            assert.matches(text, result(stream).message)
        end
        assert.equal("RESERVE3", finished(stream).operation_id.value)
        assert.equal("CREATE6", finished(stream).operation_id.value)
    end)

    it("are refused with offers that are not valid", function()
        local stream = subscribe()
        operate(stream, { id = { value = "none" } }, { operations.reserve { reserved("cpus", 1, "web") } })
        local status = result(stream)
        assert.same({ "OPERATION_ERROR", "Operation attempted with invalid offers: Offer none is no longer valid" },
            { status.state, status.message })
    end)

    it("leave what they made out of the filter of the call", function()
        local stream = subscribe()
        stream:accepted("ACCEPT", {
            offer_ids = { stream:offer().id }, operations = { operations.reserve { reserved("cpus", 1, "web") } },
            filters = { refuse_seconds = 1000 },
        })
        assert.same({ "cpus(web):1" }, described(stream:offer(), "^cpus%("))
    end)
end)

describe("the report of an operation", function()
    before_each(function()
        client.start { "--resources", RESOURCES }
    end)

    after_each(client.stop)

    local function acknowledge(stream, status, uuid)
        stream:accepted("ACKNOWLEDGE_OPERATION_STATUS", {
            agent_id = status.agent_id, operation_id = status.operation_id, uuid = uuid or status.uuid.value,
        })
    end

    local function asked(stream, list)
        stream:accepted("RECONCILE_OPERATIONS", { operations = list })
        local answers = {}
        for i = 1, #list do
            local status = result(stream)
            assert.is_nil(status.uuid)
            answers[i] = status.state .. ": " .. tostring(status.message)
        end
        return answers
    end

    it("is not acknowledged as one of a resource provider, which no agent has", function()
        local stream = subscribe { roles = { "web" }, capabilities = REFINED }
        operate(stream, stream:offer(), { operations.reserve { reserved("cpus", 1, "web") } })
        local status = result(stream)
        stream:accepted("ACKNOWLEDGE_OPERATION_STATUS", { agent_id = status.agent_id, operation_id = status.operation_id,
            uuid = status.uuid.value, resource_provider_id = { value = "none" } })
        client.cluster:wait_for("of a resource provider, which no agent has: leave 'resource_provider_id' out")
        local it_is = { operation_id = status.operation_id, agent_id = status.agent_id }
        assert.same({ "OPERATION_FINISHED: nil" }, asked(stream, { it_is }))
        acknowledge(stream, status)
        assert.matches("^OPERATION_UNKNOWN", asked(stream, { it_is })[1])
    end)

    it("is known to reconciliation until it is acknowledged, also to a framework that was away", function()
        local info = { roles = { "web" }, capabilities = REFINED, failover_timeout = 60 }
        local stream = subscribe(info)
        local offer = stream:offer()
        operate(stream, offer, { operations.reserve { reserved("cpus", 1, "web") } })
        local status = result(stream)
        acknowledge(stream, status, "AAAAAAAAQACAAAAAAAAAAA==") -- of another
        local known = { { operation_id = status.operation_id } }
        assert.same({ "OPERATION_FINISHED: nil" }, asked(stream, known))
        info.id = stream.framework_id
        stream = subscribe(info)
        stream:accepted("RECONCILE_OPERATIONS", {})
        local latest = result(stream)
        assert.same({ status.operation_id, status.agent_id }, { latest.operation_id, latest.agent_id })
        acknowledge(stream, status)
        assert.same({
            "OPERATION_UNKNOWN: Reconciliation: Operation is unknown and no 'agent_id' was provided",
            "OPERATION_UNKNOWN: Reconciliation: Operation is unknown",
            "OPERATION_UNKNOWN: Reconciliation: Both operation and agent are unknown",
        }, asked(stream, {
            known[1], { operation_id = status.operation_id, agent_id = offer.agent_id },
            { operation_id = status.operation_id, agent_id = { value = "none" } },
        }))
        acknowledge(stream, status)
        stream:accepted("RECONCILE_OPERATIONS", {})
        assert.is_nil(stream:find("UPDATE_OPERATION_STATUS", 0.3))
    end)

    it("is one for each of two operations with one id, of which the latest can be acknowledged", function()
        local stream = subscribe()
        local one = operations.reserve { reserved("cpus", 1, "web") }
        local two = operations.reserve { reserved("mem", 1, "web") }
        one.id, two.id = { value = "same" }, { value = "same" }
        stream:accepted("ACCEPT", { offer_ids = { stream:offer().id }, operations = { one, two } })
        local first, second = result(stream), result(stream)
        assert.not_equal(first.uuid.value, second.uuid.value)
        acknowledge(stream, first)
        acknowledge(stream, second)
        assert.same({ "OPERATION_UNKNOWN: Reconciliation: Operation is unknown" },
            asked(stream, { { operation_id = { value = "same" }, agent_id = first.agent_id } }))
    end)
end)

-- ---- on a virtual clock ----

describe("the report of an operation that is not acknowledged", function()
    it("comes again after 10 s, 20 s and so on up to 10 minutes, also after the framework was away", function()
        local cluster = virtual_cluster.start { "cpus:4;mem:1024" }
        local info = { roles = { "web" }, failover_timeout = 1e6 }
        local framework = cluster:subscribe(info)
        cluster:advance()
        local reserve = operations.reserve { reserved("cpus", 1, "web") }
        reserve.id = { value = "r" }
        framework:accepted("ACCEPT", { offer_ids = { framework:offers()[1].id }, operations = { reserve } })
        cluster:advance()
        for i, seconds in ipairs { 10, 20, 40, 80, 160, 320, 600, 600 } do
            framework:read()
            assert.equal(i, #framework.operations)
            cluster:advance(seconds - 1)
            framework:read()
            assert.equal(i, #framework.operations)
            cluster:advance(1)
        end
        cluster.master:close(framework.stream)
        info.id = framework.id
        cluster:advance(1000)
        framework = cluster:subscribe(info)
        cluster:advance(600)
        framework:read()
        local status = framework.operations[1]
        assert.equal("OPERATION_FINISHED", status.state)
        framework:accepted("ACKNOWLEDGE_OPERATION_STATUS", {
            agent_id = status.agent_id, operation_id = status.operation_id, uuid = status.uuid.value,
        })
        cluster:advance(2000)
        framework:read()
        assert.equal(1, #framework.operations)
    end)

    it("is one of up to 10,000", function()
        local cluster = virtual_cluster.start { "cpus:100;mem:1024" }
        local framework = cluster:subscribe { roles = { "web" } }
        cluster:advance()
        local list = {}
        for i = 1, 10001 do
            list[i] = operations.reserve { reserved("cpus", 0.001, "web") }
            list[i].id = { value = "r" .. i }
        end
        framework:accepted("ACCEPT", { offer_ids = { framework:offers()[1].id }, operations = list })
        framework:read()
        assert.equal(1, #framework.operations)
        local status = framework.operations[1]
        assert.same({ "r10001", "OPERATION_ERROR" }, { status.operation_id.value, status.state })
        assert.matches("^The framework has too many operations that are not acknowledged", status.message)
        cluster:advance()
        framework:read()
        assert.equal(10001, #framework.operations)
    end)

    it("is forgotten with its framework, whose reservation stays", function()
        local cluster = virtual_cluster.start { "cpus:4;mem:1024" }
        local framework = cluster:subscribe { roles = { "web" } }
        cluster:advance()
        local reserve = operations.reserve { reserved("cpus", 1, "web") }
        reserve.id = { value = "r" }
        framework:accepted("ACCEPT", { offer_ids = { framework:offers()[1].id }, operations = { reserve } })
        cluster:advance()
        framework:accepted("TEARDOWN")
        cluster:advance(100)
        local other = cluster:subscribe { roles = { "web" } }
        cluster:advance()
        assert.same({ "cpus(web):1", "cpus:3", "mem:1024" }, described(other:offers()[1]))
    end)
end)

describe("an operation of an operator", function()
    local cluster, framework, agent

    before_each(function()
        cluster = virtual_cluster.start { "cpus:4;mem:1024;disk:100" }
        framework = cluster:subscribe { roles = { "web" } }
        cluster:advance()
        agent = framework:offers()[1].agent_id
    end)

    it("rescinds offers that have what it needs, which come back as it made them", function()
        assert.same({ 202, "" }, { cluster:operate(agent, operations.reserve { reserved("cpus", 1, "other") }) })
        assert.equal(0, #framework:offers())
        cluster:advance(2)
        assert.equal(0, #framework:offers()) -- it is filtered for 5 s
        cluster:advance(4)
        assert.same({ "cpus:3", "disk:100", "mem:1024" }, described(framework:offers()[1]))
        assert.same({ 202, "" }, { cluster:operate(agent, operations.unreserve { reserved("cpus", 1, "other") }) })
        assert.equal(1, #framework:offers()) -- which does not have it
    end)

    it("leaves offers alone where others are enough", function()
        cluster:agent "cpus:1;mem:32"
        cluster:advance(1)
        assert.equal(2, #framework:offers())
        cluster:operate(agent, operations.reserve { reserved("disk", 1, "web") })
        assert.equal(1, #framework:offers())
    end)

    it("makes volumes of reservations, and takes both back", function()
        local both = reserved("disk", 64, "web", { reservations = { { type = "DYNAMIC", role = "web", principal = "ops" } } })
        local own = volume("v", 64, "web", { reservations = both.reservations, principal = "ops" })
        for _, operation in ipairs {
            operations.reserve { both }, operations.create { own }, operations.destroy { own }, operations.unreserve { both },
        } do
            assert.same({ 202, "" }, { cluster:operate(agent, operation, "ops") })
        end
        cluster:advance(10)
        assert.same({ "cpus:4", "disk:100", "mem:1024" }, described(framework:offers()[1]))
    end)

    it("moves a reservation from one role to another in one step", function()
        local from, to = reserved("cpus", 1, "a"), reserved("cpus", 1, "web")
        cluster:operate(agent, operations.reserve { from })
        assert.same({ 202, "" }, { cluster:operate(agent, { type = "RESERVE", reserve = { source = { from }, resources = { to } } }) })
        cluster:advance(10)
        assert.same({ "cpus(web):1", "cpus:3" }, described(framework:offers()[1], "^cpus"))
        for words, operation in pairs {
            ["Source and target resources should refer to identical resource quantities: cpus:1 vs. cpus:2"] =
                { source = { to }, resources = { reserved("cpus", 2, "a") } },
            ["Invalid source: Mixed reservations are not supportedcpus(reservations: [(DYNAMIC,web)]):1; mem:1"] =
                { source = { to, scalar("mem", 1) }, resources = { reserved("cpus", 1, "a") } },
        } do
            local status, text = cluster:operate(agent, { type = "RESERVE", reserve = operation })
            assert.same({ 400, ("Invalid RESERVE operation on agent %s at slave(1)@127.0.0.1:5050 (localhost): %s")
                :format(agent.value, words) }, { status, text })
        end
    end)

    it("is refused in the words of a real master", function()
        local named = ("%s at slave(1)@127.0.0.1:5050 (localhost)"):format(agent.value)
        framework:launch(framework:offers()[1], { cpus = 4, mem = 32 })
        local rows = {
            { { value = "none" }, operations.reserve { reserved("cpus", 1, "web") }, nil, 400, "No agent found with specified ID" },
            { agent, { type = "LAUNCH", launch = {} }, nil, 400, "Unsupported operation" },
            { agent, { type = "RESERVE" }, nil, 400, "A RESERVE offer operation must have the Offer.Operation.reserve field set." },
            { agent, operations.reserve { reserved("cpus", 1, "web") }, "ops", 400, "Invalid RESERVE operation on agent " .. named ..
                ": A reserve operation was attempted by principal 'ops', but there is a reserved resource in the request with no " ..
                "principal set" },
            { agent, operations.reserve { reserved("cpus", 1, "web", { allocation_info = { role = "web" } }) }, nil, 400,
                "Invalid RESERVE operation on agent " .. named .. ": A reserve operation was attempted with an allocated resource, " ..
                "but the operator API only allows reservations to be made to unallocated resources" },
            { agent, operations.unreserve { scalar("cpus", 1) }, nil, 400,
                "Invalid UNRESERVE operation: Resource cpus:1 is not dynamically reserved" },
            { agent, operations.destroy { volume("v", 1, "web") }, nil, 400,
                "Invalid DESTROY operation: Persistent volumes not found" },
            { agent, operations.reserve { reserved("cpus", 1, "web") }, nil, 409, "mem:992; disk:100 does not contain cpus:1" },
        }
        for _, row in ipairs(rows) do
            local status, text = cluster:operate(row[1], row[2], row[3])
            assert.same({ row[4], row[5] }, { status, text })
        end
    end)
end)

describe("a cluster with reserved, revocable and shared resources", function()
    after_each(client.stop)

    it("offers each role what is reserved for it or for a role above it", function()
        client.start { "--resources", "cpus(a):1;cpus(a/b):2;cpus(c):4;mem:256;disk:0;ports:[]" }
        local expected = { ["a"] = { "cpus(a):1" }, ["a/b"] = { "cpus(a):1", "cpus(a/b):2" }, ["c"] = { "cpus(c):4" }, ["d"] = {} }
        for role, cpus in pairs(expected) do
            local stream = subscribe { roles = { role }, capabilities = REFINED }
            assert.same(cpus, described(stream:offer(), "^cpus"), role)
            stream:accepted("TEARDOWN")
        end
    end)

    it("offers revocable resources to frameworks with REVOCABLE_RESOURCES, for tasks that say so", function()
        client.start { "--resources", "cpus:1;cpus{REV}:2;mem:256;disk:0;ports:[]" }
        local plain = subscribe()
        assert.same({ "cpus:1" }, described(plain:offer(), "^cpus"))
        plain:accepted("TEARDOWN")
        local stream = subscribe { capabilities = { { type = "REVOCABLE_RESOURCES" } } }
        local offer = stream:offer()
        assert.same({ "cpus:1", "cpus{REV}:2" }, described(offer, "^cpus"))
        stream:launch(offer, {
            client.task(offer, "both", "true", { resources = { scalar("cpus", 1.5), scalar("mem", 8) } }),
            client.task(offer, "revocable", "true", {
                resources = { scalar("cpus", 2, { revocable = { _ = nil } }), scalar("mem", 8) },
            }),
        })
        local _, last = stream:results(2)
        assert.matches("^Total resources cpus%(allocated: %*%):1.5; .* is more than available ", last.both.message)
        assert.equal("TASK_FINISHED", last.revocable.state)
    end)
end)
