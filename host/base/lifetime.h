// SPDX-License-Identifier: Apache-2.0
//
// Destruction of an object inside one of its own callbacks. Each function that calls a callback, or
// that the loop calls and that goes on after a callback, holds the object meanwhile. destroy() ends
// the object: it does nothing more, and the last release frees it.
//
// The last hold is never released: functions that are called while the object is freed may hold and
// release it as usual, and do not free it a second time.

#ifndef MESOS_LUA_BASE_LIFETIME_H
#define MESOS_LUA_BASE_LIFETIME_H

#include <stdbool.h>

struct lifetime {
    unsigned holds;
    bool ended;
};

static inline void lifetime_hold(struct lifetime *lifetime)
{
    lifetime->holds++;
}

// Calls `free_object` with `object`, which `lifetime` is in, if it has ended and nothing else holds
// it.
static inline void lifetime_release(struct lifetime *lifetime, void (*free_object)(void *object),
                                    void *object)
{
    if (lifetime->holds == 1 && lifetime->ended)
        free_object(object);
    else
        lifetime->holds--;
}

// Ends the object, and holds it until the release at the end of its destroy(). False: it has ended
// already, and destroy() has nothing to do.
static inline bool lifetime_end(struct lifetime *lifetime)
{
    if (lifetime->ended)
        return false;
    lifetime->ended = true;
    lifetime->holds++;
    return true;
}

#endif
