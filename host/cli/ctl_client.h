// SPDX-License-Identifier: Apache-2.0
//
// A connection to a host: one request at a time and nothing else to do meanwhile, so it blocks.
// While there is no answer it says why on stderr.

#ifndef MESOS_LUA_CLI_CTL_CLIENT_H
#define MESOS_LUA_CLI_CTL_CLIENT_H

#include "base/buffer.h"
#include "base/error.h"

#include <jansson.h>
#include <stdio.h>

enum { CTL_FAILED = 1, CTL_USAGE = 2 }; // exit statuses

struct ctl_client {
    int fd;
    const char *target; // as it was given
    char *path;
    struct buffer input;
};

// `target` is the id of a process or the path of a socket (ctl_target.h), and must outlive the
// client. False and the error if there is no host, or one that may not be trusted.
bool ctl_client_open(struct ctl_client *client, const char *target, struct error *err);
void ctl_client_close(struct ctl_client *client);

// The reply to a command, which the caller releases; NULL, and `err`, if there is none.
json_t *ctl_client_ask(struct ctl_client *client, const char *command, const char *argument,
                       struct error *err);

// What `status --json` tells, or NULL if that does not come within a second.
json_t *ctl_client_status(struct ctl_client *client);

// Text from the host may come from a task or a master, so control characters are escaped for a
// terminal.
void ctl_client_print(FILE *file, const char *text);

// Prints a reply, and returns the exit status for it.
int ctl_client_report(json_t *reply);

// Asks and reports; returns the exit status.
int ctl_client_command(struct ctl_client *client, const char *command, const char *argument);

// Prints the error, and returns the status.
int ctl_client_complain(const struct error *err, int status);

#endif
