-- SPDX-License-Identifier: Apache-2.0
--
-- check: a time is written as a text.
--
-- says:
--   SCRIPT: framework.failover_timeout: number expected, got string

return { framework = { name = "x", failover_timeout = "1hrs" } }
