/* The context behind every public call: its allocator, its last message and its thread count.
   Everything below src/ that can fail takes a context and returns a sumi_status. */
#ifndef SUMI_BASE_CONTEXT_H
#define SUMI_BASE_CONTEXT_H

#include "sumi.h"

#define MESSAGE_SIZE 1024

struct profile;

struct sumi_context {
    sumi_allocator allocator;
    int threads;
    bool tuning; /* choose among algorithms by timing them */
    struct profile *profile; /* rows of timing (base/profile.h); NULL before the first start */
    char message[MESSAGE_SIZE];
};

/* Returns from the calling function with any status but SUMI_OK. */
#define TRY(expression)                             \
    do {                                            \
        sumi_status try_status = (expression);      \
        if (try_status != SUMI_OK) return try_status; \
    } while (0)

/* Records the sentence that explains a failure and returns `status`. */
sumi_status context_fail(sumi_context *context, sumi_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* `count * size` bytes aligned for vectors, or NULL with the message set, also on overflow. A
   request of zero bytes gives a valid pointer. */
void *context_allocate(sumi_context *context, size_t count, size_t size);
void *context_allocate_zeroed(sumi_context *context, size_t count, size_t size);
void context_release(sumi_context *context, void *memory); /* accepts NULL */

/* A copy of `text`, or NULL with the message set. */
char *context_copy_text(sumi_context *context, const char *text);

#endif
