// SPDX-License-Identifier: Apache-2.0
//
// The table of routes; see the header.

#include "cluster/http_routes.h"

#include "cluster/agent_api_http.h"
#include "cluster/executor_http.h"
#include "cluster/files_http.h"
#include "cluster/leader_redirect.h"
#include "cluster/maintenance_http.h"
#include "cluster/master_api_http.h"
#include "cluster/operator_http.h"
#include "cluster/resources_http.h"
#include "cluster/scheduler_http.h"
#include "operator/agent_document.h"
#include "operator/roles_document.h"
#include "operator/summary_document.h"
#include "operator/tasks_document.h"

#include <stdlib.h>
#include <string.h>

#define GET MHD_HTTP_METHOD_GET
#define POST MHD_HTTP_METHOD_POST
#define READ "mesos-master-readonly"
#define WRITE "mesos-master-readwrite"

// Behind the answer there may be more members: .scope = HTTP_AGENT
#define ROUTE(PATH, METHOD, REALM, LIMIT, ...)                                                     \
    {                                                                                              \
        .path = PATH, .method = METHOD, .realm = REALM, .limit = LIMIT, .answer = __VA_ARGS__      \
    }
#define AGENT_READ "mesos-agent-readonly"
#define AGENT_DOCUMENT(PATH, FUNCTION)                                                             \
    ROUTE(PATH, GET, AGENT_READ, NULL, operator_http_document, .scope = HTTP_AGENT,                \
          .agent_document = FUNCTION)
#define DOCUMENT(PATH, FUNCTION)                                                                   \
    ROUTE(PATH, GET, READ, NULL, operator_http_document, .document = FUNCTION)

static const struct http_route routes[] = {
    ROUTE("/api/v1/scheduler", POST, "mesos-master-scheduler", scheduler_http_limit,
          scheduler_http_answer),
    ROUTE("/api/v1/executor", POST, NULL, executor_http_limit, executor_http_answer,
          .scope = HTTP_ANY_SCOPE),
    ROUTE("/api/v1", POST, WRITE, operator_http_limit, master_api_http_answer),
    ROUTE("/api/v1", POST, "mesos-agent-readwrite", operator_http_limit, agent_api_http_answer,
          .scope = HTTP_AGENT),
    DOCUMENT("/state", state_document),
    DOCUMENT("/state-summary", summary_document),
    DOCUMENT("/slaves", state_document_slaves),
    DOCUMENT("/frameworks", state_document_frameworks),
    DOCUMENT("/tasks", tasks_document),
    DOCUMENT("/roles", roles_document),
    DOCUMENT("/flags", operator_http_flags),
    AGENT_DOCUMENT("/state", agent_document_state),
    AGENT_DOCUMENT("/containers", agent_document_containers),
    AGENT_DOCUMENT("/monitor/statistics", agent_document_statistics),
    AGENT_DOCUMENT("/flags", agent_document_flags),
    ROUTE("/reserve", POST, WRITE, operator_http_limit, resources_http_reserve),
    ROUTE("/unreserve", POST, WRITE, operator_http_limit, resources_http_unreserve),
    ROUTE("/create-volumes", POST, WRITE, operator_http_limit, resources_http_create),
    ROUTE("/destroy-volumes", POST, WRITE, operator_http_limit, resources_http_destroy),
    ROUTE("/metrics/snapshot", GET, READ, NULL, operator_http_metrics),
    ROUTE("/version", GET, NULL, NULL, operator_http_document, .scope = HTTP_ANY_SCOPE,
          .document = operator_http_version),
    ROUTE("/health", GET, NULL, NULL, operator_http_health, .scope = HTTP_ANY_SCOPE),
    ROUTE("/logging/toggle", GET, WRITE, NULL, operator_http_logging),
    ROUTE("/redirect", GET, NULL, NULL, leader_redirect_answer),
    ROUTE("/files/browse", GET, READ, NULL, files_http_browse, .scope = HTTP_ANY_SCOPE),
    ROUTE("/files/read", GET, READ, NULL, files_http_read, .scope = HTTP_ANY_SCOPE),
    ROUTE("/files/download", GET, READ, NULL, files_http_download, .scope = HTTP_ANY_SCOPE),
    ROUTE("/weights", "GET, PUT", WRITE, operator_http_limit, operator_http_weights,
          .document = roles_document_weights),
    ROUTE("/quota", "GET, POST, DELETE", WRITE, operator_http_limit, operator_http_quota,
          .deeper = true, .document = roles_document_quota),
    ROUTE("/teardown", POST, WRITE, operator_http_limit, operator_http_teardown),
    ROUTE("/maintenance/schedule", "GET, POST", WRITE, maintenance_http_limit,
          maintenance_http_schedule),
    ROUTE("/maintenance/status", GET, READ, NULL, maintenance_http_status),
    ROUTE("/machine/down", POST, WRITE, maintenance_http_limit, maintenance_http_down),
    ROUTE("/machine/up", POST, WRITE, maintenance_http_limit, maintenance_http_up),
};

// What is behind "/slave(N)", and N; or NULL.
static const char *skip_agent(const char *path, unsigned *agent)
{
    static const char prefix[] = "/slave(";
    char *end = NULL;
    if (strncmp(path, prefix, sizeof prefix - 1) != 0)
        return NULL;
    const char *digits = path + sizeof prefix - 1;
    unsigned long number = *digits >= '1' && *digits <= '9' ? strtoul(digits, &end, 10) : 0;
    if (number == 0 || number > UINT32_MAX || *end != ')' || end[1] != '/')
        return NULL;
    *agent = (unsigned)number;
    return end + 1;
}

// Without the authority of an absolute URI and further slashes.
static const char *plain_path(const char *url)
{
    const char *authority = *url != '/' ? strstr(url, "://") : NULL;
    if (authority != NULL)
        url = authority + 3 + strcspn(authority + 3, "/");
    while (url[0] == '/' && url[1] == '/')
        url++;
    return url;
}

const char *http_routes_path(const char *url)
{
    url = plain_path(url);
    return strncmp(url, "/master/", 8) == 0 ? url + 7 : url;
}

// Ignores slashes at the end.
static bool leads_to(const struct http_route *route, const char *path, unsigned agent)
{
    size_t length = strlen(route->path);
    if (route->scope != HTTP_ANY_SCOPE && (route->scope == HTTP_AGENT) != (agent > 0))
        return false;
    if (strncmp(path, route->path, length) != 0)
        return false;
    return path[length + strspn(path + length, "/")] == '\0' ||
           (route->deeper && path[length] == '/');
}

const struct http_route *http_routes_find(const char *url, unsigned *agent)
{
    *agent = 0;
    const char *behind = skip_agent(plain_path(url), agent);
    const char *path = behind ? behind : http_routes_path(url);
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++)
        if (leads_to(&routes[i], path, *agent))
            return &routes[i];
    return NULL;
}
