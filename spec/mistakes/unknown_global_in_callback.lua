-- SPDX-License-Identifier: Apache-2.0
--
-- found: a misspelt variable in a callback.
--
-- says:
--   callback statusUpdate: SCRIPT:14: assignment to the undeclared global 'launced' in a function (did you mean 'launched'? Otherwise write 'local launced', or declare it by an assignment in a main chunk)

local launched = 0

local scheduler = { framework = { name = "x" } }

function scheduler:statusUpdate(driver, status)
    if status.state == "TASK_RUNNING" then
        launced = launched + 1
    end
end

return scheduler
