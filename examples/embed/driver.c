// SPDX-License-Identifier: Apache-2.0
//
// A whole framework in C: runs a shell command a number of times on whatever the master offers, and
// says how that went.
//
//     driver MASTER COMMAND COUNT            for instance: driver 127.0.0.1:5050 'echo hello' 3
//
// It launches as many tasks as an offer holds and declines what it does not need. A task that was
// lost is launched again, one that failed is counted. When all have ended it stops the driver,
// which ends the framework at the master. Exit status: 0 all tasks finished, 1 some failed, or the
// driver was aborted, 2 usage.
//
// Built against an installed mesos-lua with
//
//     cc driver.c $(pkg-config --cflags --libs mesos-lua) -o driver
//
// or with the CMakeLists.txt beside it.

#include <mesos_driver.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double task_cpus = 0.1, task_mem = 32; // of each

enum { TASKS_MOST = 100 }; // of one launch

struct framework {
    const char *command;
    unsigned long wanted, launched, finished, failed; // launched: and not lost
    unsigned long next_id, updates;
};

// ---- offers ----

// How much of a scalar resource the offer holds that is not reserved.
static double amount(const Mesos__V1__Offer *offer, const char *name)
{
    double sum = 0;
    for (size_t i = 0; i < offer->n_resources; i++) {
        const Mesos__V1__Resource *resource = offer->resources[i];
        if (strcmp(resource->name, name) == 0 && resource->scalar != NULL &&
            resource->n_reservations == 0 && resource->revocable == NULL)
            sum += resource->scalar->value;
    }
    return sum;
}

static unsigned long capacity(const Mesos__V1__Offer *offer)
{
    double by_cpus = amount(offer, "cpus") / task_cpus, by_mem = amount(offer, "mem") / task_mem;
    double fewer = by_cpus < by_mem ? by_cpus : by_mem;
    return fewer < TASKS_MOST ? (unsigned long)(fewer + 1e-6) : TASKS_MOST;
}

// A task with everything that it points to, so that a launch is one array of these.
struct task {
    Mesos__V1__TaskInfo info;
    Mesos__V1__TaskID id;
    Mesos__V1__CommandInfo command;
    Mesos__V1__Resource cpus, mem, *resources[2];
    Mesos__V1__Value__Scalar cpus_value, mem_value;
    char id_text[32];
};

static void init_scalar(Mesos__V1__Resource *resource, Mesos__V1__Value__Scalar *scalar, char *name,
                        double value)
{
    mesos__v1__resource__init(resource);
    mesos__v1__value__scalar__init(scalar);
    scalar->value = value;
    resource->name = name;
    resource->type = MESOS__V1__VALUE__TYPE__SCALAR;
    resource->scalar = scalar;
}

static void init_task(struct task *task, struct framework *framework, const Mesos__V1__Offer *offer)
{
    static char cpus[] = "cpus", mem[] = "mem", name[] = "embed";
    mesos__v1__task_info__init(&task->info);
    mesos__v1__task_id__init(&task->id);
    mesos__v1__command_info__init(&task->command);
    snprintf(task->id_text, sizeof task->id_text, "embed-%lu", ++framework->next_id);
    init_scalar(&task->cpus, &task->cpus_value, cpus, task_cpus);
    init_scalar(&task->mem, &task->mem_value, mem, task_mem);
    task->resources[0] = &task->cpus;
    task->resources[1] = &task->mem;
    task->id.value = task->id_text;
    task->command.value = (char *)framework->command;
    task->info.name = name;
    task->info.task_id = &task->id;
    task->info.agent_id = offer->agent_id;
    task->info.command = &task->command;
    task->info.n_resources = 2;
    task->info.resources = task->resources;
}

// An offer that was not taken as it should be is a mistake of this program.
static void check(const char *what)
{
    if (mesos_driver_error()[0] != 0)
        fprintf(stderr, "%s: %s\n", what, mesos_driver_error());
}

static void launch(struct framework *framework, struct mesos_driver *driver,
                   const Mesos__V1__Offer *offer, unsigned long count)
{
    static struct task tasks[TASKS_MOST]; // callbacks come one at a time
    Mesos__V1__TaskInfo *infos[TASKS_MOST];
    for (unsigned long i = 0; i < count; i++) {
        init_task(&tasks[i], framework, offer);
        infos[i] = &tasks[i].info;
    }
    framework->launched += count;
    mesos_driver_launch_tasks(driver, &offer->id, 1, infos, count, NULL);
    check("launch_tasks");
}

