/* SPDX-License-Identifier: Apache-2.0 */
/* Contexts: creation, messages, and memory through the caller's allocator. */
#include "base/context.h"

#include <omp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/machine.h"
#include "base/profile.h"
#include "base/text.h"

enum { VECTOR_ALIGNMENT = 64, THREADS_LIMIT = 1024, LARGE = 1 << 28 };

/* Linux may grant more memory than it has and later kill the process that uses it; therefore large
   blocks are allocated only if that much memory is free. */
static void *default_allocate(void *user, size_t size, size_t alignment)
{
    (void)user;
    size_t rounded = (size + alignment - 1) / alignment * alignment;
    if (rounded < size || rounded > INT64_MAX) return NULL;
    if (rounded >= LARGE && (int64_t)rounded > machine_free_memory()) return NULL;
    return aligned_alloc(alignment, rounded);
}

static void default_release(void *user, void *memory)
{
    (void)user;
    free(memory);
}

#define TEXT_OF(number) #number
#define VERSION_TEXT(major, minor, patch) TEXT_OF(major) "." TEXT_OF(minor) "." TEXT_OF(patch)

const char *sumi_version(void)
{
    return VERSION_TEXT(SUMI_VERSION_MAJOR, SUMI_VERSION_MINOR, SUMI_VERSION_PATCH);
}

const char *sumi_status_name(sumi_status status)
{
    switch (status) {
    case SUMI_OK: return "ok";
    case SUMI_ERROR_ARGUMENT: return "argument";
    case SUMI_ERROR_MEMORY: return "memory";
    case SUMI_ERROR_FILE: return "file";
    case SUMI_ERROR_FORMAT: return "format";
    case SUMI_ERROR_UNSUPPORTED: return "unsupported";
    case SUMI_ERROR_BACKEND: return "backend";
    case SUMI_ERROR_NUMBER: return "number";
    case SUMI_STOPPED: return "stopped";
    }
    return "unknown";
}

sumi_status context_create(const sumi_allocator *allocator, const struct backend *backend,
                           sumi_context **context)
{
    if (!context) return SUMI_ERROR_ARGUMENT;
    sumi_allocator chosen = {NULL, default_allocate, default_release};
    if (allocator) chosen = *allocator;
    *context = chosen.allocate(chosen.user, sizeof **context, VECTOR_ALIGNMENT);
    if (!*context) return SUMI_ERROR_MEMORY;
    memset(*context, 0, sizeof **context);
    if (pthread_mutex_init(&(*context)->lock, NULL) != 0) {
        chosen.release(chosen.user, *context);
        *context = NULL;
        return SUMI_ERROR_MEMORY;
    }
    (*context)->allocator = chosen;
    (*context)->backend = backend;
    int threads = omp_get_max_threads();
    (*context)->threads = threads < THREADS_LIMIT ? threads : THREADS_LIMIT;
    return SUMI_OK;
}

void sumi_context_free(sumi_context *context)
{
    if (!context) return;
    profile_release(context);
    pthread_mutex_destroy(&context->lock);
    sumi_allocator allocator = context->allocator;
    allocator.release(allocator.user, context);
}

const char *sumi_context_message(const sumi_context *context)
{
    return context ? context->message : "out of memory for a context";
}

sumi_status sumi_context_set_threads(sumi_context *context, int threads)
{
    if (threads < 1 || threads > THREADS_LIMIT) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "the number of threads must be from 1 to %d, not %d", THREADS_LIMIT,
                            threads);
    }
    context->threads = threads;
    return SUMI_OK;
}

int sumi_context_threads(const sumi_context *context)
{
    return context->threads;
}

void context_join(sumi_context *context, struct thread_message *message)
{
    pthread_mutex_lock(&context->lock);
    *message = (struct thread_message){.thread = pthread_self(), .next = context->others};
    context->others = message;
    pthread_mutex_unlock(&context->lock);
}

