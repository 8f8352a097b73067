-- SPDX-License-Identifier: Apache-2.0
--
-- The scheduler that first_fit.lua, best_fit.lua and spread.lua have in common: takes jobs by `submit`, keeps those of
-- each role in their order, and places each where a function says. A job that is too large for now does not hold up
-- those behind it. The task of a lost agent is launched again; one that failed is not.
--
-- Nothing in here knows whether it runs in production or in a simulation.

local M = {}

local ROLES = { "science", "web" }
local AGAIN = { TASK_LOST = true, TASK_UNREACHABLE = true, TASK_GONE = true, TASK_DROPPED = true }

local function task_of(job, offer, resources)
    job.tries = job.tries + 1
    return {
        name = job.id, task_id = ("%s.%d"):format(job.id, job.tries), agent_id = offer.agent_id, resources = resources,
        command = { value = job.command },
    }
end

-- `choose(offers, need)` returns the offer for a task, or nil. The scheduler's name is that of its policy.
function M.scheduler(name, choose)
    local scheduler = { framework = { name = name, roles = ROLES } }
    local waiting, running = { science = {}, web = {} }, {} -- jobs by role; jobs by the id of their task

    -- The first job of a role that waits lets the master make it offers.
    local function add(driver, job)
        local queue = waiting[job.role]
        queue[#queue + 1] = job
        if #queue == 1 then
            driver:reviveOffers { job.role }
        end
    end

    function scheduler:submit(driver, job)
        if not waiting[job.role] then
            return nil, ("role: one of %s expected"):format(table.concat(ROLES, ", "))
        end
        add(driver, {
            id = job.id, role = job.role, tries = 0, command = job.command or ("sleep %g"):format(job.duration),
            need = { cpus = job.cpus, mem = job.mem, role = job.role },
        })
        return { id = job.id }
    end

    -- The jobs of a role that fit, as tasks by offer; the others wait on.
    local function place(offers, role, tasks)
        local later = {}
        for _, job in ipairs(waiting[role]) do
            local offer = choose(offers, job.need)
            if offer then
                local task = task_of(job, offer, offers:take(offer, job.need))
                tasks[offer.id] = tasks[offer.id] or {}
                table.insert(tasks[offer.id], task)
                running[task.task_id] = job
            else
                later[#later + 1] = job
            end
        end
        waiting[role] = later
    end

    function scheduler:resourceOffers(driver, offers)
        local tasks = {}
        for _, role in ipairs(ROLES) do
            place(offers, role, tasks)
        end
        for _, offer in ipairs(offers) do
            if tasks[offer.id] then
                driver:launchTasks(offer.id, tasks[offer.id])
            end
        end
        driver:declineOffer(offers:ids())
        for _, role in ipairs(ROLES) do
            if #waiting[role] == 0 then
                driver:suppressOffers { role }
            end
        end
    end

    function scheduler:statusUpdate(driver, status)
        local job = running[status.task_id]
        if job and not driver:task(status.task_id).active then
            running[status.task_id] = nil
            if AGAIN[status.state] then
                add(driver, job)
            end
        end
    end

    return scheduler
end

return M
