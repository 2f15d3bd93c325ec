/* SPDX-License-Identifier: Apache-2.0 */
/* The terms of the variational bound as graph, against their closed forms in double and, through
   the plans of the CPU, in float32; their derivatives against finite differences. */
#include "learn/variational_terms.h"

#include "ops/check_gradient.h"

static double density(double distance, double log_variance)
{
    return 0.5 * (log(2 * acos(-1)) + log_variance + distance * distance * exp(-log_variance));
}

/* Kullback and Leibler's divergence by Simpson's rule over 16 deviations of q. */
static double divergence(double distance, double log_q, double log_p)
{
    enum { STEPS = 4000 };
    double deviation = exp(log_q / 2), step = 16 * deviation / STEPS, sum = 0;
    for (int i = 0; i <= STEPS; i++) {
        double x = (i - STEPS / 2) * step, weight = i == 0 || i == STEPS ? 1 : i % 2 ? 4 : 2;
        double log_ratio = density(x - distance, log_p) - density(x, log_q);
        sum += weight * step / 3 * exp(-density(x, log_q)) * log_ratio;
    }
    return sum;
}

static void the_divergence_is_the_integral_that_defines_it(void **state)
{
    (void)state;
    static const double cases[][3] = {{0, 0, 0},    {1, 0, 0},   {0, -1, 1},
                                      {0.5, 1, -2}, {-3, -4, 2}, {0.01, -9, -8.5}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const double *c = cases[i];
        struct trial trial;
        trial_start(&trial, false);
        sumi_node square = trial_given(&trial, SHAPE(1), NUMBERS(c[0] * c[0]));
        sumi_node q = trial_given(&trial, SHAPE(1), NUMBERS(c[1]));
        sumi_node p = trial_given(&trial, SHAPE(1), NUMBERS(c[2]));
        sumi_node found = variational_divergence(trial.graph, square, q, p);
        double wanted = divergence(c[0], c[1], c[2]);
        trial_expect(&trial, found, SHAPE(1), NUMBERS(wanted));
        trial_end(&trial);
    }
}

static double cdf(double x)
{
    return 0.5 * erfc(-x / sqrt(2));
}

/* Ho et al. 2020, eq. 13, in double: exact while the interval is not in the far upper tail. */
static double decoder(double clean, double mean, double log_variance)
{
    double deviation = exp(log_variance / 2);
    double upper = (clean + 1.0 / 255 - mean) / deviation;
    double lower = (clean - 1.0 / 255 - mean) / deviation;
    if (clean > 0.999) return -log(cdf(-lower));
    if (clean < -0.999) return -log(cdf(upper));
    if (lower > 0) return -log(cdf(-lower) - cdf(-upper));
    return -log(cdf(upper) - cdf(lower));
}

static void the_decoder_is_the_share_of_the_interval(void **state)
{
    (void)state;
    static const double levels[] = {-1, -1 + 2.0 / 255, -1.0 / 255, 0.5, 1 - 2.0 / 255, 1};
    static const double differences[] = {-0.1, -0.01, -0.001, 0, 0.001, 0.01, 0.1};
    static const double log_variances[] = {-9.2, -6, -2};
    for (int i = 0; i < 6; i++) {
        for (int k = 0; k < 7; k++) {
            for (int v = 0; v < 3; v++) {
                double wanted = decoder(levels[i], levels[i] - differences[k], log_variances[v]);
                struct trial trial;
                trial_start(&trial, false);
                sumi_node clean = trial_given(&trial, SHAPE(1), NUMBERS(levels[i]));
                sumi_node difference = trial_given(&trial, SHAPE(1), NUMBERS(differences[k]));
                sumi_node variance = trial_given(&trial, SHAPE(1), NUMBERS(log_variances[v]));
                sumi_node found = variational_decoder(trial.graph, clean, difference, variance);
                trial_expect(&trial, found, SHAPE(1), NUMBERS(wanted));
                trial_end(&trial);
            }
        }
    }
}

