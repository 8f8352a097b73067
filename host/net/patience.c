// SPDX-License-Identifier: Apache-2.0
//
// How long a peer is waited for: see patience.h.

#include "net/patience.h"

static const double late = 1; // seconds; a loop that is later than that was kept busy

static void on_timer(void *data)
{
    struct patience *patience = data;
    uint64_t now = loop_now(patience->timer.loop);
    if (patience->due == 0 || now > patience->due + loop_seconds(late))
        patience->begun = now;
    patience->on_look(patience->data, now - patience->begun);
}

void patience_init(struct patience *patience, struct loop *loop, patience_on_look on_look,
                   void *data)
{
    *patience = (struct patience){.on_look = on_look, .data = data};
    timer_init(&patience->timer, loop, on_timer, patience);
}

void patience_start(struct patience *patience)
{
    if (timer_active(&patience->timer) && patience->due != 0)
        return;
    patience->due = 0;
    timer_start(&patience->timer, 0);
}

void patience_stop(struct patience *patience)
{
    timer_stop(&patience->timer);
}

void patience_until(struct patience *patience, uint64_t waited)
{
    patience->due = patience->begun + waited;
    timer_start(&patience->timer, patience->due - loop_now(patience->timer.loop));
}
