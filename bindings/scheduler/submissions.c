// SPDX-License-Identifier: Apache-2.0
//
// Jobs from outside: see submissions.h. The driver queues the bytes of a job; the scheduler keeps
// who waits for its answer, and finds it by these bytes again, which are the same block from the
// queue to the end of the callback.

#include "bindings/scheduler/submissions.h"

#include "base/memory.h"
#include "bindings/core/scratch.h"
#include "bindings/message/json.h"
#include "bindings/scheduler/scheduler_internal.h"
#include "script/protect.h"
#include "script/serialize.h"

#include <lauxlib.h>

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct submission {
    TAILQ_ENTRY(submission) link;
    struct bytes *job; // a reference
    submission_done done;
    void *data;
};

// ---- from text to bytes ----

struct job_reading {
    enum submission_form form;
    struct slice text;
    struct buffer bytes;
    struct error *err;
    bool good;
};

// Raises if the value at the top is no table. // [-0, +0, v]
static void check_table(lua_State *L)
{
    if (!lua_istable(L, -1))
        luaL_error(L, "a job is a table, and this is a %s", luaL_typename(L, -1));
}

static int l_unknown(lua_State *L) // [-0, +0, v]
{
    return luaL_error(L, "a job is plain data, and knows no name '%s'", luaL_tolstring(L, 2, NULL));
}

static void push_environment(lua_State *L) // [-0, +1, m]
{
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, l_unknown);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
}

static void push_from_lua(lua_State *L, struct slice text) // [-0, +1, e]
{
    lua_pushliteral(L, "return ");
    lua_pushlstring(L, (const char *)text.data, text.length);
    lua_concat(L, 2);
    size_t length;
    const char *chunk = lua_tolstring(L, -1, &length);
    if (luaL_loadbufferx(L, chunk, length, "=submit", "t") != LUA_OK)
        lua_error(L);
    push_environment(L);
    lua_setupvalue(L, -2, 1);
    lua_call(L, 0, 1);
    check_table(L);
}

static bool push_from_json(lua_State *L, struct slice text, struct error *err) // [-0, +0|1, m]
{
    size_t at = 0;
    while (at < text.length && isspace(text.data[at]))
        at++;
    if (at < text.length && text.data[at] != '{')
        return error_set(err, ERROR_INVALID,
                         "a job is an object in JSON, such as {\"id\": \"a\", \"cpus\": 1}");
    return json_decode(L, text, 0, err);
}

static int l_read(lua_State *L) // [-0, +0, e]
{
    struct job_reading *reading = lua_touserdata(L, 1);
    luaL_checkstack(L, 10, "a job");
    reading->good = true;
    if (reading->form == SUBMISSION_LUA)
        push_from_lua(L, reading->text);
    else
        reading->good = push_from_json(L, reading->text, reading->err);
    reading->good =
        reading->good && serialize_save(L, -1, "the job", &reading->bytes, reading->err);
    return 0;
}

// The error is the first line of what was raised: the traceback has no line of the script.
static void take_raised(struct script *script, struct error *err)
{
    const char *text = protect_text(script);
    error_set(err, ERROR_SCRIPT, "%.*s", (int)strcspn(text, "\n"), text);
    lua_pop(script_state(script), 1);
    script_uncount_failure(script);
}

struct bytes *submissions_read(struct script *script, enum submission_form form, struct slice text,
                               struct error *err)
{
    const struct title title = {.kind = "job", .name = "by the control socket", .loaded = true};
    struct job_reading reading = {.form = form, .text = text, .err = err};
    struct bytes *job = NULL;
    buffer_init(&reading.bytes, SUBMISSION_BYTES);
    enum protect_outcome outcome = protect_run(script, &title, l_read, &reading, 0);
    if (outcome == PROTECT_RAISED)
        take_raised(script, err);
    else if (outcome != PROTECT_DONE)
        error_set(err, ERROR_SCRIPT, "the script has ended");
    else if (reading.good)
        job = bytes_copy(reading.bytes.data, reading.bytes.length);
    buffer_free(&reading.bytes);
    return job;
}

