-- SPDX-License-Identifier: Apache-2.0
--
-- The subscription: prints where the framework is registered and when that changes, subscribes again every hour (since
-- a proxy on the way may cut older connections), and ends when the master reports an error.
--
--   mesos-lua --master leader:5050 examples/watch.lua [SECONDS]

local mesos = require "mesos"

local watch = { framework = { name = "watch", failover_timeout = 60 } }

local function show(word, driver)
    local master = driver:master()
    print(word, driver:frameworkId(), master and master.hostname, master and master.version)
    io.stdout:flush()
end

function watch:registered(driver)
    show("registered", driver)
    mesos.every(tonumber(arg[1]) or 3600, function()
        driver:reconnect()
    end)
end

function watch:reregistered(driver)
    show("reregistered", driver)
end

function watch:disconnected(driver)
    show("disconnected", driver)
end

function watch:error(driver, message)
    mesos.log.error("%s: %s", driver:status(), message)
end

return watch
