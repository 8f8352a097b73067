-- SPDX-License-Identifier: Apache-2.0
--
-- The calls of a subscription on their pipelined connection: the parser of the answers by itself, and the real program
-- against masters that answer late, in halves, with refusals, or not at all.

local master = require("support.master")
local program = require("support.program")
local internals = require("internals")
local splits = require("support.chunks")
local tls = require("support.tls")
local uv = require("luv")

local ACCEPTED = "HTTP/1.1 202 Accepted\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nContent-Length: 0\r\n\r\n"

-- ---- the parser ----

-- Feeds the pieces; returns all answers and the parser, or nil, the message and the answers before.
local function parse(pieces)
    local parser, all = internals.reply_parser(), {}
    for _, piece in ipairs(pieces) do
        local answers, message, before = parser:feed(piece)
        for _, answer in ipairs(answers or before) do
            all[#all + 1] = answer
        end
        if not answers then
            return nil, message, all
        end
    end
    return all, parser
end

local function reply(status, body, more)
    local all = { status = status, body = body or "", close = false }
    for key, value in pairs(more or {}) do
        all[key] = value
    end
    return all
end

local GOOD = {
    { ACCEPTED, reply(202) },
    { "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\na\r\n\r\n", reply(200, "a\r\n\r\n") },
    { "HTTP/1.1 202\r\ncontent-length:0\r\n\r\n", reply(202) },
    { "HTTP/1.1 204 No Content\r\n\r\n", reply(204) },
    { "HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\n\r\n", reply(304) },
    { "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLocation: x\r\nContent-Length: 9\r\n\r\n" .. ACCEPTED, reply(202) },
    { "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\nA ;x=\"y\"\r\n0123456789\r\n0\r\nX: y\r\n\r\n",
        reply(200, "abc0123456789") },
    { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", reply(200) },
    { "HTTP/1.1 400 Bad Request\r\nConnection: Close\r\nContent-Length: 2\r\n\r\nno", reply(400, "no", { close = true }) },
    { "HTTP/1.1 400 Bad Request\r\nConnection: x, close\r\nContent-Length: 0\r\n\r\n", reply(400, "", { close = true }) },
    { "HTTP/1.0 202 Accepted\r\nContent-Length: 0\r\n\r\n", reply(202, "", { close = true }) },
    { "HTTP/1.0 202 Accepted\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n", reply(202) },
    { "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"a: b\" \r\nContent-Length: 1\r\n\r\nx",
        reply(401, "x", { challenge = 'Basic realm="a: b"' }) },
    { "HTTP/1.1 307 Temporary Redirect\r\nLocation: //a:1/api\r\nContent-Length: 0\r\n\r\n",
        reply(307, "", { location = "//a:1/api" }) },
    { "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n", reply(202) },
}

local BAD = {
    { "garbage\r\n", "not HTTP: \"garbage\"" },
    { "\r\n", "not HTTP" },
    { "HTTP/2 200 OK\r\n", "not HTTP" },
    { "HTTP/1.1 20 OK\r\n", "not HTTP" },
    { "HTTP/1.1 020 OK\r\n", "not HTTP" },
    { "HTTP/1.1 2000 OK\r\n", "not HTTP" },
    { "HTTP/1.1 200 OK\n", "no CR LF" },
    { "HTTP/1.1 101 Switching Protocols\r\n", "changes the protocol" },
    { "HTTP/1.1 200 OK\r\nA: b\r\n folded: c\r\n", "is folded" },
    { "HTTP/1.1 200 OK\r\nno colon\r\n", "is no header" },
    { "HTTP/1.1 200 OK\r\n: x\r\n", "is no header" },
    { "HTTP/1.1 200 OK\r\nA : x\r\n", "is no header" },
    { "HTTP/1.1 200 OK\r\nA: x\0y\r\n", "no text" },
    { "HTTP/1.1 200 OK\r\nA: x\ry\r\n", "no text" },
    { "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n", "not a length" },
    { "HTTP/1.1 200 OK\r\nContent-Length: \r\n", "not a length" },
    { "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n", "not a length" },
    { "HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n", "not a length" },
    { "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n", "two Content%-Lengths" },
    { "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "and chunks" },
    { "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n", "not known" },
    { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "not known" },
    { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n", "has no length" },
    { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", "has no length" },
    { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n", "longer than it says" },
    { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n x\r\n", "is folded" },
    { "HTTP/1.1 200 OK\r\nA: " .. ("x"):rep(70000) .. "\r\n", "longer than 65536 bytes" },
    { "HTTP/1.1 200 OK\r\n" .. ("A: b\r\n"):rep(12000), "longer than 65536 bytes" },
    { ("HTTP/1.1 100 Continue\r\n\r\n"):rep(4000), "longer than 65536 bytes" },
}

describe("answers", function()
    for i, case in ipairs(GOOD) do
        it(("are taken wherever they are cut, number %d"):format(i), function()
            local bytes = case[1] .. ACCEPTED
            local wanted = { case[2], reply(202) }
            for first = 0, #bytes do
                assert.same(wanted, (parse { bytes:sub(1, first), bytes:sub(first + 1) }))
            end
            for first = 0, #bytes, 3 do
                for second = first, #bytes, 2 do
                    assert.same(wanted, (parse {
                        bytes:sub(1, first), bytes:sub(first + 1, second), bytes:sub(second + 1),
                    }))
                end
            end
            assert.same(wanted, (parse(splits.bytewise(bytes))))
        end)
    end

    it("are taken again when they are the same, and anew when one byte is not, wherever they are cut", function()
        for _, case in ipairs(GOOD) do
            local dated = case[1]:gsub("\r\n", "\r\nDate: Mon, 01 Jan 2024 00:00:0%%d GMT\r\n", 1)
            local one, two = dated:gsub("%%d", "1"), dated:gsub("%%d", "2")
            local bytes = one .. one .. one .. two .. two .. ACCEPTED .. one
            local wanted = { case[2], case[2], case[2], case[2], case[2], reply(202), case[2] }
            assert.same(wanted, (parse { bytes }))
            for cut = 1, #bytes, 3 do
                assert.same(wanted, (parse { bytes:sub(1, cut), bytes:sub(cut + 1) }))
            end
        end
    end)

    it("are taken in long rows, in random pieces", function()
        local parts, wanted = {}, {}
        math.randomseed(1)
        for i = 1, 1000 do
            local case = GOOD[math.random(#GOOD)]
            parts[i], wanted[i] = case[1], case[2]
        end
        for seed = 1, 10 do
            assert.same(wanted, (parse(splits.random(table.concat(parts), 4000, seed))))
        end
    end)

    it("are refused if they are none, wherever they are cut", function()
        for _, case in ipairs(BAD) do
            local pieces = { ACCEPTED .. case[1] }
            local answers, message, before = parse(pieces)
            assert.is_nil(answers, case[1])
            assert.matches(case[2], message)
            assert.same({ reply(202) }, before)
            assert.is_nil((parse(#case[1] < 1000 and splits.bytewise(case[1]) or splits.random(case[1], 3000, 1))))
        end
    end)

    it("may end with the connection only, if they have no length", function()
        local answers, parser = parse { "HTTP/1.1 500 Oh\r\n\r\n", "some ", "words" }
        assert.same({}, answers)
        assert.same(reply(500, "some words", { close = true }), parser:finish())
        for _, text in ipairs { "", "HTTP/1.1 2", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" } do
            answers, parser = parse { text }
            assert.same({}, answers)
            assert.is_false(parser:finish())
        end
    end)

    it("keep 64 KiB of a body and are read to its end", function()
        local long = ("x"):rep(200000)
        local answers = parse { "HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" .. long .. ACCEPTED }
        assert.equal(long:sub(1, 65536), answers[1].body)
        assert.equal(202, answers[2].status)
    end)
end)

-- ---- the program ----

local SCRIPT = [[
    local mesos = require "mesos"
    local scheduler = { framework = { name = "test", failover_timeout = 600 } }
    local function say(...) print(...) io.stdout:flush() end
    function scheduler:reregistered() say("reregistered") end
    function scheduler:disconnected() say("disconnected") end
    function scheduler:error(driver, message) say("error", message) end
    local function kill(driver, from, to)
        for i = from, to do driver:killTask("task-" .. i) end
    end
]]

describe("calls", function()
    after_each(function()
        program.cleanup()
        master.cleanup()
    end)

    local function start(m, body, args, env)
        local all = { "--registration-backoff", "20ms", "--master", m.address }
        table.move(args or {}, 1, #(args or {}), #all + 1, all)
        all[#all + 1] = program.script(SCRIPT .. body .. "\nreturn scheduler")
        return program.start { args = all, env = env }
    end

    local function kills(count)
        return ("function scheduler:registered(driver) kill(driver, 1, %d) end"):format(count)
    end

    local function in_order(m, count, first)
        m:wait_for("KILL", count, 30)
        for i, call in ipairs(m:calls_of("KILL")) do
            assert.equal("task-" .. (first or 1) + i - 1, call.call.kill.task_id)
        end
        assert.equal(count, #m:calls_of("KILL"))
    end

    local function wait(seconds)
        local limit = uv.hrtime() + seconds * 1e9
        program.wait_for(function()
            return uv.hrtime() > limit
        end, seconds + 5)
    end

    local function connections(m)
        local seen, count = {}, 0
        for _, call in ipairs(m:calls_of("KILL")) do
            count = count + (seen[call.connection] and 0 or 1)
            seen[call.connection] = true
        end
        return count
    end

    it("come in order, thousands of them, on one connection", function()
        local m = master.start()
        local run = start(m, kills(5000))
        in_order(m, 5000)
        assert.equal(1, connections(m))
        wait(0.2)
        assert.equal("", run.stdout)
        assert.is_nil(run.stderr:find("had no answer", 1, true))
    end)

    for _, window in ipairs { 256, 7, 1 } do
        it(("wait when %d are under way"):format(window), function()
            local m = master.start()
            local held = {}
            m:answer("KILL", function(_, connection)
                held[#held + 1] = connection
            end)
            start(m, kills(600), { "--call-window", tostring(window) })
            m:wait_for("KILL", window)
            wait(0.2)
            assert.equal(window, #m:calls_of("KILL"))
            for i = 1, 600 do
                m:wait_for("KILL", i)
                held[i]:respond(202)
            end
            in_order(m, 600)
        end)
    end

    it("get answers that come in halves, slowly, or in chunks", function()
        local m = master.start()
        local answers = {
            "HTTP/1.1 100 Continue\r\n\r\n" .. ACCEPTED, ACCEPTED,
            "HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
        }
        local n = 0
        m:answer("KILL", function(_, connection)
            n = n + 1
            local answer = answers[n % #answers + 1]
            if n % 2 == 0 then
                connection:write_slowly(answer)
            else
                local half = n % #answer
                connection:write(answer:sub(1, half))
                connection:pause(0.002)
                connection:write(answer:sub(half + 1))
            end
        end)
        local run = start(m, kills(300) .. "\nfunction scheduler:frameworkMessage(driver) driver:stop() end")
        in_order(m, 300)
        m:send { type = "MESSAGE", message = { agent_id = "a", executor_id = "e", data = "" } }
        assert.equal(0, run:wait())
        assert.is_nil(run.stderr:find("refused", 1, true))
        assert.is_nil(run.stderr:find("no answer", 1, true))
    end)

    it("are told apart by their answers when one in the middle is refused", function()
        local m = master.start()
        m:answer("REVIVE", 400, "not this one")
        local run = start(m, [[function scheduler:registered(driver)
            kill(driver, 1, 50) driver:reviveOffers() kill(driver, 51, 100)
        end]])
        in_order(m, 100)
        run:wait_for("the master refused REVIVE %(HTTP status 400%): not this one")
        wait(0.1)
        assert.is_nil(run.stderr:find("refused KILL", 1, true))
        assert.equal(1, connections(m))
    end)

    for _, status in ipairs { 404, 503, 307 } do
        it(("are told apart when one in the middle is answered with %d"):format(status), function()
            local m = master.start()
            m:answer("REVIVE", function(_, connection)
                connection:respond(status, "not now", { Location = "//127.0.0.1:1/" })
            end)
            local run = start(m, [[function scheduler:registered(driver)
                kill(driver, 1, 50) driver:reviveOffers() kill(driver, 51, 100)
            end]])
            in_order(m, 100)
            run:wait_for(("the master refused REVIVE %%(HTTP status %d%%)"):format(status))
            assert.is_nil(run.stderr:find("refused KILL", 1, true))
            assert.equal(1, connections(m))
            assert.equal("", run.stdout)
        end)
    end

    it("are given up with the subscription when one in the middle says that it is none", function()
        local m = master.start()
        m:answer("REVIVE", 403, "Framework is not subscribed")
        local run = start(m, [[function scheduler:registered(driver)
            kill(driver, 1, 5) driver:reviveOffers() kill(driver, 6, 10)
        end]])
        run:wait_for("disconnected")
        run:wait_for("reregistered")
        assert.matches("refused REVIVE %(HTTP status 403%): Framework is not subscribed", run.stderr)
        assert.is_nil(run.stderr:find("refused KILL", 1, true))
        assert.is_true(#m:calls_of("KILL") <= 10)
        for i, call in ipairs(m:calls_of("KILL")) do
            assert.equal("task-" .. i, call.call.kill.task_id)
        end
    end)

    for _, count in ipairs { 0, 1, 5 } do
        it(("break, and no others do, when the master closes behind %d answers"):format(count), function()
            local m = master.start()
            local n = 0
            m:answer("KILL", function(_, connection)
                n = n + 1
                if n == count + 1 then
                    connection:close()
                else
                    connection:respond(202)
                end
            end)
            local run = start(m, kills(8))
            run:wait_for("reregistered")
            local broken = 8 - count
            assert.matches(("%d calls had no answer, and may not have reached the master: %d KILL; reconciliation tells"):format(
                broken, broken), run.stderr)
            assert.equal(count + 1, #m:calls_of("KILL"))
        end)
    end

    -- Whether the close is noticed before the calls are written is a matter of time: then they are told of.
    it("go out on another connection, or are told of, when the first is closed before it takes one", function()
        local m = master.start()
        local serve, n = m.server.handler, 0
        m.server.handler = function(connection)
            n = n + 1
            if n ~= 2 then
                serve(connection)
            end
        end
        local run = start(m, kills(50))
        local function told()
            return tonumber(run.stderr:match("(%d+) calls? had no answer") or 0)
        end
        program.wait_for(function() return n > 2 and #m:calls_of("KILL") + told() >= 50 end, 30)
        if told() == 0 then
            in_order(m, 50)
        else
            assert.equal(50, #m:calls_of("KILL") + told())
        end
    end)

    it("go on, on a new connection, when there are more answers than calls", function()
        local m = master.start()
        m:answer("KILL", function(_, connection)
            connection:write(ACCEPTED .. ACCEPTED)
        end)
        local run = start(m, kills(10), { "--call-window", "1" })
        in_order(m, 10)
        assert.equal(10, connections(m))
        assert.equal("", run.stdout)
    end)

    it("come back as lost, and their offers go back, if they launch and cannot leave", function()
        local m = master.start()
        local run = start(m, [[
            function scheduler:resourceOffers(driver, offers)
                local task = { name = "n", task_id = "t1", agent_id = offers[1].agent_id,
                    command = { value = "true" }, resources = mesos.resources { cpus = 1 } }
                local length = 64 << 20 -- the longest that a message may be, and the call around it not
                repeat
                    length = length - 40
                    task.data = ("x"):rep(length)
                until pcall(driver.launchTasks, driver, offers[1].id, { task })
                say(#driver:offers())
            end
            function scheduler:statusUpdate(driver, status)
                say(status.task_id, status.state, status.reason, status.source, status.message, status.uuid)
            end
        ]])
        m:wait_for("SUBSCRIBE")
        local offers = m:send_offers { m:offer() }
        run:wait_for("t1\tTASK_LOST\tREASON_MASTER_DISCONNECTED\tSOURCE_MASTER\t" ..
            "Launch was lost: not sent: it is longer than 64 MiB\tnil")
        run:wait_for("did not reach the master: 1 ACCEPT; the tasks of launches are reported as lost")
        assert.equal(offers[1].id, m:wait_for("DECLINE").call.decline.offer_ids[1])
        assert.equal(0, #m:calls_of("ACCEPT"))
    end)

    it("are lost in the same way when they waited while the connection broke", function()
        local m = master.start()
        m:answer("KILL", function(_, connection)
            m:drop()
            connection:close()
        end)
        local run = start(m, [[
            scheduler.framework.capabilities = { { type = "PARTITION_AWARE" } }
            function scheduler:resourceOffers(driver, offers)
                driver:killTask("k")
                driver:launchTasks(offers[1].id, { { name = "n", task_id = "t1", agent_id = offers[1].agent_id,
                    command = { value = "true" }, resources = mesos.resources { cpus = 1 } } })
            end
            function scheduler:statusUpdate(driver, status) say(status.task_id, status.state) end
        ]], { "--call-window", "1" })
        m:wait_for("SUBSCRIBE")
        m:send_offers { m:offer() }
        run:wait_for("reregistered")
        run:wait_for("t1\tTASK_DROPPED")
        assert.matches("1 call had no answer, and may not have reached the master: 1 KILL; reconciliation tells", run.stderr)
        assert.matches("1 call did not reach the master: 1 ACCEPT", run.stderr)
        assert.equal(0, #m:calls_of("ACCEPT"))
    end)

    it("of acknowledgement are said to be repeated by the agents", function()
        local m = master.start()
        m:answer("ACKNOWLEDGE", function(_, connection)
            m:drop()
            connection:close()
        end)
        local run = start(m, "function scheduler:statusUpdate(driver, status) say(status.task_id) end")
        m:wait_for("SUBSCRIBE")
        m:send { type = "UPDATE", update = { status = {
            task_id = "t", state = "TASK_RUNNING", agent_id = "a", uuid = ("u"):rep(16),
        } } }
        run:wait_for("reregistered")
        assert.matches("1 ACKNOWLEDGE; the agents repeat the updates", run.stderr)
    end)

    it("are not repeated when the master closes behind an answer", function()
        local m = master.start()
        local n = 0
        m:answer("KILL", function(_, connection)
            n = n + 1
            if n == 20 then
                connection:respond(202, "", { Connection = "close" })
                connection:close()
            else
                connection:respond(202)
            end
        end)
        local run = start(m, kills(30))
        run:wait_for("disconnected")
        run:wait_for("reregistered")
        assert.equal(20, #m:calls_of("KILL"))
        assert.matches("10 calls had no answer, and may not have reached the master", run.stderr)
        assert.matches("closed the connection behind an earlier answer", run.stderr)
    end)

    it("go on, on a new connection, when it was the last one under way", function()
        local m = master.start()
        m:answer("KILL", function(_, connection)
            connection:respond(202, "", { Connection = "close" })
            connection:close()
        end)
        local run = start(m, kills(30), { "--call-window", "1" })
        in_order(m, 30)
        assert.equal(30, connections(m))
        assert.equal("", run.stdout)
    end)

    it("break off at what is no answer", function()
        for _, garbage in ipairs {
            "garbage\r\n\r\n", "HTTP/1.1 202 Accepted\r\nA: b\r\n c\r\n\r\n", "\0\0\r\n",
            "HTTP/1.1 202 Accepted\r\nA: " .. ("x"):rep(70000) .. "\r\nContent-Length: 0\r\n\r\n",
        } do
            local m = master.start()
            local n = 0
            m:answer("KILL", function(_, connection)
                n = n + 1
                connection:write(n == 5 and garbage or ACCEPTED)
            end)
            local run = start(m, kills(10))
            run:wait_for("disconnected")
            run:wait_for("reregistered")
            assert.matches("the master did not answer KILL: ", run.stderr)
            assert.equal(10, #m:calls_of("KILL"))
        end
    end)

    it("do not take answers that were not asked for", function()
        local m = master.start()
        local run = start(m, [[
            function scheduler:registered(driver) kill(driver, 1, 1) end
            function scheduler:frameworkMessage(driver) kill(driver, 2, 2) driver:reviveOffers() end
        ]])
        local connection = m:wait_for("KILL").connection
        wait(0.1)
        connection:write("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")
        program.wait_for(function() return connection.ended end)
        m:answer("REVIVE", 400, "not this one")
        m:send { type = "MESSAGE", message = { agent_id = "a", executor_id = "e", data = "" } }
        in_order(m, 2)
        run:wait_for("refused REVIVE %(HTTP status 400%)")
        assert.equal(2, connections(m))
        assert.is_nil(run.stdout:find("disconnected", 1, true))
    end)

    it("are broken when the master closes at any point of an answer", function()
        for _, cut in ipairs { 0, 1, 12, 30, #ACCEPTED - 1 } do
            local m = master.start()
            local n = 0
            m:answer("KILL", function(_, connection)
                n = n + 1
                if n == 3 then
                    connection:write(ACCEPTED:sub(1, cut))
                    connection:close()
                else
                    connection:write(ACCEPTED)
                end
            end)
            local run = start(m, kills(6))
            run:wait_for("reregistered")
            assert.matches("4 calls had no answer", run.stderr)
            assert.equal(3, #m:calls_of("KILL"))
        end
    end)

    it("are sent again in order when the credentials were others meanwhile", function()
        local m = master.start()
        local path = program.script("one", "secret")
        assert(uv.fs_chmod(path, tonumber("600", 8)))
        local good = { ["Bearer one"] = true }
        m:answer("KILL", function(_, connection)
            if good[m.calls[#m.calls].request:header("Authorization")] then
                return true
            end
            connection:respond(401, "401 Unauthorized.", { ["WWW-Authenticate"] = "Bearer" })
        end)
        local run = start(m, [[
            function scheduler:registered(driver) kill(driver, 1, 3) end
            function scheduler:frameworkMessage(driver) kill(driver, 4, 400) end
        ]], { "--token-file", path })
        m:wait_for("KILL", 3)
        good = { ["Bearer two"] = true }
        do
            local out <close> = assert(io.open(path, "w"))
            out:write("two")
        end
        m:send { type = "MESSAGE", message = { agent_id = "a", executor_id = "e", data = "" } }
        local taken = {}
        program.wait_for(function()
            taken = {}
            for _, call in ipairs(m:calls_of("KILL")) do
                if call.request:header("Authorization") == "Bearer two" then
                    taken[#taken + 1] = call.call.kill.task_id
                end
            end
            return #taken == 397
        end, 20)
        for i, id in ipairs(taken) do
            assert.equal("task-" .. i + 3, id)
        end
        wait(0.1)
        assert.is_nil(run.stderr:find("refused", 1, true), run.stderr)
    end)

    local LONG = [[function scheduler:registered(driver)
        for i = 1, 10 do driver:sendFrameworkMessage("e" .. i, "a", ("x"):rep(300000 + i)) end
        driver:sendFrameworkMessage("e11", "a", ("y"):rep(3000000))
        driver:sendFrameworkMessage("e12", "a", "z")
    end]]

    local function all_long(m, run)
        m:wait_for("MESSAGE", 12, 60)
        for i, call in ipairs(m:calls_of("MESSAGE")) do
            assert.equal("e" .. i, call.call.message.executor_id)
            assert.equal(i < 11 and 300000 + i or i == 11 and 3000000 or 1, #call.call.message.data)
        end
        assert.equal("", run.stdout)
    end

    it("of many megabytes go through a connection that takes them slowly", function()
        local m = master.start()
        all_long(m, start(m, LONG))
    end)

    it("of many megabytes go through TLS, and so do thousands of small ones", function()
        local authority = tls.authority("spec authority")
        local m = master.start()
        local front = tls.front(m.server, { certificate = authority:issue() })
        local through = { address = "https://localhost:" .. front.port }
        all_long(m, start(through, LONG, { "--ca-file", authority.cert }))
        m = master.start()
        front = tls.front(m.server, { certificate = authority:issue() })
        through = { address = "https://localhost:" .. front.port }
        start(through, kills(2000), { "--ca-file", authority.cert })
        in_order(m, 2000)
    end)

    it("go through a tunnel if there is a proxy", function()
        local m, tunnels = master.start(), {}
        local serve = m.server.handler
        m.server.handler = function(connection)
            local read = connection.read_request
            connection.read_request = function(self)
                local request = read(self)
                if request and request.method == "CONNECT" then
                    tunnels[#tunnels + 1] = request
                    self:write("HTTP/1.1 200 Connection established\r\n\r\n")
                    request = read(self)
                end
                return request
            end
            serve(connection)
        end
        local run = start({ address = "master.invalid:5050" }, kills(300), nil, {
            http_proxy = "http://me:secret@" .. m.address,
        })
        in_order(m, 300)
        assert.equal(2, #tunnels) -- the stream, and the calls
        for _, tunnel in ipairs(tunnels) do
            assert.equal("master.invalid:5050", tunnel.path)
            assert.is_string(tunnel:header("Proxy-Authorization"))
        end
        local request = m:calls_of("KILL")[1].request
        assert.equal("master.invalid:5050", request:header("Host"))
        assert.equal("/api/v1/scheduler", request.path)
        assert.is_nil(request:header("Proxy-Authorization"))
        assert.equal("", run.stdout)
    end)
end)
