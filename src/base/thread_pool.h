/* SPDX-License-Identifier: Apache-2.0 */
/* A pool: a few threads that work through numbered tasks while their owner does other things. */
#ifndef SUMI_BASE_THREAD_POOL_H
#define SUMI_BASE_THREAD_POOL_H

#include "base/context.h"

enum { THREAD_POOL_LIMIT = 64 };

struct thread_pool;

/* Runs task `task`. `member` is from 1 to the pool's size, or 0 for the owner, who helps at the
   end; tasks of the same member never run at the same time. */
typedef sumi_status (*thread_pool_function)(void *user, int member, int64_t task);

/* Creates a pool without members, which may grow to `most` of them (at most THREAD_POOL_LIMIT). */
sumi_status thread_pool_create(sumi_context *context, int most, struct thread_pool **pool);
/* Drops tasks not yet started; waits for running ones. Accepts NULL. */
void thread_pool_free(struct thread_pool *pool);

/* Adds a member, unless the pool is full or no thread can be created; then the other members and
   the owner run the tasks. */
void thread_pool_grow(struct thread_pool *pool);

/* Starts tasks 0 .. count - 1, in this order, and returns immediately. Earlier tasks must be
   finished. */
void thread_pool_begin(struct thread_pool *pool, thread_pool_function function, void *user,
                       int64_t count);

/* Whether all tasks are finished. */
bool thread_pool_is_done(struct thread_pool *pool);

/* Helps until all tasks are finished. If some failed, the status and the message are those of the
   first by number. */
sumi_status thread_pool_finish(struct thread_pool *pool);

/* Drops tasks not yet started; waits for running ones. */
void thread_pool_abandon(struct thread_pool *pool);

#endif
