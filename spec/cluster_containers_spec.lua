-- SPDX-License-Identifier: Apache-2.0
--
-- Tasks with an image on the local cluster: the command lines that podman gets, by a program that stands in for it
-- (support/podman.sh), and containers of the real podman or docker where one of them can run here.

local client = require("support.cluster_client")
local operations = require("support.operations")
local program = require("support.program")

local DOCKER = { type = "DOCKER", docker = { image = "img" } }
local function docker(more, container)
    local info = { type = "DOCKER", docker = { image = "img" } }
    for key, value in pairs(more or {}) do
        info.docker[key] = value
    end
    for key, value in pairs(container or {}) do
        info[key] = value
    end
    return info
end

local function mesos(container, image)
    local info = { type = "MESOS", mesos = { image = image or { type = "DOCKER", docker = { name = "img" } } } }
    for key, value in pairs(container or {}) do
        info[key] = value
    end
    return info
end

-- A folder with the program that stands in for podman; `files` replaces its state.
local function fake(files)
    local state = { ["podman"] = program.read("spec/support/podman.sh"), info = "cpu memory pids\n", ps = "", images = "img\n",
        oom = "false\n", calls = "" }
    for name, text in pairs(files or {}) do
        state[name] = text or nil
    end
    local folder = program.files(state)
    assert.equal(0, program.run({ path = "/bin/chmod", args = { "755", folder .. "/podman" } }).code)
    return folder
end

