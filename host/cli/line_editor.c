// SPDX-License-Identifier: Apache-2.0
//
// libedit, loaded on demand: see line_editor.h. The types of its functions come from its header.
// The library stays loaded.

#include "cli/line_editor.h"

#include <dlfcn.h>
#include <editline/readline.h>
#include <stddef.h>
#include <stdlib.h>

static struct {
    __typeof__(rl_initialize) *initialize;
    __typeof__(stifle_history) *stifle_history;
    __typeof__(read_history) *read_history;
    __typeof__(write_history) *write_history;
    __typeof__(add_history) *add_history;
    __typeof__(readline) *readline;
    __typeof__(rl_completion_matches) *completion_matches;
    __typeof__(rl_attempted_completion_function) *attempt;
    __typeof__(rl_attempted_completion_over) *attempted;
    __typeof__(rl_completion_append_character) *append_character;
} editor;

static struct {
    char **(*words)(void *data, const char *word);
    void *data;
    char **list; // the words that are being handed to the library
} completion;

// POSIX, unlike C, lets a pointer to an object hold a function.
static const struct {
    const char *name;
    void *slot;
} functions[] = {
    {"rl_initialize", &editor.initialize},
    {"stifle_history", &editor.stifle_history},
    {"read_history", &editor.read_history},
    {"write_history", &editor.write_history},
    {"add_history", &editor.add_history},
    {"readline", &editor.readline},
    {"rl_completion_matches", &editor.completion_matches},
    {"rl_attempted_completion_function", &editor.attempt},
    {"rl_attempted_completion_over", &editor.attempted},
    {"rl_completion_append_character", &editor.append_character},
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
    editor.stifle_history((int)history_most);
    return true;
}

// The next word; the library frees it.
static char *next_word(const char *text, int state)
{
    static size_t index;
    (void)text;
    index = state == 0 ? 0 : index + 1;
    return completion.list != NULL ? completion.list[index] : NULL;
}

// Called for the tabulator. Without words the library would complete names of files.
static char **complete_word(const char *text, int start, int end)
{
    (void)start, (void)end;
    *editor.attempted = 1;
    *editor.append_character = 0;
    completion.list = completion.words(completion.data, text);
    if (completion.list == NULL)
        return NULL;
    char **matches = editor.completion_matches(text, next_word);
    free(completion.list);
    completion.list = NULL;
    return matches;
}

void line_editor_complete(char **(*words)(void *data, const char *word), void *data)
{
    completion.words = words;
    completion.data = data;
    *editor.attempt = complete_word;
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
