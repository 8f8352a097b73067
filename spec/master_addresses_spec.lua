-- SPDX-License-Identifier: Apache-2.0
--
-- Addresses of masters as users write them: which are accepted, and the message for each mistake. `check` reads the
-- address and contacts no master.

local program = require("support.program")

local HOSTS = "zk://h1:2181,h2:2181"

local GOOD = {
    "local", "local:3", "h1:5050", "10.0.0.1:5050", "http://h1", "http://h1:5050/", "https://h1:5050", "HTTPS://h1",
    "h1:5050,h2:5050", " h1:5050 , http://h2 ", "[::1]:5050", "https://[fd00::1]:5050", "http://[::1]", "master@h1:5050",
    "master@10.0.0.1:5050,master@10.0.0.2:5050", "http://master@h1:5050", "http://user:hush@h1:5050",
    "zk://h1:2181/mesos", HOSTS .. "/mesos",
    HOSTS .. "/a/b/c", HOSTS .. "/mesos/", "zk://[::1]:2181,10.0.0.1:2181/mesos", "zk://user:password@h1:2181/mesos",
    "zk://us@er:pass@word:x@h1:2181,h2:2181/mesos", "file:///etc/mesos/zk",
}

-- Address -> what the message has to contain.
local BAD = {
    -- hosts and ports
    { "h1", "'h1'", "host:port expected, and there is no port" },
    { "h1:", "port from 1 to 65535 expected behind ':', got ''" },
    { "h1:0", "got '0'" },
    { "h1:65536", "got '65536'" },
    { "h1:50x", "got '50x'" },
    { ":5050", "there is no host in it" },
    { "h 1:5050", "a blank or a control character" },
    { "h1_/x:5050", "h1_/x" },
    { "h(1):5050", "'h(1)' is no host name" },
    { "10.0.0.256:5050", "'10.0.0.256' is no IPv4 address" },
    { "::1:5050", "an IPv6 address stands in brackets" },
    { "[::1:5050", "there is no ']'" },
    { "[::1]5050", "':' and a port expected behind the ']', got '5050'" },
    { "[::x]:5050", "'[::x]' is not an IPv6 address" },
    { "[::1]", "there is no port" },
    { "http://", "there is no host in it" },
    { "http://h1:5050/api/v1", "nothing expected behind host and port, got '/api/v1'" },
    { "ftp://h1:5050", "http:// or https:// expected, or zk:// or file://, got 'ftp://'" },
    { "mesos://h1:5050", "http:// or https:// expected, or zk:// or file://, got 'mesos://'" },
    { "http://user:hush@h1:5050/x", "nothing expected behind host and port, got '/x'" },
    { "http://user:hush@h1:x", "port from 1 to 65535 expected" },
    -- lists
    { "h1:5050,", "it is empty" },
    { ",h1:5050", "it is empty" },
    { "h1:5050,,h2:5050", "it is empty" },
    { "h1:5050,h2", "'h2'", "there is no port" },
    { ("h:1,"):rep(64) .. "h:1", "more than 64 master addresses" },
    -- ZooKeeper
    { HOSTS, "--master: ZooKeeper address '" .. HOSTS .. "': a path behind the servers expected",
        "that of a node in ZooKeeper, such as zk://host1:2181,host2:2181/mesos for the one where masters" },
    { HOSTS .. "/", "the path '/' is refused" },
    { HOSTS .. "//", "the path '/' is refused" },
    { HOSTS .. "/a//b", "'//' in the path '/a//b' is not allowed" },
    { HOSTS .. "/a/../b", "'..' in the path '/a/../b' is not allowed" },
    { HOSTS .. "/a/.", "'.' in the path '/a/.' is not allowed" },
    { HOSTS .. "/me sos", "a blank or a control character" },
    { "zk://", "a path behind the servers expected" },
    { "zk:///mesos", "there is no server in it" },
    { "zk://h1/mesos", "server 1: host:port expected, and there is no port" },
    { "zk://h1:2181,h2/mesos", "server 2: host:port expected, and there is no port" },
    { "zk://h1:2181,,h2:2181/mesos", "server 2: it is empty" },
    { "zk://h1:2181,/mesos", "server 2: it is empty" },
    { "zk://h1:2181, h2:2181/mesos", "a blank or a control character" },
    { "zk://h1:2181,zk://h2:2181/mesos", "zk:// is written once, in front of the first server" },
    { "zk://::1:2181/mesos", "server 1: it has more than one ':'", "brackets" },
    { "zk://h1:21810000/mesos", "server 1: port from 1 to 65535 expected" },
    { "zk://user@h1:2181/mesos", "user:password expected in front of the '@'" },
    { "zk://:hush@h1:2181/mesos", "the user in front of the '@' is empty" },
    { "zk://user:@h1:2181/mesos", "the password in front of the '@' is empty" },
    { "zk://user:hu/sh@h1:2181/mesos", "an '@' behind the first '/'", "neither may contain a '/'" },
    { "zk://user:hush@/mesos", "there is no server in it" },
    { "zk://user:hush@h1:2181", "a path behind the servers expected" },
    { "zk://user:hush@h1/mesos", "server 1: host:port expected" },
    { "zk://user:hush@h1:2181/a//b", "'//' in the path" },
    { "zk://" .. ("h:1,"):rep(32) .. "h:1/mesos", "more than 32 servers" },
    { "zk://h1:2181/" .. ("x"):rep(5000), "longer than 4096 characters" },
    { "zk:/h1:2181/mesos", "--master: master address 'zk:/h1:2181/mesos'", "'zk:/' has a slash too few: write zk://h1:2181/mesos" },
    { "http:/h1:5050", "--master: master address 'http:/h1:5050'", "'http:/' has a slash too few: write http://h1:5050" },
    { "https:/user:hush@h1:5050", "'https:/' has a slash too few: write https://h1:5050" },
    { "file:/etc/mesos/zk", "'file:/' has a slash too few: write file:///etc/mesos/zk" },
    { "ZK://h1:2181/mesos", "got 'ZK://': write it in small letters" },
    { "h1:5050,zk://h2:2181/mesos", "'zk://' begins the whole text, and cannot stand in a list of masters" },
    -- files
    { "file://etc/mesos/zk", "an absolute path expected, such as file:///etc/mesos/zk" },
    { "file://", "an absolute path expected" },
}

