// SPDX-License-Identifier: Apache-2.0
//
// A grammar of bad scripts: see scripts.h. Templates have holes: E stands for an expression, B for
// a block, F for a function, N for a field's name, and ` makes the next character plain.

#include "scripts.h"

#include <string.h>

enum { DEPTH = 7, SIZE = 12000 };

struct writer {
    struct tape *tape;
    struct buffer *out;
    bool sandbox;
    unsigned depth;
};

#define COUNT(list) (sizeof(list) / sizeof *(list))

// ---- templates ----

static const char *const plain[] = {
    "nil",
    "true",
    "0",
    "1",
    "-1",
    "2.5",
    "1e308",
    "0/0",
    "1/0",
    "'x'",
    "''",
    "'o1'",
    "'t1'",
    "{}",
    "'`\\0'",
    "a",
    "b",
    "c",
    "d",
    "kept[1]",
    "kept[2]",
    "kept[3]",
    "kept[4]",
    "driver",
    "driver",
    "driver",
    "s",
    "mesos",
    "mesos.state",
    "math.mininteger",
    "'TASK_RUNNING'",
    "coroutine.running()",
    "('x'):rep(300)",
    "#kept",
    "...",
    "mesos.now()",
    "arg",
};

static const char *const deep[] = {
    "{E, E}",
    "{N = E, N = E}",
    "{{N = E}}",
    "{value = E}",
    "(E).N",
    "(E)[E]",
    "E .. E",
    "E + E",
    "E == E",
    "E < E",
    "#E",
    "-E",
    "(E)(E)",
    "F",
    "F",
    "(E):N(E)",
    "(pcall(E, E))",
    "select(2, pcall(F, E, E))",
    "setmetatable({}, {__index = E, __newindex = E, __call = F})",
    "setmetatable({}, {__tostring = F, __name = E, __len = E, __concat = F})",
    "setmetatable({E}, {__pairs = F, __eq = F, __lt = F, __mode = 'kv', __metatable = E})",
    "coroutine.create(F)",
    "coroutine.wrap(F)",
    "coroutine.wrap(mesos.sleep)",
    "tostring(E)",
    "('x'):rep(E)",
    "('x'):rep(`1e9)",
    "string.format('%s %d %q', E, E, E)",
    "load(E)",
    "load('return ' .. tostring(E))",
    "load(string.dump(F))",
    "load(F)",
    "table.pack(E, E)",
    "table.unpack(E)",
    "table.concat(E, E)",
    "select('#', E)",
    "string.gsub('abc', '.', E)",
    "string.pack('z', E)",
    "rawget(E, E)",
    "next(E)",
    "type(E)",
    "getmetatable(E)",
    "mesos.resources(E)",
    "mesos.resources {cpus = E, mem = E}",
    "mesos.SchedulerDriver {scheduler = E, framework = E}",
    "mesos.SchedulerDriver {scheduler = s, framework = {N = E}, implicitAcknowledgements = E}",
    "mesos.after(E, F)",
    "mesos.every(E, F)",
    "driver:offers()",
    "driver:offers()[1]",
    "(E):table()",
    "(E):attribute(E)",
    "(E).id",
    "(E).resources",
    "mesos.exec({})",
    "mesos.exec(E, {timeout = -1})",
    "mesos.http {url = E, headers = E, timeout = 'x'}",
};

