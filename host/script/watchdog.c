// SPDX-License-Identifier: Apache-2.0
//
// The watchdog: see watchdog.h. Its timer is armed when a slice begins and it is not armed yet;
// when it fires, it computes when to fire next. At full speed that is one system call in each
// period of the limit. A second timer, for on_long(), counts the time that the thread runs, so that
// it wakes no thread that rests. The handler of its signal does only what a handler may do,
// lua_sethook() included, and what it reads is written in an order that is right at every
// instruction.

#include "script/watchdog.h"

#include "base/log.h"
#include "loop/loop.h"
#include "script/script_internal.h"
#include "script/slice_times.h"
#include "script/slow_call.h"

#include <lauxlib.h>

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
    RETRY = 20 * 1000 * 1000,     // nanoseconds, until a hook that was set has been called
    TICK = 100 * 1000 * 1000,     // nanoseconds of a slice, and of running, until on_long()
    LONG_CALL = 10 * 1000 * 1000, // nanoseconds that a C function may keep a hook waiting
    DEPTH = 16,                   // nested coroutines that a trace shows
    NESTED = 200,                 // functions that are looked through for a line
};

static const char stop_text;   // registry: why the slice was stopped
static const char memory_text; // registry: the error text when the memory is at its limit

static _Thread_local struct {
    timer_t timer, ticks;
    unsigned users; // scripts
    volatile bool armed;
    struct script *volatile script; // whose slice is open and not paused
} thread;

// ---- time ----

static uint64_t read_clock(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * LOOP_SECOND + (uint64_t)time.tv_nsec;
}

static double seconds(uint64_t nanoseconds)
{
    return (double)nanoseconds / (double)LOOP_SECOND;
}

static uint64_t elapsed(const struct watchdog *watchdog)
{
    uint64_t now = read_clock(), start = watchdog->start;
    return now > start ? now - start : 0;
}

uint64_t watchdog_now(void)
{
    return read_clock();
}

double watchdog_seconds(const struct watchdog *watchdog, uint64_t began)
{
    uint64_t now = watchdog->ended != 0 ? watchdog->ended : read_clock();
    return began != 0 && now > began ? seconds(now - began) : 0;
}

static void arm(uint64_t delay)
{
    const struct itimerspec setting = {.it_value = {.tv_sec = (time_t)(delay / LOOP_SECOND),
                                                    .tv_nsec = (long)(delay % LOOP_SECOND)}};
    thread.armed = true;
    timer_settime(thread.timer, 0, &setting, NULL);
}

// The lesser of two limits, where 0 is none.
static uint64_t lesser(uint64_t a, uint64_t b)
{
    if (a == 0 || b == 0)
        return a + b;
    return a < b ? a : b;
}

// The length of the slice at which it is warned of or stopped next; 0: neither will happen.
static uint64_t next_limit(const struct watchdog *watchdog)
{
    bool warns = watchdog->warn != 0 && !watchdog->warned;
    return lesser(warns ? watchdog->warn : 0, watchdog->most);
}

// The time until a limit is reached; 0: there is none.
static uint64_t next_look(const struct script *script, uint64_t time)
{
    uint64_t limit = next_limit(&script->watchdog);
    return limit > time ? limit - time : 0;
}

// ---- hooks ----

static void set_hook(struct frame *frame, lua_Hook hook, int mask)
{
    if (!frame->hooked) {
        frame->hook = lua_gethook(frame->L);
        frame->mask = lua_gethookmask(frame->L);
        frame->count = lua_gethookcount(frame->L);
        atomic_signal_fence(memory_order_seq_cst);
        frame->hooked = true;
    }
    lua_sethook(frame->L, hook, mask, 1);
}

void watchdog_unhook(struct frame *frame)
{
    lua_sethook(frame->L, frame->hook, frame->mask, frame->count);
    frame->hooked = false;
}

// A coroutine that was made while a hook was set has inherited it.
static void drop_hook(lua_State *L)
{
    struct frame *frame = script_of(L)->frame;
    if (frame != NULL && frame->L == L && frame->hooked)
        watchdog_unhook(frame);
    else
        lua_sethook(L, NULL, 0, 0);
}

// ---- the texts about a slow slice ----

static const struct frame *first_frame(const struct script *script)
{
    const struct frame *frame = script->frame;
    while (!frame->first)
        frame = frame->previous;
    return frame;
}

static void describe(const struct frame *first, char *text, size_t size)
{
    if (first->title.kind != NULL)
        snprintf(text, size, "%s %s", first->title.kind, first->title.name);
    else
        snprintf(text, size, "a call into the script");
}

