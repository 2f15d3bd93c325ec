/* SPDX-License-Identifier: Apache-2.0 */
/* A small HTTP/1.1 server on the loopback interface, for tests of downloads: it serves bytes from
   memory, one connection at a time, with configurable faults. */
#ifndef TESTS_HTTP_SERVER_H
#define TESTS_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>

typedef struct http_route {
    const char *path; /* "/name" */
    const void *body;
    size_t size;
    int status;           /* 0 means 200, or 206 for a part */
    const char *location; /* of a redirect */
    bool ignores_range;   /* always sends the whole */
    int cuts;             /* so many answers end after cut_after bytes of body; counted down */
    size_t cut_after;
    bool holds; /* a cut connection stays open until the client closes it */
} http_route;

typedef struct http_server http_server;

/* Serves routes[count], which must stay until http_server_stop. NULL if no server can be
   started. */
http_server *http_server_start(http_route *routes, int count);
void http_server_stop(http_server *server);

int http_server_port(const http_server *server);
/* The number of requests, and the first byte that the latest one requested. Exact once the client
   has its answer. */
int http_server_requests(http_server *server);
long long http_server_range(http_server *server);

#endif
