// SPDX-License-Identifier: Apache-2.0
//
// Tables that a script writes down, with what is known of their fields: see lint_rules.h. What is
// said of one holds for all tables that its constructor makes, in whatever branch it is. A field
// that was added to a table in a branch is not sure behind it, and a table that was passed to a
// function of which nothing is known is not looked at any more.

#include "script/lint_rules.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

enum { TABLES_MOST = 4096, FIELDS_MOST = 512, DEPTH_MOST = 12 };

struct lint_field {
    const char *name; // NULL: an element of a list
    const struct bytecode_function *function;
    size_t at; // the instruction that set it
    int line;
    struct mark value;
    bool dropped, reported;
};

struct lint_table {
    const struct bytecode_function *function;
    size_t at; // its constructor
    struct lint_field *fields;
    size_t count;
    bool escaped;
};

static struct lint_table *table_of(struct scan *scan, const struct mark *mark)
{
    return scan->walk->lint->tables[mark->object - 1];
}

// ---- making ----

struct mark lint_tables_new(struct scan *scan)
{
    struct lint *lint = scan->walk->lint;
    if (lint->table_count == TABLES_MOST)
        return (struct mark){.kind = MARK_NONE};
    if (lint->tables == NULL)
        lint->tables = memory_new(TABLES_MOST * sizeof(struct lint_table *));
    struct lint_table *table = memory_new(sizeof *table);
    *table = (struct lint_table){.function = scan->function, .at = scan->at};
    lint->tables[lint->table_count++] = table;
    return (struct mark){.kind = MARK_WRITTEN, .object = (lua_Integer)lint->table_count};
}

void lint_tables_clear(struct lint *lint)
{
    for (size_t i = 0; i < lint->table_count; i++) {
        free(lint->tables[i]->fields);
        free(lint->tables[i]);
    }
    free(lint->tables);
    lint->tables = NULL;
    lint->table_count = 0;
}

struct mark lint_tables_copy(struct scan *scan, const struct mark *mark)
{
    struct mark copy = lint_tables_new(scan);
    if (copy.kind != MARK_WRITTEN)
        return copy;
    const struct lint_table *from = table_of(scan, mark);
    struct lint_table *to = table_of(scan, &copy);
    to->escaped = from->escaped;
    to->count = from->count;
    to->fields = memory_resize(NULL, FIELDS_MOST * sizeof *to->fields);
    if (from->count > 0)
        memcpy(to->fields, from->fields, from->count * sizeof *to->fields);
    return copy;
}

static void append(struct scan *scan, struct lint_table *table, const char *name,
                   const struct mark *value)
{
    if (table->fields == NULL)
        table->fields = memory_resize(NULL, FIELDS_MOST * sizeof *table->fields);
    if (table->count == FIELDS_MOST)
        return;
    table->fields[table->count++] = (struct lint_field){
        .name = name,
        .function = scan->function,
        .at = scan->at,
        .line = scan->function->lines[scan->at],
        .value = *value,
    };
}

void lint_tables_set(struct scan *scan, const struct mark *mark, const char *name,
                     const struct mark *value, bool nil)
{
    if (mark->kind != MARK_WRITTEN)
        return;
    struct lint_table *table = table_of(scan, mark);
    for (size_t i = 0; name != NULL && i < table->count; i++)
        if (table->fields[i].name != NULL && strcmp(table->fields[i].name, name) == 0)
            table->fields[i].dropped = true;
    if (name == NULL && nil)
        table->escaped = true;
    else if (!nil)
        append(scan, table, name, value);
}

void lint_tables_add(struct scan *scan, const struct mark *mark, const struct mark *value)
{
    if (mark->kind == MARK_WRITTEN)
        append(scan, table_of(scan, mark), NULL, value);
}

struct mark lint_tables_get(struct scan *scan, const struct mark *mark, const char *name)
{
    const struct lint_table *table = table_of(scan, mark);
    for (size_t i = table->escaped ? 0 : table->count; i-- > 0;)
        if (table->fields[i].name != NULL && !table->fields[i].dropped &&
            strcmp(table->fields[i].name, name) == 0)
            return table->fields[i].value;
    return (struct mark){.kind = MARK_NONE};
}

// ---- what is not sure ----

