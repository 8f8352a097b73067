// SPDX-License-Identifier: Apache-2.0
//
// Addresses that do not change: see detector_static.h. All of them are read when it is created, so
// a mistake in the third of them is an error at the start and not when the first two have failed.

#include "leader/detector_static.h"

#include "base/memory.h"
#include "net/url.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct detector_static {
    struct detector base;
    struct deferral announcement;
    struct url masters[DETECTOR_STATIC_ADDRESSES];
    size_t count, current;
};

static struct detector_static *self(struct detector *base)
{
    return (struct detector_static *)base;
}

static void on_announcement(void *data)
{
    struct detector_static *detector = data;
    char address[URL_ADDRESS];
    url_leader(&detector->masters[detector->current], address);
    detector->base.events->leader(detector->base.data, address);
}

static void start(struct detector *base)
{
    base->guess = false;
    deferral_queue(&self(base)->announcement);
}

static void retry(struct detector *base)
{
    struct detector_static *detector = self(base);
    detector->current = (detector->current + 1) % detector->count;
    detector->base.guess = true;
    deferral_queue(&detector->announcement);
}

static void stop(struct detector *base)
{
    deferral_cancel(&self(base)->announcement);
}

static void destroy(struct detector *base)
{
    stop(base);
    free(base);
}

static const struct detector_ops ops = {
    .start = start, .retry = retry, .stop = stop, .destroy = destroy};

static bool take_credentials(const struct detector_options *options, struct url *url,
                             struct error *err)
{
    if (options->credentials != NULL && !credentials_use_url(options->credentials, url, err))
        return false;
    explicit_bzero(url->password, sizeof url->password);
    return true;
}

static bool add_master(struct detector_static *detector, const char *text,
                       const struct detector_options *options, struct error *err)
{
    if (detector->count == DETECTOR_STATIC_ADDRESSES)
        return error_set(err, ERROR_LIMIT, "more than %d master addresses",
                         DETECTOR_STATIC_ADDRESSES);
    struct url *url = &detector->masters[detector->count];
    if (!url_parse(url, text, err))
        return false;
    if (!take_credentials(options, url, err))
        return false;
    url->tls = url->tls || (!url->scheme && options->tls);
    detector->count++;
    return true;
}

// The next address of the list, without the blanks around it. NULL behind the last one.
static char *next_address(const char **list)
{
    if (*list == NULL)
        return NULL;
    const char *first = *list, *end = first + strcspn(first, ",");
    *list = *end ? end + 1 : NULL;
    while (first < end && isspace((unsigned char)*first))
        first++;
    while (end > first && isspace((unsigned char)end[-1]))
        end--;
    return memory_text(first, (size_t)(end - first));
}

struct detector *detector_static_create(const char *addresses,
                                        const struct detector_options *options, struct loop *loop,
                                        struct error *err)
{
    struct detector_static *detector = memory_new(sizeof *detector);
    detector->base.ops = &ops;
    deferral_init(&detector->announcement, loop, on_announcement, detector);
    bool good = true;
    for (char *address; good && (address = next_address(&addresses)) != NULL; free(address))
        good = add_master(detector, address, options, err);
    if (good)
        return &detector->base;
    free(detector);
    return NULL;
}
