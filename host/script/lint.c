// SPDX-License-Identifier: Apache-2.0
//
// The files of a script, and what was found in them: see lint.h. All files are walked twice
// (lint_code.c): the first time to note what they declare and assign, the second time to report.
// Lua values are looked up meanwhile, so this runs in a protected call; what is allocated belongs
// to `struct lint`, which outlives that call.

#include "script/lint.h"

#include "base/memory.h"
#include "script/lint_rules.h"

#include <lauxlib.h>

#include <stdlib.h>
#include <string.h>

enum { DUMP_MOST = 64 << 20 }; // bytes of a compiled file

// ---- files ----

static int on_piece(lua_State *L, const void *data, size_t length, void *buffer)
{
    (void)L;
    return buffer_append(buffer, data, length) ? 0 : 1;
}

static void add_file(struct lint *lint, const char *path, struct bytecode *bytecode)
{
    size_t count = lint->file_count + 1;
    lint->files = memory_resize(lint->files, count * sizeof *lint->files);
    lint->files[lint->file_count++] =
        (struct lint_file){.path = memory_string(path), .bytecode = bytecode};
}

// Compiles what was read, without running it. Modules from elsewhere are not the author's to
// repair, and what is read by loadfile() may have globals of its own. // [-0, +0, m]
static void compile(struct lint *lint, lua_State *L, const struct source *source)
{
    struct bytecode *bytecode = NULL;
    buffer_clear(&lint->dump);
    bool own = modules_is_own(lint->script, source->path) && !modules_is_file(source);
    if (own && source->text != NULL && modules_load(L, source) == LUA_OK &&
        lua_dump(L, on_piece, &lint->dump, 0) == 0)
        bytecode = bytecode_read(buffer_slice(&lint->dump), NULL);
    add_file(lint, source->path, bytecode);
    lua_settop(L, TOP);
}

static bool walk_file(struct lint *lint, lua_State *L, size_t i, bool reporting)
{
    struct lint_walk walk = {.lint = lint, .L = L, .file = &lint->files[i], .reporting = reporting};
    if (walk.file->bytecode == NULL)
        return true;
    struct scan scan = {.walk = &walk, .function = bytecode_main(walk.file->bytecode)};
    scan.upvalues[0].kind = MARK_GLOBALS;
    lint_code_walk(&scan);
    lint_tables_clear(lint);
    return !lint_rules_noted(&walk, REBOUND, "_ENV");
}

// The list of sources grows meanwhile. False if a file gives _ENV another value.
static bool read_files(struct lint *lint, lua_State *L)
{
    bool usual = true;
    for (size_t i = 0; i < sources_count(lint->script->sources); i++) {
        compile(lint, L, sources_at(lint->script->sources, i));
        usual = walk_file(lint, L, i, false) && usual;
    }
    return usual;
}

static void push_samples(struct lint *lint, lua_State *L) // [-0, +2, e]
{
    const struct lint_parameter *rows = lint->world->parameters;
    lua_newtable(L);
    lua_newtable(L);
    for (lua_Integer i = 0; rows != NULL && rows[i].function != NULL; i++) {
        rows[i].push(L, lint->world->data);
        lua_rawseti(L, OBJECTS, i + 1);
        if (rows[i].push_list == NULL)
            continue;
        rows[i].push_list(L);
        lua_rawseti(L, LISTS, i + 1);
    }
}

static int l_lint(lua_State *L)
{
    struct lint *lint = lua_touserdata(L, SELF);
    luaL_checkstack(L, 2 * LUA_MINSTACK, "the lint");
    for (int set = DECLARED; set <= REQUIRED; set++)
        lua_newtable(L);
    lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_pushglobaltable(L);
    push_samples(lint, L);
    if (!strict_globals_active(L) || !read_files(lint, L))
        return 0;
    for (size_t i = 0; i < lint->file_count; i++)
        walk_file(lint, L, i, true);
    return 0;
}

// ---- the lint ----

static int compare(const void *a, const void *b)
{
    const struct finding *left = *(struct finding *const *)a, *right = *(struct finding *const *)b;
    int files = strcmp(left->file, right->file);
    return files != 0 ? files : (left->line > right->line) - (left->line < right->line);
}

static void report_all(const struct lint *lint, void (*report)(const char *text))
{
    struct finding *list[LINT_MOST];
    size_t count = 0;
    for (struct finding *each = lint->findings; each != NULL; each = each->next)
        list[count++] = each;
    qsort(list, count, sizeof *list, compare);
    for (size_t i = 0; i < count; i++) {
        char *text = memory_format("%s:%d: %s", list[i]->file, list[i]->line, list[i]->text);
        report(text);
        free(text);
    }
}

static void release(struct lint *lint)
{
    for (size_t i = 0; i < lint->file_count; i++) {
        bytecode_free(lint->files[i].bytecode);
        free(lint->files[i].path);
    }
    while (lint->findings != NULL) {
        struct finding *next = lint->findings->next;
        free(lint->findings);
        lint->findings = next;
    }
    lint_tables_clear(lint);
    free(lint->files);
    buffer_free(&lint->dump);
}

size_t lint_run(struct script *script, const struct lint_world *world,
                void (*report)(const char *text))
{
    struct lint lint = {.script = script, .world = world};
    lint.last = &lint.findings;
    buffer_init(&lint.dump, DUMP_MOST);
    if (protect_run(script, NULL, l_lint, &lint, 0) == PROTECT_RAISED) {
        report(protect_text(script));
        lua_pop(script->L, 1);
        lint.found++;
    }
    report_all(&lint, report);
    size_t found = lint.found;
    release(&lint);
    return found;
}
