/* Threads, a list of tasks that is only a counter, and the first failure; see crew.h. Tasks are
   handed out in order, so that all before one that failed have been begun, and the first failure is
   the same whatever the number of threads. */
#include "base/crew.h"

#include <signal.h>
#include <string.h>

struct member {
    struct crew *crew;
    pthread_t thread;
    int number;
};

struct crew {
    sumi_context *context;
    int most, count;
    pthread_mutex_t lock; /* of everything below */
    pthread_cond_t begun, over;
    bool stop;
    crew_function function;
    void *user;
    int64_t next, total;
    int busy;       /* tasks that are being done */
    int64_t failed; /* the first that failed, if `status` says so */
    sumi_status status;
    char message[MESSAGE_SIZE];
    struct member members[];
};

sumi_status crew_create(sumi_context *context, int most, struct crew **crew)
{
    *crew = NULL;
    if (most > CREW_LIMIT) most = CREW_LIMIT;
    size_t size = sizeof(struct crew) + (size_t)most * sizeof(struct member);
    struct crew *made = context_allocate_zeroed(context, 1, size);
    if (!made) return SUMI_ERROR_MEMORY;
    made->context = context;
    made->most = most;
    pthread_mutex_init(&made->lock, NULL);
    pthread_cond_init(&made->begun, NULL);
    pthread_cond_init(&made->over, NULL);
    *crew = made;
    return SUMI_OK;
}

void crew_free(struct crew *crew)
{
    if (!crew) return;
    pthread_mutex_lock(&crew->lock);
    crew->stop = true;
    crew->next = crew->total;
    pthread_cond_broadcast(&crew->begun);
    pthread_mutex_unlock(&crew->lock);
    for (int i = 0; i < crew->count; i++) pthread_join(crew->members[i].thread, NULL);
    pthread_cond_destroy(&crew->over);
    pthread_cond_destroy(&crew->begun);
    pthread_mutex_destroy(&crew->lock);
    context_release(crew->context, crew);
}

static void record_failure(struct crew *crew, int64_t task, sumi_status status)
{
    crew->next = crew->total; /* those before it have been begun; those after it do not matter */
    if (crew->status != SUMI_OK && crew->failed < task) return;
    crew->failed = task;
    crew->status = status;
    memcpy(crew->message, context_message(crew->context), sizeof crew->message);
}

/* Does tasks until none is left to begin. The lock is held before and after. */
static void do_tasks(struct crew *crew, int member)
{
    while (crew->next < crew->total) {
        int64_t task = crew->next++;
        crew->busy++;
        pthread_mutex_unlock(&crew->lock);
        sumi_status status = crew->function(crew->user, member, task);
        pthread_mutex_lock(&crew->lock);
        crew->busy--;
        if (status != SUMI_OK) record_failure(crew, task, status);
    }
    if (crew->busy == 0) pthread_cond_broadcast(&crew->over);
}

static void *live(void *argument)
{
    struct member *member = argument;
    struct crew *crew = member->crew;
    struct thread_message message;
    context_join(crew->context, &message);
    pthread_mutex_lock(&crew->lock);
    while (!crew->stop) {
        if (crew->next < crew->total) do_tasks(crew, member->number);
        else pthread_cond_wait(&crew->begun, &crew->lock);
    }
    pthread_mutex_unlock(&crew->lock);
    context_leave(crew->context, &message);
    return NULL;
}

void crew_grow(struct crew *crew)
{
    if (crew->count == crew->most) return;
    struct member *member = &crew->members[crew->count];
    *member = (struct member){.crew = crew, .number = crew->count + 1};
    sigset_t all, before; /* signals are for the program's own threads */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (pthread_create(&member->thread, NULL, live, member) == 0) crew->count++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void crew_begin(struct crew *crew, crew_function function, void *user, int64_t count)
{
    pthread_mutex_lock(&crew->lock);
    crew->function = function;
    crew->user = user;
    crew->next = 0;
    crew->total = count;
    crew->status = SUMI_OK;
    pthread_cond_broadcast(&crew->begun);
    pthread_mutex_unlock(&crew->lock);
}

bool crew_is_done(struct crew *crew)
{
    pthread_mutex_lock(&crew->lock);
    bool done = crew->next == crew->total && crew->busy == 0;
    pthread_mutex_unlock(&crew->lock);
    return done;
}

sumi_status crew_finish(struct crew *crew)
{
    pthread_mutex_lock(&crew->lock);
    do_tasks(crew, 0);
    while (crew->busy > 0) pthread_cond_wait(&crew->over, &crew->lock);
    sumi_status status = crew->status;
    pthread_mutex_unlock(&crew->lock);
    if (status != SUMI_OK) {
        memcpy(context_message(crew->context), crew->message, sizeof crew->message);
    }
    return status;
}

void crew_abandon(struct crew *crew)
{
    pthread_mutex_lock(&crew->lock);
    crew->next = crew->total;
    while (crew->busy > 0) pthread_cond_wait(&crew->over, &crew->lock);
    pthread_mutex_unlock(&crew->lock);
}
