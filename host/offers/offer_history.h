// SPDX-License-Identifier: Apache-2.0
//
// What was offered lately, and how those offers ended: for the question why a task is not placed
// (offer_explain.h), which is rarely asked, so noting costs next to nothing and reading is slow. It
// pins the bytes of events, and notes the end of an offer under the hash of its id.
//
// Memory is bounded. Events of OFFER_HISTORY_BYTES are pinned at most, the oldest go first; so many
// bytes more may come in each second as OFFER_HISTORY_RATE says, and events beyond that are left
// out. Of an event that is larger than all that, the first offers are copied, and take the place of
// all others. What came before an event that was left out, forgotten or cut is not all known, and
// that event neither. The ends of the last OFFER_HISTORY_ENDS offers are known, and the last
// OFFER_HISTORY_AGENTS agents that were lost.
//
// Times are of one clock, which the caller reads. `order` tells what happened first: it is a
// counter.

#ifndef MESOS_LUA_OFFERS_OFFER_HISTORY_H
#define MESOS_LUA_OFFERS_OFFER_HISTORY_H

#include "base/bytes.h"

enum {
    OFFER_HISTORY_BYTES = 2 << 20,
    OFFER_HISTORY_RATE = 512 << 10,
    OFFER_HISTORY_PART = 32 << 10, // of a larger event
    OFFER_HISTORY_EVENTS = 1024,
    OFFER_HISTORY_ENDS = 2048,
    OFFER_HISTORY_AGENTS = 64,
    OFFER_HISTORY_ROLES = 64, // that were revived one by one
};

enum offer_end {
    OFFER_END_UNKNOWN, // it was answered too long ago
    OFFER_END_DECLINED,
    OFFER_END_ACCEPTED,
    OFFER_END_RESCINDED,
    OFFER_END_VOID, // the master was lost, or the framework subscribed again
};

struct offer_event {
    struct bytes *block;
    struct slice list; // of Offer messages, each as FIELD_SCHEDULER_EVENT_OFFERS_OFFERS
    uint64_t arrival, order;
    bool is_void; // those of its offers that were outstanding became void, at `voided_at`
    uint64_t voided_at;
};

// How an offer ended. There are many, so it is small.
struct offer_ending {
    uint64_t hash, at, order;
    float filter; // seconds for which the master was asked not to make it again; 0: none
    enum offer_end end;
};

struct offer_history;

// `second` is the number of units of the clock in a second.
struct offer_history *offer_history_create(uint64_t second, uint64_t now);
void offer_history_destroy(struct offer_history *history); // NULL is fine

// Offers arrived: `list` is within the block.
void offer_history_add(struct offer_history *history, struct bytes *block, struct slice list,
                       uint64_t now);

// The offer of that id ended. `filter` is for how many seconds the master was asked not to make it
// again.
void offer_history_end(struct offer_history *history, struct slice id, enum offer_end end,
                       double filter, uint64_t now);

// All offers are void, and the filters are gone: the framework is not connected any more, or anew.
void offer_history_void(struct offer_history *history, uint64_t now);

// The filters of a role are gone; data NULL: those of all roles.
void offer_history_revive(struct offer_history *history, struct slice role);

// The offers of the agent are gone, and its filters.
void offer_history_lose(struct offer_history *history, struct slice agent_id);

// ---- reading ----

uint64_t offer_history_second(const struct offer_history *history);
uint64_t offer_history_began(const struct offer_history *history); // all since then is known
size_t offer_history_count(const struct offer_history *history);   // of events

// By age, 0 is the newest.
const struct offer_event *offer_history_event(const struct offer_history *history, size_t age);

size_t offer_history_ends(const struct offer_history *history);
const struct offer_ending *offer_history_ending(const struct offer_history *history, size_t age);

// True if the agent of what arrived then (by `order`) was lost since.
bool offer_history_is_lost(const struct offer_history *history, struct slice agent_id,
                           uint64_t order);

// True if a filter of that role which was set then holds: the role was not revived since.
bool offer_history_filter_holds(const struct offer_history *history, struct slice role,
                                uint64_t order);

#endif
