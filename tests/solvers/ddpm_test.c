/* SPDX-License-Identifier: Apache-2.0 */
/* Ancestral sampling on Gaussian data, where the best denoiser and the law of every state are known
   in closed form; and the variances that a network may predict. */
#include "check.h"

enum { TIMES = 1000 };
static const double mean = 0.3, deviation = 0.5;

static sumi_context *context;

static int open_context(void **state)
{
    (void)state;
    return sumi_context_create(NULL, &context) != SUMI_OK;
}

static int close_context(void **state)
{
    (void)state;
    sumi_context_free(context);
    return 0;
}

/* abar of the linear schedule 1e-4 .. 0.02, in double. */
static void fill_products(double products[TIMES])
{
    double product = 1;
    for (int t = 0; t < TIMES; t++)
        products[t] = product *= 1 - (0.0001 + (0.02 - 0.0001) * t / (TIMES - 1));
}

/* How much of x - a m the best estimate of x0 - m keeps, for data N(m, deviation^2). */
static double best_gain(double product)
{
    double variance = deviation * deviation;
    return sqrt(product) * variance / (product * variance + 1 - product);
}

/* Predicts the noise exactly; `user` is abar. */
static sumi_status gaussian_denoiser(void *user, int64_t count, int64_t item_size,
                                     int64_t output_size, const float *x, const float *times,
                                     float *output)
{
    (void)output_size;
    const double *products = user;
    for (int64_t i = 0; i < count * item_size; i++) {
        double product = products[(int)times[i / item_size]], signal = sqrt(product);
        double clean = mean + best_gain(product) * (x[i] - signal * mean);
        output[i] = (float)((x[i] - signal * clean) / sqrt(1 - product));
    }
    return SUMI_OK;
}

static sumi_solver *make(const char *const options[][2], int count)
{
    sumi_solver *solver = NULL;
    CHECK_OK(context, sumi_solver_create(context, "ddpm", &solver));
    for (int i = 0; i < count; i++)
        CHECK_OK(context, sumi_solver_set(solver, options[i][0], options[i][1]));
    return solver;
}

/* Variance of the final state by its exact recursion under the best denoiser (Ho et al. 2020,
   eqs. 6 and 7, all Gaussian). */
static double final_variance(const double *products, bool large)
{
    double variance = 1;
    for (int t = TIMES - 1; t >= 0; t--) {
        double product = products[t], previous = t ? products[t - 1] : 1;
        double alpha = product / previous, beta = 1 - alpha, noise = 1 - product;
        double gain = sqrt(previous) * beta / noise * best_gain(product)
                      + sqrt(alpha) * (1 - previous) / noise;
        double fresh = large ? beta : (1 - previous) / noise * beta;
        variance = gain * gain * variance + (t ? fresh : 0);
    }
    return variance;
}

static void check_moments(const char *variance_type, bool large)
{
    enum { ITEMS = 16384 };
    static float x[ITEMS];
    double products[TIMES], sum = 0, squares = 0;
    fill_products(products);
    sumi_solver *solver = make((const char *const[][2]){{"clip_sample", "false"},
                                                        {"seed", "5"},
                                                        {"variance_type", variance_type}},
                               3);
    CHECK_OK(context, sumi_solver_start(solver, 2, (int64_t[]){ITEMS, 1}, x));
    CHECK_OK(context, sumi_solver_run(solver, gaussian_denoiser, products, 2, (int64_t[]){ITEMS, 1},
                                      x, NULL, NULL));
    for (int i = 0; i < ITEMS; i++) {
        sum += x[i];
        squares += (x[i] - mean) * (x[i] - mean);
    }
    double variance = final_variance(products, large);
    CHECK_CLOSE(variance, deviation * deviation, 0.02 * deviation * deviation);
    CHECK_CLOSE(sum / ITEMS, mean, 4 * deviation / sqrt(ITEMS));
    CHECK_CLOSE(squares / ITEMS, variance, 4 * variance * sqrt(2.0 / ITEMS));
    sumi_solver_free(solver);
}

static void samples_of_a_gaussian_have_its_mean_and_variance(void **state)
{
    (void)state;
    check_moments("fixed_small", false);
    check_moments("fixed_large", true);
}

/* ---- Learned variances ---- */

enum { ITEMS = 2, POSITIONS = 16, CHANNELS = 3, SIZE = POSITIONS * CHANNELS };

struct network {
    bool channels_last, doubled;
    float variance; /* the variance's channel, or NaN for one that depends on x */
};

static sumi_status predict(void *user, int64_t count, int64_t item_size, int64_t output_size,
                           const float *x, const float *times, float *output)
{
    (void)output_size;
    const struct network *network = user;
    assert_int_equal(item_size, SIZE);
    for (int64_t i = 0; i < count * item_size; i++) {
        int64_t item = i / item_size, place = i % item_size, to = i, half = item_size;
        if (network->doubled) {
            to = item * 2 * item_size + place;
            if (network->channels_last) {
                to = item * 2 * item_size + place / CHANNELS * 2 * CHANNELS + place % CHANNELS;
                half = CHANNELS;
            }
            output[to + half] = isnan(network->variance) ? sinf(x[i]) : network->variance;
        }
        output[to] = tanhf(x[i]) + 0.01f * times[item] / TIMES;
    }
    return SUMI_OK;
}

