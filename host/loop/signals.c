// SPDX-License-Identifier: Apache-2.0
//
// Signals of the process: see signals.h. The handles do not keep the loop alive, and live in the
// block that the last close callback frees.
//
// A loop that never gets back to its signals, because a script in it never ends, would make the
// process deaf. Therefore our own handler stands in front of libuv's and counts: when a signal
// comes and the one before is still unseen, the loop has a second to look. Then it is the end, and
// that of the children.

#include "loop/signals.h"

#include "base/memory.h"
#include "loop/inherited.h"
#include "loop/loop_uv.h"
#include "loop/spawner.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};

enum { NUMBERS = sizeof numbers / sizeof *numbers };

struct signals {
    uv_signal_t handles[NUMBERS];
    int open;
    void (*on_signal)(void *data, int number);
    void *data;
};

// ---- inside the handlers ----

static volatile sig_atomic_t unseen, latest;
static void (*libuv_handler)(int number);

static void on_caught(int number)
{
    if (number != SIGHUP && unseen++ == 1) {
        latest = number;
        alarm(1);
    }
    libuv_handler(number);
}

static void on_alarm(int number)
{
    (void)number;
    spawner_kill_all();
    _exit(128 + latest);
}

static void stand_in_front(int number)
{
    struct sigaction action;
    sigaction(number, NULL, &action);
    libuv_handler = action.sa_handler;
    action.sa_handler = on_caught;
    sigaction(number, &action, NULL);
}

// ---- on the loop ----

static void on_signal(uv_signal_t *handle, int number)
{
    struct signals *signals = handle->data;
    if (number != SIGHUP) {
        unseen = 0;
        alarm(0);
    }
    if (signals->on_signal != NULL)
        signals->on_signal(signals->data, number);
}

struct signals *signals_create(struct loop *loop, void (*callback)(void *data, int number),
                               void *data)
{
    struct signals *signals = memory_new(sizeof *signals);
    signals->on_signal = callback;
    signals->data = data;
    signals->open = NUMBERS;
    for (int i = 0; i < NUMBERS; i++) {
        uv_signal_init(loop_uv_handle(loop), &signals->handles[i]);
        signals->handles[i].data = signals;
        uv_signal_start(&signals->handles[i], on_signal, numbers[i]);
        uv_unref((uv_handle_t *)&signals->handles[i]);
        stand_in_front(numbers[i]);
    }
    signal(SIGPIPE, SIG_IGN);
    signal(SIGALRM, on_alarm);
    inherited_release_signals();
    return signals;
}

static void on_closed(uv_handle_t *handle)
{
    struct signals *signals = handle->data;
    if (--signals->open == 0)
        free(signals);
}

void signals_destroy(struct signals *signals)
{
    if (signals == NULL)
        return;
    signals->on_signal = NULL;
    for (int i = 0; i < NUMBERS; i++)
        uv_close((uv_handle_t *)&signals->handles[i], on_closed);
}
