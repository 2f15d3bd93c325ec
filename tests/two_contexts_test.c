/* SPDX-License-Identifier: Apache-2.0 */
/* Two contexts in two threads at once: each gives the same results as alone, and has its own
   message. */
#include <pthread.h>

#include "check.h"

enum { ROUNDS = 20, ITEMS = 3, SIDE = 28, STATE = 64 };

/* What a thread computes; compared byte by byte with the result of the thread alone. */
struct work {
    const char *name;
    uint64_t seed;
    float items[ITEMS * SIDE * SIDE];
    float x[STATE];
    sumi_status status;
    char message[256];
};

static sumi_status predict_scaled(void *user, int64_t count, int64_t item_size, int64_t output_size,
                                  const float *x, const float *times, float *output)
{
    (void)output_size;
    (void)user, (void)times;
    for (int64_t i = 0; i < count * item_size; i++) output[i] = 0.9F * x[i];
    return SUMI_OK;
}

static sumi_status read_digits(sumi_context *context, struct work *work)
{
    const int64_t indices[ITEMS] = {2, 0, 1};
    char seed[64];
    sumi_recipe *recipe = NULL;
    sumi_data *data = NULL;
    snprintf(seed, sizeof seed, "data.seed=%d", (int)work->seed);
    sumi_status status = sumi_recipe_open(context, "digits", &recipe);
    if (status == SUMI_OK) status = sumi_recipe_set(recipe, "data.count=3");
    if (status == SUMI_OK) status = sumi_recipe_set(recipe, seed);
    if (status == SUMI_OK) status = sumi_data_open(context, recipe, &data);
    if (status == SUMI_OK) status = sumi_data_read(data, indices, ITEMS, work->items, NULL);
    sumi_data_free(data);
    sumi_recipe_free(recipe);
    return status;
}

static sumi_status solve(sumi_context *context, struct work *work)
{
    const int64_t shape[] = {4, STATE / 4};
    char seed[32];
    sumi_solver *solver = NULL;
    snprintf(seed, sizeof seed, "%d", (int)work->seed);
    sumi_status status = sumi_solver_create(context, "ddpm", &solver);
    if (status == SUMI_OK) status = sumi_solver_set(solver, "steps", "10");
    if (status == SUMI_OK) status = sumi_solver_set(solver, "seed", seed);
    if (status == SUMI_OK) status = sumi_solver_start(solver, 2, shape, work->x);
    if (status == SUMI_OK) {
        status = sumi_solver_run(solver, predict_scaled, NULL, 2, shape, work->x, NULL, NULL);
    }
    sumi_solver_free(solver);
    return status;
}

/* Ends with a failure on purpose, whose message names this piece of work. */
static void do_work(struct work *work)
{
    sumi_context *context = NULL;
    sumi_recipe *recipe = NULL;
    work->status = sumi_context_create(NULL, &context);
    if (work->status == SUMI_OK) work->status = read_digits(context, work);
    if (work->status == SUMI_OK) work->status = solve(context, work);
    if (work->status == SUMI_OK && sumi_recipe_open(context, work->name, &recipe) == SUMI_OK) {
        work->status = SUMI_ERROR_ARGUMENT;
    }
    if (context) snprintf(work->message, sizeof work->message, "%s", sumi_context_message(context));
    sumi_recipe_free(recipe);
    sumi_context_free(context);
}

static void *run_thread(void *user)
{
    const struct work *alone = user;
    for (int round = 0; round < ROUNDS; round++) {
        struct work now = {.name = alone->name, .seed = alone->seed};
        do_work(&now);
        if (now.status != SUMI_OK || strcmp(now.message, alone->message) != 0
            || memcmp(now.items, alone->items, sizeof now.items) != 0
            || memcmp(now.x, alone->x, sizeof now.x) != 0)
            return user;
    }
    return NULL;
}

static void two_contexts_in_two_threads_do_not_disturb_each_other(void **state)
{
    (void)state;
    static struct work alone[2] = {{.name = "no-such-recipe-one", .seed = 1},
                                   {.name = "no-such-recipe-two", .seed = 2}};
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) {
        do_work(&alone[i]);
        assert_int_equal(alone[i].status, SUMI_OK);
        assert_non_null(strstr(alone[i].message, alone[i].name));
    }
    assert_memory_not_equal(alone[0].x, alone[1].x, sizeof alone[0].x);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, run_thread, &alone[i]), 0);
    }
    for (int i = 0; i < 2; i++) {
        void *different = NULL;
        assert_int_equal(pthread_join(threads[i], &different), 0);
        if (different) fail_msg("thread %d gave something else than alone", i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_contexts_in_two_threads_do_not_disturb_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