static void resource_offers(void *data, struct mesos_driver *driver,
                            Mesos__V1__Offer *const *offers, size_t count)
{
    struct framework *framework = data;
    for (size_t i = 0; i < count; i++) {
        unsigned long missing = framework->wanted - framework->launched;
        unsigned long room = capacity(offers[i]);
        if (missing > 0 && room > 0) {
            launch(framework, driver, offers[i], room < missing ? room : missing);
        } else {
            mesos_driver_decline_offer(driver, offers[i]->id, NULL);
            check("decline_offer");
        }
    }
}

// ---- updates ----

static const char *state_name(Mesos__V1__TaskState state)
{
    const ProtobufCEnumValue *value =
        protobuf_c_enum_descriptor_get_value(&mesos__v1__task_state__descriptor, (int)state);
    return value ? value->name : "a state that this program does not know";
}

static void count_state(struct framework *framework, Mesos__V1__TaskState state)
{
    switch (state) {
    case MESOS__V1__TASK_STATE__TASK_FINISHED:
        framework->finished++;
        break;
    case MESOS__V1__TASK_STATE__TASK_FAILED:
    case MESOS__V1__TASK_STATE__TASK_KILLED:
    case MESOS__V1__TASK_STATE__TASK_ERROR:
        framework->failed++;
        break;
    case MESOS__V1__TASK_STATE__TASK_LOST:
    case MESOS__V1__TASK_STATE__TASK_DROPPED:
        framework->launched--; // comes again with the next offer
        break;
    default:
        break;
    }
}

static void status_update(void *data, struct mesos_driver *driver,
                          const Mesos__V1__TaskStatus *status)
{
    struct framework *framework = data;
    framework->updates++;
    printf("%s is %s%s%s\n", status->task_id->value, state_name(status->state),
           status->message ? ": " : "", status->message ? status->message : "");
    fflush(stdout);
    count_state(framework, status->state);
    if (framework->finished + framework->failed == framework->wanted)
        mesos_driver_stop(driver, false);
}

// ---- the rest ----

static void registered(void *data, struct mesos_driver *driver, const Mesos__V1__FrameworkID *id,
                       const Mesos__V1__MasterInfo *master)
{
    (void)data, (void)driver, (void)master;
    printf("registered as %s\n", id->value);
    fflush(stdout);
}

static void failed(void *data, struct mesos_driver *driver, const char *message)
{
    (void)data, (void)driver;
    fprintf(stderr, "aborted: %s\n", message);
}

static int run(struct framework *framework, const char *master)
{
    static char name[] = "embed";
    Mesos__V1__FrameworkInfo info = MESOS__V1__FRAMEWORK_INFO__INIT;
    info.name = name;
    const struct mesos_scheduler scheduler = {
        .size = sizeof scheduler,
        .registered = registered,
        .resource_offers = resource_offers,
        .status_update = status_update,
        .error = failed,
    };
    const struct mesos_driver_options options = {
        .size = sizeof options, .master = master, .framework = &info};
    char text[256];
    mesos_driver_set_log(NULL, NULL, MESOS_LOG_WARNING);
    struct mesos_driver *driver =
        mesos_driver_create(&scheduler, framework, &options, text, sizeof text);
    if (driver == NULL) {
        fprintf(stderr, "driver: %s\n", text);
        return 2;
    }
    enum mesos_status status = mesos_driver_run(driver);
    mesos_driver_destroy(driver);
    printf("%lu finished, %lu failed, %lu updates, %s\n", framework->finished, framework->failed,
           framework->updates, mesos_status_name(status));
    return status == MESOS_DRIVER_STOPPED && framework->failed == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct framework framework = {.command = argc > 2 ? argv[2] : NULL};
    char *end = NULL;
    if (argc == 4)
        framework.wanted = strtoul(argv[3], &end, 10);
    if (argc != 4 || *end != 0 || framework.wanted == 0) {
        fprintf(stderr, "usage: driver MASTER COMMAND COUNT\n");
        return 2;
    }
    return run(&framework, argv[1]);
}