// The innermost function that has lines, which are those of its caller where C functions run or
// have just returned, such as one called by pcall(). Without any, false and the outermost that was
// seen.
// [-0, +0, -]
static bool find_line(lua_State *L, lua_Debug *at)
{
    for (int level = 0; level < NESTED && lua_getstack(L, level, at); level++) {
        lua_getinfo(L, "Sln", at);
        if (at->currentline > 0)
            return true;
    }
    return false;
}

// The line that runs, or the C function that has just returned if the hook had to wait for it.
static void describe_line(lua_State *L, lua_Debug *ar, uint64_t waited, char *text, size_t size)
{
    struct slow_call call = {.advice = ""};
    lua_Debug at = *ar;
    if (ar->event == LUA_HOOKRET && waited >= LONG_CALL)
        slow_call_find(L, ar, &call);
    find_line(L, &at);
    if (*call.function != 0)
        snprintf(text, size, "was in %s, called at %s:%d%s%s%s", call.function, at.short_src,
                 at.currentline, *call.advice ? " (" : "", call.advice, *call.advice ? ")" : "");
    else
        snprintf(text, size, "is at %s:%d%s%s%s", at.short_src, at.currentline,
                 at.name ? " in '" : "", at.name ? at.name : "", at.name ? "'" : "");
}

static void warn(lua_State *L, lua_Debug *ar, uint64_t time, uint64_t waited)
{
    char what[160], line[512];
    describe(first_frame(script_of(L)), what, sizeof what);
    describe_line(L, ar, waited, line, sizeof line);
    log_warning("%s is slow: it has run for %.2f s without a pause, %s, and no event is handled "
                "until it returns or waits (--callback-warn); ctl %d interrupt stops it, and "
                "--callback-limit would",
                what, seconds(time), line, (int)getpid());
}

// Appends to the text at the top the traces of the coroutines that resumed the one that runs.
// [-1, +1, m]
static void append_outer(lua_State *L)
{
    const struct frame *frame = script_of(L)->frame;
    for (int i = 0; !frame->first && i < DEPTH; i++) {
        frame = frame->previous;
        luaL_traceback(L, frame->L, "\nresumed by", 0);
        lua_concat(L, 2);
    }
}

// The line that runs, "script.lua:3: ", or nothing.
// [-0, +1, m]
static void push_line(lua_State *L)
{
    lua_Debug at;
    if (find_line(L, &at))
        lua_pushfstring(L, "%s:%d: ", at.short_src, at.currentline);
    else
        lua_pushliteral(L, "");
}

static void describe_stop(const struct script *script, uint64_t time, char *text, size_t size)
{
    const struct watchdog *watchdog = &script->watchdog;
    bool loaded = first_frame(script)->title.loaded && watchdog->most == watchdog->load;
    if (watchdog->interrupt != NULL)
        snprintf(text, size, "stopped after %.2f s without a pause, by %s", seconds(time),
                 watchdog->interrupt);
    else
        snprintf(text, size, "stopped after %.2f s without a pause; the limit is %g s (%s)",
                 seconds(time), seconds(watchdog->most),
                 loaded ? "--load-limit" : "--callback-limit");
}

// [-0, +0, m]
static void make_text(lua_State *L, uint64_t time)
{
    char text[160];
    describe_stop(script_of(L), time, text, sizeof text);
    luaL_checkstack(L, LUA_MINSTACK, NULL);
    push_line(L);
    lua_pushstring(L, text);
    lua_concat(L, 2);
    luaL_traceback(L, L, lua_tostring(L, -1), 0);
    append_outer(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &stop_text);
    lua_pop(L, 1);
}

void watchdog_push_text(lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &stop_text);
}

static void on_unwind(lua_State *L, lua_Debug *ar)
{
    (void)ar;
    struct watchdog *watchdog = &script_of(L)->watchdog;
    if (!watchdog->stopping) {
        drop_hook(L);
        return;
    }
    watchdog_push_text(L);
    lua_error(L);
}

void watchdog_unwind(lua_State *L)
{
    set_hook(script_of(L)->frame, on_unwind, LUA_MASKCOUNT);
    watchdog_push_text(L);
    lua_error(L);
    abort();
}

// True if the slice is to be stopped now. Before, on_long() is called and a slow slice is logged.
static bool is_over(lua_State *L, lua_Debug *ar, uint64_t time, uint64_t waited)
{
    struct script *script = script_of(L);
    struct watchdog *watchdog = &script->watchdog;
    if (script->on_long != NULL && time >= TICK && !watchdog->stopping)
        script->on_long(script->data);
    if (watchdog->interrupt != NULL || (watchdog->most != 0 && time >= watchdog->most))
        return true;
    if (watchdog->warn != 0 && time >= watchdog->warn && !watchdog->warned) {
        watchdog->warned = true;
        warn(L, ar, time, waited);
    }
    return false;
}

