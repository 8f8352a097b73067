// SPDX-License-Identifier: Apache-2.0
//
// Acknowledgements a second on one connection, in order, through the call pipeline, against libcurl
// sending one at a time. The master is a thread that answers each call with 202, at once or after
// half a millisecond, as a network would have it. Rounds of both take turns; what counts is the
// ratio of the medians of the time by the clock.

#include "fixture.h"
#include "loop/loop_uv.h"
#include "net/call_pipeline.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 7, CALL = 146, WAITING = 2048, BATCHES = 4096, SPACE = 256 * 1024 };

static const char answer[] = "HTTP/1.1 202 Accepted\r\n"
                             "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
                             "Content-Length: 0\r\n\r\n";

#define ANSWER (sizeof answer - 1)

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * LOOP_SECOND + (uint64_t)time.tv_nsec;
}

static void check(bool good, const char *what)
{
    if (good)
        return;
    perror(what);
    exit(1);
}

// ---- the master ----

// The calls that came at a time are answered at a time.
struct batch {
    uint64_t due;
    size_t calls;
};

struct peer {
    int socket;
    uint64_t delay;
    struct batch batches[BATCHES];
    size_t first, last; // of `batches`, a ring
    char space[SPACE];
    size_t held; // of `space`
};

// How many whole calls are in `space`; drops them.
static size_t count_calls(struct peer *peer)
{
    size_t calls = 0, at = 0;
    for (;;) {
        const char *head = peer->space + at;
        const char *end = memmem(head, peer->held - at, "\r\n\r\n", 4);
        if (end == NULL)
            break;
        const char *length = memmem(head, (size_t)(end - head), "Content-Length: ", 16);
        size_t whole = (size_t)(end - head) + 4 + (length ? strtoul(length + 16, NULL, 10) : 0);
        if (peer->held - at < whole)
            break;
        at += whole;
        calls++;
    }
    peer->held -= at;
    memmove(peer->space, peer->space + at, peer->held);
    return calls;
}

static bool take_calls(struct peer *peer)
{
    ssize_t length = recv(peer->socket, peer->space + peer->held, SPACE - peer->held, 0);
    if (length <= 0)
        return false;
    peer->held += (size_t)length;
    peer->batches[peer->last++ % BATCHES] = (struct batch){now() + peer->delay, count_calls(peer)};
    return true;
}

static bool send_all(int socket, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t sent = send(socket, bytes, length, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        bytes += sent;
        length -= (size_t)sent;
    }
    return true;
}

static bool answer_calls(struct peer *peer, size_t calls)
{
    enum { AT_ONCE = 512 };
    static char answers[AT_ONCE * ANSWER];
    if (answers[0] == 0)
        for (size_t i = 0; i < AT_ONCE; i++)
            memcpy(answers + i * ANSWER, answer, ANSWER);
    for (; calls > AT_ONCE; calls -= AT_ONCE)
        if (!send_all(peer->socket, answers, sizeof answers))
            return false;
    return send_all(peer->socket, answers, calls * ANSWER);
}

static void serve(struct peer *peer)
{
    bool good = true;
    while (good) {
        uint64_t time = now();
        const struct batch *batch = &peer->batches[peer->first % BATCHES];
        if (peer->first != peer->last && batch->due <= time) {
            good = answer_calls(peer, batch->calls);
            peer->first++;
            continue;
        }
        uint64_t rest = peer->first != peer->last ? batch->due - time : LOOP_SECOND;
        const struct timespec patience = {(time_t)(rest / LOOP_SECOND), (long)(rest % LOOP_SECOND)};
        struct pollfd poll = {.fd = peer->socket, .events = POLLIN};
        if (ppoll(&poll, 1, &patience, NULL) > 0)
            good = take_calls(peer);
    }
}

struct listener {
    int socket;
    uint64_t delay;
};

static void *run_master(void *data)
{
    static struct peer peer;
    const struct listener *listener = data;
    for (int socket; (socket = accept(listener->socket, NULL, NULL)) >= 0;) {
        int yes = 1;
        setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        peer = (struct peer){.socket = socket, .delay = listener->delay};
        serve(&peer);
        close(socket);
    }
    return NULL;
}

static unsigned short listen_on_any(struct listener *listener)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    listener->socket = socket(AF_INET, SOCK_STREAM, 0);
    check(bind(listener->socket, (struct sockaddr *)&address, length) == 0, "bind");
    check(listen(listener->socket, 4) == 0, "listen");
    check(getsockname(listener->socket, (struct sockaddr *)&address, &length) == 0, "getsockname");
    return ntohs(address.sin_port);
}

// ---- the pipeline ----

static const uint8_t call[CALL] = {8, 6};

struct flood {
    struct loop *loop;
    struct call_pipeline *pipeline;
    size_t sent, answered, count;
};

static void on_reply(void *data, const struct http_reply *reply);

