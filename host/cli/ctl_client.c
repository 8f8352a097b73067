// SPDX-License-Identifier: Apache-2.0
//
// A connection to a host: see ctl_client.h.
//
// A socket that another user made in the place of a host's would receive code with secrets in it,
// and could answer anything. So the folder and the process at the other end have to belong to the
// user of the host, or to root, and what is printed to a terminal cannot control it.

#include "cli/ctl_client.h"

#include "base/memory.h"
#include "cli/ctl_target.h"
#include "ops/control.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { PATIENCE = 3000, LONG_PATIENCE = 12000, SHORT_PATIENCE = 1000 }; // milliseconds
enum { REPLY_MOST = 16 << 20 };

static const char *reason_of(int fault)
{
    if (fault == ECONNREFUSED)
        return "no host listens there any more";
    return fault == ENOENT ? "there is no such socket; does the host run?" : strerror(fault);
}

// The peer may be the caller's own user, root, or the user of the host.
static bool trust_peer(int fd, const char *path, uid_t user, struct error *err)
{
    struct ucred peer;
    socklen_t length = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0)
        return error_set(err, ERROR_IO, "%s: %s", path, strerror(errno));
    bool known = peer.uid == geteuid() || peer.uid == 0 || peer.uid == user;
    return known ||
           error_set(err, ERROR_INVALID,
                     "a process of user %u listens at %s, which is neither the user of the "
                     "host, %u, nor root: nothing was sent there",
                     (unsigned)peer.uid, path, (unsigned)user);
}

static bool connect_to(struct ctl_client *client, uid_t user, struct error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(client->path) >= sizeof address.sun_path)
        return error_set(err, ERROR_INVALID, "the path %s is too long for a socket", client->path);
    memcpy(address.sun_path, client->path, strlen(client->path));
    client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(client->fd, (struct sockaddr *)&address, sizeof address) != 0)
        error_set(err, ERROR_IO, "cannot connect to %s: %s", client->path, reason_of(errno));
    else if (trust_peer(client->fd, client->path, user, err))
        return true;
    close(client->fd);
    return false;
}

bool ctl_client_open(struct ctl_client *client, const char *target, struct error *err)
{
    uid_t user = geteuid();
    *client = (struct ctl_client){.target = target, .path = ctl_target_find(target, &user, err)};
    buffer_init(&client->input, REPLY_MOST);
    if (client->path != NULL && connect_to(client, user, err))
        return true;
    free(client->path);
    return false;
}

void ctl_client_close(struct ctl_client *client)
{
    close(client->fd);
    free(client->path);
    buffer_free(&client->input);
}

// ---- requests ----

