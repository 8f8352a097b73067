-- SPDX-License-Identifier: Apache-2.0
--
-- A cluster to try things on: build/mesos-lua --cluster examples/cluster.lua examples/pack.lua
-- or, for any Mesos client: build/mesos-lua local --cluster examples/cluster.lua
--
-- The file is Lua without files, processes and libraries, and returns a table. The same table in JSON works as well, in
-- a file whose name ends in .json. What the agents' resources do not name is this machine's, each has its part.

local function zone(name, count, resources)
  return {
    count = count,                                -- agents that are alike; 1 if it is left out
    resources = resources,
    attributes = {
      zone = name,                                -- a text; 7 is a number, { { 1, 4 } } ranges, { "a", "b" } a set
      disk = "ssd",
    },
    hostname = name .. "-%02d.example",           -- %d, or %02d with two digits, is the number in the group, from 1
    domain = { region = "home", zone = name },    -- agents in another region than the master's are offered to
  }                                               -- frameworks with the capability REGION_AWARE
end

return {
  agents = {
    zone("a", 2, "cpus:4;mem:4096;disk:10000;ports:[31000-31999]"),
    zone("b", 1, { cpus = 8, mem = 8192, disk = 20000, ports = { { 31000, 31999 } } }),
    zone("c", 1, {                                -- resources of several kinds
      "cpus:2;mem:2048;disk:10000;ports:[]",
      { role = "eng", resources = "cpus:2;mem:2048" },                     -- reserved by the agent
      { role = "eng", principal = "ops", resources = { disk = 5000 } },    -- reserved later, by that principal
      { resources = "disk:8000", disk = { type = "PATH", root = "spare" } },     -- a folder for volumes, of each agent
      { resources = "disk:4000", disk = { type = "MOUNT", root = "device" } },   -- one that is a volume as a whole
    }),
  },

  roles = {
    eng = { weight = 2 },                         -- twice the share of a role without a weight
    batch = { limits = { cpus = 6 } },            -- what it may have at most
    web = { guarantees = { cpus = 2, mem = 1024 }, limits = { cpus = 8 } },    -- what is kept free for it
  },

  master = { domain = { region = "home", zone = "a" } },    -- that of the first agent if it is left out

  -- credentials = { { principal = "me", secret = "secret" } },    -- who may use it; all if it is left out
}
