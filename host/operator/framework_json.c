// SPDX-License-Identifier: Apache-2.0
//
// Frameworks in JSON; see the header.

#include "operator/framework_json.h"

#include "operator/executor_json.h"
#include "operator/resource_json.h"
#include "operator/task_json.h"

// Frameworks without MULTI_ROLE still use the field `role`.
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

void framework_json_view(struct framework_view *view, const struct master_framework *framework)
{
    *view = (struct framework_view){
        .id = framework->id, .info = framework->info, .past = &framework->past, .live = framework};
    usage_of_framework(&view->usage, framework);
}

void framework_json_view_completed(struct framework_view *view, const struct completed *completed)
{
    *view = (struct framework_view){
        .id = completed->id, .info = completed->info, .past = &completed->past};
}

void framework_json_free(struct framework_view *view)
{
    usage_free(&view->usage);
}

static void write_capabilities(struct json_writer *writer, const Mesos__V1__FrameworkInfo *info)
{
    json_writer_list(writer, "capabilities");
    for (size_t i = 0; i < info->n_capabilities; i++)
        json_writer_name(writer, NULL, &mesos__v1__framework_info__capability__type__descriptor,
                         (int)info->capabilities[i]->type);
    json_writer_end(writer);
}

void framework_json_summary(struct json_writer *writer, const struct framework_view *view)
{
    bool connected = view->live != NULL && view->live->connected;
    json_writer_text(writer, "id", view->id);
    json_writer_text(writer, "name", view->info->name);
    resource_json_sums(writer, "used_resources", &view->usage.used);
    resource_json_sums(writer, "offered_resources", &view->usage.offered);
    write_capabilities(writer, view->info);
    json_writer_text(writer, "hostname", view->info->hostname);
    json_writer_text(writer, "webui_url", view->info->webui_url);
    json_writer_truth(writer, "active", connected);
    json_writer_truth(writer, "connected", connected);
    json_writer_truth(writer, "recovered", false);
}

// True if it has the capability MULTI_ROLE: its roles are in `roles`, not in `role`.
static bool is_multi_role(const Mesos__V1__FrameworkInfo *info)
{
    for (size_t i = 0; i < info->n_capabilities; i++)
        if (info->capabilities[i]->type == MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__MULTI_ROLE)
            return true;
    return false;
}

void framework_json_roles(struct json_writer *writer, const Mesos__V1__FrameworkInfo *info)
{
    if (!is_multi_role(info)) {
        json_writer_text(writer, "role", info->role);
        return;
    }
    json_writer_list(writer, "roles");
    for (size_t i = 0; i < info->n_roles; i++)
        json_writer_text(writer, NULL, info->roles[i]);
    json_writer_end(writer);
}

static void write_description(struct json_writer *writer, const struct framework_view *view)
{
    const Mesos__V1__FrameworkInfo *info = view->info;
    json_writer_text(writer, "user", info->user);
    json_writer_double(writer, "failover_timeout", info->failover_timeout);
    json_writer_truth(writer, "checkpoint", info->checkpoint);
    json_writer_double(writer, "registered_time", view->past->registered);
    json_writer_double(writer, "unregistered_time", view->past->unregistered);
    if (info->principal != NULL)
        json_writer_text(writer, "principal", info->principal);
}

static void write_resources(struct json_writer *writer, const struct usage *usage)
{
    struct resources both;
    resources_copy(&both, &usage->used);
    resources_add(&both, &usage->offered);
    resource_json_sums(writer, "resources", &both);
    resources_free(&both);
}

static void write_tasks(struct json_writer *writer, const struct framework_view *view)
{
    const struct master_task *task;
    json_writer_list(writer, "tasks");
    if (view->live != NULL)
        TAILQ_FOREACH(task, &view->live->tasks, link)
    task_json(writer, NULL, task->record);
    json_writer_end(writer);
    task_json_list(writer, "unreachable_tasks", &view->past->unreachable.list);
    task_json_list(writer, "completed_tasks", &view->past->completed.list);
}

static void write_offer(struct json_writer *writer, const struct master_offer *offer)
{
    json_writer_open(writer, NULL);
    json_writer_text(writer, "id", offer->id);
    json_writer_text(writer, "framework_id", offer->framework->id);
    json_writer_open(writer, "allocation_info");
    json_writer_text(writer, "role", offer->role);
    json_writer_close(writer);
    json_writer_text(writer, "slave_id", offer->node->id);
    resource_json_sums(writer, "resources", &offer->resources);
    json_writer_close(writer);
}

static void write_offers(struct json_writer *writer, const struct framework_view *view)
{
    const struct master_offer *offer;
    json_writer_list(writer, "offers");
    if (view->live != NULL)
        TAILQ_FOREACH(offer, &view->live->offers, of_framework)
    write_offer(writer, offer);
    json_writer_end(writer);
}

static void write_executors(struct json_writer *writer, const struct framework_view *view)
{
    const struct master_executor *executor;
    json_writer_list(writer, "executors");
    if (view->live != NULL)
        TAILQ_FOREACH(executor, &view->live->executors, of_framework)
    executor_json(writer, executor);
    json_writer_end(writer);
}

static void write_constraints(struct json_writer *writer, const struct framework_view *view)
{
    if (view->live != NULL && view->live->constraints != NULL) {
        json_writer_message(writer, "offer_constraints", &view->live->constraints->base);
        return;
    }
    json_writer_open(writer, "offer_constraints");
    json_writer_close(writer);
}

void framework_json_full(struct json_writer *writer, const struct framework_view *view)
{
    const struct framework_past *past = view->past;
    json_writer_open(writer, NULL);
    framework_json_summary(writer, view);
    write_description(writer, view);
    write_resources(writer, &view->usage);
    if (past->registered < past->reregistered)
        json_writer_double(writer, "reregistered_time", past->reregistered);
    framework_json_roles(writer, view->info);
    write_tasks(writer, view);
    write_offers(writer, view);
    write_executors(writer, view);
    if (view->info->labels != NULL)
        task_json_labels(writer, "labels", view->info->labels);
    write_constraints(writer, view);
    json_writer_close(writer);
}
