-- SPDX-License-Identifier: Apache-2.0
--
-- reload: a version that does not parse.
--
-- says:
--   SCRIPT was not reloaded (a file changed), the version that runs goes on: SCRIPT:9: '}' expected (to close '{' at line 8) near <eof>

return { framework = { name = "x" }
