// SPDX-License-Identifier: Apache-2.0
//
// How long a peer is waited for: see peer_timeout.h. To arm the timer is no system call, so each
// answer may begin a new time.

#include "net/peer_timeout.h"

static const double late = 1; // seconds; a loop that is later than that was kept busy

static void begin(struct peer_timeout *timeout)
{
    timeout->begun = loop_now(timeout->timer.loop);
    timeout->on_look(timeout->data, 0);
}

static void on_timer(void *data)
{
    struct peer_timeout *timeout = data;
    uint64_t now = loop_now(timeout->timer.loop);
    if (timeout->state == PEER_TIMEOUT_OVER) {
        timeout->on_look(timeout->data, now - timeout->begun);
    } else if (now > timeout->due + loop_seconds(late)) {
        begin(timeout);
    } else {
        timeout->state = PEER_TIMEOUT_OVER;
        timer_start(&timeout->timer, 0);
    }
}

void peer_timeout_init(struct peer_timeout *timeout, struct loop *loop,
                       peer_timeout_on_look on_look, void *data)
{
    *timeout = (struct peer_timeout){.on_look = on_look, .data = data};
    timer_init(&timeout->timer, loop, on_timer, timeout);
}

void peer_timeout_start(struct peer_timeout *timeout)
{
    if (timeout->state == PEER_TIMEOUT_IDLE || timeout->state == PEER_TIMEOUT_ANSWERED)
        begin(timeout);
}

void peer_timeout_stop(struct peer_timeout *timeout)
{
    timeout->state = PEER_TIMEOUT_IDLE;
    timer_stop(&timeout->timer);
}

void peer_timeout_until(struct peer_timeout *timeout, uint64_t waited)
{
    uint64_t now = loop_now(timeout->timer.loop);
    timeout->state = PEER_TIMEOUT_RUNNING;
    timeout->due = timeout->begun + waited;
    timer_start(&timeout->timer, timeout->due > now ? timeout->due - now : 0);
}

void peer_timeout_renew(struct peer_timeout *timeout)
{
    timeout->state = PEER_TIMEOUT_ANSWERED;
}
