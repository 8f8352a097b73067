// SPDX-License-Identifier: Apache-2.0
//
// The loop of real time: one uv_timer for the earliest of our timers, one uv_check for the
// functions deferred to the end of a turn, one uv_prepare to notice that nothing is due, and one
// uv_idle that keeps libuv from sleeping while something is deferred or due at once. The handles
// live in a block of their own, since libuv releases them only in a close callback.
//
// An event, what its callback sends, and the writing of it are three rounds of deferred functions;
// a turn runs as many, since another turn costs a system call.
//
// Timers that are due at once are called by the uv_idle, once in a turn: a uv_timer without delay
// that is started in its own callback would be called again before anything else.

#include "loop/loop_uv.h"

#include "base/memory.h"

#include <stdlib.h>
#include <time.h>

enum { ROUNDS_OF_A_TURN = 3 };

struct handles {
    struct loop_uv *owner;
    uv_timer_t timer;
    uv_check_t check;
    uv_prepare_t prepare;
    uv_idle_t idle;
    int open;
};

struct loop_uv {
    struct loop loop;
    uv_loop_t *uv;
    bool own;
    bool in_rounds; // of deferred functions: handles are armed behind them
    struct handles *handles;
    void (*follow)(void *data);
    void *follow_data;
};

static struct loop_uv *self(struct loop *loop)
{
    return (struct loop_uv *)loop;
}

// Not the time at which the turn began: a timer that is started after a minute of work would be due
// before it was started.
static uint64_t now(struct loop *loop)
{
    uv_update_time(self(loop)->uv);
    return uv_now(self(loop)->uv) * UINT64_C(1000000);
}

static double wall(struct loop *loop)
{
    (void)loop;
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void on_idle(uv_idle_t *idle)
{
    struct handles *handles = idle->data;
    loop_run_timers(&handles->owner->loop);
}

static void on_timer(uv_timer_t *timer)
{
    struct handles *handles = timer->data;
    loop_run_timers(&handles->owner->loop);
}

// libuv counts in milliseconds: round up, or a timer would be called before it is due.
static void arm(struct loop *loop)
{
    struct handles *handles = self(loop)->handles;
    if (self(loop)->in_rounds)
        return;
    uint64_t due = loop_due(loop), time = now(loop);
    if (due <= time)
        uv_idle_start(&handles->idle, on_idle);
    else
        uv_idle_stop(&handles->idle);
    if (due > time && due != LOOP_NEVER)
        uv_timer_start(&handles->timer, on_timer, (due - time + 999999) / 1000000, 0);
    else
        uv_timer_stop(&handles->timer);
}

// The time is that of the beginning of the turn, or, if timers were called, of their end.
static void on_prepare(uv_prepare_t *prepare)
{
    struct handles *handles = prepare->data;
    loop_note_idle(&handles->owner->loop, uv_now(handles->owner->uv) * UINT64_C(1000000));
}

static void on_check(uv_check_t *check)
{
    struct handles *handles = check->data;
    struct loop_uv *loop_uv = handles->owner;
    loop_uv->loop.polled = uv_now(loop_uv->uv) * UINT64_C(1000000);
    loop_uv->in_rounds = true;
    for (int i = 0; i < ROUNDS_OF_A_TURN && loop_uv->loop.first != NULL; i++)
        loop_run_deferred(&loop_uv->loop);
    loop_uv->in_rounds = false;
    arm(&loop_uv->loop);
    if (loop_uv->follow != NULL)
        loop_uv->follow(loop_uv->follow_data);
}

static void on_closed(uv_handle_t *handle)
{
    struct handles *handles = handle->data;
    if (--handles->open == 0)
        free(handles);
}

static void destroy(struct loop *loop)
{
    struct loop_uv *loop_uv = self(loop);
    uv_close((uv_handle_t *)&loop_uv->handles->timer, on_closed);
    uv_close((uv_handle_t *)&loop_uv->handles->check, on_closed);
    uv_close((uv_handle_t *)&loop_uv->handles->prepare, on_closed);
    uv_close((uv_handle_t *)&loop_uv->handles->idle, on_closed);
    if (loop_uv->own) {
        uv_run(loop_uv->uv, UV_RUN_DEFAULT);
        uv_loop_close(loop_uv->uv);
        free(loop_uv->uv);
    }
    loop_free(loop);
    free(loop_uv);
}

static const struct loop_ops ops = {.now = now, .wall = wall, .arm = arm, .destroy = destroy};

static struct handles *open_handles(struct loop_uv *loop_uv)
{
    struct handles *handles = memory_new(sizeof *handles);
    handles->owner = loop_uv;
    handles->open = 4;
    uv_timer_init(loop_uv->uv, &handles->timer);
    uv_check_init(loop_uv->uv, &handles->check);
    uv_prepare_init(loop_uv->uv, &handles->prepare);
    uv_idle_init(loop_uv->uv, &handles->idle);
    handles->timer.data = handles->check.data = handles->idle.data = handles->prepare.data =
        handles;
    uv_prepare_start(&handles->prepare, on_prepare);
    uv_unref((uv_handle_t *)&handles->prepare);
    uv_check_start(&handles->check, on_check);
    uv_unref((uv_handle_t *)&handles->check);
    return handles;
}

struct loop *loop_uv_create(uv_loop_t *uv)
{
    struct loop_uv *loop_uv = memory_new(sizeof *loop_uv);
    loop_init(&loop_uv->loop, &ops);
    loop_uv->own = uv == NULL;
    loop_uv->uv = uv ? uv : memory_new(sizeof *loop_uv->uv);
    if (loop_uv->own)
        uv_loop_init(loop_uv->uv);
    loop_uv->handles = open_handles(loop_uv);
    return &loop_uv->loop;
}

uv_loop_t *loop_uv_handle(struct loop *loop)
{
    return self(loop)->uv;
}

// It may be called in a deferred function, and inside one of our timers, where nothing is armed.
void loop_uv_run(struct loop *loop, bool (*done)(void *data), void *data)
{
    bool in_rounds = self(loop)->in_rounds;
    self(loop)->in_rounds = false;
    arm(loop);
    while (!done(data))
        uv_run(self(loop)->uv, UV_RUN_ONCE);
    self(loop)->in_rounds = in_rounds;
}

void loop_uv_follow(struct loop *loop, void (*callback)(void *data), void *data)
{
    self(loop)->follow = callback;
    self(loop)->follow_data = data;
}

static void close_handle(uv_handle_t *handle, void *data)
{
    struct loop_uv *loop_uv = data;
    struct handles *handles = loop_uv->handles;
    bool ours =
        handle == (uv_handle_t *)&handles->timer || handle == (uv_handle_t *)&handles->check ||
        handle == (uv_handle_t *)&handles->prepare || handle == (uv_handle_t *)&handles->idle;
    if (!ours && !uv_is_closing(handle))
        uv_close(handle, NULL);
}

void loop_uv_drain(struct loop *loop)
{
    struct loop_uv *loop_uv = self(loop);
    uv_walk(loop_uv->uv, close_handle, loop_uv);
    while (uv_run(loop_uv->uv, UV_RUN_NOWAIT) != 0 && uv_loop_alive(loop_uv->uv))
        ;
}
