-- SPDX-License-Identifier: Apache-2.0
--
-- Persistent volumes of the local cluster: folders that outlive the tasks that write to them, and shared ones that
-- several tasks have at once.

local client = require("support.cluster_client")
local executor = require("support.executor_client")
local json = require("cjson")
local operations = require("support.operations")
local program = require("support.program")
local uv = require("luv")

local scalar, reserved, volume, described = operations.scalar, operations.reserved, operations.volume, operations.described

local CAPABILITIES = { { type = "MULTI_ROLE" }, { type = "RESERVATION_REFINEMENT" }, { type = "SHARED_RESOURCES" } }

local is_root = uv.getuid() == 0

local function subscribe(role)
    return client.subscribe({ roles = { role or "web" }, capabilities = CAPABILITIES }):subscribed()
end

local function accept(stream, offer, list)
    stream:accepted("ACCEPT", { offer_ids = { offer.id }, operations = list, filters = { refuse_seconds = 0 } })
end

local function launch(offer, id, command, resources)
    return { type = "LAUNCH", launch = { task_infos = {
        client.task(offer, id, command, { resources = { scalar("cpus", 0.1), table.unpack(resources) } }),
    } } }
end

-- The next offer of which a resource matches the pattern; the others are declined.
local function offer_with(stream, pattern)
    while true do
        local offer = stream:offer()
        if #described(offer, pattern) > 0 then
            return offer
        end
        stream:accepted("DECLINE", { offer_ids = { offer.id }, filters = { refuse_seconds = 0 } })
    end
end

local function folder(offer, role, id)
    return ("%s/slaves/%s/volumes/roles/%s/%s"):format(client.cluster.work_dir, offer.agent_id.value, role, id)
end

local function is_folder(path)
    return program.run({ path = "/usr/bin/test", args = { "-d", path } }).code == 0
end

local function error_of(stream)
    return stream:find("UPDATE_OPERATION_STATUS").update_operation_status.status.message
end

