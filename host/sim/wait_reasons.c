// SPDX-License-Identifier: Apache-2.0
//
// Why jobs wait; see the header.

#include "sim/wait_reasons.h"

#include "base/memory.h"
#include "loop/loop.h"

#include <stdlib.h>

enum { LOOKED_AT = 20 }; // jobs at the front of those that wait, in one look

uint64_t wait_reasons_waited(const struct books_job *job, uint64_t now)
{
    uint64_t until = job->has_started ? job->started : now;
    return until > job->at ? until - job->at : 0;
}

static struct wait_reason *find(struct wait_reasons *reasons, const struct books_job *job)
{
    for (size_t i = 0; i < reasons->count; i++)
        if (reasons->items[i].job == job)
            return &reasons->items[i];
    return NULL;
}

// That of the job with the shortest wait.
static struct wait_reason *shortest(struct wait_reasons *reasons, uint64_t now)
{
    struct wait_reason *found = &reasons->items[0];
    for (size_t i = 1; i < reasons->count; i++)
        if (wait_reasons_waited(reasons->items[i].job, now) < wait_reasons_waited(found->job, now))
            found = &reasons->items[i];
    return found;
}

// Its place, which may be taken from another job; NULL: others have waited longer.
static struct wait_reason *place_for(struct wait_reasons *reasons, const struct books_job *job,
                                     uint64_t now)
{
    struct wait_reason *place = find(reasons, job);
    if (place != NULL)
        return place;
    if (reasons->count < WAIT_REASONS) {
        place = &reasons->items[reasons->count++];
    } else {
        place = shortest(reasons, now);
        if (wait_reasons_waited(place->job, now) >= wait_reasons_waited(job, now))
            return NULL;
    }
    free(place->text);
    *place = (struct wait_reason){.job = job};
    return place;
}

// False if that job is no candidate.
static bool ask(struct wait_reasons *reasons, const struct books_job *job, bool again, uint64_t now)
{
    uint64_t waited = wait_reasons_waited(job, now);
    struct wait_reason *place = place_for(reasons, job, now);
    struct buffer text;
    if (place == NULL || (!again && place->waited > 0 && waited < place->waited * 2))
        return false;
    buffer_init(&text, WAIT_REASON_LENGTH);
    place->waited = waited;
    if (reasons->explain(reasons->data, job, &text)) {
        free(place->text);
        place->text = memory_string(buffer_string(&text));
    }
    buffer_free(&text);
    return true;
}

uint64_t wait_reasons_pause(uint64_t elapsed)
{
    uint64_t share = elapsed / WAIT_REASONS_SHARE;
    return share > LOOP_SECOND ? share : LOOP_SECOND;
}

void wait_reasons_ask(struct wait_reasons *reasons, const struct jobs *jobs, uint64_t least,
                      uint64_t now)
{
    const struct books_job *job = reasons->explain ? jobs_first(jobs) : NULL;
    int asked = 0;
    for (int i = 0; i < LOOKED_AT && asked < WAIT_REASONS_A_LOOK && job != NULL; i++) {
        asked += wait_reasons_waited(job, now) >= least && ask(reasons, job, false, now);
        job = jobs_next(jobs, job);
    }
}

void wait_reasons_ask_all(struct wait_reasons *reasons, const struct jobs *jobs, size_t most,
                          uint64_t now)
{
    const struct books_job *job = reasons->explain ? jobs_first(jobs) : NULL;
    for (size_t i = 0; i < most && job != NULL; i++) {
        ask(reasons, job, true, now);
        job = jobs_next(jobs, job);
    }
}

const char *wait_reasons_text(const struct wait_reasons *reasons, const struct books_job *job)
{
    for (size_t i = 0; i < reasons->count; i++)
        if (reasons->items[i].job == job)
            return reasons->items[i].text;
    return NULL;
}

void wait_reasons_free(struct wait_reasons *reasons)
{
    for (size_t i = 0; i < reasons->count; i++)
        free(reasons->items[i].text);
    reasons->count = 0;
}
