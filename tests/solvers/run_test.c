/* SPDX-License-Identifier: Apache-2.0 */
/* The loop itself: its ends and their messages, batches in parts, threads, memory. */
#include "check.h"

#include "solvers/solver.h"

static sumi_context *context;
static sumi_solver *solver;

static int open_solver(void **state)
{
    (void)state;
    return sumi_context_create(NULL, &context) != SUMI_OK
           || sumi_solver_create(context, "ddpm", &solver) != SUMI_OK
           || sumi_solver_set(solver, "steps", "10") != SUMI_OK;
}

static int close_solver(void **state)
{
    (void)state;
    sumi_solver_free(solver);
    sumi_context_free(context);
    return 0;
}

static void check_message(const char *part)
{
    if (!strstr(sumi_context_message(context), part))
        fail_msg("\"%s\" does not say \"%s\"", sumi_context_message(context), part);
}

static sumi_status halve(void *user, int64_t count, int64_t item_size, int64_t output_size,
                         const float *x, const float *times, float *output)
{
    (void)output_size;
    (void)user;
    for (int64_t i = 0; i < count * item_size; i++)
        output[i] = 0.5f * x[i] + 0.001f * times[i / item_size];
    return SUMI_OK;
}

/* Writes `user`'s number in the last place once the time is down to 500. */
static sumi_status spoil(void *user, int64_t count, int64_t item_size, int64_t output_size,
                         const float *x, const float *times, float *output)
{
    halve(NULL, count, item_size, output_size, x, times, output);
    if (times[0] <= 500) output[count * item_size - 1] = *(const float *)user;
    return SUMI_OK;
}

static void a_number_that_is_not_finite_ends_the_run_and_names_the_step(void **state)
{
    (void)state;
    float bad[] = {NAN, INFINITY, -INFINITY}, x[12];
    for (int k = 0; k < 3; k++) {
        CHECK_OK(context, sumi_solver_start(solver, 2, (int64_t[]){4, 3}, x));
        assert_int_equal(
            sumi_solver_run(solver, spoil, &bad[k], 2, (int64_t[]){4, 3}, x, NULL, NULL),
            SUMI_ERROR_NUMBER);
        check_message("step 4 (time 500): the denoiser wrote a value that is not finite");
    }
}

static sumi_status overflow(void *user, int64_t count, int64_t item_size, int64_t output_size,
                            const float *x, const float *times, float *output)
{
    (void)output_size;
    (void)user;
    (void)x;
    (void)times;
    for (int64_t i = 0; i < count * item_size; i++) output[i] = 3e38f;
    return SUMI_OK;
}

static void a_state_that_overflows_ends_the_run(void **state)
{
    (void)state;
    float x[3] = {0};
    CHECK_OK(context, sumi_solver_set(solver, "clip_sample", "false"));
    assert_int_equal(sumi_solver_run(solver, overflow, NULL, 1, (int64_t[]){3}, x, NULL, NULL),
                     SUMI_ERROR_NUMBER);
    check_message("step 0 (time 900): the state has a value that is not finite");
}

static sumi_status refuse(void *user, int64_t count, int64_t item_size, int64_t output_size,
                          const float *x, const float *times, float *output)
{
    (void)output_size;
    (void)count;
    (void)item_size;
    (void)x;
    (void)times;
    (void)output;
    return user ? context_fail(user, SUMI_ERROR_BACKEND, "the network is tired")
                : SUMI_ERROR_UNSUPPORTED;
}

static void a_denoiser_that_fails_ends_the_run_with_its_own_status(void **state)
{
    (void)state;
    float x[3] = {0};
    assert_int_equal(sumi_solver_run(solver, refuse, NULL, 1, (int64_t[]){3}, x, NULL, NULL),
                     SUMI_ERROR_UNSUPPORTED);
    check_message("the denoiser ended step 0 (time 900) with \"unsupported\"");
    assert_int_equal(sumi_solver_run(solver, refuse, context, 1, (int64_t[]){3}, x, NULL, NULL),
                     SUMI_ERROR_BACKEND);
    check_message("the network is tired");
}

static bool stop_at_third(void *user, int64_t step, int64_t steps, double time, const float *x,
                          const float *clean)
{
    (void)user;
    (void)x;
    (void)clean;
    assert_int_equal(steps, 10);
    assert_true(time == (double)(900 - 100 * step));
    return step < 2;
}

