/* SPDX-License-Identifier: Apache-2.0 */
/* Solvers that draw noise end with the mean and the covariance of the data, and an adaptive one
   within its tolerance: on correlated Gaussian data in the plane, whose score is known. */
#include "check.h"

#include "base/philox.h"
#include "path_of.h"

enum { ITEMS = 4000 };

static const double centre[2] = {0.3, -0.2};
static const double covariance[3] = {0.30, 0.12, 0.20}; /* xx, xy, yy */

/* e as the network would predict it: s (a^2 C + s^2)^-1 (x - a centre). */
static sumi_status exact(void *user, int64_t count, int64_t item_size, int64_t output_size,
                         const float *x, const float *times, float *output)
{
    (void)item_size, (void)output_size;
    struct noise_level level = path_level(user, times[0]);
    double a = level.signal, s = level.noise;
    double xx = a * a * covariance[0] + s * s, xy = a * a * covariance[1];
    double yy = a * a * covariance[2] + s * s, determinant = xx * yy - xy * xy;
    for (int64_t i = 0; i < count; i++) {
        double dx = x[2 * i] - a * centre[0], dy = x[2 * i + 1] - a * centre[1];
        output[2 * i] = (float)(s * (yy * dx - xy * dy) / determinant);
        output[2 * i + 1] = (float)(s * (xx * dy - xy * dx) / determinant);
    }
    return SUMI_OK;
}

/* Correlated clean data from standard normal numbers, by Cholesky's factor. */
static void correlate(float *x)
{
    double first = sqrt(covariance[0]), second = covariance[1] / first;
    double third = sqrt(covariance[2] - second * second);
    for (int64_t i = 0; i < ITEMS; i++) {
        double u = x[2 * i], v = x[2 * i + 1];
        x[2 * i] = (float)(centre[0] + first * u);
        x[2 * i + 1] = (float)(centre[1] + second * u + third * v);
    }
}

/* The largest error of the mean and the covariance after so many steps on a path. */
static double distance(sumi_context *context, const char *name, const char *path, const char *steps)
{
    static float clean[2 * ITEMS], noise[2 * ITEMS], x[2 * ITEMS];
    const philox_stream streams[] = {{7, PURPOSE_START, 1}, {7, PURPOSE_START, 2}};
    sumi_solver *solver = NULL;
    double first = 0, sums[5] = {0};
    CHECK_OK(context, sumi_solver_create(context, name, &solver));
    const char *const options[][2] = {{"path", path},
                                      {"steps", steps},
                                      {"clip_sample", "false"},
                                      {"timestep_spacing", "linspace"},
                                      {"prediction_type", "epsilon"}};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        CHECK_OK(context, sumi_solver_set(solver, options[i][0], options[i][1]));
    if (strcmp(name, "ddim") == 0) CHECK_OK(context, sumi_solver_set(solver, "eta", "1"));
    assert_true(sumi_solver_times(solver, &first, 1) > 0);
    philox_normal(&streams[0], 0, 2 * ITEMS, clean);
    philox_normal(&streams[1], 0, 2 * ITEMS, noise);
    correlate(clean);
    CHECK_OK(context, sumi_solver_add_noise(solver, 2 * ITEMS, clean, noise, first, x));
    CHECK_OK(context, sumi_solver_run(solver, exact, path_of(solver), 2, (int64_t[]){ITEMS, 2}, x,
                                      NULL, NULL));
    for (int64_t i = 0; i < ITEMS; i++) {
        double dx = x[2 * i] - centre[0], dy = x[2 * i + 1] - centre[1];
        sums[0] += dx / ITEMS;
        sums[1] += dy / ITEMS;
        sums[2] += (dx * dx - covariance[0]) / ITEMS;
        sums[3] += (dx * dy - covariance[1]) / ITEMS;
        sums[4] += (dy * dy - covariance[2]) / ITEMS;
    }
    double worst = 0;
    for (int i = 0; i < 5; i++) worst = fmax(worst, fabs(sums[i]));
    sumi_solver_free(solver);
    return worst;
}

