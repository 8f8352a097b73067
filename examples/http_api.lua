-- SPDX-License-Identifier: Apache-2.0
--
-- A framework with an HTTP API: POST a command and get the name of a job, GET the job's state.
--
--   mesos-lua examples/http_api.lua [ADDR:PORT]
--   curl -d 'sleep 5; echo done' http://127.0.0.1:8080/jobs       job-1
--   curl http://127.0.0.1:8080/jobs/job-1                         TASK_RUNNING
--   curl http://127.0.0.1:8080/jobs/job-1?wait=10                 waits up to 10 seconds for the end

local mesos = require "mesos"

---@type mesos.Scheduler
local api = { framework = { name = "http_api" } }

local FINAL = { TASK_FINISHED = true, TASK_FAILED = true, TASK_KILLED = true, TASK_ERROR = true, TASK_LOST = true }
local NEED = { cpus = 0.1, mem = 32 }

-- Kept over a reload: the jobs by their names, and the names of those that wait.
local state = mesos.state
state.jobs, state.waiting, state.count = state.jobs or {}, state.waiting or {}, state.count or 0

local driver -- the callbacks and the handler share it

-- ---- requests ----

local function add_job(request)
    if request.body == "" then
        return { status = 400, body = "the body is the command\n" }
    end
    state.count = state.count + 1
    local id = "job-" .. state.count
    state.jobs[id] = { command = request.body, state = "waiting for an offer" }
    table.insert(state.waiting, id)
    if driver then
        driver:reviveOffers()
    end
    return { status = 201, headers = { Location = "/jobs/" .. id }, body = id .. "\n" }
end

-- A handler may wait: meanwhile other requests, and the events of the master, go on.
local function show_job(request, id)
    local job = state.jobs[id]
    if not job then
        return { status = 404, body = "no such job\n" }
    end
    local patience = mesos.now() + math.min(tonumber(request.query.wait) or 0, 50)
    while not FINAL[job.state] and mesos.now() < patience do
        mesos.sleep(0.1)
    end
    return job.state .. "\n"
end

local function handle(request)
    local id = request.path:match("^/jobs/([%w-]+)$")
    if request.method == "POST" and request.path == "/jobs" then
        return add_job(request)
    elseif request.method == "GET" and id then
        return show_job(request, id)
    end
    return { status = 404, body = "POST /jobs and GET /jobs/NAME are what there is\n" }
end

local server = assert(mesos.serve { address = arg[1] or "127.0.0.1:8080", handler = handle })
print("listening on " .. server.address)

-- ---- callbacks ----

function api:registered(its_driver)
    driver = its_driver
end

function api:reloaded(its_driver)
    driver = its_driver
end

function api:resourceOffers(its_driver, offers)
    for _, offer in ipairs(offers) do
        local tasks, later = {}, {}
        for _, id in ipairs(state.waiting) do
            local resources = offers:take(offer, NEED)
            if resources then
                tasks[#tasks + 1] = {
                    name = id, task_id = id, agent_id = offer.agent_id, command = { value = state.jobs[id].command },
                    resources = resources,
                }
            else
                later[#later + 1] = id
            end
        end
        state.waiting = later
        its_driver:launchTasks(offer.id, tasks)
    end
    if #state.waiting == 0 then
        its_driver:suppressOffers()
    end
end

function api:statusUpdate(_, status)
    local job = state.jobs[status.task_id]
    if job then
        job.state = status.state
    end
end

return api
