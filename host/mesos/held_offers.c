// SPDX-License-Identifier: Apache-2.0
//
// Offers that are held for long: see held_offers.h. The table has them in the order of their
// arrival, so one timer, for the oldest that was not logged, is enough.

#include "mesos/held_offers.h"

#include "base/log.h"
#include "wire/field_numbers.h"
#include "wire/wire.h"

static uint64_t age(const struct held_offers *held, const struct offer *offer)
{
    return loop_now(held->loop) - offer_table_arrival(offer);
}

// The oldest that was not logged, or NULL.
static const struct offer *next_offer(const struct held_offers *held)
{
    return offer_table_after(held->offers, held->reported);
}

static void wait_for(struct held_offers *held, const struct offer *offer)
{
    uint64_t limit = loop_seconds(held->seconds), passed = age(held, offer);
    timer_start(&held->timer, passed < limit ? limit - passed : 0);
}

// Offers that are about to reach the age share the line.
static void log_held(struct held_offers *held, const struct offer *oldest)
{
    size_t count = 0;
    uint64_t limit = loop_seconds(held->seconds);
    uint64_t slack = limit / 10 < LOOP_SECOND ? limit / 10 : LOOP_SECOND;
    for (const struct offer *it = oldest; it != NULL && age(held, it) + slack >= limit;
         it = offer_table_next(it)) {
        held->reported = offer_table_arrival(it);
        count++;
    }
    log_warning("%zu offer%s held without an answer for %g seconds, the oldest ('%.*s' of %.*s) "
                "for %.1f: held offers go to no other framework, so decline what is not needed "
                "(driver:declineOffer); --offer-warn says after how long this is said",
                count, count == 1 ? " is" : "s are", held->seconds,
                SLICE_ARGS(offer_table_id(oldest)),
                SLICE_ARGS(wire_find(offer_table_wire(oldest), FIELD_OFFER_HOSTNAME)),
                (double)age(held, oldest) / (double)LOOP_SECOND);
}

static void on_timer(void *data)
{
    struct held_offers *held = data;
    const struct offer *oldest = next_offer(held);
    if (oldest != NULL && age(held, oldest) >= loop_seconds(held->seconds)) {
        log_held(held, oldest);
        oldest = next_offer(held);
    }
    if (oldest != NULL)
        wait_for(held, oldest);
}

void held_offers_init(struct held_offers *held, struct loop *loop, struct offer_table *offers,
                      double seconds)
{
    *held = (struct held_offers){.loop = loop, .offers = offers, .seconds = seconds};
    timer_init(&held->timer, loop, on_timer, held);
}

void held_offers_watch(struct held_offers *held)
{
    if (!(held->seconds > 0) || timer_active(&held->timer))
        return;
    const struct offer *oldest = next_offer(held);
    if (oldest != NULL)
        wait_for(held, oldest);
}

void held_offers_stop(struct held_offers *held)
{
    timer_stop(&held->timer);
}
