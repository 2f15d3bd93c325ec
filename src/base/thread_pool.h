/* SPDX-License-Identifier: Apache-2.0 */
/* A pool: a few threads that work through numbered tasks while their owner does other things. */
#ifndef SUMI_BASE_THREAD_POOL_H
#define SUMI_BASE_THREAD_POOL_H

#include "base/context.h"

enum { THREAD_POOL_LIMIT = 64 };

struct thread_pool;

/* Does task `task`. `member` is from 1 to the pool's size, or 0 for the owner, who helps at the
   end; no two tasks run at once under the same number. */
typedef sumi_status (*thread_pool_function)(void *user, int member, int64_t task);

/* A pool that may grow to `most` members (cut to THREAD_POOL_LIMIT); it has none yet. */
sumi_status thread_pool_create(sumi_context *context, int most, struct thread_pool **pool);
/* Drops tasks not yet started; waits for running ones. Accepts NULL. */
void thread_pool_free(struct thread_pool *pool);

/* Adds a member, unless the pool is full or the system gives no thread; the tasks are then done by
   the other members and the owner. */
void thread_pool_grow(struct thread_pool *pool);

/* Begins tasks 0 .. count - 1, in this order, and returns at once. The ones before must be over. */
void thread_pool_begin(struct thread_pool *pool, thread_pool_function function, void *user,
                       int64_t count);

/* Whether all tasks are over. */
bool thread_pool_is_done(struct thread_pool *pool);

/* Helps until all tasks are over. If some failed, the status and the message are those of the first
   of them by number. */
sumi_status thread_pool_finish(struct thread_pool *pool);

/* Drops tasks not yet started; waits for running ones. */
void thread_pool_abandon(struct thread_pool *pool);

#endif
