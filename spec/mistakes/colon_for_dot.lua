-- SPDX-License-Identifier: Apache-2.0
--
-- run: functions of the module are called with a colon.
--
-- says:
--   SCRIPT:25: mesos.after is called with a dot, not a colon: write mesos.after(...)
--   SCRIPT:26: mesos.every is called with a dot, not a colon: write mesos.every(...)
--   SCRIPT:27: mesos.sleep is called with a dot, not a colon: write mesos.sleep(...)
--   SCRIPT:28: mesos.spawn is called with a dot, not a colon: write mesos.spawn(...)
--   SCRIPT:29: mesos.exec is called with a dot, not a colon: write mesos.exec(...)
--   SCRIPT:30: mesos.http is called with a dot, not a colon: write mesos.http(...)
--   SCRIPT:31: mesos.resources is called with a dot, not a colon: write mesos.resources(...)
--   SCRIPT:32: mesos.offers is called with a dot, not a colon: write mesos.offers(...)
--   SCRIPT:33: mesos.now is called with a dot, not a colon: write mesos.now(...)
--   SCRIPT:34: mesos.exit is called with a dot, not a colon: write mesos.exit(...)
--   SCRIPT:35: mesos.log.debug is called with a dot, not a colon: write mesos.log.debug(...)
--   SCRIPT:36: mesos.log.info is called with a dot, not a colon: write mesos.log.info(...)
--   SCRIPT:37: mesos.log.warning is called with a dot, not a colon: write mesos.log.warning(...)
--   SCRIPT:38: mesos.log.error is called with a dot, not a colon: write mesos.log.error(...)
--   SCRIPT:39: mesos.SchedulerDriver is called with a dot, not a colon: write mesos.SchedulerDriver(...)
--   callback resourceOffers: SCRIPT:48: all said

local mesos = require "mesos"
local calls = {
    function() mesos:after(1, print) end,
    function() mesos:every(1, print) end,
    function() mesos:sleep(1) end,
    function() mesos:spawn(print) end,
    function() mesos:exec { "true" } end,
    function() mesos:http { url = "http://127.0.0.1:1/" } end,
    function() mesos:resources { cpus = 1 } end,
    function() mesos:offers {} end,
    function() return mesos:now() end,
    function() mesos:exit() end,
    function() mesos.log:debug("x") end,
    function() mesos.log:info("x") end,
    function() mesos.log:warning("x") end,
    function() mesos.log:error("x") end,
    function() mesos:SchedulerDriver {} end,
}

local scheduler = { framework = { name = "x" } }

function scheduler:resourceOffers(driver, offers)
    for _, call in ipairs(calls) do
        mesos.log.info("%s", select(2, pcall(call)))
    end
    error("all said")
end

return scheduler