static void send_next(struct flood *flood)
{
    if (flood->sent == flood->count)
        return;
    flood->sent++;
    call_pipeline_send(flood->pipeline, (struct slice){call, CALL}, on_reply, flood);
}

static bool is_done(void *data)
{
    const struct flood *flood = data;
    return flood->answered == flood->count;
}

static void on_reply(void *data, const struct http_reply *reply)
{
    struct flood *flood = data;
    check(reply->status == 202, "a call was not answered");
    flood->answered++;
    send_next(flood);
}

// Calls a second.
static double run_pipeline(const char *address, size_t count, size_t window)
{
    struct error err = {.code = ERROR_NONE};
    struct url url;
    const struct call_pipeline_options options = {.window = window};
    struct flood flood = {.loop = loop_uv_create(NULL), .count = count};
    check(url_parse(&url, address, &err), "address");
    flood.pipeline = call_pipeline_create(flood.loop, &options);
    call_pipeline_open(flood.pipeline, &url, "f3a1d9d2-8c2e-4b1c-9a37-3d2cf1b0f0aa");
    uint64_t start = now();
    for (size_t i = 0; i < WAITING; i++)
        send_next(&flood);
    loop_uv_run(flood.loop, is_done, &flood);
    double taken = (double)(now() - start) / (double)LOOP_SECOND;
    call_pipeline_destroy(flood.pipeline);
    loop_uv_drain(flood.loop);
    loop_destroy(flood.loop);
    return (double)count / taken;
}

// ---- libcurl ----

static size_t drop(char *bytes, size_t size, size_t count, void *data)
{
    (void)bytes, (void)data;
    return size * count;
}

static double run_libcurl(const char *address, size_t count)
{
    char url[128];
    snprintf(url, sizeof url, "%s/api/v1/scheduler", address);
    CURL *easy = curl_easy_init();
    struct curl_slist *headers = curl_slist_append(NULL, "Accept: application/x-protobuf");
    headers = curl_slist_append(headers, "Content-Type: application/x-protobuf");
    headers = curl_slist_append(headers, "Mesos-Stream-Id: f3a1d9d2-8c2e-4b1c-9a37-3d2cf1b0f0aa");
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)CALL);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, call);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, drop);
    uint64_t start = now();
    for (size_t i = 0; i < count; i++)
        check(curl_easy_perform(easy) == CURLE_OK, "libcurl");
    double taken = (double)(now() - start) / (double)LOOP_SECOND;
    curl_easy_cleanup(easy);
    curl_slist_free_all(headers);
    return (double)count / taken;
}

// ---- the figures ----

static const struct setting {
    const char *name;
    uint64_t delay; // nanoseconds
    size_t ours, theirs, window;
    const char *figure; // its name in goals.txt, or NULL
} settings[] = {
    {"acknowledgements", 0, 400000, 10000, 0, "calls"},
    {"acknowledgements, 0.5 ms away", 500000, 100000, 400, 0, "calls-away"},
    {"acknowledgements, one at a time", 0, 10000, 10000, 1, NULL},
};

static void measure(const struct setting *setting)
{
    struct listener listener = {.delay = setting->delay};
    double ours[ROUNDS], theirs[ROUNDS];
    char address[64];
    pthread_t thread;
    snprintf(address, sizeof address, "http://127.0.0.1:%u", listen_on_any(&listener));
    check(pthread_create(&thread, NULL, run_master, &listener) == 0, "thread");
    for (int i = 0; i < ROUNDS; i++) {
        ours[i] = run_pipeline(address, setting->ours, setting->window);
        theirs[i] = run_libcurl(address, setting->theirs);
    }
    shutdown(listener.socket, SHUT_RDWR);
    pthread_join(thread, NULL);
    close(listener.socket);
    double a = stage_median(ours, ROUNDS), b = stage_median(theirs, ROUNDS);
    printf("%-34s %10.0f/s %10.0f/s  %7.1f\n", setting->name, a, b, a / b);
    if (setting->figure != NULL)
        printf("figure %s %.1f\n", setting->figure, a / b);
}

// The pipeline alone, for a profiler: bench-calls COUNT
static void count_only(size_t count)
{
    struct listener listener = {.delay = 0};
    char address[64];
    pthread_t thread;
    snprintf(address, sizeof address, "http://127.0.0.1:%u", listen_on_any(&listener));
    check(pthread_create(&thread, NULL, run_master, &listener) == 0, "thread");
    run_pipeline(address, count, 0);
    shutdown(listener.socket, SHUT_RDWR);
    pthread_join(thread, NULL);
    close(listener.socket);
}

int main(int argc, char **argv)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
    if (argc > 1) {
        count_only(strtoul(argv[1], NULL, 10));
        return 0;
    }
    printf("%-34s %12s %12s  %7s\n", "", "pipeline", "libcurl", "ratio");
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        measure(&settings[i]);
    return 0;
}
