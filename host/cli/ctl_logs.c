// SPDX-License-Identifier: Apache-2.0
//
// The output of a task: see ctl_logs.h. The host is asked for one piece after the other.

#include "cli/ctl_logs.h"

#include "base/memory.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

static const int pause_at_end = 1000; // milliseconds, between two looks for more

struct log_reader {
    const char *task, *file;
    bool follow;
    bool over; // the task had ended at the last look
};

static bool read_arguments(struct log_reader *reader, int argc, char *const *argv)
{
    *reader = (struct log_reader){.task = NULL};
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "-f") == 0 || strcmp(argv[i], "--follow") == 0)
            reader->follow = true;
        else if (argv[i][0] == '-')
            return false;
        else if (reader->task == NULL)
            reader->task = argv[i];
        else if (reader->file == NULL)
            reader->file = argv[i];
        else
            return false;
    }
    return reader->task != NULL;
}

static json_t *ask_piece(struct ctl_client *client, const struct log_reader *reader,
                         json_int_t offset, struct error *err)
{
    char *words = memory_format("%s\n%s\n%lld", reader->task,
                                reader->file ? reader->file : "stdout", (long long)offset);
    json_t *reply = ctl_client_ask(client, "logs", words, err);
    free(words);
    return reply;
}

// Prints a piece and moves the offset behind it. True if there may be more: when the task has
// ended, the file is looked at once more.
static bool print_piece(struct log_reader *reader, json_t *reply, json_int_t *offset, int *status)
{
    *status = ctl_client_report(reply);
    *offset = json_integer_value(json_object_get(reply, "offset"));
    bool end = *offset >= json_integer_value(json_object_get(reply, "size")), over = reader->over;
    if (*status != 0 || (end && (over || !reader->follow)))
        return false;
    reader->over = json_is_true(json_object_get(reply, "over"));
    if (end && !reader->over)
        poll(NULL, 0, pause_at_end);
    return true;
}

int ctl_logs_run(struct ctl_client *client, const char *command, int argc, char *const *argv)
{
    struct log_reader reader;
    struct error err = {0};
    json_int_t offset = 0;
    int status = 0;
    (void)command;
    if (!read_arguments(&reader, argc, argv)) {
        error_set(&err, ERROR_INVALID,
                  "logs: the id of a task expected, then perhaps the file (stdout) and -f");
        return ctl_client_complain(&err, CTL_USAGE);
    }
    for (bool more = true; more;) {
        json_t *reply = ask_piece(client, &reader, offset, &err);
        if (reply == NULL)
            return ctl_client_complain(&err, CTL_FAILED);
        more = print_piece(&reader, reply, &offset, &status);
        json_decref(reply);
    }
    return status;
}