describe("an address of masters", function()
    local script

    before_each(function()
        script = program.script("return {}")
    end)

    after_each(program.cleanup)

    local function check(address)
        return program.run { args = { "check", "--master", address, script } }
    end

    it("is taken in each of its forms", function()
        for _, address in ipairs(GOOD) do
            local run = check(address)
            assert.equal(0, run.code, address .. ": " .. run.stderr)
        end
    end)

    it("is answered with what is wrong with it", function()
        for _, row in ipairs(BAD) do
            local run = check(row[1])
            assert.equal(2, run.code, row[1])
            for i = 2, #row do
                assert.is_truthy(run.stderr:find(row[i], 1, true), ("%s: no '%s' in: %s"):format(row[1], row[i], run.stderr))
            end
            assert.is_nil(run.stderr:find("hush", 1, true), run.stderr)
            assert.is_nil(run.stderr:find("sh@", 1, true), run.stderr)
            assert.is_nil(run.stderr:find("\n.+\n"), run.stderr) -- one line
        end
    end)

    it("is named by what it was given by", function()
        local run = program.run { args = { "check", script }, env = { MESOS_MASTER = "h1" } }
        assert.equal(2, run.code)
        assert.matches("MESOS_MASTER: master address 'h1': host:port expected", run.stderr, 1, true)
        local own = program.script [[
require("mesos").SchedulerDriver { scheduler = {}, framework = { name = "x" }, master = "zk://u:hush@h1:2181" }:run()]]
        run = program.run { args = { own } }
        assert.equal(2, run.code)
        assert.matches(":1: master: ZooKeeper address 'zk://h1:2181': a path behind the servers expected", run.stderr, 1, true)
        assert.is_nil(run.stderr:find("hush", 1, true), run.stderr)
    end)

    it("is asked for by a session time-out that makes sense", function()
        for _, value in ipairs { "0", "-1", "0.05", "4000", "10x", "nan", "" } do
            local run = program.run { args = { "check", "--zk-session-timeout", value, script } }
            assert.equal(2, run.code)
            assert.matches("zk%-session%-timeout: a number of seconds from 0.1 to 3600 expected, got '" .. value:gsub("%-", "%%-"),
                run.stderr)
        end
    end)
end)
