// SPDX-License-Identifier: Apache-2.0
//
// The endpoints that operators and their tools use: documents of the rooms operator/ and master/,
// and what changes the cluster. Answers, statuses and words are those of a master.

#ifndef MESOS_LUA_CLUSTER_OPERATOR_HTTP_H
#define MESOS_LUA_CLUSTER_OPERATOR_HTTP_H

#include "cluster/cluster_http_internal.h"

#define OPERATOR_HTTP_LIMIT ((size_t)4 << 20) // bytes of a body

size_t operator_http_limit(const struct cluster_http *http, const struct http_exchange *exchange);

// The document of the route, as JSON, or with ?jsonp=NAME as a call of that function.
enum MHD_Result operator_http_document(struct cluster_http *http, struct http_exchange *exchange);

enum MHD_Result operator_http_health(struct cluster_http *http, struct http_exchange *exchange);
enum MHD_Result operator_http_metrics(struct cluster_http *http, struct http_exchange *exchange);
enum MHD_Result operator_http_logging(struct cluster_http *http, struct http_exchange *exchange);
enum MHD_Result operator_http_weights(struct cluster_http *http, struct http_exchange *exchange);
enum MHD_Result operator_http_quota(struct cluster_http *http, struct http_exchange *exchange);
enum MHD_Result operator_http_teardown(struct cluster_http *http, struct http_exchange *exchange);

void operator_http_flags(struct json_writer *writer, const struct master *master,
                         const struct document_query *query);
void operator_http_version(struct json_writer *writer, const struct master *master,
                           const struct document_query *query);

// The agent of that number. NULL: there is none, or the master leads elsewhere.
const struct node *operator_http_node(const struct master *master, unsigned number);

// Answers with the JSON in the buffer, or with what jsonp makes of it; empties the buffer.
enum MHD_Result operator_http_send_json(struct http_exchange *exchange, struct json_writer *writer);

#endif
