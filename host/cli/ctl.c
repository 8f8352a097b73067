// SPDX-License-Identifier: Apache-2.0
//
// `mesos-lua ctl`: see ctl.h. Most commands are a request and its reply. A row in `own` is one for
// which the client does more.

#include "cli/ctl.h"

#include "base/memory.h"
#include "cli/ctl_console.h"
#include "cli/ctl_logs.h"
#include "cli/ctl_target.h"
#include "cli/hosts.h"
#include "ops/control.h"
#include "ops/control_commands.h"

#include <stdlib.h>
#include <string.h>

void ctl_usage(FILE *file)
{
    fputs("mesos-lua ctl TARGET COMMAND [ARG...]\n"
          "TARGET is a running host (mesos-lua ps lists them): the id of its process, the name of\n"
          "its script, or the path of its control socket.\n"
          "Commands:\n",
          file);
    control_commands_usage(file);
}

static int usage(const char *what)
{
    fprintf(stderr, "mesos-lua: ctl: %s: ", what);
    ctl_usage(stderr);
    return CTL_USAGE;
}

// ---- arguments ----

static void read_all(struct buffer *text)
{
    char piece[4096];
    for (size_t length; (length = fread(piece, 1, sizeof piece, stdin)) > 0;)
        buffer_append(text, piece, length);
}

static void join(struct buffer *text, int argc, char *const *argv)
{
    if (argc == 1 && strcmp(argv[0], "-") == 0) {
        read_all(text);
        return;
    }
    for (int i = 0; i < argc; i++) {
        buffer_append_text(text, i ? " " : "");
        buffer_append_text(text, argv[i]);
    }
}

static int ask(struct ctl_client *client, const char *command, int argc, char *const *argv)
{
    struct buffer argument;
    buffer_init(&argument, CONTROL_REQUEST);
    join(&argument, argc, argv);
    int status = ctl_client_command(client, command, buffer_string(&argument));
    buffer_free(&argument);
    return status;
}

// ---- commands for which the client does more ----

static int run_console(struct ctl_client *client, const char *command, int argc, char *const *argv)
{
    (void)command, (void)argv;
    return argc > 0 ? usage("repl takes no arguments") : ctl_console_run(client);
}

// Each line is a job; empty ones are skipped. The jobs behind one that failed are submitted as
// well.
static int submit_lines(struct ctl_client *client)
{
    char *line = NULL;
    size_t size = 0;
    int status = 0;
    for (int number = 1; getline(&line, &size, stdin) >= 0; number++) {
        line[strcspn(line, "\r\n")] = '\0';
        if (line[strspn(line, " \t")] == '\0')
            continue;
        int one = ctl_client_command(client, "submit", line);
        if (one != 0)
            fprintf(stderr, "mesos-lua: ctl: submit: line %d was not submitted, or failed\n",
                    number);
        status = one > status ? one : status;
    }
    free(line);
    return status;
}

static int submit(struct ctl_client *client, const char *command, int argc, char *const *argv)
{
    bool lines = argc == 1 && strcmp(argv[0], "-") == 0;
    return lines ? submit_lines(client) : ask(client, command, argc, argv);
}

static const struct {
    const char *name;
    int (*run)(struct ctl_client *client, const char *command, int argc, char *const *argv);
} own[] = {
    {"repl", run_console},
    {"submit", submit},
    {"logs", ctl_logs_run},
};

static int talk(struct ctl_client *client, const char *command, int argc, char *const *argv)
{
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (strcmp(own[i].name, command) == 0)
            return own[i].run(client, command, argc, argv);
    return ask(client, command, argc, argv);
}

// ---- the command line ----

// A process or a socket as it is; the name of a script becomes a process. To be freed.
static char *resolve(const char *target, struct error *err)
{
    if (ctl_target_is_process(target) || ctl_target_is_socket(target))
        return memory_string(target);
    return hosts_find(target, err);
}

int ctl_run(const struct options *options)
{
    struct ctl_client client;
    struct error err = {0};
    if (options->argc < 2)
        return usage(options->argc ? "no command was given" : "no target was given");
    const char *command = options->argv[1];
    if (!control_commands_known(command, &err))
        return ctl_client_complain(&err, CTL_USAGE);
    char *target = resolve(options->argv[0], &err);
    if (target == NULL || !ctl_client_open(&client, target, &err)) {
        free(target);
        return ctl_client_complain(&err, CTL_USAGE);
    }
    int status = talk(&client, command, options->argc - 2, options->argv + 2);
    ctl_client_close(&client);
    free(target);
    return status;
}
