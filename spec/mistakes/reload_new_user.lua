-- SPDX-License-Identifier: Apache-2.0
--
-- reload: a field that Mesos does not let a framework change is changed.
--
-- says:
--   SCRIPT was not reloaded (a file changed), the version that runs goes on: SCRIPT: framework.user: Mesos does not let a framework change its user while it is registered; put the old value back, or start the program again

return { framework = { name = "x", user = "other-user" } }
