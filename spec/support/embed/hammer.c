// SPDX-License-Identifier: Apache-2.0
//
// mesos_driver.h from several threads at once, for specs and sanitizers: each scene is one way in
// which threads and callbacks meet. A scene checks what only it can see and says "fine" at its end;
// what the master saw is for the spec to check.
//
//     hammer MASTER SCENE [COUNT]

#include <mesos_driver.h>

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

enum { THREADS = 4 };

static const char *master;
static long count = 200;
static struct mesos_driver *driver;
static atomic_long callbacks, updates, won, refused;
static atomic_bool is_registered, stopped;

static void expect(bool ok, const char *what)
{
    if (ok)
        return;
    printf("wrong: %s\n", what);
    fflush(stdout);
    _exit(1);
}

// ---- drivers ----

static struct mesos_driver *create(const struct mesos_scheduler *scheduler, struct uv_loop_s *loop)
{
    static char name[] = "hammer";
    char text[256];
    Mesos__V1__FrameworkInfo info = MESOS__V1__FRAMEWORK_INFO__INIT;
    info.name = name;
    const struct mesos_driver_options options = {
        .size = sizeof options, .master = master, .framework = &info, .loop = loop};
    struct mesos_driver *created =
        mesos_driver_create(scheduler, NULL, &options, text, sizeof text);
    expect(created != NULL, text);
    return created;
}

static void registered(void *data, struct mesos_driver *the_driver,
                       const Mesos__V1__FrameworkID *id, const Mesos__V1__MasterInfo *info)
{
    (void)data, (void)the_driver, (void)id, (void)info;
    atomic_store(&is_registered, true);
}

static void count_update(void *data, struct mesos_driver *the_driver,
                         const Mesos__V1__TaskStatus *status)
{
    (void)data, (void)the_driver, (void)status;
    atomic_fetch_add(&callbacks, 1);
    atomic_fetch_add(&updates, 1);
}

static void count_offers(void *data, struct mesos_driver *the_driver,
                         Mesos__V1__Offer *const *offers, size_t offer_count)
{
    (void)data, (void)the_driver, (void)offers, (void)offer_count;
    atomic_fetch_add(&callbacks, 1);
}

static const struct mesos_scheduler counting = {
    .size = sizeof counting,
    .registered = registered,
    .resource_offers = count_offers,
    .status_update = count_update,
};

static void wait_for(const atomic_bool *flag)
{
    while (!atomic_load(flag))
        usleep(1000);
}

static void wait_for_updates(long wanted)
{
    while (atomic_load(&updates) < wanted)
        usleep(1000);
}

static void run_threads(void *(*body)(void *), pthread_t threads[THREADS])
{
    static long numbers[THREADS];
    for (long i = 0; i < THREADS; i++) {
        numbers[i] = i;
        expect(pthread_create(&threads[i], NULL, body, &numbers[i]) == 0, "no thread");
    }
}