static void on_over(lua_State *L, lua_Debug *ar)
{
    struct watchdog *watchdog = &script_of(L)->watchdog;
    drop_hook(L);
    if (!watchdog->open)
        return;
    uint64_t time = elapsed(watchdog);
    uint64_t waited = watchdog->asked != 0 && time > watchdog->asked ? time - watchdog->asked : 0;
    watchdog->stuck = watchdog->asked = 0;
    if (!is_over(L, ar, time, waited))
        return;
    if (!watchdog->stopping) {
        watchdog->stopping = true;
        make_text(L, time);
    }
    watchdog_unwind(L);
}

// ---- the watchdog ----

// True if no hook has been called for a second since the limit: only a call of a C function, or a
// finalizer, takes that long. True again each time that the slice has become twice as long.
static bool is_stuck(struct watchdog *watchdog, uint64_t time)
{
    if (watchdog->stuck == 0)
        watchdog->stuck = time + LOOP_SECOND;
    if (time < watchdog->stuck)
        return false;
    watchdog->stuck = 2 * time;
    return true;
}

static const char *write_number(uint64_t number, char *end)
{
    *--end = 0;
    do {
        *--end = (char)('0' + number % 10);
    } while ((number /= 10) > 0);
    return end;
}

// The handler of a signal may not format or allocate.
static void log_stuck(const struct script *script, uint64_t time)
{
    char digits[24];
    const struct title *title = &first_frame(script)->title;
    const char *parts[] = {title->kind ? title->kind : "a call",
                           " ",
                           title->kind ? title->name : "into the script",
                           " has been inside one call of a C function, or a finalizer, for about ",
                           write_number(time / LOOP_SECOND, digits + sizeof digits),
                           " s: no event is handled, and nothing can stop it, until that returns "
                           "(--callback-warn)",
                           NULL};
    log_from_signal(LOG_WARNING, parts);
}

// To set a hook takes as long as the stack is deep, and its call may be far away, as in a traceback
// of endless recursion: set again and again, the thread would do nothing else.
static void ask(struct script *script, uint64_t time)
{
    struct watchdog *watchdog = &script->watchdog;
    bool waits = watchdog->asked != 0 && watchdog->asked_frame == script->frame;
    if (waits && script->frame->hooked && time - watchdog->asked_last < LOOP_SECOND)
        return;
    watchdog->asked = watchdog->asked != 0 ? watchdog->asked : time;
    watchdog->asked_last = time;
    watchdog->asked_frame = script->frame;
    set_hook(script->frame, on_over, LUA_MASKCOUNT | LUA_MASKRET);
}

static void look(struct script *script)
{
    struct watchdog *watchdog = &script->watchdog;
    uint64_t limit = next_limit(watchdog), time = elapsed(watchdog), next = next_look(script, time);
    bool over = limit != 0 && time >= limit, lasts = script->on_long != NULL && time >= TICK;
    if (over || lasts)
        ask(script, time);
    watchdog->late = watchdog->late || over;
    if (over && is_stuck(watchdog, time))
        log_stuck(script, time);
    if (over || next != 0)
        arm(over ? RETRY : next);
    else
        thread.armed = false;
}

static void on_tick(int number)
{
    (void)number;
    int error = errno;
    slice_times_tick();
    if (thread.script != NULL)
        look(thread.script);
    else
        thread.armed = false;
    errno = error;
}

static int tick_signal(void)
{
    return SIGRTMIN + 3;
}

static void start_watchdog(void)
{
    struct sigaction action = {.sa_handler = on_tick, .sa_flags = SA_RESTART};
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = tick_signal()};
    const struct itimerspec ticks = {.it_value.tv_nsec = TICK, .it_interval.tv_nsec = TICK};
    event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
    sigfillset(&action.sa_mask);
    sigaction(tick_signal(), &action, NULL);
    if (timer_create(CLOCK_MONOTONIC, &event, &thread.timer) != 0 ||
        timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &thread.ticks) != 0) {
        log_warning("slow callbacks will not be noticed: no timer: %s", strerror(errno));
        return;
    }
    thread.users = 1;
    timer_settime(thread.ticks, 0, &ticks, NULL);
}

