/* SPDX-License-Identifier: Apache-2.0 */
/* Ancestral sampling of bits, with the exact denoiser of binary heartbeats. */
#include "measure/heartbeat.h"

enum { SAMPLES = 2000, STEPS = 200 };

static sumi_context *context;
static sumi_solver *solver;

static int open_solver(void **state)
{
    (void)state;
    return sumi_context_create(NULL, &context) != SUMI_OK
           || sumi_solver_create(context, "binomial", &solver) != SUMI_OK
           || sumi_solver_set(solver, "num_train_timesteps", "200") != SUMI_OK;
}

static int close_solver(void **state)
{
    (void)state;
    sumi_solver_free(solver);
    sumi_context_free(context);
    return 0;
}

/* How many samples are of each phase; the last number counts those that are none. */
static void draw(int counts[BEAT_PERIOD + 1], float *x)
{
    const int64_t shape[] = {SAMPLES, BEAT_BITS};
    int steps = STEPS;
    CHECK_OK(context, sumi_solver_start(solver, 2, shape, x));
    CHECK_OK(context, sumi_solver_run(solver, beat_denoiser, &steps, 2, shape, x, NULL, NULL));
    for (int n = 0; n < SAMPLES; n++) {
        int found = BEAT_PERIOD;
        for (int phase = 0; phase < BEAT_PERIOD; phase++) {
            bool same = true;
            for (int i = 0; i < BEAT_BITS; i++) same &= x[n * BEAT_BITS + i] == beat_bit(i, phase);
            if (same) found = phase;
        }
        counts[found]++;
    }
}

static void a_perfect_denoiser_gives_heartbeats_of_every_phase(void **state)
{
    (void)state;
    static float x[SAMPLES * BEAT_BITS];
    int counts[BEAT_PERIOD + 1] = {0};
    double statistic = 0, expected = SAMPLES / 5.0;
    draw(counts, x);
    assert_true(counts[BEAT_PERIOD] < SAMPLES / 50); /* a bit is decided apart from the others */
    for (int phase = 0; phase < BEAT_PERIOD; phase++) {
        statistic += pow(counts[phase] - expected, 2) / expected;
    }
    assert_true(statistic < 18.47 + 5); /* 99.9 % of chi-square, and the few that are none */
}

static void fewer_steps_still_give_bits(void **state)
{
    (void)state;
    static float x[SAMPLES * BEAT_BITS];
    int counts[BEAT_PERIOD + 1] = {0};
    CHECK_OK(context, sumi_solver_set(solver, "steps", "20"));
    draw(counts, x);
    for (int i = 0; i < SAMPLES * BEAT_BITS; i++) assert_true(x[i] == 1 || x[i] == -1);
    assert_true(counts[BEAT_PERIOD] < SAMPLES / 4);
}

static void noising_flips_bits_with_the_schedules_probability(void **state)
{
    (void)state;
    enum { COUNT = 40000 };
    static float clean[COUNT], noise[COUNT], noised[COUNT];
    const int64_t shape[] = {COUNT};
    int flips = 0;
    for (int i = 0; i < COUNT; i++) clean[i] = i % 3 ? -1 : 1;
    CHECK_OK(context, sumi_solver_start(solver, 1, shape, noise)); /* standard normal */
    CHECK_OK(context, sumi_solver_add_noise(solver, COUNT, clean, noise, 59, noised));
    for (int i = 0; i < COUNT; i++) {
        assert_true(fabsf(noised[i]) == 1);
        flips += noised[i] != clean[i];
    }
    CHECK_CLOSE(flips / (double)COUNT, 0.15, 4 * sqrt(0.15 * 0.85 / COUNT)); /* 60 / 200 / 2 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_perfect_denoiser_gives_heartbeats_of_every_phase,
                                        open_solver, close_solver),
        cmocka_unit_test_setup_teardown(fewer_steps_still_give_bits, open_solver, close_solver),
        cmocka_unit_test_setup_teardown(noising_flips_bits_with_the_schedules_probability,
                                        open_solver, close_solver),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