static bool send_all(int fd, const char *text, size_t length)
{
    while (length > 0) {
        ssize_t sent = send(fd, text, length, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        text += sent;
        length -= (size_t)sent;
    }
    return true;
}

static bool send_request(struct ctl_client *client, const char *command, const char *argument,
                         struct error *err)
{
    json_t *request = json_pack("{s:s, s:s}", "command", command, "argument", argument);
    char *text = request ? json_dumps(request, JSON_COMPACT) : NULL;
    json_decref(request);
    if (text == NULL)
        return error_set(err, ERROR_INVALID, "%s: its argument is not UTF-8", command);
    char *line = memory_format("%s\n", text);
    bool fits = strlen(line) < CONTROL_REQUEST;
    bool sent = fits && send_all(client->fd, line, strlen(line));
    free(text);
    free(line);
    if (!fits)
        return error_set(err, ERROR_LIMIT, "%s: its argument is too long", command);
    return sent || error_set(err, ERROR_IO, "the host has ended");
}

// The reply is left in the input, without its newline.
static bool receive_line(struct ctl_client *client, struct error *err)
{
    struct buffer *input = &client->input;
    buffer_clear(input);
    while (input->length == 0 || input->data[input->length - 1] != '\n') {
        size_t free_bytes = input->limit - input->length;
        size_t size = free_bytes < 65536 ? free_bytes : 65536;
        uint8_t *to = size > 0 ? buffer_reserve(input, size) : NULL;
        if (to == NULL)
            return error_set(err, ERROR_LIMIT, "the reply is too long");
        ssize_t length = recv(client->fd, to, size, 0);
        if (length < 0 && errno == EINTR)
            continue;
        if (length <= 0)
            return error_set(err, ERROR_IO, "the host ended before it answered");
        input->length += (size_t)length;
    }
    input->length--;
    return true;
}

static bool answers(const struct ctl_client *client, int patience)
{
    struct pollfd descriptor = {.fd = client->fd, .events = POLLIN};
    return poll(&descriptor, 1, patience) != 0;
}

json_t *ctl_client_status(struct ctl_client *client)
{
    struct error err = {0};
    if (!send_request(client, "status", "--json", &err) || !answers(client, SHORT_PATIENCE) ||
        !receive_line(client, &err))
        return NULL;
    json_t *reply = json_loadb((const char *)client->input.data, client->input.length, 0, NULL);
    const char *output = json_string_value(json_object_get(reply, "output"));
    json_t *status = output ? json_loads(output, 0, NULL) : NULL;
    json_decref(reply);
    return status;
}

// Asks, over another connection, what Lua code the host runs; "" if none. To be freed; NULL if
// there is no answer.
static char *ask_what_runs(const struct ctl_client *busy)
{
    struct error err = {0};
    struct ctl_client client;
    char *text = NULL;
    if (!ctl_client_open(&client, busy->target, &err))
        return NULL;
    json_t *status = ctl_client_status(&client);
    if (status != NULL) {
        const char *running = json_string_value(json_object_get(status, "running"));
        text = memory_string(running ? running : "");
        json_decref(status);
    }
    ctl_client_close(&client);
    return text;
}

static bool may_wait(const char *command)
{
    return strcmp(command, "eval") == 0 || strcmp(command, "reload") == 0 ||
           strcmp(command, "submit") == 0;
}

// Prints why there is no answer yet. That the command may be waiting for something is printed only
// `at_last`. False if nothing was printed.
static bool report_silence(const struct ctl_client *client, const char *command, bool at_last)
{
    char *running = ask_what_runs(client);
    bool idle = running != NULL && *running == '\0',
         printed = !idle || (at_last && may_wait(command));
    if (running == NULL)
        fprintf(
            stderr,
            "no answer yet, and the host does not answer other requests either: it is inside one "
            "call of a C function, such as string.find with a bad pattern, or was stopped; its "
            "log tells more\n");
    else if (!idle)
        fprintf(stderr,
                "no answer yet: the host is inside %s; this goes on when that returns or waits "
                "('mesos-lua ctl %s interrupt' stops it)\n",
                running, client->target);
    else if (printed)
        fprintf(stderr, "no answer yet: the command is waiting for something; ctrl-C ends it\n");
    free(running);
    return printed;
}

static void wait_for_reply(const struct ctl_client *client, const char *command)
{
    bool done = answers(client, PATIENCE) || report_silence(client, command, false);
    if (!done && !answers(client, LONG_PATIENCE))
        report_silence(client, command, true);
}

json_t *ctl_client_ask(struct ctl_client *client, const char *command, const char *argument,
                       struct error *err)
{
    json_error_t reason;
    if (!send_request(client, command, argument, err))
        return NULL;
    wait_for_reply(client, command);
    if (!receive_line(client, err))
        return NULL;
    json_t *reply = json_loadb((const char *)client->input.data, client->input.length, 0, &reason);
    if (reply == NULL)
        error_set(err, ERROR_PROTOCOL, "the reply is not JSON: is that a mesos-lua host?");
    return reply;
}

// The length of the control character at the start of the text, or 0. Those of C1 have two bytes.
static size_t control_length(const char *text)
{
    const unsigned char *bytes = (const unsigned char *)text;
    if (bytes[0] == 0xc2 && bytes[1] >= 0x80 && bytes[1] < 0xa0)
        return 2;
    return (bytes[0] < 0x20 && bytes[0] != '\n' && bytes[0] != '\t') || bytes[0] == 0x7f;
}

void ctl_client_print(FILE *file, const char *text)
{
    if (!isatty(fileno(file))) {
        fputs(text, file);
        return;
    }
    while (*text != '\0') {
        size_t length = control_length(text);
        for (size_t i = 0; i < length; i++)
            fprintf(file, "\\x%02x", (unsigned)(unsigned char)text[i]);
        if (length == 0)
            putc(*text, file);
        text += length ? length : 1;
    }
}

int ctl_client_report(json_t *reply)
{
    const char *output = json_string_value(json_object_get(reply, "output"));
    const char *error = json_string_value(json_object_get(reply, "error"));
    ctl_client_print(stdout, output ? output : "");
    fflush(stdout);
    if (json_is_true(json_object_get(reply, "ok")))
        return 0;
    ctl_client_print(stderr, error ? error : "the reply is malformed");
    putc('\n', stderr);
    return CTL_FAILED;
}

int ctl_client_complain(const struct error *err, int status)
{
    fprintf(stderr, "mesos-lua: ctl: %s\n", err->text);
    return status;
}

int ctl_client_command(struct ctl_client *client, const char *command, const char *argument)
{
    struct error err = {0};
    json_t *reply = ctl_client_ask(client, command, argument, &err);
    if (reply == NULL)
        return ctl_client_complain(&err, CTL_FAILED);
    int status = ctl_client_report(reply);
    json_decref(reply);
    return status;
}
