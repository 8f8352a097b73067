// SPDX-License-Identifier: Apache-2.0
//
// Signals of the process: see signals.h. The handles do not keep the loop alive, and live in the
// block that the last close callback frees.

#include "loop/signals.h"

#include "base/memory.h"
#include "loop/loop_uv.h"

#include <signal.h>
#include <stdlib.h>

static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};

enum { NUMBERS = sizeof numbers / sizeof *numbers };

struct signals {
    uv_signal_t handles[NUMBERS];
    int open;
    void (*on_signal)(void *data, int number);
    void *data;
};

static void on_signal(uv_signal_t *handle, int number)
{
    struct signals *signals = handle->data;
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
    }
    signal(SIGPIPE, SIG_IGN);
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
