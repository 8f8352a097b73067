// SPDX-License-Identifier: Apache-2.0
//
// /files/browse, /files/read and /files/download: what is in sandboxes, in the shapes of an agent.

#ifndef MESOS_LUA_CLUSTER_FILES_HTTP_H
#define MESOS_LUA_CLUSTER_FILES_HTTP_H

#include "cluster/cluster_http_internal.h"

enum MHD_Result files_http_browse(struct cluster_http *http, struct http_exchange *exchange);
enum MHD_Result files_http_read(struct cluster_http *http, struct http_exchange *exchange);
enum MHD_Result files_http_download(struct cluster_http *http, struct http_exchange *exchange);

#endif
