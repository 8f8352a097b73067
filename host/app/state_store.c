// SPDX-License-Identifier: Apache-2.0
//
// Stores what survives the process: see state_store.h. A commit, the only place where the state is
// written, saves it if it has changed and then opens the barrier. It happens at the end of a turn
// in which a call began to wait, unless the previous commit is too recent, and every second if the
// script ran.

#include "app/state_store.h"

#include "app/state_file.h"
#include "base/atomic_file.h"
#include "base/log.h"
#include "base/memory.h"
#include "bindings/lib/state_table.h"

#include <stdlib.h>
#include <string.h>

enum { DOCUMENT_MOST = STATE_TABLE_MOST + 4096 };
enum { PAUSE_FACTOR = 4 }; // a commit is followed by a pause of so many times its duration

static const uint64_t interval = LOOP_SECOND;
static const uint64_t soon = LOOP_SECOND / 10;

struct state_store {
    struct loop *loop;
    struct atomic_file *file; // NULL: the state is in ZooKeeper
    struct election *elector; // NULL: the state is in a file
    bool writing;             // a write to ZooKeeper is in flight
    bool dirty;               // `saved` is not known to be in ZooKeeper
    bool rejected;            // ZooKeeper refuses the document as it is
    bool fenced;
    uint64_t covered;      // calls up to this number may leave when the current write is done
    struct script *script; // whose state is stored, or NULL
    char *framework_id;    // NULL: none
    struct buffer saved;   // the state as it was written last
    struct buffer fresh;   // the last snapshot
    struct buffer document;
    struct call_barrier barrier;
    struct deferral turn; // commits at its end
    struct timer later;   // commits when it fires
    uint64_t pause_end;   // no commit before this time, but for the last one
    uint64_t runs;        // of the script, at the last snapshot
    char *complaint;      // the last error logged, which is not repeated every second; or NULL
};

// ---- the file ----

static bool write_file(struct state_store *store, struct slice id, struct slice state,
                       struct error *err)
{
    const struct state_file contents = {.framework_id = id, .state = state};
    return state_file_write(&contents, loop_wall(store->loop), &store->document, err) &&
           atomic_file_write(store->file, buffer_slice(&store->document), err);
}

static bool adopt_document(struct state_store *store, struct error *err)
{
    struct state_file contents;
    if (!state_file_read(buffer_slice(&store->document), &contents, err))
        return false;
    if (contents.framework_id.length > 0)
        store->framework_id =
            memory_text((const char *)contents.framework_id.data, contents.framework_id.length);
    buffer_append_slice(&store->saved, contents.state);
    return true;
}

static const char *store_name(const struct state_store *store)
{
    return store->elector ? election_name(store->elector) : atomic_file_path(store->file);
}

static bool unusable(const struct state_store *store, struct error *err)
{
    if (err == NULL)
        return false;
    const struct error reason = *err;
    if (store->elector != NULL)
        return error_set(err, reason.code,
                         "the node '%s/state' in ZooKeeper cannot be used: %s. It is left as it "
                         "is; to start anew, without the framework id and the mesos.state in it, "
                         "delete it",
                         store_name(store), reason.text);
    return error_set(err, reason.code,
                     "the state file '%s' cannot be used: %s. It is left as it is; to start anew, "
                     "without the framework id and the mesos.state in it, move it away",
                     atomic_file_path(store->file), reason.text);
}

static bool read_file(struct state_store *store, struct error *err)
{
    bool exists = false;
    if (!atomic_file_read(store->file, &store->document, &exists, err))
        return false;
    return !exists || adopt_document(store, err) || unusable(store, err);
}

// ---- the state ----

static void complain(struct state_store *store, const char *text)
{
    if (store->complaint != NULL && strcmp(store->complaint, text) == 0)
        return;
    free(store->complaint);
    store->complaint = memory_string(text);
    log_error("%s", text);
}

static void clear_complaint(struct state_store *store)
{
    if (store->complaint != NULL)
        log_info("mesos.state is kept in '%s' again", store_name(store));
    free(store->complaint);
    store->complaint = NULL;
}

