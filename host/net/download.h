// SPDX-License-Identifier: Apache-2.0
//
// A file from a web server, written piece by piece as it arrives, so that it may be larger than
// memory. Redirects are followed. A server that sends nothing for a minute is given up.

#ifndef MESOS_LUA_NET_DOWNLOAD_H
#define MESOS_LUA_NET_DOWNLOAD_H

#include "base/error.h"
#include "net/curl_loop.h"

struct download;

#define DOWNLOAD_LIMIT ((size_t)16 << 30) // bytes

// `ca_file` has the authorities to trust instead of the system's; or it is NULL.
//
// Writes into `file`, which is closed when the download is over or cannot start. `done` is called
// once, from the loop: `fault` is NULL if all of it is there, and says otherwise what went wrong,
// in the words of Mesos's fetcher. NULL, and `err`, if the address cannot be read.
struct download *download_start(struct curl_loop *curl_loop, struct loop *loop, const char *url,
                                const char *ca_file, int file,
                                void (*done)(void *data, const char *fault), void *data,
                                struct error *err);

// Cancels it if it is under way; `done` is not called then. NULL is fine.
void download_destroy(struct download *download);

#endif
