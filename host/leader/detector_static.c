// SPDX-License-Identifier: Apache-2.0
//
// Addresses that do not change: see detector_static.h. All of them are read when it is created, so
// that a mistake in the third of them is told at the start and not when the first two are gone.

#include "leader/detector_static.h"

#include "base/memory.h"
#include "net/url.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct detector_static {
    struct detector detector;
    struct deferral announcement;
    struct url masters[DETECTOR_STATIC_ADDRESSES];
    size_t count, current;
};

static struct detector_static *self(struct detector *detector)
{
    return (struct detector_static *)detector;
}

static void on_announcement(void *data)
{
    struct detector_static *this = data;
    char address[URL_ADDRESS];
    url_leader(&this->masters[this->current], address);
    this->detector.events->leader(this->detector.data, address);
}

static void start(struct detector *detector)
{
    detector->guess = false;
    deferral_queue(&self(detector)->announcement);
}

static void retry(struct detector *detector)
{
    struct detector_static *this = self(detector);
    this->current = (this->current + 1) % this->count;
    this->detector.guess = true;
    deferral_queue(&this->announcement);
}

static void stop(struct detector *detector)
{
    deferral_cancel(&self(detector)->announcement);
}

static void destroy(struct detector *detector)
{
    stop(detector);
    free(detector);
}

static const struct detector_ops ops = {
    .start = start, .retry = retry, .stop = stop, .destroy = destroy};

static bool take_credentials(const struct detector_options *options, struct url *url,
                             struct error *err)
{
    if (options->credentials != NULL && !credentials_take(options->credentials, url, err))
        return false;
    explicit_bzero(url->password, sizeof url->password);
    return true;
}

static bool add_master(struct detector_static *this, const char *text,
                       const struct detector_options *options, struct error *err)
{
    if (this->count == DETECTOR_STATIC_ADDRESSES)
        return error_set(err, ERROR_LIMIT, "more than %d master addresses",
                         DETECTOR_STATIC_ADDRESSES);
    struct url *url = &this->masters[this->count];
    if (!url_parse(url, text, err))
        return false;
    if (!take_credentials(options, url, err))
        return false;
    url->tls = url->tls || (!url->scheme && options->tls);
    this->count++;
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
    struct detector_static *this = memory_new(sizeof *this);
    this->detector.ops = &ops;
    deferral_init(&this->announcement, loop, on_announcement, this);
    bool good = true;
    for (char *address; good && (address = next_address(&addresses)) != NULL; free(address))
        good = add_master(this, address, options, err);
    if (good)
        return &this->detector;
    free(this);
    return NULL;
}
