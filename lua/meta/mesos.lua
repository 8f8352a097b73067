---@meta mesos

-- SPDX-License-Identifier: Apache-2.0
--
-- What scripts see: the module, the scheduler table with its callbacks, the driver. The messages are in messages.lua.
-- Editors with a Lua language server read these files; nothing runs them.

-- A main chunk may run for --load-limit seconds, at the start and in a reload, and cannot wait. Callbacks, timers and
-- spawned functions can; their limit is --callback-limit.

-- The module. A wrong argument raises an error that names it; what can go wrong in the world comes back as nil, a message
-- and a code.
---@class mesos
---@field version string
---@field state table survives a reload, and with --state FILE a restart: see below
---@field log mesos.log
---@field DRIVER_NOT_STARTED "DRIVER_NOT_STARTED"
---@field DRIVER_RUNNING "DRIVER_RUNNING"
---@field DRIVER_ABORTED "DRIVER_ABORTED"
---@field DRIVER_STOPPED "DRIVER_STOPPED"
local mesos = {}

-- Plain data that outlives this version of the script: nil, booleans, numbers, strings and tables of them, nested, shared
-- and in cycles; keys are strings, numbers or booleans. A function, userdata, coroutine or table with a metatable in it
-- is an error in the log that names its path, and nothing is stored until it is gone; of an offer or a status store its
-- :table(). It is always the same table, and another may be assigned.
--
-- With --state FILE it is written to FILE, whole or not at all, at the latest a second after a change. No call is sent
-- before what the script had written here by then is on disk, so a task that was launched and an update that was
-- acknowledged are known after a crash. The reverse does not hold: a call for what was written here may not have been
-- sent. Ask for such tasks by their ids (driver:reconcileTasks), and expect updates that come twice. The whole table is
-- written each time: a few megabytes are fine, 64 MiB is the limit. With --elect it is kept in ZooKeeper in the same way,
-- up to 900 kB, and the next leader begins with it.
---@type table
mesos.state = {}

---@alias mesos.Status
---| "DRIVER_NOT_STARTED"
---| "DRIVER_RUNNING"
---| "DRIVER_ABORTED"
---| "DRIVER_STOPPED"

---@class mesos.DriverOptions
---@field scheduler mesos.Scheduler
---@field framework mesos.FrameworkInfo? absent fields get defaults: `user` is the user of the process
---@field master string? where the master is: host:port[,...], zk://host:port[,...]/path, file:///path or local[:N]; default: that of the command line, and with --sandbox no other
---@field implicitAcknowledgements boolean? default: true
---@field suppressedRoles string[]?
---@field offerConstraints mesos.OfferConstraints?
---@field credential mesos.Credential? principal and secret for the master; default: those of the command line

-- Makes a driver for a script that runs its drivers itself. Such a script cannot be reloaded. With --sandbox, `master`
-- may only be what the command line has: another one raises.
---@param options mesos.DriverOptions
---@return mesos.SchedulerDriver
function mesos.SchedulerDriver(options) end

-- A list of Resource from a table or a text:
--
--     mesos.resources { cpus = 0.5, mem = 128, ports = { { 31000, 31009 } } }
--     mesos.resources "cpus:0.5;mem:128;ports:[31000-31009]"
--     mesos.resources "cpus(web):2;cpus{REV}:4"     -- reserved for a role; revocable
---@param resources table<string, number|mesos.Value.Range[]|integer[][]|string[]>|string
---@return mesos.Resource[]
function mesos.resources(resources) end

-- A list of the same offers with the methods of mesos.Offers, from which nothing has been taken yet; without a list, an
-- empty one. For lists that a script keeps over several callbacks, and for a second plan that ignores what the first took.
---@param list mesos.Offer[]?
---@return mesos.Offers
function mesos.offers(list) end

-- Calls `fn` once, after so many seconds.
---@param seconds number
---@param fn fun()
---@return mesos.Timer
function mesos.after(seconds, fn) end

-- Calls `fn` every so many seconds until it is cancelled. A call that is due while the
-- one before still runs is left out.
---@param seconds number
---@param fn fun()
---@return mesos.Timer
function mesos.every(seconds, fn) end

-- Suspends the callback, timer or spawned function that calls it. Timers go on; the next event waits.
---@param seconds number
function mesos.sleep(seconds) end

-- Calls fn(...) soon, beside what runs now; it may wait without holding up events.
---@param fn fun(...)
function mesos.spawn(fn, ...) end

-- How a child process ended. Either `status` or `signal` is present.
---@class mesos.ExecResult
---@field status integer? the exit status
---@field signal integer? the signal that ended it
---@field stdout string
---@field stderr string

---@class mesos.ExecOptions
---@field timeout number? seconds, math.huge for none; default: 60
---@field limit integer? bytes of standard output, and as many of standard error; default: 1 MiB
---@field stdin string? its standard input; default: nothing
---@field env table<string, string|number|false>? variables that are added to those of the host or replace them; false removes one
---@field cwd string? default: the folder that the host was started in

