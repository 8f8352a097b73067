// SPDX-License-Identifier: Apache-2.0
//
// The console: see ctl_console.h. On a terminal lines are edited, and their history is stored in a
// file in the user's home.

#include "cli/ctl_console.h"

#include "base/memory.h"
#include "cli/ctl_complete.h"
#include "cli/ctl_logs.h"
#include "cli/line_editor.h"
#include "ops/control.h"
#include "ops/control_commands.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CODE_MOST = CONTROL_REQUEST / 2, HISTORY_MOST = 1000, WORDS_MOST = 8 };

struct prompter {
    struct ctl_client *client;
    bool edited;   // a terminal, and libedit is there
    char *history; // its file, or NULL
    struct buffer code;
};

static char **complete(void *data, const char *word)
{
    return ctl_complete(data, word);
}

static void open_history(struct prompter *prompter)
{
    const char *home = getenv("HOME");
    prompter->edited =
        isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && line_editor_open(HISTORY_MOST);
    if (!prompter->edited)
        return;
    line_editor_complete(complete, prompter->client);
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
    puts("Lua code runs in the script; help() lists what is there, and the tabulator completes\n"
         "names. An unfinished line is continued in the next; an empty line discards it. :quit or "
         "ctrl-D exits.\n"
         "With a colon in front, such as :status, the commands of mesos-lua ctl:");
    control_commands_usage(stdout);
}

// The client reads all pieces, as `ctl logs` does.
static void do_logs(struct ctl_client *client, char *argument)
{
    char *words[WORDS_MOST], *rest = NULL;
    int count = 0;
    for (char *word = strtok_r(argument, " ", &rest); word != NULL && count < WORDS_MOST;
         word = strtok_r(NULL, " ", &rest))
        words[count++] = word;
    ctl_logs_run(client, "logs", count, words);
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
    else if (strcmp(name, "logs") == 0)
        do_logs(prompter->client, argument);
    else if (control_commands_known(name, &err))
        ctl_client_command(prompter->client, name, argument + strspn(argument, " "));
    else
        fprintf(stderr, "%s\n", err.text);
    return true;
}

// False if the host has ended.
static bool do_code(struct prompter *prompter, bool may_go_on)
{
    struct error err = {0};
    json_t *reply = ctl_client_ask(prompter->client, "eval", buffer_string(&prompter->code), &err);
    if (reply == NULL) {
        ctl_client_complain(&err, 0);
        return false;
    }
    if (may_go_on && json_is_true(json_object_get(reply, "incomplete"))) {
        buffer_append_text(&prompter->code, "\n");
    } else {
        ctl_client_report(reply);
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
    *status = CTL_FAILED;
    return false;
}

int ctl_console_run(struct ctl_client *client)
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
