/* SPDX-License-Identifier: Apache-2.0 */
/* A word before each block distinguishes live blocks from released and foreign ones. Blocks are
   filled with the bytes of a NaN, so that nothing relies on zeroed memory. */
#include "failing_allocator.h"

#include "check.h"

enum { FILL = 0xff, MOST_ALLOCATIONS = 100000 };
static const size_t LIVE = 0x6c697665626c6f63u;

static void *allocate(void *user, size_t size, size_t alignment)
{
    failing_allocator *failing = user;
    long call = ++failing->calls;
    if (failing->fail_at
        && (call == failing->fail_at || (failing->fail_after && call > failing->fail_at))) {
        failing->failed = true;
        return NULL;
    }
    size_t front = alignment < 2 * sizeof(size_t) ? 2 * sizeof(size_t) : alignment;
    size_t whole = (front + size + front - 1) / front * front;
    unsigned char *base = whole > size ? aligned_alloc(front, whole) : NULL;
    if (!base) return NULL;
    memset(base, FILL, whole);
    size_t *words = (size_t *)(void *)(base + front);
    words[-1] = LIVE;
    words[-2] = front;
    failing->live++;
    return words;
}

static void release(void *user, void *memory)
{
    failing_allocator *failing = user;
    size_t *words = memory;
    assert_non_null(memory);
    assert_true(words[-1] == LIVE);
    words[-1] = 0;
    failing->live--;
    free((unsigned char *)memory - words[-2]);
}

void failing_allocator_init(failing_allocator *failing, long fail_at, bool fail_after)
{
    memset(failing, 0, sizeof *failing);
    failing->fail_at = fail_at;
    failing->fail_after = fail_after;
    failing->allocator = (sumi_allocator){failing, allocate, release};
}

/* Whether the scenario met the failure it was set. */
static bool run_with_failure(memory_scenario scenario, void *user, long fail_at, bool fail_after)
{
    failing_allocator failing;
    failing_allocator_init(&failing, fail_at, fail_after);
    sumi_context *context = NULL;
    sumi_status status = sumi_context_create(&failing.allocator, &context);
    if (status == SUMI_OK) {
        status = scenario(context, user);
        if (status != (failing.failed ? SUMI_ERROR_MEMORY : SUMI_OK)) {
            fail_msg("with allocation %ld failing (%s), the status is %s: %s", fail_at,
                     failing.failed ? "refused" : "not reached", sumi_status_name(status),
                     sumi_context_message(context));
        }
        if (failing.failed) assert_true(sumi_context_message(context)[0] != 0);
        sumi_context_free(context);
    } else {
        assert_int_equal(status, SUMI_ERROR_MEMORY);
    }
    if (failing.live != 0) {
        fail_msg("with allocation %ld failing, %ld blocks stay behind", fail_at,
                 (long)failing.live);
    }
    return failing.failed;
}

void for_each_failure(memory_scenario scenario, void *user)
{
    for (int fail_after = 0; fail_after < 2; fail_after++) {
        long fail_at = 1;
        while (run_with_failure(scenario, user, fail_at, fail_after)) {
            assert_true(fail_at < MOST_ALLOCATIONS);
            fail_at++;
        }
    }
}