-- Runs a program, looked up in PATH, without a shell, and waits for it as mesos.sleep does. It leads a process group
-- that is killed when it takes longer than the timeout or writes more than the limit; what it leaves in the background
-- is killed when it ends, and it is killed itself when the script is reloaded or the host ends. A process that it moved
-- to a session of its own (setsid) is killed when the host ends.
--
-- A process that ended, in whatever way, is a result. Otherwise the values are nil, a message and a code: "ENOENT",
-- "EACCES" and other names of system errors if it cannot be run, "EAGAIN" if 256 run already, "ECANCELED" if the process
-- that starts programs was killed; "ETIMEDOUT" and "ENOBUFS" (the limit) with the partial result as a fourth value. Not
-- available with --sandbox.
--
--     local result = assert(mesos.exec({ "git", "rev-parse", "HEAD" }, { cwd = "/src", timeout = 5 }))
--     local words = mesos.exec({ "sh", "-c", "sort | uniq -c" }, { stdin = text })
---@param argv (string|number)[] the program and its arguments
---@param options mesos.ExecOptions?
---@return mesos.ExecResult? result
---@return string? message
---@return string? code
---@return mesos.ExecResult? partial
function mesos.exec(argv, options) end

---@class mesos.ProcessOptions
---@field stdout fun(text: string)? is given the output as it comes; default: it goes where that of the host goes
---@field stderr fun(text: string)? the same
---@field stdin string? its standard input; default: nothing
---@field env table<string, string|number|false>? as for mesos.exec
---@field cwd string? default: the folder that the host was started in

-- Starts a program that runs beside the script, and returns at once. It is looked up, and ends with the script or the
-- host, as one of mesos.exec; there is neither a time-out nor a limit. The functions for its output are called one piece
-- after the other; while one waits, the program is not read. If it cannot be run, that is what wait() says; with 4096
-- that run already the values are nil, a message and "EAGAIN". Not available with --sandbox.
--
--     local process = assert(mesos.process({ "make", "-j4" }, { cwd = "/src", stdout = io.write }))
--     mesos.after(60, function() process:kill() end)
--     local result = assert(process:wait())
---@param argv (string|number)[] the program and its arguments
---@param options mesos.ProcessOptions?
---@return mesos.Process? process
---@return string? message
---@return string? code
function mesos.process(argv, options) end

-- A request, as a handler of mesos.serve is given it.
---@class mesos.Request
---@field method string such as "GET"
---@field path string decoded, without the query
---@field query table<string, string> its arguments, decoded; of one that comes twice the last counts
---@field headers table<string, string> names are found in any case; what comes twice is joined by ", "
---@field body string
---@field peer string the client's "ADDR:PORT"

-- An answer. A text alone is a body with status 200. Without a content type it is plain text in UTF-8.
---@class mesos.Response
---@field status integer? default: 200
---@field headers table<string, string|number>? the server itself sets the length and the connection
---@field body string? default: ""

---@class mesos.ServeOptions
---@field address string "ADDR:PORT" to listen on, ADDR in numbers or localhost (127.0.0.1); port 0 is any free one
---@field handler fun(request: mesos.Request): string|mesos.Response
---@field tls { cert: string, key: string }? names of files in PEM; default: plain HTTP
---@field hosts string[]? more names that a request may have in its Host header, or in an Origin
---@field limit integer? bytes of a body, above which a request is refused with 413; default: 1 MiB
---@field requests integer? that may be under way, above which they are refused with 503; default: 256. One whose client has
---  left counts until its handler has ended
---@field timeout number? seconds after which a handler that waits is ended, and its request answered with 504; default: 60

-- Serves HTTP. The handler is called for each request, in a routine of its own: it may wait and does not hold up events.
-- An error in it is answered with 500, without its text, and is in the log. Requests that a web page may have made (they
-- have an Origin) or that are meant for another name than the server's are refused with 403.
--
-- The listening socket and its connections survive a reload, if the new version serves the same address; requests that
-- the old one had not answered get a 503. With the same address text and port 0 the port stays the same. If it cannot
-- listen, the values are nil, a message and a code such as "EADDRINUSE". Not available with --sandbox, unless
-- --allow-serve is given.
--
--     local server = assert(mesos.serve { address = "127.0.0.1:8080", handler = function(request)
--         return { status = 404, body = "no " .. request.path .. "\n" }
--     end })
---@param options mesos.ServeOptions
---@return mesos.Server? server
---@return string? message
---@return string? code
function mesos.serve(options) end

-- What mesos.serve returns. Closing it twice raises no error.
---@class mesos.Server
---@field address string "ADDR:PORT", with the port that was chosen
local Server = {}

-- Listens no more. Requests that a handler has begun with are answered.
function Server:close() end

-- A random UUID (version 4) as text, such as "0b1c5c5e-5d0b-4c0e-9a57-0d8a1f0c2b7e".
---@return string
function mesos.uuid() end

