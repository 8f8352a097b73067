// SPDX-License-Identifier: Apache-2.0
//
// libedit, loaded on demand: see line_editor.h. The types of its functions come from its header.
// The library stays loaded.

#include "cli/line_editor.h"

#include <dlfcn.h>
#include <editline/readline.h>
#include <stddef.h>

static struct {
    __typeof__(rl_initialize) *initialize;
    __typeof__(rl_bind_key) *bind_key;
    __typeof__(rl_insert) *insert;
    __typeof__(stifle_history) *stifle_history;
    __typeof__(read_history) *read_history;
    __typeof__(write_history) *write_history;
    __typeof__(add_history) *add_history;
    __typeof__(readline) *readline;
} editor;

// POSIX, unlike C, lets a pointer to an object hold a function.
static const struct {
    const char *name;
    void *slot;
} functions[] = {
    {"rl_initialize", &editor.initialize},  {"rl_bind_key", &editor.bind_key},
    {"rl_insert", &editor.insert},          {"stifle_history", &editor.stifle_history},
    {"read_history", &editor.read_history}, {"write_history", &editor.write_history},
    {"add_history", &editor.add_history},   {"readline", &editor.readline},
};

bool line_editor_open(unsigned history_most)
{
    void *library = dlopen("libedit.so.2", RTLD_LAZY | RTLD_LOCAL);
    if (library == NULL)
        return false;
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++)
        if ((*(void **)functions[i].slot = dlsym(library, functions[i].name)) == NULL)
            return false;
    editor.initialize();
    editor.bind_key('\t', editor.insert);
    editor.stifle_history((int)history_most);
    return true;
}

char *line_editor_read(const char *prompt)
{
    char *line = editor.readline(prompt);
    if (line != NULL && *line != '\0')
        editor.add_history(line);
    return line;
}

void line_editor_read_history(const char *path)
{
    editor.read_history(path);
}

void line_editor_write_history(const char *path)
{
    editor.write_history(path);
}
