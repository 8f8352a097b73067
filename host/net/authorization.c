// SPDX-License-Identifier: Apache-2.0
//
// The Authorization header: see authorization.h.

#include "net/authorization.h"

#include "base/memory.h"

#include <string.h>

static bool is_same(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

bool authorization_renew(struct authorization *authorization, const struct credentials *credentials)
{
    const char *now = credentials ? credentials_header(credentials) : NULL;
    if (is_same(now, authorization->header))
        return false;
    authorization_forget(authorization);
    authorization->header = memory_string(now);
    return true;
}

void authorization_forget(struct authorization *authorization)
{
    memory_wipe(authorization->header);
    authorization->header = NULL;
}