// Copies the current state into `fresh`. False without a script, or if the state cannot be stored,
// which is logged.
static bool snapshot(struct state_store *store)
{
    struct error err = {0};
    if (store->script == NULL)
        return false;
    store->runs = script_runs(store->script);
    if (state_table_save(store->script, &store->fresh, &err))
        return true;
    complain(store, err.text);
    return false;
}

static void swap_states(struct state_store *store)
{
    struct buffer saved = store->saved;
    store->saved = store->fresh;
    store->fresh = saved;
}

// ---- in ZooKeeper ----

static void write_soon(struct state_store *store)
{
    if (!timer_active(&store->later) || store->later.due > loop_now(store->loop) + soon)
        timer_start(&store->later, soon);
}

static void on_written(void *data, const struct zookeeper_reply *reply)
{
    struct state_store *store = data;
    store->writing = false;
    store->rejected = reply->result == ZOOKEEPER_REFUSED;
    if (reply->result != ZOOKEEPER_OK) {
        char *text = memory_format("mesos.state cannot be kept in ZooKeeper, and calls wait until "
                                   "it can: %s",
                                   reply->reason);
        complain(store, text);
        free(text);
        write_soon(store);
        return;
    }
    store->dirty = false;
    clear_complaint(store);
    if (!election_leads(store->elector))
        return;
    call_barrier_open_to(&store->barrier, store->covered);
    if (call_barrier_waiting(&store->barrier))
        deferral_queue(&store->turn);
}

static bool write_shared(struct state_store *store)
{
    struct error err = {0};
    const struct state_file contents = {.framework_id = state_store_framework_id(store),
                                        .state = buffer_slice(&store->saved)};
    if (!state_file_write(&contents, loop_wall(store->loop), &store->document, &err)) {
        error_context(&err, "mesos.state cannot be kept in ZooKeeper, and calls wait until it can");
        complain(store, err.text);
        store->rejected = true;
        return false;
    }
    store->writing =
        election_write(store->elector, buffer_slice(&store->document), on_written, store);
    return store->writing;
}

// Calls made before the write wait for its end, those made meanwhile for the next one.
static void commit_shared(struct state_store *store)
{
    if (store->fenced || store->writing)
        return;
    if (snapshot(store) && !slice_equal(buffer_slice(&store->fresh), buffer_slice(&store->saved))) {
        swap_states(store);
        store->dirty = true;
    }
    store->covered = store->barrier.calls;
    timer_start(&store->later, interval);
    if (store->dirty && !write_shared(store))
        write_soon(store);
    else if (!store->dirty && election_leads(store->elector))
        call_barrier_open_to(&store->barrier, store->covered);
}

bool state_store_idle(const struct state_store *store)
{
    return store->elector == NULL || store->fenced ||
           (!store->writing && (!store->dirty || store->rejected));
}

bool state_store_safe(const struct state_store *store)
{
    return store->elector == NULL || !store->dirty;
}

void state_store_fence(struct state_store *store)
{
    store->fenced = true;
    timer_stop(&store->later);
    deferral_queue(&store->turn);
}

bool state_store_save(struct state_store *store, struct error *err)
{
    if (store->elector != NULL) {
        commit_shared(store);
        return true;
    }
    if (!snapshot(store))
        return true;
    bool changed = !slice_equal(buffer_slice(&store->fresh), buffer_slice(&store->saved));
    if (changed) {
        if (!write_file(store, state_store_framework_id(store), buffer_slice(&store->fresh), err))
            return false;
        swap_states(store);
    }
    clear_complaint(store);
    return true;
}

// ---- when ----

static void commit(struct state_store *store)
{
    struct error err = {0};
    uint64_t start = loop_now(store->loop);
    bool safe = state_store_save(store, &err);
    uint64_t now = loop_now(store->loop);
    store->pause_end = now + PAUSE_FACTOR * (now - start);
    timer_start(&store->later, interval);
    if (safe) {
        call_barrier_open(&store->barrier);
        return;
    }
    store->pause_end = now + interval;
    error_context(&err, "mesos.state cannot be kept, and calls wait until it can");
    complain(store, err.text);
}

static void on_turn(void *data)
{
    struct state_store *store = data;
    if (store->fenced)
        call_barrier_refuse(&store->barrier);
    else if (store->elector != NULL)
        commit_shared(store);
    else
        commit(store);
}