-- A child of mesos.process. A wrong argument raises.
---@class mesos.Process
local Process = {}

-- Waits for its end, as mesos.sleep does, and for the functions of its output. Any number of functions may wait, and
-- once it has ended it returns at once. If it still runs after the seconds: nil, a message and "ETIMEDOUT".
---@param seconds number? default: math.huge
---@return { status: integer?, signal: integer? }? result
---@return string? message
---@return string? code
function Process:wait(seconds) end

-- Sends a signal to it and its process group. False: it has ended already.
---@param signal string|integer? default: "SIGTERM"
---@return boolean
function Process:kill(signal) end

-- Nil before it has started, and when it has ended.
---@return integer?
function Process:pid() end

---@class mesos.HttpRequest
---@field url string http or https
---@field method string? default: "GET", or "POST" with a body
---@field headers table<string, string|number>?
---@field body string?
---@field timeout number? seconds for all of it, math.huge for none; default: 30
---@field limit integer? bytes of the reply's body; default: 1 MiB
---@field redirects integer? the most redirects to follow, up to 50; default: 0
---@field ca_file string? certificates of the authorities to trust, in PEM; default: those of the system
---@field insecure boolean? accept any certificate; default: false

---@class mesos.HttpReply
---@field status integer
---@field headers table<string, string> the names are lower case, and may be read in any case; repeated headers are joined
---@field body string

-- Sends a request to a web server and waits for the whole reply as mesos.sleep does. A reply of any status is a result.
-- Otherwise the values are nil, a message without user, password and query of the address, and a code: "ENOTFOUND",
-- "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "ETLS", "EPROTO", "ELOOP" (redirects), "ENOBUFS" (the limit), "EAGAIN" (256
-- are under way), or the name of another system error. Proxies are taken from http_proxy, https_proxy, all_proxy and
-- no_proxy, but never for this machine.
--
--     local reply = assert(mesos.http "http://127.0.0.1:8080/queue")
--     mesos.http { url = hook, body = text, headers = { ["Content-Type"] = "text/plain" }, timeout = 5 }
---@param request mesos.HttpRequest|string
---@return mesos.HttpReply? reply
---@return string? message
---@return string? code
function mesos.http(request) end

-- Seconds since the Unix epoch, by the clock of the loop.
---@return number
function mesos.now() end

-- Ends the process in an orderly way: the driver is stopped first. Does not return.
---@param code integer? default: 0
function mesos.exit(code) end

-- What mesos.after and mesos.every return. A function that raises is logged with a traceback; mesos.every goes on.
---@class mesos.Timer
local Timer = {}

-- Prevents further calls. Legal for a timer that has been called or cancelled already.
---@return boolean pending true if a call was still to come
function Timer:cancel() end

-- One line each on standard error; `format` is that of string.format. A format that its arguments do not fit raises.
---@class mesos.log
local log = {}

-- Shown with --verbose.
---@param format string
function log.debug(format, ...) end

-- What an operator wants to know of a framework that works.
---@param format string
function log.info(format, ...) end

-- What should not happen, and that the script copes with.
---@param format string
function log.warning(format, ...) end

-- What an operator has to look at.
---@param format string
function log.error(format, ...) end

-- A framework: what a hosted script returns. Every callback may be left out. Each may wait (mesos.sleep); the next event
-- comes when it has returned. One that raises is logged with a traceback, and the framework goes on: its update is not
-- acknowledged and comes again, its offers are declined. In a new version of the script it leads to a roll back.
---@class mesos.Scheduler
---@field framework mesos.FrameworkInfo?
---@field implicitAcknowledgements boolean? default: true
---@field suppressedRoles string[]?
---@field offerConstraints mesos.OfferConstraints?
local Scheduler = {}

-- The first registration in this process.
---@param driver mesos.SchedulerDriver
---@param frameworkId mesos.FrameworkID
---@param masterInfo mesos.MasterInfo
function Scheduler:registered(driver, frameworkId, masterInfo) end

-- A later registration, with a new master or the same. Earlier offers are void.
---@param driver mesos.SchedulerDriver
---@param masterInfo mesos.MasterInfo
function Scheduler:reregistered(driver, masterInfo) end

-- The subscription was lost; the driver looks for a master by itself, with backoff.
---@param driver mesos.SchedulerDriver
function Scheduler:disconnected(driver) end

-- New offers, or after a reload the outstanding ones. Without this callback all offers are declined.
---@param driver mesos.SchedulerDriver
---@param offers mesos.Offers
function Scheduler:resourceOffers(driver, offers) end

-- The offer is void: an agent was lost, or another framework needs its resources.
---@param driver mesos.SchedulerDriver
---@param offerId mesos.OfferID
function Scheduler:offerRescinded(driver, offerId) end

-- Returning acknowledges the update; raising does not, and it comes again.
---@param driver mesos.SchedulerDriver
---@param status mesos.TaskStatus
function Scheduler:statusUpdate(driver, status) end