void context_leave(sumi_context *context, struct thread_message *message)
{
    pthread_mutex_lock(&context->lock);
    struct thread_message **place = &context->others;
    while (*place != message) place = &(*place)->next;
    *place = message->next;
    pthread_mutex_unlock(&context->lock);
}

char *context_message(sumi_context *context)
{
    pthread_mutex_lock(&context->lock);
    struct thread_message *found = context->others;
    while (found && !pthread_equal(found->thread, pthread_self())) found = found->next;
    pthread_mutex_unlock(&context->lock);
    return found ? found->text : context->message;
}

sumi_status context_fail(sumi_context *context, sumi_status status, const char *format, ...)
{
    char text[MESSAGE_SIZE]; /* the arguments may point into the current message */
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    text_tame(text);
    memcpy(context_message(context), text, sizeof text);
    return status;
}

/* FNV-1a of 64 bits (Fowler, Noll, Vo). */
static uint64_t hash_text(const char *text)
{
    uint64_t hash = 0xcbf29ce484222325;
    for (; *text; text++) hash = (hash ^ (unsigned char)*text) * 0x100000001b3;
    return hash;
}

/* Whether the sentence is new; records it. */
static bool is_new_warning(sumi_context *context, const char *text)
{
    uint64_t hash = hash_text(text);
    bool found = false;
    pthread_mutex_lock(&context->lock);
    int64_t kept = context->warnings < WARNINGS_KEPT ? context->warnings : WARNINGS_KEPT;
    for (int64_t i = 0; i < kept; i++) found |= context->warned[i] == hash;
    if (!found) context->warned[context->warnings++ % WARNINGS_KEPT] = hash;
    pthread_mutex_unlock(&context->lock);
    return !found;
}

void context_warn(sumi_context *context, const char *format, ...)
{
    if (!context->warning) return;
    char text[MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    text_tame(text);
    if (is_new_warning(context, text)) context->warning(context->warning_user, text);
}

void sumi_context_set_warning(sumi_context *context, sumi_warning_function warning, void *user)
{
    context->warning = warning;
    context->warning_user = user;
}

void *context_allocate(sumi_context *context, size_t count, size_t size)
{
    size_t bytes = 0;
    void *memory = NULL;
    if (!__builtin_mul_overflow(count, size, &bytes)) {
        const sumi_allocator *allocator = &context->allocator;
        pthread_mutex_lock(&context->lock);
        memory = allocator->allocate(allocator->user, bytes ? bytes : 1, VECTOR_ALIGNMENT);
        pthread_mutex_unlock(&context->lock);
    }
    if (!memory && bytes >= LARGE) {
        context_fail(context, SUMI_ERROR_MEMORY,
                     "out of memory: cannot allocate %.1f GiB; use a smaller batch, fewer items at "
                     "a time or a smaller network",
                     (double)bytes / (1 << 30));
    } else if (!memory) {
        context_fail(context, SUMI_ERROR_MEMORY,
                     "out of memory: cannot allocate %zu items of %zu bytes", count, size);
    }
    return memory;
}

void *context_allocate_zeroed(sumi_context *context, size_t count, size_t size)
{
    void *memory = context_allocate(context, count, size);
    if (memory) memset(memory, 0, count * size);
    return memory;
}

void context_release(sumi_context *context, void *memory)
{
    if (!memory) return;
    pthread_mutex_lock(&context->lock);
    context->allocator.release(context->allocator.user, memory);
    pthread_mutex_unlock(&context->lock);
}

char *context_copy_text(sumi_context *context, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = context_allocate(context, size, 1);
    if (copy) memcpy(copy, text, size);
    return copy;
}

void sumi_text_release(sumi_context *context, char *text)
{
    context_release(context, text);
}

void sumi_context_set_tuning(sumi_context *context, bool tuning)
{
    context->tuning = tuning;
}

void sumi_context_set_mapping(sumi_context *context, bool mapping)
{
    context->copies_files = !mapping;
}
