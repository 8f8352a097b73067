-- SPDX-License-Identifier: Apache-2.0
--
-- A script that builds its drivers itself: the first one is aborted when it has seen an offer, and leaves the
-- framework to a second one, which takes over its id and ends it.
--
--   mesos-lua examples/own_driver.lua [MASTER]

local mesos = require "mesos"

local framework = { name = "own driver", failover_timeout = 60 }

local first = {}

function first:registered(_, id)
    framework.id = id
end

function first:resourceOffers(driver, offers)
    print("first", #offers > 0, driver:abort())
end

local second = {}

function second:registered(driver, id)
    print("second", id == framework.id, driver:stop())
end

local driver = mesos.SchedulerDriver { scheduler = first, framework = framework, master = arg[1] }
driver:start()
print(driver:join(), driver:status())

driver = mesos.SchedulerDriver { scheduler = second, framework = framework, master = arg[1] }
print(driver:run())
os.exit(driver:status() == mesos.DRIVER_STOPPED)
