-- SPDX-License-Identifier: Apache-2.0
--
-- The files of sandboxes over HTTP: paths as Mesos has them, the answers of an agent, and nothing outside a sandbox.

local client = require("support.cluster_client")
local json = require("cjson")
local program = require("support.program")
local uv = require("luv")

local function get(path, query)
    local parts = {}
    for name, value in pairs(query) do
        parts[#parts + 1] = name .. "=" .. (tostring(value):gsub("[^%w/.-]", function(c) return ("%%%02X"):format(c:byte()) end))
    end
    local status, text, head = client.request(nil,
        { method = "GET", path = path .. "?" .. table.concat(parts, "&"), headers = { ["Content-Type"] = "" } })
    return status, text, head
end

local function answers(wanted, words, path, query)
    local status, text = get(path, query)
    assert.same({ wanted, words }, { status, text })
end

describe("the files of sandboxes", function()
    local run, virtual, latest, outside

    lazy_setup(function()
        client.start { "--agent", "cpus:2;mem:512;disk:0;ports:[]", "--agent", "cpus:2;mem:512;disk:0;ports:[]" }
        outside = program.files { secret = "secret" }
        local stream = client.subscribe():subscribed()
        local offer = stream:offer()
        stream:launch(offer, {
            client.task(offer, "t", "printf hello; mkdir d; echo x > d/f; mkfifo fifo; ln -s d/f inside; ln -s " .. outside
                .. " out; ln -s / root; head -c 100000 /dev/zero > big; cp big 'a b%'"),
        })
        stream:results(1)
        latest = client.sandbox(offer, stream, "t"):gsub("/$", "")
        run = uv.fs_realpath(latest)
        virtual = ("/frameworks/%s/executors/t/runs/latest"):format(stream.framework_id.value)
    end)
    lazy_teardown(client.stop)

    local function paths()
        return { run, latest, virtual, run .. "/", virtual .. "/" }
    end

    it("are listed in an agent's shape, under the path of the run, the latest one and the virtual one", function()
        for _, path in ipairs(paths()) do
            local status, text = get("/files/browse", { path = path })
            assert.equal(200, status, text)
            local files = {}
            for _, file in ipairs(json.decode(text)) do
                files[file.path:match("([^/]+)$")] = file
                assert.equal((path:gsub("/$", "")), (file.path:match("^(.*)/")))
            end
            assert.same({ 5, 1, "-", 100000 }, { files.stdout.size, files.stdout.nlink, files.stdout.mode:sub(1, 1), files.big.size })
            assert.same({ "d", "p", "l", "l", "-" }, { files.d.mode:sub(1, 1), files.fifo.mode:sub(1, 1), files.out.mode:sub(1, 1),
                files.root.mode:sub(1, 1), files.inside.mode:sub(1, 1) })
            for _, name in ipairs { "gid", "uid", "mode", "path" } do
                assert.equal("string", type(files.stdout[name]))
            end
            assert.matches('"mtime":%d+%.0,', text)
        end
        answers(200, "[]", "/files/browse", { path = run .. "/stdout" })
    end)

    for _, row in ipairs {
        { {}, '{"data":"","offset":5}' },
        { { offset = -1 }, '{"data":"","offset":5}' },
        { { offset = 0 }, '{"data":"hello","offset":0}' },
        { { offset = 1, length = 3 }, '{"data":"ell","offset":1}' },
        { { offset = 3, length = -1 }, '{"data":"lo","offset":3}' },
        { { offset = 0, length = 0 }, '{"data":"","offset":0}' },
        { { offset = 9 }, '{"data":"","offset":9}' },
        { { offset = -2 }, "Negative offset provided: -2.\n", 400 },
        { { offset = 0, length = -2 }, "Negative length provided: -2.\n", 400 },
        { { offset = "x" }, "Failed to parse offset: Failed to convert 'x' to number.\n", 400 },
    } do
        it("are read in pieces: " .. json.encode(row[1]), function()
            row[1].path = virtual .. "/stdout"
            answers(row[3] or 200, row[2], "/files/read", row[1])
        end)
    end

    it("are read in pieces of 64 KiB at most, and downloaded whole", function()
        local _, text = get("/files/read", { path = run .. "/big", offset = 0 })
        assert.equal(65536, select(2, text:gsub("\\u0000", "")))
        for _, name in ipairs { "big", "a b%" } do
            local status, bytes, head = get("/files/download", { path = run .. "/" .. name })
            assert.same({ 200, 100000 }, { status, #bytes })
            assert.truthy(head:find("Content-Disposition: attachment; filename=" .. name, 1, true))
            assert.matches("Content%-Type: application/octet%-stream", head)
        end
    end)

    it("are those of one agent under its own path, and also those of the other agents elsewhere", function()
        local found = 0
        for n = 1, 2 do
            local status = get(("/slave(%d)/files/browse"):format(n), { path = virtual })
            assert.equal(status, (get(("/slave(%d)/files/browse"):format(n), { path = run })))
            found = found + (status == 200 and 1 or 0)
        end
        assert.equal(1, found)
        assert.equal(404, (get("/slave(3)/files/browse", { path = virtual })))
    end)

    it("need a path", function()
        for _, what in ipairs { "browse", "read", "download" } do
            client.answered(400, "Expecting 'path=value' in query.\n", nil, { method = "GET", path = "/files/" .. what })
            client.answered(400, "Expecting 'path=value' in query.\n", nil, { method = "GET", path = "/files/" .. what .. "?path=" })
        end
    end)

    it("are refused where they are no files", function()
        answers(400, "Cannot read a directory.\n", "/files/read", { path = run .. "/d", offset = 0 })
        answers(400, "Cannot download a directory.\n", "/files/download", { path = run })
        assert.equal(500, (get("/files/read", { path = run .. "/fifo", offset = 0 })))
        assert.equal(500, (get("/files/download", { path = run .. "/fifo" })))
    end)

    it("never lie outside a sandbox", function()
        local work_dir = client.cluster.work_dir
        for _, row in ipairs {
            { 400, run .. "/out" }, { 400, run .. "/out/secret" }, { 400, run .. "/root/etc/passwd" },
            { 400, run .. "/../../../../../../../../../../etc/passwd" }, { 400, virtual .. "/.." }, { 400, run .. "/.." },
            { 404, work_dir }, { 404, work_dir .. "/slaves" }, { 404, run:match("^(.*)/") }, { 404, (run:gsub("/[^/]*$", "/..")) },
            { 404, "/etc/passwd" }, { 404, outside .. "/secret" }, { 404, "stdout" }, { 404, "/" }, { 404, run .. "/none" },
            { 404, run .. "/stdout/more" }, { 404, "/frameworks/../executors/t/runs/latest" }, { 404, work_dir .. "/slaves/../../etc" },
            { 404, (run:gsub("/slaves/", "/slaves/../slaves/")) }, { 404, (virtual:gsub("latest", "..")) },
        } do
            for _, what in ipairs { "browse", "read", "download" } do
                local status, text = get("/files/" .. what, { path = row[2], offset = 0 })
                assert.same({ row[1], row[2] }, { status, row[2] }, text)
                assert.falsy(text:find("secret", 1, true) and not text:find("inaccessible", 1, true))
                if row[1] == 400 then
                    assert.matches("^'.*' is inaccessible%.\n$", text)
                else
                    assert.equal("", text)
                end
            end
        end
    end)
end)
