// SPDX-License-Identifier: Apache-2.0
//
// A framework to start from: see new_files.h. The script and its spec must not be there; what all
// scripts of a folder share (.busted, .luarc.json, README.md) is written only if it is missing.

#include "cli/new_files.h"

#include "base/buffer.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/suggest.h"
#include "cli/own_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { EXIT_USAGE = 2, NAME_MOST = 100 };

#define TEXT_LIMIT ((size_t)1 << 20)
#define USAGE "mesos-lua new NAME [--kind KIND]"

// What `--kind` takes, and what README.md says of it.
static const struct {
    const char *name, *help;
} kinds[] = {{"empty", "gives all offers back"},
             {"batch", "runs a list of commands, and ends"},
             {"service", "keeps instances of a command alive"},
             {"dag", "runs steps, each when those that it comes after are done"},
             {"cron", "runs commands at times of cron"},
             {NULL, NULL}};

struct request {
    const char *name, *kind;
};

// ---- the command line ----

static const char *kind_name(const void *data, size_t index)
{
    (void)data;
    return kinds[index].name;
}

static bool check_kind(const char *kind, struct error *err)
{
    char names[128] = "";
    for (size_t i = 0; kinds[i].name != NULL; i++) {
        if (strcmp(kinds[i].name, kind) == 0)
            return true;
        size_t length = strlen(names);
        snprintf(names + length, sizeof names - length, "%s%s", i ? ", " : "", kinds[i].name);
    }
    const char *near = suggest(kind, kind_name, NULL);
    return error_set(err, ERROR_INVALID, "--kind: no kind '%s'%s%s%s; there are %s", kind,
                     near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "", names);
}

// It becomes a part of file names and of texts in Lua.
static bool check_name(const char *name, struct error *err)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    size_t length = strlen(name);
    bool good =
        length > 0 && length <= NAME_MOST && strspn(name, letters) == length && *name != '-';
    return good || error_set(err, ERROR_INVALID,
                             "'%s' is no name for a framework: letters, digits, _ and - expected, "
                             "without a folder or an ending (%s)",
                             name, USAGE);
}

static bool read_request(const struct options *options, struct request *request, struct error *err)
{
    *request = (struct request){.kind = "empty"};
    for (int i = 0; i < options->argc; i++) {
        const char *word = options->argv[i];
        if (strncmp(word, "--kind=", 7) == 0)
            request->kind = word + 7;
        else if (strcmp(word, "--kind") == 0 && i + 1 < options->argc)
            request->kind = options->argv[++i];
        else if (*word == '-' || request->name != NULL)
            return error_set(err, ERROR_INVALID, "unexpected argument '%s': %s", word, USAGE);
        else
            request->name = word;
    }
    if (request->name == NULL)
        return error_set(err, ERROR_INVALID, "no name was given: %s", USAGE);
    return check_name(request->name, err) && check_kind(request->kind, err);
}

// ---- texts ----

static const struct new_text *find_text(const char *kind, const char *ending)
{
    char *file = memory_format("%s%s", kind, ending);
    const struct new_text *row = new_texts;
    while (row->file != NULL && strcmp(row->file, file) != 0)
        row++;
    free(file);
    return row;
}

// With the name in place of NAME.
static void fill_in(const struct new_text *row, const char *name, struct buffer *out)
{
    static const char word[] = "NAME";
    const char *at = row->text, *end = row->text + row->length;
    for (const char *next; (next = memmem(at, (size_t)(end - at), word, 4)) != NULL;
         at = next + 4) {
        buffer_append(out, at, (size_t)(next - at));
        buffer_append_text(out, name);
    }
    buffer_append(out, at, (size_t)(end - at));
}

static void write_readme(const struct request *request, struct buffer *out)
{
    const char *help = "", *name = request->name;
    for (size_t i = 0; kinds[i].name != NULL; i++)
        if (strcmp(kinds[i].name, request->kind) == 0)
            help = kinds[i].help;
    buffer_format(out,
                  "# %s\n\nA framework for Apache Mesos that %s.\n\n"
                  "    mesos-lua %s.lua                  run it on a local cluster of its own\n"
                  "    mesos-lua -m HOST:PORT %s.lua     run it on a real one\n"
                  "    mesos-lua check %s.lua            report mistakes, contact no master\n"
                  "    mesos-lua test                    run the tests in spec/ (Debian: apt-get "
                  "install lua-busted)\n",
                  name, help, name, name, name);
}

// Where editors find the declarations.
static void write_luarc(struct buffer *out)
{
    char *folder = own_folder_find("lua/mesos");
    buffer_format(out, "{\n    \"runtime.version\": \"Lua 5.4\",\n"
                       "    \"workspace.library\": [");
    if (folder != NULL)
        buffer_format(out, "\"%.*s\"", (int)(strlen(folder) - strlen("/mesos")), folder);
    buffer_append_text(out, "],\n    \"diagnostics.globals\": [\"describe\", \"it\", "
                            "\"before_each\", \"after_each\"]\n}\n");
    free(folder);
}

// ---- files ----

static bool is_there(const char *path, struct error *err)
{
    struct stat status;
    if (lstat(path, &status) != 0)
        return false;
    error_set(err, ERROR_INVALID, "%s is there already: nothing was written", path);
    return true;
}

// O_EXCL: what came meanwhile is not overwritten either.
static bool write_file(const char *path, struct buffer *text, struct error *err)
{
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file < 0 && errno == EEXIST) {
        printf("kept   %s\n", path);
        return true;
    }
    bool good = file >= 0 && write(file, text->data, text->length) == (ssize_t)text->length;
    int fault = errno;
    if (file >= 0)
        good = close(file) == 0 && good;
    if (!good)
        return error_set(err, ERROR_IO, "cannot write %s: %s", path, strerror(fault));
    printf("wrote  %s\n", path);
    return true;
}

static bool make_folder(const char *path, struct error *err)
{
    return mkdir(path, 0777) == 0 || errno == EEXIST ||
           error_set(err, ERROR_IO, "cannot make the folder %s: %s", path, strerror(errno));
}

// Each text in turn.
static bool write_all(const struct request *request, const char *script, const char *spec,
                      struct buffer *text, struct error *err)
{
    fill_in(find_text(request->kind, ".lua"), request->name, text);
    if (!write_file(script, text, err))
        return false;
    buffer_clear(text);
    fill_in(find_text(request->kind, "_spec.lua"), request->name, text);
    if (!make_folder("spec", err) || !write_file(spec, text, err))
        return false;
    buffer_clear(text);
    buffer_append_text(text, "return { default = { lua = \"lua5.4\", ROOT = { \"spec\" } } }\n");
    if (!write_file(".busted", text, err))
        return false;
    buffer_clear(text);
    write_luarc(text);
    if (!write_file(".luarc.json", text, err))
        return false;
    buffer_clear(text);
    write_readme(request, text);
    return write_file("README.md", text, err);
}

static bool write_request(const struct request *request, struct error *err)
{
    struct buffer text;
    char *script = memory_format("%s.lua", request->name);
    char *spec = memory_format("spec/%s_spec.lua", request->name);
    buffer_init(&text, TEXT_LIMIT);
    bool good = !is_there(script, err) && !is_there(spec, err) &&
                write_all(request, script, spec, &text, err);
    buffer_free(&text);
    free(script);
    free(spec);
    return good;
}

int new_files_write(const struct options *options)
{
    struct request request;
    struct error err = {0};
    if (read_request(options, &request, &err) && write_request(&request, &err))
        return 0;
    fprintf(stderr, "mesos-lua: %s\n", err.text);
    return EXIT_USAGE;
}