-- The calls that begin with that word, each as a list of words.
local function calls(folder, word)
    local list = {}
    for line in program.read(folder .. "/calls"):gmatch("[^\n]+") do
        local words = {}
        for text in (line .. "|"):gmatch("([^|]*)|") do
            words[#words + 1] = text
        end
        if words[1] == word then
            list[#list + 1] = words
        end
    end
    return list
end

local function wait_for_call(folder, word, count)
    return program.wait_for(function()
        return calls(folder, word)[count or 1]
    end)
end

-- A cluster with that program, and a stream with an offer.
local function start(folder, resources)
    client.start { "--containers", folder .. "/podman", "--resources", resources or "cpus:4;mem:1024" }
    local stream = client.subscribe():subscribed()
    return stream, stream:offer()
end

local function launch(stream, offer, container, command, more)
    local info = { container = container }
    for key, value in pairs(more or {}) do
        info[key] = value
    end
    stream:launch(offer, { client.task(offer, "t", command or "true", info) })
end

local function sandbox(stream, offer)
    return client.sandbox(offer, stream, "t")
end

-- The last update of one task.
local function result(container, command, more, folder)
    folder = folder or fake()
    local stream, offer = start(folder)
    launch(stream, offer, container, command, more)
    local states, last = stream:results(1)
    return last.t, folder, states.t, sandbox(stream, offer)
end

describe("a local cluster without --containers", function()
    after_each(client.stop)

    it("refuses tasks with an image in words that name it", function()
        client.start()
        local stream = client.subscribe():subscribed()
        for path, container in pairs { docker = DOCKER, ["mesos.image"] = mesos() } do
            launch(stream, stream:offer(), container)
            assert.equal(("The local cluster does not carry out 'container.%s': its tasks are processes of this machine, "
                .. "without images: start the local cluster with --containers podman (or docker), for tasks that are in "
                .. "no group, or run the command itself"):format(path), stream:update().message)
        end
    end)
end)

describe("--containers", function()
    after_each(program.cleanup)

    it("takes the names of the two programs and paths", function()
        local run = program.run { args = { "local", "--containers", "runc" } }
        assert.is_true(run.code ~= 0)
        assert.matches("%-%-containers runc: the programs are podman and docker, or a path to one of them", run.stderr)
    end)
end)

describe("a task with an image", function()
    after_each(client.stop)

    -- The words of `run` behind those that each container has: what is asked for, and what podman gets. S is the sandbox.
    local NET, MOUNT = { "--net", "host" }, { "-v", "S:/mnt/mesos/sandbox" }
    local SHELL = { "--entrypoint", "/bin/sh", "img", "-c", "true" }
    local function row(container, command, before, net, after, line)
        return { container, command, { before or {}, MOUNT, net or NET, after or {}, line or SHELL } }
    end
    local LINES = {
        row(docker(), nil),
        row(mesos(), nil),
        row(docker { privileged = true }, nil),
        row(docker { network = "BRIDGE", port_mappings = { { host_port = 31001, container_port = 80, protocol = "TCP" },
            { host_port = 31002, container_port = 81 } } }, nil, nil, { "--net", "bridge" },
            { "-p", "31001:80/tcp", "-p", "31002:81" }),
        row(docker { network = "NONE" }, nil, nil, { "--net", "none" }),
        row(docker({ network = "USER" }, { network_infos = { { name = "mine" } }, hostname = "host.test" }), nil, nil,
            { "--net", "mine", "--hostname", "host.test" }),
        row(mesos { network_infos = { { name = "mine", port_mappings = { { host_port = 31001, container_port = 80 } } } } }, nil,
            nil, { "--net", "mine" }, { "-p", "31001:80" }),
        row(docker { parameters = { { key = "cap-add", value = "NET_ADMIN" }, { key = "net", value = "other" },
            { key = "ulimit", value = "nofile=9" } } }, nil, nil, { "--net", "other" },
            { "--cap-add=NET_ADMIN", "--ulimit=nofile=9" }),
        row(docker(nil, { volumes = { { container_path = "/data", host_path = "/tmp", mode = "RO" },
            { container_path = "in", host_path = "/etc", mode = "RW" }, { container_path = "/made", host_path = "a/b", mode = "RW" },
            { container_path = "/vol", mode = "RW", source = { type = "DOCKER_VOLUME", docker_volume = { name = "v", driver = "local" } } },
        } }), nil, { "-v", "/tmp:/data:ro", "-v", "/etc:/mnt/mesos/sandbox/in:rw", "-v", "S/a/b:/made:rw", "-v", "v:/vol:rw" },
            { "--volume-driver=local", "--net", "host" }),
        row(mesos { volumes = { { container_path = "/p", mode = "RW", source = { type = "SANDBOX_PATH",
            sandbox_path = { type = "SELF", path = "own" } } }, { container_path = "/h", mode = "RO", source = { type = "HOST_PATH",
            host_path = { path = "/usr" } } } } }, nil, { "-v", "S/own:/p:rw", "-v", "/usr:/h:ro" }),
        row(docker(), { shell = false, value = "echo", arguments = { "a b", "c" } }, nil, nil, nil, { "img", "echo", "a b", "c" }),
        row(docker(), { shell = false, arguments = { "true" } }, nil, nil, nil, { "img", "true" }),
        row(mesos(), { shell = false, value = "/bin/echo", arguments = { "echo", "c" } }, nil, nil, nil,
            { "--entrypoint", "/bin/echo", "img", "c" }),
    }

    -- The words without those of variables, which have a test of their own.
    local function without_variables(words)
        local list = {}
        for i, word in ipairs(words) do
            if word ~= "-e" and words[i - 1] ~= "-e" then
                list[#list + 1] = word
            end
        end
        return list
    end

    local function call_of(folder, word, place, name)
        return program.wait_for(function()
            for _, words in ipairs(calls(folder, word)) do
                if words[place] == name then
                    return words
                end
            end
        end)
    end

    it("is run with the options that an agent of Mesos gives, and removed", function()
        local folder = fake()
        local stream, offer = start(folder, "cpus:8;mem:2048;ports:[31000-31009]")
        local tasks = {}
        for i, case in ipairs(LINES) do
            tasks[i] = client.task(offer, "t" .. i, case[2] or "true", { container = case[1], resources = {
                { name = "cpus", type = "SCALAR", scalar = { value = 0.5 } }, { name = "mem", type = "SCALAR", scalar = { value = 64 } },
                case[1].docker and case[1].docker.port_mappings and { name = "ports", type = "RANGES",
                    ranges = { range = { { begin = 31000, ["end"] = 31005 } } } } } })
        end
        stream:launch(offer, tasks)
        local states = stream:results(#LINES)
        for i, case in ipairs(LINES) do
            local id = "t" .. i
            assert.same({ "TASK_STARTING", "TASK_RUNNING", "TASK_FINISHED" }, states[id], id)
            local base = program.run({ path = "/usr/bin/readlink", args = { "-f", client.sandbox(offer, stream, id) } })
                .stdout:match("[^\n]+")
            local name = "mesos-" .. base:match("[^/]+$")
            local words = call_of(folder, "run", 3, name)
            local wanted = { "run", "--name", name, "--label", words[5], "--cpu-shares", "512", "--memory",
                case[1].type == "MESOS" and "100663296" or "67108864" }
            if case[1].docker and case[1].docker.privileged then
                wanted[#wanted + 1] = "--privileged"
            end
            for _, part in ipairs(case[3]) do
                for _, word in ipairs(part) do
                    wanted[#wanted + 1] = (word:gsub("^S", base))
                end
            end
            assert.same(wanted, without_variables(words), id)
            assert.same({ "rm", "-f", "-v", name }, call_of(folder, "rm", 4, name))
        end
    end)

    it("has the variables of a task, with the sandbox where it is mounted, and its output there", function()
        local last, _, states, box = result(docker(), { value = "echo $MESOS_SANDBOX $MESOS_TASK_ID $A; echo bad >&2; exit 3",
            environment = { variables = { { name = "A", value = "a" } } } })
        assert.same({ "TASK_STARTING", "TASK_RUNNING", "TASK_FAILED" }, states)
        assert.equal("Container exited with status 3", last.message)
        assert.equal("/mnt/mesos/sandbox t a\n", program.read(box .. "stdout"))
        assert.equal("bad\n", program.read(box .. "stderr"))
    end)

    it("has its persistent volumes mounted into the sandbox", function()
        local folder = fake()
        client.start { "--containers", folder .. "/podman", "--resources", "cpus:4;mem:1024;disk:1000" }
        local stream = client.subscribe({ roles = { "web" }, capabilities = { { type = "MULTI_ROLE" },
            { type = "RESERVATION_REFINEMENT" } } }):subscribed()
        local offer, own = stream:offer(), operations.volume("v", 64, "web")
        stream:accepted("ACCEPT", { offer_ids = { offer.id }, operations = {
            operations.reserve { operations.reserved("disk", 64, "web") }, operations.create { own },
            { type = "LAUNCH", launch = { task_infos = { client.task(offer, "t", "true", { container = docker(), resources = {
                operations.scalar("cpus", 0.1), own } }) } } },
        } })
        assert.equal("TASK_FINISHED", select(2, stream:results(1)).t.state)
        assert.truthy(table.concat(calls(folder, "run")[1], " "):find(("-v %s/slaves/%s/volumes/roles/web/v:/mnt/mesos/sandbox/data ")
            :format(client.cluster.work_dir, offer.agent_id.value), 1, true))
    end)

    it("has the PATH of its image, unless the task names one", function()
        local _, folder = result(docker(), "true")
        assert.is_nil(program.read(folder .. "/calls"):find("|PATH=", 1, true))
        client.stop()
        _, folder = result(docker(), { value = "true", environment = { variables = { { name = "PATH", value = "/bin" } } } })
        assert.truthy(program.read(folder .. "/calls"):find("|PATH=/bin|", 1, true))
    end)

    it("ends as a process does if Mesos runs the container itself", function()
        local last = result(mesos(), "kill -9 $$")
        assert.same({ "TASK_FAILED", "Command terminated with signal Killed" }, { last.state, last.message })
        client.stop()
        last = result(mesos(), "exit 4")
        assert.equal("Command exited with status 4", last.message)
    end)

    for what, command in pairs { ["it"] = "kill -9 $$", ["a part of it"] = "true" } do
        it("is told to have used too much memory if the runtime says that " .. what .. " was killed for it", function()
            local last = result(mesos(), command, nil, fake { oom = "true\n" })
            assert.same({ "TASK_FAILED", "REASON_CONTAINER_LIMITATION_MEMORY", "SOURCE_AGENT",
                "Memory limit exceeded: Requested: 40MB Maximum Used: 40MB" }, { last.state, last.reason, last.source, last.message })
        end)
    end

    for name, case in pairs { pulled = { docker { force_pull_image = true }, "img\n" },
        ["not cached"] = { mesos(nil, { type = "DOCKER", docker = { name = "img" }, cached = false }), "img\n" },
        missing = { docker(), "" } } do
        it("has its image fetched, which is " .. name, function()
            local last, folder = result(case[1], "true", nil, fake { images = case[2] })
            assert.equal("TASK_FINISHED", last.state)
            assert.same({ { "pull", "img" } }, calls(folder, "pull"))
        end)
    end

    it("fails if its image cannot be fetched", function()
        local last, folder = result(docker { image = "no-such" }, "true")
        assert.same({ "TASK_FAILED", "REASON_CONTAINER_LAUNCH_FAILED", ("Failed to launch container: Failed to run "
            .. "'%s/podman pull no-such': exited with status 125; stderr='no such image'"):format(folder) },
            { last.state, last.reason, last.message })
        assert.same({}, calls(folder, "run"))
    end)

    it("fails if the program is missing", function()
        local folder = program.directory()
        local last = result(docker(), "true", nil, folder)
        assert.same({ "TASK_FAILED", "REASON_CONTAINER_LAUNCH_FAILED" }, { last.state, last.reason })
        assert.matches("Failed to run '" .. folder:gsub("%-", "%%-") .. "/podman pull img'", last.message)
        client.cluster:wait_for("tasks with an image will fail: Failed to run [^\n]*podman info'")
    end)

    local PORT = { { host_port = 80, container_port = 80 } }
    local FAULTS = {
        { docker { network = "USER" }, "No network info found in container info" },
        { docker({ network = "USER" }, { network_infos = { { name = "a" }, { name = "b" } } }),
            "Only a single network can be defined in Docker run" },
        { docker({ network = "USER" }, { network_infos = { {} } }), "No network name found in network info" },
        { docker(nil, { hostname = "h" }), "Unable to set hostname with host network mode" },
        { docker { port_mappings = PORT }, "Port mappings are only supported for bridge and user-defined networks" },
        { docker { network = "BRIDGE", port_mappings = PORT }, "Port mappings require port resources" },
        { docker(nil, { volumes = { { container_path = "a", host_path = "b", mode = "RW" } } }),
            "Both host_path 'b' and container_path 'a' of a volume are relative" },
        { docker({ volume_driver = "a" }, { volumes = { { container_path = "/a", mode = "RW",
            source = { type = "DOCKER_VOLUME", docker_volume = { name = "v", driver = "b" } } } } }),
            "Only one volume driver is supported" },
        { docker(nil, { volumes = { { container_path = "/a", mode = "RW",
            source = { type = "HOST_PATH", host_path = { path = "/tmp" } } } } }),
            "Of the sources of volumes only 'DOCKER_VOLUME' is supported by docker" },
        { mesos { volumes = { { container_path = "/a", mode = "RW",
            source = { type = "SANDBOX_PATH", sandbox_path = { type = "PARENT", path = "x" } } } } },
            "A SANDBOX_PATH volume of type PARENT is for tasks of a group" },
    }

    it("fails with what an agent finds wrong with its container", function()
        local stream, offer = start(fake())
        local tasks = {}
        for i, case in ipairs(FAULTS) do
            tasks[i] = client.task(offer, "t" .. i, "true", { container = case[1] })
        end
        stream:launch(offer, tasks)
        local _, last = stream:results(#FAULTS)
        for i, case in ipairs(FAULTS) do
            local status = last["t" .. i]
            assert.same({ "TASK_FAILED", "Failed to launch container: Failed to create docker run options: " .. case[2] },
                { status.state, status.message })
        end
    end)

    local REFUSED = {
        ["container.mesos.image.appc"] = mesos(nil, { type = "APPC", docker = { name = "x" }, appc = { name = "x" } }),
        ["container.mesos.image.docker.config"] = mesos(nil, { type = "DOCKER", docker = { name = "x", config = { type = "VALUE",
            value = { data = "eA==" } } } }),
        ["container.linux_info"] = docker(nil, { linux_info = { shm_size = 8 } }),
        ["container.volumes[1].image"] = docker(nil, { volumes = { { container_path = "x", mode = "RW", image = { type = "DOCKER",
            docker = { name = "x" } } } } }),
    }

    it("is refused if it has what no runtime is given", function()
        local stream, offer = start(fake())
        local tasks = { client.task(offer, "tcp", "true", { container = docker { network = "BRIDGE" },
            health_check = { type = "TCP", tcp = { port = 80 } } }) }
        for path, container in pairs(REFUSED) do
            tasks[#tasks + 1] = client.task(offer, path, "true", { container = container })
        end
        stream:launch(offer, tasks)
        local _, last = stream:results(#tasks)
        assert.matches("give it a command, or the container the network HOST", last.tcp.message)
        for path in pairs(REFUSED) do
            assert.same({ "TASK_ERROR", "The local cluster does not carry out '" .. path .. "'" },
                { last[path].state, last[path].message:match("^[^:]*") })
        end
    end)

    it("is killed through the runtime, by SIGKILL in the end", function()
        local folder = fake()
        local stream, offer = start(folder)
        launch(stream, offer, docker(), "trap '' TERM; touch $sandbox/ready; while :; do sleep 0.1; done")
        repeat
            local status = stream:update()
        until status.state == "TASK_RUNNING"
        program.wait_for(function()
            return program.read(sandbox(stream, offer) .. "ready")
        end)
        stream:accepted("KILL", { task_id = { value = "t" }, kill_policy = { grace_period = { nanoseconds = 100000000 } } })
        local _, last = stream:results(1)
        assert.same({ "TASK_KILLED", "Container exited with status 137" }, { last.t.state, last.t.message })
        local name = calls(folder, "run")[1][3]
        assert.same({ { "kill", "--signal", "15", name }, { "kill", "--signal", "9", name } }, calls(folder, "kill"))
        assert.same({ { "rm", "-f", "-v", name } }, calls(folder, "rm"))
    end)

    it("is killed as soon as it is there if it is killed before", function()
        local folder = fake { slow = "" }
        local stream, offer = start(folder)
        launch(stream, offer, docker(), "sleep 600")
        wait_for_call(folder, "inspect")
        stream:accepted("KILL", { task_id = { value = "t" } })
        wait_for_call(folder, "kill", 2)
        os.remove(folder .. "/slow")
        local status = stream:update()
        assert.same({ "TASK_KILLED", "REASON_TASK_KILLED_DURING_LAUNCH" }, { status.state, status.reason })
    end)

    it("is checked by commands inside", function()
        local folder = fake()
        local stream, offer = start(folder)
        launch(stream, offer, docker(), "sleep 600", { health_check = { type = "COMMAND", delay_seconds = 0,
            command = { value = "test $B = b", environment = { variables = { { name = "B", value = "b" } } } } } })
        repeat
            local status = stream:update()
        until status.healthy
        assert.same({ "exec", "-e", "B=b", calls(folder, "run")[1][3], "/bin/sh", "-c", "test $B = b" }, calls(folder, "exec")[1])
    end)

    it("is not limited by a runtime that cannot", function()
        local last, folder = result(docker(), "true", nil, fake { info = "pids\n" })
        assert.equal("TASK_FINISHED", last.state)
        client.cluster:wait_for("podman cannot limit cpus and memory here")
        assert.is_nil(program.read(folder .. "/calls"):find("--memory", 1, true))
    end)

    it("ends with the cluster, and is removed", function()
        local folder = fake()
        local stream, offer = start(folder)
        launch(stream, offer, docker(), "sleep 600")
        repeat
            local status = stream:update()
        until status.state == "TASK_RUNNING"
        client.cluster:kill("sigterm")
        assert.equal(0, client.cluster:wait(), client.cluster:report())
        assert.equal(calls(folder, "run")[1][3], calls(folder, "rm")[1][4])
    end)

    it("is removed by the next cluster if its host is dead", function()
        local folder = fake()
        local stream, offer = start(folder)
        launch(stream, offer, docker(), "sleep 1")
        local label = wait_for_call(folder, "run")[5]
        local key, value = label:match("^(.-)=(.*)$")
        client.cluster:kill("sigkill")
        client.cluster:wait()
        local own = value:match("^%d+%.")
        local file <close> = io.open(folder .. "/ps", "w")
        file:write(("dead1 map[%s:%s other:x]\ndead2 %s=%s\n"):format(key, value, key, own .. "1"),
            ("alive %s=%s\nforeign other=%s\n"):format(key, program.run({ path = "/bin/sh", args = { "-c",
                [[set -- $(sed 's/.*) //' /proc/$PPID/stat); shift 19; echo $PPID.$1]] } }).stdout:match("%S+"), value))
        file:close()
        start(folder)
        assert.same({ "rm", "-f", "-v", "dead1", "dead2" }, wait_for_call(folder, "rm"))
    end)
end)

-- ---- a real runtime ----

-- Where podman and docker find their configuration.
local REAL_ENV = { CONTAINERS_CONF = os.getenv("CONTAINERS_CONF"), HOME = os.getenv("HOME"),
    XDG_RUNTIME_DIR = os.getenv("XDG_RUNTIME_DIR") or false }

-- "podman" or "docker" with an image of busybox, or nil. What a container needs here beside that (a runtime, limits)
-- is up to the configuration of podman.
local function real_runtime()
    local made = program.run({ path = "/bin/sh", seconds = 60, args = { "-c", [[
        busybox=$(command -v busybox) && ldd "$busybox" >/dev/null 2>&1 && exit 1
        for name in podman docker; do
            command -v $name >/dev/null && $name info >/dev/null 2>&1 || continue
            folder=$(mktemp -d) && mkdir "$folder/bin" && cp "$busybox" "$folder/bin" || exit 1
            for link in sh echo sleep cat dd true; do ln -s busybox "$folder/bin/$link"; done
            tar -C "$folder" -c bin | $name import - mesos-lua-spec >/dev/null 2>&1
            rm -r "$folder"
            $name run --rm --net host mesos-lua-spec /bin/true >/dev/null 2>&1 && echo $name && exit
        done]] }, env = REAL_ENV })
    return made.stdout:match("%S+")
end

describe("containers of a real runtime", function()
    local name
    setup(function()
        name = real_runtime()
        program.cleanup()
    end)
    after_each(function()
        (client.cluster and client.stop or program.cleanup)()
    end)

    it("run, write to their sandboxes, are killed and leave nothing", function()
        if not name then
            pending("neither podman nor docker can run containers here")
            return
        end
        client.start({ "--containers", name }, REAL_ENV)
        local stream = client.subscribe():subscribed()
        local offer = stream:offer()
        local container = docker { image = "mesos-lua-spec" }
        stream:launch(offer, { client.task(offer, "ends", "echo $MESOS_SANDBOX; echo x > $MESOS_SANDBOX/file; exit 3",
            { container = container }) })
        local _, last = stream:results(1)
        assert.equal("Container exited with status 3", last.ends.message)
        local box = client.sandbox(offer, stream, "ends")
        assert.same({ "/mnt/mesos/sandbox\n", "x\n" }, { program.read(box .. "stdout"), program.read(box .. "file") })
        offer = stream:offer()
        stream:launch(offer, { client.task(offer, "stays", "trap '' TERM; while :; do sleep 0.1; done", { container = container }) })
        repeat
            local status = stream:update(60)
        until status.state == "TASK_RUNNING"
        stream:accepted("KILL", { task_id = { value = "stays" }, kill_policy = { grace_period = { nanoseconds = 100000000 } } })
        _, last = stream:results(1)
        assert.equal("Container exited with status 137", last.stays.message)
        client.stop()
        client.cluster = nil
        local left = program.run({ path = "/bin/sh", env = REAL_ENV,
            args = { "-c", name .. " ps -aq --filter label=mesos-lua.host" } })
        assert.equal("", left.stdout)
    end)
end)
