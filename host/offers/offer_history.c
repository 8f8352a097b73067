// SPDX-License-Identifier: Apache-2.0
//
// The recent past of offers: see offer_history.h. Two rings, of memory that is allocated when it is
// first needed and resident as far as it was used. What happened earlier is told by a counter:
// several things happen in one turn of the loop, at the same time.

#include "offers/offer_history.h"

#include "base/buffer.h"
#include "base/hash_index.h"
#include "base/memory.h"
#include "wire/field_numbers.h"
#include "wire/wire.h"

#include <stdlib.h>

// The last `most` items that were put in; `at` is the place of the next one.
struct ring {
    size_t most, at, count;
};

// When something happened to an agent or a role.
struct named_moment {
    char *name;
    size_t length;
    uint64_t order;
};

struct offer_history {
    uint64_t second, began, order;
    uint64_t revived;         // when all filters became void, by `order`
    uint64_t refilled;        // when `allowance` was right
    size_t pinned, allowance; // bytes
    struct ring events_ring, ends_ring;
    struct offer_event *events; // NULL: none yet
    struct offer_ending *ends;
    struct named_moment lost[OFFER_HISTORY_AGENTS], roles[OFFER_HISTORY_ROLES];
};

// ---- rings ----

static size_t next_place(struct ring *ring)
{
    size_t place = ring->at;
    ring->at = place + 1 == ring->most ? 0 : place + 1;
    if (ring->count < ring->most)
        ring->count++;
    return place;
}

static size_t place_of(const struct ring *ring, size_t age)
{
    size_t back = age + 1;
    return ring->at >= back ? ring->at - back : ring->at + ring->most - back;
}

// ---- events ----

// What arrived until then is not all known.
static void begin_after(struct offer_history *history, uint64_t arrival)
{
    if (history->began <= arrival)
        history->began = arrival + 1;
}

static void forget_oldest(struct offer_history *history)
{
    struct ring *ring = &history->events_ring;
    struct offer_event *oldest = &history->events[place_of(ring, ring->count - 1)];
    history->pinned -= oldest->block->length;
    begin_after(history, oldest->arrival);
    bytes_unref(oldest->block);
    ring->count--;
}

static void refill(struct offer_history *history, uint64_t now)
{
    double seconds = (double)(now - history->refilled) / (double)history->second;
    double more = seconds * OFFER_HISTORY_RATE;
    size_t lacking = OFFER_HISTORY_BYTES - history->allowance;
    history->allowance += more < (double)lacking ? (size_t)more : lacking;
    history->refilled = now;
}

static void push_event(struct offer_history *history, const struct offer_event *event)
{
    struct ring *ring = &history->events_ring;
    size_t length = event->block->length;
    while (ring->count > 0 &&
           (ring->count == ring->most || history->pinned + length > OFFER_HISTORY_BYTES))
        forget_oldest(history);
    if (history->events == NULL)
        history->events = memory_resize(NULL, ring->most * sizeof *history->events);
    history->events[next_place(ring)] = *event;
    history->pinned += length;
    history->allowance -= length;
}

// The first offers of the list, in a block of their own.
static struct bytes *copy_part(struct slice list)
{
    struct buffer part;
    struct slice offer;
    buffer_init(&part, OFFER_HISTORY_PART);
    while (wire_next_bytes(&list, FIELD_SCHEDULER_EVENT_OFFERS_OFFERS, &offer) &&
           part.length + offer.length + 16 < OFFER_HISTORY_PART)
        wire_put_bytes(&part, FIELD_SCHEDULER_EVENT_OFFERS_OFFERS, offer);
    struct bytes *block = bytes_copy(part.data, part.length);
    buffer_free(&part);
    return block;
}

void offer_history_add(struct offer_history *history, struct bytes *block, struct slice list,
                       uint64_t now)
{
    bool whole = block->length <= OFFER_HISTORY_BYTES;
    refill(history, now);
    bool fits = history->allowance >= (whole ? block->length : OFFER_HISTORY_PART);
    if (!fits || !whole)
        begin_after(history, now);
    if (!fits)
        return;
    while (!whole && history->events_ring.count > 0)
        forget_oldest(history);
    struct offer_event event = {.list = list, .arrival = now, .order = ++history->order};
    event.block = whole ? bytes_ref(block) : copy_part(list);
    if (!whole)
        event.list = slice_of(event.block);
    push_event(history, &event);
}

