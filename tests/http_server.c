/* SPDX-License-Identifier: Apache-2.0 */
/* The test server: a listening socket, one thread, blocking calls with limits in time. */
#include "http_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { REQUEST_SIZE = 4096, TICK_MILLISECONDS = 20, HOLD_TICKS = 1500, SOCKET_SECONDS = 30 };

struct http_server {
    http_route *routes;
    int count, listener, port;
    pthread_t thread;
    atomic_bool stop;
    atomic_int requests;
    atomic_llong range;
};

static bool wait_for_input(int handle)
{
    struct pollfd poll_entry = {.fd = handle, .events = POLLIN};
    return poll(&poll_entry, 1, TICK_MILLISECONDS) > 0;
}

/* Reads up to the empty line that ends a request without a body. */
static bool read_request(int client, char request[REQUEST_SIZE])
{
    size_t size = 0;
    while (size + 1 < REQUEST_SIZE) {
        ssize_t received = recv(client, request + size, REQUEST_SIZE - 1 - size, 0);
        if (received <= 0) return false;
        size += (size_t)received;
        request[size] = 0;
        if (strstr(request, "\r\n\r\n")) return true;
    }
    return false;
}

static void send_all(int client, const void *bytes, size_t size)
{
    const char *next = bytes;
    while (size > 0) {
        ssize_t sent = send(client, next, size, MSG_NOSIGNAL);
        if (sent <= 0) return;
        next += sent;
        size -= (size_t)sent;
    }
}

static long long requested_start(const char *request)
{
    const char *range = strstr(request, "\r\nRange: bytes=");
    return range ? strtoll(range + strlen("\r\nRange: bytes="), NULL, 10) : 0;
}

static http_route *find_route(http_server *server, const char *request)
{
    for (int i = 0; i < server->count; i++) {
        size_t length = strlen(server->routes[i].path);
        if (strncmp(request, "GET ", 4) == 0
            && strncmp(request + 4, server->routes[i].path, length) == 0
            && request[4 + length] == ' ')
            return &server->routes[i];
    }
    return NULL;
}

/* Keeps the connection, sending nothing, until the client or the test ends it. */
static void hold(http_server *server, int client)
{
    for (int tick = 0; tick < HOLD_TICKS && !server->stop; tick++) {
        if (wait_for_input(client)) return;
    }
}

static void send_body(http_server *server, int client, http_route *route, size_t start)
{
    size_t size = route->size - start;
    bool cut = route->cuts > 0 && route->cut_after < size;
    if (cut) route->cuts--;
    send_all(client, (const char *)route->body + start, cut ? route->cut_after : size);
    if (cut && route->holds) hold(server, client);
}

static void answer(http_server *server, int client, const char *request)
{
    http_route *route = find_route(server, request);
    long long start = requested_start(request);
    server->range = start;
    char head[512];
    int status = route ? route->status : 404;
    bool part = route && !status && !route->ignores_range && start > 0;
    if (!part) start = 0;
    if (part && (size_t)start >= route->size) {
        snprintf(head, sizeof head,
                 "HTTP/1.1 416 Range Not Satisfiable\r\n"
                 "Content-Range: bytes */%zu\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                 route->size);
        send_all(client, head, strlen(head));
    } else if (!route || status) {
        snprintf(head, sizeof head,
                 "HTTP/1.1 %d Other\r\n%s%s%sContent-Length: 5\r\n"
                 "Connection: close\r\n\r\nsorry",
                 status, route && route->location ? "Location: " : "",
                 route && route->location ? route->location : "",
                 route && route->location ? "\r\n" : "");
        send_all(client, head, strlen(head));
    } else {
        char range[128] = "";
        if (part) {
            snprintf(range, sizeof range, "Content-Range: bytes %lld-%zu/%zu\r\n", start,
                     route->size - 1, route->size);
        }
        snprintf(head, sizeof head,
                 "HTTP/1.1 %s\r\n%sContent-Length: %zu\r\n"
                 "Connection: close\r\n\r\n",
                 part ? "206 Partial Content" : "200 OK", range, route->size - (size_t)start);
        send_all(client, head, strlen(head));
        send_body(server, client, route, (size_t)start);
    }
}

static void *serve(void *user)
{
    http_server *server = user;
    while (!server->stop) {
        if (!wait_for_input(server->listener)) continue;
        int client = accept(server->listener, NULL, NULL);
        if (client < 0) continue;
        struct timeval limit = {.tv_sec = SOCKET_SECONDS};
        setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
        char request[REQUEST_SIZE];
        if (read_request(client, request)) {
            server->requests++;
            answer(server, client, request);
        }
        close(client);
    }
    return NULL;
}

static bool start_listening(http_server *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (server->listener < 0 || bind(server->listener, (struct sockaddr *)&address, size) != 0
        || listen(server->listener, 8) != 0
        || getsockname(server->listener, (struct sockaddr *)&address, &size) != 0)
        return false;
    server->port = ntohs(address.sin_port);
    return pthread_create(&server->thread, NULL, serve, server) == 0;
}

http_server *http_server_start(http_route *routes, int count)
{
    http_server *server = calloc(1, sizeof *server);
    if (!server) return NULL;
    server->routes = routes;
    server->count = count;
    if (start_listening(server)) return server;
    if (server->listener >= 0) close(server->listener);
    free(server);
    return NULL;
}

void http_server_stop(http_server *server)
{
    server->stop = true;
    pthread_join(server->thread, NULL);
    close(server->listener);
    free(server);
}

int http_server_port(const http_server *server)
{
    return server->port;
}

int http_server_requests(http_server *server)
{
    return server->requests;
}

long long http_server_range(http_server *server)
{
    return server->range;
}
