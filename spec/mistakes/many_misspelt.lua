-- SPDX-License-Identifier: Apache-2.0
--
-- checked: misspelt fields in what operations are given, in what they return, and texts that nothing has.
--
-- says:
--   SCRIPT:21: unknown field 'nam' in TaskInfo (did you mean 'name'?)
--   SCRIPT:21: unknown field 'taskid' in TaskInfo (did you mean 'task_id'?)
--   SCRIPT:22: unknown field 'valu' in CommandInfo (did you mean 'value'?)
--   SCRIPT:25: cpu: no agent has such a resource (did you mean 'cpus'?)
--   SCRIPT:28: driver:tasks: the filter 'stat' is unknown (did you mean 'state'?)
--   SCRIPT:29: Task has no field 'taskid' (did you mean 'task_id'?)
--   SCRIPT:31: there is no TaskState 'TASK_FINISHD' (did you mean 'TASK_FINISHED'?)
--   SCRIPT:32: state is never 'FINISHED' (did you mean 'TASK_FINISHED'?)

local mesos = require "mesos"

local scheduler = { framework = { name = "x" } }

function scheduler:resourceOffers(driver, offers)
    local task = {
        nam = "x", taskid = "t", agent_id = offers[1].agent_id,
        command = { valu = "true" },
        resources = mesos.resources { cpus = 1 },
    }
    if offers:best_fit({ cpu = 1 }) then
        driver:launchTasks(offers[1].id, { task })
    end
    for known in driver:tasks { stat = "TASK_RUNNING" } do
        print(known.taskid)
    end
    for known in driver:tasks { state = "TASK_FINISHD" } do
        if known.state == "FINISHED" then
            print(known.task_id)
        end
    end
end

return scheduler
