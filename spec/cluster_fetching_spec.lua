-- SPDX-License-Identifier: Apache-2.0
--
-- Uris of commands over HTTP on the local cluster: what is fetched, under which name, what is unpacked, and how it fails.

local client = require("support.cluster_client")
local program = require("support.program")
local server = require("support.server")
local tls = require("support.tls")

-- A web server: `pages` has a text, or a function of the connection, for each path.
local function web(pages)
    return server.start(function(connection)
        local request = connection:read_request()
        local page = request and pages[request.path]
        if type(page) == "function" then
            page(connection)
        elseif request then
            connection:respond(page and 200 or 404, page or "no such page")
        end
    end)
end

-- The bytes of an archive of a folder with the file `inside`; `command` gets its path behind it.
local function archive(command)
    local folder = program.files { ["in/inside"] = "it was in the archive\n" }
    local path = folder .. "/archive"
    local run = program.run { path = "/bin/sh", args = { "-c", ("cd '%s/in' && %s"):format(folder, command:format(path)) } }
    assert.equal(0, run.code, run:report())
    return program.read(path)
end

describe("a uri over HTTP", function()
    local stream, offer
    local function start(options, env)
        client.start(options, env)
        stream = client.subscribe():subscribed()
        offer = stream:offer()
    end
    before_each(function()
        start { "--resources", "cpus:4;mem:1024" }
    end)
    after_each(function()
        client.stop()
        server.cleanup()
    end)

    local function launch(uris, command)
        stream:launch(offer, { client.task(offer, "t", { value = command or "ls -R", uris = uris }) })
    end

    -- What the command prints, with these uris.
    local function run(uris, command)
        launch(uris, command)
        local _, last = stream:results(1)
        local box = client.sandbox(offer, stream, "t")
        assert.same({ "TASK_FINISHED", "" }, { last.t.state, program.read(box .. "stderr") }, last.t.message)
        return program.read(box .. "stdout")
    end

    -- The last update, and what the sandbox says.
    local function fails(uri)
        launch({ uri }, "true")
        local _, last = stream:results(1)
        assert.same({ "TASK_FAILED", "REASON_CONTAINER_LAUNCH_FAILED", "SOURCE_AGENT" },
            { last.t.state, last.t.reason, last.t.source })
        local box = client.sandbox(offer, stream, "t")
        local id = program.run({ path = "/usr/bin/readlink", args = { "-f", box } }).stdout:match("([^/]+)\n")
        assert.equal(("Failed to launch container: Failed to fetch all URIs for container '%s': exited with status 1"):format(id),
            last.t.message)
        local list = program.run({ path = "/bin/ls", args = { "-A", box } }).stdout
        assert.equal("stderr\nstdout\n", list) -- no piece of a file is left
        return program.read(box .. "stderr")
    end

    it("is a file of the sandbox before the command starts, with the last part of the address as its name", function()
        local peer = web { ["/a/page"] = "one\n", ["/get?id=7"] = "two\n", ["/empty"] = "" }
        local base = "http://" .. peer.address
        assert.equal("one\ntwo\n-rw-r--r--\n", run({ { value = base .. "/a/page" }, { value = base .. "/get?id=7" },
            { value = base .. "/empty" } }, "cat page 'get?id=7' empty; ls -l page | cut -c 1-10"))
        assert.equal("GET", peer.requests[1].method)
    end)

    it("gets the name that the task asks for, also below a folder, and its rights", function()
        local base = "http://" .. web({ ["/script"] = "#!/bin/sh\necho ran $1\n" }).address
        assert.equal("ran x\nran y\n", run({ { value = base .. "/script", output_file = "bin/tool", executable = true },
            { value = base .. "/script", executable = true } }, "bin/tool x; ./script y"))
    end)

    it("follows redirects", function()
        local peer
        peer = web {
            ["/old"] = function(connection)
                connection:respond(302, "moved", { Location = "http://" .. peer.address .. "/new" })
            end,
            ["/new"] = "new\n",
        }
        assert.equal("new\n", run({ { value = "http://" .. peer.address .. "/old" } }, "cat old"))
    end)

    for name, command in pairs { ["x.tar"] = "tar -cf '%s' .", ["x.tar.gz"] = "tar -czf '%s' .", ["x.tgz"] = "tar -czf '%s' .",
        ["x.zip"] = "zip -q - inside > '%s'", ["inside.gz"] = "gzip -c inside > '%s'" } do
        it("is unpacked if its name ends as that of " .. name .. " does", function()
            local base = "http://" .. web({ ["/" .. name] = archive(command) }).address
            assert.equal("it was in the archive\n", run({ { value = base .. "/" .. name } }, "cat inside"))
        end)
    end

    it("is not unpacked if the task does not want it, if it is executable, or if its name is another one", function()
        local base = "http://" .. web({ ["/x.tar"] = archive("tar -cf '%s' ."), ["/x.txt"] = archive("tar -cf '%s' .") }).address
        assert.equal("one.tar\nstderr\nstdout\ntwo.tar\nx.txt\n", run({ { value = base .. "/x.tar", output_file = "one.tar",
            extract = false }, { value = base .. "/x.tar", output_file = "two.tar", executable = true }, { value = base .. "/x.txt" } },
            "ls"))
    end)

    it("may be large", function()
        local block, blocks = ("x"):rep(1 << 20), 48
        local base = "http://" .. web({ ["/large"] = function(connection)
            connection:write(("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"):format(#block * blocks))
            for _ = 1, blocks do
                connection:write(block)
            end
        end }).address
        assert.equal(#block * blocks .. "\n", run({ { value = base .. "/large" } }, "wc -c < large"))
    end)

    it("fails with the task if the server has no such page", function()
        local uri = "http://" .. web({}).address .. "/none"
        assert.equal(("Failed to fetch '%s': Error downloading resource, received HTTP return code 404\n"):format(uri),
            fails { value = uri })
    end)

    local FAULTS = {
        ["does not answer"] = { nil, "Connection refused" },
        ["closes in the middle"] = { function(connection)
            connection:write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        end, "the connection was closed before the end of the answer" },
        ["has too much to send"] = { function(connection)
            connection:write(("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"):format((16 << 30) + 1))
            connection:wait_close()
        end, "the body of the answer is longer than 17179869184 bytes (limit)" },
        ["sends it round in circles"] = { function(connection)
            connection:respond(302, "", { Location = "/x", Connection = "close" })
        end, "too many redirects" },
    }
    for name, case in pairs(FAULTS) do
        it("fails with the task if the server " .. name, function()
            local address = case[1] and web({ ["/x"] = case[1] }).address or server.unused_address()
            local text = fails { value = "http://" .. address .. "/x" }
            assert.equal(("Failed to fetch 'http://%s/x': Error downloading resource: GET http://%s/x: %s\n"):format(address, address,
                case[2]), text)
        end)
    end

    it("is fetched over TLS from servers whose authority is trusted", function()
        local authority = tls.authority("spec authority")
        local peer = web { ["/page"] = "over TLS\n" }
        local front = tls.front(peer, { certificate = authority:issue() })
        local uri = ("https://localhost:%d/page"):format(front.port)
        assert.matches("certificate", fails { value = uri })
        assert.equal(0, #peer.requests)
        client.cluster:kill("sigterm")
        client.cluster:wait()
        start { "--resources", "cpus:4;mem:1024", "--ca-file", authority.cert }
        assert.equal("over TLS\n", run({ { value = uri } }, "cat page"))
    end)

    it("says what is missing to unpack it", function()
        local tools = program.directory()
        for _, tool in ipairs { "cp", "mv", "mkdir", "chmod", "cat" } do
            assert(os.execute(("ln -s $(command -v %s) '%s'"):format(tool, tools)))
        end
        local base = "http://" .. web({ ["/x.zip"] = "any bytes" }).address
        client.cluster:kill("sigterm")
        client.cluster:wait()
        start({ "--resources", "cpus:4;mem:1024" }, { PATH = tools })
        launch({ { value = base .. "/x.zip" } }, "true")
        local _, last = stream:results(1)
        assert.equal("REASON_CONTAINER_LAUNCH_FAILED", last.t.reason)
        assert.equal("Failed to extract 'x.zip': there is no program unzip: install it, or set 'extract' to false\n",
            program.read(client.sandbox(offer, stream, "t") .. "stderr"))
    end)

    it("fails with the task if a server over TLS is none", function()
        local address = server.start(function(connection)
            connection:read(1)
            connection:write("this is not TLS")
        end).address
        assert.matches("Error downloading resource: GET https://", fails { value = "https://" .. address .. "/x" }, 1, true)
    end)

    it("fails with the task if it is no archive", function()
        local base = "http://" .. web({ ["/x.tar"] = "this is none, by its bytes" }).address
        launch({ { value = base .. "/x.tar" } }, "true")
        local _, last = stream:results(1)
        assert.matches("^Failed to launch container: Failed to fetch all URIs for container '", last.t.message)
        assert.matches("tar", program.read(client.sandbox(offer, stream, "t") .. "stderr"))
    end)

    it("is not waited for once the task is killed", function()
        local peer = web { ["/slow"] = function(connection)
            connection:write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
            connection:wait_close()
        end }
        launch { { value = "http://" .. peer.address .. "/slow" } }
        program.wait_for(function()
            return peer.requests[1]
        end)
        stream:accepted("KILL", { task_id = { value = "t" } })
        local status = stream:update()
        assert.same({ "TASK_KILLED", "REASON_TASK_KILLED_DURING_LAUNCH" }, { status.state, status.reason })
    end)

    it("does not hold up the end of the cluster", function()
        local peer = web { ["/slow"] = function(connection)
            connection:wait_close()
        end }
        launch { { value = "http://" .. peer.address .. "/slow" } }
        program.wait_for(function()
            return peer.requests[1]
        end)
        client.cluster:kill("sigterm")
        assert.equal(0, client.cluster:wait(), client.cluster:report())
    end)
end)