static void join_threads(pthread_t threads[THREADS])
{
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

// ---- operations from four threads, while events come ----

static void kill_task(long thread, long number)
{
    char text[64];
    Mesos__V1__TaskID id = MESOS__V1__TASK_ID__INIT;
    snprintf(text, sizeof text, "%ld-%ld", thread, number);
    id.value = text;
    expect(mesos_driver_kill_task(driver, &id, NULL, NULL) == MESOS_DRIVER_RUNNING, "kill");
    expect(mesos_driver_error()[0] == 0, mesos_driver_error());
}

// All threads go for all offers: each offer has one winner, the others are told.
static void decline_all(void)
{
    size_t offer_count;
    Mesos__V1__Offer **offers = mesos_driver_offers(driver, &offer_count);
    for (size_t i = 0; i < offer_count; i++) {
        mesos_driver_decline_offer(driver, offers[i]->id, NULL);
        bool ok = mesos_driver_error()[0] == 0;
        expect(ok || strstr(mesos_driver_error(), "was declined already") != NULL,
               mesos_driver_error());
        atomic_fetch_add(ok ? &won : &refused, 1);
    }
    mesos_driver_free_offers(offers, offer_count);
}

static void *on_operating(void *data)
{
    const char *roles[] = {"*", NULL};
    for (long i = 0; i < count; i++) {
        kill_task(*(long *)data, i);
        decline_all();
        if (i % 16 == 0)
            mesos_driver_reconcile_tasks(driver, NULL, 0);
        if (i % 16 == 8)
            mesos_driver_revive_offers(driver, roles);
        mesos__v1__framework_id__free_unpacked(mesos_driver_framework_id(driver), NULL);
        mesos__v1__master_info__free_unpacked(mesos_driver_master(driver), NULL);
        expect(mesos_driver_status(driver) == MESOS_DRIVER_RUNNING, "status");
    }
    return NULL;
}

// The events come until `count` updates have been here; then another thread stops the driver.
static void scene_operations(void)
{
    pthread_t threads[THREADS];
    driver = create(&counting, NULL);
    expect(mesos_driver_start(driver) == MESOS_DRIVER_RUNNING, "start");
    wait_for(&is_registered);
    run_threads(on_operating, threads);
    join_threads(threads);
    wait_for_updates(count);
    usleep(50000);
    decline_all();
    printf("won\t%ld\n", atomic_load(&won));
    expect(mesos_driver_stop(driver, true) == MESOS_DRIVER_STOPPED, "stop");
    expect(mesos_driver_join(driver) == MESOS_DRIVER_STOPPED, "join");
    mesos_driver_destroy(driver);
}

// ---- stop from another thread ----

static void *on_joining(void *data)
{
    (void)data;
    expect(mesos_driver_join(driver) == MESOS_DRIVER_STOPPED, "join after stop");
    return NULL;
}

// Whatever was running when stop returned may end; nothing may begin.
static void scene_stop(void)
{
    pthread_t threads[THREADS];
    driver = create(&counting, NULL);
    mesos_driver_start(driver);
    run_threads(on_joining, threads);
    wait_for_updates(count);
    expect(mesos_driver_stop(driver, true) == MESOS_DRIVER_STOPPED, "stop");
    long begun = atomic_load(&callbacks);
    expect(mesos_driver_stop(driver, false) == MESOS_DRIVER_STOPPED, "stop twice");
    expect(mesos_driver_abort(driver) == MESOS_DRIVER_STOPPED, "abort after stop");
    expect(mesos_driver_start(driver) == MESOS_DRIVER_STOPPED, "start after stop");
    expect(mesos_driver_reconcile_tasks(driver, NULL, 0) == MESOS_DRIVER_STOPPED, "reconcile");
    join_threads(threads);
    expect(atomic_load(&callbacks) <= begun + 1, "a callback began after stop");
    mesos_driver_destroy(driver);
}

// ---- stop while a callback is running, which then is not acknowledged ----

static void wait_in_update(void *data, struct mesos_driver *the_driver,
                           const Mesos__V1__TaskStatus *status)
{
    (void)data, (void)the_driver, (void)status;
    atomic_fetch_add(&updates, 1);
    wait_for(&stopped);
}

static void scene_stop_in_update(void)
{
    const struct mesos_scheduler scheduler = {.size = sizeof scheduler,
                                              .status_update = wait_in_update};
    driver = create(&scheduler, NULL);
    mesos_driver_start(driver);
    wait_for_updates(1);
    expect(mesos_driver_stop(driver, true) == MESOS_DRIVER_STOPPED, "stop");
    atomic_store(&stopped, true);
    expect(mesos_driver_join(driver) == MESOS_DRIVER_STOPPED, "join");
    expect(atomic_load(&updates) == 1, "one update");
    mesos_driver_destroy(driver);
}

// ---- abort in a callback, and another driver in the same process ----

static void abort_in_update(void *data, struct mesos_driver *the_driver,
                            const Mesos__V1__TaskStatus *status)
{
    (void)data, (void)status;
    atomic_fetch_add(&updates, 1);
    expect(mesos_driver_abort(the_driver) == MESOS_DRIVER_ABORTED, "abort");
    expect(mesos_driver_abort(the_driver) == MESOS_DRIVER_ABORTED, "abort twice");
    expect(mesos_driver_join(the_driver) == MESOS_DRIVER_ABORTED, "join in a callback");
    expect(strstr(mesos_driver_error(), "for ever") != NULL, mesos_driver_error());
}

static void scene_abort(void)
{
    const struct mesos_scheduler scheduler = {.size = sizeof scheduler,
                                              .status_update = abort_in_update};
    for (int i = 0; i < 2; i++) {
        driver = create(&scheduler, NULL);
        expect(mesos_driver_run(driver) == MESOS_DRIVER_ABORTED, "run");
        expect(mesos_driver_stop(driver, false) == MESOS_DRIVER_ABORTED, "stop after abort");
        expect(mesos_driver_status(driver) == MESOS_DRIVER_STOPPED, "status after that");
        expect(mesos_driver_stop(driver, false) == MESOS_DRIVER_STOPPED, "stop twice");
        mesos_driver_destroy(driver);
        expect(atomic_load(&updates) == i + 1, "one update each");
    }
}

// ---- destruction ----

static void destroy_in_update(void *data, struct mesos_driver *the_driver,
                              const Mesos__V1__TaskStatus *status)
{
    (void)data;
    expect(strlen(status->task_id->value) > 0, "a task id");
    mesos_driver_destroy(the_driver);
    expect(strlen(status->task_id->value) > 0, "a task id after destruction");
    atomic_fetch_add(&updates, 1);
}

static void *on_waiting(void *data)
{
    (void)data;
    expect(mesos_driver_join(driver) == MESOS_DRIVER_ABORTED, "join of a destroyed driver");
    return NULL;
}

// Long enough for the threads of the scene to be in join.
static void registered_slowly(void *data, struct mesos_driver *the_driver,
                              const Mesos__V1__FrameworkID *id, const Mesos__V1__MasterInfo *info)
{
    registered(data, the_driver, id, info);
    usleep(300000);
}

static const struct mesos_scheduler destroying = {
    .size = sizeof destroying,
    .registered = registered_slowly,
    .status_update = destroy_in_update,
};

// Two hundred updates are coming when the first destroys the driver; four threads wait for it.
static void scene_destroy(void)
{
    pthread_t threads[THREADS];
    driver = create(&destroying, NULL);
    mesos_driver_start(driver);
    wait_for(&is_registered);
    run_threads(on_waiting, threads);
    join_threads(threads);
    expect(atomic_load(&updates) == 1, "one update");
}

static void scene_destroy_in_run(void)
{
    driver = create(&destroying, NULL);
    expect(mesos_driver_run(driver) == MESOS_DRIVER_ABORTED, "run");
    expect(atomic_load(&updates) == 1, "one update");
}

static void destroy_in_disconnected(void *data, struct mesos_driver *the_driver)
{
    (void)data;
    mesos_driver_destroy(the_driver);
}

static void reconnect_in_update(void *data, struct mesos_driver *the_driver,
                                const Mesos__V1__TaskStatus *status)
{
    (void)data, (void)status;
    mesos_driver_reconnect(the_driver);
}

// The callback that destroys comes out of an operation that was called in another callback, or on
// another thread.
static void scene_destroy_in_reconnect(void)
{
    const struct mesos_scheduler scheduler = {.size = sizeof scheduler,
                                              .disconnected = destroy_in_disconnected,
                                              .status_update = reconnect_in_update};
    driver = create(&scheduler, NULL);
    expect(mesos_driver_run(driver) == MESOS_DRIVER_ABORTED, "run");
}

static void scene_destroy_in_reconnect_from_outside(void)
{
    const struct mesos_scheduler scheduler = {.size = sizeof scheduler,
                                              .registered = registered,
                                              .disconnected = destroy_in_disconnected};
    pthread_t threads[THREADS];
    driver = create(&scheduler, NULL);
    mesos_driver_start(driver);
    wait_for(&is_registered);
    run_threads(on_waiting, threads);
    usleep(300000);
    mesos_driver_reconnect(driver);
    join_threads(threads);
}

static void scene_destroy_running(void)
{
    driver = create(&counting, NULL);
    mesos_driver_start(driver);
    wait_for_updates(count);
    mesos_driver_destroy(driver);
    long begun = atomic_load(&callbacks);
    usleep(50000);
    expect(atomic_load(&callbacks) == begun, "a callback began after destruction");
}

static void scene_destroy_unused(void)
{
    driver = create(&counting, NULL);
    mesos_driver_destroy(driver);
    mesos_driver_destroy(NULL);
    driver = create(&counting, NULL);
    mesos_driver_start(driver);
    mesos_driver_destroy(driver);
    for (int i = 0; i < 2; i++) {
        driver = create(&counting, NULL);
        mesos_driver_start(driver);
        mesos_driver_stop(driver, i == 0);
        mesos_driver_destroy(driver);
    }
}

// ---- a loop of the program ----

static void close_loop(uv_loop_t *loop)
{
    uv_run(loop, UV_RUN_DEFAULT);
    expect(uv_loop_close(loop) == 0, "the loop has handles left");
}

static void *on_outside(void *data)
{
    wait_for(&is_registered);
    for (long i = 0; i < count; i++)
        kill_task(*(long *)data, i);
    atomic_fetch_add(&won, 1);
    if (*(long *)data == 0) {
        wait_for_updates(count);
        while (atomic_load(&won) < THREADS)
            usleep(1000);
        expect(mesos_driver_stop(driver, false) == MESOS_DRIVER_STOPPED, "stop");
        expect(mesos_driver_join(driver) == MESOS_DRIVER_STOPPED, "join");
    }
    return NULL;
}

static void scene_loop(void)
{
    uv_loop_t loop;
    pthread_t threads[THREADS];
    uv_loop_init(&loop);
    driver = create(&counting, &loop);
    expect(mesos_driver_run(driver) == MESOS_DRIVER_NOT_STARTED, "run on the loop's thread");
    expect(strstr(mesos_driver_error(), "for ever") != NULL, mesos_driver_error());
    expect(mesos_driver_start(driver) == MESOS_DRIVER_RUNNING, "start");
    expect(mesos_driver_join(driver) == MESOS_DRIVER_RUNNING, "join on the loop's thread");
    run_threads(on_outside, threads);
    expect(uv_run(&loop, UV_RUN_DEFAULT) == 0, "the loop ends with the driver");
    expect(mesos_driver_join(driver) == MESOS_DRIVER_STOPPED, "join after the end");
    join_threads(threads);
    mesos_driver_destroy(driver);
    close_loop(&loop);
}

static void scene_loop_destroy(void)
{
    uv_loop_t loop;
    pthread_t threads[THREADS];
    uv_loop_init(&loop);
    driver = create(&destroying, &loop);
    mesos_driver_start(driver);
    run_threads(on_waiting, threads);
    close_loop(&loop);
    join_threads(threads);
    expect(atomic_load(&updates) == 1, "one update");
}

static void scene_loop_unused(void)
{
    uv_loop_t loop;
    uv_loop_init(&loop);
    for (int i = 0; i < 3; i++) {
        driver = create(&counting, &loop);
        if (i > 0)
            mesos_driver_start(driver);
        if (i > 1)
            mesos_driver_abort(driver);
        mesos_driver_destroy(driver);
    }
    close_loop(&loop);
}

// ---- a log that is taken, and changed, while drivers write to it ----

static void count_line(void *data, enum mesos_log_level level, const char *text)
{
    (void)level, (void)text;
    ++*(long *)data; // not atomic: lines come one at a time
}

static void *on_driving(void *data)
{
    (void)data;
    for (int i = 0; i < 5; i++) {
        struct mesos_driver *mine = create(&counting, NULL);
        mesos_driver_start(mine);
        usleep(2000);
        mesos_driver_stop(mine, true);
        mesos_driver_join(mine);
        mesos_driver_destroy(mine);
    }
    return NULL;
}

static void scene_log(void)
{
    static long lines, more_lines;
    pthread_t threads[THREADS];
    mesos_driver_set_log(count_line, &lines, MESOS_LOG_DEBUG);
    run_threads(on_driving, threads);
    for (int i = 0; i < 20; i++) {
        usleep(1000);
        mesos_driver_set_log(count_line, i % 2 ? &lines : &more_lines, MESOS_LOG_DEBUG);
    }
    join_threads(threads);
    mesos_driver_set_log(NULL, NULL, MESOS_LOG_QUIET);
    expect(lines + more_lines > 0, "no lines");
}

static const struct {
    const char *name;
    void (*play)(void);
} scenes[] = {
    {"operations", scene_operations},
    {"stop", scene_stop},
    {"stop-in-update", scene_stop_in_update},
    {"abort", scene_abort},
    {"destroy", scene_destroy},
    {"destroy-in-run", scene_destroy_in_run},
    {"destroy-in-reconnect", scene_destroy_in_reconnect},
    {"destroy-in-reconnect-from-outside", scene_destroy_in_reconnect_from_outside},
    {"destroy-running", scene_destroy_running},
    {"destroy-unused", scene_destroy_unused},
    {"loop", scene_loop},
    {"loop-destroy", scene_loop_destroy},
    {"loop-unused", scene_loop_unused},
    {"log", scene_log},
};

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    master = argv[1];
    if (argc > 3)
        count = strtol(argv[3], NULL, 10);
    mesos_driver_set_log(NULL, NULL, MESOS_LOG_ERROR);
    for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++) {
        if (strcmp(scenes[i].name, argv[2]) != 0)
            continue;
        scenes[i].play();
        puts("fine");
        return 0;
    }
    return 2;
}