static const char *const statements[] = {
    "a = E",
    "b = E",
    "c, d = E, E",
    "kept[#kept + 1] = E",
    "kept[1] = E",
    "a = F",
    "local a = E",
    "local b <const>, c = E, E",
    "local _ <close> = setmetatable({}, {__close = F})",
    "local _ <close> = E",
    "if E then B else B end",
    "for i = 1, 3 do B end",
    "for k, v in pairs(E) do kept[1] = v B end",
    "for _, v in ipairs(E) do kept[2] = v B end",
    "for v in coroutine.wrap(F) do B break end",
    "repeat B until true",
    "do B return E end",
    "do error(E, E) end",
    "error(setmetatable({}, {__tostring = F}))",
    "pcall(F, E)",
    "pcall(E, E, E)",
    "xpcall(F, F, E)",
    "xpcall(F, E)",
    "coroutine.wrap(F)(E)",
    "local co = coroutine.create(F) kept[3] = co coroutine.resume(co, E) B",
    "coroutine.resume(E, E)",
    "coroutine.close(E)",
    "coroutine.yield(E)",
    "coroutine.close(coroutine.running())",
    "kept[1], kept[2] = coroutine.resume(kept[3])",
    "mesos.sleep(E)",
    "mesos.sleep(0.001)",
    "pcall(mesos.sleep, 0)",
    "table.sort({3, 1, 2}, F)",
    "string.gsub('abc', '.', F)",
    "mesos.spawn(F, E)",
    "mesos.spawn(F)",
    "mesos.after(0, F)",
    "mesos.after(0.001, F)",
    "kept[4] = mesos.every(0.001, F)",
    "kept[4]:cancel()",
    "(E):cancel()",
    "mesos.log.info('%s %s', E, E)",
    "mesos.log.warning(E, E)",
    "mesos.state = E",
    "mesos.state.N = E",
    "mesos.state[E] = E",
    "mesos.N = E",
    "_G.N = E",
    "N = E",
    "rawset(_G, 'error', E)",
    "pcall = E",
    "tostring = E",
    "setmetatable = E",
    "require = E",
    "string = E",
    "string.format = E",
    "coroutine.wrap = E",
    "mesos.sleep = E",
    "setmetatable(_G, E)",
    "setmetatable(_G, nil)",
    "setmetatable(s, E)",
    "setmetatable(mesos, E)",
    "getmetatable('').__index = E",
    "getmetatable('').__add = F",
    "getmetatable(E).__gc(E)",
    "getmetatable(E).__index(E, E)",
    "package.loaded.mesos = nil mesos = require 'mesos'",
    "package.loaded.mesos = E",
    "package.preload.mesos(E)",
    "package.path = E",
    "package.searchers = E",
    "require(E)",
    "collectgarbage()",
    "collectgarbage('step', 10)",
    "table.move(E, 1, 1000, 2)",
    "table.insert(E, E)",
    "table.remove(E, E)",
    "rawset(E, E, E)",
    "s.N = E",
    "s.resourceOffers = E",
    "s.statusUpdate = E",
    "s.framework = E",
    "driver:stop(E)",
    "driver:stop()",
    "driver:abort()",
    "driver:start()",
    "driver:run()",
    "driver:join()",
    "driver:reconnect()",
    "driver:launchTasks(E, E, E)",
    "driver:launchTasks('o1', {{name = E, task_id = 't', agent_id = 'a', N = E}})",
    "for _, o in ipairs(driver:offers()) do driver:launchTasks(o.id, {kept.task(o)}) end",
    "driver:acceptOffers(E, {{type = 'LAUNCH', launch = E}}, E)",
    "driver:declineOffer(E, E)",
    "for _, o in ipairs(driver:offers()) do driver:declineOffer(o.id) B end",
    "driver:killTask(E, E)",
    "driver:reviveOffers(E)",
    "driver:suppressOffers(E)",
    "driver:acknowledgeStatusUpdate(E)",
    "driver:sendFrameworkMessage(E, E, E)",
    "driver:reconcileTasks(E)",
    "driver:requestResources(E)",
    "driver:updateFramework(E, E, E)",
    "driver:updateFramework({name = 'y', N = E}, {'*'})",
    "driver:acceptInverseOffers(E, E)",
    "driver:declineInverseOffers(E, E)",
    "driver:shutdownExecutor(E, E)",
    "driver:acknowledgeOperationStatus(E)",
    "driver:reconcileOperations(E)",
    "driver.N(E)",
    "local own = mesos.SchedulerDriver {scheduler = s, framework = {name = 'own'}} own:run()",
    "driver = mesos.SchedulerDriver {scheduler = s, framework = {name = 'own'}} driver:start()",
    "driver = nil collectgarbage()",
    "local function deep(...) B return 1 + deep(...) end deep(1)",
    "local function deep() return pcall(deep) end deep()",
    "local function deep() return (string.gsub('x', 'x', deep)) end deep()",
    "local function deep() return coroutine.wrap(deep)() end deep()",
    "local t = {} for i = 1, `1e6 do t[i] = {('x'):rep(i)} end",
    "local t = setmetatable({}, {}) getmetatable(t).__index = t kept[1] = t.N",
    "mesos.exit(E)",
    "goto done do B end ::done:: B",
};

