/* SPDX-License-Identifier: Apache-2.0 */
/* Thread pools: every task once, the first failure, stopping, and a context that several threads
   use. */
#include "base/thread_pool.h"

#include <stdatomic.h>
#include <time.h>

#include "check.h"

enum { TASKS = 500 };

struct work {
    sumi_context *context;
    atomic_int done[TASKS];
    atomic_bool at_once[THREAD_POOL_LIMIT + 1]; /* that a task of this member is being done */
    int64_t bad, worse;                         /* tasks that fail; the first one late */
    bool slow;
};

static void wait_milliseconds(long milliseconds)
{
    const struct timespec time = {0, 1000000 * milliseconds};
    nanosleep(&time, NULL);
}

static sumi_status do_task(void *user, int member, int64_t task)
{
    struct work *work = user;
    if (atomic_exchange(&work->at_once[member], true)) abort();
    void *memory = context_allocate(work->context, 1, 100);
    if (!memory) abort();
    if (work->slow) wait_milliseconds(2);
    work->done[task]++;
    context_release(work->context, memory);
    if (task == work->bad) wait_milliseconds(20);
    atomic_store(&work->at_once[member], false);
    if (task != work->bad && task != work->worse) return SUMI_OK;
    return context_fail(work->context, task == work->bad ? SUMI_ERROR_FORMAT : SUMI_ERROR_FILE,
                        "task %lld failed", (long long)task);
}

/* An allocator that two threads may not be in at once. */
struct exclusive {
    atomic_bool inside;
};

static void *exclusive_allocate(void *user, size_t size, size_t alignment)
{
    struct exclusive *exclusive = user;
    if (atomic_exchange(&exclusive->inside, true)) abort();
    void *memory = aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
    atomic_store(&exclusive->inside, false);
    return memory;
}

static void exclusive_release(void *user, void *memory)
{
    struct exclusive *exclusive = user;
    if (atomic_exchange(&exclusive->inside, true)) abort();
    free(memory);
    atomic_store(&exclusive->inside, false);
}

static struct exclusive exclusive;
static struct work work;
static struct thread_pool *pool;

static void begin(int members)
{
    const sumi_allocator allocator = {&exclusive, exclusive_allocate, exclusive_release};
    memset(&work, 0, sizeof work);
    work.bad = work.worse = -1;
    assert_int_equal(sumi_context_create(&allocator, &work.context), SUMI_OK);
    CHECK_OK(work.context, thread_pool_create(work.context, members, &pool));
    for (int i = 0; i < members + 2; i++) thread_pool_grow(pool); /* two more than may be */
}

static void end(void)
{
    thread_pool_free(pool);
    sumi_context_free(work.context);
}

static void every_task_is_done_once_whatever_the_size_of_the_crew(void **state)
{
    (void)state;
    for (int members = 0; members <= 4; members++) {
        begin(members);
        for (int round = 1; round <= 20; round++) {
            thread_pool_begin(pool, do_task, &work, TASKS);
            if (members > 0 && round % 2) {
                while (!thread_pool_is_done(pool))
                    wait_milliseconds(1); /* without the owner's help */
            }
            CHECK_OK(work.context, thread_pool_finish(pool));
            assert_true(thread_pool_is_done(pool));
            for (int i = 0; i < TASKS; i++) assert_int_equal(work.done[i], round);
        }
        end();
    }
}

static void the_first_failure_by_number_is_reported_by_any_thread(void **state)
{
    (void)state;
    for (int members = 0; members <= 4; members++) {
        begin(members);
        work.bad = 7; /* takes so long that 9 fails before it where there are others */
        work.worse = 9;
        for (int round = 0; round < 5; round++) {
            thread_pool_begin(pool, do_task, &work, TASKS);
            assert_int_equal(thread_pool_finish(pool), SUMI_ERROR_FORMAT);
            assert_string_equal(sumi_context_message(work.context), "task 7 failed");
        }
        work.bad = work.worse = -1;
        thread_pool_begin(pool, do_task, &work, TASKS);
        CHECK_OK(work.context, thread_pool_finish(pool));
        end();
    }
}

static void a_failure_leaves_the_callers_message_alone_until_it_is_reported(void **state)
{
    (void)state;
    begin(2);
    context_fail(work.context, SUMI_ERROR_ARGUMENT, "mine");
    work.bad = 0;
    thread_pool_begin(pool, do_task, &work, 1);
    while (!thread_pool_is_done(pool)) wait_milliseconds(1);
    assert_string_equal(sumi_context_message(work.context), "mine");
    thread_pool_abandon(pool);
    assert_string_equal(sumi_context_message(work.context), "mine");
    end();
}

static void tasks_not_yet_started_can_be_dropped(void **state)
{
    (void)state;
    for (int freed = 0; freed < 2; freed++) {
        begin(2);
        work.slow = true;
        thread_pool_begin(pool, do_task, &work, TASKS);
        wait_milliseconds(10);
        if (!freed) {
            thread_pool_abandon(pool);
            assert_true(thread_pool_is_done(pool));
            CHECK_OK(work.context, thread_pool_finish(pool));
        }
        end();
        int done = 0;
        for (int i = 0; i < TASKS; i++) done += work.done[i];
        assert_true(done < TASKS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_task_is_done_once_whatever_the_size_of_the_crew),
        cmocka_unit_test(the_first_failure_by_number_is_reported_by_any_thread),
        cmocka_unit_test(a_failure_leaves_the_callers_message_alone_until_it_is_reported),
        cmocka_unit_test(tasks_not_yet_started_can_be_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
