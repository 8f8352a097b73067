// SPDX-License-Identifier: Apache-2.0
//
// Command lines and environments of tasks: see task_command.h.

#include "agent/task_command.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

// ---- lists ----

void task_command_put(struct task_words *words, char *word)
{
    words->items = memory_resize(words->items, (words->count + 2) * sizeof *words->items);
    words->items[words->count++] = word;
    words->items[words->count] = NULL;
}

void task_command_free(struct task_words *words)
{
    for (size_t i = 0; i < words->count; i++)
        free(words->items[i]);
    free(words->items);
    *words = (struct task_words){0};
}

// A later variable replaces an earlier one of the same name.
void task_command_set(struct task_words *words, const char *name, const char *value)
{
    size_t length = strlen(name);
    const char *const parts[] = {name, "=", value ? value : "", NULL};
    char *text = memory_join(parts);
    for (size_t i = 0; i < words->count; i++) {
        if (strncmp(words->items[i], text, length + 1) == 0) {
            free(words->items[i]);
            words->items[i] = text;
            return;
        }
    }
    task_command_put(words, text);
}

// ---- environment and command line ----

void task_command_add(struct task_words *words, const Mesos__V1__Environment *environment)
{
    for (size_t i = 0; environment != NULL && i < environment->n_variables; i++)
        task_command_set(words, environment->variables[i]->name, environment->variables[i]->value);
}

struct task_words task_command_environment(const struct task_place *place)
{
    const struct {
        const char *name, *value;
    } given[] = {
        {"PATH", place->path},
        {"MESOS_SANDBOX", place->sandbox},
        {"MESOS_DIRECTORY", place->sandbox},
        {"MESOS_TASK_ID", place->task_id},
        {"MESOS_EXECUTOR_ID", place->task_id},
        {"MESOS_FRAMEWORK_ID", place->framework_id},
        {"MESOS_AGENT_ID", place->agent_id},
        {"MESOS_SLAVE_ID", place->agent_id},
        {"MESOS_CONTAINER_ID", place->container_id},
        {"MESOS_CONTAINER_IP", place->ip},
    };
    struct task_words words = {0};
    for (size_t i = 0; i < sizeof given / sizeof given[0]; i++)
        task_command_set(&words, given[i].name, given[i].value);
    return words;
}

// The words behind a list of them, in one block.
static char **make_line(const char *const *words, size_t count)
{
    size_t size = (count + 1) * sizeof(char *);
    for (size_t i = 0; i < count; i++)
        size += strlen(words[i]) + 1;
    char **line = memory_resize(NULL, size), *text = (char *)(line + count + 1);
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(words[i]) + 1;
        line[i] = memcpy(text, words[i], length);
        text += length;
    }
    line[count] = NULL;
    return line;
}

char **task_command_line(const Mesos__V1__CommandInfo *command, const char **file)
{
    const char *value = command->value ? command->value : "";
    const char *const shell[] = {"/bin/sh", "-c", value};
    if (!command->has_shell || command->shell) {
        *file = "/bin/sh";
        return make_line(shell, sizeof shell / sizeof shell[0]);
    }
    // As with execvp(): the arguments as the program sees them, its name first.
    *file = value;
    return command->n_arguments > 0
               ? make_line((const char *const *)command->arguments, command->n_arguments)
               : make_line(&value, 1);
}

// ---- fetching ----

// $1 source, $2 destination, $3 not empty: executable, $4 not empty: unpack archives, $5 not empty:
// the source was downloaded. What is unpacked goes to the sandbox itself, wherever its archive is.
static const char fetch_script[] =
    "set -e\n"
    "case $2 in */*) mkdir -p \"./${2%/*}\";; esac\n"
    "if [ \"$5\" ]; then mv -f -- \"$1\" \"./$2\"; else cp -- \"$1\" \"./$2\"; fi\n"
    "if [ \"$3\" ]; then chmod 755 \"./$2\"; exit; fi\n"
    "[ \"$4\" ] || exit 0\n"
    "case $2 in\n"
    "*.tar|*.tar.gz|*.tgz|*.tar.bz2|*.tbz2|*.tar.xz|*.txz) tar -xf \"./$2\";;\n"
    "*.zip) command -v unzip >/dev/null || {\n"
    "    echo \"Failed to extract '$2': there is no program unzip: install it, or set 'extract' to "
    "false\" >&2; exit 1; }\n"
    "    unzip -oq \"./$2\";;\n"
    "*.gz) name=${2##*/}; gunzip -d -c < \"./$2\" > \"./${name%.gz}\";;\n"
    "esac\n";

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static bool leaves_sandbox(const char *path)
{
    size_t length = strlen(path);
    return path[0] == '/' || strcmp(path, "..") == 0 || strncmp(path, "../", 3) == 0 ||
           strstr(path, "/../") != NULL || (length >= 3 && strcmp(path + length - 3, "/..") == 0);
}

// The local path of a uri and the name that it gets in the sandbox.
static bool read_uri(const Mesos__V1__CommandInfo__URI *uri, const char **from, const char **to,
                     struct error *err)
{
    const char *path = uri->value;
    bool remote = task_command_is_remote(uri);
    if (strncmp(path, "file://", 7) == 0)
        path += strncmp(path, "file://localhost/", 17) == 0 ? 16 : 7;
    if (path[0] != '/' && !remote)
        return error_set(err, ERROR_INVALID,
                         "Failed to fetch '%.300s': the local cluster fetches from web servers and "
                         "copies files of this machine; give an address with http or https, an "
                         "absolute path or file:///path",
                         uri->value);
    *from = remote ? "./" TASK_COMMAND_DOWNLOADED : path;
    *to = uri->output_file ? uri->output_file : last_part(path);
    if (**to == '\0' || leaves_sandbox(*to))
        return error_set(err, ERROR_INVALID,
                         "Failed to fetch '%.300s': '%.300s' is not the name of a file in the "
                         "sandbox",
                         uri->value, *to);
    return true;
}

bool task_command_is_remote(const Mesos__V1__CommandInfo__URI *uri)
{
    return strncasecmp(uri->value, "http://", 7) == 0 ||
           strncasecmp(uri->value, "https://", 8) == 0;
}

char **task_command_fetch(const Mesos__V1__CommandInfo__URI *uri, struct error *err)
{
    const char *from = NULL, *to = NULL;
    if (!read_uri(uri, &from, &to, err))
        return NULL;
    const char *const words[] = {"/bin/sh",
                                 "-c",
                                 fetch_script,
                                 "fetch",
                                 from,
                                 to,
                                 uri->executable ? "executable" : "",
                                 !uri->has_extract || uri->extract ? "extract" : "",
                                 task_command_is_remote(uri) ? "downloaded" : ""};
    return make_line(words, sizeof words / sizeof words[0]);
}