static void escape(struct scan *scan, const struct mark *mark, int depth)
{
    if (mark->kind != MARK_WRITTEN || depth == DEPTH_MOST)
        return;
    struct lint_table *table = table_of(scan, mark);
    if (table->escaped)
        return;
    table->escaped = true;
    for (size_t i = 0; i < table->count; i++)
        escape(scan, &table->fields[i].value, depth + 1);
}

void lint_tables_escape(struct scan *scan, const struct mark *mark)
{
    escape(scan, mark, 0);
}

void lint_tables_drop(struct scan *scan, size_t first)
{
    struct lint *lint = scan->walk->lint;
    for (size_t i = 0; i < lint->table_count; i++) {
        struct lint_table *table = lint->tables[i];
        bool before = table->function != scan->function || table->at < first;
        for (size_t n = 0; before && n < table->count; n++) {
            struct lint_field *field = &table->fields[n];
            if (field->name != NULL && field->function == scan->function && field->at >= first)
                field->dropped = true;
        }
    }
}

// ---- checking ----

static void check(struct scan *scan, const struct mark *value, const struct lint_shape *shape,
                  int line, int depth);

static void report(struct scan *scan,
                   struct lint_field *field) // the text at the top // [-1, +0, -]
{
    lint_rules_report_at(scan, field->line);
    field->reported = true;
}

static void check_field(struct scan *scan, struct lint_field *field, const struct lint_shape *shape,
                        int depth)
{
    lua_State *L = scan->walk->L;
    struct lint_shape value = {.type = NULL};
    if (field->dropped || field->reported)
        return;
    if (field->name == NULL) {
        value = (struct lint_shape){.type = shape->type, .data = shape->data};
        if (shape->list)
            check(scan, &field->value, &value, field->line, depth + 1);
    } else if (shape->list && shape->type->no_list != NULL) {
        shape->type->no_list(L, shape->data, field->name);
        report(scan, field);
    } else if (!shape->list && shape->type->field != NULL) {
        if (!shape->type->field(L, shape->data, field->name, &value))
            report(scan, field);
        else
            check(scan, &field->value, &value, field->line, depth + 1);
    }
}

// A list with both elements and names has its elements read, and one finding for its names is
// enough.
static void check_fields(struct scan *scan, struct lint_table *table,
                         const struct lint_shape *shape, int depth)
{
    bool elements = false;
    for (size_t i = 0; i < table->count; i++)
        elements = elements || table->fields[i].name == NULL;
    for (size_t i = 0; i < table->count; i++) {
        if (shape->list && table->fields[i].name != NULL && (elements || i > 0))
            continue;
        check_field(scan, &table->fields[i], shape, depth);
    }
}

static void check(struct scan *scan, const struct mark *value, const struct lint_shape *shape,
                  int line, int depth)
{
    lua_State *L = scan->walk->L;
    if (shape->type == NULL || depth == DEPTH_MOST)
        return;
    if (value->kind == MARK_TEXT && shape->type->text != NULL &&
        !shape->type->text(L, shape->data, value->names[0]))
        lint_rules_report_at(scan, line);
    else if (value->kind == MARK_WRITTEN && !table_of(scan, value)->escaped)
        check_fields(scan, table_of(scan, value), shape, depth);
    lua_settop(L, TOP);
}

void lint_tables_check(struct scan *scan, const struct mark *value, const struct lint_shape *shape)
{
    if (scan->walk->reporting)
        check(scan, value, shape, scan->function->lines[scan->at], 0);
}

// ---- reading ----

// The names of values have capital letters.
static bool looks_like_a_value(const char *name)
{
    return name != NULL && name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")] == '\0';
}

// A set of states, say, in which a name is nearly one.
void lint_tables_read(struct scan *scan, const struct mark *mark, const struct mark *key)
{
    lua_State *L = scan->walk->L;
    if (mark->kind != MARK_WRITTEN || key->kind != MARK_FIELD || !scan->walk->reporting)
        return;
    const struct lint_parameter *row = lint_rules_row(scan, key);
    struct lint_table *table = table_of(scan, mark);
    for (size_t i = 0; row->never != NULL && !table->escaped && i < table->count; i++) {
        struct lint_field *field = &table->fields[i];
        if (!looks_like_a_value(field->name) || field->dropped || field->reported)
            continue;
        if (row->never(L, row->type, key->names[0], field->name) &&
            strstr(lua_tostring(L, -1), "did you mean") != NULL)
            report(scan, field);
        lua_settop(L, TOP);
    }
}