static void solve(const char *variance, const char *channels, struct network network, float *x)
{
    sumi_solver *solver = make(
        (const char *const[][2]){
            {"steps", "20"}, {"rng", "torch"}, {"channels", channels}, {"variance_type", variance}},
        4);
    const int64_t last[] = {ITEMS, 4, 4, CHANNELS}, first[] = {ITEMS, CHANNELS, 4, 4};
    const int64_t *shape = network.channels_last ? last : first;
    network.doubled = strncmp(variance, "learned", 7) == 0;
    CHECK_OK(context, sumi_solver_start(solver, 4, shape, x));
    CHECK_OK(context, sumi_solver_run(solver, predict, &network, 4, shape, x, NULL, NULL));
    sumi_solver_free(solver);
}

static void check_same(const float *left, const float *right, double tolerance)
{
    for (int i = 0; i < ITEMS * SIZE; i++) CHECK_CLOSE(left[i], right[i], tolerance);
}

static void the_ends_of_a_learned_range_are_the_fixed_variances(void **state)
{
    (void)state;
    float learned[ITEMS * SIZE], fixed[ITEMS * SIZE];
    solve("learned_range", "last", (struct network){.channels_last = true, .variance = 1}, learned);
    solve("fixed_large", "last", (struct network){.channels_last = true}, fixed);
    check_same(learned, fixed, 1e-5);
    solve("learned_range", "last", (struct network){.channels_last = true, .variance = -1},
          learned);
    solve("fixed_small", "last", (struct network){.channels_last = true}, fixed);
    check_same(learned, fixed, 1e-5);
}

static void the_logarithmic_names_change_no_number(void **state)
{
    (void)state;
    float plain[ITEMS * SIZE], logarithmic[ITEMS * SIZE];
    solve("fixed_large", "last", (struct network){.channels_last = true}, plain);
    solve("fixed_large_log", "last", (struct network){.channels_last = true}, logarithmic);
    check_same(plain, logarithmic, 0);
    solve("fixed_small", "last", (struct network){.channels_last = true}, plain);
    solve("fixed_small_log", "last", (struct network){.channels_last = true}, logarithmic);
    check_same(plain, logarithmic, 0);
}

static void both_channel_orders_solve_the_same_problem(void **state)
{
    (void)state;
    const char *const types[] = {"fixed_small", "learned_range"};
    for (int k = 0; k < 2; k++) {
        float last[ITEMS * SIZE], first[ITEMS * SIZE];
        solve(types[k], "last", (struct network){.channels_last = true, .variance = NAN}, last);
        solve(types[k], "first", (struct network){.variance = NAN}, first);
        for (int i = 0; i < ITEMS * SIZE; i++) {
            int item = i / SIZE, position = i % SIZE / CHANNELS, channel = i % CHANNELS;
            CHECK_CLOSE(last[i], first[item * SIZE + channel * POSITIONS + position], 1e-6);
        }
    }
}

static void a_learned_variance_is_the_variance_itself(void **state)
{
    (void)state;
    float calm[ITEMS * SIZE], wild[ITEMS * SIZE], x[ITEMS * SIZE];
    const char *const options[][2] = {{"timesteps", "[900]"}, {"variance_type", "learned"}};
    sumi_solver *solver = make(options, 2);
    const int64_t shape[] = {ITEMS, 4, 4, CHANNELS};
    struct network network = {.channels_last = true, .doubled = true};
    CHECK_OK(context, sumi_solver_start(solver, 4, shape, x));
    memcpy(calm, x, sizeof x);
    memcpy(wild, x, sizeof x);
    network.variance = 0.25f;
    CHECK_OK(context, sumi_solver_run(solver, predict, &network, 4, shape, calm, NULL, NULL));
    network.variance = 1;
    CHECK_OK(context, sumi_solver_run(solver, predict, &network, 4, shape, wild, NULL, NULL));
    network.variance = 0;
    CHECK_OK(context, sumi_solver_run(solver, predict, &network, 4, shape, x, NULL, NULL));
    for (int i = 0; i < ITEMS * SIZE; i++) CHECK_CLOSE(wild[i] - x[i], 2 * (calm[i] - x[i]), 1e-5);
    sumi_solver_free(solver);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_of_a_gaussian_have_its_mean_and_variance),
        cmocka_unit_test(the_ends_of_a_learned_range_are_the_fixed_variances),
        cmocka_unit_test(the_logarithmic_names_change_no_number),
        cmocka_unit_test(both_channel_orders_solve_the_same_problem),
        cmocka_unit_test(a_learned_variance_is_the_variance_itself),
    };
    return cmocka_run_group_tests(tests, open_context, close_context);
}
