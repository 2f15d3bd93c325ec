/* SPDX-License-Identifier: Apache-2.0 */
/* The context behind every public call: its allocator, its last message and its thread count. Every
   function in src/ that can fail takes a context and returns a sumi_status. */
#ifndef SUMI_BASE_CONTEXT_H
#define SUMI_BASE_CONTEXT_H

#include <pthread.h>

#include "sumi.h"

#define MESSAGE_SIZE 1024
#define WARNINGS_KEPT 64

struct profile;
struct backend;

/* The message of a thread that the library has started for a context. */
struct thread_message {
    pthread_t thread;
    char text[MESSAGE_SIZE];
    struct thread_message *next;
};

/* The caller uses a context from one thread at a time. Threads that the library starts may fail and
   allocate at the same time: each calls context_join and then has its own message, and `lock`
   serialises calls of the allocator. */
struct sumi_context {
    sumi_allocator allocator;
    pthread_mutex_t lock; /* of the allocator, of `others` and of `warned` */
    struct thread_message *others;
    int threads;
    bool tuning;                   /* choose among algorithms by timing them */
    bool copies_files;             /* weights are read from copies of their files */
    sumi_warning_function warning; /* NULL: warnings are dropped */
    void *warning_user;
    uint64_t warned[WARNINGS_KEPT]; /* hashes of the last warnings, in a ring buffer */
    int64_t warnings;               /* number of warnings so far */
    const struct backend *backend;  /* where plans run (graph/backend.h, backend/choose.c) */
    struct profile *profile; /* rows of timing (base/profile.h); NULL before the first start */
    char message[MESSAGE_SIZE];
};

/* sumi_context_create for a given backend. */
sumi_status context_create(const sumi_allocator *allocator, const struct backend *backend,
                           sumi_context **context);

/* Returns from the calling function with any status but SUMI_OK. */
#define TRY(expression)                                                                            \
    do {                                                                                           \
        sumi_status try_status = (expression);                                                     \
        if (try_status != SUMI_OK) return try_status;                                              \
    } while (0)

/* Records the sentence that explains a failure and returns `status`. */
sumi_status context_fail(sumi_context *context, sumi_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Passes one sentence to the caller's warning function, if there is one, unless it is a repetition:
   what is wrong, where, what the library does, and what the caller can do. */
void context_warn(sumi_context *context, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A thread of the library calls them before and after its other calls with a context. */
void context_join(sumi_context *context, struct thread_message *message);
void context_leave(sumi_context *context, struct thread_message *message);

/* The calling thread's message. */
char *context_message(sumi_context *context);

/* Allocates `count * size` bytes aligned for vectors; NULL with the message set on failure or
   overflow. Zero bytes give a valid pointer. */
void *context_allocate(sumi_context *context, size_t count, size_t size);
void *context_allocate_zeroed(sumi_context *context, size_t count, size_t size);
void context_release(sumi_context *context, void *memory); /* accepts NULL */

/* A copy of `text`, or NULL with the message set. */
char *context_copy_text(sumi_context *context, const char *text);

#endif
