-- SPDX-License-Identifier: Apache-2.0
--
-- warned: a callback is a table.
--
-- says:
--   SCRIPT: statusUpdate is no callback: a function expected, got table

return { framework = { name = "x" }, statusUpdate = {} }
