-- SPDX-License-Identifier: Apache-2.0
--
-- Certificates, made by the openssl command as a spec needs them, and TLS in front of a scripted server, by socat, as
-- libuv has none. All files lie in a directory that program.cleanup() removes, and it ends the terminators.
--
--   local tls = require("support.tls")
--   local authority = tls.authority("spec authority")
--   local certificate = authority:issue { names = "DNS:localhost" }         -- { cert =, key = }, paths
--   local front = tls.front(m.server, { certificate = certificate })          -- front.port, front.address
--   tls.front(m.server, { certificate = certificate, clients = authority })   -- asks for a certificate of that authority

local program = require("support.program")
local server = require("support.server")

local M = {}

local Authority = {}
Authority.__index = Authority

local function openssl(directory, ...)
    local done = program.run { path = "openssl", args = { ... }, cwd = directory }
    assert(done.code == 0, done:report())
end

local KEY = { "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes" }

local function request(directory, name, subject, ...)
    local args = { "req", "-keyout", name .. ".key", "-subj", "/CN=" .. subject, ... }
    table.move(KEY, 1, #KEY, #args + 1, args)
    openssl(directory, table.unpack(args))
end

-- A new authority that is not among the system's; its certificate is in `cert`, in PEM.
function M.authority(name)
    local directory = program.directory()
    request(directory, "ca", name, "-x509", "-out", "ca.pem", "-days", "2")
    return setmetatable({ directory = directory, cert = directory .. "/ca.pem", issued = 0 }, Authority)
end

-- Options: names (subjectAltName, "DNS:localhost" if not given), subject ("master"), days (2; -1: expired).
function Authority:issue(options)
    options = options or {}
    self.issued = self.issued + 1
    local name = "issued" .. self.issued
    local extensions = self.directory .. "/" .. name .. ".ext"
    local file = assert(io.open(extensions, "w"))
    file:write("subjectAltName=", options.names or "DNS:localhost", "\n")
    file:close()
    request(self.directory, name, options.subject or "master", "-out", name .. ".csr")
    openssl(self.directory, "x509", "-req", "-in", name .. ".csr", "-CA", "ca.pem", "-CAkey", "ca.key",
        "-CAcreateserial", "-days", tostring(options.days or 2), "-extfile", extensions, "-out", name .. ".pem")
    return { cert = self.directory .. "/" .. name .. ".pem", key = self.directory .. "/" .. name .. ".key" }
end

-- TLS on a free port, in front of a server of support.server. Options: certificate, clients (an authority), versions
-- (more of socat's options, such as "openssl-max-proto-version=TLS1.2").
function M.front(behind, options)
    local listen = {
        "", "bind=127.0.0.1", "reuseaddr", "fork", "cert=" .. options.certificate.cert, "key=" .. options.certificate.key,
        options.clients and "cafile=" .. options.clients.cert or nil,
    }
    listen[#listen + 1] = options.clients and "verify=1" or "verify=0"
    listen[#listen + 1] = options.versions
    for _ = 1, 5 do -- a port that was free may be taken a moment later
        local port = server.unused_address():match(":(%d+)$")
        listen[1] = "OPENSSL-LISTEN:" .. port
        local run = program.start {
            path = "socat", args = { "-d", "-d", table.concat(listen, ","), "TCP:" .. behind.address },
        }
        if pcall(run.wait_for, run, "listening on") then
            return { port = tonumber(port), address = "https://localhost:" .. port, run = run }
        end
    end
    error("socat does not listen")
end

return M
