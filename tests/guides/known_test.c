/* SPDX-License-Identifier: Apache-2.0 */
/* Sampling with a part of the data known, on Gaussian data in the plane whose score is known: the
   known part is reproduced, a part that is independent of it does not change, and a dependent part
   follows it. */
#include "check.h"

#include "solvers/path_of.h"

enum { ITEMS = 2000 };

/* Data with deviation 0.5 in both directions and a correlation. */
struct plane {
    const struct noise_path *path;
    double correlation;
};
static const double mean[2] = {0.3, -0.2}, variance = 0.25;

/* e as the network would predict it: s (a^2 C + s^2)^-1 (x - a mean). */
static sumi_status exact(void *user, int64_t count, int64_t item_size, int64_t output_size,
                         const float *x, const float *times, float *output)
{
    const struct plane *plane = user;
    struct noise_level level = path_level(plane->path, times[0]);
    double a = level.signal, s = level.noise, xx = a * a * variance + s * s;
    double xy = a * a * variance * plane->correlation, determinant = xx * xx - xy * xy;
    (void)output_size, (void)item_size;
    for (int64_t i = 0; i < count; i++) {
        double dx = x[2 * i] - a * mean[0], dy = x[2 * i + 1] - a * mean[1];
        output[2 * i] = (float)(s * (xx * dx - xy * dy) / determinant);
        output[2 * i + 1] = (float)(s * (xx * dy - xy * dx) / determinant);
    }
    return SUMI_OK;
}

/* Samples x[ITEMS, 2] with a correction and an option more, NULL for none; returns how often the
   solver asked the denoiser. */
static int64_t sample_with(const char *name, const char *path, double correlation,
                           const char *const *option, sumi_correction correction, void *user,
                           float *x)
{
    sumi_context *context = NULL;
    sumi_solver *solver = NULL;
    struct plane plane = {.correlation = correlation};
    assert_int_equal(sumi_context_create(NULL, &context), SUMI_OK);
    CHECK_OK(context, sumi_solver_create(context, name, &solver));
    const char *const options[][2] = {{"path", path},
                                      {"steps", "100"},
                                      {"clip_sample", "false"},
                                      {"timestep_spacing", "linspace"},
                                      {"prediction_type", "epsilon"}};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        CHECK_OK(context, sumi_solver_set(solver, options[i][0], options[i][1]));
    if (option) CHECK_OK(context, sumi_solver_set(solver, option[0], option[1]));
    assert_true(sumi_solver_times(solver, NULL, 0) > 0);
    plane.path = path_of(solver);
    CHECK_OK(context, sumi_solver_correct(solver, correction, user));
    CHECK_OK(context, sumi_solver_start(solver, 2, (int64_t[]){ITEMS, 2}, x));
    CHECK_OK(context,
             sumi_solver_run(solver, exact, &plane, 2, (int64_t[]){ITEMS, 2}, x, NULL, NULL));
    int64_t evaluations = sumi_solver_evaluations(solver);
    sumi_solver_free(solver);
    sumi_context_free(context);
    return evaluations;
}

static void sample(const char *name, const char *path, double correlation,
                   const struct sumi_known *known, float *x)
{
    sample_with(name, path, correlation, NULL, sumi_keep_known, (void *)known, x);
}

static void moments(const float *x, double *middle, double *deviation)
{
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < ITEMS; i++) sum += x[2 * i] / ITEMS;
    for (int64_t i = 0; i < ITEMS; i++) squares += (x[2 * i] - sum) * (x[2 * i] - sum) / ITEMS;
    *middle = sum;
    *deviation = sqrt(squares);
}

static const char *const solvers[][2] = {{"ddpm", "vp"},     {"ddim", "vp"},
                                         {"dpmpp-2m", "vp"}, {"unipc", "vp"},
                                         {"em", "vp"},       {"euler-ancestral", "ve"},
                                         {"heun", "ve"},     {"dpmpp-sde", "ve"},
                                         {"pc", "ve"},       {"flow-euler", "flow"}};

static void what_is_known_comes_out_and_what_does_not_depend_on_it_stays(void **state)
{
    (void)state;
    static float x[2 * ITEMS];
    const float values[2] = {0.9f, 7}, mask[2] = {1, -1};
    const struct sumi_known known = {
        .size = sizeof known, .items = 1, .values = values, .mask = mask};
    for (size_t i = 0; i < sizeof solvers / sizeof *solvers; i++) {
        double middle = 0, deviation = 0;
        sample(solvers[i][0], solvers[i][1], 0, &known, x);
        moments(x, &middle, &deviation);
        CHECK_CLOSE(middle, 0.9, 0.02);
        CHECK_CLOSE(deviation, 0, 0.02);
        moments(x + 1, &middle, &deviation);
        CHECK_CLOSE(middle, mean[1], 0.06);
        CHECK_CLOSE(deviation, 0.5, 0.06);
    }
}

/* The exact conditional mean is -0.2 + 0.8 (0.9 - 0.3) = 0.28, and the deviation 0.3. A state
   depends on the known number only through its noise, so that some of this shift is lost (as in
   Song et al. 2021); solvers that add noise lose less. */