-- A message of an executor. Messages may be lost.
---@param driver mesos.SchedulerDriver
---@param executorId mesos.ExecutorID
---@param agentId mesos.AgentID
---@param data string bytes, as the executor sent them
function Scheduler:frameworkMessage(driver, executorId, agentId, data) end

-- The agent was removed from the cluster. Its tasks get updates of their own.
---@param driver mesos.SchedulerDriver
---@param agentId mesos.AgentID
function Scheduler:slaveLost(driver, agentId) end

-- A custom executor has ended. Its tasks get updates of their own.
---@param driver mesos.SchedulerDriver
---@param executorId mesos.ExecutorID
---@param agentId mesos.AgentID
---@param status integer as waitpid tells it
function Scheduler:executorLost(driver, executorId, agentId, status) end

-- Agents that are asked back for maintenance.
---@param driver mesos.SchedulerDriver
---@param inverseOffers mesos.InverseOffer[]
function Scheduler:inverseOffers(driver, inverseOffers) end

-- The agent is no longer asked back, or the master asks anew.
---@param driver mesos.SchedulerDriver
---@param inverseOfferId mesos.OfferID
function Scheduler:inverseOfferRescinded(driver, inverseOfferId) end

-- Acknowledged like the update of a task.
---@param driver mesos.SchedulerDriver
---@param status mesos.OperationStatus
function Scheduler:operationStatusUpdate(driver, status) end