void watchdog_open(struct script *script, double warn_after, double stop_after, double load_most)
{
    struct watchdog *watchdog = &script->watchdog;
    uint64_t warn = loop_seconds(warn_after), stop = loop_seconds(stop_after);
    uint64_t load = loop_seconds(load_most);
    if (warn == 0 && stop == 0 && load == 0 && script->on_long == NULL)
        return;
    if (thread.users > 0)
        thread.users++;
    else
        start_watchdog();
    if (thread.users == 0)
        return;
    watchdog->watched = true;
    watchdog->warn = warn;
    watchdog->stop = stop;
    watchdog->load = load;
}

void watchdog_close(struct script *script)
{
    struct watchdog *watchdog = &script->watchdog;
    if (!watchdog->watched)
        return;
    watchdog->watched = false;
    if (--thread.users > 0)
        return;
    timer_delete(thread.timer);
    timer_delete(thread.ticks);
    thread.armed = false;
}

// ---- slices ----

static void watch(struct script *script)
{
    script->watchdog.outer = thread.script;
    thread.script = script;
    if (thread.armed)
        return;
    uint64_t next = next_look(script, 0);
    if (next != 0)
        arm(next);
}

static void account(const struct watchdog *watchdog, const struct frame *first)
{
    if (!slice_times_wanted() || !watchdog->watched)
        return;
    uint64_t now = read_clock(), start = watchdog->start;
    if (now > start)
        slice_times_add(&first->title, now - start, watchdog->warned);
}

static void unwatch(struct script *script)
{
    struct watchdog *watchdog = &script->watchdog;
    if (thread.script == script)
        thread.script = watchdog->outer;
    watchdog->open = false;
}

static void tell_slice(struct script *script, const struct frame *first)
{
    struct watchdog *watchdog = &script->watchdog;
    if (script->on_slice == NULL || first->title.kind == NULL)
        return;
    watchdog->ended = read_clock();
    script->on_slice(script->data, &first->title, watchdog->ended - watchdog->start);
}

void watchdog_begin(struct script *script, const struct frame *first)
{
    struct watchdog *watchdog = &script->watchdog;
    watchdog->start = read_clock();
    watchdog->ended = 0;
    watchdog->late = watchdog->warned = watchdog->stopped = false;
    watchdog->stuck = watchdog->asked = 0;
    watchdog->interrupt = NULL;
    watchdog->open = true;
    if (!watchdog->watched)
        return;
    watchdog->most = first->title.loaded ? lesser(watchdog->stop, watchdog->load) : watchdog->stop;
    watch(script);
}

static void log_slow_call(const struct script *script, const struct frame *first)
{
    char what[160];
    describe(first, what, sizeof what);
    log_warning("%s ran for %.2f s without a pause", what, seconds(elapsed(&script->watchdog)));
}

void watchdog_end(struct script *script, const struct frame *first)
{
    struct watchdog *watchdog = &script->watchdog;
    account(watchdog, first);
    unwatch(script);
    watchdog->stopped = watchdog->stopping;
    watchdog->stopping = false;
    if (watchdog->late && !watchdog->stopped && watchdog->warn != 0)
        log_slow_call(script, first);
    tell_slice(script, first);
}

void watchdog_pause(struct script *script)
{
    const struct frame *first = first_frame(script);
    account(&script->watchdog, first);
    unwatch(script);
    tell_slice(script, first);
}

void watchdog_continue(struct script *script)
{
    watchdog_begin(script, first_frame(script));
}

// ---- the slice that is open ----

bool watchdog_describe(char *text, size_t size)
{
    const struct script *script = thread.script;
    char what[160];
    lua_Debug at;
    if (script == NULL)
        return false;
    describe(first_frame(script), what, sizeof what);
    if (find_line(script->frame->L, &at))
        snprintf(text, size, "%s, which has run for %.2f s and is at %s:%d", what,
                 seconds(elapsed(&script->watchdog)), at.short_src, at.currentline);
    else
        snprintf(text, size, "%s, which has run for %.2f s", what,
                 seconds(elapsed(&script->watchdog)));
    return true;
}

bool watchdog_interrupt(const char *why)
{
    if (thread.script == NULL)
        return false;
    thread.script->watchdog.interrupt = why;
    return true;
}

// ---- memory ----

void watchdog_set_memory_text(lua_State *L, size_t limit)
{
    char text[160];
    snprintf(text, sizeof text,
             "not enough memory: the script is at its limit of %zu bytes (--memory-limit)", limit);
    lua_pushstring(L, text);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &memory_text);
}

void watchdog_explain(lua_State *L)
{
    struct script_heap *heap = &script_of(L)->heap;
    if (!heap->refused)
        return;
    heap->refused = false;
    lua_pop(L, 1);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &memory_text);
}
