/* SPDX-License-Identifier: Apache-2.0 */
/* Threads, a counter of tasks, and the first failure; see thread_pool.h. Tasks start in order, so
   that all tasks before a failed one have started, and the first failure does not depend on the
   number of threads. */
#include "base/thread_pool.h"

#include <signal.h>
#include <string.h>

struct member {
    struct thread_pool *pool;
    pthread_t thread;
    int number;
};

struct thread_pool {
    sumi_context *context;
    int most, count;
    pthread_mutex_t lock; /* of everything below */
    pthread_cond_t begun, over;
    bool stop;
    thread_pool_function function;
    void *user;
    int64_t next, total;
    int busy;       /* number of running tasks */
    int64_t failed; /* the first that failed, if `status` says so */
    sumi_status status;
    char message[MESSAGE_SIZE];
    struct member members[];
};

sumi_status thread_pool_create(sumi_context *context, int most, struct thread_pool **pool)
{
    *pool = NULL;
    if (most > THREAD_POOL_LIMIT) most = THREAD_POOL_LIMIT;
    size_t size = sizeof(struct thread_pool) + (size_t)most * sizeof(struct member);
    struct thread_pool *made = context_allocate_zeroed(context, 1, size);
    if (!made) return SUMI_ERROR_MEMORY;
    made->context = context;
    made->most = most;
    pthread_mutex_init(&made->lock, NULL);
    pthread_cond_init(&made->begun, NULL);
    pthread_cond_init(&made->over, NULL);
    *pool = made;
    return SUMI_OK;
}

void thread_pool_free(struct thread_pool *pool)
{
    if (!pool) return;
    pthread_mutex_lock(&pool->lock);
    pool->stop = true;
    pool->next = pool->total;
    pthread_cond_broadcast(&pool->begun);
    pthread_mutex_unlock(&pool->lock);
    for (int i = 0; i < pool->count; i++) pthread_join(pool->members[i].thread, NULL);
    pthread_cond_destroy(&pool->over);
    pthread_cond_destroy(&pool->begun);
    pthread_mutex_destroy(&pool->lock);
    context_release(pool->context, pool);
}

static void record_failure(struct thread_pool *pool, int64_t task, sumi_status status)
{
    pool->next = pool->total; /* the tasks before it have started; those after it do not matter */
    if (pool->status != SUMI_OK && pool->failed < task) return;
    pool->failed = task;
    pool->status = status;
    memcpy(pool->message, context_message(pool->context), sizeof pool->message);
}

/* Runs tasks until none is left to start. The caller holds the lock. */
static void do_tasks(struct thread_pool *pool, int member)
{
    while (pool->next < pool->total) {
        int64_t task = pool->next++;
        pool->busy++;
        pthread_mutex_unlock(&pool->lock);
        sumi_status status = pool->function(pool->user, member, task);
        pthread_mutex_lock(&pool->lock);
        pool->busy--;
        if (status != SUMI_OK) record_failure(pool, task, status);
    }
    if (pool->busy == 0) pthread_cond_broadcast(&pool->over);
}

static void *live(void *argument)
{
    struct member *member = argument;
    struct thread_pool *pool = member->pool;
    struct thread_message message;
    context_join(pool->context, &message);
    pthread_mutex_lock(&pool->lock);
    while (!pool->stop) {
        if (pool->next < pool->total) do_tasks(pool, member->number);
        else pthread_cond_wait(&pool->begun, &pool->lock);
    }
    pthread_mutex_unlock(&pool->lock);
    context_leave(pool->context, &message);
    return NULL;
}

void thread_pool_grow(struct thread_pool *pool)
{
    if (pool->count == pool->most) return;
    struct member *member = &pool->members[pool->count];
    *member = (struct member){.pool = pool, .number = pool->count + 1};
    sigset_t all, before; /* signals are delivered to the program's own threads */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (pthread_create(&member->thread, NULL, live, member) == 0) pool->count++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void thread_pool_begin(struct thread_pool *pool, thread_pool_function function, void *user,
                       int64_t count)
{
    pthread_mutex_lock(&pool->lock);
    pool->function = function;
    pool->user = user;
    pool->next = 0;
    pool->total = count;
    pool->status = SUMI_OK;
    pthread_cond_broadcast(&pool->begun);
    pthread_mutex_unlock(&pool->lock);
}

bool thread_pool_is_done(struct thread_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    bool done = pool->next == pool->total && pool->busy == 0;
    pthread_mutex_unlock(&pool->lock);
    return done;
}

sumi_status thread_pool_finish(struct thread_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    do_tasks(pool, 0);
    while (pool->busy > 0) pthread_cond_wait(&pool->over, &pool->lock);
    sumi_status status = pool->status;
    pthread_mutex_unlock(&pool->lock);
    if (status != SUMI_OK) {
        memcpy(context_message(pool->context), pool->message, sizeof pool->message);
    }
    return status;
}

void thread_pool_abandon(struct thread_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    pool->next = pool->total;
    while (pool->busy > 0) pthread_cond_wait(&pool->over, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
}
