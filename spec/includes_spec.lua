-- SPDX-License-Identifier: Apache-2.0
--
-- The check of who includes what finds what breaks the rules, and nothing else.

local program = require("support.program")

after_each(program.cleanup)

local function check(files)
    local root = program.files(files)
    require("luv").fs_mkdir(root .. "/bindings", tonumber("755", 8))
    return program.run({ path = "/usr/bin/lua5.4", args = { "spec/support/includes.lua", root } })
end

describe("the check of who includes what", function()
    it("is content with this tree", function()
        local run = program.run({ path = "/usr/bin/lua5.4", args = { "spec/support/includes.lua", "." } })
        assert.equal(0, run.code, run:report())
    end)

    it("is content with arrows that point down", function()
        local run = check({
            ["host/mesos/driver.c"] = '#include "base/log.h"\n#include "net/url.h"\n#include "mesos/v1/mesos.pb-c.h"\n',
            ["host/script/protect.c"] = '#include "loop/loop.h"\n#include <lua.h>\n',
            ["host/cli/main.c"] = '#include "app/options.h"\n#include "ops/control.h"\n',
        })
        assert.equal(0, run.code, run:report())
    end)

    for include, path in pairs({
        ['"net/url.h"'] = "host/base/log.c", ['"script/script.h"'] = "host/mesos/driver.c",
        ['"mesos/driver.h"'] = "host/script/script.c", ['"cluster/cluster.h"'] = "host/offers/offer_table.h",
        ['"bindings/message/message_codec.h"'] = "host/agent/agent.c", ["<lua.h>"] = "host/mesos/acknowledgements.c",
        ["<curl/curl.h>"] = "host/mesos/transport_http.c", ["<microhttpd.h>"] = "host/master/master.c",
        ["<uv.h>"] = "host/script/tasks.c", ["<zookeeper/zookeeper.h>"] = "host/leader/detector.c",
        ['"elsewhere/x.h"'] = "host/net/curl_loop.c",
    }) do
        it("refuses " .. include .. " in " .. path, function()
            local run = check({ [path] = "// first line\n#include " .. include .. "\n" })
            assert.equal(1, run.code, run:report())
            assert.equal(path .. ":2: ", run.stderr:sub(1, #path + 4))
        end)
    end
end)
