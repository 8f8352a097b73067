// SPDX-License-Identifier: Apache-2.0
//
// Version and flags; see the header.

#include "operator/build_facts.h"

#include "base/duration.h"
#include "base/memory.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

// The program's file tells: a time in the program would make each build another one.
void build_facts(struct build_facts *facts)
{
    struct stat status;
    struct tm parts;
    *facts = (struct build_facts){0};
    time_t made = stat("/proc/self/exe", &status) == 0 ? status.st_mtime : 0;
    facts->time = (double)made;
    if (gmtime_r(&made, &parts) != NULL)
        strftime(facts->date, sizeof facts->date, "%Y-%m-%d %H:%M:%S", &parts);
}

void build_facts_write(struct json_writer *writer)
{
    struct build_facts facts;
    build_facts(&facts);
    json_writer_text(writer, "build_date", facts.date);
    json_writer_double(writer, "build_time", facts.time);
    json_writer_text(writer, "build_user", BUILD_FACTS_USER);
}

static size_t add(struct build_flag *flags, size_t count, const char *name, char *value)
{
    flags[count] = (struct build_flag){name, value};
    return count + 1;
}

size_t build_facts_master_flags(struct build_flag flags[BUILD_FLAGS_MOST],
                                const struct master *master)
{
    static const char *const constant[][2] = {
        {"allocation_interval", "1secs"},
        {"allocator", "hierarchical"},
        {"authenticate_agents", "false"},
        {"authenticate_frameworks", "false"},
        {"max_completed_frameworks", "50"},
        {"max_completed_tasks_per_framework", "1000"},
        {"max_operator_event_stream_subscribers", "1000"},
        {"max_unreachable_tasks_per_framework", "1000"},
        {"registry", "in_memory"},
        {"version", "false"},
    };
    size_t count = 0;
    for (size_t i = 0; i < sizeof constant / sizeof constant[0]; i++)
        count = add(flags, count, constant[i][0], memory_string(constant[i][1]));
    count = add(flags, count, "hostname", memory_string(master->hostname));
    count = add(flags, count, "ip", memory_string(master->ip));
    if (master->offer_timeout > 0)
        count = add(flags, count, "offer_timeout",
                    memory_format("%gsecs", (double)master->offer_timeout / (double)LOOP_SECOND));
    count = add(flags, count, "port", memory_format("%u", master->port));
    return add(flags, count, "work_dir", memory_string(master->work_dir));
}

size_t build_facts_agent_flags(struct build_flag flags[BUILD_FLAGS_MOST], const struct node *node)
{
    const struct master *master = node->master;
    char *resources = resources_text(&node->total);
    char *attributes = agent_description_text(&node->description);
    size_t count = 0;
    for (char *at = attributes; *at != '\0'; at++)
        *at = *at == ' ' ? ';' : *at == '=' ? ':' : *at;
    if (*attributes != '\0')
        count = add(flags, count, "attributes", memory_string(attributes + 1));
    count = add(flags, count, "containerizers", memory_string("mesos"));
    count = add(flags, count, "executor_registration_timeout",
                duration_text((int64_t)master->registration_timeout));
    count = add(flags, count, "executor_shutdown_grace_period", memory_string("5secs"));
    count = add(flags, count, "hostname", memory_string(node->hostname));
    count = add(flags, count, "ip", memory_string(master->ip));
    count = add(flags, count, "isolation", memory_string("posix/cpu,posix/mem"));
    count = add(flags, count, "launcher", memory_string("posix"));
    count = add(flags, count, "master", memory_format("%s:%u", master->ip, master->port));
    count = add(flags, count, "port", memory_format("%u", master->port));
    count = add(flags, count, "resources", memory_string(resources));
    count =
        add(flags, count, "switch_user", memory_string(master->switch_users ? "true" : "false"));
    count = add(flags, count, "version", memory_string("false"));
    count = add(flags, count, "work_dir", memory_string(master->work_dir));
    free(resources);
    free(attributes);
    return count;
}

void build_facts_write_flags(struct json_writer *writer, const char *key,
                             const struct master *master, const struct node *node)
{
    struct build_flag flags[BUILD_FLAGS_MOST];
    size_t count = node != NULL ? build_facts_agent_flags(flags, node)
                                : build_facts_master_flags(flags, master);
    json_writer_open(writer, key);
    for (size_t i = 0; i < count; i++) {
        json_writer_text(writer, flags[i].name, flags[i].value);
        free(flags[i].value);
    }
    json_writer_close(writer);
}
