// SPDX-License-Identifier: Apache-2.0
//
// Completion: see ctl_complete.h. The host evaluates a piece of Lua that prints the names; what is
// in front of the last dot or colon of the word is the value that has them.

#include "cli/ctl_complete.h"

#include "base/memory.h"
#include "ops/control_commands.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { WORD_MOST = 256, NAMES_MOST = 1000 };

// Prints the keys of a table, those of the table behind it, and the fields of a message.
static const char of_value[] =
    "local value, names, debug = %s, {}, rawget(_G, 'debug')\n"
    "local function add(from)\n"
    "    if type(from) ~= 'table' then return end\n"
    "    for name in next, from do if type(name) == 'string' then names[name] = true end end\n"
    "end\n"
    "add(value)\n"
    "local meta = debug and debug.getmetatable(value)\n"
    "add(meta and rawget(meta, '__index'))\n"
    "if meta and rawget(meta, '__pairs') then\n"
    "    for name in pairs(value) do if type(name) == 'string' then names[name] = true end end\n"
    "end\n"
    "for name in pairs(names) do print(name) end";

static const char of_globals[] = "for name in pairs(_G) do print(name) end\n"
                                 "print('driver\\nscheduler\\nmesos\\nstate\\nhelp')";

struct completions {
    char **list;
    size_t count;
    const char *word; // what each begins with
};

// Adds the name behind the first `length` bytes of the word.
static void add(struct completions *found, size_t length, const char *name, size_t name_length)
{
    char *whole = memory_format("%.*s%.*s", (int)length, found->word, (int)name_length, name);
    if (found->count == NAMES_MOST || strncmp(whole, found->word, strlen(found->word)) != 0) {
        free(whole);
        return;
    }
    found->list = memory_resize(found->list, (found->count + 2) * sizeof *found->list);
    found->list[found->count++] = whole;
    found->list[found->count] = NULL;
}

static void add_lines(struct completions *found, size_t length, const char *lines)
{
    while (*lines != '\0') {
        size_t end = strcspn(lines, "\n"), name = strspn(lines, "abcdefghijklmnopqrstuvwxyz"
                                                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                                                "0123456789_");
        if (end > 0 && name == end && !isdigit((unsigned char)*lines))
            add(found, length, lines, end);
        lines += end + (lines[end] == '\n');
    }
}

// True for names with dots and colons between them.
static bool is_chain(const char *word)
{
    bool begins = true;
    for (; *word != '\0'; word++) {
        unsigned char byte = (unsigned char)*word;
        bool joint = byte == '.' || byte == ':';
        if (begins ? !isalpha(byte) && byte != '_' : !isalnum(byte) && byte != '_' && !joint)
            return false;
        begins = joint;
    }
    return true;
}

// The part of the word that names the value, with its dot or colon.
static size_t length_of_value(const char *word)
{
    size_t length = strlen(word);
    while (length > 0 && word[length - 1] != '.' && word[length - 1] != ':')
        length--;
    return length;
}

static char *code_for(const char *word, size_t length)
{
    if (length == 0)
        return memory_string(of_globals);
    char *value = memory_text(word, length - 1);
    for (char *at = value; *at != '\0'; at++)
        *at = *at == ':' ? '.' : *at;
    char *code = memory_format(of_value, value);
    free(value);
    return code;
}

static void ask_host(struct ctl_client *client, struct completions *found)
{
    struct error err = {0};
    size_t length = length_of_value(found->word);
    char *code = code_for(found->word, length);
    json_t *reply = ctl_client_ask(client, "eval", code, &err);
    const char *names = json_string_value(json_object_get(reply, "output"));
    if (names != NULL && json_is_true(json_object_get(reply, "ok")))
        add_lines(found, length, names);
    json_decref(reply);
    free(code);
}

static int compare(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

char **ctl_complete(struct ctl_client *client, const char *word)
{
    struct completions found = {.word = word};
    const char *name;
    if (*word == ':')
        for (size_t i = 0; (name = control_commands_name(i)) != NULL; i++)
            add(&found, 1, name, strlen(name));
    else if (strlen(word) < WORD_MOST && is_chain(word))
        ask_host(client, &found);
    if (found.count > 0)
        qsort(found.list, found.count, sizeof *found.list, compare);
    return found.list;
}
