// SPDX-License-Identifier: Apache-2.0
//
// Signals of the process: see signals.h. The handles do not keep the loop alive, and live in the
// block that the last close callback frees.
//
// While a script keeps the loop from turning, signals would have no effect. Therefore our own
// handler stands in front of libuv's and counts them; the owner has a second to handle them, on the
// loop or with signals_take(). A thread other than the main one passes a signal on to it, so that
// the counts have one writer.

#include "loop/signals.h"

#include "base/log.h"
#include "base/memory.h"
#include "loop/loop_uv.h"
#include "loop/spawner.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};

enum { NUMBERS = sizeof numbers / sizeof *numbers };

struct signals {
    uv_signal_t handles[NUMBERS];
    int open;
    const struct signals_events *events; // NULL: the owner is gone
    void *data;
};

static volatile sig_atomic_t caught, reported, latest; // of SIGINT and SIGTERM
static struct signals *volatile current;
static void (*libuv_handler)(int number);

// ---- inside the handlers ----

static void on_caught(int number)
{
    if (syscall(SYS_gettid) != getpid()) {
        syscall(SYS_tgkill, getpid(), getpid(), number);
        return;
    }
    if (number != SIGHUP) {
        caught++;
        latest = number;
        alarm(1);
    }
    libuv_handler(number);
}

static void log_unheeded(void)
{
    const char *const text[] = {latest == SIGINT ? "SIGINT" : "SIGTERM",
                                ": the program is inside one call of a C function, or a finalizer "
                                "(__gc), which nothing can "
                                "stop: it stops when that returns; another signal ends it at once",
                                NULL};
    log_from_signal(LOG_WARNING, text);
}

static void on_alarm(int number)
{
    (void)number;
    if (reported == caught)
        return;
    if (caught == 1) {
        log_unheeded();
        return;
    }
    spawner_kill_all();
    if (current != NULL && current->events != NULL)
        current->events->ending(current->data);
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

int signals_take(struct signals *signals)
{
    (void)signals;
    if (reported == caught)
        return 0;
    reported = reported + 1;
    return latest;
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct signals *signals = handle->data;
    if (signals->events == NULL)
        return;
    if (number == SIGHUP) {
        signals->events->hangup(signals->data);
        return;
    }
    while (signals->events != NULL && (number = signals_take(signals)) != 0)
        signals->events->stop(signals->data, number);
}

// While they are blocked, what arrives stays pending.
static void hold(int how)
{
    sigset_t set;
    sigemptyset(&set);
    for (int i = 0; i < NUMBERS; i++)
        sigaddset(&set, numbers[i]);
    sigprocmask(how, &set, NULL);
}

struct signals *signals_create(struct loop *loop, const struct signals_events *events, void *data)
{
    struct signals *signals = memory_new(sizeof *signals);
    signals->events = events;
    signals->data = data;
    signals->open = NUMBERS;
    current = signals;
    for (int i = 0; i < NUMBERS; i++) {
        uv_signal_init(loop_uv_handle(loop), &signals->handles[i]);
        signals->handles[i].data = signals;
        uv_signal_start(&signals->handles[i], on_signal, numbers[i]);
        uv_unref((uv_handle_t *)&signals->handles[i]);
        stand_in_front(numbers[i]);
    }
    signal(SIGPIPE, SIG_IGN);
    signal(SIGALRM, on_alarm);
    hold(SIG_UNBLOCK);
    return signals;
}

static void on_closed(uv_handle_t *handle)
{
    struct signals *signals = handle->data;
    if (--signals->open == 0)
        free(signals);
}

// Other threads, such as libuv's for names, do not block signals: there this handler passes them
// on.
static void on_late(int number)
{
    syscall(SYS_tgkill, getpid(), getpid(), number);
}

void signals_destroy(struct signals *signals)
{
    const struct sigaction late = {.sa_handler = on_late, .sa_flags = SA_RESTART};
    if (signals == NULL)
        return;
    hold(SIG_BLOCK);
    signals->events = NULL;
    current = NULL;
    for (int i = 0; i < NUMBERS; i++) {
        uv_close((uv_handle_t *)&signals->handles[i], on_closed); // restores the default action
        sigaction(numbers[i], &late, NULL);
    }
}