static void a_watcher_can_stop_the_run(void **state)
{
    (void)state;
    float x[3] = {0};
    assert_int_equal(
        sumi_solver_run(solver, halve, NULL, 1, (int64_t[]){3}, x, stop_at_third, NULL),
        SUMI_STOPPED);
    check_message("stopped after step 3 of 10");
}

static void states_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    float x[3] = {0, NAN, 0};
    const int64_t huge[] = {INT64_MAX / 2, 4}, none[] = {3, 0}, negative[] = {-3};
    const int64_t three[] = {3};
    assert_int_equal(sumi_solver_run(solver, halve, NULL, 2, huge, x, NULL, NULL),
                     SUMI_ERROR_ARGUMENT);
    assert_int_equal(sumi_solver_run(solver, halve, NULL, 2, none, x, NULL, NULL),
                     SUMI_ERROR_ARGUMENT);
    assert_int_equal(sumi_solver_run(solver, halve, NULL, 1, negative, x, NULL, NULL),
                     SUMI_ERROR_ARGUMENT);
    assert_int_equal(sumi_solver_run(solver, halve, NULL, 0, three, x, NULL, NULL),
                     SUMI_ERROR_ARGUMENT);
    assert_int_equal(sumi_solver_run(solver, halve, NULL, SUMI_MAX_RANK + 1, three, x, NULL, NULL),
                     SUMI_ERROR_ARGUMENT);
    assert_int_equal(sumi_solver_run(solver, halve, NULL, 1, NULL, x, NULL, NULL),
                     SUMI_ERROR_ARGUMENT);
    assert_int_equal(sumi_solver_run(solver, NULL, NULL, 1, three, x, NULL, NULL),
                     SUMI_ERROR_ARGUMENT);
    assert_int_equal(sumi_solver_run(solver, halve, NULL, 1, three, x, NULL, NULL),
                     SUMI_ERROR_ARGUMENT);
    check_message("the state to start from has a value that is not finite");
}

static void noise_cannot_be_predicted_where_no_signal_is_left(void **state)
{
    (void)state;
    float x[3] = {0};
    CHECK_OK(context, sumi_solver_set(solver, "rescale_betas_zero_snr", "true"));
    CHECK_OK(context, sumi_solver_set(solver, "timestep_spacing", "trailing"));
    assert_int_equal(sumi_solver_run(solver, halve, NULL, 1, (int64_t[]){3}, x, NULL, NULL),
                     SUMI_ERROR_ARGUMENT);
    check_message("no signal is left at time 999");
    CHECK_OK(context, sumi_solver_set(solver, "prediction_type", "v_prediction"));
    CHECK_OK(context, sumi_solver_run(solver, halve, NULL, 1, (int64_t[]){3}, x, NULL, NULL));
}

enum { ITEMS = 8, SIZE = 9001 };

static void solve(int64_t first, int64_t items, int threads, const char *rng, float *x)
{
    char text[16];
    const int64_t shape[] = {items, SIZE};
    snprintf(text, sizeof text, "%d", (int)first);
    CHECK_OK(context, sumi_context_set_threads(context, threads));
    CHECK_OK(context, sumi_solver_set(solver, "first_item", text));
    CHECK_OK(context, sumi_solver_set(solver, "rng", rng));
    CHECK_OK(context, sumi_solver_set(solver, "seed", "42"));
    CHECK_OK(context, sumi_solver_start(solver, 2, shape, x));
    CHECK_OK(context, sumi_solver_run(solver, halve, NULL, 2, shape, x, NULL, NULL));
}

static void samples_do_not_depend_on_threads_nor_on_the_rest_of_the_batch(void **state)
{
    (void)state;
    static float whole[ITEMS * SIZE], again[ITEMS * SIZE];
    solve(0, ITEMS, 1, "philox", whole);
    solve(0, ITEMS, 3, "philox", again);
    assert_memory_equal(whole, again, sizeof whole);
    memset(again, 0, sizeof again);
    solve(0, 4, 2, "philox", again);
    solve(4, 4, 2, "philox", again + 4 * SIZE);
    assert_memory_equal(whole, again, sizeof whole);
}

