-- SPDX-License-Identifier: Apache-2.0
--
-- found: a state is written as a constant.
--
-- says:
--   callback statusUpdate: SCRIPT:11: undeclared global 'TASK_RUNNING' (was the string "TASK_RUNNING" meant, in quotes?)

local scheduler = { framework = { name = "x" } }

function scheduler:statusUpdate(driver, status)
    if status.state == TASK_RUNNING then
        driver:stop()
    end
end

return scheduler
