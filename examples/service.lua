-- SPDX-License-Identifier: Apache-2.0
--
-- Keeps three instances of a small web server alive. Edit this file while it runs, for instance the text that is
-- served: the instances are replaced one by one, each when a new one answers.
--
--   mesos-lua --state web.state examples/service.lua

local keeper = require("mesos.services").keeper {
    name = "web",
    on_ready = function(id) print(id .. " is ready") io.stdout:flush() end,
}
keeper:service {
    id = "web", instances = 3, cpus = 0.1, mem = 32, ports = { "http" },
    command = "echo 'Hello, first version' > index.html; exec python3 -m http.server $PORT_HTTP",
    health = { http = "/index.html", interval = 0.2, grace = 10 },
}
return keeper