static void what_depends_on_it_follows(void **state)
{
    (void)state;
    static float x[2 * ITEMS];
    const float values[2] = {0.9f, 0}, mask[2] = {1, 0};
    const struct sumi_known known = {
        .size = sizeof known, .items = 1, .values = values, .mask = mask};
    for (size_t i = 0; i < sizeof solvers / sizeof *solvers; i++) {
        double middle = 0, deviation = 0;
        sample(solvers[i][0], solvers[i][1], 0.8, &known, x);
        moments(x + 1, &middle, &deviation);
        if (!(middle > -0.05 && middle < 0.28 && deviation > 0.3 && deviation < 0.45))
            fail_msg("%s: mean %.3f, deviation %.3f", solvers[i][0], middle, deviation);
    }
}

/* Solvers that stir noise into the state after the network has seen it. */
static const char *const stirring[][2] = {
    {"euler", "ve"}, {"edm-euler", "ve"}, {"heun", "ve"}, {"heun", "vp"}, {"flow-heun", "flow"}};

static void a_known_value_is_exact_where_noise_is_stirred_in(void **state)
{
    (void)state;
    static float x[2 * ITEMS];
    static const char *const churn[] = {"s_churn", "20"};
    const float values[2] = {0.9f, 7}, mask[2] = {1, -1};
    struct sumi_known known = {.size = sizeof known, .items = 1, .values = values, .mask = mask};
    for (size_t k = 0; k < sizeof stirring / sizeof *stirring; k++) {
        double largest = 0;
        sample_with(stirring[k][0], stirring[k][1], 0, churn, sumi_keep_known, &known, x);
        for (int64_t i = 0; i < ITEMS; i++) largest = fmax(largest, fabs(x[2 * i] - 0.9));
        if (!(largest < 1e-5))
            fail_msg("%s on %s is off by %g", stirring[k][0], stirring[k][1], largest);
    }
}

struct tally {
    int64_t calls;
    struct sumi_known known;
};

static sumi_status count_and_keep(void *user, int64_t count, int64_t item_size, double signal,
                                  double noise, float *clean)
{
    struct tally *tally = user;
    tally->calls++;
    return sumi_keep_known(&tally->known, count, item_size, signal, noise, clean);
}

/* Twice would count twice what is known to a deviation. */
static void an_estimate_is_corrected_once_where_noise_is_stirred_in(void **state)
{
    (void)state;
    static float x[2 * ITEMS];
    static const char *const churn[] = {"s_churn", "20"};
    const float values[2] = {0.9f, 7};
    for (size_t k = 0; k < sizeof stirring / sizeof *stirring; k++) {
        struct tally tally = {
            .known = {.size = sizeof tally.known, .items = 1, .values = values, .deviation = 0.3}};
        int64_t evaluations =
            sample_with(stirring[k][0], stirring[k][1], 0, churn, count_and_keep, &tally, x);
        assert_true(evaluations > 50);
        assert_int_equal(tally.calls, evaluations);
    }
}

/* Two items in turn, of which the mean of both numbers is known: exactly, and to 0.1. */
static void the_mean_of_channels_is_kept(void **state)
{
    (void)state;
    static float x[2 * ITEMS];
    const float values[2] = {0.6f, -0.4f};
    struct sumi_known known = {.size = sizeof known, .items = 2, .channels = 2, .values = values};
    for (int loose = 0; loose < 2; loose++) {
        known.deviation = loose ? 0.1 : 0;
        sample("ddpm", "vp", 0, &known, x);
        double squares = 0;
        for (int64_t i = 0; i < ITEMS; i++) {
            double off = 0.5 * (x[2 * i] + x[2 * i + 1]) - values[i % 2];
            squares += off * off / ITEMS;
        }
        if (loose) assert_true(sqrt(squares) > 0.04 && sqrt(squares) < 0.3);
        else assert_true(sqrt(squares) < 0.01);
    }
}

static sumi_status fail_always(void *user, int64_t count, int64_t item_size, double signal,
                               double noise, float *clean)
{
    (void)user, (void)count, (void)item_size, (void)signal, (void)noise, (void)clean;
    return SUMI_ERROR_FORMAT;
}

static void a_correction_may_end_the_run_and_bits_refuse_one(void **state)
{
    (void)state;
    float x[2] = {0, 0};
    sumi_context *context = NULL;
    sumi_solver *solver = NULL;
    struct plane plane = {.correlation = 0};
    assert_int_equal(sumi_context_create(NULL, &context), SUMI_OK);
    CHECK_OK(context, sumi_solver_create(context, "binomial", &solver));
    assert_int_equal(sumi_solver_correct(solver, fail_always, NULL), SUMI_ERROR_ARGUMENT);
    sumi_solver_free(solver);
    CHECK_OK(context, sumi_solver_create(context, "ddim", &solver));
    assert_true(sumi_solver_times(solver, NULL, 0) > 0);
    plane.path = path_of(solver);
    CHECK_OK(context, sumi_solver_correct(solver, fail_always, NULL));
    assert_int_equal(sumi_solver_run(solver, exact, &plane, 2, (int64_t[]){1, 2}, x, NULL, NULL),
                     SUMI_ERROR_FORMAT);
    sumi_solver_free(solver);
    sumi_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_known_comes_out_and_what_does_not_depend_on_it_stays),
        cmocka_unit_test(what_depends_on_it_follows),
        cmocka_unit_test(a_known_value_is_exact_where_noise_is_stirred_in),
        cmocka_unit_test(an_estimate_is_corrected_once_where_noise_is_stirred_in),
        cmocka_unit_test(the_mean_of_channels_is_kept),
        cmocka_unit_test(a_correction_may_end_the_run_and_bits_refuse_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