describe("a persistent volume", function()
    before_each(function()
        client.start { "--resources", "cpus:4;mem:1024;disk:1000;ports:[31000-31099]" }
    end)

    after_each(client.stop)

    it("is a folder that tasks find in their sandboxes, that outlives them, and goes with DESTROY", function()
        local stream = subscribe("web/app")
        local own = volume("v-1", 64, "web/app", { path = "data" })
        local offer = stream:offer()
        accept(stream, offer, {
            operations.reserve { reserved("disk", 64, "web/app") }, operations.create { own },
            launch(offer, "writer", "echo kept > data/file; readlink data", { own }),
        })
        assert.equal("TASK_FINISHED", select(2, stream:results(1)).writer.state)
        local path = folder(offer, "web app", "v-1")
        assert.equal(path .. "\n", program.read(client.sandbox(offer, stream, "writer") .. "stdout"))
        offer = offer_with(stream, "%[v%-1%]")
        accept(stream, offer, { launch(offer, "reader", "cat data/file", { own }) })
        assert.equal("TASK_FINISHED", select(2, stream:results(1)).reader.state)
        assert.equal("kept\n", program.read(client.sandbox(offer, stream, "reader") .. "stdout"))
        accept(stream, offer_with(stream, "%[v%-1%]"), { operations.destroy { own } })
        program.wait_for(function()
            return not is_folder(path)
        end)
        offer_with(stream, "^disk%(web/app%):64$")
        program.wait_for(function() -- and what was in it
            return program.run({ path = "/usr/bin/find", args = { client.cluster.work_dir, "-path", "*/volumes/roles/*/*" } }).stdout == ""
        end)
    end)

    it("is in a task's sandbox where its container_path says, also below a folder", function()
        local stream = subscribe()
        local own = volume("v", 64, "web", { path = "deep/er/data" })
        local offer = stream:offer()
        accept(stream, offer, {
            operations.reserve { reserved("disk", 64, "web") }, operations.create { own },
            launch(offer, "t", "echo x > deep/er/data/file", { own }),
        })
        assert.equal("TASK_FINISHED", select(2, stream:results(1)).t.state)
        assert.equal("x\n", program.read(folder(offer, "web", "v") .. "/file"))
    end)

    local as_root = is_root and it or pending

    as_root("belongs to the user of the task that has it", function()
        assert(uv.fs_chmod(client.cluster.work_dir, tonumber("711", 8))) -- as one that the cluster makes
        local stream = subscribe()
        local own = volume("v", 64, "web")
        local offer = stream:offer()
        accept(stream, offer, {
            operations.reserve { reserved("disk", 64, "web") }, operations.create { own },
            launch(offer, "nobody", { value = "id -un > data/first", user = "nobody" }, { own }),
        })
        assert.equal("TASK_FINISHED", select(2, stream:results(1)).nobody.state)
        assert.equal("nobody\n", program.read(folder(offer, "web", "v") .. "/first"))
        offer = offer_with(stream, "%[v%]")
        accept(stream, offer, { launch(offer, "daemon", { value = "id -un > data/second", user = "daemon" }, { own }) })
        assert.equal("TASK_FINISHED", select(2, stream:results(1)).daemon.state)
    end)

    it("is used whole, and by one task at a time", function()
        local stream = subscribe()
        local own = volume("v", 64, "web")
        local offer = stream:offer()
        accept(stream, offer, {
            operations.reserve { reserved("disk", 64, "web") }, operations.create { own },
            launch(offer, "part", "true", { volume("v", 32, "web") }),
            launch(offer, "twice", "true", { own, own }),
            launch(offer, "first", "sleep 60", { own }),
            launch(offer, "second", "true", { own }),
        })
        local messages = {}
        for _ = 1, 3 do
            local status = stream:update()
            assert.equal("TASK_ERROR", status.state)
            messages[status.task_id.value] = status.message
        end
        assert.matches("%[v:data%]:32 required by task and its executor is more than available ", messages.part)
        assert.equal("Task uses duplicate persistence ID: Persistence ID 'v' is not unique", messages.twice)
        assert.matches("^Total resources .* is more than available ", messages.second)
    end)

    it("fails its task in words where the folder cannot be made or the link would leave the sandbox", function()
        local stream = subscribe()
        local offer = stream:offer()
        local roles = ("%s/slaves/%s/volumes"):format(client.cluster.work_dir, offer.agent_id.value)
        assert(os.execute(("mkdir -p '%s' && touch '%s/roles'"):format(roles, roles)))
        local own = volume("v", 64, "web")
        local outside = volume("w", 64, "web", { path = "../data" })
        accept(stream, offer, {
            operations.reserve { reserved("disk", 128, "web") }, operations.create { own, outside },
            launch(offer, "blocked", "true", { own }), launch(offer, "outside", "true", { outside }),
        })
        local _, last = stream:results(2)
        for _, id in ipairs { "blocked", "outside" } do
            assert.same({ "TASK_FAILED", "REASON_CONTAINER_LAUNCH_FAILED" }, { last[id].state, last[id].reason })
        end
        assert.matches("^Failed to launch container: Failed to create the persistent volume 'v' at '/.*/roles/web/v': Not a directory$",
            last.blocked.message)
        assert.equal("Failed to launch container: The 'container_path' '../data' of the persistent volume 'w' is not a path " ..
            "inside the sandbox", last.outside.message)
        assert.matches("cannot make the persistent volume 'v': Not a directory", client.cluster.stderr)
    end)
end)