// What only a script outside of the sandbox has.
static const char *const free_statements[] = {
    "setmetatable({}, {__gc = function() error(kept[1]) end})",
    "setmetatable({}, {__gc = function() kept[1] = mesos.after(0, print) end}) collectgarbage()",
    "setmetatable({}, {__gc = function() mesos.exit(1) end})",
    "setmetatable({}, {__gc = function(x) kept[1] = x setmetatable(x, getmetatable(x)) end})",
    "setmetatable({}, {__gc = function() driver:stop() end})",
    "setmetatable({}, {__gc = function() coroutine.wrap(function() mesos.sleep(1) end)() end})",
    "setmetatable({}, {__gc = function() mesos.spawn(print) driver = nil collectgarbage() end})",
    "setmetatable({}, {__gc = function() coroutine.yield() end})",
    "setmetatable({}, {__gc = function() driver:run() end})",
    "setmetatable({}, {__gc = E})",
    "collectgarbage('generational')",
    "collectgarbage('incremental', E, E, E)",
    "collectgarbage('stop')",
    "collectgarbage('restart')",
    "debug.sethook(F, 'crl', 1)",
    "debug.sethook(function() error('hook') end, '', 50)",
    "debug.sethook(function() mesos.sleep(0) end, 'l')",
    "debug.sethook()",
    "kept[1] = debug.traceback(E, E, E)",
    "kept[1] = debug.getinfo(1)",
    "print = F",
    "os.exit(E)",
    "io.write()",
};

static const char *const names[] = {
    "id",           "name",    "value",     "task_id",        "agent_id",
    "resources",    "state",   "framework", "cpus",           "mem",
    "ports",        "labels",  "table",     "attribute",      "N",
    "uuid",         "command", "hostname",  "roles",          "capabilities",
    "launch",       "type",    "message",   "refuse_seconds", "resourceOffers",
    "statusUpdate", "wrong",   "x",         "cancel",         "close",
};

static const char *const callbacks[] = {
    "registered",
    "reregistered",
    "disconnected",
    "resourceOffers",
    "statusUpdate",
    "offerRescinded",
    "frameworkMessage",
    "slaveLost",
    "executorLost",
    "error",
    "inverseOffers",
    "inverseOfferRescinded",
    "operationStatusUpdate",
    "reloaded",
};

// ---- writing ----

unsigned tape_draw(struct tape *tape, unsigned below)
{
    if (tape->at == tape->end)
        return 0;
    return *tape->at++ % below;
}

static const char *pick(struct tape *tape, const char *const *list, size_t count)
{
    return list[tape_draw(tape, (unsigned)count)];
}

static void write_template(struct writer *writer, const char *template);

static void write_expression(struct writer *writer)
{
    bool more =
        writer->depth < DEPTH && writer->out->length < SIZE && writer->tape->at < writer->tape->end;
    if (more && tape_draw(writer->tape, 3) == 0)
        write_template(writer, pick(writer->tape, deep, COUNT(deep)));
    else
        write_template(writer, pick(writer->tape, plain, COUNT(plain)));
}

