-- SPDX-License-Identifier: Apache-2.0
--
-- Writes the first inputs of a fuzz target into a folder: seeds.lua TARGET FOLDER. Those of the codec and of RecordIO
-- come from the recordings.

local target, folder = arg[1], arg[2]

local count = 0
local function seed(bytes)
    count = count + 1
    local file <close> = assert(io.open(("%s/seed-%04d"):format(folder, count), "wb"))
    file:write(bytes)
end

local function streams()
    local list <close> = assert(io.popen("ls spec/fixtures/wire/*/events*.recordio"))
    local paths = {}
    for path in list:lines() do
        if not path:find("%.json%.recordio$") then
            paths[#paths + 1] = path
        end
    end
    return paths
end

local function records(bytes)
    local at = 1
    return function()
        local length, start = bytes:match("^(%d+)\n()", at)
        if not length then
            return nil
        end
        at = start + length
        return bytes:sub(start, at - 1)
    end
end

local function read(path)
    local file <close> = assert(io.open(path, "rb"))
    return file:read("a")
end

local writers = {}

function writers.fuzz_recordio()
    for i, path in ipairs(streams()) do
        seed(string.char(i % 256) .. read(path):sub(1, 5000))
    end
    seed("\0" .. "000000000000000000000003\nabc0\n1\nx")
end

function writers.fuzz_message()
    for _, path in ipairs(streams()) do
        for record in records(read(path)) do
            seed("\0" .. record)
        end
    end
end

-- The first byte is the type; 2 is Event. The target makes offers and statuses of its own.
function writers.fuzz_view()
    for _, path in ipairs(streams()) do
        for record in records(read(path)) do
            seed("\2" .. record)
        end
    end
    for type = 0, 3 do
        seed(string.char(type))
    end
end

-- The target makes calls of its own.
function writers.fuzz_call()
    for type = 0, 5 do
        seed(string.char(type))
    end
end

function writers.fuzz_reply()
    for i, answer in ipairs {
        "202 Accepted\r\nDate: x\r\nContent-Length: 0\r\n\r\n", "200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" ..
            "3;x=y\r\nabc\r\n0\r\nTrailer: t\r\n\r\n", "100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
        "400 Bad Request\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc", "500 Oh\r\n\r\nall the rest",
        "401 Unauthorized\r\nWWW-Authenticate: Basic\r\nContent-Length: 1\r\n\r\nx",
        "307 Temporary Redirect\r\nLocation: //a:1/\r\nContent-Length: 0\r\n\r\n",
    } do
        seed(string.char(i) .. ("HTTP/1.1 " .. answer):rep(i))
    end
end

function writers.fuzz_url()
    for _, text in ipairs({
        "localhost:5050", "http://10.0.0.1:5050/", "https://user:secret@host.example:5051", "[::1]:5050",
        "master@127.0.0.1:5050", "//10.0.0.2:5050/master/api/v1/scheduler", "/path", "http://[fe80::1%25eth0]:1/",
    }) do
        seed(text)
    end
end

-- The first byte is the label of enum master_node_label.
function writers.fuzz_zookeeper()
    for _, text in ipairs({
        "\0json.info_0000000007", "\0log_replicas", "\0-2147483648", "\3master@10.0.0.1:5050", "\3master@[::1]:5050",
        '\1{"address":{"hostname":"m","ip":"10.0.0.1","port":5050},"hostname":"m","ip":16777343,"pid":"master@h:1","port":1}',
        '\1{"hostname":"m","ip":16777343,"port":5050}', "\2\10\1x\16\128\128\128\8\24\186\39\34\14master@h:5050x",
        "\4zk://user:password@h1:2181,[::1]:2182/mesos/", "\4zk://h1:2181", "\4zk://a/b@c:1/d",
    }) do
        seed(text)
    end
end

function writers.fuzz_serialize()
    for _, text in ipairs({
        "n", "t", "i\1", "d\0\0\0\0\0\0\248\63", "s\3abc", "{}", "{i\2i\4=s\1xt}", "{{}@\1=t@\0=i\9{s\0}}",
    }) do
        seed("mls\1" .. text)
    end
end

-- The first byte modulo 3: CSV, JSON, lines.
function writers.fuzz_workload_file()
    for kind, names in ipairs { { "jobs.csv", "openb_pods.csv", "google2011.csv" }, { "jobs.json", "jobs.jsonl", "cook.json" },
        { "jobs.swf" } } do
        for _, name in ipairs(names) do
            seed(string.char(kind - 1) .. read("spec/support/traces/" .. name))
        end
    end
    for _, text in ipairs { "a;b\n\"c;\"\"\n\";d\n", "\xef\xbb\xbfa,b\r\n\r\nc,", "[{},{\"a\":\"}\\\"\"} ]", "{\"a\":[1,{}]}\n\n{" } do
        for kind = 0, 15 do
            seed(string.char(kind) .. text)
        end
    end
end

function writers.fuzz_state_file()
    for _, text in ipairs({
        "saved 2026-11-22T15:04:05Z\nstate 5\nmls\1t", "framework-id a-0001\nsaved x\nstate 0\n", "saved x\nstate 9\n\n",
    }) do
        seed("mesos-lua state 1\n" .. text)
    end
end

-- The first byte is the length of the pieces.
function writers.fuzz_control()
    for i, text in ipairs({
        '{"command":"status"}\n', '{"command":"eval","argument":"1 + 1"}\neval 2\r\n\n', "log-level debug", '{"command":1}\n{}\n[\n',
        '{"command":"eval","argument":"a\\u0000b\\ud83d\\ude00"}\n', "a\0b\n", '{"command":"\xff"}\n', "  stop   failover \n=1\n",
    }) do
        seed(string.char(i * 3) .. text)
    end
end

-- Steps of the target: what, and an argument. An executor that registers, launches, updates and shuts down; one that loses
-- its agent; one whose agent is not ready; one whose callbacks wait.
function writers.fuzz_executor()
    local ACCEPT, EVENT, CUT, REFUSE, ANSWER, UPDATE, DONE, OPERATE = 1, 2, 3, 4, 5, 6, 7, 8
    local registered = { ACCEPT, 0, EVENT, 0 }
    local task = { EVENT, 1, UPDATE, 5, ANSWER, 0, EVENT, 5 }
    local function story(first, ...)
        local bytes = { string.char(first) }
        for _, steps in ipairs { ... } do
            bytes[#bytes + 1] = string.char(table.unpack(steps))
        end
        seed(table.concat(bytes))
    end
    for first = 0, 3 do
        story(first, registered, task, { EVENT, 4, ANSWER, 0, EVENT, 5, 0, 60 })
        story(first, registered, task, { UPDATE, 10, CUT, 0, 0, 10 }, registered, { EVENT, 2 + 8 * 7, EVENT, 3, 0, 50 })
        story(first, { REFUSE, 1, 0, 5, REFUSE, 2, 0, 5 }, registered, { OPERATE, 1, 0, 60 })
        story(first, registered, { OPERATE, 5, EVENT, 1, EVENT, 9, EVENT, 3, DONE, 0, DONE, 0, OPERATE, 3, DONE, 0, 0, 60 })
        story(first, registered, { 0xf0, 3, 8, 2, 0, 0xf0, 1, 255 }, registered, task)
    end
end

-- Decisions; any will do.
function writers.fuzz_script()
    math.randomseed(5)
    for i = 1, 40 do
        local bytes = {}
        for j = 1, 200 + 30 * i do
            bytes[j] = string.char(math.random(0, 255))
        end
        seed(table.concat(bytes))
    end
end

-- A step of fuzz_master: see there. 5 is a call in JSON, 6 an operator's operation, 32 puts ids in that there are.
local function step(how, bytes)
    return string.pack("<Bs2", how, bytes)
end

local function pass(tenths)
    return string.pack("<BI2", 0, tenths)
end

local SUBSCRIBE = '{"type":"SUBSCRIBE","subscribe":{"framework_info":{"user":"root","name":"x","roles":["a","*"],'
    .. '"failover_timeout":5,"capabilities":[{"type":"MULTI_ROLE"},{"type":"PARTITION_AWARE"}]}}}'
local LAUNCH = '{"type":"ACCEPT","framework_id":{"value":""},"accept":{"offer_ids":[{"value":""}],"operations":[{"type":"LAUNCH",'
    .. '"launch":{"task_infos":[{"name":"t","task_id":{"value":"t"},"agent_id":{"value":""},"command":{"value":"true"},'
    .. '"resources":[{"name":"cpus","type":"SCALAR","scalar":{"value":1}},{"name":"mem","type":"SCALAR","scalar":{"value":32}}],'
    .. '"kill_policy":{"grace_period":{"nanoseconds":1000000000}}}]}}],"filters":{"refuse_seconds":1}}}'
local ACKNOWLEDGE = '{"type":"ACKNOWLEDGE","framework_id":{"value":""},"acknowledge":{"agent_id":{"value":""},'
    .. '"task_id":{"value":""},"uuid":"AAAAAAAAQACAAAAAAAAAAA=="}}'

local EXECUTOR = '{"type":"%s","executor_id":{"value":"e"},"framework_id":{"value":"%s"},"command":{"value":"true"},'
    .. '"resources":[{"name":"cpus","type":"SCALAR","scalar":{"value":0.5}},{"name":"mem","type":"SCALAR","scalar":{"value":32}},'
    .. '{"name":"disk","type":"SCALAR","scalar":{"value":1}}]}'

-- A group of two tasks whose third field is a health check.
local function launch_group(framework, offer, agent)
    local tasks = {}
    for i, id in ipairs { "g1", "g2" } do
        tasks[i] = ('{"name":"g","task_id":{"value":"%s"},"agent_id":{"value":"%s"},"command":{"value":"true"},'):format(id, agent)
            .. '"health_check":{"type":"COMMAND","command":{"value":"true"},"interval_seconds":1,"grace_period_seconds":0},'
            .. '"resources":[{"name":"cpus","type":"SCALAR","scalar":{"value":1}},{"name":"mem","type":"SCALAR","scalar":{"value":32}}]}'
    end
    return ('{"type":"ACCEPT","framework_id":{"value":"%s"},"accept":{"offer_ids":[{"value":"%s"}],"operations":[{"type":"LAUNCH_GROUP",'
        .. '"launch_group":{"executor":%s,"task_group":{"tasks":[%s]}}}]}}'):format(framework, offer,
        EXECUTOR:format("DEFAULT", framework):gsub('"command":{"value":"true"},', ""), table.concat(tasks, ","))
end

local CALLS = {
    '{"type":"KILL","framework_id":{"value":""},"kill":{"task_id":{"value":"t"}}}',
    '{"type":"DECLINE","framework_id":{"value":""},"decline":{"offer_ids":[{"value":""}],"filters":{"refuse_seconds":0.5}}}',
    '{"type":"REVIVE","framework_id":{"value":""},"revive":{"roles":["a"]}}',
    '{"type":"SUPPRESS","framework_id":{"value":""},"suppress":{"roles":["a"]}}',
    '{"type":"RECONCILE","framework_id":{"value":""},"reconcile":{"tasks":[{"task_id":{"value":"t"}}]}}',
    '{"type":"RECONCILE","framework_id":{"value":""},"reconcile":{"tasks":[]}}',
    '{"type":"TEARDOWN","framework_id":{"value":""}}',
    '{"type":"UPDATE_FRAMEWORK","framework_id":{"value":""},"update_framework":{"framework_info":{"user":"root","name":"y",'
        .. '"id":{"value":""},"roles":["b"],"capabilities":[{"type":"MULTI_ROLE"}]},"suppressed_roles":["b"]}}',
}

-- Operations on resources of a framework that knows all kinds of them: after SUBSCRIBE_ALL and an offer, one ACCEPT.
local SUBSCRIBE_ALL = SUBSCRIBE:gsub('{"type":"PARTITION_AWARE"}', '{"type":"RESERVATION_REFINEMENT"},'
    .. '{"type":"SHARED_RESOURCES"},{"type":"REVOCABLE_RESOURCES"}')

local function resource(name, value, more)
    return ('{"name":"%s","type":"SCALAR","scalar":{"value":%d},"allocation_info":{"role":"a"}%s}'):format(name, value, more or "")
end

local RESERVED = ',"reservations":[{"type":"DYNAMIC","role":"a"}]'
local function volume(size, more)
    return resource("disk", size, RESERVED
        .. ',"disk":{"persistence":{"id":"v"},"volume":{"container_path":"data","mode":"RW"}}' .. (more or ""))
end

local function operation(kind, contents)
    return ('{"type":"%s","id":{"value":"%s"},"%s":{%s}}'):format(kind, kind, kind:lower(), contents)
end

local SHARED = ',"shared":{}'
local OPERATIONS = {
    operation("RESERVE", '"resources":[' .. resource("disk", 64, RESERVED) .. "]"),
    operation("CREATE", '"volumes":[' .. volume(32) .. "]"),
    operation("CREATE", '"volumes":[' .. volume(32, SHARED) .. "]"),
    operation("GROW_VOLUME", '"volume":' .. volume(32) .. ',"addition":' .. resource("disk", 8, RESERVED)),
    operation("SHRINK_VOLUME", '"volume":' .. volume(32) .. ',"subtract":{"value":8}'),
    operation("DESTROY", '"volumes":[' .. volume(32, SHARED) .. "]"),
    operation("DESTROY", '"volumes":[' .. volume(32) .. "]"),
    operation("UNRESERVE", '"resources":[' .. resource("disk", 64, RESERVED) .. "]"),
    operation("CREATE_DISK", '"source":' .. volume(8, ',"provider_id":{"value":"p"}') .. ',"target_type":"MOUNT"'),
    operation("DESTROY_DISK", '"source":' .. volume(8)),
}

local function accept(operations)
    return '{"type":"ACCEPT","framework_id":{"value":""},"accept":{"offer_ids":[{"value":""}],"operations":['
        .. table.concat(operations, ",") .. ']}}'
end

local ACKNOWLEDGE_OPERATION = '{"type":"ACKNOWLEDGE_OPERATION_STATUS","framework_id":{"value":""},'
    .. '"acknowledge_operation_status":{"agent_id":{"value":""},"operation_id":{"value":""},"uuid":"AAAAAAAAQACAAAAAAAAAAA=="}}'
local RECONCILE_OPERATIONS = '{"type":"RECONCILE_OPERATIONS","framework_id":{"value":""},"reconcile_operations":{"operations":'
    .. '[{"operation_id":{"value":"CREATE"}}]}}'

local function by_operator(text)
    return step(6, (text:gsub(',"allocation_info":{"role":"a"}', "")))
end

local function seed_operations()
    local start = step(5, SUBSCRIBE_ALL) .. pass(15)
    local acknowledge = pass(1) .. step(32 + 5, ACKNOWLEDGE_OPERATION) .. step(5 + 32, RECONCILE_OPERATIONS) .. pass(20)
    seed(start .. step(32 + 5, accept(OPERATIONS)) .. acknowledge .. pass(120))
    for i, later in ipairs(OPERATIONS) do
        local first, second = OPERATIONS[1], OPERATIONS[i % 2 + 2]
        seed(start .. by_operator(first) .. by_operator(second) .. pass(60) .. by_operator(later) .. pass(60))
        seed(start .. step(32 + 5, accept { first, second }) .. acknowledge
            .. step(32 + 5, accept { later }) .. acknowledge .. step(8 + 5, SUBSCRIBE_ALL) .. pass(15))
    end
end

-- What clients once sent to a real master in JSON.
local function recorded_calls()
    local list <close> = assert(io.popen("cat spec/fixtures/wire/*/http.txt"))
    local calls = {}
    for line in list:lines() do
        calls[#calls + 1] = line:match("^ +({.*}) *$")
    end
    return calls
end

function writers.fuzz_master()
    local life = step(5, SUBSCRIBE) .. pass(15) .. step(32 + 5, LAUNCH) .. pass(1) .. step(32 + 5, ACKNOWLEDGE)
    seed(life .. string.pack("<BI2", 1, 0) .. step(32 + 5, ACKNOWLEDGE) .. pass(20) .. string.pack("<BI2", 3, 0) .. pass(60))
    seed(life .. string.pack("<BI2", 2, 0) .. pass(250))
    local group = step(5, SUBSCRIBE) .. pass(15) .. step(32 + 5, launch_group("", "", "")) .. pass(1)
        .. step(32 + 5, ACKNOWLEDGE)
    for status = 0, 7 do
        seed(group .. string.pack("<BI2", 1, status) .. pass(20) .. string.pack("<BI2", 1, 7) .. pass(60))
    end
    seed(group .. step(32 + 5, (CALLS[1]:gsub('"t"', '"g1"'))) .. pass(100))
    for _, call in ipairs(CALLS) do
        seed(life .. step(32 + 5, call) .. pass(20) .. step(32 + 64 + 5, call) .. step(8 + 5, SUBSCRIBE) .. step(5, call))
    end
    for _, call in ipairs(recorded_calls()) do
        seed(step(5, SUBSCRIBE) .. step(5, call) .. step(32 + 5, call) .. pass(15))
    end
    seed_operations()
    -- The same in protobuf: SUBSCRIBE of a framework "x" of the user "root", and a REVIVE.
    seed(step(4, "\16\1\26\11\10\9\10\4root\18\1x") .. pass(15) .. step(32 + 4, "\10\2\10\0\16\5"))
end

-- The life of a custom executor, of a group, and of an agent that is maintained and drained.
local function seed_executors(subscribe)
    local function program(status)
        return step(128 + 5, ("x"):rep(status))
    end
    local function executor(call)
        return step(16 + 7, '{"executor_id":{"value":"e"},"framework_id":{"value":"@F"},"type":' .. call .. "}")
    end
    local custom = '"executor":' .. EXECUTOR:format("CUSTOM", "@F") .. ","
    local launch = LAUNCH:gsub('"kill_policy":{.*},', ""):gsub('"command":{"value":"true"},', custom)
    for _, id in ipairs { "@F", "@O", "@A" } do -- in the order in which they stand there
        launch = launch:gsub('"value":""', ('"value":"%s"'):format(id), 1)
    end
    local status = '"UPDATE","update":{"status":{"task_id":{"value":"t"},"state":"TASK_%s","source":"SOURCE_EXECUTOR",'
        .. '"uuid":"AAAAAAAAQACAAAAAAAAAAA==","executor_id":{"value":"e"}}}'
    local acknowledge = '{"type":"ACKNOWLEDGE","framework_id":{"value":"@F"},"acknowledge":{"agent_id":{"value":"@A"},'
        .. '"task_id":{"value":"t"},"uuid":"@U"}}'
    local life = subscribe .. step(8 + 2, launch) .. program(0) .. executor('"SUBSCRIBE","subscribe":{}')
        .. step(24 + 7, '{"executor_id":{"value":"e"},"framework_id":{"value":"@F"},"type":' .. status:format("RUNNING") .. "}")
        .. step(8 + 2, acknowledge)
    local kill = '{"type":"KILL","framework_id":{"value":"@F"},"kill":{"task_id":{"value":"t"}}}'
    local shutdown = '{"type":"SHUTDOWN","framework_id":{"value":"@F"},"shutdown":{"executor_id":{"value":"e"},"agent_id":{"value":"@A"}}}'
    local message = '{"type":"MESSAGE","framework_id":{"value":"@F"},"message":{"executor_id":{"value":"e"},"agent_id":{"value":"@A"},'
        .. '"data":"YQ=="}}'
    for _, call in ipairs { kill, shutdown, message, acknowledge } do
        seed(life .. step(8 + 2, call) .. program(2) .. step(8 + 2, acknowledge))
    end
    seed(life .. step(16 + 5, "") .. executor('"SUBSCRIBE","subscribe":{"unacknowledged_updates":[]}') .. step(5, ""))
    for i = 0, 4 do
        seed(subscribe .. step(8 + 2, launch_group("@F", "@O", "@A")) .. program(i) .. program(2) .. step(8 + 2, acknowledge) .. program(i))
    end
    for _, call in ipairs {
        'maintenance/schedule\n{"windows":[{"machine_ids":[{"hostname":"localhost","ip":"127.0.0.1"}],'
            .. '"unavailability":{"start":{"nanoseconds":1}}}]}',
        'machine/down\n[{"hostname":"localhost","ip":"127.0.0.1"}]', 'machine/up\n[{"hostname":"localhost","ip":"127.0.0.1"}]',
        'weights\n[{"role":"a","weight":2}]', 'quota\n{"role":"a","guarantee":[]}', "teardown\nframeworkId=@F",
        'reserve\nslaveId=@A&resources=[{"name":"cpus","type":"SCALAR","scalar":{"value":1},"role":"a"}]',
    } do
        seed(life .. step(64 + 16 + 4, call) .. step(64 + 8 + 4, call) .. step(5, ""))
    end
    for _, call in ipairs { "DRAIN_AGENT", "DEACTIVATE_AGENT", "REACTIVATE_AGENT", "MARK_AGENT_GONE" } do
        seed(life .. step(16 + 3, ('{"type":"%s","%s":{"agent_id":{"value":"@A"}}}'):format(call, call:lower())) .. program(2))
    end
end

-- Raw bytes, calls, what operators ask, and clients that leave; see cluster_http.c.
function writers.fuzz_cluster_http()
    local subscribe = step(2, SUBSCRIBE)
    local with_ids = { '{"type":"TEARDOWN","framework_id":{"value":"@F"}}', '{"type":"REVIVE","framework_id":{"value":"@F"}}',
        '{"type":"DECLINE","framework_id":{"value":"@F"},"decline":{"offer_ids":[{"value":"@O"}]}}',
        '{"type":"RECONCILE","framework_id":{"value":"@F"},"reconcile":{"tasks":[]}}' }
    seed_executors(subscribe)
    for _, call in ipairs(with_ids) do
        seed(subscribe .. step(8 + 2, call) .. step(8 + 2, call) .. step(5, ""))
    end
    for _, call in ipairs(recorded_calls()) do
        seed(subscribe .. step(8 + 2, call) .. step(16 + 32 + 2, call))
    end
    for _, path in ipairs { "state", "state-summary", "health", "metrics/snapshot", "redirect", "slaves?x=1", "tasks", "roles",
        "files/browse?path=/", "files/read?path=/..%2f..&offset=-1", "files/download?path=%2fslaves%2f", "maintenance/schedule",
        "master/state", "%00", "version", "flags", "weights", "quota", "teardown" } do
        seed(subscribe .. step(8 + 4, path) .. step(8 + 6, "") .. step(16 + 4, path))
    end
    for _, call in ipairs { "GET_STATE", "GET_AGENTS", "GET_TASKS", "GET_FLAGS", "GET_METRICS", "LIST_FILES", "SUBSCRIBE",
        "GET_ROLES", "GET_WEIGHTS", "GET_QUOTA", "GET_MASTER", "GET_MAINTENANCE_STATUS", "READ_FILE", "TEARDOWN" } do
        seed(subscribe .. step(8 + 3, ('{"type":"%s","get_metrics":{},"list_files":{"path":"/"},"read_file":{"path":"/x",'
            .. '"offset":0},"teardown":{"framework_id":{"value":"@F"}}}'):format(call)) .. step(5, ""))
    end
    for _, call in ipairs { '"SUBSCRIBE","subscribe":{}', '"UPDATE","update":{"status":{"task_id":{"value":"t"},"state":"TASK_RUNNING"}}',
        '"MESSAGE","message":{"data":"YQ=="}' } do
        seed(subscribe .. step(8 + 7, '{"executor_id":{"value":"e"},"framework_id":{"value":"@F"},"type":' .. call .. "}") .. step(5, ""))
    end
    for _, raw in ipairs { "\0\1\2\r\n\r\n", "GET /health HTTP/1.0\r\n\r\n", "POST /api/v1/scheduler HTTP/1.1\r\nHost: localhost\r\n"
        .. "Transfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        "POST /api/v1/executor HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nContent-Type: application/json\r\n\r\n{}",
        "GET / HTTP/1.1\r\nHost: evil\r\nOrigin: http://evil\r\n\r\n", ("[") :rep(500), "POST / HTTP/1.1\r\nExpect: 100-continue\r\n"
        .. "Host: localhost\r\nContent-Length: 99999999999999999999\r\n\r\n" } do
        seed(step(0, raw) .. step(8, raw:rep(3)) .. step(6, "") .. step(16 + 2, SUBSCRIBE))
    end
    seed(step(1, "\16\1\26\11\10\9\10\4root\18\1x") .. step(8 + 1, "\10\2\10\0\16\5"))
end

local write = writers[target]
if write then
    write()
end