describe("the volumes of an executor and its tasks", function()
    after_each(executor.stop)

    local function link(e, name)
        return (uv.fs_readlink(e.sandbox .. name))
    end

    local function launch_more(stream, offer, id, info, own)
        stream:accepted("ACCEPT", {
            offer_ids = { offer.id }, filters = { refuse_seconds = 0 },
            operations = { { type = "LAUNCH", launch = { task_infos = {
                executor.task(offer, id, info, { resources = { scalar("cpus", 0.1), scalar("mem", 32), own } }),
            } } } },
        })
    end

    -- An executor with a volume that runs, has a task with another, and one is left.
    local function start(options)
        client.start { "--resources", "cpus:4;mem:1024;disk:1000;ports:[31000-31099]" }
        local stream = client.subscribe({
            roles = { "web" }, capabilities = { CAPABILITIES[1], CAPABILITIES[2], options and { type = options } },
        }):subscribed()
        local offer = stream:offer()
        local own = volume("own", 8, "web", { path = "own" })
        local first, second = volume("v1", 8, "web", { path = "one" }), volume("v2", 8, "web", { path = "two" })
        local info = executor.info("e", { resources = { scalar("cpus", 0.1), scalar("mem", 32), own } })
        accept(stream, offer, {
            operations.reserve { reserved("disk", 24, "web") }, operations.create { own, first, second },
            { type = "LAUNCH", launch = { task_infos = {
                executor.task(offer, "t1", info, { resources = { scalar("cpus", 0.1), scalar("mem", 32), first } }),
            } } },
        })
        local e = executor.started(offer, stream, "e")
        e:subscribe()
        e:find("LAUNCH")
        return stream, e, info, second
    end

    it("are in the sandbox of the executor as long as one of them needs them", function()
        local stream, e, info, second = start()
        local offer = offer_with(stream, "%[v2%]")
        assert.same({ folder(offer, "web", "own"), folder(offer, "web", "v1") }, { link(e, "own"), link(e, "one") })
        assert.is_nil(link(e, "two"))
        launch_more(stream, offer, "t2", info, second)
        assert.equal("t2", e:find("LAUNCH").launch.task.task_id.value)
        assert.equal(folder(offer, "web", "v2"), link(e, "two"))
        e:update("t1", "TASK_FINISHED")
        assert.is_nil(link(e, "one"))
        assert.truthy(link(e, "two"))
        assert.truthy(link(e, "own"))
    end)

    for capability, state in pairs { PARTITION_AWARE = "TASK_GONE", TASK_KILLING_STATE = "TASK_LOST" } do
        it("end an executor that runs with " .. state .. " when one cannot be added", function()
            local stream, e, info, second = start(capability)
            local offer = offer_with(stream, "%[v2%]")
            assert(io.open(e.sandbox .. "two", "w")):close()
            launch_more(stream, offer, "t2", info, second)
            local last = {}
            for _ = 1, 2 do
                local status = stream:update()
                last[status.task_id.value] = status
            end
            for _, id in ipairs { "t1", "t2" } do
                assert.same({ state, "REASON_CONTAINER_UPDATE_FAILED" }, { last[id].state, last[id].reason })
                assert.matches("^Failed to update resources for container: Failed to symlink persistent volume from '.*/v2' to " ..
                    "'.*/two': File exists$", last[id].message)
            end
        end)
    end
end)

