// SPDX-License-Identifier: Apache-2.0
//
// Destruction of an object inside one of its own callbacks. Each function that calls out, or that
// is called from the loop and goes on afterwards, holds the object meanwhile. destroy() ends it:
// the object does nothing more, and the last release frees it.
//
// The last hold is never given back: what the freeing function calls may hold and release the
// object as ever, and frees it no second time.

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
// already, and there is nothing to do.
static inline bool lifetime_end(struct lifetime *lifetime)
{
    if (lifetime->ended)
        return false;
    lifetime->ended = true;
    lifetime->holds++;
    return true;
}

#endif
