// SPDX-License-Identifier: Apache-2.0
//
// `mesos-lua ctl`: see ctl.h. There is one connection, one request at a time and nothing else to do
// meanwhile, so the client blocks. On a terminal lines are edited, and their history is stored in a
// file in the user's home.
//
// A socket that another user made in the place of a host's would receive code with secrets in it,
// and could answer anything. So the folder and the process at the other end have to belong to the
// user of the host, or to root, and what is printed to a terminal cannot control it.

#include "cli/ctl.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "cli/line_editor.h"
#include "ops/control.h"
#include "ops/control_commands.h"

#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { EXIT_FAILED = 1, EXIT_USAGE = 2 };
enum { PATIENCE = 3000, LONG_PATIENCE = 12000, SHORT_PATIENCE = 1000 }; // milliseconds
enum { REPLY_MOST = 16 << 20, CODE_MOST = CONTROL_REQUEST / 2, HISTORY_MOST = 1000 };

struct ctl_client {
    int fd;
    const char *target; // as it was given
    char *path;
    struct buffer input;
};

// ---- finding the host ----

static bool is_number(const char *text)
{
    return *text != '\0' && strlen(text) < 10 && strspn(text, "0123456789") == strlen(text);
}

// True if only the user of the host, or root, can create files in the folder of the socket.
static bool trust_folder(const char *path, const char *target, uid_t user, struct error *err)
{
    struct stat there;
    char *folder = memory_text(path, (size_t)(strrchr(path, '/') - path));
    bool found = lstat(folder, &there) == 0;
    bool private = found && S_ISDIR(there.st_mode) && (there.st_mode & 077) == 0 &&
                   (there.st_uid == user || there.st_uid == 0);
    if (!found)
        error_set(err, ERROR_IO, "the folder %s: %s", folder, strerror(errno));
    else if (!private)
        error_set(
            err, ERROR_INVALID,
            "the folder %s belongs to user %u and has mode %o: that of process %s has to be of "
            "its user, %u, and 700; nothing was sent there",
            folder, (unsigned)there.st_uid, (unsigned)there.st_mode & 07777, target,
            (unsigned)user);
    free(folder);
    return private;
}

static char *find_process(const char *target, uid_t *user, struct error *err)
{
    pid_t pid = (pid_t)strtol(target, NULL, 10);
    char *path = control_find(pid, user);
    if (path != NULL && trust_folder(path, target, *user, err))
        return path;
    if (path == NULL && kill(pid, 0) != 0 && errno == ESRCH)
        error_set(err, ERROR_INVALID, "there is no process %s", target);
    else if (path == NULL)
        error_set(err, ERROR_INVALID,
                  "process %s has no control socket where it could be found: is it a running "
                  "mesos-lua, and XDG_RUNTIME_DIR the same here? Or give the path of its socket",
                  target);
    free(path);
    return NULL;
}

static char *find_path(const char *target, uid_t *user, struct error *err)
{
    struct stat there;
    bool found = lstat(target, &there) == 0;
    *user = found && geteuid() == 0 ? there.st_uid : geteuid();
    if ((found && S_ISLNK(there.st_mode)) || (found && S_ISSOCK(there.st_mode)))
        return memory_string(target);
    if (!found && strchr(target, '/') != NULL)
        error_set(err, ERROR_INVALID, "%s: there is no such socket; does the host run?", target);
    else
        error_set(
            err, ERROR_INVALID,
            "'%s' is no control socket: TARGET is the id of the host's process, such as %s, or "
            "the path of its control socket",
            target, "4711");
    return NULL;
}

// `user` is set to the user who may be at the other end. For a path that is the caller; if the
// caller is root, it is the owner of the socket.
static char *find(const char *target, uid_t *user, struct error *err)
{
    return is_number(target) ? find_process(target, user, err) : find_path(target, user, err);
}

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

static bool open_client(struct ctl_client *client, const char *target, struct error *err)
{
    uid_t user = geteuid();
    *client = (struct ctl_client){.target = target, .path = find(target, &user, err)};
    buffer_init(&client->input, REPLY_MOST);
    if (client->path != NULL && connect_to(client, user, err))
        return true;
    free(client->path);
    return false;
}