describe("a shared volume", function()
    before_each(function()
        client.start { "--resources", "cpus:4;mem:1024;disk:1000;ports:[31000-31099]" }
    end)

    after_each(client.stop)

    local shared = volume("s", 64, "web", { shared = true })

    it("is used by several tasks at once, offered beside them, and destroyed when none is left", function()
        local stream = subscribe()
        local offer = stream:offer()
        accept(stream, offer, {
            operations.reserve { reserved("disk", 64, "web") }, operations.create { shared },
            launch(offer, "one", "until [ -e data/other ]; do sleep 0.05; done; touch data/end", { shared }),
            launch(offer, "two", "touch data/other; until [ -e data/end ]; do sleep 0.05; done; sleep 60", { shared }),
        })
        local states = {}
        while states.one ~= "TASK_FINISHED" do
            local status = stream:update()
            states[status.task_id.value] = status.state
        end
        offer = offer_with(stream, "%[s%]")
        assert.same({ "disk[s]<SHARED>:64" }, { (described(offer, "%[s%]")[1]:gsub("%(web%)", "")) })
        local destroy = operations.destroy { shared }
        destroy.id = { value = "destroy" }
        accept(stream, offer, { destroy })
        assert.matches("^Persistent volumes in use; on agent ", error_of(stream))
        stream:accepted("KILL", { task_id = { value = "two" } })
        repeat
            local status = stream:update()
        until status.state == "TASK_KILLED"
        accept(stream, offer_with(stream, "%[s%]"), { destroy })
        assert.is_nil(error_of(stream))
        offer_with(stream, "^disk%(web%):64$")
    end)

    it("is rescinded with the offers that have it when it is destroyed", function()
        local stream = subscribe()
        local offer = stream:offer()
        accept(stream, offer, {
            operations.reserve { reserved("disk", 64, "web") }, operations.create { shared },
            launch(offer, "t", "sleep 60", { scalar("mem", 64), shared }),
        })
        local first = offer_with(stream, "%[s%]")
        stream:accepted("KILL", { task_id = { value = "t" } })
        repeat
            local status = stream:update()
        until status.state == "TASK_KILLED"
        local second = offer_with(stream, "%[s%]")
        assert.same({ "cpus:0.1" }, described(second, "^cpus"))
        accept(stream, first, { operations.destroy { shared } })
        assert.same(second.id, stream:find("RESCIND").rescind.offer_id)
        offer_with(stream, "^disk%(web%):64$")
    end)

    it("is in one offer of a round, and only for frameworks with SHARED_RESOURCES", function()
        client.stop()
        client.start { "--resources", "cpus:1;mem:64;disk:64;ports:[];cpus(web/x):1;mem(web/x):64;cpus(web/y):1;mem(web/y):64" }
        local maker = subscribe()
        accept(maker, maker:offer(), { operations.reserve { reserved("disk", 64, "web") }, operations.create { shared } })
        offer_with(maker, "%[s%]")
        maker:accepted("TEARDOWN")
        for capability, count in pairs { SHARED_RESOURCES = 1, PARTITION_AWARE = 0 } do
            local stream = client.subscribe({
                roles = { "web/x", "web/y" }, capabilities = { CAPABILITIES[1], CAPABILITIES[2], { type = capability } },
            }):subscribed()
            local offers, having = stream:find("OFFERS").offers.offers, 0
            assert.equal(2, #offers)
            for _, offer in ipairs(offers) do
                having = having + #described(offer, "%[s%]")
            end
            assert.equal(count, having, capability)
            stream:accepted("TEARDOWN")
        end
    end)
end)

describe("a persistent volume of the default executor", function()
    after_each(client.stop)

    -- A group of one task whose executor has the volume.
    local function run_group(path, command)
        client.start { "--resources", "cpus:4;mem:1024;disk:1000;ports:[]" }
        local stream = subscribe()
        local offer = stream:offer()
        local own = volume("v", 64, "web", { path = path })
        local pod = {
            type = "DEFAULT", executor_id = { value = "pod" }, framework_id = stream.framework_id,
            resources = { scalar("cpus", 0.1), scalar("mem", 32), own },
        }
        accept(stream, offer, {
            operations.reserve { reserved("disk", 64, "web") }, operations.create { own },
            { type = "LAUNCH_GROUP", launch_group = { executor = pod, task_group = { tasks = {
                client.task(offer, "t", command, { resources = { scalar("cpus", 0.1), scalar("mem", 16), scalar("disk", 1) } }),
            } } } },
        })
        return select(2, stream:results(1)).t, folder(offer, "web", "v")
    end

    it("is in the sandbox of the executor, above those of its tasks", function()
        local last, path = run_group("deep/data", "echo kept > ../../deep/data/file")
        assert.equal("TASK_FINISHED", last.state, last.message)
        assert.equal("kept\n", program.read(path .. "/file"))
    end)

    it("that leads out of it fails the group", function()
        local last = run_group("../out", "true")
        assert.same({ "TASK_FAILED", "REASON_CONTAINER_LAUNCH_FAILED" }, { last.state, last.reason })
        assert.matches("is not a path inside the sandbox", last.message)
    end)
end)

describe("a disk that an agent has apart", function()
    after_each(client.stop)

    local function start(disk)
        local plan = { agents = { { resources = { "cpus:4;mem:1024;ports:[]", { resources = "disk:50", disk = disk } } } } }
        client.start { "--cluster", program.script(json.encode(plan), "cluster.json") }
        local stream = subscribe()
        return stream, stream:offer()
    end

    -- On such a disk, in the role "web".
    local function on(disk, resource)
        local source = { type = disk.type, [disk.type:lower()] = { root = disk.root } }
        resource.disk = resource.disk or {}
        resource.disk.source = source
        return resource
    end

    local function write(stream, offer, disk)
        local own = on(disk, volume("v", 50, "web"))
        assert.equal(disk.root, offer.resources[#offer.resources].disk.source[disk.type:lower()].root)
        accept(stream, offer, {
            operations.reserve { on(disk, reserved("disk", 50, "web")) }, operations.create { own },
            launch(offer, "t", "echo kept > data/file", { own }),
        })
        local _, last = stream:results(1)
        assert.equal("TASK_FINISHED", last.t.state, last.t.message)
        return own
    end

    local function destroy(stream, own, file)
        accept(stream, offer_with(stream, "%[.*v.*%]"), { operations.destroy { own } })
        program.wait_for(function()
            return program.read(file) == nil
        end)
    end

    it("as a folder (PATH) has its volumes below it", function()
        local disk = { type = "PATH", root = program.directory() }
        local stream, offer = start(disk)
        local own = write(stream, offer, disk)
        assert.equal("kept\n", program.read(disk.root .. "/volumes/roles/web/v/file"))
        destroy(stream, own, disk.root .. "/volumes/roles/web/v/file")
        assert.is_true(is_folder(disk.root .. "/volumes/roles/web"))
    end)

    it("as a device (MOUNT) is one volume, and stays, empty, when that is destroyed", function()
        local disk = { type = "MOUNT", root = "device" } -- below the folder of the agent
        local stream, offer = start(disk)
        local own = write(stream, offer, disk)
        local root = ("%s/slaves/%s/device"):format(client.cluster.work_dir, offer.agent_id.value)
        assert.equal("kept\n", program.read(root .. "/file"))
        destroy(stream, own, root .. "/file")
        program.wait_for(function()
            return program.run({ path = "/bin/ls", args = { "-A", root } }).stdout == ""
        end)
        assert.is_true(is_folder(root))
    end)

    it("as a device is not divided", function()
        local disk = { type = "MOUNT", root = "device" }
        local stream, offer = start(disk)
        local operation = operations.reserve { on(disk, reserved("disk", 20, "web")) }
        operation.id = { value = "part" }
        accept(stream, offer, { operation })
        assert.matches("does not contain", error_of(stream))
    end)

    it("is refused where it cannot be, in words that say what can", function()
        client.start()
        local rows = {
            { { type = "RAW", root = "r" }, 1, "disk:1", "'RAW' disks are those of resource providers, which local agents do not have: "
                .. "use PATH or MOUNT" },
            { { type = "TAPE", root = "r" }, 1, "disk:1", "'TAPE': PATH or MOUNT expected" },
            { { type = "PATH" }, 1, "disk:1", "a disk has a type and a root" },
            { { type = "PATH", root = "../up" }, 1, "disk:1", "'../up': the path of a folder expected" },
            { { type = "PATH", root = "r" }, 1, "mem:1", "'disk' says where its 'disk' is, and it has none" },
            { { type = "MOUNT", root = "/dev/shm" }, 2, "disk:1", "the MOUNT disk '/dev/shm' cannot be that of 2 agents" },
            { { type = "PATH", root = "/dev/shm" }, 2, "disk:1", "the PATH disk '/dev/shm' cannot be that of 2 agents" },
        }
        for _, row in ipairs(rows) do
            local plan = { agents = { { count = row[2], resources = { { resources = row[3], disk = row[1] } } } } }
            local run = program.run { args = { "local", "--cluster", program.script(json.encode(plan), "cluster.json") } }
            assert.not_equal(0, run.code)
            program.assert_has(run.stderr, row[4])
        end
    end)

    it("is refused where its folder is another disk", function()
        client.start()
        local mount, path = { type = "MOUNT", root = "/dev/shm" }, { type = "PATH", root = "/dev/shm" }
        local own = { type = "MOUNT", root = "own" }
        local function agent(...)
            local parts = {}
            for _, disk in ipairs { ... } do
                parts[#parts + 1] = { resources = "disk:1", disk = disk }
            end
            return { resources = parts }
        end
        local rows = {
            { { agent(mount), agent(path) }, "agents[2]: the folder '/dev/shm' is another disk already, of agents[1]" },
            { { agent(path), agent(path) }, "agents[2]: the folder '/dev/shm' is another disk already, of agents[1]" },
            { { agent(own, own) }, "agents[1]: the folder 'own' is another disk already, of agents[1]" },
        }
        for _, row in ipairs(rows) do
            local run = program.run { args = { "local", "--cluster", program.script(json.encode { agents = row[1] }, "cluster.json") } }
            assert.not_equal(0, run.code)
            program.assert_has(run.stderr, row[2])
        end
        client.stop()
        client.start { "--cluster", program.script(json.encode { agents = { agent(path, path), agent(own), agent(own) } }, "cluster.json") }
    end)
end)