// ---- waiting ----

static void end_submission(struct scheduler *scheduler, struct submission *submission, bool ok,
                           struct slice text)
{
    const struct submission_end end = {ok, text};
    TAILQ_REMOVE(&scheduler->submissions, submission, link);
    scheduler->submission_count--;
    submission->done(submission->data, &end);
    bytes_unref(submission->job);
    free(submission);
}

bool scheduler_submit(struct scheduler *scheduler, struct bytes *job, submission_done done,
                      void *data, struct error *err)
{
    bool runs = driver_status(scheduler->driver) == DRIVER_RUNNING,
         room = scheduler->submission_count < SUBMISSIONS_MOST;
    if (!runs || !room) {
        bytes_unref(job);
        return runs ? error_set(err, ERROR_LIMIT, "%d jobs wait already", SUBMISSIONS_MOST)
                    : error_set(err, ERROR_REFUSED, "the driver does not run");
    }
    struct submission *submission = memory_new(sizeof *submission);
    *submission = (struct submission){.job = bytes_ref(job), .done = done, .data = data};
    TAILQ_INSERT_TAIL(&scheduler->submissions, submission, link);
    scheduler->submission_count++;
    driver_submit(scheduler->driver, job);
    return true;
}

void submissions_end_all(struct scheduler *scheduler, const char *why)
{
    while (!TAILQ_EMPTY(&scheduler->submissions))
        end_submission(scheduler, TAILQ_FIRST(&scheduler->submissions), false, slice_text(why));
}

// ---- the callback ----

// (results of the callback...): what it returned as JSON; or nil and a message. // [-n, +1|2, e]
static int on_returned(lua_State *L, int status, lua_KContext context)
{
    const struct json_style style = {.indent = 0};
    (void)status, (void)context;
    lua_settop(L, 2);
    if (lua_isnil(L, 1) && lua_type(L, 2) == LUA_TSTRING)
        return 2;
    if (lua_isnil(L, 1)) {
        lua_pushliteral(L, "null");
        return 1;
    }
    struct buffer *out = scratch_push(L);
    json_encode(L, 1, "the answer", &style, out);
    lua_pushlstring(L, buffer_string(out), out->length);
    buffer_free(out);
    return 1;
}

// (callback, scheduler, driver, job)
static int l_submit(lua_State *L)
{
    lua_callk(L, lua_gettop(L) - 1, LUA_MULTRET, 0, on_returned);
    return on_returned(L, LUA_OK, 0);
}

void submissions_push_caller(lua_State *L)
{
    lua_pushcfunction(L, l_submit);
}

int submissions_push_job(lua_State *L, const struct driver_event *event)
{
    struct error err;
    if (!serialize_load(L, event->data, &err))
        luaL_error(L, "%s", err.text);
    return 1;
}

// ---- the answer ----

static struct slice text_at(lua_State *L, int index) // of a string // [-0, +0, -]
{
    size_t length;
    const char *text = lua_tolstring(L, index, &length);
    return (struct slice){(const uint8_t *)text, length};
}

static struct slice failure_of(const struct protect_end *end)
{
    if (end->outcome != PROTECT_RAISED)
        return slice_text("the script was ended before it answered");
    return (struct slice){(const uint8_t *)end->text, strcspn(end->text, "\n")};
}

void submissions_answer(struct scheduler *scheduler, const struct bytes *job, bool missing,
                        const struct protect_end *end)
{
    struct submission *submission = TAILQ_FIRST(&scheduler->submissions);
    while (submission != NULL && submission->job != job)
        submission = TAILQ_NEXT(submission, link);
    if (submission == NULL)
        return;
    if (missing)
        end_submission(scheduler, submission, false,
                       slice_text("the script takes no jobs: its scheduler has no callback "
                                  "submit(driver, job)"));
    else if (end->outcome != PROTECT_DONE)
        end_submission(scheduler, submission, false, failure_of(end));
    else
        end_submission(scheduler, submission, end->results == 1, text_at(end->L, -1));
}
