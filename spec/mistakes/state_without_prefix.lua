-- SPDX-License-Identifier: Apache-2.0
--
-- checked: states and reasons are compared with names that they never have.
--
-- says:
--   SCRIPT:15: state is never 'FINISHED' (did you mean 'TASK_FINISHED'?)
--   SCRIPT:18: state is never 'TASK_FAILD' (did you mean 'TASK_FAILED'?)
--   SCRIPT:21: reason is never 'COMMAND_EXECUTOR_FAILED' (did you mean 'REASON_COMMAND_EXECUTOR_FAILED'?)
--   SCRIPT:24: state is never 'FINISHED' (did you mean 'OPERATION_FINISHED'?)

local scheduler = { framework = { name = "x" } }

function scheduler:statusUpdate(driver, status)
    local state = status.state
    if status.state == "FINISHED" then
        driver:stop()
    end
    if state ~= "TASK_FAILD" and state ~= "TASK_RUNNING" then
        driver:abort()
    end
    return function() return "COMMAND_EXECUTOR_FAILED" == status.reason end
end

function scheduler:operationStatusUpdate(driver, status) return status.state == "FINISHED" end

return scheduler