static void the_torch_stream_restarts_with_a_batch_and_continues_in_its_parts(void **state)
{
    (void)state;
    static float whole[4 * SIZE], again[4 * SIZE], later[4 * SIZE];
    solve(0, 4, 1, "torch", whole);
    solve(0, 4, 1, "torch", again);
    assert_memory_equal(whole, again, sizeof whole);
    solve(4, 4, 1, "torch", later);
    assert_memory_not_equal(whole, later, sizeof whole);
    solve(0, 4, 1, "torch", again);
    assert_memory_equal(whole, again, sizeof whole);
}

static void added_noise_has_the_schedules_share(void **state)
{
    (void)state;
    float clean[2] = {1, 0}, noise[2] = {0, 1}, noised[2];
    CHECK_OK(context, sumi_solver_add_noise(solver, 2, clean, noise, 500, noised));
    CHECK_CLOSE(noised[0], sqrt(0.07779666036), 1e-6); /* abar of the reference table */
    CHECK_CLOSE(noised[1], sqrt(1 - 0.07779666036), 1e-6);
    const double wrong[] = {-1, 1000, 0.5, NAN, INFINITY};
    for (int k = 0; k < 5; k++)
        assert_int_equal(sumi_solver_add_noise(solver, 2, clean, noise, wrong[k], noised),
                         SUMI_ERROR_ARGUMENT);
}

/* ---- An allocator that fails at its n-th call ---- */

struct counting {
    int64_t calls, fail_at, alive;
};

static void *counting_allocate(void *user, size_t size, size_t alignment)
{
    struct counting *counting = user;
    if (counting->calls++ == counting->fail_at) return NULL;
    counting->alive++;
    return aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

static void counting_release(void *user, void *memory)
{
    ((struct counting *)user)->alive--;
    free(memory);
}

static sumi_status everything(sumi_context *poor)
{
    float x[96];
    const int64_t shape[] = {2, 4, 4, 3};
    sumi_solver *made = NULL;
    sumi_status status = sumi_solver_create(poor, "ddim", &made);
    if (status == SUMI_OK)
        status = sumi_solver_configure(made, "{\"trained_betas\": [0.1, 0.2, 0.3], \"timesteps\":"
                                             "[2, 0], \"rng\": \"torch\", \"thresholding\": true}");
    if (status == SUMI_OK) status = sumi_solver_configure(made, "{\"eta\": 0.5}");
    if (status == SUMI_OK) status = sumi_solver_start(made, 4, shape, x);
    if (status == SUMI_OK) status = sumi_solver_run(made, halve, NULL, 4, shape, x, NULL, NULL);
    sumi_solver_free(made);
    return status;
}

static void running_out_of_memory_at_any_call_is_reported_and_leaks_nothing(void **state)
{
    (void)state;
    sumi_status status = SUMI_ERROR_MEMORY;
    int64_t fail_at = 1;
    for (; status != SUMI_OK; fail_at++) {
        struct counting counting = {.fail_at = fail_at};
        const sumi_allocator allocator = {&counting, counting_allocate, counting_release};
        sumi_context *poor = NULL;
        assert_int_equal(sumi_context_create(&allocator, &poor), SUMI_OK);
        status = everything(poor);
        assert_true(status == SUMI_OK || status == SUMI_ERROR_MEMORY);
        sumi_context_free(poor);
        assert_int_equal(counting.alive, 0);
    }
    assert_true(fail_at > 8);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_solver, close_solver)
    const struct CMUnitTest tests[] = {
        TEST(a_number_that_is_not_finite_ends_the_run_and_names_the_step),
        TEST(a_state_that_overflows_ends_the_run),
        TEST(a_denoiser_that_fails_ends_the_run_with_its_own_status),
        TEST(a_watcher_can_stop_the_run),
        TEST(states_that_make_no_sense_are_refused),
        TEST(noise_cannot_be_predicted_where_no_signal_is_left),
        TEST(samples_do_not_depend_on_threads_nor_on_the_rest_of_the_batch),
        TEST(the_torch_stream_restarts_with_a_batch_and_continues_in_its_parts),
        TEST(added_noise_has_the_schedules_share),
        TEST(running_out_of_memory_at_any_call_is_reported_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