-- A job came from outside, by `mesos-lua ctl TARGET submit`. It is called in turn with the other callbacks and may wait.
-- What it returns is the answer, plain data that is sent as JSON; nil and a message refuse the job. If it raises, the
-- message is the answer, and the callback has failed. A job that waits lives through a reload; one that a reload finds
-- inside of this callback, waiting, is given to the new version again.
--
--     function scheduler:submit(driver, job)
--         if not job.cpus then return nil, "how many cpus?" end
--         queue[#queue + 1] = job
--         return { position = #queue }
--     end
---@param driver mesos.SchedulerDriver
---@param job table plain data, as from JSON
---@return any answer
---@return string? refusal
function Scheduler:submit(driver, job) end

-- The master has completed the framework whose id was stored (--state) or given: its failover timeout is over, or it was
-- torn down, and its tasks are gone. Returning "reregister" continues as a new framework, which begins with `registered`;
-- any other value, or no such callback, leads to `error`.
---@param driver mesos.SchedulerDriver
---@param message string
---@return "reregister"?
function Scheduler:frameworkRemoved(driver, message) end

-- The first call into a version of the script that was loaded while the framework ran. The outstanding offers come next,
-- in resourceOffers. What the previous version stored is in mesos.state; its timers and coroutines are gone.
---@param driver mesos.SchedulerDriver
function Scheduler:reloaded(driver) end

-- The driver was aborted before this call.
---@param driver mesos.SchedulerDriver
---@param message string
function Scheduler:error(driver, message) end

-- All operations return the driver's status, and only join and run block. Misuse raises an error that names the argument
-- and the path of the field. A call raises too when the calls that wait for the master take 128 MiB, as in an endless
-- loop; calls that respond to events do not reach that, since events are held back before.
---@class mesos.SchedulerDriver
local SchedulerDriver = {}

-- Connects to the master; the callbacks come from the loop. For scripts that run their drivers themselves.
---@return mesos.Status
function SchedulerDriver:start() end

-- Ends the framework and its tasks; with `failover` the tasks continue, and the framework may come back.
---@param failover boolean? default: false
---@return mesos.Status
function SchedulerDriver:stop(failover) end

-- Ends the driver without a word to the master: no callback comes any more, and the tasks live on for the failover
-- timeout.
---@return mesos.Status
function SchedulerDriver:abort() end

-- Waits until the driver was stopped or aborted.
---@return mesos.Status
function SchedulerDriver:join() end

-- start() and join().
---@return mesos.Status
function SchedulerDriver:run() end

-- The status, as every operation returns it.
---@return mesos.Status
function SchedulerDriver:status() end

-- Launches tasks on the offers, which must belong to one agent; what the tasks leave is declined with the filters. An
-- empty list of tasks declines the offers.
---@param offerIds mesos.OfferID|mesos.OfferID[]
---@param tasks mesos.TaskInfo[]
---@param filters mesos.Filters?
---@return mesos.Status
function SchedulerDriver:launchTasks(offerIds, tasks, filters) end

-- Carries out operations (LAUNCH, LAUNCH_GROUP, RESERVE, CREATE, ...) on offers of one agent, in their order; what they
-- leave is declined with the filters.
---@param offerIds mesos.OfferID|mesos.OfferID[]
---@param operations mesos.Offer.Operation[]
---@param filters mesos.Filters?
---@return mesos.Status
function SchedulerDriver:acceptOffers(offerIds, operations, filters) end

-- Gives offers back. Their resources are not offered again for filters.refuse_seconds (5 by default).
---@param offerId mesos.OfferID|mesos.OfferID[]
---@param filters mesos.Filters?
---@return mesos.Status
function SchedulerDriver:declineOffer(offerId, filters) end

-- Asks for the end of a task; a status update tells when it has ended. While disconnected the kill is lost, and the state
-- of the task is asked for at the next registration.
---@param taskId mesos.TaskID
---@param options { agent_id: mesos.AgentID?, kill_policy: mesos.KillPolicy? }?
---@return mesos.Status
function SchedulerDriver:killTask(taskId, options) end

-- Asks for offers again: filters are dropped and suppressed roles are no longer suppressed. Without a list: all roles.
---@param roles string[]?
---@return mesos.Status
function SchedulerDriver:reviveOffers(roles) end

-- Asks for no more offers until reviveOffers. Without a list: all roles.
---@param roles string[]?
---@return mesos.Status
function SchedulerDriver:suppressOffers(roles) end

-- With implicitAcknowledgements = false only.
---@param status mesos.TaskStatus
---@return mesos.Status
function SchedulerDriver:acknowledgeStatusUpdate(status) end

-- Asks for the state of these tasks, or of all (no list): the answers are status updates. An empty list of driver:tasks()
-- asks for nothing.
---@param statuses mesos.TaskList|mesos.Task[]|mesos.TaskStatus[]|{ task_id: mesos.TaskID, agent_id: mesos.AgentID? }[]?
---@return mesos.Status
function SchedulerDriver:reconcileTasks(statuses) end

-- Sends bytes to an executor.
---@param executorId mesos.ExecutorID
---@param agentId mesos.AgentID
---@param data string any bytes; the message may be lost
---@return mesos.Status
function SchedulerDriver:sendFrameworkMessage(executorId, agentId, data) end

-- Ends a custom executor and its tasks; executorLost tells when it has ended.
---@param executorId mesos.ExecutorID
---@param agentId mesos.AgentID
---@return mesos.Status
function SchedulerDriver:shutdownExecutor(executorId, agentId) end

-- A hint to the allocator; Mesos's own allocator ignores it.
---@param requests mesos.Request[]
---@return mesos.Status
function SchedulerDriver:requestResources(requests) end

-- Replaces the whole FrameworkInfo. If id, user, principal, hostname or checkpoint are left out they stay as they are;
-- if capabilities are, these and the roles get the defaults of the start. What the master refuses is logged with its
-- words, and the framework stays as the master last accepted it.
---@param frameworkInfo mesos.FrameworkInfo
---@param suppressedRoles string[]
---@param offerConstraints mesos.OfferConstraints?
---@return mesos.Status
function SchedulerDriver:updateFramework(frameworkInfo, suppressedRoles, offerConstraints) end

-- Agrees to leave the agents for the maintenance. The tasks are the script's to end or to move.
---@param inverseOfferIds mesos.OfferID|mesos.OfferID[]
---@param filters mesos.Filters?
---@return mesos.Status
function SchedulerDriver:acceptInverseOffers(inverseOfferIds, filters) end

-- Does not agree, and is asked again after filters.refuse_seconds.
---@param inverseOfferIds mesos.OfferID|mesos.OfferID[]
---@param filters mesos.Filters?
---@return mesos.Status
function SchedulerDriver:declineInverseOffers(inverseOfferIds, filters) end

-- With implicitAcknowledgements = false only.
---@param status mesos.OperationStatus
---@return mesos.Status
function SchedulerDriver:acknowledgeOperationStatus(status) end

-- Asks for the state of these operations, or of all (no list): the answers are operation status updates.
---@param operations { operation_id: mesos.OperationID, agent_id: mesos.AgentID?, resource_provider_id: mesos.ResourceProviderID? }[]?
---@return mesos.Status
function SchedulerDriver:reconcileOperations(operations) end

-- Closes the subscription and subscribes again.
---@return mesos.Status
function SchedulerDriver:reconnect() end

-- The outstanding offers.
---@return mesos.Offers
function SchedulerDriver:offers() end

-- Why a task with this need is not placed: what is short on the outstanding offers, and on the last offer that each agent
-- made to each role in the last 15 minutes; and what the framework itself keeps the master from offering. It is a picture
-- of this moment. The host keeps the past for it: up to 2 MiB of events, at most 512 KiB a
-- second, and how the last 2,048 offers ended. `text` is the same in
-- sentences, as `mesos-lua ctl PID why cpus=4,mem=1024,rack=b` prints it. A scheduler with a method `explain(id)`, which
-- returns a sentence and perhaps such a table, is asked by `mesos-lua ctl PID why ID`.
--
--     local why = driver:explain { cpus = 4, mem = 1024, attributes = { rack = "b" } }
--     if why.fits == 0 then mesos.log.warning("%s", why.text) end
---@param need mesos.Need
---@return mesos.Explanation
function SchedulerDriver:explain(need) end

---@class mesos.Explanation
---@field fits integer outstanding offers that the need fits
---@field offers integer outstanding offers
---@field since number seconds for which no offer has fitted; 0 if one does. Before the first that is known: since the start
---@field reasons mesos.Explanation.Reason[] the most frequent first
---@field nearest mesos.Explanation.Nearest? the offer that lacks least, if none fits
---@field lately { offers: integer, fits: integer, declined: integer, rescinded: integer, used: integer, void: integer } last offers of agents that have none outstanding; `fits` are those that were not used
---@field withheld mesos.Explanation.Withheld what the framework keeps the master from offering
---@field text string

-- A part of the need that offers lack.
---@class mesos.Explanation.Reason
---@field reason string the name of a resource, or "role", "attribute", "where", "agent lost"
---@field count integer outstanding offers that lack it
---@field lately integer offers that ended and lacked it
---@field example mesos.OfferID the one that lacks least, an outstanding one if there is one
---@field hostname string of the example
---@field agent_id mesos.AgentID of the example
---@field needed number? of a resource
---@field best number? what the example has of it
---@field reserved number? the most that is reserved for another role on an offer that lacks it
---@field reserved_role string? that role
---@field revocable number? the most that is revocable, if the need takes no revocable resources
---@field name string? of the attribute
---@field wanted string? of a role or attribute: "'a' or 'b'"
---@field seen string[]? what offers have instead, up to three
---@field absent integer? offers that have none at all
---@field fits integer? of lost agents: whose offer would have fitted

---@class mesos.Explanation.Nearest
---@field offer mesos.OfferID
---@field hostname string
---@field agent_id mesos.AgentID
---@field outstanding boolean
---@field lacks table<string, number|true> how much of a resource; true for what is no amount

---@class mesos.Explanation.Withheld
---@field registered boolean
---@field suppressed string[] roles
---@field constrained string[] roles with offer constraints
---@field foreign_role string? the role that is needed, if the framework has not subscribed with it
---@field filters { agent_id: mesos.AgentID, hostname: string, role: string?, seconds: number, fits: boolean }[] that still run, up to 100: those whose offer would fit first, then the longest
---@field filter_count integer
---@field held { offers: integer, longest: number } the outstanding offers, and for how many seconds the oldest is held

-- What is known of a task, as a copy; nil if it is unknown. The last 4,096 tasks that ended are known too.
---@param taskId mesos.TaskID
---@return mesos.Task?
function SchedulerDriver:task(taskId) end

-- The tasks of this framework that the driver knows, from its launches, from updates and from the answers to
-- reconciliation: the active ones, or those in the states of the filter. They stay known when the master is lost and over
-- a reload; after a restart with --state they come back by reconciliation. An update is applied before its callback, and
-- a repeated update changes nothing. --task-limit is the number of tasks that are known at most.
--
--     for task in driver:tasks { state = "TASK_RUNNING", agent_id = id } do driver:killTask(task.task_id) end
--     print(#driver:tasks())
--
-- A loop visits the tasks that matched at its start, and skips those that no longer match when it reaches them. `#` counts
-- those that match now, without visiting them unless agent_id is given.
---@param filter { state: mesos.TaskState|integer|(mesos.TaskState|integer)[]|nil, agent_id: mesos.AgentID? }?
---@return mesos.TaskList
function SchedulerDriver:tasks(filter) end

-- The number of active tasks by state; states without tasks are absent. A state that has no name here is its number.
---@return table<mesos.TaskState|integer, integer>
function SchedulerDriver:taskCounts() end

---@class mesos.OutputOptions
---@field file string? a path in the sandbox of the task; default: "stdout"
---@field offset integer? where to begin, below 0 from the end of the file; default: 0
---@field length integer? bytes wanted, up to 4 MiB; default: 1 MiB

-- What a task printed: a piece of a file of its sandbox, from its agent. Waits. The values are the bytes, the offset behind
-- them and the size of the file; there are fewer bytes than were wanted only at its end. nil, a message and a code if they
-- cannot be had: "ENOENT" if the task, its agent or the file is not known (it may not have started yet), "ENOTFOUND" if
-- the master has no such agent any more, "EACCES" if the framework may not read it. The master and the agent are asked by
-- their operator APIs, with the credentials of the framework. mesos.files follows an output as it grows.
--
--     local text = assert(driver:output("job-1"))
--     local tail = driver:output("job-1", { file = "stderr", offset = -1000 })
---@param taskId mesos.TaskID
---@param options mesos.OutputOptions?
---@return string? text
---@return integer|string offset or the message
---@return integer|string size or the code
function SchedulerDriver:output(taskId, options) end

-- The id that the master gave, or nil before the first registration.
---@return mesos.FrameworkID?
function SchedulerDriver:frameworkId() end

-- The master to which the driver is subscribed, or nil while it is disconnected.
---@return mesos.MasterInfo?
function SchedulerDriver:master() end

-- The iterator of one loop; driver:reconcileTasks() takes it as well.
---@class mesos.TaskList
---@operator len: integer
---@operator call: mesos.Task

-- What was known of a task: read-only, and an unknown field raises.
---@class mesos.Task
---@field task_id mesos.TaskID
---@field state mesos.TaskState of the last update; TASK_STAGING before the first
---@field agent_id mesos.AgentID?
---@field name string? if this driver launched it
---@field executor_id mesos.ExecutorID?
---@field reason mesos.TaskStatus.Reason? of the last update
---@field healthy boolean? of the last update that had it
---@field killing boolean true if a KILL was sent
---@field active boolean true unless it is known to have ended; TASK_UNKNOWN counts as ended
---@field launched_at number? when this driver launched it, in seconds since the Unix epoch
---@field updated_at number? the time of the last update
local Task = {}

-- A plain copy that can be changed, and stored in mesos.state.
---@return table
function Task:table() end

-- An offer as it arrives: read-only. cpus, mem, disk, gpus and ports count what is unreserved or reserved to the role that
-- the offer is allocated to, and nothing revocable. An unknown field raises.
---@class mesos.Offer
---@field cpus number
---@field mem number
---@field disk number
---@field gpus number
---@field ports integer[][] a list of { first, last }
local Offer = {}

-- The value of the agent's attribute of that name, or nil.
---@param name string
---@return number|string|mesos.Value.Ranges|mesos.Value.Set|nil
function Offer:attribute(name) end

-- A plain copy that can be changed.
---@return table
function Offer:table() end

-- What a task needs. Any other name is that of a resource: for a scalar the amount, for ranges (such as ports) the number
-- of values. A name that no offer has and that looks misspelt raises. Amounts are counted in thousandths, as Mesos does,
-- so ten times 0.1 is 1.
---@class mesos.Need
---@field cpus number?
---@field mem number? megabytes
---@field disk number? megabytes; volumes and disks of their own, which cannot be divided, do not count
---@field gpus number?
---@field ports integer? how many
---@field [string] number
---@field revocable boolean? true: revocable resources are accepted too, but for one resource never both kinds together
---@field role string? the offer is allocated to this role
---@field attributes table<string, string|number|(string|number)[]>? the agent's first attribute of each name is this text, number, or one of a list; of a set or of ranges: has it in it
---@field where (fun(offer: mesos.Offer): any)? called last; an offer for which it returns false or nil is not chosen; it cannot wait

-- A plain list of offers with methods, computed in C over columns of numbers: a policy that places hundreds of tasks on
-- ten thousand offers takes milliseconds. resourceOffers is given one, driver:offers() and mesos.offers() make others.
--
-- The methods count what offer.cpus counts: unreserved resources and those reserved to the offer's role, never
-- another role's, and revocable ones only if the need asks for them. Offers that were answered, rescinded or made
-- void are skipped; a wrong need or argument raises. The list tracks what `take` took from each offer; lists that
-- filter and sort_by make of it share that.
--
--     function scheduler:resourceOffers(driver, offers)
--       local tasks = {}
--       for _, job in ipairs(waiting) do
--         local offer = offers:best_fit(job.need)
--         if offer then
--           tasks[offer.id] = tasks[offer.id] or {}
--           table.insert(tasks[offer.id], { name = job.name, task_id = job.id, agent_id = offer.agent_id,
--             command = job.command, resources = offers:take(offer, job.need) })
--         end
--       end
--       for id, list in pairs(tasks) do driver:launchTasks(id, list) end
--       driver:declineOffer(offers:ids())
--     end
--
-- Offers may be added, removed and sorted as in any list. One exception: best_fit and worst_fit may miss an offer that
-- replaced another in a list whose length stayed the same; call mesos.offers(list) then.
---@class mesos.Offers : { [integer]: mesos.Offer }
local Offers = {}

-- The offer that would be fullest with the task: (left - needed) / offered is the share that would be left of a resource,
-- and the offer with the smallest mean of these shares, over the resources of the need, is chosen; among equals the first
-- in the list. So tasks gather on few offers, and small offers are used up before large ones. (This is Fenzo's bin packing
-- of cpus and memory, for any resources.) If no offer fits: nil and the reason, such as "cpus: 64 needed, most on one
-- offer 2". Executors are not considered: add what an executor needs beside its tasks to the need of its first task.
---@param need mesos.Need
---@return mesos.Offer?
---@return string? reason
function Offers:best_fit(need) end

-- The first offer in the list that the task fits, or nil and the reason why none does.
---@param need mesos.Need
---@return mesos.Offer?
---@return string? reason
function Offers:first_fit(need) end

-- The offer that would be emptiest with the task, by the same measure, or nil and the reason. This spreads tasks.
---@param need mesos.Need
---@return mesos.Offer?
---@return string? reason
function Offers:worst_fit(need) end

-- Subtracts what a task needs from what is left of the offer, and returns the task's `resources`: pieces of the offer's
-- own, with their reservations, reserved ones first; the lowest ports. Ignores role, attributes and where. Returns nil and
-- a message if less is left than needed, or the offer was answered or rescinded.
---@param offer mesos.Offer|mesos.OfferID
---@param need mesos.Need
---@return mesos.Resource[]? resources
---@return string? message
function Offers:take(offer, need) end

-- The amount that is left of a resource of an offer; without a name, those of cpus, mem, disk, gpus and ports in a table.
---@param offer mesos.Offer|mesos.OfferID
---@param name string?
---@return number|table<string, number>
function Offers:left(offer, name) end

-- The same, summed over all offers.
---@param name string?
---@return number|table<string, number>
function Offers:sum(name) end

-- A new list of the offers that the need fits, or for which the function returns true.
---@param which mesos.Need|fun(offer: mesos.Offer): any
---@return mesos.Offers
function Offers:filter(which) end

-- A new list, sorted by what is left of a resource, or by the number or string that the function returns for each offer;
-- equals keep their order.
---@param key string|fun(offer: mesos.Offer): number|string
---@param descending boolean? default: false
---@return mesos.Offers
function Offers:sort_by(key, descending) end

-- The ids of the offers that are still outstanding: driver:declineOffer(offers:ids()) declines what is left.
---@return mesos.OfferID[]
function Offers:ids() end

-- A status as it arrives: read-only, and an unknown field raises.
---@class mesos.TaskStatus
local TaskStatus = {}

-- A plain copy that can be changed.
---@return table
function TaskStatus:table() end

-- What the script of `mesos-lua executor` returns. Every callback may be left out: without launchTask tasks fail, without
-- shutdown they are killed. Callbacks are called one at a time, in the order of the events; one that waits holds up the
-- events behind it, but for launchTask and launchGroup, which may last as long as their tasks. A callback that raises is
-- logged; a task whose launch raised fails with the message.
---@class mesos.Executor
local Executor = {}

-- The first call: the agent knows the executor.
---@param driver mesos.ExecutorDriver
---@param executorInfo mesos.ExecutorInfo
---@param frameworkInfo mesos.FrameworkInfo
---@param agentInfo mesos.AgentInfo
function Executor:registered(driver, executorInfo, frameworkInfo, agentInfo) end

-- The agent was started again, or the connection was lost for a while. Tasks and updates that it had not acknowledged
-- were sent along by the driver.
---@param driver mesos.ExecutorDriver
---@param agentInfo mesos.AgentInfo
function Executor:reregistered(driver, agentInfo) end

-- The agent is gone, for a while or for good. Updates are kept, and sent when it is back.
---@param driver mesos.ExecutorDriver
function Executor:disconnected(driver) end

-- A task to run. It is the script that reports its states, from TASK_RUNNING (or TASK_STARTING) to a final one.
---@param driver mesos.ExecutorDriver
---@param task mesos.TaskInfo
function Executor:launchTask(driver, task) end

-- The tasks of a LAUNCH_GROUP, which begin and end together. Without this callback launchTask is called for each.
--
--     function executor:launchGroup(driver, tasks)
--       for _, task in ipairs(tasks) do self:launchTask(driver, task) end
--     end
---@param driver mesos.ExecutorDriver
---@param tasks mesos.TaskInfo[]
function Executor:launchGroup(driver, tasks) end

-- The task has to end; the script reports TASK_KILLED when it has.
---@param driver mesos.ExecutorDriver
---@param taskId mesos.TaskID
---@param killPolicy mesos.KillPolicy?
function Executor:killTask(driver, taskId, killPolicy) end

-- Bytes of the scheduler, as it sent them.
---@param driver mesos.ExecutorDriver
---@param data string
function Executor:frameworkMessage(driver, data) end

-- The executor has to end its tasks. It is stopped as soon as each of them has a terminal update, and killed when the
-- grace period is over. No other callback follows.
---@param driver mesos.ExecutorDriver
function Executor:shutdown(driver) end

-- The driver was aborted before this call.
---@param driver mesos.ExecutorDriver
---@param message string
function Executor:error(driver, message) end

-- All operations return the driver's status. Misuse raises an error that names the path of the field.
---@class mesos.ExecutorDriver
local ExecutorDriver = {}

-- Reports the state of a task. uuid, source and executor id are filled in, and the timestamp if there is none; the driver
-- keeps the update until the agent has acknowledged it.
---@param status mesos.TaskStatus
---@return mesos.Status
function ExecutorDriver:sendStatusUpdate(status) end

-- Sends bytes to the scheduler; they may be lost.
---@param data string
---@return mesos.Status
function ExecutorDriver:sendFrameworkMessage(data) end

-- Ends the executor, when the agent has acknowledged all updates, or some seconds later.
---@return mesos.Status
function ExecutorDriver:stop() end

-- Ends the executor at once; updates that were not acknowledged are lost.
---@return mesos.Status
function ExecutorDriver:abort() end

-- The status, as every operation returns it.
---@return mesos.Status
function ExecutorDriver:status() end

return mesos
