-- SPDX-License-Identifier: Apache-2.0
--
-- Roles that come and go: the framework starts with one role for which it wants no offers yet, and makes the changes
-- that its arguments name, one a second: "want ROLE", "enough ROLE", "add ROLE", "drop ROLE", "need CPUS".
--
--   mesos-lua examples/roles.lua 'add web' 'want dev'

local mesos = require "mesos"

local roles = {
    framework = { name = "roles", roles = { "dev" } },
    suppressedRoles = { "dev" },
}

local current = { "dev" }
local suppressed = { dev = true }

-- All of the FrameworkInfo goes to the master, with the roles that stay suppressed.
local function update(driver)
    local list = {}
    for _, role in ipairs(current) do
        list[#list + 1] = suppressed[role] and role or nil
    end
    driver:updateFramework({ name = "roles", roles = current, capabilities = { { type = "MULTI_ROLE" } } }, list, nil)
end

local commands = {}

function commands.want(driver, role)
    suppressed[role] = nil
    driver:reviveOffers { role }
end

function commands.enough(driver, role)
    suppressed[role] = true
    driver:suppressOffers { role }
end

function commands.add(driver, role)
    current[#current + 1] = role
    update(driver)
end

function commands.drop(driver, role)
    for i = #current, 1, -1 do
        if current[i] == role then
            table.remove(current, i)
        end
    end
    suppressed[role] = nil
    update(driver)
end

-- A hint to the allocator, which the one that Mesos has does not take.
function commands.need(driver, cpus)
    driver:requestResources { { resources = mesos.resources { cpus = tonumber(cpus) } } }
end

local function change(driver, line)
    local word, argument = line:match("^(%a+) (%S+)$")
    assert(commands[word], "not a command: " .. line)(driver, argument)
end

-- Beside the callbacks: one that waited here would hold up all events.
function roles:registered(driver)
    mesos.spawn(function()
        for _, line in ipairs(arg) do
            change(driver, line)
            mesos.sleep(1)
        end
    end)
end

function roles:resourceOffers(driver, offers)
    for _, offer in ipairs(offers) do
        print(offer.allocation_info.role, offer.hostname, offer.cpus)
        driver:declineOffer(offer.id, { refuse_seconds = 60 })
    end
    io.stdout:flush()
end

return roles
