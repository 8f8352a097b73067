// SPDX-License-Identifier: Apache-2.0
//
// A request whose body goes to a file: see the header.

#include "net/download.h"

#include "base/memory.h"
#include "net/curl_loop.h"
#include "net/http_client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STALLED 60.0 // seconds
#define REDIRECTS 30

struct download {
    struct http_client *client;
    int file;
    int write_fault; // errno
    void (*done)(void *data, const char *fault);
    void *data;
};

static bool on_piece(void *data, struct slice piece)
{
    struct download *download = data;
    while (piece.length > 0) {
        ssize_t written = write(download->file, piece.data, piece.length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0) {
            download->write_fault = errno;
            return false;
        }
        piece.data += written;
        piece.length -= (size_t)written;
    }
    return true;
}

static void close_file(struct download *download)
{
    if (download->file >= 0)
        close(download->file);
    download->file = -1;
}

static void on_reply(void *data, const struct http_client_reply *reply)
{
    struct download *download = data;
    char fault[1024] = "";
    close_file(download);
    if (download->write_fault != 0)
        snprintf(fault, sizeof fault, "Error downloading resource: %s",
                 strerror(download->write_fault));
    else if (reply->status == 0)
        snprintf(fault, sizeof fault, "Error downloading resource: %s", reply->failure);
    else if (reply->status != 200)
        snprintf(fault, sizeof fault, "Error downloading resource, received HTTP return code %d",
                 reply->status);
    download->done(download->data, *fault != '\0' ? fault : NULL);
}

struct download *download_start(struct curl_loop *curl_loop, struct loop *loop, const char *url,
                                const char *ca_file, int file,
                                void (*done)(void *data, const char *fault), void *data,
                                struct error *err)
{
    struct download *download = memory_new(sizeof *download);
    const struct http_client_request request = {.method = "GET",
                                                .url = url,
                                                .ca_file = ca_file,
                                                .limit = DOWNLOAD_LIMIT,
                                                .redirects = REDIRECTS,
                                                .stalled = STALLED,
                                                .piece = on_piece,
                                                .piece_data = download};
    *download = (struct download){.file = file, .done = done, .data = data};
    download->client = http_client_start(curl_loop, loop, &request, on_reply, download, err);
    if (download->client != NULL)
        return download;
    download_destroy(download);
    return NULL;
}

void download_destroy(struct download *download)
{
    if (download == NULL)
        return;
    http_client_destroy(download->client);
    close_file(download);
    free(download);
}
