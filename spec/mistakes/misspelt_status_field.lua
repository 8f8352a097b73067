-- SPDX-License-Identifier: Apache-2.0
--
-- found: a status that is to be reconciled has a misspelt id.
--
-- says:
--   unknown field 'taskid' in TaskStatus (did you mean 'task_id'?)

local scheduler = { framework = { name = "x" } }

function scheduler:resourceOffers(driver, offers)
    driver:reconcileTasks({ { taskid = "a", agent_id = offers[1].agent_id } })
end

return scheduler
