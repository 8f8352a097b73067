// SPDX-License-Identifier: Apache-2.0
//
// How long a peer is waited for: see peer_timeout.h.

#include "net/peer_timeout.h"

static const double late = 1; // seconds; a loop that is later than that was kept busy

static void on_timer(void *data)
{
    struct peer_timeout *timeout = data;
    uint64_t now = loop_now(timeout->timer.loop);
    if (timeout->due == 0 || now > timeout->due + loop_seconds(late))
        timeout->begun = now;
    timeout->on_look(timeout->data, now - timeout->begun);
}

void peer_timeout_init(struct peer_timeout *timeout, struct loop *loop,
                       peer_timeout_on_look on_look, void *data)
{
    *timeout = (struct peer_timeout){.on_look = on_look, .data = data};
    timer_init(&timeout->timer, loop, on_timer, timeout);
}

void peer_timeout_start(struct peer_timeout *timeout)
{
    if (timer_active(&timeout->timer) && timeout->due != 0)
        return;
    timeout->due = 0;
    timer_start(&timeout->timer, 0);
}

void peer_timeout_stop(struct peer_timeout *timeout)
{
    timer_stop(&timeout->timer);
}

void peer_timeout_until(struct peer_timeout *timeout, uint64_t waited)
{
    timeout->due = timeout->begun + waited;
    timer_start(&timeout->timer, timeout->due - loop_now(timeout->timer.loop));
}
