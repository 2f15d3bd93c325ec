/* SPDX-License-Identifier: Apache-2.0 */
/* The context behind every public call: its allocator, its last message and its thread count.
   Everything below src/ that can fail takes a context and returns a sumi_status. */
#ifndef SUMI_BASE_CONTEXT_H
#define SUMI_BASE_CONTEXT_H

#include <pthread.h>

#include "sumi.h"

#define MESSAGE_SIZE 1024
#define WARNINGS_KEPT 64

struct profile;
struct backend;

/* The message of a thread that the library itself has started on behalf of a context. */
struct thread_message {
    pthread_t thread;
    char text[MESSAGE_SIZE];
    struct thread_message *next;
};

/* A context is its caller's, who uses it from one thread at a time. Threads that the library starts
   may fail and allocate beside that one: each says so with context_join and then has a message of
   its own, and `lock` keeps them one at a time in the allocator. */
struct sumi_context {
    sumi_allocator allocator;
    pthread_mutex_t lock; /* of the allocator, of `others` and of `warned` */
    struct thread_message *others;
    int threads;
    bool tuning;                   /* choose among algorithms by timing them */
    bool copies_files;             /* weights are read from copies of their files */
    sumi_warning_function warning; /* NULL: warnings are dropped */
    void *warning_user;
    uint64_t warned[WARNINGS_KEPT]; /* hashes of the last sentences given, in a ring */
    int64_t warnings;               /* given so far */
    const struct backend *backend;  /* where plans run (graph/backend.h, backend/choose.c) */
    struct profile *profile; /* rows of timing (base/profile.h); NULL before the first start */
    char message[MESSAGE_SIZE];
};

/* sumi_context_create for a context whose plans run on `backend`. */
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

/* Gives one sentence to the caller's warning function, if there is one, unless it was given before:
   what is wrong, where, what the library does, and what the caller can do. Nothing fails. */
void context_warn(sumi_context *context, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Before and after all else that a thread of the library does with a context. */
void context_join(sumi_context *context, struct thread_message *message);
void context_leave(sumi_context *context, struct thread_message *message);

/* The calling thread's message. */
char *context_message(sumi_context *context);

/* `count * size` bytes aligned for vectors, or NULL with the message set, also on overflow. A
   request of zero bytes gives a valid pointer. */
void *context_allocate(sumi_context *context, size_t count, size_t size);
void *context_allocate_zeroed(sumi_context *context, size_t count, size_t size);
void context_release(sumi_context *context, void *memory); /* accepts NULL */

/* A copy of `text`, or NULL with the message set. */
char *context_copy_text(sumi_context *context, const char *text);

#endif
