-- SPDX-License-Identifier: Apache-2.0
--
-- check: a module that is not there.
--
-- says:
--   SCRIPT:8: module 'jsonn' not found:

local json = require "jsonn"

return { framework = { name = json.encode({}) } }