// ---- ends ----

void offer_history_end(struct offer_history *history, struct slice id, enum offer_end end,
                       double filter, uint64_t now)
{
    if (history->ends == NULL)
        history->ends = memory_resize(NULL, OFFER_HISTORY_ENDS * sizeof *history->ends);
    history->ends[next_place(&history->ends_ring)] = (struct offer_ending){
        .hash = hash_index_hash(id),
        .at = now,
        .order = ++history->order,
        .filter = (float)filter,
        .end = end,
    };
}

// The older events were void before those that are.
void offer_history_void(struct offer_history *history, uint64_t now)
{
    history->revived = ++history->order;
    for (size_t age = 0; age < history->events_ring.count; age++) {
        struct offer_event *event = &history->events[place_of(&history->events_ring, age)];
        if (event->is_void)
            break;
        event->is_void = true;
        event->voided_at = now;
    }
}

// The moment of that name, which takes the place of what happened longest ago if it is new.
static void note_name(struct named_moment *names, size_t most, struct slice name, uint64_t order)
{
    struct named_moment *oldest = names;
    for (size_t i = 0; i < most; i++) {
        struct slice known = {(const uint8_t *)names[i].name, names[i].length};
        if (known.data != NULL && slice_equal(known, name)) {
            names[i].order = order;
            return;
        }
        if (names[i].order < oldest->order)
            oldest = &names[i];
    }
    free(oldest->name);
    *oldest = (struct named_moment){.name = memory_text((const char *)name.data, name.length),
                                    .length = name.length,
                                    .order = order};
}

void offer_history_revive(struct offer_history *history, struct slice role)
{
    uint64_t order = ++history->order;
    if (role.data == NULL)
        history->revived = order;
    else
        note_name(history->roles, OFFER_HISTORY_ROLES, role, order);
}

void offer_history_lose(struct offer_history *history, struct slice agent_id)
{
    note_name(history->lost, OFFER_HISTORY_AGENTS, agent_id, ++history->order);
}

// ---- reading ----

uint64_t offer_history_second(const struct offer_history *history)
{
    return history->second;
}

uint64_t offer_history_began(const struct offer_history *history)
{
    return history->began;
}

size_t offer_history_count(const struct offer_history *history)
{
    return history->events_ring.count;
}

const struct offer_event *offer_history_event(const struct offer_history *history, size_t age)
{
    return &history->events[place_of(&history->events_ring, age)];
}

size_t offer_history_ends(const struct offer_history *history)
{
    return history->ends_ring.count;
}

const struct offer_ending *offer_history_ending(const struct offer_history *history, size_t age)
{
    return &history->ends[place_of(&history->ends_ring, age)];
}

// When it happened to that name; 0: never, as far as is known.
static uint64_t moment_of(const struct named_moment *names, size_t most, struct slice name)
{
    for (size_t i = 0; i < most; i++) {
        struct slice known = {(const uint8_t *)names[i].name, names[i].length};
        if (known.data != NULL && slice_equal(known, name))
            return names[i].order;
    }
    return 0;
}

bool offer_history_is_lost(const struct offer_history *history, struct slice agent_id,
                           uint64_t order)
{
    return order < moment_of(history->lost, OFFER_HISTORY_AGENTS, agent_id);
}

bool offer_history_filter_holds(const struct offer_history *history, struct slice role,
                                uint64_t order)
{
    return order > history->revived && order > moment_of(history->roles, OFFER_HISTORY_ROLES, role);
}

// ---- life ----

struct offer_history *offer_history_create(uint64_t second, uint64_t now)
{
    struct offer_history *history = memory_new(sizeof *history);
    *history = (struct offer_history){
        .second = second,
        .began = now,
        .refilled = now,
        .allowance = OFFER_HISTORY_BYTES,
        .events_ring = {.most = OFFER_HISTORY_EVENTS},
        .ends_ring = {.most = OFFER_HISTORY_ENDS},
    };
    return history;
}

void offer_history_destroy(struct offer_history *history)
{
    if (history == NULL)
        return;
    while (history->events_ring.count > 0)
        forget_oldest(history);
    for (size_t i = 0; i < OFFER_HISTORY_AGENTS; i++)
        free(history->lost[i].name);
    for (size_t i = 0; i < OFFER_HISTORY_ROLES; i++)
        free(history->roles[i].name);
    free(history->events);
    free(history->ends);
    free(history);
}