// A loop that does not end by itself for a second, which is fifty times as long as a callback may
// take; for ever would be too long inside a finalizer or a hook, which nothing can stop.
static void write_statement(struct writer *writer)
{
    struct tape *tape = writer->tape;
    unsigned kind = tape_draw(tape, 16);
    if (kind == 1 && tape->loops > 0) {
        tape->loops--;
        write_template(writer, "while not kept.late() do B end");
    } else if (kind < 4 && !writer->sandbox) {
        write_template(writer, pick(tape, free_statements, COUNT(free_statements)));
    } else {
        write_template(writer, pick(tape, statements, COUNT(statements)));
    }
    buffer_append_text(writer->out, "\n");
}

static void write_block(struct writer *writer)
{
    unsigned count = writer->depth < DEPTH ? tape_draw(writer->tape, 4) : 0;
    for (unsigned i = 0; i < count && writer->out->length < SIZE; i++) {
        buffer_append_text(writer->out, "do ");
        write_statement(writer);
        buffer_append_text(writer->out, "end ");
    }
}

static void write_hole(struct writer *writer, char hole)
{
    if (hole == 'E')
        write_expression(writer);
    else if (hole == 'B')
        write_block(writer);
    else if (hole == 'F')
        write_template(writer, "function(...) B end");
    else
        buffer_append_text(writer->out, pick(writer->tape, names, COUNT(names)));
}

// A capital letter that stands alone is a hole; what stands in a word is a letter.
static bool is_hole(const char *template, const char *at)
{
    static const char letters[] = "_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'";
    bool before = at > template && strchr(letters, at[-1]) != NULL;
    bool behind = at[1] != '\0' && strchr(letters, at[1]) != NULL;
    return strchr("EBFN", *at) != NULL && !before && !behind;
}

static void write_template(struct writer *writer, const char *template)
{
    writer->depth++;
    for (const char *at = template; *at != '\0'; at++) {
        if (*at == '`')
            continue;
        if (is_hole(template, at))
            write_hole(writer, *at);
        else
            buffer_append(writer->out, at, 1);
    }
    writer->depth--;
}

static void write_statements(struct writer *writer, unsigned most)
{
    unsigned count = tape_draw(writer->tape, most);
    for (unsigned i = 0; i < count; i++) {
        buffer_append_text(writer->out, "do ");
        write_statement(writer);
        buffer_append_text(writer->out, "end\n");
    }
}

static void write_callback(struct writer *writer)
{
    buffer_format(writer->out,
                  "function s:%s(...)\ndriver = ...\nkept[1], kept[2], kept[3] = select(2, ...)\n",
                  pick(writer->tape, callbacks, COUNT(callbacks)));
    write_statements(writer, 6);
    buffer_append_text(writer->out, "end\n");
}

void scripts_write(struct tape *tape, bool sandbox, struct buffer *out)
{
    struct writer writer = {.tape = tape, .out = out, .sandbox = sandbox};
    buffer_append_text(out,
                       "local mesos = require 'mesos'\n"
                       "local s, kept, driver, a, b, c, d = {}, {}\n"
                       "function kept.task(o)\n"
                       "    return {name = 'x', task_id = 't', agent_id = o.agent_id,\n"
                       "        command = {value = 'x'}, resources = mesos.resources {cpus = 1}}\n"
                       "end\n"
                       "local clock, start = os.clock, os.clock()\n"
                       "function kept.late() return clock() - start > 1 end\n"
                       "local function main(...)\n");
    write_statements(&writer, 4);
    buffer_append_text(out, "end\n");
    unsigned count = 1 + tape_draw(tape, 8);
    for (unsigned i = 0; i < count; i++)
        write_callback(&writer);
    buffer_append_text(out, tape_draw(tape, 4) == 0 ? "main(...)\n" : "pcall(main, ...)\n");
    buffer_append_text(out, tape_draw(tape, 8) == 1 ? "return a\n" : "return s\n");
}

void scripts_write_code(struct tape *tape, bool sandbox, struct buffer *out)
{
    struct writer writer = {.tape = tape, .out = out, .sandbox = sandbox};
    write_statements(&writer, 4);
}