static void the_shares_of_all_256_levels_add_up_to_one(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    double levels[256], differences[256];
    for (int i = 0; i < 256; i++) {
        levels[i] = -1 + 2.0 * i / 255;
        differences[i] = levels[i] - 0.98; /* a mean near the end: an open interval counts */
    }
    sumi_node clean = trial_given(&trial, SHAPE(256), levels);
    sumi_node difference = trial_given(&trial, SHAPE(256), differences);
    sumi_node variance = trial_given(&trial, SHAPE(1), NUMBERS(-7));
    sumi_node loss = variational_decoder(trial.graph, clean, difference, variance);
    sumi_node shares = sumi_op_exp(trial.graph, sumi_op_affine(trial.graph, loss, -1, 0));
    trial_expect(&trial, sumi_op_sum(trial.graph, shares, 1), SHAPE(1), NUMBERS(1));
    trial_end(&trial);
}

static void derivatives_agree_with_finite_differences(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node square = trial_input(&trial, SHAPE(2, 3), 0, 2);
    sumi_node q = trial_input(&trial, SHAPE(2, 1), -2, 0),
              p = trial_input(&trial, SHAPE(2, 3), -2, 0);
    trial_check_gradient(&trial, variational_divergence(trial.graph, square, q, p), 2);
    trial_check_gradient(&trial, variational_density(trial.graph, square, p), 2);
    trial_end(&trial);
    trial_start(&trial, false);
    sumi_node clean =
        sumi_graph_constant(trial.graph, 1, (int64_t[]){4}, (float[]){-1, -0.2f, 0.2f, 1});
    sumi_node difference = trial_input(&trial, SHAPE(2, 4), 0.01, 0.1);
    sumi_node variance = trial_input(&trial, SHAPE(2, 4), -4, -2);
    trial_check_gradient(&trial, variational_decoder(trial.graph, clean, difference, variance), 1);
    trial_end(&trial);
}

/* In float32: a far too sure network, a far too unsure one, and both open ends. */
static void the_decoder_stays_finite_in_single_precision(void **state)
{
    (void)state;
    struct trial trial;
    sumi_plan *plan = NULL;
    trial_start(&trial, false);
    sumi_graph *graph = trial.graph;
    const int64_t shape[] = {12};
    static const float clean[12] = {-1, -1, -1, 1, 1, 1, 0, 0, 0, 0.5f, 0.5f, 0.5f};
    static const float difference[12] = {2, -2, 0, 2, -2, 0, 1, -1, 0, 0.1f, 1e-4f, -0.1f};
    static const float variance[12] = {-14, -14, 0, -14, -14, 0, -14, -14, 4, -9, -9, -9};
    sumi_node c = sumi_graph_input(graph, "c", 1, shape),
              d = sumi_graph_input(graph, "d", 1, shape);
    sumi_node v = sumi_graph_input(graph, "v", 1, shape);
    sumi_node each = variational_decoder(graph, c, d, v), outputs[3] = {each};
    sumi_node loss = sumi_op_sum(graph, each, 1), wrt[2] = {d, v};
    CHECK_OK(trial.context, sumi_graph_gradients(graph, loss, 2, wrt, outputs + 1));
    CHECK_OK(trial.context, sumi_plan_create(graph, 3, outputs, &plan));
    memcpy(sumi_plan_data(plan, c), clean, sizeof clean);
    memcpy(sumi_plan_data(plan, d), difference, sizeof difference);
    memcpy(sumi_plan_data(plan, v), variance, sizeof variance);
    CHECK_OK(trial.context, sumi_plan_run(plan, 0, 0));
    for (int i = 0; i < 12; i++) {
        for (int k = 0; k < 3; k++) assert_true(isfinite(sumi_plan_data(plan, outputs[k])[i]));
        double wanted = decoder(clean[i], clean[i] - difference[i], variance[i]);
        if (isfinite(wanted)) {
            CHECK_CLOSE(sumi_plan_data(plan, each)[i], wanted, 1e-4 + 1e-4 * wanted);
        }
    }
    sumi_plan_free(plan);
    trial_end(&trial);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_divergence_is_the_integral_that_defines_it),
        cmocka_unit_test(the_decoder_is_the_share_of_the_interval),
        cmocka_unit_test(the_shares_of_all_256_levels_add_up_to_one),
        cmocka_unit_test(derivatives_agree_with_finite_differences),
        cmocka_unit_test(the_decoder_stays_finite_in_single_precision),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
