// SPDX-License-Identifier: Apache-2.0
//
// How much the log says; see the header. What `ctl log-level` sets meanwhile stays.

#include "master/verbosity.h"

static enum log_level level_of(unsigned level)
{
    return level > 0 ? LOG_DEBUG : LOG_INFO;
}

static void revert(struct verbosity *verbosity)
{
    timer_stop(&verbosity->revert);
    if (verbosity->changed && log_get_level() == level_of(verbosity->level))
        log_set_level(verbosity->former);
    verbosity->changed = false;
}

static void on_revert(void *data)
{
    revert(data);
    log_info("the verbosity of the log is what it was");
}

void verbosity_init(struct verbosity *verbosity, struct loop *loop)
{
    verbosity->changed = false;
    timer_init(&verbosity->revert, loop, on_revert, verbosity);
}

void verbosity_stop(struct verbosity *verbosity)
{
    revert(verbosity);
}

unsigned verbosity_original(const struct verbosity *verbosity)
{
    return (verbosity->changed ? verbosity->former : log_get_level()) == LOG_DEBUG;
}

unsigned verbosity_level(const struct verbosity *verbosity)
{
    return verbosity->changed ? verbosity->level : verbosity_original(verbosity);
}

void verbosity_set(struct verbosity *verbosity, unsigned level, uint64_t duration)
{
    revert(verbosity);
    if (level == verbosity_original(verbosity))
        return;
    verbosity->former = log_get_level();
    verbosity->level = level;
    verbosity->changed = true;
    log_set_level(level_of(level));
    log_info("the verbosity of the log is %u for a while", level);
    timer_start(&verbosity->revert, duration);
}