static void on_later(void *data)
{
    struct state_store *store = data;
    bool ran = store->script != NULL && script_runs(store->script) != store->runs;
    if (ran || call_barrier_waiting(&store->barrier) || store->complaint != NULL || store->dirty)
        on_turn(store);
    else
        timer_start(&store->later, interval);
}

static void on_call_waiting(void *data)
{
    struct state_store *store = data;
    uint64_t now = loop_now(store->loop);
    if (now >= store->pause_end)
        deferral_queue(&store->turn);
    else if (!timer_active(&store->later) || store->later.due > store->pause_end)
        timer_start(&store->later, store->pause_end - now);
}

// A process that was suspended may have lost the leadership without notice: its clock tells.
static bool on_stream(void *data, struct error *err)
{
    struct state_store *store = data;
    if (!store->fenced && election_leads(store->elector))
        return true;
    return error_set(err, ERROR_REFUSED, "this process no longer leads at %s",
                     election_name(store->elector));
}

// ---- the framework and the script ----

struct slice state_store_framework_id(const struct state_store *store)
{
    return slice_text(store->framework_id);
}

bool state_store_set_framework_id(struct state_store *store, struct slice id, struct error *err)
{
    if (slice_equal(id, state_store_framework_id(store)))
        return true;
    if (store->elector == NULL && !write_file(store, id, buffer_slice(&store->saved), err))
        return false;
    store->dirty = store->elector != NULL;
    if (store->dirty)
        deferral_queue(&store->turn);
    free(store->framework_id);
    store->framework_id = id.length ? memory_text((const char *)id.data, id.length) : NULL;
    return true;
}

bool state_store_restore(struct state_store *store, struct script *script, struct error *err)
{
    return state_table_restore(script, buffer_slice(&store->saved), err) || unusable(store, err);
}

void state_store_follow(struct state_store *store, struct script *script)
{
    store->script = script;
    store->runs = script != NULL ? script_runs(script) : 0;
    if (script == NULL)
        timer_stop(&store->later);
    else if (!timer_active(&store->later))
        timer_start(&store->later, interval);
}

struct call_barrier *state_store_barrier(struct state_store *store)
{
    return &store->barrier;
}

// ---- life ----

static struct state_store *create(struct loop *loop, size_t most)
{
    struct state_store *store = memory_new(sizeof *store);
    store->loop = loop;
    buffer_init(&store->saved, STATE_TABLE_MOST);
    buffer_init(&store->fresh, STATE_TABLE_MOST);
    buffer_init(&store->document, most);
    call_barrier_init(&store->barrier, on_call_waiting, store);
    deferral_init(&store->turn, loop, on_turn, store);
    timer_init(&store->later, loop, on_later, store);
    return store;
}

struct state_store *state_store_open(struct loop *loop, const char *path, struct error *err)
{
    struct state_store *store = create(loop, DOCUMENT_MOST);
    store->file = atomic_file_open(path, err);
    if (store->file != NULL && read_file(store, err))
        return store;
    error_context(err, "--state");
    state_store_close(store);
    return NULL;
}

struct state_store *state_store_open_shared(struct loop *loop, struct election *elector,
                                            struct error *err)
{
    struct state_store *store = create(loop, ELECTION_DOCUMENT_MOST);
    struct slice document = election_document(elector);
    store->elector = elector;
    store->barrier.admits = on_stream;
    bool fits = buffer_append_slice(&store->document, document);
    if (document.length == 0 || (fits && adopt_document(store, err)))
        return store;
    if (!fits)
        error_set(err, ERROR_LIMIT, "it is larger than %zu bytes", store->document.limit);
    unusable(store, err);
    error_context(err, "--elect");
    state_store_close(store);
    return NULL;
}

void state_store_close(struct state_store *store)
{
    if (store == NULL)
        return;
    deferral_cancel(&store->turn);
    timer_stop(&store->later);
    atomic_file_close(store->file);
    buffer_free(&store->saved);
    buffer_free(&store->fresh);
    buffer_free(&store->document);
    free(store->framework_id);
    free(store->complaint);
    free(store);
}