/* Means of 4000 items are uncertain by 0.009, variances by 0.007. */
static void mean_and_covariance_converge(void **state)
{
    (void)state;
    static const char *const solvers[] = {"ddpm",
                                          "ddim",
                                          "euler-ancestral",
                                          "dpm2-ancestral",
                                          "dpmpp-sde",
                                          "dpmpp-2m-sde",
                                          "dpmpp-3m-sde",
                                          "sa",
                                          "edm",
                                          "em",
                                          "pc",
                                          "cogvideox-dpm"};
    sumi_context *context = NULL;
    assert_int_equal(sumi_context_create(NULL, &context), SUMI_OK);
    CHECK_OK(context, sumi_context_set_threads(context, 1));
    for (size_t i = 0; i < sizeof solvers / sizeof *solvers; i++) {
        for (int path = 0; path < 2; path++) {
            const char *on = path ? "ve" : "vp";
            double rough = distance(context, solvers[i], on, "12");
            double fine = distance(context, solvers[i], on, "400");
            if (!(fine < 0.025 && fine < fmax(rough, 0.02)))
                fail_msg("%s on %s: %.3f off with 12 steps, %.3f with 400", solvers[i], on, rough,
                         fine);
        }
    }
    sumi_context_free(context);
}

/* One dimension, of data with mean 0.3 and deviation 0.5. Along the exact flow
   (x - a mean) / sqrt(a^2 deviation^2 + s^2) stays as it is, on any scale of the state. The network
   predicts x0, which is known where no signal is left, too. */
static sumi_status line(void *user, int64_t count, int64_t item_size, int64_t output_size,
                        const float *x, const float *times, float *output)
{
    (void)output_size;
    for (int64_t i = 0; i < count * item_size; i++) {
        struct noise_level level = path_level(user, times[i / item_size]);
        double a = level.signal, s = level.noise;
        double state = x[i] / path_input_scale(user, &level);
        output[i] = (float)(0.3 + 0.25 * a * (state - a * 0.3) / (0.25 * a * a + s * s));
    }
    return SUMI_OK;
}

static double along_the_flow(sumi_context *context, sumi_solver *solver, double time)
{
    double signal = 0, noise = 0;
    CHECK_OK(context, sumi_solver_level(solver, time, &signal, &noise));
    return signal * 0.3 + 1.3 * hypot(0.5 * signal, noise);
}

static double adaptive_error(sumi_context *context, const char *path, const char *tolerance,
                             int64_t *evaluations)
{
    sumi_solver *solver = NULL;
    CHECK_OK(context, sumi_solver_create(context, "rk45", &solver));
    const char *const options[][2] = {{"path", path},
                                      {"prediction_type", "sample"},
                                      {"final_sigmas_type", "sigma_min"},
                                      {"rtol", tolerance},
                                      {"atol", tolerance}};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        CHECK_OK(context, sumi_solver_set(solver, options[i][0], options[i][1]));
    double first = 0;
    assert_true(sumi_solver_times(solver, &first, 1) > 0);
    float x = (float)along_the_flow(context, solver, first);
    CHECK_OK(context,
             sumi_solver_run(solver, line, path_of(solver), 1, (int64_t[]){1}, &x, NULL, NULL));
    double end = along_the_flow(context, solver, path_first(path_of(solver)));
    *evaluations = sumi_solver_evaluations(solver);
    sumi_solver_free(solver);
    return fabs(x - end);
}

/* The tolerance is of each step; over the whole way the errors add up to a few times that, in
   proportion. */
static void an_adaptive_solver_meets_its_tolerance(void **state)
{
    (void)state;
    static const char *const tolerances[] = {"1e-2", "1e-3", "1e-4", "1e-5"};
    static const char *const paths[] = {"table", "vp", "sub_vp", "ve", "edm", "flow", "cosine"};
    sumi_context *context = NULL;
    assert_int_equal(sumi_context_create(NULL, &context), SUMI_OK);
    for (int k = 0; k < 7; k++) {
        int64_t evaluations = 0, before = 0;
        for (int i = 0; i < 4; i++, before = evaluations) {
            double error = adaptive_error(context, paths[k], tolerances[i], &evaluations);
            if (!(error < 5 * strtod(tolerances[i], NULL)))
                fail_msg("%s: %.1e off with tolerance %s", paths[k], error, tolerances[i]);
            assert_true(evaluations >= before);
        }
        assert_true(evaluations < 250); /* it is not by endless care */
    }
    sumi_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mean_and_covariance_converge),
        cmocka_unit_test(an_adaptive_solver_meets_its_tolerance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