static void close_client(struct ctl_client *client)
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

// Asks, over another connection, what Lua code the host runs; "" if none. To be freed; NULL if
// there is no answer.
static char *ask_what_runs(const struct ctl_client *busy)
{
    struct error err = {0};
    struct ctl_client client;
    char *text = NULL;
    if (!open_client(&client, busy->target, &err))
        return NULL;
    bool sent = send_request(&client, "status", "--json", &err);
    if (sent && answers(&client, SHORT_PATIENCE) && receive_line(&client, &err)) {
        json_t *reply = json_loadb((const char *)client.input.data, client.input.length, 0, NULL);
        const char *output = json_string_value(json_object_get(reply, "output"));
        json_t *status = output ? json_loads(output, 0, NULL) : NULL;
        const char *running = json_string_value(json_object_get(status, "running"));
        text = memory_string(running ? running : "");
        json_decref(status);
        json_decref(reply);
    }
    close_client(&client);
    return text;
}

static bool may_wait(const char *command)
{
    return strcmp(command, "eval") == 0 || strcmp(command, "reload") == 0;
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

// NULL, and `err`, if there is no reply.
static json_t *ask(struct ctl_client *client, const char *command, const char *argument,
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

// Text from the host may come from a task or a master, so control characters are escaped for a
// terminal.
static void print_text(FILE *file, const char *text)
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

// Prints the reply, and returns the exit status for it.
static int print_reply(json_t *reply)
{
    const char *output = json_string_value(json_object_get(reply, "output"));
    const char *error = json_string_value(json_object_get(reply, "error"));
    print_text(stdout, output ? output : "");
    fflush(stdout);
    if (json_is_true(json_object_get(reply, "ok")))
        return 0;
    print_text(stderr, error ? error : "the reply is malformed");
    putc('\n', stderr);
    return EXIT_FAILED;
}

static int complain(const struct error *err, int status)
{
    fprintf(stderr, "mesos-lua: ctl: %s\n", err->text);
    return status;
}

static int do_command(struct ctl_client *client, const char *command, const char *argument)
{
    struct error err = {0};
    json_t *reply = ask(client, command, argument, &err);
    if (reply == NULL)
        return complain(&err, EXIT_FAILED);
    int status = print_reply(reply);
    json_decref(reply);
    return status;
}

// ---- line by line ----

struct prompter {
    struct ctl_client *client;
    bool edited;   // a terminal, and libedit is there
    char *history; // its file, or NULL
    struct buffer code;
};

static void open_history(struct prompter *prompter)
{
    const char *home = getenv("HOME");
    prompter->edited =
        isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && line_editor_open(HISTORY_MOST);
    if (!prompter->edited)
        return;
    prompter->history = home && *home ? memory_format("%s/.mesos_lua_history", home) : NULL;
    if (prompter->history != NULL)
        line_editor_read_history(prompter->history);
}

// The history is readable for the user only.
static void close_history(struct prompter *prompter)
{
    if (prompter->history != NULL) {
        mode_t mask = umask(0177);
        line_editor_write_history(prompter->history);
        umask(mask);
    }
    free(prompter->history);
}

// The next line, to be freed, or NULL at the end.
static char *read_line(struct prompter *prompter, const char *prompt)
{
    char *line = NULL;
    size_t size = 0;
    if (prompter->edited)
        return line_editor_read(prompt);
    ssize_t length = getline(&line, &size, stdin);
    if (length > 0 && line[length - 1] == '\n')
        line[length - 1] = '\0';
    if (length >= 0)
        return line;
    free(line);
    return NULL;
}

static void print_help(void)
{
    puts("Lua code runs in the script; help() lists what is there. An unfinished line is\n"
         "continued in the next; an empty line discards it. :quit or ctrl-D exits.\n"
         "With a colon in front, such as :status, the commands of mesos-lua ctl:");
    control_commands_usage(stdout);
}

// ":reload", ":log-level debug". False to end.
static bool do_colon(struct prompter *prompter, char *line)
{
    struct error err = {0};
    char *name = line + 1, *argument = name + strcspn(name, " ");
    if (*argument != '\0')
        *argument++ = '\0';
    if (strcmp(name, "quit") == 0 || strcmp(name, "q") == 0)
        return false;
    if (strcmp(name, "help") == 0)
        print_help();
    else if (control_commands_known(name, &err))
        do_command(prompter->client, name, argument + strspn(argument, " "));
    else
        fprintf(stderr, "%s\n", err.text);
    return true;
}

// False if the host has ended.
static bool do_code(struct prompter *prompter, bool may_go_on)
{
    struct error err = {0};
    json_t *reply = ask(prompter->client, "eval", buffer_string(&prompter->code), &err);
    if (reply == NULL) {
        complain(&err, 0);
        return false;
    }
    if (may_go_on && json_is_true(json_object_get(reply, "incomplete"))) {
        buffer_append_text(&prompter->code, "\n");
    } else {
        print_reply(reply);
        buffer_clear(&prompter->code);
    }
    json_decref(reply);
    return true;
}

// False to end, with `status` set after a failure.
static bool do_line(struct prompter *prompter, char *line, int *status)
{
    bool more = prompter->code.length > 0;
    if (!more && *line == ':')
        return do_colon(prompter, line);
    if (!more && line[strspn(line, " \t")] == '\0')
        return true;
    if (!buffer_append_text(&prompter->code, line)) {
        fputs("that is too long\n", stderr);
        buffer_clear(&prompter->code);
        return true;
    }
    if (do_code(prompter, *line != '\0'))
        return true;
    *status = EXIT_FAILED;
    return false;
}

static int repl(struct ctl_client *client)
{
    struct prompter prompter = {.client = client};
    int status = 0;
    buffer_init(&prompter.code, CODE_MOST);
    open_history(&prompter);
    for (bool more = true; more;) {
        char *line = read_line(&prompter, prompter.code.length ? ">> " : "> ");
        more = line != NULL && do_line(&prompter, line, &status);
        free(line);
    }
    close_history(&prompter);
    buffer_free(&prompter.code);
    return status;
}

// ---- the command line ----

void ctl_usage(FILE *file)
{
    fputs("mesos-lua ctl TARGET COMMAND [ARG...]\n"
          "TARGET is the process id of a running host or the path of its control socket.\n"
          "Commands:\n",
          file);
    control_commands_usage(file);
}

static int usage(const char *what)
{
    fprintf(stderr, "mesos-lua: ctl: %s: ", what);
    ctl_usage(stderr);
    return EXIT_USAGE;
}

static void read_code(struct buffer *code)
{
    char piece[4096];
    for (size_t length; (length = fread(piece, 1, sizeof piece, stdin)) > 0;)
        buffer_append(code, piece, length);
}

static void join(struct buffer *text, int argc, char *const *argv)
{
    if (argc == 1 && strcmp(argv[0], "-") == 0) {
        read_code(text);
        return;
    }
    for (int i = 0; i < argc; i++) {
        buffer_append_text(text, i ? " " : "");
        buffer_append_text(text, argv[i]);
    }
}

static int talk(struct ctl_client *client, const char *command, int argc, char *const *argv)
{
    struct buffer argument;
    if (strcmp(command, "repl") == 0)
        return repl(client);
    buffer_init(&argument, CONTROL_REQUEST);
    join(&argument, argc, argv);
    int status = do_command(client, command, buffer_string(&argument));
    buffer_free(&argument);
    return status;
}

int ctl_run(const struct options *options)
{
    struct ctl_client client;
    struct error err = {0};
    if (options->argc < 2)
        return usage(options->argc ? "no command was given" : "no target was given");
    const char *command = options->argv[1];
    if (!control_commands_known(command, &err))
        return complain(&err, EXIT_USAGE);
    if (!open_client(&client, options->argv[0], &err))
        return complain(&err, EXIT_USAGE);
    int status = talk(&client, command, options->argc - 2, options->argv + 2);
    close_client(&client);
    return status;
}
